//! The rooms that this participant is in at the moment, and what is said in them: envelopes, pacing,
//! and who is there by the relay's word.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::pace::Pace;
use super::plain::Plain;
use crate::meeting::envelope::{Receiver, Sealed, Sender};
use crate::meeting::events::{Output, Rejection, StayId};
use crate::meeting::limits::PEOPLE;
use crate::meeting::links::RelayRef;
use crate::meeting::secret::{Draws, LinkSecret};
use crate::wire::{FromRelay, ParticipantId, Role, RoomHandle, To, ToRelay, VERSION};

/// How many of those who went are remembered: twice as many as a room has members by default.
const GONE: usize = 2048;

/// What a room is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Where those who have the link knock.
    Lobby,
    /// Where those who have a committer's link find each other.
    Committers,
    /// Where members meet.
    Main,
    /// Where a vigil is seen. Nothing is said there.
    Stage,
}

/// What came, for the meeting to act on.
pub(super) enum Arrived {
    /// The relay has let this participant in.
    Entered,
    /// Somebody came in.
    Joined,
    /// Somebody went.
    Left(ParticipantId),
    /// Somebody said something.
    Said(ParticipantId, Box<Plain>),
}

/// One room.
pub(super) struct Stay {
    pub(super) purpose: Purpose,
    secret: LinkSecret,
    inside: Option<Inside>,
    pace: Pace,
    /// Sealed and not sent yet.
    waiting: VecDeque<ToRelay>,
}

/// What is of one connection.
struct Inside {
    me: ParticipantId,
    sender: Sender,
    receivers: HashMap<ParticipantId, Receiver>,
    present: BTreeSet<ParticipantId>,
    /// Salts of those who went, and how far they had come: what they said is not to come again when the
    /// relay brings somebody of the same id. Nor is somebody silenced whom it only says to have gone.
    gone: VecDeque<([u8; 16], u64)>,
}

/// All rooms.
#[derive(Default)]
pub(super) struct Stays {
    stays: BTreeMap<StayId, Stay>,
    next: u32,
}

impl Stays {
    /// Goes into another room besides.
    pub(super) fn enter(
        &mut self,
        purpose: Purpose,
        secret: &LinkSecret,
        out: &mut VecDeque<Output>,
    ) -> StayId {
        self.next += 1;
        let id = StayId(self.next);
        let stay = Stay {
            purpose,
            secret: secret.clone(),
            inside: None,
            pace: Pace::new(),
            waiting: VecDeque::new(),
        };
        self.stays.insert(id, stay);
        out.push_back(Output::Enter { stay: id });
        id
    }

    /// Goes out of a room.
    pub(super) fn leave(&mut self, id: StayId, out: &mut VecDeque<Output>) {
        if let Some(stay) = self.stays.remove(&id) {
            out.extend(
                stay.waiting
                    .into_iter()
                    .map(|message| Output::Control { stay: id, message }),
            );
            out.push_back(Output::Leave { stay: id });
        }
    }

    /// What this room is for; `None` when this participant is not, or no longer, in it.
    pub(super) fn purpose(&self, id: StayId) -> Option<Purpose> {
        Some(self.stays.get(&id)?.purpose)
    }

    /// This participant's id in a room it is in.
    pub(super) fn me(&self, id: StayId) -> Option<ParticipantId> {
        Some(self.stays.get(&id)?.inside.as_ref()?.me)
    }

    /// Who is in the room, by the relay's word.
    pub(super) fn present(&self, id: StayId) -> impl Iterator<Item = ParticipantId> + '_ {
        let inside = self.stays.get(&id).and_then(|stay| stay.inside.as_ref());
        inside
            .into_iter()
            .flat_map(|inside| inside.present.iter().copied())
    }

    /// The connection to a room stands.
    pub(super) fn connected(
        &mut self,
        id: StayId,
        relay: Option<&RelayRef>,
        draws: &mut Draws,
        out: &mut VecDeque<Output>,
    ) {
        let Some(stay) = self.stays.get_mut(&id) else {
            return;
        };
        stay.lost();
        // A relay that the link does not have leads to a room where nobody is.
        let room = relay.map_or(RoomHandle([0; 32]), |relay| {
            stay.secret.room_handle(&relay.authority())
        });
        let message = ToRelay::Hello {
            version: VERSION,
            room,
            role: Role::Member,
            pass: relay.and_then(|relay| relay.proof(&room, || draws.nonce())),
        };
        out.push_back(Output::Control { stay: id, message });
    }

    /// The connection to a room is over; another one may come.
    pub(super) fn lost(&mut self, id: StayId) {
        if let Some(stay) = self.stays.get_mut(&id) {
            stay.lost();
        }
    }

    /// Takes what a relay says.
    ///
    /// # Errors
    /// A message of another participant that does not open.
    pub(super) fn relay(
        &mut self,
        id: StayId,
        message: FromRelay,
        draws: &mut Draws,
    ) -> Result<Option<Arrived>, Rejection> {
        let Some(stay) = self.stays.get_mut(&id) else {
            return Ok(None);
        };
        match message {
            FromRelay::Welcome { you, present } => {
                stay.inside = Some(Inside {
                    me: you,
                    sender: Sender::new(&stay.secret, draws.salt(), you),
                    receivers: HashMap::new(),
                    present: present.into_iter().filter(|other| *other != you).collect(),
                    gone: VecDeque::new(),
                });
                Ok(Some(Arrived::Entered))
            }
            FromRelay::Joined { participant } => {
                let inside = stay
                    .inside
                    .as_mut()
                    .filter(|inside| inside.me != participant);
                Ok(inside.and_then(|inside| {
                    if inside.present.len() >= PEOPLE {
                        return None;
                    }
                    inside.present.insert(participant);
                    Some(Arrived::Joined)
                }))
            }
            FromRelay::Left { participant } => Ok(stay.inside.as_mut().map(|inside| {
                inside.present.remove(&participant);
                inside.forget(participant);
                Arrived::Left(participant)
            })),
            FromRelay::Message { .. } if stay.purpose == Purpose::Stage => Ok(None),
            FromRelay::Message { from, body } => {
                let Some(inside) = &mut stay.inside else {
                    return Ok(None);
                };
                let plain = inside.open(&stay.secret, from, &body)?;
                Ok(Some(Arrived::Said(from, Box::new(plain))))
            }
            FromRelay::Closed { .. } => Ok(None),
        }
    }

    /// Says something in a room; in none, when this participant is not in it just now.
    pub(super) fn say(
        &mut self,
        now: Duration,
        id: StayId,
        to: To,
        plain: &Plain,
        out: &mut VecDeque<Output>,
    ) {
        let Some(stay) = self.stays.get_mut(&id) else {
            return;
        };
        let Some(inside) = &mut stay.inside else {
            return;
        };
        // Only what is over every bound does not seal, and nothing of ours is.
        let Some(body) = inside.sender.seal(&Sealed { to, body: plain }) else {
            return;
        };
        stay.waiting.push_back(ToRelay::Send { to, body });
        stay.flush(now, id, out);
    }

    /// Asks for a track in a room, or takes that back.
    pub(super) fn listen(
        &self,
        id: StayId,
        participant: ParticipantId,
        track: crate::wire::TrackId,
        on: bool,
        out: &mut VecDeque<Output>,
    ) {
        if self.me(id).is_none() {
            return;
        }
        let message = match on {
            true => ToRelay::Subscribe { participant, track },
            false => ToRelay::Unsubscribe { participant, track },
        };
        out.push_back(Output::Control { stay: id, message });
    }

    /// Whether something that was said there waits to go.
    pub(super) fn is_behind(&self, id: StayId) -> bool {
        self.stays
            .get(&id)
            .is_some_and(|stay| !stay.waiting.is_empty())
    }

    /// Sends what had to wait.
    pub(super) fn tick(&mut self, now: Duration, out: &mut VecDeque<Output>) {
        for (id, stay) in &mut self.stays {
            stay.flush(now, *id, out);
        }
    }

    /// When something that waits may go.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let waiting = self.stays.values().filter_map(|stay| {
            let next = stay.waiting.front()?;
            Some(stay.pace.when(cost(next)))
        });
        waiting.min()
    }

    /// All rooms, whatever they are for.
    pub(super) fn all(&self) -> Vec<StayId> {
        self.stays.keys().copied().collect()
    }
}

impl Stay {
    fn lost(&mut self) {
        self.inside = None;
        self.waiting.clear();
        self.pace = Pace::new();
    }

    fn flush(&mut self, now: Duration, id: StayId, out: &mut VecDeque<Output>) {
        while let Some(next) = self.waiting.front() {
            if !self.pace.take(now, cost(next)) {
                return;
            }
            let message = self.waiting.pop_front();
            out.extend(message.map(|message| Output::Control { stay: id, message }));
        }
    }
}

impl Inside {
    fn forget(&mut self, participant: ParticipantId) {
        if let Some(receiver) = self.receivers.remove(&participant) {
            if self.gone.len() >= GONE {
                self.gone.pop_front();
            }
            self.gone.push_back((receiver.salt(), receiver.newest()));
        }
    }

    fn open(
        &mut self,
        secret: &LinkSecret,
        from: ParticipantId,
        body: &[u8],
    ) -> Result<Plain, Rejection> {
        if from == self.me {
            return Err(Rejection::NotAuthentic);
        }
        let full = self.receivers.len() >= PEOPLE;
        let sealed: Sealed<Plain> = match self.receivers.get_mut(&from) {
            Some(receiver) => receiver.open(from, body)?,
            None if full => return Err(Rejection::TooMany),
            None => {
                let (receiver, sealed) = Receiver::first(secret, from, body)?;
                let before = |(salt, newest): &([u8; 16], u64)| {
                    *salt == receiver.salt() && receiver.newest() <= *newest
                };
                if self.gone.iter().any(before) {
                    return Err(Rejection::Replay);
                }
                self.receivers.insert(from, receiver);
                sealed
            }
        };
        if !matches!(sealed.to, To::Everyone) && sealed.to != To::One(self.me) {
            return Err(Rejection::Misdirected);
        }
        Ok(sealed.body)
    }
}

fn cost(message: &ToRelay) -> usize {
    match message {
        ToRelay::Send { body, .. } => body.len(),
        _ => 0,
    }
}
