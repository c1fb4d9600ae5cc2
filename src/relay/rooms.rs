//! All rooms of a shard, without I/O: events of the carrier in, calls of an [`Outlet`] out, the
//! clock passed in.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use slab::Slab;
use zeroize::Zeroize;

use crate::wire::{CloseReason, FromRelay, PassProof, RoomHandle, encode_control};

use super::access::Access;
use super::beat::{Grid, Sharing};
use super::bucket::Millis;
use super::bus::{Bus, News, Parcel};
use super::config::Limits;
use super::draw::Draw;
use super::guests::{Guest, Seated};
use super::limits::{JUST_PASSED, OVERRUN};
use super::meter::Closes;
use super::outlet::{Event, Outlet, Peer};
use super::room::{Room, Tools, Turn};

/// How a beat went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// None was due.
    NotYet,
    /// In time.
    InTime,
    /// So late that at least one was skipped.
    Late,
}

/// The rooms of one shard and everyone in them.
pub struct Rooms<B> {
    pub(super) limits: Limits,
    access: Access,
    pub(super) bus: B,
    pub(super) draw: Draw,
    pub(super) grid: Grid,
    pub(super) start: Instant,
    /// The beat that something waits for.
    pub(super) due: Option<u64>,
    /// No beat before this one is given any more.
    coming: u64,
    /// By the peer's index.
    pub(super) guests: Vec<Option<Box<Guest>>>,
    /// Who has still to say `Hello`, and until when; in that order.
    pub(super) greeting: VecDeque<(Instant, Peer)>,
    pub(super) connected: usize,
    pub(super) participants: usize,
    pub(super) rooms: Slab<Room>,
    /// The handles are boxed so that none stays behind in the table when its room is gone.
    pub(super) handles: HashMap<Box<RoomHandle>, usize>,
    /// Rooms that need the next beat.
    pub(super) busy: Vec<usize>,
    /// Bytes in all groups.
    pub(super) held: usize,
    pub(super) doomed: Vec<(Peer, CloseReason)>,
    pub(super) closes: Closes,
    pub(super) tools: Tools,
}

/// What a shard's rooms hold, for tests and aggregate metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Connections.
    pub connected: usize,
    /// Those of them in a room.
    pub participants: usize,
    /// Rooms.
    pub rooms: usize,
    /// Bytes in groups.
    pub group_bytes: usize,
}

macro_rules! turn {
    ($rooms:ident, $now:expr, $outlet:expr) => {
        &mut Turn {
            now: $now,
            millis: Millis::since($rooms.start, $now),
            outlet: $outlet,
            bus: &mut $rooms.bus,
            doomed: &mut $rooms.doomed,
            tools: &mut $rooms.tools,
        }
    };
}

impl<B: Bus> Rooms<B> {
    /// No rooms yet. `seed`: 32 bytes that nobody else knows.
    pub fn new(limits: Limits, bus: B, seed: [u8; 32], now: Instant) -> Self {
        let mut draw = Draw::new(seed);
        let tools = Tools {
            sharing: Sharing::new(draw.number()),
            chunks: Vec::new(),
        };
        Self {
            limits,
            access: Access::Open,
            bus,
            draw,
            grid: Grid::new(now),
            start: now,
            due: None,
            coming: 1,
            guests: Vec::new(),
            greeting: VecDeque::new(),
            connected: 0,
            participants: 0,
            rooms: Slab::new(),
            handles: HashMap::new(),
            busy: Vec::new(),
            held: 0,
            doomed: Vec::new(),
            closes: Closes::default(),
            tools,
        }
    }

    /// Lets in only whom `access` admits; without this, everyone.
    pub(super) fn for_those(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// When [`Rooms::beat`] has something to do. While nobody sends anything, never.
    pub fn deadline(&self) -> Option<Instant> {
        let beat = self.due.map(|index| self.grid.at(index));
        let greeting = self.greeting.front().map(|&(until, _)| until);
        beat.into_iter().chain(greeting).min()
    }

    /// The beat for what comes in now. It may be one that has just passed: what came in before it is
    /// seen only after it.
    fn next_beat(&self, now: Instant) -> u64 {
        let index = self.grid.index(now);
        let just = now.saturating_duration_since(self.grid.at(index)) < JUST_PASSED;
        if just && index >= self.coming {
            index
        } else {
            index + 1
        }
    }

    /// When the beat after `now` falls, whether or not anything waits for it.
    pub fn after(&self, now: Instant) -> Instant {
        self.grid.at(self.grid.index(now) + 1)
    }

    /// Whether a beat is coming.
    #[cfg(test)]
    pub fn busy(&self) -> bool {
        self.due.is_some()
    }

    /// How much there is.
    pub fn census(&self) -> Census {
        Census {
            connected: self.connected,
            participants: self.participants,
            rooms: self.rooms.len(),
            group_bytes: self.held,
        }
    }

    /// Takes one event of the carrier.
    pub fn handle<O: Outlet>(&mut self, now: Instant, event: Event, outlet: &mut O) {
        match event {
            Event::Connected(peer) => self.connected(now, peer, outlet),
            Event::Control(peer, bytes) => self.control(now, peer, &bytes, outlet),
            Event::Datagram(peer, bytes) => self.datagram(now, peer, &bytes, outlet),
            Event::GroupOpened(peer, stream) => self.group_opened(now, peer, stream),
            Event::GroupData(peer, stream, bytes) => {
                self.group_data(now, peer, stream, bytes, outlet);
            }
            Event::GroupFinished(peer, stream) => self.group_ended(now, peer, stream, true, outlet),
            Event::GroupReset(peer, stream) => self.group_ended(now, peer, stream, false, outlet),
            Event::GroupStopped(peer, stream) => self.group_stopped(now, peer, stream, outlet),
            Event::Writable(peer) => self.writable(now, peer, outlet),
            Event::ControlFinished(peer) => self.close(now, peer, CloseReason::Done, outlet),
            Event::Closed(peer) => self.forget(now, peer, outlet),
        }
        self.settle(now, outlet);
    }

    /// Takes what another shard sent.
    pub fn hear<O: Outlet>(&mut self, now: Instant, outlet: &mut O) {
        while let Some(Parcel { from, room, news }) = self.bus.receive() {
            let Some(&index) = self.handles.get(&room) else {
                continue;
            };
            self.in_room(now, index, outlet, |room, turn| room.hear(turn, from, news));
            self.settle(now, outlet);
        }
    }

    /// Gives everyone what waited for the beat, once it is time, and closes who never said
    /// `Hello`.
    pub fn beat<O: Outlet>(&mut self, now: Instant, outlet: &mut O) -> Beat {
        while let Some(&(until, peer)) = self.greeting.front()
            && until <= now
        {
            self.greeting.pop_front();
            if self.guest(peer).is_some_and(|guest| guest.seat.is_none()) {
                self.doomed.push((peer, CloseReason::NoHello));
            }
        }
        self.settle(now, outlet);
        let Some(due) = self.due.filter(|&due| self.grid.at(due) <= now) else {
            return Beat::NotYet;
        };
        let late = now.saturating_duration_since(self.grid.at(due)) >= OVERRUN;
        let index = self.grid.index(now);
        let stands = self.grid.serve(index);
        let mut busy = std::mem::take(&mut self.busy);
        for &room in &busy {
            self.in_room(now, room, outlet, |room, turn| room.beat(turn, stands));
        }
        self.due = None;
        self.coming = index + 1;
        self.settle(now, outlet);
        busy.append(&mut self.busy);
        busy.retain(|&room| match self.rooms.get_mut(room) {
            Some(room) => {
                room.listed = room.needs_beat();
                room.listed
            }
            None => false,
        });
        self.due = (!busy.is_empty()).then_some(index + 1);
        self.busy = busy;
        if late { Beat::Late } else { Beat::InTime }
    }

    /// Tells everyone why, and closes all connections.
    pub fn close_all<O: Outlet>(&mut self, now: Instant, reason: CloseReason, outlet: &mut O) {
        let everyone: Vec<_> = self
            .guests
            .iter()
            .flatten()
            .map(|guest| guest.peer)
            .collect();
        for peer in everyone {
            self.part(peer, reason, outlet);
        }
        self.guests.clear();
        self.greeting.clear();
        for (_, room) in &mut self.rooms {
            room.tell_neighbours(turn!(self, now, outlet), &News::Emptied);
            room.handle.0.zeroize();
        }
        self.rooms.clear();
        for (mut handle, _) in self.handles.drain() {
            handle.0.zeroize();
        }
        self.busy.clear();
        self.due = None;
        (self.connected, self.participants, self.held) = (0, 0, 0);
    }

    pub(super) fn admits(&self, room: &RoomHandle, proof: Option<&PassProof>) -> bool {
        self.access.admits(room, proof)
    }

    pub(super) fn guest(&mut self, peer: Peer) -> Option<&mut Guest> {
        let guest = self.guests.get_mut(peer.index() as usize)?.as_deref_mut()?;
        (guest.peer == peer).then_some(guest)
    }

    pub(super) fn seated(&mut self, peer: Peer) -> Option<Seated> {
        self.guest(peer)?.seat
    }

    /// Does something in a room, and keeps count of its bytes and of whether it needs a beat.
    pub(super) fn in_room<O: Outlet, R>(
        &mut self,
        now: Instant,
        index: usize,
        outlet: &mut O,
        act: impl FnOnce(&mut Room, &mut Turn<'_, O, B>) -> R,
    ) -> Option<R> {
        let room = self.rooms.get_mut(index)?;
        let before = room.held;
        let result = act(room, turn!(self, now, outlet));
        self.held = self.held + room.held - before;
        if room.held > before {
            self.bound_bytes(index, outlet);
        }
        self.list(now, index);
        Some(result)
    }

    fn list(&mut self, now: Instant, index: usize) {
        let Some(room) = self.rooms.get_mut(index) else {
            return;
        };
        if !room.listed && room.needs_beat() {
            room.listed = true;
            self.busy.push(index);
            let next = self.next_beat(now);
            self.due.get_or_insert(next);
        }
    }

    /// Closes whoever has to go, and whoever has to go because of that.
    pub(super) fn settle<O: Outlet>(&mut self, now: Instant, outlet: &mut O) {
        while let Some((peer, reason)) = self.doomed.pop() {
            self.close(now, peer, reason, outlet);
        }
    }

    pub(super) fn close<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        reason: CloseReason,
        outlet: &mut O,
    ) {
        if self.guest(peer).is_some() {
            self.part(peer, reason, outlet);
            self.forget(now, peer, outlet);
        }
    }

    fn part<O: Outlet>(&mut self, peer: Peer, reason: CloseReason, outlet: &mut O) {
        if let Ok(message) = encode_control(&FromRelay::Closed { reason }) {
            // Who has no room for the message still gets the reason as the error code.
            let _ = outlet.send_control(peer, message);
        }
        outlet.close(peer, reason);
        self.closes.count(reason);
    }

    /// A connection is gone: so is everything about it, and its room with the last one.
    pub(super) fn forget<O: Outlet>(&mut self, now: Instant, peer: Peer, outlet: &mut O) {
        if self.guest(peer).is_none() {
            return;
        }
        let guest = self
            .guests
            .get_mut(peer.index() as usize)
            .and_then(Option::take);
        self.connected -= 1;
        let Some(Seated {
            room: index, place, ..
        }) = guest.and_then(|guest| guest.seat)
        else {
            return;
        };
        self.participants -= 1;
        let moved = self.in_room(now, index, outlet, |room, turn| room.leave(turn, place));
        self.drop_leavers(index, outlet);
        if let Some(Some(moved)) = moved
            && let Some(Guest {
                seat: Some(seat), ..
            }) = self.guest(moved)
        {
            seat.place = place;
        }
        if self
            .rooms
            .get(index)
            .is_some_and(|room| room.population() == 0)
        {
            self.shut(now, index, outlet);
        }
    }

    fn shut<O: Outlet>(&mut self, now: Instant, index: usize, outlet: &mut O) {
        let Some(room) = self.rooms.get_mut(index) else {
            return;
        };
        room.tell_neighbours(turn!(self, now, outlet), &News::Emptied);
        self.held -= room.held;
        if let Some((mut handle, _)) = self.handles.remove_entry(&room.handle) {
            handle.0.zeroize();
        }
        // Where it is: the slab keeps the bytes of what is taken out of it.
        room.handle.0.zeroize();
        self.rooms.remove(index);
        self.busy.retain(|&busy| busy != index);
        if self.busy.is_empty() {
            self.due = None;
        }
    }
}
