//! What a relay gives up once it is set up, for good: files, connections of its own, other programs,
//! and every system call that serving does not take.
//!
//! First [`fence`], while there is one thread; then the other threads; then, when each has begun,
//! [`filter`] for all of them. `docs/sandbox.md` says what stays allowed and why.

mod calls;
mod fence;
mod filter;
mod support;

use std::path::PathBuf;

pub use fence::{fence, folders};
pub use filter::filter;
pub use support::{Support, support};

/// What a relay still asks of the system while it serves, besides packets, memory and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Files that are read again later. Others of the same folders can be read then too, since
    /// whoever renews a file puts another in its place.
    pub rereads: Vec<PathBuf>,
    /// It goes on accepting connections at sockets that listen already.
    pub accepts: bool,
    /// The same of anybody, counting how many come from one address.
    pub counts: bool,
}
