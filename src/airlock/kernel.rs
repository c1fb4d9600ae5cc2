//! The kernel's UDP sockets.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::address::Name;
use super::batch::{ReceiveBatch, SendBatch};
use super::limits::{KERNEL_BUFFER, SEGMENTS};
use super::options::{get, set};
use super::socket::{Features, ReceiveError, Sealed, SendError, Socket};
use crate::system::words;

/// A UDP socket of the kernel, for batches.
pub struct KernelSocket {
    pub(super) descriptor: OwnedFd,
    pub(super) local: SocketAddr,
    pub(super) features: Features,
}

/// Why an address cannot be listened on. Each is the operator's to solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// EADDRINUSE.
    #[error(
        "the UDP port is in use by another program: stop it, or choose another port with --listen"
    )]
    PortTaken,
    /// The same of TCP.
    #[error(
        "the TCP port, at which the relay serves its page, is in use by another program, such as a web \
         server: stop it, choose another port with --listen, or leave out the page with --no-page (or \
         `page = false`)"
    )]
    TcpPortTaken,
    /// EACCES.
    #[error(
        "ports below 1024 need a privilege: choose a higher port, or grant CAP_NET_BIND_SERVICE"
    )]
    NeedsPrivilege,
    /// EADDRNOTAVAIL.
    #[error(
        "this machine does not have that address: choose one of its own with --listen, \
         or 0.0.0.0 or [::] for all of them"
    )]
    AddressNotHere,
    /// Link-local and without an interface: the same address may be on each cable.
    #[error(
        "that address is link-local: it is good on one cable alone, and no meeting link can name \
         it. Choose [::] or another address of this machine with --listen; or write the number of \
         the network interface (`ip link` shows it) behind it, like [fe80::1%2]:4433, and say with \
         --public-address what links shall call the relay"
    )]
    LinkLocal,
    /// Anything else.
    #[error("the system refuses to listen there ({}); use another address", words(*.0))]
    Other(io::ErrorKind),
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EADDRINUSE) => Self::PortTaken,
            Some(libc::EACCES | libc::EPERM) => Self::NeedsPrivilege,
            Some(libc::EADDRNOTAVAIL) => Self::AddressNotHere,
            _ => Self::Other(error.kind()),
        }
    }
}

/// Opens a socket on one of our own addresses; port 0 lets the kernel choose.
///
/// What the relay cannot do without fails here; what only makes it faster (large
/// buffers, GSO, GRO) is used where it is there.
pub fn bind(address: SocketAddr) -> Result<KernelSocket, BindError> {
    let descriptor = open(address, libc::SOCK_DGRAM)?;
    let socket = descriptor.as_fd();
    let features = prepare(socket, &address)?;
    take_name(socket, &address)?;
    Ok(KernelSocket {
        local: local_address(socket)?,
        features,
        descriptor,
    })
}

/// A socket for one of our own addresses, which is not bound yet.
pub(super) fn open(address: SocketAddr, kind: libc::c_int) -> Result<OwnedFd, BindError> {
    if let SocketAddr::V6(address) = address
        && address.ip().is_unicast_link_local()
        && address.scope_id() == 0
    {
        return Err(BindError::LinkLocal);
    }
    let domain = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes integers alone.
    let descriptor = unsafe { libc::socket(domain, kind, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error().into());
    }
    // SAFETY: just opened, and nobody else has it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    if address.is_ipv6() {
        // IPv4 peers come by an IPv4 socket, so that each address has one form.
        set(descriptor.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    Ok(descriptor)
}

/// Binds it.
pub(super) fn take_name(socket: BorrowedFd<'_>, address: &SocketAddr) -> io::Result<()> {
    let (name, length) = Name::encode(address);
    // SAFETY: `name` holds `length` bytes of a socket address of this family.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            name.0.as_ptr().cast(),
            length as libc::socklen_t,
        )
    };
    match bound {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets what the airlock needs of a socket of ours, but for what must be set before it is bound.
pub(super) fn prepare(socket: BorrowedFd<'_>, address: &SocketAddr) -> io::Result<Features> {
    let wildcard = address.ip().is_unspecified();

    if address.is_ipv4() {
        set(socket, libc::IPPROTO_IP, libc::IP_RECVTOS, 1)?;
        // The do-not-fragment bit, and no care for what the kernel has learned of path MTUs.
        // It still learns: where a path is too narrow for a packet of ours, or an ICMP report
        // of that is forged, the peer's address may stand in its routing cache for ten
        // minutes (`ip route show cache`). IP_PMTUDISC_INTERFACE would turn that off, and the
        // bit with it.
        set(
            socket,
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_PROBE,
        )?;
        if wildcard {
            set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        }
    } else {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)?;
        set(
            socket,
            libc::IPPROTO_IPV6,
            libc::IPV6_MTU_DISCOVER,
            libc::IPV6_PMTUDISC_PROBE,
        )?;
        if wildcard {
            set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
    }
    for (force, plain) in [
        (libc::SO_RCVBUFFORCE, libc::SO_RCVBUF),
        (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF),
    ] {
        // Beyond the system's limit with CAP_NET_ADMIN, else up to it.
        if set(socket, libc::SOL_SOCKET, force, KERNEL_BUFFER).is_err() {
            enlarge(socket, plain, KERNEL_BUFFER);
        }
    }
    // A size of 0 means no segmentation unless a message asks for it; the call
    // fails on a kernel that has none.
    let segments = match set(socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0) {
        Ok(()) => SEGMENTS,
        Err(_) => 1,
    };
    let coalesces = set(socket, libc::SOL_UDP, libc::UDP_GRO, 1).is_ok();
    Ok(Features {
        segments,
        coalesces,
        wildcard,
    })
}

/// Gives a socket as large a buffer as the system allows. One that has more already, from a service
/// manager that may more, would be cut down to the limit: so it is tried out elsewhere first.
pub(super) fn enlarge(socket: BorrowedFd<'_>, option: i32, size: i32) {
    let has = get(socket, libc::SOL_SOCKET, option).unwrap_or(i32::MAX);
    // SAFETY: takes integers alone.
    let other = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if other < 0 {
        return;
    }
    // SAFETY: just opened, and nobody else has it.
    let other = unsafe { OwnedFd::from_raw_fd(other) };
    let other = other.as_fd();
    let gets = set(other, libc::SOL_SOCKET, option, size)
        .and_then(|()| get(other, libc::SOL_SOCKET, option));
    if gets.is_ok_and(|gets| gets > has) {
        let _ = set(socket, libc::SOL_SOCKET, option, size);
    }
}

pub(super) fn local_address(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut name = Name::EMPTY;
    let mut length = Name::ROOM as libc::socklen_t;
    // SAFETY: `name` has room for `length` bytes, and the kernel writes no more.
    let result =
        unsafe { libc::getsockname(socket.as_raw_fd(), name.0.as_mut_ptr().cast(), &mut length) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    name.decode(length as usize)
        .ok_or_else(|| io::ErrorKind::Unsupported.into())
}

impl Sealed for KernelSocket {}

impl Socket for KernelSocket {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn features(&self) -> Features {
        self.features
    }

    fn receive(&mut self, batch: &mut ReceiveBatch) -> Result<usize, ReceiveError> {
        let slots = batch.slots();
        // The system call itself, since some C libraries imitate it with copies of
        // names on the stack.
        // SAFETY: `slots` are valid headers whose pointers lead to buffers, names and
        // control areas of the lengths that they state, all owned by `batch`, which is
        // borrowed for the whole call.
        let received = unsafe {
            libc::syscall(
                libc::SYS_recvmmsg,
                self.descriptor.as_raw_fd(),
                slots.as_mut_ptr(),
                slots.len(),
                libc::MSG_DONTWAIT,
                std::ptr::null_mut::<libc::timespec>(),
            )
        };
        match usize::try_from(received) {
            Ok(0) => Err(ReceiveError::Empty),
            Ok(received) => Ok(received),
            Err(_) => Err(match io::Error::last_os_error().raw_os_error() {
                Some(libc::EAGAIN) => ReceiveError::Empty,
                _ => ReceiveError::Disturbed,
            }),
        }
    }

    fn send(&mut self, batch: &mut SendBatch) -> Result<usize, SendError> {
        let unsent = batch.unsent();
        // SAFETY: as above; `sendmmsg` only reads what the headers point to, and
        // writes the headers' lengths.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_sendmmsg,
                self.descriptor.as_raw_fd(),
                unsent.as_mut_ptr(),
                unsent.len(),
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            )
        };
        if let Ok(sent) = usize::try_from(sent) {
            return Ok(sent);
        }
        let cut = batch
            .first_unsent()
            .is_some_and(|message| message.segment().is_some());
        Err(match io::Error::last_os_error().raw_os_error() {
            Some(libc::EAGAIN) => SendError::Full,
            Some(libc::ENOBUFS | libc::ENOMEM) => SendError::Crowded,
            Some(libc::EINTR) => SendError::Interrupted,
            Some(libc::EIO | libc::EINVAL) if cut => SendError::Segmentation,
            _ => SendError::Refused,
        })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.descriptor.as_fd())
    }
}

#[cfg(test)]
#[path = "kernel_tests.rs"]
mod tests;
