//! The airlock's bounds, each with what happens when it changes.

use std::time::Duration;

/// Messages in one `recvmmsg`. More slots save few system calls (the turn after a
/// full batch takes the rest) and cost [`COALESCED`] bytes of address space each.
pub(super) const RECEIVE_BATCH: usize = 32;

/// Messages in one `sendmmsg`. 8 and 256 cost the same per message; more would
/// only make the arrays outgrow the cache.
pub(super) const SEND_BATCH: usize = 256;

/// Bytes of a receive buffer when the kernel coalesces datagrams (UDP_GRO): the
/// longest run it hands over. Pages that no packet reaches are never backed.
pub(super) const COALESCED: usize = 1 << 16;

/// Bytes of a receive buffer otherwise. QUIC on a path of 1,500 bytes needs 1,472.
pub(super) const SINGLE: usize = 2048;

/// Added to each buffer's length, so that the first bytes of the buffers do not
/// all fall into the same lines of the cache.
pub(super) const STAGGER: usize = 1088;

/// Bytes of control data in or out for one message: traffic class, local address
/// and segment size take 88 on 64 bits.
pub(super) const CONTROL: usize = 128;

/// Segments in one GSO message: the kernel's UDP_MAX_SEGMENTS. More is EINVAL.
pub(super) const SEGMENTS: usize = 64;

/// Bytes of payload in one GSO message: what fits an IP packet of 65,535 with
/// either header.
pub(super) const SEGMENTED_BYTES: usize = 65_487;

/// Messages that may wait for a socket whose kernel buffer is full. Past it new
/// ones are dropped, as the network would; QUIC sends them again.
pub(super) const QUEUED_MESSAGES: usize = 4096;

/// Bytes that may wait likewise.
pub(super) const QUEUED_BYTES: usize = 8 << 20;

/// Bytes of empty send buffers kept for reuse. Less means allocations in a beat,
/// more is memory that an idle relay keeps.
pub(super) const POOLED_BYTES: usize = 2 << 20;

/// Asked of the kernel for each direction of a socket. A beat sends to everyone
/// within a millisecond; the default of 208 KiB holds about 100 small packets.
pub const KERNEL_BUFFER: libc::c_int = 4 << 20;

/// Pairs of one IP address. Nearly all of its ports, so that nobody can lock out a
/// network by spoofing some of them; at this density a free made-up port is found
/// in a dozen draws.
pub(super) const PAIRS_OF_ONE_ADDRESS: u32 = 60_000;

/// How long to wait after ENOBUFS, which POLLOUT does not tell the end of.
pub(super) const CROWDED_PAUSE: Duration = Duration::from_millis(1);

/// Receive errors in a row after which a turn gives up on a socket. Each one
/// clears one pending ICMP report.
pub(super) const RECEIVE_ERRORS: usize = 8;

/// Connections for the page that the kernel has accepted and we have not. More wait in their senders.
pub(super) const FRONT_QUEUE: libc::c_int = 256;

/// Asked of the kernel for each direction of such a connection; it takes twice that, with what it keeps
/// for itself. More: what is lost at the end of a connection whose other side is slow. Less: a page comes
/// more slowly to where the way is long.
pub(super) const FRONT_BUFFER: libc::c_int = 64 * 1024;

/// Bytes of one segment of such a connection, with its options: an IPv4 packet of 1,228 bytes at most, as
/// QUIC's are. More: where the way narrows a router reports it, and the kernel keeps a route with the
/// other's address for ten minutes (`ip route show cache`).
pub(super) const FRONT_SEGMENT: libc::c_int = 1188;

/// Sockets of one airlock: the number is kept in a byte of each address.
pub(super) const SOCKETS: usize = 64;
