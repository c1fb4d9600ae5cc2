//! The group: who is a member, and the secrets that only members have (MLS, RFC 9420, by openmls).
//!
//! It may know: leaves, names in them, committers' public keys, messages of the group.
//! It must never know: rooms, the relay, links, the clock.
//!
//! [`Joining`] makes a key package and enters by a welcome; [`Group`] founds, commits, and takes what
//! others send. What it refuses, and why, is in `policy`: members send private messages alone, and a
//! commit changes nothing but who is a member.

mod rejection;

mod leaf;
mod policy;
mod reason;

mod joining;
mod state;

pub use joining::{Joining, KeyPackage};
pub use leaf::{Committers, LeafId, LeafName, Member, run_of};
pub use policy::{ChangeSeen, FORWARD};
pub use rejection::GroupRejection;
pub use state::{Change, Group, MEMBERS, Posted, Processed, Why};

#[cfg(test)]
mod tests;
