//! Meetings joined in memory: what one sends the others get, and nothing else gets in.

mod hostile;
mod pinned;
mod story;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use super::{
    Codec, Frame, Input, Invite, LinkSecret, Meeting, Output, Presence, RelayRef, StayId, Surface,
    TrackDescription, TrackKind, Who,
};
use crate::wire::{FromRelay, GroupNumber, ParticipantId, To, ToRelay, TrackId};

pub(super) const SOUND: TrackId = TrackId(1);
pub(super) const PICTURE: TrackId = TrackId(2);

pub(super) const STAY: StayId = StayId(0);

/// Whatever happens in such a meeting, it is never asked when.
pub(super) fn tell(meeting: &mut Meeting, input: Input) {
    meeting.handle(Duration::ZERO, input);
}

pub(super) fn of_relay(message: FromRelay) -> Input {
    let stay = STAY;
    Input::Relay { stay, message }
}

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
    /// What each one asked of the relay, besides passing something on.
    pub(super) asked: Vec<(ParticipantId, ToRelay)>,
    /// What each one was told, besides what goes to the relay.
    pub(super) told: HashMap<ParticipantId, Vec<Output>>,
    next: u32,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            meetings: HashMap::new(),
            seen: Vec::new(),
            asked: Vec::new(),
            told: HashMap::new(),
            next: 100,
        }
    }

    pub(super) fn join(&mut self, name: &str) -> ParticipantId {
        let id = ParticipantId(self.next);
        self.next += 1;
        let seed = [self.next as u8; 32];
        let meeting = Meeting::new(&invite(), presence(name), seed);
        self.enter(id, meeting);
        id
    }

    pub(super) fn enter(&mut self, id: ParticipantId, mut meeting: Meeting) {
        let present: Vec<_> = self.meetings.keys().copied().collect();
        tell(
            &mut meeting,
            Input::Connected {
                stay: STAY,
                relay: 0,
            },
        );
        let welcome = FromRelay::Welcome { you: id, present };
        tell(&mut meeting, of_relay(welcome));
        for other in self.meetings.values_mut() {
            tell(other, of_relay(FromRelay::Joined { participant: id }));
        }
        self.meetings.insert(id, meeting);
        self.run();
    }

    pub(super) fn leave(&mut self, id: ParticipantId) {
        self.meetings.remove(&id);
        for other in self.meetings.values_mut() {
            tell(other, of_relay(FromRelay::Left { participant: id }));
        }
        self.run();
    }

    pub(super) fn send(&mut self, from: ParticipantId, frame: Frame) {
        tell(self.meetings.get_mut(&from).unwrap(), Input::Send(frame));
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
            Output::Control {
                message: ToRelay::Send { to, body },
                ..
            } => {
                self.seen.push(body.clone());
                for (_, meeting) in self.meetings.iter_mut().filter(|(id, _)| others(to, id)) {
                    let body = body.clone();
                    tell(meeting, of_relay(FromRelay::Message { from, body }));
                }
            }
            Output::Control { message, .. } => self.asked.push((from, message)),
            Output::Datagram { track, payload, .. } => {
                self.seen.push(payload.to_vec());
                for (_, meeting) in self.meetings.iter_mut().filter(|(id, _)| **id != from) {
                    let payload = payload.clone();
                    let input = Input::Datagram {
                        stay: STAY,
                        from,
                        track,
                        payload,
                    };
                    tell(meeting, input);
                }
            }
            Output::GroupFrame {
                track,
                group,
                bytes,
                ..
            } => {
                self.seen.push(bytes.to_vec());
                for (_, meeting) in self.meetings.iter_mut().filter(|(id, _)| **id != from) {
                    let bytes = bytes.clone();
                    let input = Input::GroupFrame {
                        stay: STAY,
                        from,
                        track,
                        group,
                        bytes,
                    };
                    tell(meeting, input);
                }
            }
            told => self.told.entry(from).or_default().push(told),
        }
    }

    /// Who somebody of this name is to another one.
    pub(super) fn who(&self, of: ParticipantId, name: &str) -> Who {
        let named = |output: &Output| match output {
            Output::Appeared { who, presence } if presence.name == name => Some(*who),
            _ => None,
        };
        self.told[&of].iter().find_map(named).unwrap()
    }

    /// The frames of somebody of this name.
    pub(super) fn frames(&self, of: ParticipantId, name: &str) -> Vec<&Frame> {
        let told = self.told.get(&of).map(Vec::as_slice).unwrap_or_default();
        let shown = self.names(of).iter().any(|shown| shown == name);
        let from = shown.then(|| self.who(of, name));
        told.iter()
            .filter_map(|output| match output {
                Output::Frame { who, frame } if Some(*who) == from => Some(frame),
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
