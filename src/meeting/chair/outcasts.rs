//! Who was removed, for the chair of another line of the same meeting.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::beat::Run;
use super::limits::OUTCASTS;

/// People removed in this line, by the run in their leaf (a rejoin keeps it), and ranks of committers.
/// Every committer keeps them, so that they are known to the other line though the chair who removed
/// them is gone. Bounded: the oldest run is forgotten, and no rank.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcasts {
    /// Each by its owner's own word: it stands for that one and for nothing else.
    runs: VecDeque<Run>,
    /// Bit n: the committer of rank n.
    ranks: u8,
}

impl Outcasts {
    /// Somebody was removed for good: not a leaf that only gave way to a newer one of its run.
    pub fn add(&mut self, run: Run) {
        if self.contains(&run) {
            return;
        }
        while self.runs.len() >= OUTCASTS {
            self.runs.pop_front();
        }
        self.runs.push_back(run);
    }

    /// A committer was removed for good. Its link is of no use from then on, whatever its process.
    pub fn add_committer(&mut self, rank: u8) {
        self.ranks |= bit(rank);
    }

    /// Whether the committer of this rank was removed.
    pub fn has_committer(&self, rank: u8) -> bool {
        self.ranks & bit(rank) != 0
    }

    /// What a committer signs who tells them: who it is, by its rank and by the relay's word, and to
    /// which chair.
    pub fn signed_bytes(&self, rank: u8, me: u32, chair: &Run) -> Vec<u8> {
        let mut bytes = b"sottovoce outcasts 1".to_vec();
        bytes.push(rank);
        bytes.extend_from_slice(&me.to_be_bytes());
        bytes.extend_from_slice(chair);
        self.write(&mut bytes);
        bytes
    }

    /// What the chair signs who answers that: who it is and to whom, by the relay's word, and what else
    /// the answer says.
    pub fn answer_bytes(&self, rank: u8, me: u32, to: u32, besides: &[u8; 32]) -> Vec<u8> {
        let mut bytes = b"sottovoce outcasts out 1".to_vec();
        bytes.push(rank);
        bytes.extend_from_slice(&me.to_be_bytes());
        bytes.extend_from_slice(&to.to_be_bytes());
        bytes.extend_from_slice(besides);
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.ranks);
        bytes.extend(self.runs.iter().flatten());
    }

    /// Takes over what the committer of rank `by` told: it can have removed nobody of its own rank or a
    /// lower one, whose processes are `spared`.
    pub fn merge(&mut self, other: &Outcasts, by: u8, spared: impl Fn(&Run) -> bool) {
        for run in other.runs.iter().take(OUTCASTS) {
            if !spared(run) {
                self.add(*run);
            }
        }
        let below = u8::MAX.checked_shl(u32::from(by) + 1).unwrap_or(0);
        self.ranks |= other.ranks & below;
    }

    /// Whether this run was removed: its rejoin is refused.
    pub fn contains(&self, run: &Run) -> bool {
        self.runs.contains(run)
    }

    /// Nobody was removed.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.ranks == 0
    }
}

/// None for a rank that no meeting has.
fn bit(rank: u8) -> u8 {
    1_u8.checked_shl(u32::from(rank)).unwrap_or(0)
}

const _: () = assert!(crate::meeting::links::COMMITTERS <= 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committer_is_not_forgotten_for_those_who_were_removed_after_it() {
        let mut outcasts = Outcasts::default();
        outcasts.add_committer(1);
        for number in 0..2 * OUTCASTS as u128 {
            outcasts.add(number.to_be_bytes());
        }
        assert_eq!(outcasts.runs.len(), OUTCASTS);
        assert!(outcasts.has_committer(1) && !outcasts.has_committer(0));
    }

    #[test]
    fn a_committer_has_removed_nobody_whom_it_may_not() {
        let mut told = Outcasts::default();
        (0..8).for_each(|rank| told.add_committer(rank));
        told.add([1; 16]);
        told.add([2; 16]);
        let mut outcasts = Outcasts::default();
        outcasts.merge(&told, 2, |run| *run == [1; 16]);
        let ranks: Vec<u8> = (0..8)
            .filter(|rank| outcasts.has_committer(*rank))
            .collect();
        assert_eq!(ranks, [3, 4, 5, 6, 7]);
        assert!(outcasts.contains(&[2; 16]) && !outcasts.contains(&[1; 16]));
    }
}
