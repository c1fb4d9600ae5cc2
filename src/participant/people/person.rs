//! One person, over all its connections.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::meeting::{Presence, Standing, TrackDescription, TrackKind, Who};
use crate::participant::event::{Kind, ParticipantSummary, ReceivedTrack, Shown, milliseconds};
use crate::participant::tally::Received;
use crate::participant::view::{LiveLine, LiveTrack};
use crate::wire::TrackId;

/// Someone who is or was here.
pub(crate) struct Person {
    pub(crate) who: Who,
    pub(crate) presence: Presence,
    /// How it stands, by its word.
    pub(crate) standing: Standing,
    pub(crate) shown: Shown,
    pub(super) here: bool,
    /// Since when it is not here, until it is given up.
    pub(super) gone: Option<Instant>,
    pub(super) tracks: BTreeMap<TrackId, Received>,
}

impl Person {
    /// It has a connection.
    pub(crate) fn is_here(&self) -> bool {
        self.here
    }

    /// What it says of a track.
    pub(crate) fn track(&self, track: TrackId) -> Option<&TrackDescription> {
        self.presence
            .tracks
            .iter()
            .find(|description| description.track == track)
    }

    pub(super) fn live(&mut self, now: Instant) -> LiveLine {
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
            key: self.who.0,
            name: self.shown.clone(),
            away: !self.here,
            standing: self.standing,
            tracks,
        }
    }

    pub(super) fn summary(&self) -> ParticipantSummary {
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
