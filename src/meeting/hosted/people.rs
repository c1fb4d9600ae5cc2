//! Who is in the meeting. The tree of the group says it, and nothing else; the relay's word only says
//! who of them is connected just now, and where.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use super::ruling::AWAY;
use crate::meeting::events::{StayId, Who};
use crate::meeting::group::{LeafId, MEMBERS, Member};
use crate::meeting::media::{Came, ReceiverKeys};
use crate::meeting::standing::{Paced, Standing};
use crate::meeting::track::{Presence, TrackKind};
use crate::wire::{ParticipantId, TrackId};

/// Somebody else with a leaf in the tree.
pub(super) struct Person {
    pub(super) leaf: LeafId,
    /// The name in its leaf.
    pub(super) name: String,
    pub(super) rank: Option<u8>,
    /// Its process, as the chair has certified it: good for telling that one leaf follows another.
    pub(super) run: [u8; 16],
    /// Its key for signatures.
    pub(super) sign_key: [u8; 32],
    /// What it has said of itself since it has this leaf.
    pub(super) presence: Option<Presence>,
    /// How it stands, by its word.
    pub(super) standing: Paced,
    /// Of its media keys, as it said.
    pub(super) salt: Option<[u8; 16]>,
    /// What opens its media, once it has said where it is.
    pub(super) keys: Option<ReceiverKeys>,
    /// What came of it while it had another leaf.
    pub(super) came: Came,
    /// Where it is connected.
    pub(super) at: Vec<(StayId, ParticipantId)>,
    /// Since when it is connected nowhere, and not heard.
    pub(super) away: Option<Duration>,
    /// When it was asked where it is, while it was connected nowhere, or may have said so by itself.
    pub(super) sought: Option<Duration>,
    /// It has said goodbye.
    pub(super) bye: bool,
    /// It signs what it sends, by its word inside the group.
    pub(super) signs: bool,
    /// It is on the screen as present.
    pub(super) shown: bool,
    /// The last of its chat messages.
    pub(super) chat: u64,
    /// Its tracks that are to be had, as the user of this side wishes.
    pub(super) wishes: Vec<TrackId>,
    /// Since when its questions are counted, and how many there were.
    asked: (Duration, u32),
}

/// How many questions of one person are answered in [`ASKED_IN`]: it asks once in each room that it
/// enters. Everyone answers, so that more would be a way to silence them all.
const ASKED: u32 = 4;

/// See [`ASKED`].
const ASKED_IN: Duration = Duration::from_secs(2);

/// How long somebody is not heard before it is asked where it is: while nobody has to go for that.
const SEEK_AFTER: Duration = Duration::from_secs(60);

/// How often.
const SEEK_EACH: Duration = Duration::from_secs(15);

/// How long it may take to answer.
const ANSWERS_IN: Duration = Duration::from_secs(5);

impl Person {
    /// Whether it is connected nowhere, and was not heard, for long, and did not answer when it was asked.
    pub(super) fn is_away(&self, now: Duration) -> bool {
        let asked = self.sought.is_some_and(|at| now >= at + ANSWERS_IN);
        asked && self.away.is_some_and(|since| now >= since + AWAY)
    }

    /// Whether its question is answered.
    pub(super) fn may_ask(&mut self, now: Duration) -> bool {
        if now >= self.asked.0 + ASKED_IN {
            self.asked = (now, 0);
        }
        self.asked.1 = self.asked.1.saturating_add(1);
        self.asked.1 <= ASKED
    }

    /// What kind of track this is, if it has it.
    pub(super) fn kind(&self, track: TrackId) -> Option<TrackKind> {
        let tracks = &self.presence.as_ref()?.tracks;
        Some(tracks.iter().find(|one| one.track == track)?.kind)
    }
}

/// What a new epoch made of the people.
pub(super) struct Changed {
    /// On the screen before, and in the tree no more.
    pub(super) gone: Vec<Who>,
    /// Those of them who had not said goodbye.
    pub(super) put_out: Vec<Who>,
    /// Somebody has come who was not here, and cannot open what was sent before.
    pub(super) newcomers: bool,
}

/// Everybody else.
#[derive(Default)]
pub(super) struct People {
    people: BTreeMap<Who, Person>,
    at: HashMap<(StayId, ParticipantId), Who>,
    next: u32,
    /// The runs of those who went while not all was signed that was shown of them: who comes back as the
    /// same is not new to whoever forges its frames. The oldest go first.
    suspects: VecDeque<[u8; 16]>,
}

impl People {
    pub(super) fn get(&self, who: Who) -> Option<&Person> {
        self.people.get(&who)
    }

    pub(super) fn get_mut(&mut self, who: Who) -> Option<&mut Person> {
        self.people.get_mut(&who)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Who, &Person)> {
        self.people.iter().map(|(who, person)| (*who, person))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Who, &mut Person)> {
        self.people.iter_mut().map(|(who, person)| (*who, person))
    }

    pub(super) fn by_leaf(&self, leaf: LeafId) -> Option<Who> {
        self.iter()
            .find(|(_, person)| person.leaf == leaf)
            .map(|(who, _)| who)
    }

    pub(super) fn at(&self, stay: StayId, participant: ParticipantId) -> Option<Who> {
        self.at.get(&(stay, participant)).copied()
    }

    /// Takes the roster of a new epoch. Who has another leaf now, having been the same process before,
    /// is the same person: it lost the thread and was taken in anew.
    pub(super) fn roster(&mut self, now: Duration, roster: &[Member], me: LeafId) -> Changed {
        let same = |person: &Person, member: &Member| {
            person.leaf == member.leaf && person.sign_key == member.sign_key
        };
        let fresh: Vec<&Member> = roster
            .iter()
            .filter(|member| member.leaf != me)
            .filter(|member| !self.people.values().any(|person| same(person, member)))
            .collect();
        let lost: Vec<Who> = self
            .iter()
            .filter(|(_, person)| !roster.iter().any(|member| same(person, member)))
            .map(|(who, _)| who)
            .collect();
        let mut newcomers = false;
        let (mut gone, mut put_out) = (Vec::new(), Vec::new());
        let mut kept: Vec<(Who, Person)> = Vec::new();
        for who in lost {
            let Some(person) = self.people.remove(&who) else {
                continue;
            };
            self.at.retain(|_, other| *other != who);
            let follows = fresh
                .iter()
                .any(|member| member.run == person.run && member.name == person.name);
            if follows {
                kept.push((who, person));
                continue;
            }
            if person.shown {
                gone.push(who);
                put_out.extend((!person.bye).then_some(who));
            }
            self.forget(person);
        }
        for member in fresh {
            let before = kept
                .iter()
                .position(|(_, one)| one.run == member.run && one.name == member.name);
            let before = before.map(|before| kept.swap_remove(before));
            let who = before.as_ref().map_or_else(
                || {
                    self.next += 1;
                    Who(self.next)
                },
                |(who, _)| *who,
            );
            let shown = before.is_some();
            newcomers |= !shown;
            let (wishes, came) = match before {
                Some((_, one)) => {
                    let came = one.keys.map_or(one.came, ReceiverKeys::into_came);
                    (one.wishes, came)
                }
                None => (Vec::new(), Came::back(self.suspects.contains(&member.run))),
            };
            let person = Person {
                leaf: member.leaf,
                name: member.name.clone(),
                rank: member.rank,
                run: member.run,
                sign_key: member.sign_key,
                presence: None,
                standing: Paced::new(Standing::default()),
                salt: None,
                keys: None,
                at: Vec::new(),
                away: Some(now),
                sought: None,
                bye: false,
                shown,
                signs: false,
                chat: 0,
                wishes,
                came,
                asked: (now, 0),
            };
            self.people.insert(who, person);
        }
        // Two of one process cannot both follow the same person.
        gone.extend(kept.into_iter().map(|(who, _)| who));
        Changed {
            gone,
            put_out,
            newcomers,
        }
    }

    /// When to tell how somebody stands.
    pub(super) fn standing_deadline(&self) -> Option<Duration> {
        let shown = self.people.values().filter(|person| person.shown);
        shown.filter_map(|person| person.standing.deadline()).min()
    }

    /// Somebody is gone, but for what a forger may have used up.
    fn forget(&mut self, person: Person) {
        let came = person.keys.map_or(person.came, ReceiverKeys::into_came);
        if came.is_suspect() && !self.suspects.contains(&person.run) {
            self.suspects.truncate(MEMBERS - 1);
            self.suspects.push_front(person.run);
        }
    }

    /// This side is on another line of the group: epochs are counted anew, and so are keys.
    pub(super) fn new_line(&mut self) {
        for person in self.people.values_mut() {
            if let (Some(salt), Some(_)) = (person.salt, &person.keys) {
                let came = person.keys.take().map(ReceiverKeys::into_came);
                let mut keys = ReceiverKeys::after(person.leaf.0, salt, came.unwrap_or_default());
                if person.signs {
                    keys.require_signatures();
                }
                person.keys = Some(keys);
            }
        }
    }

    /// Somebody is there, in this room.
    pub(super) fn here(&mut self, who: Who, stay: StayId, participant: ParticipantId) {
        if let Some(before) = self.at.insert((stay, participant), who)
            && before != who
            && let Some(person) = self.people.get_mut(&before)
        {
            person.at.retain(|at| *at != (stay, participant));
        }
        let Some(person) = self.people.get_mut(&who) else {
            return;
        };
        // One connection to a room at a time: the newest is the one.
        for old in person
            .at
            .extract_if(.., |at| at.0 == stay && at.1 != participant)
        {
            self.at.remove(&old);
        }
        if !person.at.contains(&(stay, participant)) {
            person.at.push((stay, participant));
        }
        (person.away, person.sought) = (None, None);
    }

    /// Somebody said something: it is not away, whatever the relay says of its connection. Whether it is
    /// to be asked where it is, since it has been heard for long and has not said so.
    pub(super) fn heard(&mut self, now: Duration, who: Who) -> bool {
        let person = self.people.get_mut(&who).filter(|one| one.away.is_some());
        let Some(person) = person else {
            return false;
        };
        person.away = Some(now);
        let sought = *person.sought.get_or_insert(now);
        let asks = !person.bye && now >= sought + SEEK_EACH;
        if asks {
            person.sought = Some(now);
        }
        asks
    }

    /// Whether there are some who are not heard for so long that everybody is asked: those who may be
    /// removed for it. They are not asked again at once.
    pub(super) fn seek(&mut self, now: Duration, may: impl Fn(Option<u8>) -> bool) -> bool {
        let mut asks = false;
        let people = self.people.values_mut();
        for person in people.filter(|one| !one.is_away(now) && may(one.rank)) {
            let long = person.away.is_some_and(|away| now >= away + SEEK_AFTER);
            if long && person.sought.is_none_or(|at| now >= at + SEEK_EACH) {
                person.sought = Some(now);
                asks = true;
            }
        }
        asks
    }

    /// One connection is gone: whose it was, when that one has no other.
    pub(super) fn left(
        &mut self,
        now: Duration,
        stay: StayId,
        participant: ParticipantId,
    ) -> Option<Who> {
        let who = self.at.remove(&(stay, participant))?;
        let person = self.people.get_mut(&who)?;
        person.at.retain(|at| *at != (stay, participant));
        if !person.at.is_empty() {
            return None;
        }
        person.away = Some(now);
        if let Some(keys) = &mut person.keys {
            keys.lost();
        }
        std::mem::take(&mut person.shown).then_some(who)
    }

    /// This side is in that room no more: whoever was connected only there.
    pub(super) fn all_left(&mut self, now: Duration, stay: StayId) -> Vec<Who> {
        let there: Vec<_> = self.at.keys().copied().filter(|at| at.0 == stay).collect();
        there
            .into_iter()
            .filter_map(|(stay, participant)| self.left(now, stay, participant))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_went_and_comes_back_by_itself_is_not_new_to_its_forger() {
        let member = |leaf: u32, run: u8| Member {
            leaf: LeafId(leaf),
            name: "Ada".into(),
            rank: None,
            sign_key: [run; 32],
            run: [run; 16],
        };
        let (me, mut people) = (LeafId(0), People::default());
        let came = |people: &mut People, leaf: u32, run: u8| {
            people.roster(Duration::ZERO, &[member(leaf, run)], me);
            let who = people.by_leaf(LeafId(leaf)).expect("it is in the tree");
            people.get_mut(who).expect("just found").came.is_suspect()
        };
        assert!(!came(&mut people, 1, 1));
        for (_, person) in people.iter_mut() {
            person.keys = Some(ReceiverKeys::after(1, [1; 16], Came::back(true)));
        }
        for again in [3, 5] {
            assert!(!came(&mut people, 2, 2), "somebody else");
            assert!(came(&mut people, again, 1), "before it said where it is");
        }
        for run in 3..=250 {
            came(&mut people, 4, run);
            for (_, person) in people.iter_mut() {
                person.came = Came::back(true);
            }
        }
        assert_eq!(people.suspects.len(), MEMBERS);
    }
}
