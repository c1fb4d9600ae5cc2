//! A native participant: media in, media out.
//!
//! It may know: names, files, media, the link.
//! It must never know: other participants' addresses.

pub mod console;
pub mod media;

mod error;
mod event;
mod hearing;
mod line;
mod options;
mod outside;
mod people;
mod player;
#[cfg(test)]
mod samples;
mod scribe;
mod session;
mod tally;
mod trace;
mod uplink;
mod view;
mod warning;
mod watch;

pub use error::JoinError;
pub use event::{
    Event, Kind, LossReason, ParticipantSummary, ReceivedTrack, SentSummary, SentTrack, Shown,
    Summary,
};
pub use options::JoinOptions;
pub use session::join;
pub use view::Output;
