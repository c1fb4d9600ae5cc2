//! Control messages within a room: what the relay announces, and bodies from a member to those
//! whom they are for.

use bytes::Bytes;

use crate::wire::limits::{BODY, SIZE_CLASSES};
use crate::wire::{CloseReason, FromRelay, ParticipantId, To, encode_control};

use super::bus::{Bus, News, Parcel};
use super::outlet::{Outlet, Peer};
use super::room::{Home, Room, Turn};
use super::subscription::MemberIndex;

/// What stands around a body in its message, at most: used length 2, variant 1, sender 5, length 3.
const AROUND: usize = 11;

/// Bytes of the message in which a body reaches one receiver: those of its size class.
pub(super) fn framed(body: usize) -> usize {
    let mut classes = SIZE_CLASSES.into_iter();
    classes
        .find(|class| body + AROUND <= *class)
        .unwrap_or(BODY)
}

impl Room {
    /// A message to all who are in the room at this shard.
    pub(super) fn announce<O: Outlet, B: Bus>(
        &self,
        turn: &mut Turn<'_, O, B>,
        message: &FromRelay,
    ) {
        let Ok(message) = encode_control(message) else {
            return;
        };
        for seat in self.stands.iter().flatten() {
            turn.control(seat.peer, &message);
        }
    }

    /// A local member's control body.
    pub(super) fn send<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        sender: Peer,
        from: MemberIndex,
        to: To,
        body: Vec<u8>,
    ) {
        let copies = match to {
            To::Everyone => self.population().saturating_sub(1),
            To::One(_) => 1,
        };
        let Some(member) = self.members.get_mut(from.0 as usize) else {
            return;
        };
        if body.len() > BODY {
            turn.doomed.push((sender, CloseReason::TooLarge));
            return;
        }
        let bytes = copies * framed(body.len());
        let (words, now) = (&mut member.words, turn.millis);
        if !self.outflow.has_for_words(words, bytes, now) {
            turn.doomed.push((sender, CloseReason::TooMany));
            return;
        }
        let from = member.id;
        let shard = match to {
            To::Everyone => None,
            To::One(id) if id == from => return,
            To::One(id) => match self.home(id) {
                Some(Home::Shard(shard)) => Some(shard),
                _ => None,
            },
        };
        if let Some(shard) = shard {
            let news = News::Message {
                from,
                to,
                body: body.into(),
            };
            let (me, room) = (turn.bus.me(), self.handle);
            turn.bus.send(
                shard,
                Parcel {
                    from: me,
                    room,
                    news,
                },
            );
            return;
        }
        if to == To::Everyone && !self.neighbours.is_empty() {
            let body = Bytes::copy_from_slice(&body);
            self.tell_neighbours(turn, &News::Message { from, to, body });
        }
        self.deliver(turn, from, to, body);
    }

    /// A control body to those of its receivers who are at this shard.
    pub(super) fn deliver<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        from: ParticipantId,
        to: To,
        body: Vec<u8>,
    ) {
        let Ok(message) = encode_control(&FromRelay::Message { from, body }) else {
            return;
        };
        let mut copies = 0;
        match to {
            To::Everyone => {
                let sender = self.home(from);
                for seat in self.stands.iter().flatten() {
                    if sender != Some(Home::Here(seat.peer)) {
                        turn.control(seat.peer, &message);
                        copies += 1;
                    }
                }
            }
            To::One(id) => {
                if let Some(Home::Here(peer)) = self.home(id) {
                    turn.control(peer, &message);
                    copies = 1;
                }
            }
        }
        self.outflow.words(copies * message.len());
    }
}
