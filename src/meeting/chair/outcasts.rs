//! Who was removed: people by their runs, committers by their ranks.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::beat::{Beat, Claim, Run};
use super::limits::OUTCASTS;

/// The runs of people removed in this line, for the chair of another one: a rejoin keeps the run in a leaf.
/// Bounded: the oldest is forgotten.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs(VecDeque<Run>);

impl Runs {
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

    /// Whether this run was removed: its rejoin is refused.
    pub fn contains(&self, run: &Run) -> bool {
        self.0.contains(run)
    }

    /// Nobody was removed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a committer signs who tells them: who it is, by its rank and by the relay's word, and to
    /// which chair.
    pub fn signed_bytes(&self, rank: u8, me: u32, chair: &Run) -> Vec<u8> {
        let mut bytes = b"sottovoce outcasts 2".to_vec();
        bytes.push(rank);
        bytes.extend_from_slice(&me.to_be_bytes());
        bytes.extend_from_slice(chair);
        bytes.extend(self.0.iter().flatten());
        bytes
    }

    /// What the chair signs who answers that: who it is and to whom, by the relay's word, and what else
    /// the answer says.
    pub fn answer_bytes(&self, rank: u8, me: u32, to: u32, besides: &[u8; 32]) -> Vec<u8> {
        let mut bytes = b"sottovoce outcasts out 2".to_vec();
        bytes.push(rank);
        bytes.extend_from_slice(&me.to_be_bytes());
        bytes.extend_from_slice(&to.to_be_bytes());
        bytes.extend_from_slice(besides);
        bytes.extend(self.0.iter().flatten());
        bytes
    }

    /// Takes over what another one was told, but for those whom the teller cannot have removed.
    pub fn merge(&mut self, other: &Runs, spared: impl Fn(&Run) -> bool) {
        for run in other.0.iter().take(OUTCASTS) {
            if !spared(run) {
                self.add(*run);
            }
        }
    }
}

/// Everybody of whom this device knows that they were removed. Committers keep it, so that it is known to
/// the other line though the chair who removed them is gone.
#[derive(Clone, Default)]
pub struct Outcasts {
    /// People. Each by its owner's own word: it stands for that one and for nothing else.
    pub runs: Runs,
    /// Bit n: the committer of rank n. None is ever forgotten.
    ranks: u8,
    /// Of each such rank the newest beat that says it, of the lowest rank which does.
    words: BTreeMap<u8, (u8, Beat)>,
}

impl Outcasts {
    /// A committer was removed for good. Its link is of no use from then on, whatever its process.
    pub fn add_committer(&mut self, rank: u8) {
        self.ranks |= bit(rank);
    }

    /// Whether the committer of this rank was removed.
    pub fn has_committer(&self, rank: u8) -> bool {
        self.ranks & bit(rank) != 0
    }

    /// Those ranks: bit n for rank n.
    pub fn ranks(&self) -> u8 {
        self.ranks
    }

    /// Whether this run was removed: its rejoin is refused.
    pub fn contains(&self, run: &Run) -> bool {
        self.runs.contains(run)
    }

    /// Nobody was removed.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.ranks == 0
    }

    /// A beat, and what it says: which committers were removed by its sender, or before. It counts unless
    /// that one was removed itself.
    pub fn take(&mut self, beat: &Beat, claim: &Claim) {
        let put_out = claim.put_out();
        if put_out == 0 || self.has_committer(claim.rank) {
            return;
        }
        self.ranks |= put_out;
        for rank in (0..8).filter(|rank| put_out & bit(*rank) != 0) {
            let known = self.words.get(&rank);
            if known.is_none_or(|(by, _)| *by >= claim.rank) {
                self.words.insert(rank, (claim.rank, beat.clone()));
            }
        }
    }

    /// Takes the beats that somebody passes on and that `counts`, those of the lowest ranks first, and each
    /// when `verify(rank, bytes, signature)` says that its rank's key signed it.
    pub fn take_words(
        &mut self,
        words: &[Beat],
        verify: impl Fn(u8, &[u8], &[u8; 64]) -> bool,
        counts: impl Fn(&Claim) -> bool,
    ) {
        let open = |beat: &Beat| beat.clone().open(&verify).ok();
        let opened = words.iter().take(WORDS);
        let mut opened: Vec<_> = opened
            .filter_map(|beat| Some((beat, open(beat)?)))
            .collect();
        opened.sort_by_key(|(_, claim)| claim.rank);
        for (beat, claim) in opened {
            if !self.has_committer(claim.rank) && counts(&claim) {
                self.take(beat, &claim);
            }
        }
    }

    /// The beats that say of others, of which `of` has bit n for rank n, that they were removed: to be passed
    /// on, since who said it may be gone. No more than one for each.
    pub fn words(&self, of: u8) -> Vec<Beat> {
        let said = self.words.iter().filter(|(rank, _)| of & bit(**rank) != 0);
        let mut words: Vec<Beat> = Vec::new();
        for (_, (_, beat)) in said {
            if !words.contains(beat) {
                words.push(beat.clone());
            }
        }
        words
    }
}

/// Most beats that are looked at together: one for each rank, and the last ones of three lines.
pub const WORDS: usize = crate::meeting::links::COMMITTERS + 3;

/// None for a rank that no meeting has.
fn bit(rank: u8) -> u8 {
    1_u8.checked_shl(u32::from(rank)).unwrap_or(0)
}

const _: () = assert!(crate::meeting::links::COMMITTERS <= 8);

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(rank: u8, count: u64, removed: u8) -> Claim {
        Claim {
            run: [rank; 16],
            rank,
            seq: count,
            count,
            epoch: 1,
            tag: [0; 32],
            roster: [0; 32],
            locked: false,
            removed,
            before: [0; 32],
        }
    }

    fn beat(rank: u8, count: u64, removed: u8) -> Beat {
        claim(rank, count, removed).sign(|_| [rank; 64])
    }

    fn signed(rank: u8, _: &[u8], signature: &[u8; 64]) -> bool {
        *signature == [rank; 64]
    }

    #[test]
    fn a_committer_is_not_forgotten_for_those_who_were_removed_after_it() {
        let mut outcasts = Outcasts::default();
        outcasts.add_committer(1);
        for number in 0..2 * OUTCASTS as u128 {
            outcasts.runs.add(number.to_be_bytes());
        }
        assert_eq!(outcasts.runs.0.len(), OUTCASTS);
        assert!(outcasts.has_committer(1) && !outcasts.has_committer(0));
    }

    #[test]
    fn a_committer_has_removed_nobody_whom_it_may_not() {
        let mut outcasts = Outcasts::default();
        outcasts.take_words(&[beat(2, 0, 0xff)], signed, |_| true);
        assert_eq!(outcasts.ranks(), 0b1111_1000);
        let told = Runs(VecDeque::from([[1; 16], [2; 16]]));
        outcasts.runs.merge(&told, |run| *run == [1; 16]);
        assert!(outcasts.contains(&[2; 16]) && !outcasts.contains(&[1; 16]));
    }

    #[test]
    fn what_a_removed_committer_says_of_others_is_nothing() {
        let words = [beat(1, 0, 0b1100), beat(0, 0, 0b10), beat(0, 1, 0b10)];
        let mut outcasts = Outcasts::default();
        outcasts.take_words(&words, signed, |_| true);
        assert_eq!(outcasts.ranks(), 0b10);
        let passed_on = outcasts.words(u8::MAX);
        assert!(passed_on == [beat(0, 1, 0b10)], "the newest");
        let mut forged = words.to_vec();
        forged.push(claim(0, 2, 0b100).sign(|_| [1; 64]));
        let mut outcasts = Outcasts::default();
        outcasts.take_words(&forged, signed, |claim| claim.rank == 0);
        assert_eq!(outcasts.ranks(), 0b10);
    }
}
