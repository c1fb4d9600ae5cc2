//! From addresses to listen on to a server's airlock.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::super::limits::{HANDSHAKES_OF_ONE_ADDRESS, UNPROVEN};
use crate::airlock::{
    Airlock, BindError, Front, Handed, HandedError, KernelSocket, PerAddress, Socket, TableLimits,
    bind, handed,
};

/// Why the relay cannot listen on one of its own addresses: the operator can mend it.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {error}")]
pub struct ListenError {
    /// Our own address.
    pub address: SocketAddr,
    /// What is wrong with it.
    pub error: BindError,
}

/// UDP sockets to serve at, and TCP ports for the page beside them.
pub struct Sockets {
    udp: Vec<KernelSocket>,
    fronts: Vec<Front>,
}

/// How often another port is tried where any will do and the page's TCP port of that number is taken.
const TRIES: usize = 16;

impl Sockets {
    /// Binds one to each address; with `page`, TCP ports of the same numbers too.
    ///
    /// # Errors
    /// [`ListenError`], naming the address.
    pub fn bind(addresses: &[SocketAddr], page: bool) -> Result<Self, ListenError> {
        let (mut udp, mut fronts) = (Vec::new(), Vec::new());
        for &address in addresses {
            let (socket, front) =
                both(address, page).map_err(|error| ListenError { address, error })?;
            udp.push(socket);
            fronts.extend(front);
        }
        Ok(Self { udp, fronts })
    }

    /// Those that a service manager holds ready for this process; `None` where it holds none. Ask
    /// before anything else is opened.
    ///
    /// # Errors
    /// [`HandedError`] when one of them is of no use.
    pub fn handed() -> Result<Option<Self>, HandedError> {
        let Handed { sockets, fronts } = handed()?;
        Ok((!sockets.is_empty()).then_some(Self {
            udp: sockets,
            fronts,
        }))
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.udp.iter().map(Socket::local_address).collect()
    }

    /// The page's ports, for whoever serves it. What is not taken is closed.
    pub fn take_fronts(&mut self) -> Vec<Front> {
        std::mem::take(&mut self.fronts)
    }
}

fn both(address: SocketAddr, page: bool) -> Result<(KernelSocket, Option<Front>), BindError> {
    let mut tries = if address.port() == 0 { TRIES } else { 1 };
    loop {
        let socket = bind(address)?;
        if !page {
            return Ok((socket, None));
        }
        tries -= 1;
        match Front::bind(socket.local_address()) {
            Err(BindError::TcpPortTaken) if tries > 0 => {}
            front => return Ok((socket, Some(front?))),
        }
    }
}

/// Puts the sockets behind one airlock with room for so many connections, and so many of one peer's
/// address. `seed`: random, from which stand-ins are drawn.
pub fn listen(
    sockets: Sockets,
    connections: usize,
    per_address: PerAddress,
    seed: [u8; 32],
) -> Airlock<KernelSocket> {
    let limits = TableLimits {
        // A connection that moves stands in the table twice for a while.
        proven: connections.saturating_mul(2).max(1024),
        per_address,
        under_way_per_address: HANDSHAKES_OF_ONE_ADDRESS,
        unproven_for: UNPROVEN,
        ..TableLimits::default()
    };
    Airlock::new(sockets.udp, limits, seed)
}

/// The address under which others on the network reach a socket that listens on all of them: the
/// one that packets to elsewhere would leave from. Sends nothing.
pub fn reachable(listening: SocketAddr) -> SocketAddr {
    if !listening.ip().is_unspecified() {
        return listening;
    }
    // Addresses for documentation (RFC 5737, RFC 3849): routed like any other, and nobody's.
    let (any, elsewhere): (IpAddr, IpAddr) = match listening {
        SocketAddr::V4(_) => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        SocketAddr::V6(_) => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ),
    };
    let own = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((elsewhere, 443))?;
        socket.local_addr()
    });
    let loopback: IpAddr = match listening {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(own.map_or(loopback, |own| own.ip()), listening.port())
}
