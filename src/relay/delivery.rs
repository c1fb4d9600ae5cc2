//! A frame's way through a room: it comes in, waits for the beat, and goes out to all who take it.

use bytes::Bytes;

use crate::wire::{CloseReason, FromRelay, GroupNumber, TrackId};

use super::beat::{Arrival, MEMBERS, STANDS};
use super::bus::{Bus, GroupName, News};
use super::groups::{Track, View};
use super::limits::{
    DATAGRAM_BURST, DATAGRAM_COST, DATAGRAM_RATE, FAIR_SHARE, FAREWELL, GROUP_BYTES, LINGER,
    PARTICIPANT_BYTES, ROOM_DATAGRAMS, SENDER_DATAGRAMS, TRACKS,
};
use super::outflow::PACKET;
use super::outlet::{OutgoingGroup, Outlet, Peer};
use super::room::{Home, Members, Place, Room, Seat, Turn, track_of};
use super::subscription::{MemberIndex, Source};

impl Room {
    /// A local member's datagram. What is over its rate is dropped: late audio is worth nothing.
    pub(super) fn datagram<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        sender: Peer,
        source: Source,
        payload: Bytes,
    ) {
        if source.track.0 >= TRACKS {
            turn.doomed.push((sender, CloseReason::TooMany));
            return;
        }
        let Some(member) = self.members.get_mut(source.member.0 as usize) else {
            return;
        };
        let cost = (payload.len() as u32).max(DATAGRAM_COST);
        if !member
            .datagrams
            .take(cost, DATAGRAM_BURST, DATAGRAM_RATE, turn.millis)
        {
            return;
        }
        if !self.outflow.has_for_sound(turn.millis) {
            return;
        }
        if !self.neighbours.is_empty() {
            let (from, track) = (member.id, source.track);
            let payload = payload.clone();
            self.tell_neighbours(
                turn,
                &News::Datagram {
                    from,
                    track,
                    payload,
                },
            );
        }
        self.queue(source, payload);
    }

    /// A datagram of any member waits for the beat.
    pub(super) fn queue(&mut self, source: Source, payload: Bytes) {
        let Some(member) = self.members.get_mut(source.member.0 as usize) else {
            return;
        };
        let crowded = self.backlog.waiting(MEMBERS).len() >= ROOM_DATAGRAMS;
        if source.track.0 >= TRACKS || (crowded && member.waiting >= FAIR_SHARE) {
            return;
        }
        if member.waiting >= SENDER_DATAGRAMS {
            self.backlog.drop_oldest(source.member);
        } else {
            member.waiting += 1;
        }
        self.backlog.push(Arrival {
            source,
            sender: member.id,
            payload,
        });
    }

    /// A group begins. `false` when it is refused: it isn't newer than its track's newest.
    pub(super) fn begin_group<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        index: MemberIndex,
        track: TrackId,
        group: GroupNumber,
    ) -> bool {
        let Some(member) = self.members.get_mut(index.0 as usize) else {
            return false;
        };
        let new = member.track(track).is_none();
        if new {
            member.tracks.push(Track::new(track));
        }
        let (id, home) = (member.id, member.home);
        let Some(entry) = member.tracks.iter_mut().find(|entry| entry.id() == track) else {
            return false;
        };
        let Some(freed) = entry.begin(id, group, turn.now) else {
            return false;
        };
        member.held -= freed;
        self.held -= freed;
        if new {
            let source = Source {
                member: index,
                track,
            };
            let takers = self.stands.iter_mut().flatten();
            for seat in takers.filter(|seat| seat.selection.contains(source)) {
                seat.views.push(View::from_first(source));
            }
        }
        self.stirred = [true; STANDS];
        if let Home::Here(_) = home {
            self.tell_neighbours(
                turn,
                &News::GroupBegan(GroupName {
                    from: id,
                    track,
                    group,
                }),
            );
        }
        true
    }

    /// More bytes of a group. `false` when nobody holds it any more.
    pub(super) fn extend_group<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        index: MemberIndex,
        track: TrackId,
        group: GroupNumber,
        bytes: Bytes,
    ) -> bool {
        let Some(member) = self.members.get_mut(index.0 as usize) else {
            return false;
        };
        let (from, home, added) = (member.id, member.home, bytes.len());
        let Some(entry) = member.tracks.iter_mut().find(|entry| entry.id() == track) else {
            return false;
        };
        let Some(size) = entry.extend(group, bytes.clone()) else {
            return false;
        };
        member.held += added;
        self.held += added;
        self.stirred = [true; STANDS];
        if let Home::Here(peer) = home {
            if size > GROUP_BYTES || member.held > PARTICIPANT_BYTES {
                turn.doomed.push((peer, CloseReason::TooLarge));
            }
            let name = GroupName { from, track, group };
            self.tell_neighbours(turn, &News::GroupBytes(name, bytes));
        }
        true
    }

    /// The end of a group: all of it is there, or it was cut off.
    pub(super) fn end_group<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        index: MemberIndex,
        track: TrackId,
        group: GroupNumber,
        whole: bool,
    ) {
        let Some(member) = self.members.get_mut(index.0 as usize) else {
            return;
        };
        let (from, home) = (member.id, member.home);
        let Some(entry) = member.tracks.iter_mut().find(|entry| entry.id() == track) else {
            return;
        };
        if whole {
            entry.finish(group);
        } else {
            let freed = entry.cut(group);
            member.held -= freed;
            self.held -= freed;
        }
        self.stirred = [true; STANDS];
        if let Home::Here(_) = home {
            let name = GroupName { from, track, group };
            self.tell_neighbours(turn, &News::GroupEnded(name, whole));
        }
    }

    /// Gives each stand that is due what waits for it: audio first, then groups.
    pub(super) fn beat<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        due: [bool; STANDS],
    ) {
        self.expire_groups(turn);
        for (stand, _) in due.iter().enumerate().filter(|(_, due)| **due) {
            self.beat_audio(turn, stand);
            self.beat_groups(turn, stand);
        }
        for (_, member) in &mut self.members {
            member.waiting = 0;
        }
        let occupied = std::array::from_fn(|stand| !self.stands[stand].is_empty());
        self.backlog.forget_given(occupied);
        self.wind_up(turn);
    }

    /// What a frame costs here: a look at two words, a clone of a `Bytes`, a call of the carrier.
    fn beat_audio<O: Outlet, B: Bus>(&mut self, turn: &mut Turn<'_, O, B>, stand: usize) {
        let (arrivals, seats) = (self.backlog.waiting(stand), &self.stands[stand]);
        if !arrivals.is_empty() && !seats.is_empty() {
            let sharing = &mut turn.tools.sharing;
            let mut sent = 0;
            sharing.begin(arrivals, seats.len());
            for seat in seats {
                for bundle in sharing.of(&seat.selection, arrivals) {
                    sent += bundle.len() + PACKET;
                    // A carrier that has no room for audio drops it: that is its right.
                    let _ = turn.outlet.send_datagram(seat.peer, bundle.clone());
                }
            }
            sharing.clear();
            self.outflow.sound(sent);
        }
        self.backlog.given(stand);
    }

    fn beat_groups<O: Outlet, B: Bus>(&mut self, turn: &mut Turn<'_, O, B>, stand: usize) {
        if !std::mem::take(&mut self.stirred[stand]) {
            return;
        }
        let mut sent = 0;
        for seat in &mut self.stands[stand] {
            sent += pump(seat, &self.members, turn.outlet, &mut turn.tools.chunks);
        }
        self.outflow.pictures(sent);
    }

    /// A participant's connection takes group bytes again.
    pub(super) fn writable<O: Outlet, B: Bus>(&mut self, turn: &mut Turn<'_, O, B>, place: Place) {
        if let Some(seat) = self.stands[place.stand].get_mut(place.seat) {
            let sent = pump(seat, &self.members, turn.outlet, &mut turn.tools.chunks);
            self.outflow.pictures(sent);
        }
    }

    /// A participant wants no more of one group.
    pub(super) fn stopped<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        place: Place,
        stream: OutgoingGroup,
    ) {
        let Some(seat) = self.stands[place.stand].get_mut(place.seat) else {
            return;
        };
        for view in &mut seat.views {
            if view.stop(stream, track_of(&self.members, view.source())) {
                turn.outlet.reset_group(seat.peer, stream);
                return;
            }
        }
    }

    fn expire_groups<O: Outlet, B: Bus>(&mut self, turn: &Turn<'_, O, B>) {
        for (_, member) in &mut self.members {
            for track in member.tracks.iter_mut().filter(|track| track.ages()) {
                let freed = track.expire(turn.now);
                member.held -= freed;
                self.held -= freed;
                self.stirred = [true; STANDS];
            }
        }
    }

    /// Forgets who left once what they sent has gone out. `Left` follows the last datagrams.
    pub(super) fn wind_up<O: Outlet, B: Bus>(&mut self, turn: &mut Turn<'_, O, B>) {
        let departing = std::mem::take(&mut self.departing);
        for index in departing {
            let Some(member) = self.members.get_mut(index.0 as usize) else {
                continue;
            };
            let Home::Gone { since, announced } = member.home else {
                continue;
            };
            let participant = member.id;
            let heard = announced || !self.backlog.holds(MEMBERS, index);
            member.home = Home::Gone {
                since,
                announced: heard,
            };
            let age = turn.now.saturating_duration_since(since);
            let groups = |track: &Track| track.newest().is_some();
            let reading = member.tracks.iter().any(Track::is_read)
                || (age < LINGER && member.tracks.iter().any(groups));
            let waiting = (0..STANDS)
                .any(|stand| !self.stands[stand].is_empty() && self.backlog.holds(stand, index));
            if heard && !announced {
                self.announce(turn, &FromRelay::Left { participant });
            }
            if (reading || waiting || !heard) && age < FAREWELL {
                self.departing.push(index);
            } else {
                self.bury(turn, index);
            }
        }
    }

    /// Forgets a member: its number is free for another.
    fn bury<O: Outlet, B: Bus>(&mut self, turn: &mut Turn<'_, O, B>, index: MemberIndex) {
        self.backlog.purge(index);
        self.drop_groups(turn.outlet, index);
        for seat in self.stands.iter_mut().flatten() {
            seat.selection.forget(index);
        }
        self.members.try_remove(index.0 as usize);
    }

    /// Whether something here waits for a beat.
    pub(super) fn needs_beat(&self) -> bool {
        let ages = |track: &Track| track.ages();
        let waits = |stand: usize| {
            !self.stands[stand].is_empty()
                && (self.stirred[stand] || !self.backlog.waiting(stand).is_empty())
        };
        !self.departing.is_empty()
            || (0..STANDS).any(waits)
            || self
                .members
                .iter()
                .any(|(_, member)| member.tracks.iter().any(ages))
    }
}

/// How many bytes were taken.
fn pump<O: Outlet>(
    seat: &mut Seat,
    members: &Members,
    outlet: &mut O,
    chunks: &mut Vec<Bytes>,
) -> usize {
    let mut sent = 0;
    for view in &mut seat.views {
        if let Some(track) = track_of(members, view.source()) {
            sent += view.pump(seat.peer, track, outlet, chunks);
        }
    }
    sent
}
