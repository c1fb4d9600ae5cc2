//! Bounds on what unknown peers can make the carrier hold, each with what hangs on it.

use std::time::Duration;

/// Handshakes under way from which on a newcomer must first show that its address is its own
/// (Retry, RFC 9000, section 8.1.2): costs honest ones a round trip, spoofed ones everything.
pub const RETRY_FROM: usize = 256;

/// Handshakes under way beyond which newcomers get no answer until others are through. Each takes
/// about 20 KiB and half a millisecond of CPU time.
pub const HANDSHAKES: usize = 2048;

/// Of these, handshakes of one address that has shown itself: its next newcomer gets no answer until
/// another is through. More: fewer addresses that say nothing after their first packets keep everyone
/// else out. Fewer: a building that comes back at once does so more slowly.
pub const HANDSHAKES_OF_ONE_ADDRESS: usize = HANDSHAKES / 8;

/// How long a handshake may take before it is dropped.
pub const HANDSHAKE: Duration = Duration::from_secs(8);

/// How long the airlock remembers somebody who has not shown an address to be its own: longer than a
/// [`HANDSHAKE`]. With the second until it is looked, less than the ten after which nothing may be
/// left of anybody.
pub const UNPROVEN: Duration = Duration::from_millis(8_500);

/// Bytes of control messages that may wait for one peer behind its flow control window. A peer
/// that lets more pile up does not read.
pub const CONTROL_QUEUE: usize = 256 * 1024;

/// Batches that are received in one turn at most, so that a flood of input does not starve output.
pub const BATCHES: usize = 8;

/// Datagrams in one turn after which the next look should come soon.
pub const MUCH_INPUT: usize = 128;

/// Handshakes that are begun in one turn at most, about half a millisecond of CPU time each: more
/// would delay everyone's beat. Further newcomers are asked to show their address, or wait for the next.
pub const TURN_HANDSHAKES: usize = 16;

/// Newcomers who have shown their address and wait for the next turn, a packet each. Further ones have
/// to try again: in a second no more come through.
pub const WAITING: usize = 1024;

/// Handshakes that are begun in a second. More: whoever completes handshakes from many addresses of
/// their own, before any pass is asked for, takes more than half of the core in which meetings are
/// served. Fewer: a meeting that comes back at once does so more slowly.
pub const BEGUN: u32 = 1000;

/// How many of these at once: a full meeting after a restart.
pub const BEGUN_AT_ONCE: u32 = 2048;

/// First packets of handshakes (Initials) that are opened in a second, of those from newcomers; a
/// handshake of ours has two. More: a flood takes more of the time in which meetings are served.
/// Fewer: in a flood fewer honest newcomers are heard at the first try.
pub const FIRST_PACKETS: u32 = 20_000;

/// The same of those that come back with the token of a Retry, under the connection id that came with
/// it.
pub const RETURNING_PACKETS: u32 = 10_000;

/// The same of those under a connection id of ours and without a token. A handshake has one or two, to
/// acknowledge our first answer; should they be dropped, what matters in them comes again in packets
/// of another kind, which have no pace. A core is through with 2,000 handshakes a second at most.
pub const FOLLOWING_PACKETS: u32 = 5000;

/// How many of each at once: a full meeting that comes back at the same moment.
pub const FIRST_PACKETS_AT_ONCE: u32 = 2000;

/// Stateless resets in a second, when as many have been sent at once as there may be connections. More:
/// whoever sends under the ids of connections that have ended takes more of the time in which meetings
/// are served. Fewer: after a restart it takes longer until all know that they have to come back.
pub const RESETS: u32 = 10_000;

/// The largest UDP payload that is looked at, in bytes. We tell peers that we take 1,472; a packet
/// of 64 KiB, cut into fragments by IP, would hold as much memory for each byte of a group in it.
pub const LARGEST: usize = 1500;

/// Streams towards one peer, those included whose reset it has not acknowledged. Twice what our
/// participants allow: a peer that allows any number and acknowledges nothing gets no more.
pub const OUTGOING_STREAMS: usize = 512;

/// Datagrams for which room is kept from one beat to the next.
pub const MAIL_KEPT: usize = 8192;

/// The largest packet that may wait for its connection's next visit, in bytes of UDP payload: an
/// acknowledgement of a few ranges; less than a frame of speech.
pub const HELD_SIZE: usize = 64;

/// How long it waits at most: a little longer than the longest beat.
pub const HELD_FOR: Duration = Duration::from_millis(70);

/// How many wait for one connection at most.
pub const HELD_PACKETS: usize = 4;

/// Messages after which the airlock is told to send what it has. More: their bytes are out of the
/// processor's cache by the time that the kernel copies them.
pub const SEND_BATCH: usize = 32;

/// Datagrams below which a batch of the airlock was not full, so that there is nothing more to
/// receive now: the number of its receive slots.
pub const AIRLOCK_BATCH: usize = 32;

/// Packets that a connection hands over as one message at most. quinn-proto reserves room for all
/// of them in each buffer: more would make the pool of buffers outgrow its bound, and each beat
/// would ask the system for fresh memory.
pub const SEGMENTS: usize = 8;

/// How long somebody who speaks HTTP/3 may stay without asking for a session. As long as a relay waits
/// for `Hello` after it.
pub const SESSION_WITHIN: Duration = Duration::from_secs(5);

/// How long the close of a session may wait to be acknowledged before the connection ends. Shorter:
/// where a packet is lost a browser knows less often why its session ended.
pub const SESSION_FAREWELL: Duration = Duration::from_secs(1);

/// Requests, and streams of sessions, that somebody who speaks HTTP/3 may have open: the session, the
/// control stream, and what a page asks for beside them.
pub const HTTP_STREAMS: u32 = 8;

/// What HTTP/3 has of unidirectional streams beside groups: its control stream, two of its tables, and
/// one of a kind that nobody knows.
pub const HTTP_OWN_STREAMS: u32 = 4;

/// Bytes of HTTP/3 that are none of the vocabulary's: how many at once, and how many a second after. A
/// browser's first requests have a few hundred each, and then there is next to nothing.
pub const HTTP_BYTES: u64 = 64 * 1024;
/// See [`HTTP_BYTES`].
pub const HTTP_BYTES_A_SECOND: u64 = 1024;

/// What a request counts beside its bytes, and a stream of no use.
pub const HTTP_STREAM: u64 = 1024;
