//! Who is in the stage room, by the relay's word. Whoever has the link can be there as somebody who
//! sends: whose papers are nobody's is not listened to for long.

use std::collections::BTreeMap;

use super::limits::{PRESENT, STRIKES};
use super::paper::Word;
use crate::wire::ParticipantId;

#[derive(Default)]
struct One {
    strikes: u8,
    /// Its word, by a leaf that is not known yet.
    waits: Option<Box<Word>>,
}

/// See the module.
#[derive(Default)]
pub(in crate::meeting) struct Present(BTreeMap<ParticipantId, One>);

impl Present {
    /// Somebody is there: whether to ask for its papers.
    pub(in crate::meeting) fn enter(&mut self, participant: ParticipantId) -> bool {
        let place = self.0.len() < PRESENT && !self.0.contains_key(&participant);
        if place {
            self.0.insert(participant, One::default());
        }
        place
    }

    /// Somebody is gone.
    pub(in crate::meeting) fn leave(&mut self, participant: ParticipantId) {
        self.0.remove(&participant);
    }

    /// This side is not there any more.
    pub(in crate::meeting) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether its papers are read.
    pub(in crate::meeting) fn reads(&self, participant: ParticipantId) -> bool {
        let one = self.0.get(&participant);
        one.is_some_and(|one| one.strikes < STRIKES)
    }

    /// A paper of it was somebody's, or not. Whether its papers are to be asked for again, or no more.
    pub(in crate::meeting) fn judge(
        &mut self,
        participant: ParticipantId,
        good: bool,
    ) -> Option<bool> {
        let one = self.0.get_mut(&participant)?;
        let before = one.strikes;
        one.strikes = match good {
            true => 0,
            false => before.saturating_add(1).min(STRIKES),
        };
        match (before == STRIKES, one.strikes == STRIKES) {
            (false, true) => Some(false),
            (true, false) => Some(true),
            (true, true) | (false, false) => None,
        }
    }

    /// Its word waits for its leaf to be known.
    pub(in crate::meeting) fn wait(&mut self, participant: ParticipantId, word: Box<Word>) {
        if let Some(one) = self.0.get_mut(&participant)
            && word.is_acceptable()
        {
            one.waits = Some(word);
        }
    }

    /// Words that waited, now that other leaves are known.
    pub(in crate::meeting) fn waited(&mut self) -> Vec<(ParticipantId, Box<Word>)> {
        let all = self.0.iter_mut();
        all.filter_map(|(participant, one)| Some((*participant, one.waits.take()?)))
            .collect()
    }
}
