//! Who is here, by the word of the meeting, and what came from each.
//!
//! A participant who loses its relay comes back as another connection, often before the relay has
//! noticed that the first is dead. The tag in its presence says that it is the same one: it takes
//! over from its ghost, and its recording and its counts go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::backoff::GIVE_UP;
use super::event::{Kind, ParticipantSummary, ReceivedTrack, Shown, milliseconds};
use super::tally::Received;
use super::view::{LiveLine, LiveTrack};
use crate::meeting::{Frame, Presence, TrackDescription, TrackKind};
use crate::wire::limits::TRACKS;
use crate::wire::{ParticipantId, TrackId};

/// People remembered, those who left included. Who has the link can come and go as another one
/// for ever; beyond this many, newcomers are not listened to.
pub(crate) const PEOPLE: usize = 1024;

/// How long somebody who lost its relay may stay away: it gives up after two minutes itself.
const GONE: Duration = GIVE_UP.saturating_add(Duration::from_secs(30));

/// Tracks listened to, of one participant. A sound, a picture, a screen and some to spare.
pub(crate) const TRACKS_EACH: usize = 8;

/// Stands for a person for as long as the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u32);

/// Someone who is or was here.
pub(crate) struct Person {
    pub(crate) key: Key,
    pub(crate) presence: Presence,
    pub(crate) shown: Shown,
    /// Its connection; `None` while it is not here.
    id: Option<ParticipantId>,
    /// Since when it is not here, until it is given up.
    gone: Option<Instant>,
    tracks: BTreeMap<TrackId, Received>,
}

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

impl Person {
    /// It has a connection.
    pub(crate) fn is_here(&self) -> bool {
        self.id.is_some()
    }

    /// What it says of a track.
    pub(crate) fn track(&self, track: TrackId) -> Option<&TrackDescription> {
        self.presence
            .tracks
            .iter()
            .find(|description| description.track == track)
    }

    fn live(&mut self, now: Instant) -> LiveLine {
        let mut tracks = Vec::new();
        for description in &self.presence.tracks {
            if let Some(tally) = self.tracks.get_mut(&description.track) {
                tracks.push(LiveTrack {
                    kind: kind(description),
                    frames: tally.frames,
                    lost: tally.lost(),
                    expected: tally.expected(),
                    bits_per_second: tally.bits_per_second(now),
                });
            }
        }
        LiveLine {
            key: self.key.0,
            name: self.shown.clone(),
            away: self.id.is_none(),
            tracks,
        }
    }

    fn summary(&self) -> ParticipantSummary {
        let mut tracks = Vec::new();
        for description in &self.presence.tracks {
            let silent = Received::new();
            let tally = self.tracks.get(&description.track).unwrap_or(&silent);
            tracks.push(ReceivedTrack {
                track: description.track.0,
                kind: kind(description),
                codec: description.codec,
                received: tally.frames,
                expected: tally.expected(),
                lost: tally.lost(),
                bytes: tally.bytes,
                late_p50_ms: tally.lateness(0.5).map(milliseconds),
                late_p99_ms: tally.lateness(0.99).map(milliseconds),
                digest: tally.sum.hex(),
            });
        }
        ParticipantSummary {
            name: self.shown.clone(),
            tracks,
        }
    }
}

/// Sound or picture.
pub(crate) fn kind(description: &TrackDescription) -> Kind {
    match description.kind {
        TrackKind::Audio { .. } => Kind::Audio,
        TrackKind::Video { .. } => Kind::Video,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::meeting::Codec;
    use crate::wire::GroupNumber;

    const VOICE: TrackId = TrackId(1);

    fn presence(name: &str, tag: u8) -> Presence {
        Presence {
            name: name.into(),
            tracks: vec![TrackDescription {
                track: VOICE,
                kind: TrackKind::Audio {
                    rate: 48_000,
                    channels: 1,
                },
                codec: Codec::Opus,
                codec_private: Vec::new(),
                codec_delay_ns: 0,
                seek_preroll_ns: 0,
                default_duration_ns: None,
            }],
            timestamp_scale_ns: 1_000_000,
            tag: [tag; 16],
        }
    }

    fn appear(people: &mut People, id: u32, name: &str, tag: u8) -> Appearance {
        people.appeared(ParticipantId(id), presence(name, tag), Shown(name.into()))
    }

    fn frame(track: TrackId, number: u64) -> Frame {
        Frame {
            track,
            group: GroupNumber(0),
            number,
            timestamp_ns: number * 20_000_000,
            keyframe: true,
            invisible: false,
            duration_ns: None,
            discard_padding_ns: None,
            payload: Bytes::from_static(b"sound"),
        }
    }

    #[test]
    fn one_who_comes_back_takes_over_from_its_ghost() {
        let mut people = People::default();
        assert_eq!(appear(&mut people, 10, "Ada", 1), Appearance::New(Key(0)));
        assert_eq!(appear(&mut people, 10, "Ada", 1), Appearance::Known);
        let now = Instant::now();
        assert!(
            people
                .frame(now, ParticipantId(10), &frame(VOICE, 0))
                .is_some()
        );

        let ghost = Some(ParticipantId(10));
        assert_eq!(
            appear(&mut people, 20, "Ada", 1),
            Appearance::Returned { key: Key(0), ghost }
        );
        assert!(
            people.departed(now, ParticipantId(10)).is_none(),
            "the ghost was nobody any more"
        );
        assert_eq!(people.here(), 1);
        assert!(
            people
                .frame(now, ParticipantId(10), &frame(VOICE, 1))
                .is_none()
        );
        assert!(
            people
                .frame(now, ParticipantId(20), &frame(VOICE, 4))
                .is_some()
        );
        let summary = people.summary();
        assert_eq!(summary.len(), 1);
        assert_eq!(
            (summary[0].tracks[0].received, summary[0].tracks[0].lost),
            (2, 3)
        );
    }

    #[test]
    fn one_who_left_can_come_back() {
        let mut people = People::default();
        appear(&mut people, 10, "Ada", 1);
        let now = Instant::now();
        assert!(people.departed(now, ParticipantId(10)).is_some());
        assert_eq!(people.here(), 0);
        let returned = Appearance::Returned {
            key: Key(0),
            ghost: None,
        };
        assert_eq!(appear(&mut people, 20, "Ada", 1), returned);
        assert_eq!(people.all_departed(now), [Key(0)]);
        assert_eq!(people.all_departed(now), []);
        assert_eq!(appear(&mut people, 30, "Ada", 1), returned);
    }

    #[test]
    fn one_who_stays_away_is_given_up_once() {
        let mut people = People::default();
        let start = Instant::now();
        appear(&mut people, 10, "Ada", 1);
        appear(&mut people, 11, "Bea", 2);
        people.departed(start, ParticipantId(10));
        assert_eq!(people.given_up(start + GIVE_UP), []);
        assert_eq!(people.given_up(start + GONE), [Key(0)]);
        assert_eq!(people.given_up(start + GONE * 2), []);
        let returned = appear(&mut people, 20, "Ada", 1);
        assert_eq!(
            returned,
            Appearance::Returned {
                key: Key(0),
                ghost: None
            }
        );
    }

    #[test]
    fn neither_a_name_nor_a_tag_alone_makes_somebody_the_same() {
        let mut people = People::default();
        appear(&mut people, 1, "Ada", 1);
        assert_eq!(appear(&mut people, 2, "Ada", 2), Appearance::New(Key(1)));
        assert_eq!(
            appear(&mut people, 3, "Mallory", 1),
            Appearance::New(Key(2))
        );
        assert_eq!(people.here(), 3);
    }

    #[test]
    fn tracks_that_nobody_described_do_not_count() {
        let mut people = People::default();
        appear(&mut people, 1, "Ada", 1);
        let now = Instant::now();
        assert!(
            people
                .frame(now, ParticipantId(1), &frame(TrackId(9), 0))
                .is_none()
        );
        assert!(
            people
                .frame(now, ParticipantId(2), &frame(VOICE, 0))
                .is_none()
        );
        assert_eq!(people.summary()[0].tracks[0].received, 0);
    }

    #[test]
    fn tracks_that_a_relay_refuses_are_not_asked_for() {
        let mut people = People::default();
        let mut odd = presence("Mallory", 1);
        odd.tracks.push(odd.tracks[0].clone());
        odd.tracks[1].track = TrackId(TRACKS);
        people.appeared(ParticipantId(1), odd, Shown("Mallory".into()));
        let tracks = &people.get(Key(0)).unwrap().presence.tracks;
        assert_eq!(tracks.len(), 1);
        assert_eq!(tracks[0].track, VOICE);
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let mut people = People::default();
        for id in 0..u32::try_from(PEOPLE).unwrap() {
            let mut crowded = presence(&format!("guest {id}"), 0);
            crowded.tracks = vec![crowded.tracks[0].clone(); 200];
            let appearance = people.appeared(ParticipantId(id), crowded, Shown(String::new()));
            assert_eq!(appearance, Appearance::New(Key(id)));
        }
        assert_eq!(
            appear(&mut people, u32::MAX, "one more", 0),
            Appearance::TooMany
        );
        assert!(
            people
                .all
                .iter()
                .all(|person| person.presence.tracks.len() <= TRACKS_EACH)
        );
        let back = appear(&mut people, u32::MAX, "guest 7", 0);
        assert!(
            matches!(back, Appearance::Returned { key: Key(7), .. }),
            "{back:?}"
        );
    }
}
