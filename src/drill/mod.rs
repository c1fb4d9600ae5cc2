//! The seizure drill: takes a relay of one's own in mid-meeting and looks for what it should not have.
//!
//! It may know: the canaries that it drew itself, how to start a relay and how to look into one.
//! It must never know: anybody else's meeting; how the relay works inside, but for the shape of an
//! address in the airlock.
//!
//! A `cast` is drawn; a `relay` process is started; the `story` is played to it, by people
//! (`person`, through the `forwarder`) and by `strangers`; then `look` searches (`scan`) what
//! `memory` and `places` read for all `needles`, `judge` says what may be there, and the `report` what
//! was found.

mod canary;
mod needles;
mod scan;

mod dump;
mod journal;
mod memory;
mod places;
mod probe;
mod report;

mod forwarder;
mod leftovers;
mod media;
mod network;
mod person;
mod relay;
mod scratch;

mod browser;
mod cast;
mod scout;
mod story;
mod stranger;
mod strangers;
mod visitor;

mod judge;
mod look;
mod stand_ins;

mod run;

pub use canary::Kind;
pub use probe::probe;
pub use report::{Findings, Phase, Place, Row, Verdict};
pub use run::{Mode, Plan, run};

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::system::words;

/// Why a drill could not be held to its end: nothing is shown then.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// No folder of its own.
    #[error("the drill cannot write to its own folder ({}): make room in the temporary folder", words(*.0))]
    Scratch(ErrorKind),
    /// Its folder is in one that is no place for it: the reason, and which.
    #[error(
        "{} is no place for a drill ({}): set TMPDIR to a folder that every user may enter and that \
         programs may be run from (TMPDIR=/var/tmp)", .0.display(), words(*.1)
    )]
    Place(PathBuf, ErrorKind),
    /// What was captured cannot be kept there.
    #[error("nothing can be kept in {} ({}): name another folder with --keep", .0.display(), words(*.1))]
    Keep(PathBuf, ErrorKind),
    /// Root that cannot become another user.
    #[error(
        "root has too few of its rights here: the drill runs the relay as another user, which takes \
         CAP_CHOWN, CAP_SETUID and CAP_SETGID (a container may drop them)"
    )]
    Capability,
    /// A program does not start.
    #[error("{} cannot be run ({}): give another with --relay", .0.display(), match .1 {
        ErrorKind::InvalidData => "it is no program for Linux",
        kind => words(*kind),
    })]
    Program(PathBuf, ErrorKind),
    /// The relay does not say that it is ready; what it said instead.
    #[error("the relay did not start; it said: {0}")]
    NoRelay(String),
    /// The meeting did not go as told: at which step.
    #[error("the canary meeting could not be held to its end: {0}")]
    Story(&'static str),
    /// A signal has ended it.
    #[error("the drill was stopped before its end")]
    Interrupted,
    /// The network refuses something.
    #[error("the network refuses what the drill needs ({})", words(*.0))]
    Network(ErrorKind),
    /// The system refuses something.
    #[error("the system gives too little for a drill ({})", words(*.0))]
    System(ErrorKind),
    /// No randomness.
    #[error("this system gives no random numbers")]
    Random,
    /// TLS cannot be set up.
    #[error("the drill cannot set up TLS; this is a fault of its own, please report it")]
    Tls,
}

impl DrillError {
    fn network(error: std::io::Error) -> Self {
        Self::Network(error.kind())
    }

    fn system(error: std::io::Error) -> Self {
        Self::System(error.kind())
    }
}

/// A thread of the drill's. A system that gives none ends the drill with a sentence.
fn thread() -> std::thread::Builder {
    std::thread::Builder::new()
}
