//! Who is in the stage room, by the relay's word. Whoever has the link can be there as somebody who
//! sends: whose papers are nobody's is not listened to for long, and who fills the room with people who
//! say nothing keeps no speaker from being found.

use std::collections::BTreeMap;
use std::time::Duration;

use super::limits::{BESIDES, LOOK_FOR, PRESENT, STRIKES, TURN_EACH, TURNS};
use super::paper::{Says, Word};
use crate::wire::ParticipantId;
use crate::wire::limits::PRESENT as ROOM;

struct One {
    strikes: u8,
    /// Its word that it is here, by a leaf that is not known yet.
    here: Option<Box<Word>>,
    /// What else that leaf has said, the newest last.
    besides: Vec<Word>,
    /// Since when its papers are asked for; `None` while it waits for a place.
    looked_at: Option<Duration>,
    /// Who came, or was given up, earlier is looked at earlier.
    order: u64,
}

/// See the module.
#[derive(Default)]
pub(in crate::meeting) struct Present {
    all: BTreeMap<ParticipantId, One>,
    /// How many of them are looked at.
    looked_at: usize,
    order: u64,
    next_turn: Duration,
}

impl Present {
    /// Somebody is there: whether to ask for its papers now. Who finds no place has its turn later.
    pub(in crate::meeting) fn enter(&mut self, now: Duration, participant: ParticipantId) -> bool {
        if self.all.len() >= ROOM || self.all.contains_key(&participant) {
            return false;
        }
        let place = self.looked_at < PRESENT && !self.is_crowded();
        self.looked_at += usize::from(place);
        self.order += 1;
        let one = One {
            strikes: 0,
            here: None,
            besides: Vec::new(),
            looked_at: place.then_some(now),
            order: self.order,
        };
        self.all.insert(participant, one);
        place
    }

    /// Somebody is gone.
    pub(in crate::meeting) fn leave(&mut self, participant: ParticipantId) {
        if let Some(gone) = self.all.remove(&participant) {
            self.looked_at -= usize::from(gone.looked_at.is_some());
        }
    }

    /// This side is not there any more.
    pub(in crate::meeting) fn clear(&mut self) {
        self.all.clear();
        self.looked_at = 0;
    }

    /// Somebody waits for a place.
    fn is_crowded(&self) -> bool {
        self.all.len() > self.looked_at
    }

    /// When there may be places for those who wait.
    pub(in crate::meeting) fn deadline(&self) -> Option<Duration> {
        self.is_crowded().then_some(self.next_turn)
    }

    /// Gives places to those who waited longest: free ones, and those of others who have had theirs for
    /// [`LOOK_FOR`] and `speaks` of none of them. Whose papers are to be asked for now, or no more.
    pub(in crate::meeting) fn turn(
        &mut self,
        now: Duration,
        speaks: impl Fn(ParticipantId) -> bool,
    ) -> Vec<(ParticipantId, bool)> {
        if self.deadline().is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.next_turn = now.saturating_add(TURN_EACH);
        let (mut idle, mut waiting) = (Vec::new(), Vec::new());
        for (participant, one) in &self.all {
            match one.looked_at {
                None => waiting.push((one.order, *participant)),
                Some(since) => {
                    let had = one.strikes == STRIKES || now >= since.saturating_add(LOOK_FOR);
                    if had && !speaks(*participant) {
                        idle.push((since, one.order, *participant));
                    }
                }
            }
        }
        waiting.sort_unstable();
        idle.sort_unstable();
        let mut idle = idle.into_iter();
        let mut changes = Vec::new();
        for (_, newcomer) in waiting.into_iter().take(TURNS) {
            if self.looked_at >= PRESENT {
                let Some((_, _, given_up)) = idle.next() else {
                    break;
                };
                self.give_up(given_up);
                changes.push((given_up, false));
            }
            if let Some(one) = self.all.get_mut(&newcomer) {
                one.looked_at = Some(now);
                self.looked_at += 1;
                changes.push((newcomer, true));
            }
        }
        changes
    }

    /// It waits again, behind the others; if its papers were nobody's, it has one chance each time.
    fn give_up(&mut self, participant: ParticipantId) {
        self.order += 1;
        if let Some(one) = self.all.get_mut(&participant) {
            one.looked_at = None;
            one.order = self.order;
            one.strikes = one.strikes.min(STRIKES - 1);
            (one.here, one.besides) = (None, Vec::new());
            self.looked_at -= 1;
        }
    }

    fn seen(&mut self, participant: ParticipantId) -> Option<&mut One> {
        let one = self.all.get_mut(&participant);
        one.filter(|one| one.looked_at.is_some())
    }

    /// Whether its papers are read.
    pub(in crate::meeting) fn reads(&self, participant: ParticipantId) -> bool {
        let one = self.all.get(&participant);
        one.is_some_and(|one| one.looked_at.is_some() && one.strikes < STRIKES)
    }

    /// A paper of it was somebody's, or not. Whether its papers are to be asked for again, or no more.
    pub(in crate::meeting) fn judge(
        &mut self,
        participant: ParticipantId,
        good: bool,
    ) -> Option<bool> {
        let one = self.seen(participant)?;
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
        if let Some(one) = self.seen(participant)
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
        for (participant, one) in &mut self.all {
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
    use crate::meeting::Standing;
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
            standing: Standing::default(),
            salt: [salt; 16],
        }
    }

    #[test]
    fn that_somebody_is_here_outlasts_what_it_says_besides() {
        let mut present = Present::default();
        let (ada, track) = (ParticipantId(1), TrackId(1));
        assert!(present.enter(Duration::ZERO, ada));
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
