//! Honest participants, a clock, and a relay that sees everything and does what the test wants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use sottovoce::meeting::hosted::Meeting;
use sottovoce::meeting::links::Link;
use sottovoce::meeting::{
    Command, Ending, Frame, Input, Notice, Output, Rejection, StayId, Surface, Who,
};
use sottovoce::wire::{FromRelay, GroupNumber, ParticipantId, RoomHandle, To, ToRelay, TrackId};

use crate::scene::{PICTURE, SCREEN, SOUND, presence};

/// How finely the clock goes.
const STEP: Duration = Duration::from_millis(20);

/// What is on its way to a participant.
#[derive(Clone)]
pub enum Parcel {
    Control(FromRelay),
    Datagram(ParticipantId, TrackId, Bytes),
    GroupFrame(ParticipantId, TrackId, GroupNumber, Bytes),
}

/// A connection to a room.
pub struct Connection {
    pub room: Option<RoomHandle>,
    pub id: ParticipantId,
    wishes: BTreeSet<(ParticipantId, TrackId)>,
}

/// An honest participant.
pub struct Node {
    pub name: String,
    pub meeting: Meeting,
    pub connections: BTreeMap<StayId, Connection>,
    pub told: Vec<Notice>,
    pub frames: Vec<(Who, Frame)>,
    pub people: BTreeMap<Who, String>,
    pub over: Option<Ending>,
    pub inside: bool,
    pub main: Option<StayId>,
    pub rejected: Vec<Rejection>,
    pub ended: Vec<(Who, TrackId)>,
    /// Its process is gone.
    pub dead: bool,
}

/// A connection that no honest participant has.
pub struct Tap {
    pub room: RoomHandle,
    pub id: ParticipantId,
    pub inbox: VecDeque<(ParticipantId, Vec<u8>)>,
}

/// A body that went through the relay.
#[derive(Clone)]
pub struct Said {
    pub room: RoomHandle,
    pub by: usize,
    pub from: ParticipantId,
    pub to: To,
    pub body: Vec<u8>,
}

/// A sealed frame that went through the relay.
#[derive(Clone)]
pub struct Shot {
    pub from: ParticipantId,
    pub track: TrackId,
    /// `None`: a datagram.
    pub group: Option<GroupNumber>,
    pub bytes: Bytes,
}

/// Whether a parcel for that stay of that participant is passed on.
type Passes = Box<dyn FnMut(usize, StayId, &Parcel) -> bool>;

pub struct World {
    pub now: Duration,
    pub nodes: Vec<Node>,
    pub sides: Vec<u8>,
    pub taps: Vec<Tap>,
    pub said: Vec<Said>,
    pub shots: Vec<Shot>,
    on_its_way: VecDeque<(usize, StayId, Parcel)>,
    next: u32,
    /// The id that the relay gives to the next connection, though another one had it.
    pub reuse: Option<ParticipantId>,
    pub passes: Passes,
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Duration::from_secs(100),
            nodes: Vec::new(),
            sides: Vec::new(),
            taps: Vec::new(),
            said: Vec::new(),
            shots: Vec::new(),
            on_its_way: VecDeque::new(),
            next: 100,
            reuse: None,
            passes: Box::new(|_, _, _| true),
        }
    }

    pub fn join(&mut self, link: &Link, name: &str) -> usize {
        self.join_as(link, name, false, true)
    }

    pub fn join_as(&mut self, link: &Link, name: &str, signs: bool, admits_all: bool) -> usize {
        let index = self.nodes.len();
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(index as u64).to_be_bytes());
        let meeting = Meeting::new(link.clone(), presence(name), signs, admits_all, seed);
        self.nodes.push(Node {
            name: name.into(),
            meeting,
            connections: BTreeMap::new(),
            told: Vec::new(),
            frames: Vec::new(),
            people: BTreeMap::new(),
            over: None,
            inside: false,
            main: None,
            rejected: Vec::new(),
            ended: Vec::new(),
            dead: false,
        });
        self.sides.push(0);
        self.drain(index);
        self.settle();
        index
    }

    pub fn run(&mut self, time: Duration) {
        self.settle();
        let until = self.now + time;
        while self.now < until {
            let living = self.nodes.iter().filter(|node| !node.dead);
            let due = living.filter_map(|node| node.meeting.deadline()).min();
            // Nothing happens before.
            let due = due.unwrap_or(until).min(until);
            self.now = due.max(self.now + STEP);
            self.settle();
            for index in 0..self.nodes.len() {
                let due = self.nodes[index].meeting.deadline();
                if !self.nodes[index].dead && due.is_some_and(|due| due <= self.now) {
                    self.tell(index, Input::Tick);
                }
            }
            self.settle();
        }
    }

    pub fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    pub fn tell(&mut self, index: usize, input: Input) {
        let now = self.now;
        self.nodes[index].meeting.handle(now, input);
        self.drain(index);
    }

    pub fn command(&mut self, index: usize, command: Command) {
        self.tell(index, Input::Command(command));
        self.settle();
    }

    pub fn send(&mut self, index: usize, frame: Frame) {
        self.tell(index, Input::Send(frame));
        self.settle();
    }

    /// Something that nobody else ever counted.
    pub fn count(&mut self) -> u64 {
        self.next += 1;
        u64::from(self.next)
    }

    /// Its process ends without a word.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].dead = true;
        let stays: Vec<StayId> = self.nodes[index].connections.keys().copied().collect();
        for stay in stays {
            self.disconnect(index, stay);
        }
        self.settle();
    }

    /// Moves a participant to another side of the split relay.
    pub fn side(&mut self, index: usize, side: u8) {
        let stays: Vec<StayId> = self.nodes[index].connections.keys().copied().collect();
        for stay in &stays {
            self.disconnect(index, *stay);
            self.tell(index, Input::Lost { stay: *stay });
        }
        self.settle();
        self.sides[index] = side;
        for stay in stays {
            self.connect(index, stay);
        }
        self.settle();
    }

    pub fn who(&self, index: usize, name: &str) -> Who {
        let people = &self.nodes[index].people;
        let found = people.iter().find(|(_, one)| *one == name);
        *found
            .unwrap_or_else(|| panic!("{index} does not see {name}"))
            .0
    }

    pub fn names(&self, index: usize) -> Vec<String> {
        let mut names: Vec<String> = self.nodes[index].people.values().cloned().collect();
        names.sort();
        names
    }

    /// The tree as this participant has it: names in order.
    pub fn roster(&mut self, index: usize) -> Vec<String> {
        self.command(index, Command::Who);
        let told = self.nodes[index].told.iter().rev();
        let mut listed = told.filter_map(|notice| match notice {
            Notice::Roster(listed) => Some(listed.iter().map(|one| one.name.clone()).collect()),
            _ => None,
        });
        listed.next().unwrap_or_default()
    }

    /// The numbers of the frames that somebody got of somebody's track.
    pub fn got(&self, index: usize, from: &str, track: TrackId) -> Vec<u64> {
        let who = self.who(index, from);
        let frames = self.nodes[index].frames.iter();
        let of = frames.filter(|(one, frame)| *one == who && frame.track == track);
        of.map(|(_, frame)| frame.number).collect()
    }

    pub fn main(&self, index: usize) -> StayId {
        self.nodes[index].main.expect("a main room")
    }

    pub fn main_room(&self, index: usize) -> RoomHandle {
        self.nodes[index].connections[&self.main(index)]
            .room
            .expect("in the room")
    }

    /// A participant's id in its main room.
    pub fn main_id(&self, index: usize) -> ParticipantId {
        self.nodes[index].connections[&self.main(index)].id
    }

    /// A participant's stay in a room.
    pub fn stay(&self, index: usize, room: RoomHandle) -> Option<StayId> {
        let connections = &self.nodes[index].connections;
        let there = connections.iter().find(|(_, one)| one.room == Some(room));
        there.map(|(stay, _)| *stay)
    }

    /// Hands something to a participant, as the relay may whatever it is.
    pub fn inject(&mut self, index: usize, stay: StayId, parcel: Parcel) {
        self.hand(index, stay, parcel);
        self.settle();
    }

    pub fn inject_message(&mut self, index: usize, stay: StayId, from: ParticipantId, body: &[u8]) {
        let body = body.to_vec();
        let message = FromRelay::Message { from, body };
        self.inject(index, stay, Parcel::Control(message));
    }

    /// The relay says that somebody left and came back under the same id.
    pub fn forge_return(&mut self, index: usize, stay: StayId, participant: ParticipantId) {
        self.inject(
            index,
            stay,
            Parcel::Control(FromRelay::Left { participant }),
        );
        self.inject(
            index,
            stay,
            Parcel::Control(FromRelay::Joined { participant }),
        );
    }

    /// A connection for somebody who has no honest client.
    pub fn tap(&mut self, room: RoomHandle) -> usize {
        let id = self.next_id();
        for (other, at) in self.in_room(room, 0) {
            let joined = Parcel::Control(FromRelay::Joined { participant: id });
            self.on_its_way.push_back((other, at, joined));
        }
        self.taps.push(Tap {
            room,
            id,
            inbox: VecDeque::new(),
        });
        self.settle();
        self.taps.len() - 1
    }

    /// Says something on such a connection.
    pub fn tap_say(&mut self, tap: usize, to: To, body: &[u8]) {
        let (room, from) = (self.taps[tap].room, self.taps[tap].id);
        for (other, at) in self.in_room(room, 0) {
            if to == To::Everyone || to == To::One(self.id((other, at))) {
                let body = body.to_vec();
                let message = Parcel::Control(FromRelay::Message { from, body });
                self.on_its_way.push_back((other, at, message));
            }
        }
        self.settle();
    }

    pub fn next_id(&mut self) -> ParticipantId {
        self.next += 1;
        self.reuse.take().unwrap_or(ParticipantId(self.next))
    }

    fn connect(&mut self, index: usize, stay: StayId) {
        let connection = Connection {
            room: None,
            id: self.next_id(),
            wishes: BTreeSet::new(),
        };
        self.nodes[index].connections.insert(stay, connection);
        self.tell(index, Input::Connected { stay, relay: 0 });
    }

    fn disconnect(&mut self, index: usize, stay: StayId) {
        let Some(connection) = self.nodes[index].connections.remove(&stay) else {
            return;
        };
        let of = |one: &(usize, StayId, Parcel)| (one.0, one.1) == (index, stay);
        self.on_its_way.retain(|one| !of(one));
        if let Some(room) = connection.room {
            let participant = connection.id;
            for (other, at) in self.in_room(room, self.sides[index]) {
                let left = Parcel::Control(FromRelay::Left { participant });
                self.on_its_way.push_back((other, at, left));
            }
        }
    }

    pub fn in_room(&self, room: RoomHandle, side: u8) -> Vec<(usize, StayId)> {
        let nodes = self.nodes.iter().enumerate();
        let mut there = Vec::new();
        for (index, node) in nodes.filter(|(index, _)| self.sides[*index] == side) {
            let connections = node.connections.iter();
            let at = connections.filter(|(_, connection)| connection.room == Some(room));
            there.extend(at.map(|(stay, _)| (index, *stay)));
        }
        there
    }

    /// Whether somebody asks for a track there.
    pub fn asks(&self, index: usize, stay: StayId, of: ParticipantId, track: TrackId) -> bool {
        let wishes = &self.nodes[index].connections[&stay].wishes;
        wishes.contains(&(of, track))
    }

    pub fn id(&self, (index, stay): (usize, StayId)) -> ParticipantId {
        self.nodes[index].connections[&stay].id
    }

    /// Delivers until nothing is on its way.
    pub fn settle(&mut self) {
        let mut count = 0;
        while let Some((to, stay, parcel)) = self.on_its_way.pop_front() {
            count += 1;
            assert!(count < 200_000, "a storm");
            if (self.passes)(to, stay, &parcel) {
                self.hand(to, stay, parcel);
            }
        }
    }

    fn hand(&mut self, to: usize, stay: StayId, parcel: Parcel) {
        if self.nodes[to].dead || !self.nodes[to].connections.contains_key(&stay) {
            return;
        }
        let input = match parcel {
            Parcel::Control(message) => Input::Relay { stay, message },
            Parcel::Datagram(from, track, payload) => Input::Datagram {
                stay,
                from,
                track,
                payload,
            },
            Parcel::GroupFrame(from, track, group, bytes) => Input::GroupFrame {
                stay,
                from,
                track,
                group,
                bytes,
            },
        };
        self.tell(to, input);
    }
}

mod relay;
