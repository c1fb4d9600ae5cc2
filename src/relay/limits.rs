//! Every bound of a relay, beside its reason. What an operator may want to change is in
//! [`super::RelayConfig`]; what is here is part of how the relay works.

use std::time::Duration;

/// Time between two beats for members. Longer: fewer packets and more delay for everyone's voice.
/// Half of it is the delay that a frame sees on average.
pub const BEAT: Duration = Duration::from_millis(20);

/// Every how many beats a viewer is served. A viewer answers nobody, so a third of the packets
/// costs nothing but 20 ms more delay on average; it is what lets a small machine serve thousands.
pub const VIEWER_BEATS: u64 = 3;

/// How long after a beat it is still given to what is seen then. Longer: packets leave off the beat.
pub const JUST_PASSED: Duration = Duration::from_millis(2);

/// How late a beat may be before it counts as overload. Beats that were missed are skipped, never
/// made up for: a burst would arrive too late to be played and would delay the next.
pub const OVERRUN: Duration = BEAT;

/// Least time between two looks at the sockets while a meeting is busy. What came meanwhile waits
/// for the beat anyway; each look costs two system calls and a wake-up. Longer: acknowledgements
/// and joins wait for it.
pub const INPUT_PACE: Duration = Duration::from_millis(10);

/// The same after a look that found much: else a flood fills the socket's buffer between two looks.
pub const MUCH_INPUT_PACE: Duration = Duration::from_millis(1);

/// How long after a beat that had something to give a meeting counts as busy: longer than a viewer's
/// beat, so that a meeting in which someone talks is so without a break.
pub const LIVELY: Duration = Duration::from_millis(100);

/// How long a stopping relay waits for what is still on its way to its participants. Longer: everyone
/// waits for the slowest before the next relay can begin, and those who were told ask ever more seldom.
/// Whoever was not told learns it from the next relay's first answer.
pub const DRAIN: Duration = Duration::from_millis(1500);

/// How long a connection may live without `Hello`. Longer: silent connections hold places.
pub const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// How many connections without `Hello` there may be over the number of participants.
pub const GREETINGS: usize = 1024;

/// Tracks of one participant: their numbers are below this. Sixteen make a participant's tracks
/// fit a quarter of a machine word in every other's subscriptions.
pub const TRACKS: u8 = crate::wire::limits::TRACKS;

/// Subscriptions of one participant. They are bits, so that this bounds only what a participant
/// can make the relay look at for its sake.
pub const SUBSCRIPTIONS: u32 = 4096;

/// Subscriptions of one participant that begin with a track's current group, if the room has enough
/// left: how many at once, and how many a second after; those that are over begin with the next. What
/// is begun counts as sent (up to half a mebibyte of each), and whoever takes its subscription back
/// takes nothing of it. As many at once as our participants take of streams.
pub const CATCH_UPS_BURST: u32 = 256;
/// See [`CATCH_UPS_BURST`].
pub const CATCH_UPS_RATE: u32 = 4;

/// Control messages of one participant: how many at once, and how many a second after. A member
/// that enters a full room subscribes to two tracks of a thousand others at once.
pub const MESSAGES_BURST: u32 = 4096;
/// See [`MESSAGES_BURST`].
pub const MESSAGES_RATE: u32 = 256;

/// Bodies (`Send`) of one participant in bytes of their size classes: how many at once, and how many a
/// second after.
/// Each goes to as many as a room holds: the relay's cost is a multiple of it.
pub const BODIES_BURST: u32 = 1024 * 1024;
/// See [`BODIES_BURST`].
pub const BODIES_RATE: u32 = 96 * 1024;
/// What a body counts at least, since a small one costs about as much to pass on.
pub const BODY_COST: u32 = 1024;

/// Datagrams of one participant that wait for a beat; past it, the oldest makes room. One each
/// 20 ms is usual, 2.5 ms frames make eight, and a network that stalls delivers a burst.
pub const SENDER_DATAGRAMS: usize = 32;

/// Datagram bytes of one participant: how many at once, and how many a second after; what is
/// over is dropped. Sealed Opus at its highest rate takes half of it.
pub const DATAGRAM_BURST: u32 = 128 * 1024;
/// See [`DATAGRAM_BURST`].
pub const DATAGRAM_RATE: u32 = 160 * 1024;
/// What a datagram counts at least: hundreds of empty ones fit a packet, and each is work. Three times
/// as many as of 2.5 ms frames are within the rate.
pub const DATAGRAM_COST: u32 = 128;

/// Datagrams of one room that wait for a beat. Past it, whoever has [`FAIR_SHARE`] waiting already
/// adds no more, so that a crowd that floods takes nothing from those who just talk.
pub const ROOM_DATAGRAMS: usize = 2048;
/// See [`ROOM_DATAGRAMS`].
pub const FAIR_SHARE: usize = 2;

/// Bytes of datagrams that a beat builds for one listener; the newest stay. More would be built only
/// to be dropped: the carrier queues 64 KiB for one connection, of which each bundle's bookkeeping
/// takes a little. A hundred who talk at once fit, even in a viewer's beat with its three frames of
/// each.
pub const LISTENER_BYTES: usize = 60 * 1024;

/// Incoming streams of one participant at a time. Its tracks times two: a group that ends while
/// the next begins.
pub const UPLOADS: usize = 2 * TRACKS as usize;

/// Groups of one track that are kept at a time, the newest included; past it the oldest goes. An
/// intra-only track begins a group with each picture, so that a few must live side by side.
pub const GROUPS_PER_TRACK: usize = 16;

/// How long subscribers may go on taking a group after a newer one began. Longer: who is behind
/// stays behind for longer. Shorter: a hiccup of the network costs the end of a group.
pub const GRACE: Duration = Duration::from_millis(750);

/// How long a group that a newer one followed is kept though nobody reads it: a viewer's next
/// beat has to find it.
pub const LINGER: Duration = Duration::from_millis(100);

/// How long the finished groups of a sender who left are still delivered, if there is memory for
/// them.
pub const FAREWELL: Duration = Duration::from_secs(3);

/// Bytes of one group. At 4 Mbit/s, sixteen seconds without a key frame.
pub const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that one participant's groups may hold together: a full one and its successor.
pub const PARTICIPANT_BYTES: usize = 2 * GROUP_BYTES;

/// Group bytes of one participant: how many at once, and how many a second after; all who subscribe
/// get each of them. The burst is two frames of the largest size, the rate 25 Mbit/s: a 4K screen
/// with a camera beside it. What is over costs its sender the rest of that group, as a network that
/// is too slow would.
pub const GROUP_BURST: u32 = 8 * 1024 * 1024;
/// See [`GROUP_BURST`].
pub const GROUP_RATE: u32 = 3 * 1024 * 1024;

/// Groups that one participant begins: how many at once, and how many a second after. Each is a
/// stream to everyone who subscribes. Three tracks on which every picture is a group, at 60 a
/// second, fit; and the burst is more than a second of them, since a network that stalled delivers
/// them together.
pub const GROUPS_BURST: u32 = 256;
/// See [`GROUPS_BURST`].
pub const GROUPS_RATE: u32 = 200;

/// Bytes that the groups of one room may hold together. Past it, those of who left are let go, then
/// whoever holds most is closed.
pub const ROOM_BYTES: usize = 128 * 1024 * 1024;

/// Chunks of a group are merged (copied) while two neighbours fit this many bytes, so that a
/// sender who writes byte by byte costs no more than one who writes packets.
pub const MERGE: usize = 1024;

/// Chunks handed to a stream in one call. More: a longer array on the stack of the carrier.
pub const WRITE_CHUNKS: usize = 64;
