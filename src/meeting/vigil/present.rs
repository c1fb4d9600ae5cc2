//! Who is in the stage room, by the relay's word. Whoever has the link can be there as somebody who
//! sends: whose papers are nobody's is not listened to for long.

use std::collections::BTreeMap;

use super::limits::{BESIDES, PRESENT, STRIKES};
use super::paper::{Says, Word};
use crate::wire::ParticipantId;

#[derive(Default)]
struct One {
    strikes: u8,
    /// Its word that it is here, by a leaf that is not known yet.
    here: Option<Box<Word>>,
    /// What else that leaf has said, the newest last.
    besides: Vec<Word>,
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

    /// Its word waits for its leaf to be known. That it is here is what anything else rests on: no other word
    /// takes the place of that one.
    pub(in crate::meeting) fn wait(&mut self, participant: ParticipantId, word: Box<Word>) {
        if let Some(one) = self.0.get_mut(&participant)
            && word.is_acceptable()
        {
            if matches!(word.says, Says::Here { .. }) {
                one.here = Some(word);
                return;
            }
            if one.besides.len() >= BESIDES {
                one.besides.remove(0);
            }
            one.besides.push(*word);
        }
    }

    /// Words that waited, now that other leaves are known: of each participant first that it is here.
    pub(in crate::meeting) fn waited(&mut self) -> Vec<(ParticipantId, Box<Word>)> {
        let mut waited = Vec::new();
        for (participant, one) in &mut self.0 {
            let words = one
                .here
                .take()
                .into_iter()
                .chain(one.besides.drain(..).map(Box::new));
            waited.extend(words.map(|word| (*participant, word)));
        }
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::group::LeafId;
    use crate::meeting::hosted::tests::presence;
    use crate::wire::TrackId;

    fn word(says: Says) -> Box<Word> {
        let bytes = postcard::to_allocvec(&(LeafId(1), says, [[0_u8; 32]; 2])).unwrap();
        Box::new(postcard::from_bytes(&bytes).unwrap())
    }

    fn here(salt: u8) -> Says {
        Says::Here {
            presence: presence(""),
            salt: [salt; 16],
        }
    }

    #[test]
    fn that_somebody_is_here_outlasts_what_it_says_besides() {
        let mut present = Present::default();
        let (ada, track) = (ParticipantId(1), TrackId(1));
        assert!(present.enter(ada));
        present.wait(ada, word(here(1)));
        for frames in 0..3 * BESIDES as u64 {
            present.wait(ada, word(Says::Ended { track, frames }));
        }
        present.wait(ada, word(here(2)));
        present.wait(ada, word(Says::Bye));
        let waited = present.waited();
        assert_eq!(waited.len(), 1 + BESIDES, "and is bounded");
        let first = waited.first().map(|(_, word)| &word.says);
        assert!(matches!(first, Some(Says::Here { salt, .. }) if *salt == [2; 16]));
        let last = waited.last().map(|(_, word)| &word.says);
        assert!(matches!(last, Some(Says::Bye)));
        assert!(present.waited().is_empty());
    }
}
