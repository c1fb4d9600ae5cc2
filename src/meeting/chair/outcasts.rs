//! Who was removed, for the chair of another line of the same meeting.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::beat::Run;
use super::limits::OUTCASTS;

/// People removed in this line, by the run in their leaf (a rejoin keeps it). Every committer keeps
/// them, so that they are known to the other line though the chair who removed them is gone.
/// Bounded: the oldest is forgotten.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcasts(VecDeque<Run>);

impl Outcasts {
    /// Somebody was removed for good: not a leaf that only gave way to a newer one of its run.
    pub fn add(&mut self, run: Run) {
        if self.contains(&run) {
            return;
        }
        while self.0.len() >= OUTCASTS {
            self.0.pop_front();
        }
        self.0.push_back(run);
    }

    /// Takes over what another committer told.
    pub fn merge(&mut self, other: &Outcasts) {
        for run in other.0.iter().take(OUTCASTS) {
            self.add(*run);
        }
    }

    /// Whether this run was removed: its rejoin is refused.
    pub fn contains(&self, run: &Run) -> bool {
        self.0.contains(run)
    }

    /// Nobody was removed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
