//! Links: what a host gives away, what it keeps, and the keys that are pinned in both.
//!
//! It may know: link secrets, the seeds of committers, relays' addresses and passes, the meeting's title.
//! It must never know: who takes part, messages, anything that happens after a link was read.
//!
//! [`Links::draw`] makes a meeting: one *meeting link* to give away and, for each committer (the host
//! and the co-hosts, in order), a *committer link* to keep. [`Link::parse`] reads either.

mod error;
mod pass;
mod relays;
pub(super) mod text;

mod bundle;
mod seed;

mod draw;
mod link;

pub use bundle::{Bundle, BundleHash, COMMITTERS, CommitterKeys, TITLE_BYTES};
pub use draw::{DrawError, Links};
pub use error::LinkError;
pub use link::{CommitterLink, Link, MeetingLink};
pub use pass::{Pass, PassError, PassKey};
pub use relays::{RELAYS, RelayRef};
use relays::{read_relays, write_relays};
pub use seed::CommitterSeed;

#[cfg(test)]
mod tests;
