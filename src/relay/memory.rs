//! How much all groups may hold together, and who goes when it is more.

use crate::wire::CloseReason;

use super::bus::Bus;
use super::limits::ROOM_BYTES;
use super::outlet::{Outlet, Peer};
use super::room::{Home, Room, track_of};
use super::rooms::Rooms;
use super::subscription::MemberIndex;

impl<B: Bus> Rooms<B> {
    /// Whether a room's groups hold more than they may.
    fn room_is_over(&self, index: usize) -> bool {
        self.rooms
            .get(index)
            .is_some_and(|room| room.held > ROOM_BYTES)
    }

    fn is_over(&self) -> bool {
        self.held > self.limits.group_bytes()
    }

    /// Over the bound of a room or of the relay, whoever holds most has to go, if no leaver's
    /// groups can go instead.
    pub(super) fn bound_bytes<O: Outlet>(&mut self, index: usize, outlet: &mut O) {
        self.drop_leavers(index, outlet);
        let room = self.rooms.get(index).filter(|_| self.room_is_over(index));
        let mut largest = room.and_then(Room::largest_holder);
        if largest.is_none() && self.is_over() {
            let holders = self
                .rooms
                .iter()
                .filter_map(|(_, room)| room.largest_holder());
            largest = holders.max_by_key(|&(_, held)| held);
        }
        if let Some((peer, _)) = largest {
            self.doomed.push((peer, CloseReason::TooLarge));
        }
    }

    /// Over the bound of a room or of the relay, lets go of what people who left are still being
    /// sent, the largest first: nobody who stays pays for who fills the memory and goes.
    pub(super) fn drop_leavers<O: Outlet>(&mut self, index: usize, outlet: &mut O) {
        while self.room_is_over(index) {
            let room = self.rooms.get(index);
            let Some((leaver, _)) = room.and_then(Room::largest_leaver) else {
                break;
            };
            self.drop_groups(index, leaver, outlet);
        }
        while self.is_over() {
            let leavers = self.rooms.iter().filter_map(|(at, room)| {
                let (leaver, held) = room.largest_leaver()?;
                Some((held, at, leaver))
            });
            let Some((_, at, leaver)) = leavers.max_by_key(|&(held, ..)| held) else {
                break;
            };
            self.drop_groups(at, leaver, outlet);
        }
    }

    fn drop_groups<O: Outlet>(&mut self, index: usize, member: MemberIndex, outlet: &mut O) {
        if let Some(room) = self.rooms.get_mut(index) {
            let before = room.held;
            room.drop_groups(outlet, member);
            self.held = self.held + room.held - before;
        }
    }
}

impl Room {
    /// Lets go of all groups of a member, whoever is still taking them.
    pub(super) fn drop_groups<O: Outlet>(&mut self, outlet: &mut O, index: MemberIndex) {
        for seat in self.stands.iter_mut().flatten() {
            let theirs = seat
                .views
                .extract_if(.., |view| view.source().member == index);
            for view in theirs {
                let track = track_of(&self.members, view.source());
                view.end(seat.peer, track, outlet);
            }
        }
        if let Some(member) = self.members.get_mut(index.0 as usize) {
            member.tracks.clear();
            self.held -= std::mem::take(&mut member.held);
        }
    }

    /// The local member whose groups hold most, and how much.
    fn largest_holder(&self) -> Option<(Peer, usize)> {
        let members = self.members.iter().map(|(_, member)| member);
        let here = members.filter_map(|member| match member.home {
            Home::Here(peer) if member.held > 0 => Some((peer, member.held)),
            _ => None,
        });
        here.max_by_key(|&(_, held)| held)
    }

    /// Who left and is not forgotten, of all these the one whose groups hold most, and how much.
    fn largest_leaver(&self) -> Option<(MemberIndex, usize)> {
        let held = |&index: &MemberIndex| {
            let member = self.members.get(index.0 as usize)?;
            (member.held > 0).then_some((index, member.held))
        };
        let leavers = self.departing.iter().filter_map(held);
        leavers.max_by_key(|&(_, held)| held)
    }
}
