//! Meetings joined in memory: what one sends the others get, and nothing else gets in.

mod hostile;
mod pinned;
mod story;

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    Codec, Frame, Input, Invite, LinkSecret, Meeting, Output, Presence, RelayRef, TrackDescription,
    TrackKind,
};
use crate::wire::{FromRelay, GroupNumber, ParticipantId, To, ToRelay, TrackId};

pub(super) const SOUND: TrackId = TrackId(1);
pub(super) const PICTURE: TrackId = TrackId(2);

pub(super) fn invite() -> Invite {
    let relay = RelayRef {
        host: "192.0.2.1".into(),
        port: 4433,
        hashes: vec![[1; 32]],
    };
    Invite::new(LinkSecret::from_bytes([42; 32]), vec![relay])
}

pub(super) fn presence(name: &str) -> Presence {
    let track = |track, kind, codec| TrackDescription {
        track,
        kind,
        codec,
        codec_private: b"OpusHead".to_vec(),
        codec_delay_ns: 6_500_000,
        seek_preroll_ns: 80_000_000,
        default_duration_ns: None,
    };
    Presence {
        name: name.into(),
        tracks: vec![
            track(
                SOUND,
                TrackKind::Audio {
                    rate: 48000,
                    channels: 1,
                },
                Codec::Opus,
            ),
            track(
                PICTURE,
                TrackKind::Video {
                    width: 320,
                    height: 180,
                },
                Codec::Vp8,
            ),
        ],
        timestamp_scale_ns: 1_000_000,
        tag: [0; 16],
    }
}

pub(super) fn frame(track: TrackId, group: u32, number: u64, payload: &[u8]) -> Frame {
    Frame {
        track,
        group: GroupNumber(group),
        number,
        timestamp_ns: number * 20_000_000,
        keyframe: number == 0,
        invisible: number % 7 == 3,
        duration_ns: number.is_multiple_of(2).then_some(20_000_000),
        discard_padding_ns: (number == 9).then_some(-5),
        payload: Bytes::copy_from_slice(payload),
    }
}

/// A room with a relay that does what it should, and keeps all that it sees.
pub(super) struct Room {
    pub(super) meetings: HashMap<ParticipantId, Meeting>,
    pub(super) seen: Vec<Vec<u8>>,
    /// What each one was told, besides what goes to the relay.
    pub(super) told: HashMap<ParticipantId, Vec<Output>>,
    next: u32,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            meetings: HashMap::new(),
            seen: Vec::new(),
            told: HashMap::new(),
            next: 100,
        }
    }

    pub(super) fn join(&mut self, name: &str) -> ParticipantId {
        let id = ParticipantId(self.next);
        self.next += 1;
        let seed = [self.next as u8; 32];
        let meeting = Meeting::new(&invite(), 0, presence(name), seed);
        self.enter(id, meeting);
        id
    }

    pub(super) fn enter(&mut self, id: ParticipantId, mut meeting: Meeting) {
        let present: Vec<_> = self.meetings.keys().copied().collect();
        meeting.handle(Input::Relay(FromRelay::Welcome { you: id, present }));
        for other in self.meetings.values_mut() {
            other.handle(Input::Relay(FromRelay::Joined { participant: id }));
        }
        self.meetings.insert(id, meeting);
        self.run();
    }

    pub(super) fn leave(&mut self, id: ParticipantId) {
        self.meetings.remove(&id);
        for other in self.meetings.values_mut() {
            other.handle(Input::Relay(FromRelay::Left { participant: id }));
        }
        self.run();
    }

    pub(super) fn send(&mut self, from: ParticipantId, frame: Frame) {
        self.meetings
            .get_mut(&from)
            .unwrap()
            .handle(Input::Send(frame));
        self.run();
    }

    /// Passes everything on until nothing moves any more.
    pub(super) fn run(&mut self) {
        loop {
            let mut moved = Vec::new();
            for (id, meeting) in &mut self.meetings {
                while let Some(output) = meeting.poll() {
                    moved.push((*id, output));
                }
            }
            if moved.is_empty() {
                return;
            }
            for (from, output) in moved {
                self.pass(from, output);
            }
        }
    }

    fn pass(&mut self, from: ParticipantId, output: Output) {
        let others = |to: To, id: &ParticipantId| match to {
            To::Everyone => *id != from,
            To::One(one) => *id == one,
        };
        match output {
            Output::Control(ToRelay::Send { to, body }) => {
                self.seen.push(body.clone());
                for (_, meeting) in self.meetings.iter_mut().filter(|(id, _)| others(to, id)) {
                    let body = body.clone();
                    meeting.handle(Input::Relay(FromRelay::Message { from, body }));
                }
            }
            Output::Control(_) => {}
            Output::Datagram { track, payload } => {
                self.seen.push(payload.to_vec());
                for (_, meeting) in self.meetings.iter_mut().filter(|(id, _)| **id != from) {
                    let payload = payload.clone();
                    meeting.handle(Input::Datagram {
                        from,
                        track,
                        payload,
                    });
                }
            }
            Output::GroupFrame {
                track,
                group,
                bytes,
            } => {
                self.seen.push(bytes.to_vec());
                for (_, meeting) in self.meetings.iter_mut().filter(|(id, _)| **id != from) {
                    let bytes = bytes.clone();
                    meeting.handle(Input::GroupFrame {
                        from,
                        track,
                        group,
                        bytes,
                    });
                }
            }
            told => self.told.entry(from).or_default().push(told),
        }
    }

    pub(super) fn frames(&self, of: ParticipantId, from: ParticipantId) -> Vec<&Frame> {
        let told = self.told.get(&of).map(Vec::as_slice).unwrap_or_default();
        told.iter()
            .filter_map(|output| match output {
                Output::Frame { participant, frame } if *participant == from => Some(frame),
                _ => None,
            })
            .collect()
    }

    pub(super) fn names(&self, of: ParticipantId) -> Vec<String> {
        let told = self.told.get(&of).map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<String> = told
            .iter()
            .filter_map(|output| match output {
                Output::Appeared { presence, .. } => Some(presence.name.clone()),
                _ => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }
}
