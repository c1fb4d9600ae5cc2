//! One room: who is in it, and what happens when they come, go and speak.

use std::time::Instant;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use slab::Slab;
use zeroize::Zeroize;

use crate::wire::{
    CloseReason, FromRelay, ParticipantId, Role, RoomHandle, TrackId, encode_control,
};

use super::beat::{Backlog, MEMBERS, STANDS, Sharing};
use super::bucket::{Bucket, Millis};
use super::bus::{Bus, News, ShardId};
use super::groups::{Track, View};
use super::limits::{CATCH_UPS_BURST, CATCH_UPS_RATE, DATAGRAM_BURST, SUBSCRIPTIONS, TRACKS};
use super::outflow::Outflow;
use super::outlet::{Outlet, Peer, SendError};
use super::subscription::{MemberIndex, Selection, Source};

/// What a room needs from outside while it handles one thing.
pub(super) struct Turn<'a, O, B> {
    pub(super) now: Instant,
    pub(super) millis: Millis,
    pub(super) outlet: &'a mut O,
    pub(super) bus: &'a mut B,
    /// Participants to be closed once the room is done.
    pub(super) doomed: &'a mut Vec<(Peer, CloseReason)>,
    pub(super) tools: &'a mut Tools,
}

/// Buffers that are used again and again.
pub(super) struct Tools {
    pub(super) sharing: Sharing,
    pub(super) chunks: Vec<Bytes>,
}

impl<O: Outlet, B: Bus> Turn<'_, O, B> {
    /// Queues a control message; who has no room for it is too slow.
    pub(super) fn control(&mut self, to: Peer, message: &Bytes) {
        if self.outlet.send_control(to, message.clone()) == Err(SendError::Overflow) {
            self.doomed.push((to, CloseReason::TooSlow));
        }
    }
}

/// One local participant as a receiver.
pub(super) struct Seat {
    pub(super) peer: Peer,
    pub(super) member: Option<MemberIndex>,
    pub(super) selection: Selection,
    /// Its subscriptions to tracks that have groups.
    pub(super) views: Vec<View>,
    /// How many of these may begin with the current group.
    catch_ups: Bucket,
}

/// Where a seat is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) stand: usize,
    pub(super) seat: usize,
}

/// Where a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// At this shard.
    Here(Peer),
    /// At another.
    Shard(ShardId),
    /// It has left, and what it sent is still on its way.
    Gone { since: Instant, announced: bool },
}

/// One member as a sender.
pub(super) struct Member {
    pub(super) id: ParticipantId,
    pub(super) home: Home,
    /// Those that have groups.
    pub(super) tracks: Vec<Track>,
    /// Datagrams that came since the last beat.
    pub(super) waiting: usize,
    pub(super) datagrams: Bucket,
    /// What it may have sent in control messages however little the room has left.
    pub(super) words: Bucket,
    /// Bytes in its groups.
    pub(super) held: usize,
}

impl Member {
    pub(super) fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id() == id)
    }
}

/// The members of a room by their numbers.
pub(super) type Members = Slab<Member>;

pub(super) fn track_of(members: &Members, source: Source) -> Option<&Track> {
    members.get(source.member.0 as usize)?.track(source.track)
}

/// A room.
pub(super) struct Room {
    pub(super) handle: RoomHandle,
    pub(super) stands: [Vec<Seat>; STANDS],
    pub(super) members: Members,
    pub(super) by_id: FxHashMap<ParticipantId, MemberIndex>,
    pub(super) backlog: Backlog,
    /// Stands that have not seen the latest change in some group.
    pub(super) stirred: [bool; STANDS],
    /// Members that have left but are not forgotten.
    pub(super) departing: Vec<MemberIndex>,
    /// Other shards that have the room.
    pub(super) neighbours: Vec<ShardId>,
    /// Bytes in all groups.
    pub(super) held: usize,
    /// Bytes that it may still be sent.
    pub(super) outflow: Outflow,
    /// Whether it is on the list of rooms that need the next beat.
    pub(super) listed: bool,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.handle.0.zeroize();
    }
}

impl Room {
    pub(super) fn new(handle: RoomHandle, outflow: Outflow) -> Self {
        Self {
            handle,
            stands: std::array::from_fn(|_| Vec::new()),
            members: Slab::new(),
            by_id: FxHashMap::default(),
            backlog: Backlog::default(),
            stirred: [false; STANDS],
            departing: Vec::new(),
            neighbours: Vec::new(),
            held: 0,
            outflow,
            listed: false,
        }
    }

    /// Local participants.
    pub(super) fn population(&self) -> usize {
        self.stands.iter().map(Vec::len).sum()
    }

    /// Members at any shard.
    pub(super) fn member_count(&self) -> usize {
        self.by_id.len()
    }

    /// Someone comes in.
    pub(super) fn enter<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        peer: Peer,
        role: Role,
        you: ParticipantId,
    ) -> Place {
        let mut present: Vec<ParticipantId> = self.by_id.keys().copied().collect();
        present.sort_unstable();
        if let Ok(message) = encode_control(&FromRelay::Welcome { you, present }) {
            turn.control(peer, &message);
        }
        let member = match role {
            Role::Member => {
                turn.outlet.widen(peer);
                self.announce(turn, &FromRelay::Joined { participant: you });
                self.tell_neighbours(turn, &News::Here(you));
                Some(self.seat_member(turn, you, Home::Here(peer)))
            }
            Role::Viewer => None,
        };
        let stand = match role {
            Role::Member => MEMBERS,
            Role::Viewer => self.emptiest_viewer_stand(),
        };
        let seats = &mut self.stands[stand];
        seats.push(Seat {
            peer,
            member,
            selection: Selection::default(),
            views: Vec::new(),
            catch_ups: Bucket::new(CATCH_UPS_BURST, turn.millis),
        });
        Place {
            stand,
            seat: seats.len() - 1,
        }
    }

    fn emptiest_viewer_stand(&self) -> usize {
        let viewers = self.stands.iter().enumerate().skip(MEMBERS + 1);
        viewers
            .min_by_key(|(_, seats)| seats.len())
            .map_or(MEMBERS, |(stand, _)| stand)
    }

    pub(super) fn seat_member<O: Outlet, B: Bus>(
        &mut self,
        turn: &Turn<'_, O, B>,
        id: ParticipantId,
        home: Home,
    ) -> MemberIndex {
        let datagrams = Bucket::new(DATAGRAM_BURST, turn.millis);
        let member = Member {
            id,
            home,
            tracks: Vec::new(),
            waiting: 0,
            datagrams,
            words: self.outflow.share(turn.millis),
            held: 0,
        };
        let index = MemberIndex(self.members.insert(member) as u32);
        self.by_id.insert(id, index);
        index
    }

    /// A local participant goes. Its place is taken by the last of its stand, who is returned.
    pub(super) fn leave<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        place: Place,
    ) -> Option<Peer> {
        let seat = self.stands[place.stand].swap_remove(place.seat);
        for view in seat.views {
            let track = track_of(&self.members, view.source());
            view.end(seat.peer, track, turn.outlet);
        }
        if let Some(member) = seat.member {
            if let Some(gone) = self.members.get(member.0 as usize) {
                let news = News::Gone(gone.id);
                self.tell_neighbours(turn, &news);
            }
            self.depart(turn, member);
        }
        self.stands[place.stand]
            .get(place.seat)
            .map(|moved| moved.peer)
    }

    /// A member of any shard goes. What it sent well is still delivered; then it is forgotten.
    pub(super) fn depart<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        index: MemberIndex,
    ) {
        let Some(member) = self.members.get_mut(index.0 as usize) else {
            return;
        };
        if matches!(member.home, Home::Gone { .. }) {
            return;
        }
        member.home = Home::Gone {
            since: turn.now,
            announced: false,
        };
        let freed: usize = member.tracks.iter_mut().map(Track::cut_unfinished).sum();
        member.held -= freed;
        self.held -= freed;
        self.by_id.remove(&member.id);
        self.departing.push(index);
        self.stirred = [true; STANDS];
        self.wind_up(turn);
    }

    pub(super) fn home(&self, id: ParticipantId) -> Option<Home> {
        let index = self.by_id.get(&id)?;
        Some(self.members.get(index.0 as usize)?.home)
    }

    /// The source that a participant names, unless it is its own or of nobody who is here.
    fn source(&self, place: Place, id: ParticipantId, track: TrackId) -> Option<Source> {
        let member = *self.by_id.get(&id)?;
        let own = self.stands[place.stand].get(place.seat)?.member;
        (own != Some(member)).then_some(Source { member, track })
    }

    /// Someone asks for a track; if it has groups, the current one begins at once. What is begun
    /// counts as sent, and what is taken back at once was not: so whoever asks too often, or when the
    /// room has little left, waits for the next.
    pub(super) fn subscribe<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        place: Place,
        participant: ParticipantId,
        track: TrackId,
    ) {
        let source = self.source(place, participant, track);
        let Some(seat) = self.stands[place.stand].get_mut(place.seat) else {
            return;
        };
        if track.0 >= TRACKS || seat.selection.count() >= SUBSCRIPTIONS {
            turn.doomed.push((seat.peer, CloseReason::TooMany));
            return;
        }
        let Some(source) = source else { return };
        if seat.selection.insert(source)
            && let Some(track) = track_of(&self.members, source)
        {
            let now = turn.millis;
            let catches_up = self.outflow.has_for_newcomers(now)
                && seat.catch_ups.take(1, CATCH_UPS_BURST, CATCH_UPS_RATE, now);
            let mut view = match catches_up {
                true => View::from_newest(source),
                false => View::from_next(source, track),
            };
            let sent = view.pump(seat.peer, track, turn.outlet, &mut turn.tools.chunks);
            self.outflow.pictures(sent);
            seat.views.push(view);
        }
    }

    /// Someone wants a track no more.
    pub(super) fn unsubscribe<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        place: Place,
        participant: ParticipantId,
        track: TrackId,
    ) {
        let Some(source) = self.source(place, participant, track) else {
            return;
        };
        let Some(seat) = self.stands[place.stand].get_mut(place.seat) else {
            return;
        };
        if track.0 < TRACKS && seat.selection.remove(source) {
            let at = seat.views.iter().position(|view| view.source() == source);
            if let Some(at) = at {
                let view = seat.views.swap_remove(at);
                view.end(seat.peer, track_of(&self.members, source), turn.outlet);
            }
        }
    }
}
