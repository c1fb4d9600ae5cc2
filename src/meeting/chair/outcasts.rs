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

    /// A committer was removed for good. Its link is of no use from then on, whatever its process.
    pub fn add_committer(&mut self, rank: u8) {
        self.add(committer(rank));
    }

    /// Whether the committer of this rank was removed.
    pub fn has_committer(&self, rank: u8) -> bool {
        self.contains(&committer(rank))
    }

    /// What a committer signs who tells them: who it is, by its rank and by the relay's word, and to
    /// which chair.
    pub fn signed_bytes(&self, rank: u8, me: u32, chair: &Run) -> Vec<u8> {
        let mut bytes = b"sottovoce outcasts 1".to_vec();
        bytes.push(rank);
        bytes.extend_from_slice(&me.to_be_bytes());
        bytes.extend_from_slice(chair);
        bytes.extend(self.0.iter().flatten());
        bytes
    }

    /// What the chair signs who answers that: who it is and to whom, by the relay's word, and the secret
    /// of its main room.
    pub fn answer_bytes(&self, rank: u8, me: u32, to: u32, main: &[u8; 32]) -> Vec<u8> {
        let mut bytes = b"sottovoce outcasts out 1".to_vec();
        bytes.push(rank);
        bytes.extend_from_slice(&me.to_be_bytes());
        bytes.extend_from_slice(&to.to_be_bytes());
        bytes.extend_from_slice(main);
        bytes.extend(self.0.iter().flatten());
        bytes
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

/// A run that no process has: it stands for the committer of this rank.
fn committer(rank: u8) -> Run {
    let mut run = *b"removed rank   \0";
    run[15] = rank;
    run
}
