//! From addresses to listen on to a server's airlock.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::super::limits::{HANDSHAKES_OF_ONE_ADDRESS, UNPROVEN};
use crate::airlock::{
    Airlock, BindError, HandedError, KernelSocket, PerAddress, Socket, TableLimits, bind, handed,
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

/// UDP sockets to serve at.
pub struct Sockets(Vec<KernelSocket>);

impl Sockets {
    /// Binds one to each address.
    ///
    /// # Errors
    /// [`ListenError`], naming the address.
    pub fn bind(addresses: &[SocketAddr]) -> Result<Self, ListenError> {
        let bound = addresses
            .iter()
            .map(|&address| bind(address).map_err(|error| ListenError { address, error }));
        bound.collect::<Result<_, _>>().map(Self)
    }

    /// Those that a service manager holds ready for this process; `None` where it holds none. Ask
    /// before anything else is opened.
    ///
    /// # Errors
    /// [`HandedError`] when one of them is of no use.
    pub fn handed() -> Result<Option<Self>, HandedError> {
        let sockets = handed()?;
        Ok((!sockets.is_empty()).then_some(Self(sockets)))
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(Socket::local_address).collect()
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
    Airlock::new(sockets.0, limits, seed)
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
