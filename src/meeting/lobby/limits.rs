//! Bounds on what people in the lobby can make each other hold and do.

use std::time::Duration;

/// Knocks that wait for the chair. More than this nobody looks through on a screen.
pub const WAITING: usize = 64;

/// For so long at least who knocked keeps its place, though others knock and there is none: the person at
/// the screen has to have the time to read a name and to answer it.
pub(super) const SHOWN: Duration = Duration::from_secs(20);

/// Bytes of a key package: one of our suite is about 500 and the name.
pub const KEY_PACKAGE_BYTES: usize = 3072;

/// Bytes of a proof of return.
pub const PROOF_BYTES: usize = 320;

/// Bytes of a SAS message.
pub const SAS_BYTES: usize = 512;

/// Bytes of what is given to somebody who is admitted: a welcome for 200 members is about 41 kB.
pub const PAYLOAD_BYTES: usize = PARTS * PART;

/// Bytes of a payload that go into one answer: with everything around it, it fits the second largest
/// class of the envelope.
pub(super) const PART: usize = 15_000;

/// Parts of a payload.
pub(super) const PARTS: usize = 15;

/// Where parts go to everyone in the lobby their number is a multiple of this: a welcome for 200 with
/// names of usual length has as many, and a smaller one has no fewer.
pub(super) const PARTS_FOR_ALL: usize = 3;

/// The sizes of a sealed answer or reply before its tag: states, SAS messages.
pub(super) const ANSWER_CLASSES: [usize; 2] = [64, 640];

/// The one size of a knock before HPKE: it fits the 4,032 bytes of an envelope, whoever knocks.
pub(super) const KNOCK_CLASS: usize = 3840;

/// People in the lobby whom the porter keeps apart. A room cannot have more.
pub(super) const GUESTS: usize = 4096;

/// Questions that wait for a door.
pub(super) const ASKS: usize = 256;

/// Knocks that wait to be opened: with about 4 kB each.
pub(super) const UNOPENED: usize = 64;

/// Doors in a second, and at once: each is a signature, and up to 1 kB through the relay; 4 kB
/// where co-hosts were removed of many that there are.
pub(super) const DOORS: (u32, u32) = (20, 40);

/// Knocks opened in a second, and at once: each is a Diffie-Hellman, and an answer.
pub(super) const OPENINGS: (u32, u32) = (10, 20);

/// Between two parts of payloads: 64 KiB a second of the 96 that a relay takes from one participant.
pub(super) const PART_EVERY: Duration = Duration::from_millis(250);

/// How long a door is held against those of lower ranks that may still come. The host's own is taken at
/// once.
pub(super) const DOORS_WITHIN: Duration = Duration::from_secs(1);

/// Between two questions of somebody whom no door has answered.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(5);

/// How soon a question is put again when somebody has come since, who may be the chair.
pub(super) const ASK_NEWCOMERS: Duration = Duration::from_secs(1);

/// After so long without a word from the chair a knocker asks again.
pub(super) const SILENT: Duration = Duration::from_secs(15);

/// After so long without a door a knocker is told that the host is not here yet.
pub(super) const NOT_HERE: Duration = Duration::from_secs(2);

/// A knocker who has not asked for so long is gone, though the relay may not say so.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(60);

/// For so long an admitted one can have the payload sent again.
pub(super) const KEPT: Duration = Duration::from_secs(60);

/// Admitted ones whose payload is kept; the oldest goes first.
pub(super) const ADMITTED: usize = 256;
