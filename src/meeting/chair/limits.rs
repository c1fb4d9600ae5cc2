//! Times and bounds of the chair.

use std::time::Duration;

/// Between two beats.
pub(super) const PERIOD: Duration = Duration::from_secs(5);

/// A beat that is younger is fresh. Three lost ones do not change who commits.
pub(in crate::meeting) const FRESH: Duration = Duration::from_secs(20);

/// What each further co-host waits longer, so that they do not take over together.
pub(super) const TURN: Duration = Duration::from_secs(5);

/// Lag at which people are warned.
pub(in crate::meeting) const WARN: Duration = Duration::from_secs(15);

/// Lag at which nothing is sent any more: a removal may be held back.
pub(in crate::meeting) const STOP: Duration = Duration::from_secs(60);

/// Lag at which the meeting counts as lost.
pub(super) const LOST: Duration = Duration::from_secs(120);

/// How long a commit may be under way before it is asked for.
pub(super) const ASK: Duration = Duration::from_secs(1);

/// How long a member may be behind before it rejoins; and between two rejoins.
pub(super) const REJOIN: Duration = Duration::from_secs(5);

/// Between two questions for commits.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(2);

/// No call for so long means that this device slept.
pub(super) const SLEPT: Duration = Duration::from_secs(10);

/// What a chair that lost the role waits before it takes it back; doubles each time, up to the next.
pub(super) const BACK: Duration = Duration::from_secs(10);

/// The longest such wait.
pub(super) const BACK_MOST: Duration = Duration::from_secs(80);

/// Epochs whose tags are remembered, to tell an old beat from another line.
pub(super) const HISTORY: usize = 32;

/// Runs of one rank that are remembered as over.
pub(super) const OVER: usize = 32;

/// Runs whose beats are measured each by itself; the one that was not heard for longest goes first.
pub(super) const ANCHORS: usize = 32;

/// For how long a second of a run that is heard makes up, after the chair before it was not heard: whoever
/// takes over is trusted with its second beat, and a relay that has kept some gains thrice their time.
pub(super) const PAYS: i128 = 2;

/// Removed people that a committer remembers, as many as a group has members and some.
pub(super) const OUTCASTS: usize = 256;
