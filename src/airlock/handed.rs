//! Sockets that whoever started this process has bound for it (systemd's socket activation).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::front::Front;
use super::kernel::{KernelSocket, local_address, prepare};
use super::options::get;
use crate::system::words;

/// Why a socket that was handed over cannot be used. Each is the operator's to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandedError {
    /// The environment and the descriptors do not belong together.
    #[error(
        "LISTEN_FDS and LISTEN_PID name sockets that are not there; start the relay by its .socket \
         unit, or without them"
    )]
    Missing,
    /// A Unix socket, a file, or of another kind; or none of them is for UDP.
    #[error(
        "a socket that was handed over is neither one for UDP nor one that listens for TCP; write \
         ListenDatagram= with a port, ListenStream= with the same for the page, and nothing else, in \
         the .socket unit"
    )]
    Neither,
    /// It would show whom it is connected to.
    #[error(
        "a UDP socket that was handed over is connected to somebody; hand over one that is not"
    )]
    Connected,
    /// Nobody could send to it.
    #[error("a UDP socket that was handed over has no port; write ListenDatagram= with one")]
    NoPort,
    /// IPv4 peers would have two forms of address.
    #[error(
        "an IPv6 socket that was handed over takes IPv4 too; write BindIPv6Only=ipv6-only in the \
         .socket unit, and a ListenDatagram= (or ListenStream=) for each of [::] and 0.0.0.0"
    )]
    BothFamilies,
    /// Anything else.
    #[error(
        "a socket that was handed over cannot be set up ({}); leave out the .socket unit, and let \
         the relay listen by itself",
        words(*.0)
    )]
    Other(io::ErrorKind),
}

impl From<io::Error> for HandedError {
    fn from(error: io::Error) -> Self {
        Self::Other(error.kind())
    }
}

/// What was handed over.
#[derive(Default)]
pub struct Handed {
    /// For QUIC.
    pub sockets: Vec<KernelSocket>,
    /// For the page.
    pub fronts: Vec<Front>,
}

/// The sockets that were handed over, in their order; none where nobody did so, and none when asked
/// again. Ask before anything else is opened.
///
/// # Errors
/// [`HandedError`]; then none of them is used.
pub fn handed() -> Result<Handed, HandedError> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Ok(Handed::default());
    }
    let descriptors = sd_notify::listen_fds().map_err(|_| HandedError::Missing)?;
    let mut handed = Handed::default();
    for descriptor in descriptors {
        // SAFETY: it is open, which `listen_fds` has seen, and meant for us; nobody else here has
        // it, since this is done once.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        match listens(descriptor.as_fd()) {
            true => handed.fronts.push(Front::adopt(descriptor)?),
            false => handed.sockets.push(KernelSocket::adopt(descriptor)?),
        }
    }
    match handed.sockets.is_empty() && !handed.fronts.is_empty() {
        true => Err(HandedError::Neither),
        false => Ok(handed),
    }
}

/// Whether it takes TCP connections.
fn listens(socket: BorrowedFd<'_>) -> bool {
    let of = |option| get(socket, libc::SOL_SOCKET, option).ok();
    of(libc::SO_PROTOCOL) == Some(libc::IPPROTO_TCP) && of(libc::SO_ACCEPTCONN) == Some(1)
}

impl KernelSocket {
    /// Takes over a bound socket, and sets it up as [`bind`](super::bind) does its own.
    ///
    /// # Errors
    /// [`HandedError`] when it is none that a relay can serve at.
    pub fn adopt(descriptor: OwnedFd) -> Result<Self, HandedError> {
        let socket = descriptor.as_fd();
        let of = |option| get(socket, libc::SOL_SOCKET, option).map_err(|_| HandedError::Neither);
        let family = of(libc::SO_DOMAIN)?;
        let protocol = of(libc::SO_PROTOCOL)?;
        if protocol != libc::IPPROTO_UDP || ![libc::AF_INET, libc::AF_INET6].contains(&family) {
            return Err(HandedError::Neither);
        }
        if is_connected(socket) {
            return Err(HandedError::Connected);
        }
        // It cannot be set on a socket that is bound.
        if family == libc::AF_INET6 && get(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)? != 1 {
            return Err(HandedError::BothFamilies);
        }
        let local = local_address(socket)?;
        if local.port() == 0 {
            return Err(HandedError::NoPort);
        }
        let features = prepare(socket, &local)?;
        Ok(Self {
            local,
            features,
            descriptor,
        })
    }
}

fn is_connected(socket: BorrowedFd<'_>) -> bool {
    let mut name = [0_u8; 128];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: `name` has room for `length` bytes, and the kernel writes no more.
    let result =
        unsafe { libc::getpeername(socket.as_raw_fd(), name.as_mut_ptr().cast(), &mut length) };
    result == 0
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener};

    use super::super::kernel::enlarge;
    use super::super::options::set;
    use super::super::socket::Socket;
    use super::*;

    fn refused(socket: impl Into<OwnedFd>) -> HandedError {
        KernelSocket::adopt(socket.into()).err().expect("not taken")
    }

    #[test]
    fn a_bound_socket_becomes_like_one_of_ours() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let socket = UdpSocket::bind(address).unwrap();
            let local = socket.local_addr().unwrap();
            let adopted = KernelSocket::adopt(socket.into()).unwrap();
            let own = super::super::bind(address.parse().unwrap()).unwrap();
            assert_eq!(adopted.local_address(), local);
            assert_eq!(adopted.features(), own.features());
            for (level, option) in [
                (libc::IPPROTO_IP, libc::IP_RECVTOS),
                (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
                (libc::IPPROTO_IP, libc::IP_PKTINFO),
                (libc::SOL_SOCKET, libc::SO_RCVBUF),
                (libc::SOL_UDP, libc::UDP_GRO),
            ] {
                let of = |socket: &KernelSocket| get(socket.descriptor().unwrap(), level, option);
                assert_eq!(of(&adopted).ok(), of(&own).ok(), "{level}, {option}");
            }
        }
    }

    /// A service manager may give more than the relay itself may take.
    #[test]
    fn a_buffer_is_never_made_smaller() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
            let size = || get(socket.as_fd(), libc::SOL_SOCKET, option).unwrap();
            set(socket.as_fd(), libc::SOL_SOCKET, option, 100_000).unwrap();
            let had = size();
            enlarge(socket.as_fd(), option, 50_000);
            assert_eq!(size(), had);
            enlarge(socket.as_fd(), option, 200_000);
            assert!(size() > had);
        }
    }

    #[test]
    fn what_cannot_serve_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(
            refused(TcpListener::bind("127.0.0.1:0").unwrap()),
            HandedError::Neither
        );
        assert_eq!(
            refused(UnixListener::bind(path("a")).unwrap()),
            HandedError::Neither
        );
        assert_eq!(
            refused(UnixDatagram::bind(path("b")).unwrap()),
            HandedError::Neither
        );
        let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
        connected.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
        assert_eq!(refused(connected), HandedError::Connected);
        // The standard library lets IPv4 in where the system does so by default.
        if let Ok(both) = UdpSocket::bind("[::]:0")
            && get(both.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY).ok() == Some(0)
        {
            assert_eq!(refused(both), HandedError::BothFamilies);
        }
    }
}
