//! What those who ask for the page can make a relay hold or do, each with what hangs on it.

use std::time::Duration;

/// Connections at a time. For one more, whoever came first has to go: a browser has the whole page
/// within a second, so nobody holds a place by saying nothing. Each takes up to 150 KiB and a descriptor.
pub const PLACES: usize = 256;

/// Of these, connections of one address (IPv4, or a /56 of IPv6); the next is refused. A browser has one,
/// or six where it speaks HTTP/1.1. Fewer: a school that opens a link at once. More: fewer addresses that
/// have others' places taken.
pub const OF_ONE_ADDRESS: usize = 96;

/// Connections that are accepted in a second, and at once; others wait in the system, and those who are
/// refused at once do not count. A handshake takes
/// about half a millisecond of a processor. Fewer: a meeting's guests wait for their page. More: whoever
/// comes and goes has honest ones put out sooner, which has to take longer than a page does.
pub(super) const ACCEPTED: u32 = 100;
/// See [`ACCEPTED`].
pub(super) const ACCEPTED_AT_ONCE: u32 = 200;

/// How long a handshake may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a connection may stay whose first request has not been answered.
pub(super) const FIRST: Duration = Duration::from_secs(10);

/// How long it may stay after the last byte of an answer was given to the system. That holds up to
/// [`SEND_BUFFER`](crate::carrier::front) of it: so who takes it more slowly than 20 kbit/s loses the end.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// How long it may stay at all. Browsers come again by themselves.
pub(super) const LIFE: Duration = Duration::from_secs(180);

/// Bytes of a request's head. What browsers send has a few hundred.
pub(super) const HEAD: usize = 16 * 1024;

/// Bytes of content that the requests of one connection may bring before it is thrown away, where it is
/// HTTP/2. There is no use for any; this is the least that the protocol has.
pub(super) const CONTENT: u32 = 65_535;

/// Requests of one connection under way at a time, where it is HTTP/2. The page has some ten files.
pub(super) const STREAMS: u32 = 32;

/// Bytes of answers of one connection that may wait.
pub(super) const WAITING: usize = 64 * 1024;

/// Bytes of answers that leave in a second, to all together, and at once. More: who asks for the page
/// again and again takes the line from meetings. Fewer: a crowd waits longer for its first page; this is
/// some twenty in a second.
pub(super) const BYTES: u32 = 8 * 1024 * 1024;
/// See [`BYTES`].
pub(super) const BYTES_AT_ONCE: u32 = 2 * BYTES;

/// How long to wait when the system has no descriptor left.
pub(super) const PAUSE: Duration = Duration::from_millis(500);
