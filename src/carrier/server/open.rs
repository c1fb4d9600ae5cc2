//! From addresses to listen on to a server's airlock.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::super::limits::UNPROVEN;
use crate::airlock::{Airlock, BindError, KernelSocket, TableLimits, bind};

/// Why the relay cannot listen on one of its own addresses: the operator can mend it.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {error}")]
pub struct ListenError {
    /// Our own address.
    pub address: SocketAddr,
    /// What is wrong with it.
    pub error: BindError,
}

/// Binds a UDP socket to each address, behind one airlock with room for so many connections.
/// `seed`: random, from which stand-ins are drawn.
///
/// # Errors
/// [`ListenError`], naming the address.
pub fn listen(
    addresses: &[SocketAddr],
    connections: usize,
    seed: [u8; 32],
) -> Result<Airlock<KernelSocket>, ListenError> {
    let sockets = addresses
        .iter()
        .map(|&address| bind(address).map_err(|error| ListenError { address, error }))
        .collect::<Result<_, _>>()?;
    let limits = TableLimits {
        // A connection that moves stands in the table twice for a while.
        proven: connections.saturating_mul(2).max(1024),
        unproven_for: UNPROVEN,
        ..TableLimits::default()
    };
    Ok(Airlock::new(sockets, limits, seed))
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
