//! Who is here and what each is shown as, and who may come back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sottovoce::meeting::{Presence, TrackDescription, TrackKind, Who, display_safe, told_apart};
use sottovoce::wire::TrackId;
use sottovoce::wire::limits::TRACKS;

use crate::out::{Blob, TrackInfo};

/// Tracks that are known of one participant. A sound, a picture, a screen and some to spare.
const TRACKS_EACH: usize = 8;

/// After this participant has come back, how long the others have to show that they are still
/// here, before they count as gone. They may have lost the same relay.
const ROLL_CALL: Duration = Duration::from_secs(10);

/// Why somebody who departs does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It said goodbye.
    Goodbye,
    /// It was put out.
    PutOut,
    /// It was out of reach for long.
    TakenOut,
}

struct Person {
    shown: String,
    presence: Presence,
    here: bool,
    leave: Option<Leave>,
}

/// What an appearance means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appearance {
    /// Somebody new, or who says something new of itself.
    New,
    /// Somebody who was here before and was gone.
    Returned,
    /// Somebody who is here says what it has said before.
    Known,
}

/// All who are or were here.
pub(super) struct People {
    all: BTreeMap<Who, Person>,
    own: String,
    /// Who was here when the relay was lost, and until when they may show up again.
    missing: BTreeSet<Who>,
    until: Option<Duration>,
}

impl People {
    /// Nobody yet, beside oneself.
    pub(super) fn beside(own: String) -> Self {
        Self {
            all: BTreeMap::new(),
            own,
            missing: BTreeSet::new(),
            until: None,
        }
    }

    /// What oneself, or somebody, is shown as.
    pub(super) fn shown(&self, who: Option<Who>) -> Option<&str> {
        match who {
            None => Some(&self.own),
            Some(who) => self.all.get(&who).map(|person| person.shown.as_str()),
        }
    }

    /// Whether somebody is here, oneself included, who is shown by this name.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut here = self.all.values().filter(|person| person.here);
        self.own == name || here.any(|person| person.shown == name)
    }

    /// Whether somebody says that it has such a track.
    pub(super) fn describes(&self, who: Who, track: TrackId) -> bool {
        let person = self.all.get(&who);
        person.is_some_and(|person| person.presence.tracks.iter().any(|one| one.track == track))
    }

    /// What somebody may send.
    pub(super) fn tracks(&self, who: Who) -> Vec<TrackInfo> {
        let tracks = self.all.get(&who).map(|person| &person.presence.tracks);
        tracks.into_iter().flatten().map(info).collect()
    }

    /// Somebody says who it is.
    pub(super) fn appeared(&mut self, who: Who, mut presence: Presence) -> Appearance {
        presence.tracks.retain(|one| one.track.0 < TRACKS);
        presence.tracks.truncate(TRACKS_EACH);
        let alike = |name: &str| {
            let mut others = self.all.iter().filter(|(other, _)| **other != who);
            name == self.own || others.any(|(_, person)| person.shown == name)
        };
        let shown = told_apart(display_safe(&presence.name), alike);
        let was_missing = self.missing.remove(&who);
        let new = Person {
            shown,
            presence,
            here: true,
            leave: None,
        };
        match self.all.insert(who, new) {
            None => Appearance::New,
            // It was this participant who had been away.
            Some(_) if was_missing => Appearance::New,
            Some(before) if !before.here => Appearance::Returned,
            Some(before) if self.describes_same(who, &before) => Appearance::Known,
            Some(_) => Appearance::New,
        }
    }

    fn describes_same(&self, who: Who, before: &Person) -> bool {
        let now = self.all.get(&who);
        now.is_some_and(|now| now.presence == before.presence)
    }

    /// Somebody is about to depart, and why.
    pub(super) fn leaves(&mut self, who: Who, why: Leave) {
        if let Some(person) = self.all.get_mut(&who) {
            person.leave = Some(why);
        }
    }

    /// Somebody's connection is gone: why, if it was here.
    pub(super) fn departed(&mut self, who: Who) -> Option<Option<Leave>> {
        let was_missing = self.missing.remove(&who);
        let person = self.all.get_mut(&who)?;
        let was_here = std::mem::replace(&mut person.here, false);
        (was_here || was_missing).then(|| person.leave.take())
    }

    /// This side's relay is lost, and somebody with it. Whether it was here.
    pub(super) fn unheard(&mut self, who: Who) -> bool {
        let Some(person) = self.all.get_mut(&who) else {
            return false;
        };
        person.leave = None;
        let was_here = std::mem::replace(&mut person.here, false);
        if was_here {
            self.missing.insert(who);
            self.until = None;
        }
        was_here
    }

    /// This side is back.
    pub(super) fn are_looked_for(&mut self, now: Duration) {
        self.until = (!self.missing.is_empty()).then(|| now + ROLL_CALL);
    }

    /// When the roll is called.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.until
    }

    /// Those who have not shown up in time.
    pub(super) fn call_the_roll(&mut self, now: Duration) -> BTreeSet<Who> {
        match self.until {
            Some(until) if now >= until => {
                self.until = None;
                std::mem::take(&mut self.missing)
            }
            _ => BTreeSet::new(),
        }
    }
}

fn info(track: &TrackDescription) -> TrackInfo {
    let (sound, picture) = match track.kind {
        TrackKind::Audio { rate, channels } => (Some((rate, channels)), None),
        TrackKind::Video { width, height } => (None, Some((width, height))),
    };
    TrackInfo {
        track: track.track.0,
        codec: track.codec,
        rate: sound.map(|(rate, _)| rate),
        channels: sound.map(|(_, channels)| channels),
        width: picture.map(|(width, _)| width),
        height: picture.map(|(_, height)| height),
        screen: track.screen,
        setup: Blob(track.codec_private.clone().into()),
    }
}
