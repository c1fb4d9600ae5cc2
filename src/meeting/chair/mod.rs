//! Who may commit: beats, take-over, yielding, and how a split meeting becomes one again.
//!
//! It may know: epochs, tags, ranks and runs as plain values; the clock that it is handed.
//! It must never know: MLS, keys that seal, rooms' secrets, names, the wire.
//!
//! No I/O: [`Chair::heard`] and [`Chair::epoch_changed`] take what happened, [`Chair::poll`] gives
//! what follows. `docs/chair.md` says the rule in plain words.

mod limits;

mod beat;
mod lag;
mod outcasts;

mod core;

pub(super) use beat::Beats;
pub use beat::{Beat, BeatError, Claim, Run};
pub use core::{Chair, Output, Standing};
pub(super) use lag::Lag;
pub(super) use limits::{FRESH, STOP, WARN};
pub use outcasts::{Outcasts, Runs, WORDS};

#[cfg(test)]
mod tests;
