//! Control messages within a room: what the relay announces, and bodies from a member to those
//! whom they are for.

use bytes::Bytes;

use crate::wire::limits::BODY;
use crate::wire::{CloseReason, FromRelay, ParticipantId, To, encode_control};

use super::bus::{Bus, News, Parcel};
use super::outlet::{Outlet, Peer};
use super::room::{Home, Room, Turn};
use super::subscription::MemberIndex;

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
        let Some(member) = self.members.get(from.0 as usize) else {
            return;
        };
        if body.len() > BODY {
            turn.doomed.push((sender, CloseReason::TooLarge));
            return;
        }
        if !self.outflow.has_for_words(turn.millis) {
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
