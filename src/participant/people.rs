//! Who is here, by the word of the meeting, and what came from each.
//!
//! One who comes back is the same one: its recording and its counts go on. The meeting says who is, and
//! bounds how many there can be.

mod person;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(crate) use self::person::{Person, kind};

use super::event::{ParticipantSummary, Shown};
use super::tally::Received;
use super::view::LiveLine;
use crate::meeting::{Frame, Presence, Standing, Who, told_apart};
use crate::stay::GIVE_UP;
use crate::wire::TrackId;
use crate::wire::limits::TRACKS;

/// How long somebody who lost its relay may stay away: it gives up after two minutes itself.
const GONE: Duration = GIVE_UP.saturating_add(Duration::from_secs(30));

/// Tracks listened to, of one participant. A sound, a picture, a screen and some to spare.
pub(crate) const TRACKS_EACH: usize = 8;

/// What an appearance means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appearance {
    /// Somebody new.
    New,
    /// Somebody who was here before.
    Returned,
    /// Somebody who is here says something new of itself.
    Changed,
    /// Somebody who is here says what it has said before: two who come in at the same time greet
    /// each other twice.
    Known,
}

/// All who are or were here, in the order in which they first came.
#[derive(Default)]
pub(crate) struct People {
    all: BTreeMap<Who, Person>,
    /// What oneself is called.
    own: String,
}

impl People {
    /// Nobody yet, beside oneself.
    pub(crate) fn beside(own: String) -> Self {
        Self {
            all: BTreeMap::new(),
            own,
        }
    }

    /// What somebody is shown as, so that no two ever are shown alike: names are chosen freely, and who
    /// takes another's must not pass for that one, nor for one who has left.
    fn apart(&self, who: Who, shown: Shown) -> Shown {
        let alike = |name: &str| {
            let mut others = self.all.values().filter(|person| person.who != who);
            name == self.own || others.any(|person| person.shown.0 == name)
        };
        Shown(told_apart(shown.0, alike))
    }

    /// Whether somebody is here, oneself included, who is shown by this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.own == name || !self.named(name).is_empty()
    }

    /// Somebody says who it is. `shown` is its name made harmless.
    pub(crate) fn appeared(
        &mut self,
        who: Who,
        mut presence: Presence,
        shown: Shown,
    ) -> Appearance {
        presence
            .tracks
            .retain(|described| described.track.0 < TRACKS);
        presence.tracks.truncate(TRACKS_EACH);
        presence.tracks.sort_by_key(|described| described.track);
        let shown = self.apart(who, shown);
        let Some(person) = self.all.get_mut(&who) else {
            let person = Person {
                who,
                presence,
                standing: Standing::default(),
                shown,
                here: true,
                gone: None,
                tracks: BTreeMap::new(),
            };
            self.all.insert(who, person);
            return Appearance::New;
        };
        if person.here && person.presence == presence {
            return Appearance::Known;
        }
        person.presence = presence;
        person.shown = shown;
        person.gone = None;
        match std::mem::replace(&mut person.here, true) {
            true => Appearance::Changed,
            false => Appearance::Returned,
        }
    }

    /// Somebody stands like this: who, and how it stood before.
    pub(crate) fn stands(&mut self, who: Who, standing: Standing) -> Option<(Shown, Standing)> {
        let person = self.all.get_mut(&who)?;
        let before = std::mem::replace(&mut person.standing, standing);
        Some((person.shown.clone(), before))
    }

    /// Somebody's connection is gone. `None` if it had none.
    pub(crate) fn departed(&mut self, now: Instant, who: Who) -> Option<&Person> {
        let person = self.all.get_mut(&who).filter(|person| person.here)?;
        person.here = false;
        person.gone = Some(now);
        Some(person)
    }

    /// Who has been gone for so long that it will not come back as the same; says so once.
    pub(crate) fn given_up(&mut self, now: Instant) -> Vec<Who> {
        let long_gone = |person: &&mut Person| {
            person
                .gone
                .is_some_and(|gone| now.saturating_duration_since(gone) >= GONE)
        };
        let given_up = self.all.values_mut().filter(long_gone);
        given_up
            .map(|person| {
                person.gone = None;
                person.who
            })
            .collect()
    }

    /// The person behind a number.
    pub(crate) fn get(&self, who: Who) -> Option<&Person> {
        self.all.get(&who)
    }

    /// Of those who are here and have a name, the one that came first.
    pub(crate) fn first_here(&self, name: &str) -> Option<&Person> {
        let named = |person: &&Person| person.here && person.presence.name == name;
        self.all.values().find(named)
    }

    /// All of those who are here and are shown by this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Who> {
        let named = |person: &Person| person.here && person.shown.0 == name;
        let found = self.all.iter().filter(|(_, person)| named(person));
        found.map(|(who, _)| *who).collect()
    }

    /// All of those who were here, are connected no more, and are shown by this name.
    pub(crate) fn away(&self, name: &str) -> Vec<Who> {
        let named = |person: &Person| !person.here && person.shown.0 == name;
        let found = self.all.iter().filter(|(_, person)| named(person));
        found.map(|(who, _)| *who).collect()
    }

    /// Whether this one is here.
    pub(crate) fn is_here(&self, who: Who) -> bool {
        self.get(who).is_some_and(Person::is_here)
    }

    /// How many are here.
    pub(crate) fn here(&self) -> usize {
        self.all.values().filter(|person| person.here).count()
    }

    /// Counts a frame; `None` if nobody who is here has described this track.
    pub(crate) fn frame(&mut self, now: Instant, who: Who, frame: &Frame) -> Option<&Person> {
        let person = self.all.get_mut(&who).filter(|person| person.here)?;
        person.track(frame.track)?;
        let tally = person
            .tracks
            .entry(frame.track)
            .or_insert_with(Received::new);
        let timestamp = Duration::from_nanos(frame.timestamp_ns);
        tally.frame(now, frame.number, timestamp, &frame.payload);
        Some(person)
    }

    /// A sender says how many frames a track had.
    pub(crate) fn ended(&mut self, who: Who, track: TrackId, frames: u64) {
        let person = self.all.get_mut(&who).filter(|person| person.here);
        if let Some(tally) = person.and_then(|person| person.tracks.get_mut(&track)) {
            tally.ended(frames);
        }
    }

    /// The live lines: those who are here, and those of whom `away` says that they may come back.
    pub(crate) fn live(&mut self, now: Instant, away: impl Fn(Who) -> bool) -> Vec<LiveLine> {
        let shown = self
            .all
            .values_mut()
            .filter(|person| person.here || away(person.who));
        shown.map(|person| person.live(now)).collect()
    }

    /// What was received of everyone who described a track.
    pub(crate) fn summary(&self) -> Vec<ParticipantSummary> {
        self.all.values().map(Person::summary).collect()
    }
}

#[cfg(test)]
mod tests;
