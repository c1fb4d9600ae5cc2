//! How the process keeps silent: what it may say at all, what it can do at all, and how it dies.
//!
//! It may know: the process's own life, as a closed list of events made of integers; sums over all
//! participants, which it rounds before it keeps them.
//! It must never know: participants, rooms, addresses, or any text that came from outside.

mod event;
mod harden;
#[cfg(feature = "relay")]
mod humble;
pub mod metrics;
mod once;
mod panic;
#[cfg(feature = "relay")]
mod ready;
#[cfg(feature = "relay")]
pub mod sandbox;
mod say;
mod stack;
mod stderr;
mod wall;
mod wiping;

pub use event::{Drain, Event, Level};
pub use harden::{HardenError, harden, lock_memory};
#[cfg(feature = "relay")]
pub use humble::stand_back;
#[cfg(feature = "relay")]
pub use ready::Manager;
pub use say::{Format, log};
pub use stack::wipe_stack;
pub use wiping::Wiping;

/// Another part of the process listens to `tracing` already, and could write down addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a subscriber of tracing is installed already; only sottovoce's own may be")]
pub struct Overheard;

/// Silences the process: from here on nothing that a dependency logs comes out, at any level and
/// whatever `RUST_LOG` says, and a panic says where it was and nothing else, then aborts.
///
/// `RUST_LOG` chooses among our own [`Event`]s alone: `off`, `warn` (the default), or `info` and
/// whatever lies below it. Call it first thing, once; a second call changes the format alone.
///
/// # Errors
/// [`Overheard`] when a subscriber was there before; the process had better not go on.
pub fn install(format: Format) -> Result<(), Overheard> {
    say::set(format, std::env::var("RUST_LOG").ok().as_deref());
    panic::install();
    wall::install()
}

/// What a panic puts in order before it tells its place: the terminal. It must not wait for a lock
/// or panic itself. The first call counts.
pub fn at_a_fault(put_in_order: fn()) {
    panic::first(put_in_order);
}
