//! The meeting as one participant sees it: what came goes in, what follows comes out.

use std::collections::{HashMap, VecDeque};

use super::body::{Body, Sealed, is_acceptable};
use super::envelope::{Receiver, Sender};
use super::events::{Input, Output, Rejection};
use super::limits::PEOPLE;
use super::link::Invite;
use super::media::{Opener, Padding, Sealer, TrackKey, cut};
use super::secret::Draws;
use super::track::{Frame, Presence, TrackKind};
use crate::wire::limits::{AUDIO_PAYLOAD, GROUP_FRAME};
use crate::wire::{
    FromRelay, GroupNumber, ParticipantId, Role, RoomHandle, To, ToRelay, TrackId, VERSION,
};

/// Another participant.
struct Person {
    envelope: Receiver,
    salt: [u8; 16],
    kinds: HashMap<TrackId, TrackKind>,
    openers: HashMap<TrackId, Opener>,
}

/// Everything that is of one connection to the relay: with the next one comes another.
struct Stay {
    me: ParticipantId,
    envelope: Sender,
    media_salt: [u8; 16],
    sealers: HashMap<TrackId, Sealer>,
    people: HashMap<ParticipantId, Person>,
}

/// A meeting, end to end, without I/O.
pub struct Meeting {
    invite: Invite,
    room: RoomHandle,
    presence: Presence,
    draws: Draws,
    stay: Option<Stay>,
    out: VecDeque<Output>,
    rejections: [u64; Rejection::KINDS],
}

impl Meeting {
    /// A meeting at relay number `relay` of the invite, in which this participant is `presence`.
    /// `seed` must be random and never used again: keys and nonces rest on it.
    pub fn new(invite: &Invite, relay: usize, presence: Presence, seed: [u8; 32]) -> Self {
        Self {
            invite: invite.clone(),
            room: room(invite, relay),
            presence,
            draws: Draws::new(seed),
            stay: None,
            out: VecDeque::new(),
            rejections: [0; Rejection::KINDS],
        }
    }

    /// The next connection is to relay number `relay` of the invite: another room, if it is another
    /// relay.
    pub fn move_to(&mut self, relay: usize) {
        self.room = room(&self.invite, relay);
    }

    /// The first message on each connection.
    pub fn hello(&self) -> ToRelay {
        ToRelay::Hello {
            version: VERSION,
            room: self.room,
            role: Role::Member,
        }
    }

    /// How often each kind of [`Rejection`] occurred, in their order.
    pub fn rejections(&self) -> &[u64; Rejection::KINDS] {
        &self.rejections
    }

    /// What to say before leaving on purpose.
    pub fn goodbye(&mut self) -> Vec<ToRelay> {
        self.body(To::Everyone, Body::Goodbye).into_iter().collect()
    }

    /// What follows from what was handled, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input) {
        let done = match input {
            Input::Relay(message) => self.relay(message),
            Input::Datagram {
                from,
                track,
                payload,
            } => self.frame(from, track, GroupNumber(0), &payload, false),
            Input::GroupFrame {
                from,
                track,
                group,
                bytes,
            } => self.frame(from, track, group, &bytes, true),
            Input::Send(frame) => self.send(&frame),
            Input::Ended { track, frames } => {
                let ended = self.body(To::Everyone, Body::Ended { track, frames });
                self.out.extend(ended.map(Output::Control));
                Ok(())
            }
        };
        if let Err(rejection) = done {
            if let Some(count) = self.rejections.get_mut(rejection as usize) {
                *count += 1;
            }
            self.out.push_back(Output::Rejected(rejection));
        }
    }

    fn relay(&mut self, message: FromRelay) -> Result<(), Rejection> {
        match message {
            FromRelay::Welcome { you, .. } => self.enter(you),
            FromRelay::Joined { participant } => self.introduce(To::One(participant)),
            FromRelay::Left { participant } => {
                let gone = self
                    .stay
                    .as_mut()
                    .and_then(|stay| stay.people.remove(&participant));
                if gone.is_some() {
                    self.out.push_back(Output::Departed { participant });
                }
            }
            FromRelay::Message { from, body } => return self.message(from, &body),
            FromRelay::Closed { .. } => {}
        }
        Ok(())
    }

    /// On each connection with new salts, so that nothing is ever sealed twice under one nonce.
    fn enter(&mut self, me: ParticipantId) {
        let envelope = Sender::new(&self.invite.secret, self.draws.salt(), me);
        self.stay = Some(Stay {
            me,
            envelope,
            media_salt: self.draws.salt(),
            sealers: HashMap::new(),
            people: HashMap::new(),
        });
        self.introduce(To::Everyone);
    }

    fn introduce(&mut self, to: To) {
        let Some(media_salt) = self.stay.as_ref().map(|stay| stay.media_salt) else {
            return;
        };
        let presence = self.presence.clone();
        let body = self.body(
            to,
            Body::Presence {
                presence,
                media_salt,
            },
        );
        self.out.extend(body.map(Output::Control));
    }

    fn body(&mut self, to: To, body: Body) -> Option<ToRelay> {
        let stay = self.stay.as_mut()?;
        let body = stay.envelope.seal(&Sealed { to, body })?;
        Some(ToRelay::Send { to, body })
    }

    fn message(&mut self, from: ParticipantId, bytes: &[u8]) -> Result<(), Rejection> {
        let Some(stay) = &mut self.stay else {
            return Ok(());
        };
        if from == stay.me {
            return Err(Rejection::NotAuthentic);
        }
        let full = stay.people.len() >= PEOPLE;
        let (new, sealed) = match stay.people.get_mut(&from) {
            Some(person) => (None, person.envelope.open(from, bytes)?),
            None if full => return Err(Rejection::TooMany),
            None => {
                let (receiver, sealed) = Receiver::first(&self.invite.secret, from, bytes)?;
                (Some(receiver), sealed)
            }
        };
        if !matches!(sealed.to, To::Everyone) && sealed.to != To::One(stay.me) {
            return Err(Rejection::Misdirected);
        }
        match sealed.body {
            Body::Presence {
                presence,
                media_salt,
            } => {
                if !is_acceptable(&presence) {
                    return Err(Rejection::TooLarge);
                }
                let kinds = presence
                    .tracks
                    .iter()
                    .map(|track| (track.track, track.kind))
                    .collect();
                match (stay.people.get_mut(&from), new) {
                    // Everyone is greeted twice when two come in at the same time.
                    (Some(person), _) if person.salt == media_salt => person.kinds = kinds,
                    // One connection has one salt.
                    (Some(_), _) => return Err(Rejection::Malformed),
                    (None, Some(envelope)) => {
                        let openers = HashMap::new();
                        let salt = media_salt;
                        stay.people.insert(
                            from,
                            Person {
                                envelope,
                                salt,
                                kinds,
                                openers,
                            },
                        );
                    }
                    (None, None) => return Err(Rejection::UnknownSender),
                }
                self.out.push_back(Output::Appeared {
                    participant: from,
                    presence,
                });
            }
            // Who has not said who it is has nothing else to say.
            _ if new.is_some() => return Err(Rejection::UnknownSender),
            Body::Ended { track, frames } => {
                self.out.push_back(Output::Ended {
                    participant: from,
                    track,
                    frames,
                });
            }
            Body::Goodbye => self.out.push_back(Output::Goodbye { participant: from }),
        }
        Ok(())
    }

    fn frame(
        &mut self,
        from: ParticipantId,
        track: TrackId,
        group: GroupNumber,
        sealed: &[u8],
        in_group: bool,
    ) -> Result<(), Rejection> {
        let Some(stay) = &mut self.stay else {
            return Ok(());
        };
        let person = stay.people.get_mut(&from).ok_or(Rejection::UnknownSender)?;
        let kind = person.kinds.get(&track).ok_or(Rejection::UnknownSender)?;
        // Sound comes in datagrams and pictures in groups, and not the other way round.
        if in_group != matches!(kind, TrackKind::Video { .. }) {
            return Err(Rejection::Malformed);
        }
        let opener = match person.openers.entry(track) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let key = TrackKey::of_link(&self.invite.secret, person.salt, track);
                let opener = Opener::new(&key);
                entry.insert(opener.ok_or(Rejection::NotAuthentic)?)
            }
        };
        if let Some(frame) = opener.open(track, group, sealed)? {
            self.out.push_back(Output::Frame {
                participant: from,
                frame,
            });
        }
        Ok(())
    }

    fn send(&mut self, frame: &Frame) -> Result<(), Rejection> {
        let Some(stay) = &mut self.stay else {
            return Ok(());
        };
        let described = self
            .presence
            .tracks
            .iter()
            .find(|track| track.track == frame.track);
        let kind = described.ok_or(Rejection::UnknownSender)?.kind;
        let sealer = match stay.sealers.entry(frame.track) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let key = TrackKey::of_link(&self.invite.secret, stay.media_salt, frame.track);
                let sealer = Sealer::new(&key);
                entry.insert(sealer.ok_or(Rejection::NotAuthentic)?)
            }
        };
        match kind {
            TrackKind::Audio { .. } => {
                let pieces = cut(&frame.payload).ok_or(Rejection::TooLarge)?;
                let count = pieces.len() as u8;
                for (piece, bytes) in (0..count).zip(&pieces) {
                    let payload = sealer.seal(frame, piece, count, bytes, Padding::None);
                    let payload = payload.ok_or(Rejection::NotAuthentic)?;
                    debug_assert!(payload.len() <= AUDIO_PAYLOAD);
                    self.out.push_back(Output::Datagram {
                        track: frame.track,
                        payload,
                    });
                }
            }
            TrackKind::Video { .. } => {
                let bytes = sealer.seal(frame, 0, 1, &frame.payload, Padding::None);
                let bytes = bytes.ok_or(Rejection::NotAuthentic)?;
                if bytes.len() > GROUP_FRAME {
                    return Err(Rejection::TooLarge);
                }
                let (track, group) = (frame.track, frame.group);
                self.out.push_back(Output::GroupFrame {
                    track,
                    group,
                    bytes,
                });
            }
        }
        Ok(())
    }
}

/// An invite without such a relay leads to a room where nobody is.
fn room(invite: &Invite, relay: usize) -> RoomHandle {
    invite.room_handle(relay).unwrap_or(RoomHandle([0; 32]))
}
