//! Everyone who is connected to a shard: what they say, before and after `Hello`.

use std::time::Instant;

use bytes::Bytes;
use zeroize::Zeroize;

use crate::wire::{
    CloseReason, ControlReader, Role, RoomHandle, To, ToRelay, VERSION, WireError, hello_version,
    split_uplink,
};

use super::bucket::{Bucket, Millis};
use super::bus::{Bus, News, Parcel};
use super::limits::{
    BODIES_BURST, BODIES_RATE, BODY_COST, GREETINGS, GROUP_BURST, GROUPS_BURST, HELLO_WITHIN,
    MESSAGES_BURST, MESSAGES_RATE,
};
use super::outflow::Outflow;
use super::outlet::{OutgoingGroup, Outlet, Peer};
use super::post::framed;
use super::room::{Place, Room};
use super::rooms::Rooms;
use super::subscription::{MemberIndex, Source};
use super::uploads::Upload;

/// One connection, from its first byte on.
pub(super) struct Guest {
    pub(super) peer: Peer,
    pub(super) reader: ControlReader<ToRelay>,
    pub(super) seat: Option<Seated>,
    pub(super) messages: Bucket,
    pub(super) bodies: Bucket,
    /// How many groups it may begin, and how many bytes of groups it may send.
    pub(super) groups: Bucket,
    pub(super) group_bytes: Bucket,
    pub(super) uploads: Vec<Upload>,
}

/// Where a guest sits once it has said `Hello`.
#[derive(Clone, Copy)]
pub(super) struct Seated {
    pub(super) room: usize,
    pub(super) place: Place,
    pub(super) member: Option<MemberIndex>,
}

impl Guest {
    /// Whether the next message is the `Hello` of a version that may look different otherwise.
    fn speaks_another_version(&self) -> bool {
        let next = self.reader.used().ok().flatten();
        next.and_then(hello_version)
            .is_some_and(|version| version != VERSION)
    }
}

impl<B: Bus> Rooms<B> {
    pub(super) fn connected<O: Outlet>(&mut self, now: Instant, peer: Peer, outlet: &mut O) {
        let index = peer.index() as usize;
        if let Some(Some(stale)) = self.guests.get(index) {
            let stale = stale.peer;
            self.forget(now, stale, outlet);
        }
        if self.guests.len() <= index {
            self.guests.resize_with(index + 1, || None);
        }
        let millis = Millis::since(self.start, now);
        self.guests[index] = Some(Box::new(Guest {
            peer,
            reader: ControlReader::new(),
            seat: None,
            messages: Bucket::new(MESSAGES_BURST, millis),
            bodies: Bucket::new(BODIES_BURST, millis),
            groups: Bucket::new(GROUPS_BURST, millis),
            group_bytes: Bucket::new(GROUP_BURST, millis),
            uploads: Vec::new(),
        }));
        self.connected += 1;
        self.greeting.push_back((now + HELLO_WITHIN, peer));
        if self.connected > self.limits.participants + GREETINGS {
            self.doomed.push((peer, CloseReason::RelayFull));
        }
    }

    pub(super) fn control<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        bytes: &[u8],
        outlet: &mut O,
    ) {
        let millis = Millis::since(self.start, now);
        let Some(guest) = self.guest(peer) else {
            return;
        };
        let mut pushed = guest.reader.push(bytes);
        while let Some(guest) = self.guest(peer) {
            let other_version = guest.seat.is_none() && guest.speaks_another_version();
            let message = std::mem::replace(&mut pushed, Ok(())).and_then(|()| guest.reader.next());
            match message {
                _ if other_version => self.doomed.push((peer, CloseReason::Version)),
                Ok(Some(message)) => {
                    if !guest
                        .messages
                        .take(1, MESSAGES_BURST, MESSAGES_RATE, millis)
                    {
                        self.doomed.push((peer, CloseReason::TooMany));
                    } else {
                        self.message(now, peer, message, outlet);
                    }
                }
                Ok(None) => return,
                Err(error) => self.doomed.push((peer, fault(error))),
            }
            self.settle(now, outlet);
        }
    }

    fn message<O: Outlet>(&mut self, now: Instant, peer: Peer, message: ToRelay, outlet: &mut O) {
        let Some(guest) = self.guest(peer) else {
            return;
        };
        match (guest.seat, message) {
            (
                None,
                ToRelay::Hello {
                    mut room,
                    role,
                    mut pass,
                    ..
                },
            ) => {
                // First of all: who has no pass learns nothing of the room.
                match self.admits(&room, pass.as_ref()) {
                    true => self.hello(now, peer, &room, role, outlet),
                    false => self.doomed.push((peer, CloseReason::Pass)),
                }
                room.0.zeroize();
                if let Some(proof) = &mut pass {
                    proof.nonce.zeroize();
                    proof.tag.zeroize();
                }
            }
            (None, _) | (Some(_), ToRelay::Hello { .. }) => {
                self.doomed.push((peer, CloseReason::Unexpected));
            }
            (Some(seat), ToRelay::Send { to, body }) => {
                self.send(now, peer, seat, to, body, outlet);
            }
            (Some(seat), ToRelay::Subscribe { participant, track }) => {
                self.in_room(now, seat.room, outlet, |room, turn| {
                    room.subscribe(turn, seat.place, participant, track);
                });
            }
            (Some(seat), ToRelay::Unsubscribe { participant, track }) => {
                self.in_room(now, seat.room, outlet, |room, turn| {
                    room.unsubscribe(turn, seat.place, participant, track);
                });
            }
        }
    }

    fn hello<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        handle: &RoomHandle,
        role: Role,
        outlet: &mut O,
    ) {
        let known = self.handles.get(handle).copied();
        let limits = &self.limits;
        let relay_full = self.participants >= limits.participants
            || (known.is_none() && self.rooms.len() >= limits.rooms);
        let room_full = known
            .and_then(|room| self.rooms.get(room))
            .is_some_and(|room| {
                room.population() >= limits.participants_per_room
                    || (role == Role::Member && room.member_count() >= limits.members_per_room)
            });
        if relay_full || room_full {
            let reason = if relay_full {
                CloseReason::RelayFull
            } else {
                CloseReason::RoomFull
            };
            return self.doomed.push((peer, reason));
        }
        let index = known.unwrap_or_else(|| self.open(now, handle));
        let Some(room) = self.rooms.get_mut(index) else {
            return;
        };
        let you = self.draw.participant(|id| room.by_id.contains_key(&id));
        let Some(place) = self.in_room(now, index, outlet, |room, turn| {
            room.enter(turn, peer, role, you)
        }) else {
            return;
        };
        let seat = self
            .rooms
            .get(index)
            .and_then(|room| room.stands[place.stand].get(place.seat));
        let member = seat.and_then(|seat| seat.member);
        self.participants += 1;
        if let Some(guest) = self.guest(peer) {
            guest.seat = Some(Seated {
                room: index,
                place,
                member,
            });
        }
    }

    fn open(&mut self, now: Instant, handle: &RoomHandle) -> usize {
        let millis = Millis::since(self.start, now);
        let outflow = Outflow::new(self.limits.room_bytes_per_second, millis);
        let index = self.rooms.insert(Room::new(*handle, outflow));
        self.handles.insert(Box::new(*handle), index);
        for shard in self.bus.others().to_vec() {
            let from = self.bus.me();
            self.bus.send(
                shard,
                Parcel {
                    from,
                    room: *handle,
                    news: News::Opened,
                },
            );
        }
        index
    }

    fn send<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        seat: Seated,
        to: To,
        body: Vec<u8>,
        outlet: &mut O,
    ) {
        let millis = Millis::since(self.start, now);
        let Some(member) = seat.member else {
            return self.doomed.push((peer, CloseReason::Unexpected));
        };
        let cost = (framed(body.len()) as u32).max(BODY_COST);
        let Some(guest) = self.guest(peer) else {
            return;
        };
        if !guest.bodies.take(cost, BODIES_BURST, BODIES_RATE, millis) {
            return self.doomed.push((peer, CloseReason::TooMany));
        }
        self.in_room(now, seat.room, outlet, |room, turn| {
            room.send(turn, peer, member, to, body)
        });
    }

    /// The seat of a member; anyone else who sends media is closed.
    pub(super) fn sender(&mut self, peer: Peer) -> Option<(Seated, MemberIndex)> {
        let seat = self.guest(peer)?.seat;
        let sender = seat.and_then(|seat| Some((seat, seat.member?)));
        if sender.is_none() {
            self.doomed.push((peer, CloseReason::Unexpected));
        }
        sender
    }

    pub(super) fn datagram<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        bytes: &Bytes,
        outlet: &mut O,
    ) {
        let Some((seat, member)) = self.sender(peer) else {
            return;
        };
        match split_uplink(bytes) {
            Ok((track, payload)) => {
                let source = Source { member, track };
                self.in_room(now, seat.room, outlet, |room, turn| {
                    room.datagram(turn, peer, source, payload);
                });
            }
            Err(error) => self.doomed.push((peer, fault(error))),
        }
    }

    pub(super) fn group_stopped<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        stream: OutgoingGroup,
        outlet: &mut O,
    ) {
        if let Some(seat) = self.seated(peer) {
            self.in_room(now, seat.room, outlet, |room, turn| {
                room.stopped(turn, seat.place, stream);
            });
        }
    }

    pub(super) fn writable<O: Outlet>(&mut self, now: Instant, peer: Peer, outlet: &mut O) {
        if let Some(seat) = self.seated(peer) {
            self.in_room(now, seat.room, outlet, |room, turn| {
                room.writable(turn, seat.place)
            });
        }
    }
}

/// What a peer is told when its bytes are wrong.
pub(super) fn fault(error: WireError) -> CloseReason {
    match error {
        WireError::TooLarge => CloseReason::TooLarge,
        WireError::SizeClass | WireError::Malformed | WireError::Padding | WireError::Truncated => {
            CloseReason::Malformed
        }
    }
}
