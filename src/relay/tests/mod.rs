//! Stories about rooms, with a virtual clock and a carrier that only writes down what it is told.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::wire::{
    BundleEntries, CloseReason, ControlReader, DownlinkGroup, FromRelay, GroupNumber,
    ParticipantId, Role, RoomHandle, To, ToRelay, TrackId, UplinkGroup, VERSION, encode_control,
    uplink,
};

use super::bus::{Alone, Bus};
use super::config::Limits;
use super::limits::BEAT;
use super::outlet::{Event, IncomingGroup, OutgoingGroup, Peer};
use super::rooms::{Beat, Rooms};

mod access;
mod audio;
mod bounds;
mod bus;
mod carrier;
mod comings;
mod floods;
mod group_bounds;
mod groups;
mod outflow;
mod soak;
mod windows;

use carrier::{Came, Carrier, End, Inbox, Stream};

pub(super) const AUDIO: TrackId = TrackId(0);
pub(super) const VIDEO: TrackId = TrackId(1);
pub(super) const ROOM: RoomHandle = RoomHandle([7; 32]);

/// A connection, and the id that `Welcome` gave it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) peer: Peer,
    pub(super) id: ParticipantId,
}

/// A relay in a test.
pub(super) struct Relay<B: Bus = Alone> {
    pub(super) rooms: Rooms<B>,
    pub(super) carrier: Carrier,
    pub(super) now: Instant,
    pub(super) beats: Vec<Instant>,
    free: Vec<u32>,
    generation: u32,
}

impl Relay {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        Self::on(Alone, limits, Instant::now())
    }
}

impl<B: Bus> Relay<B> {
    pub(super) fn on(bus: B, limits: Limits, now: Instant) -> Self {
        Self {
            rooms: Rooms::new(limits, bus, [42; 32], now),
            carrier: Carrier::default(),
            now,
            beats: Vec::new(),
            free: (0..20_000).rev().collect(),
            generation: 0,
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.rooms.handle(self.now, event, &mut self.carrier);
    }

    pub(super) fn connect(&mut self) -> Peer {
        let index = self.free.pop().unwrap();
        self.generation += 1;
        let peer = Peer::for_tests(index, self.generation);
        self.event(Event::Connected(peer));
        peer
    }

    pub(super) fn tell(&mut self, peer: Peer, message: &ToRelay) {
        self.event(Event::Control(peer, encode_control(message).unwrap()));
    }

    pub(super) fn hello(&mut self, peer: Peer, room: RoomHandle, role: Role) {
        self.tell(
            peer,
            &ToRelay::Hello {
                version: VERSION,
                room,
                role,
                pass: None,
            },
        );
    }

    pub(super) fn enter(&mut self, room: RoomHandle, role: Role) -> Person {
        let peer = self.connect();
        self.hello(peer, room, role);
        let id = self.carrier.inboxes[&peer]
            .control
            .iter()
            .find_map(|message| match message {
                FromRelay::Welcome { you, .. } => Some(*you),
                _ => None,
            });
        Person {
            peer,
            id: id.expect("no welcome"),
        }
    }

    pub(super) fn member(&mut self) -> Person {
        self.enter(ROOM, Role::Member)
    }

    pub(super) fn members<const N: usize>(&mut self) -> [Person; N] {
        std::array::from_fn(|_| self.member())
    }

    pub(super) fn viewer(&mut self) -> Person {
        self.enter(ROOM, Role::Viewer)
    }

    pub(super) fn leave(&mut self, who: Person) {
        self.event(Event::Closed(who.peer));
    }

    pub(super) fn subscribe(&mut self, who: Person, to: Person, track: TrackId) {
        self.tell(
            who.peer,
            &ToRelay::Subscribe {
                participant: to.id,
                track,
            },
        );
    }

    pub(super) fn send(&mut self, who: Person, to: To, body: &[u8]) {
        self.tell(
            who.peer,
            &ToRelay::Send {
                to,
                body: body.to_vec(),
            },
        );
    }

    pub(super) fn speak(&mut self, who: Person, payload: &[u8]) {
        self.event(Event::Datagram(who.peer, uplink(AUDIO, payload)));
    }

    /// A stream's number, its header sent.
    pub(super) fn begin(&mut self, who: Person, stream: u64, group: u32) {
        self.open(who, stream);
        let header = UplinkGroup {
            track: VIDEO,
            group: GroupNumber(group),
        }
        .encode();
        self.data(who, stream, &header);
    }

    pub(super) fn open(&mut self, who: Person, stream: u64) {
        self.event(Event::GroupOpened(who.peer, incoming(stream)));
    }

    pub(super) fn data(&mut self, who: Person, stream: u64, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.event(Event::GroupData(who.peer, incoming(stream), bytes));
    }

    pub(super) fn finish(&mut self, who: Person, stream: u64) {
        self.event(Event::GroupFinished(who.peer, incoming(stream)));
    }

    /// Lets time pass; the relay beats when it asked for it.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.rooms.deadline().filter(|&next| next <= until) {
            self.now = self.now.max(next);
            if self.rooms.beat(self.now, &mut self.carrier) != Beat::NotYet {
                self.beats.push(self.now);
            }
        }
        self.now = until;
    }

    pub(super) fn pass_beat(&mut self) {
        self.pass(BEAT);
    }

    pub(super) fn inbox(&mut self, who: Person) -> &mut Inbox {
        self.carrier.inboxes.entry(who.peer).or_default()
    }

    /// The audio payloads that came since the last time.
    pub(super) fn heard(&mut self, who: Person) -> Vec<(ParticipantId, Bytes)> {
        let frames = std::mem::take(&mut self.inbox(who).frames);
        frames
            .into_iter()
            .map(|(sender, _, payload)| (sender, payload))
            .collect()
    }

    pub(super) fn control(&mut self, who: Person) -> Vec<FromRelay> {
        self.inbox(who).control.drain(..).collect()
    }

    pub(super) fn streams(&mut self, who: Person) -> Vec<&Stream> {
        self.inbox(who).streams.values().collect()
    }

    pub(super) fn closed(&self, peer: Peer) -> Option<CloseReason> {
        let inbox = self.carrier.inboxes.get(&peer)?;
        if let Some(reason) = inbox.closed
            && !self.carrier.deaf.contains(&peer)
        {
            let last = inbox.control.back();
            let told = matches!(last, Some(FromRelay::Closed { reason: told }) if *told == reason);
            assert!(told, "closed without being told why");
        }
        inbox.closed
    }

    /// Two members of whom the second is subscribed to the first's audio and video.
    pub(super) fn pair(&mut self) -> (Person, Person) {
        let [talker, listener] = self.members();
        self.subscribe(listener, talker, AUDIO);
        self.subscribe(listener, talker, VIDEO);
        (talker, listener)
    }

    /// Whether what `talker` says still reaches `listener` on the next beat.
    pub(super) fn hears(&mut self, listener: Person, talker: Person) -> bool {
        self.heard(listener);
        self.speak(talker, b"can you hear me");
        self.pass_beat();
        self.heard(listener) == [(talker.id, Bytes::from_static(b"can you hear me"))]
    }
}

fn incoming(number: u64) -> IncomingGroup {
    IncomingGroup::for_tests(number)
}

fn outgoing(number: u64) -> OutgoingGroup {
    OutgoingGroup::for_tests(number)
}

fn stream_number(group: OutgoingGroup) -> u64 {
    group.number_for_tests()
}
