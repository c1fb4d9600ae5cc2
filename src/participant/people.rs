//! Who is here, by the word of the meeting, and what came from each.
//!
//! A participant who loses its relay comes back as another connection, often before the relay has
//! noticed that the first is dead. The tag in its presence says that it is the same one: it takes
//! over from its ghost, and its recording and its counts go on.

mod person;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(crate) use self::person::{Key, Person, kind};

use super::backoff::GIVE_UP;
use super::event::{ParticipantSummary, Shown};
use super::tally::Received;
use super::view::LiveLine;
use crate::meeting::{Frame, Presence};
use crate::wire::limits::TRACKS;
use crate::wire::{ParticipantId, TrackId};

/// People remembered, those who left included. Who has the link can come and go as another one
/// for ever; beyond this many, newcomers are not listened to.
pub(crate) const PEOPLE: usize = 1024;

/// How long somebody who lost its relay may stay away: it gives up after two minutes itself.
const GONE: Duration = GIVE_UP.saturating_add(Duration::from_secs(30));

/// Tracks listened to, of one participant. A sound, a picture, a screen and some to spare.
pub(crate) const TRACKS_EACH: usize = 8;

/// What an appearance means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appearance {
    /// Somebody new.
    New(Key),
    /// Somebody who was here before. If it still had a connection, that was a ghost.
    Returned {
        key: Key,
        ghost: Option<ParticipantId>,
    },
    /// Somebody who is here says something new of itself.
    Changed(Key),
    /// Somebody who is here says what it has said before: two who come in at the same time greet
    /// each other twice.
    Known,
    /// One too many.
    TooMany,
}

/// All who are or were here.
#[derive(Default)]
pub(crate) struct People {
    all: Vec<Person>,
}

impl People {
    /// Somebody says who it is. `shown` is its name made harmless.
    pub(crate) fn appeared(
        &mut self,
        id: ParticipantId,
        mut presence: Presence,
        shown: Shown,
    ) -> Appearance {
        presence
            .tracks
            .retain(|described| described.track.0 < TRACKS);
        presence.tracks.truncate(TRACKS_EACH);
        presence.tracks.sort_by_key(|described| described.track);
        if let Some(person) = self.all.iter_mut().find(|person| person.id == Some(id)) {
            if person.presence == presence {
                return Appearance::Known;
            }
            person.presence = presence;
            person.shown = shown;
            return Appearance::Changed(person.key);
        }
        // The name counts too: a tag is known to all in the meeting, and nobody's recording
        // should go on with frames under another name.
        let same = |person: &&mut Person| {
            person.presence.tag == presence.tag && person.presence.name == presence.name
        };
        if let Some(person) = self.all.iter_mut().find(same) {
            person.presence = presence;
            person.gone = None;
            let ghost = person.id.replace(id);
            return Appearance::Returned {
                key: person.key,
                ghost,
            };
        }
        if self.all.len() >= PEOPLE {
            return Appearance::TooMany;
        }
        let key = Key(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(Person {
            key,
            presence,
            shown,
            id: Some(id),
            gone: None,
            tracks: BTreeMap::new(),
        });
        Appearance::New(key)
    }

    /// A connection is gone. `None` if it was nobody's (any more).
    pub(crate) fn departed(&mut self, now: Instant, id: ParticipantId) -> Option<&Person> {
        let person = self.all.iter_mut().find(|person| person.id == Some(id))?;
        person.id = None;
        person.gone = Some(now);
        Some(person)
    }

    /// This participant's own relay is lost: nobody has a connection. Returns who had one.
    pub(crate) fn all_departed(&mut self, now: Instant) -> Vec<Key> {
        let here = self.all.iter_mut().filter(|person| person.id.is_some());
        here.map(|person| {
            person.id = None;
            person.gone = Some(now);
            person.key
        })
        .collect()
    }

    /// Who has been gone for so long that it will not come back as the same; says so once.
    pub(crate) fn given_up(&mut self, now: Instant) -> Vec<Key> {
        let long_gone = |person: &&mut Person| {
            person
                .gone
                .is_some_and(|gone| now.saturating_duration_since(gone) >= GONE)
        };
        let given_up = self.all.iter_mut().filter(long_gone);
        given_up
            .map(|person| {
                person.gone = None;
                person.key
            })
            .collect()
    }

    /// The person behind a key.
    pub(crate) fn get(&self, key: Key) -> Option<&Person> {
        self.all.get(key.0 as usize)
    }

    /// Of those who are here and have a name, the one that came first.
    pub(crate) fn first_here(&self, name: &str) -> Option<&Person> {
        let named = |person: &&Person| person.is_here() && person.presence.name == name;
        self.all.iter().find(named)
    }

    /// Whether this is somebody's connection.
    pub(crate) fn is_here(&self, id: ParticipantId) -> bool {
        self.all.iter().any(|person| person.id == Some(id))
    }

    /// How many are here.
    pub(crate) fn here(&self) -> usize {
        self.all.iter().filter(|person| person.id.is_some()).count()
    }

    /// Counts a frame; `None` if nobody with this connection has described this track.
    pub(crate) fn frame(
        &mut self,
        now: Instant,
        id: ParticipantId,
        frame: &Frame,
    ) -> Option<&Person> {
        let person = self.all.iter_mut().find(|person| person.id == Some(id))?;
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
    pub(crate) fn ended(&mut self, id: ParticipantId, track: TrackId, frames: u64) {
        let person = self.all.iter_mut().find(|person| person.id == Some(id));
        if let Some(tally) = person.and_then(|person| person.tracks.get_mut(&track)) {
            tally.ended(frames);
        }
    }

    /// The live lines: those who are here, and those who left without a goodbye.
    pub(crate) fn live(&mut self, now: Instant, away: impl Fn(Key) -> bool) -> Vec<LiveLine> {
        let shown = self
            .all
            .iter_mut()
            .filter(|person| person.id.is_some() || away(person.key));
        shown.map(|person| person.live(now)).collect()
    }

    /// What was received of everyone who described a track.
    pub(crate) fn summary(&self) -> Vec<ParticipantSummary> {
        self.all.iter().map(Person::summary).collect()
    }
}

#[cfg(test)]
mod tests;
