//! Participants, a relay, and a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::part::Part;
use super::*;
use crate::meeting::events::{Input, Output, StayId, Who};
use crate::meeting::secret::LinkSecret;
use crate::meeting::vigil::Viewer;
use crate::wire::limits::BODY;
use crate::wire::{FromRelay, ParticipantId, Role, RoomHandle, To, ToRelay};

/// How finely the clock goes.
const STEP: Duration = Duration::from_millis(20);

/// What a relay allows (`relay/limits.rs`, `carrier/limits.rs`), and closes who is over it: bytes of
/// bodies of one participant at once, and each second after; what a body counts at least; bytes on
/// their way to one participant; members of a room.
const BODIES_BURST: f64 = 1024.0 * 1024.0;
const BODIES_RATE: f64 = 96.0 * 1024.0;
const BODY_COST: usize = 1024;
const QUEUE: usize = 256 * 1024;
const MEMBERS: usize = 1024;

/// What is on its way to a participant.
pub(crate) enum Parcel {
    Control(FromRelay),
    Datagram(ParticipantId, TrackId, Bytes),
    GroupFrame(ParticipantId, TrackId, GroupNumber, Bytes),
}

/// A connection to a room.
struct Connection {
    room: Option<RoomHandle>,
    id: ParticipantId,
    /// It is announced to nobody.
    views: bool,
    wishes: BTreeSet<(ParticipantId, TrackId)>,
    /// Bytes of bodies that it may send at once, as of when.
    may_send: (f64, Duration),
    /// Bytes of bodies that are on their way to it.
    queued: usize,
}

impl Connection {
    fn sends(&mut self, bytes: usize, now: Duration) {
        let grown = (now - self.may_send.1).as_secs_f64() * BODIES_RATE;
        let left = (self.may_send.0 + grown).min(BODIES_BURST) - bytes.max(BODY_COST) as f64;
        assert!(left >= 0.0, "a relay closes who sends so much");
        self.may_send = (left, now);
    }
}

/// What went over the relay in bodies.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Traffic {
    /// How many were sent.
    pub(crate) sent: usize,
    /// And in how many copies delivered.
    pub(crate) delivered: usize,
    /// Bytes of these.
    pub(crate) bytes: usize,
    /// Most bytes that were on their way to one connection at a time.
    pub(crate) most_queued: usize,
}

pub(crate) struct Node {
    pub(crate) meeting: Part,
    /// Its deadline.
    due: Option<Duration>,
    connections: BTreeMap<StayId, Connection>,
    pub(crate) told: Vec<Notice>,
    pub(crate) frames: Vec<(Who, Frame)>,
    pub(crate) people: BTreeMap<Who, String>,
    pub(crate) over: Option<Ending>,
    pub(crate) rejected: usize,
    pub(crate) inside: bool,
    pub(crate) main: Option<StayId>,
    /// The secrets of the lobbies that it last knew of as a member, and of its link's.
    pub(crate) lobbies: [Option<LinkSecret>; 2],
    /// Its process is gone.
    pub(crate) dead: bool,
    pub(crate) cost: Cost,
}

/// What a participant has had to do.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// What happened that it was told of.
    pub(crate) inputs: usize,
    /// What it gave to its relay, and bytes of media and bodies in that.
    pub(crate) outputs: usize,
    pub(crate) bytes: usize,
}

impl Cost {
    fn of(&mut self, output: &Output) {
        let bytes = match output {
            Output::Control { message, .. } => match message {
                ToRelay::Send { body, .. } => body.len(),
                _ => 0,
            },
            Output::Datagram { payload, .. } => payload.len(),
            Output::GroupFrame { bytes, .. } => bytes.len(),
            _ => return,
        };
        self.outputs += 1;
        self.bytes += bytes;
    }
}

/// Whether a parcel for that participant is passed on.
type Passes = Box<dyn FnMut(usize, &Parcel) -> bool>;

/// Who is cut off from whom: each participant is on one side, and the relay is two.
pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) nodes: Vec<Node>,
    pub(crate) sides: Vec<u8>,
    on_its_way: VecDeque<(usize, StayId, Parcel)>,
    next: u32,
    /// What a hostile relay does with a parcel: whether it is passed on.
    pub(crate) passes: Passes,
    pub(crate) seen: u64,
    /// Whether what goes on one stream may overtake what goes on another.
    pub(crate) mixes: Option<Dice>,
    /// The current group of each track.
    groups: BTreeMap<(ParticipantId, TrackId), (GroupNumber, Vec<Bytes>)>,
    pub(crate) traffic: Traffic,
    /// The sound that people sent, sealed.
    pub(crate) sound: Vec<(usize, Bytes)>,
}

/// Seeded randomness of a test.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// 0 to `sides` - 1.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}

impl Parcel {
    /// What keeps its order: the control stream, and each group.
    fn stream(&self) -> u64 {
        match self {
            Self::Control(_) => 0,
            Self::Datagram(..) => 1,
            Self::GroupFrame(from, track, group, _) => {
                2 + (u64::from(from.0) << 40 | u64::from(track.0) << 32 | u64::from(group.0))
            }
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: Duration::from_secs(100),
            nodes: Vec::new(),
            sides: Vec::new(),
            on_its_way: VecDeque::new(),
            next: 100,
            passes: Box::new(|_, _| true),
            seen: 0,
            mixes: None,
            groups: BTreeMap::new(),
            traffic: Traffic::default(),
            sound: Vec::new(),
        }
    }

    pub(crate) fn join(&mut self, link: &Link, name: &str) -> usize {
        self.join_as(link, name, false, true)
    }

    pub(crate) fn join_as(
        &mut self,
        link: &Link,
        name: &str,
        signs: bool,
        admits_all: bool,
    ) -> usize {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(self.nodes.len() as u64).to_be_bytes());
        let meeting = Meeting::new(link.clone(), presence(name), signs, admits_all, seed);
        self.take_in(Part::Speaks(Box::new(meeting)), Some(link))
    }

    /// Watches a vigil.
    pub(crate) fn watch(&mut self, link: &Link) -> usize {
        let viewer = Viewer::new(link.meeting().clone(), [8; 32]).expect("a vigil's link");
        self.take_in(Part::Watches(Box::new(viewer)), None)
    }

    fn take_in(&mut self, meeting: Part, link: Option<&Link>) -> usize {
        let index = self.nodes.len();
        self.nodes.push(Node {
            meeting,
            due: None,
            connections: BTreeMap::new(),
            told: Vec::new(),
            frames: Vec::new(),
            people: BTreeMap::new(),
            over: None,
            rejected: 0,
            inside: false,
            main: None,
            lobbies: [None, link.map(|link| link.meeting().secret.clone())],
            dead: false,
            cost: Cost::default(),
        });
        self.sides.push(0);
        self.drain(index);
        index
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        self.settle();
        let until = self.now + time;
        while self.now < until {
            let due = self.nodes.iter().filter(|node| !node.dead);
            let due = due.filter_map(|node| node.due).min();
            // Nothing happens before.
            self.now = due
                .unwrap_or(until)
                .clamp(self.now + STEP, until.max(self.now + STEP));
            self.settle();
            for index in 0..self.nodes.len() {
                let due = self.nodes[index].due;
                if !self.nodes[index].dead && due.is_some_and(|due| due <= self.now) {
                    self.tell(index, Input::Tick);
                }
            }
            self.settle();
        }
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    pub(crate) fn tell(&mut self, index: usize, input: Input) {
        let now = self.now;
        self.nodes[index].cost.inputs += 1;
        self.nodes[index].meeting.handle(now, input);
        self.drain(index);
    }

    pub(crate) fn command(&mut self, index: usize, command: Command) {
        self.tell(index, Input::Command(command));
        self.settle();
    }

    pub(crate) fn send(&mut self, index: usize, frame: Frame) {
        self.tell(index, Input::Send(frame));
        self.settle();
    }

    /// The connections of one participant are lost, and made again.
    pub(crate) fn reconnect(&mut self, index: usize) {
        let stays: Vec<StayId> = self.nodes[index].connections.keys().copied().collect();
        for stay in &stays {
            self.disconnect(index, *stay);
            self.tell(index, Input::Lost { stay: *stay });
        }
        self.settle();
        for stay in stays {
            self.connect(index, stay);
        }
        self.settle();
    }

    /// The relay restarts: all connections are lost, and made again.
    pub(crate) fn restart(&mut self) {
        let mut all = Vec::new();
        for index in 0..self.nodes.len() {
            let stays: Vec<StayId> = self.nodes[index].connections.keys().copied().collect();
            for stay in stays {
                self.nodes[index].connections.remove(&stay);
                all.push((index, stay));
            }
        }
        self.on_its_way.clear();
        for (index, stay) in &all {
            self.tell(*index, Input::Lost { stay: *stay });
        }
        for (index, stay) in all {
            self.connect(index, stay);
        }
        self.settle();
    }

    /// Its process ends without a word.
    pub(crate) fn kill(&mut self, index: usize) {
        self.nodes[index].dead = true;
        let stays: Vec<StayId> = self.nodes[index].connections.keys().copied().collect();
        for stay in stays {
            self.disconnect(index, stay);
        }
        self.settle();
    }

    /// Moves a participant to another side of the split relay.
    pub(crate) fn side(&mut self, index: usize, side: u8) {
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

    /// How somebody is known to somebody else.
    pub(crate) fn stays(&self, index: usize) -> Vec<StayId> {
        self.nodes[index].connections.keys().copied().collect()
    }

    pub(crate) fn who(&self, index: usize, name: &str) -> Who {
        let people = &self.nodes[index].people;
        let found = people.iter().find(|(_, one)| *one == name);
        *found
            .unwrap_or_else(|| panic!("{index} does not see {name}: {people:?}"))
            .0
    }

    pub(crate) fn names(&self, index: usize) -> Vec<String> {
        let mut names: Vec<String> = self.nodes[index].people.values().cloned().collect();
        names.sort();
        names
    }

    /// The numbers of the frames that somebody got of somebody's track.
    pub(crate) fn got(&self, index: usize, from: &str, track: TrackId) -> Vec<u64> {
        let who = self.who(index, from);
        let frames = self.nodes[index].frames.iter();
        let of = frames.filter(|(one, frame)| *one == who && frame.track == track);
        of.map(|(_, frame)| frame.number).collect()
    }

    fn connect(&mut self, index: usize, stay: StayId) {
        self.next += 1;
        let connection = Connection {
            room: None,
            id: ParticipantId(self.next),
            views: false,
            wishes: BTreeSet::new(),
            may_send: (BODIES_BURST, self.now),
            queued: 0,
        };
        self.nodes[index].connections.insert(stay, connection);
        self.tell(index, Input::Connected { stay, relay: 0 });
    }

    fn disconnect(&mut self, index: usize, stay: StayId) {
        let Some(connection) = self.nodes[index].connections.remove(&stay) else {
            return;
        };
        self.on_its_way
            .retain(|(to, at, _)| (*to, *at) != (index, stay));
        self.groups.retain(|(from, _), _| *from != connection.id);
        if let (Some(room), false) = (connection.room, connection.views) {
            let participant = connection.id;
            for (other, at) in self.in_room(room, self.sides[index]) {
                let left = Parcel::Control(FromRelay::Left { participant });
                self.on_its_way.push_back((other, at, left));
            }
        }
    }

    fn in_room(&self, room: RoomHandle, side: u8) -> Vec<(usize, StayId)> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(index, _)| self.sides[*index] == side)
            .flat_map(|(index, node)| {
                let there = node.connections.iter();
                there
                    .filter(|(_, connection)| connection.room == Some(room))
                    .map(move |(stay, _)| (index, *stay))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn id(&self, (index, stay): (usize, StayId)) -> ParticipantId {
        self.nodes[index].connections[&stay].id
    }

    fn next_parcel(&mut self) -> Option<(usize, StayId, Parcel)> {
        let Some(dice) = &mut self.mixes else {
            return self.on_its_way.pop_front();
        };
        if self.on_its_way.is_empty() {
            return None;
        }
        let lane = |of: &(usize, StayId, Parcel)| (of.0, of.1, of.2.stream());
        let wanted = lane(&self.on_its_way[dice.roll(self.on_its_way.len())]);
        let first = self.on_its_way.iter().position(|one| lane(one) == wanted);
        self.on_its_way.remove(first?)
    }

    /// Delivers until nothing is on its way.
    pub(crate) fn settle(&mut self) {
        let mut count = 0;
        while let Some((to, stay, parcel)) = self.next_parcel() {
            count += 1;
            assert!(count < 400_000, "a storm");
            self.seen += 1;
            let Some(connection) = self.nodes[to].connections.get_mut(&stay) else {
                continue;
            };
            if let Parcel::Control(FromRelay::Message { body, .. }) = &parcel {
                connection.queued -= body.len();
            }
            if self.nodes[to].dead {
                continue;
            }
            if !(self.passes)(to, &parcel) {
                continue;
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

    fn drain(&mut self, index: usize) {
        while let Some(output) = self.nodes[index].meeting.poll() {
            let node = &mut self.nodes[index];
            node.cost.of(&output);
            match output {
                Output::Enter { stay } => self.connect(index, stay),
                Output::Leave { stay } => self.disconnect(index, stay),
                Output::Main(stay) => node.main = Some(stay),
                Output::Control { stay, message } => self.control(index, stay, message),
                Output::Datagram {
                    stay,
                    track,
                    payload,
                } => {
                    self.sound.push((index, payload.clone()));
                    self.media(index, stay, track, |from| {
                        Parcel::Datagram(from, track, payload.clone())
                    });
                }
                Output::GroupFrame {
                    stay,
                    track,
                    group,
                    first,
                    bytes,
                } => {
                    if !self.group(index, stay, (track, group), first, bytes.clone()) {
                        continue;
                    }
                    self.media(index, stay, track, |from| {
                        Parcel::GroupFrame(from, track, group, bytes.clone())
                    });
                }
                Output::Inside => node.inside = true,
                Output::Appeared { who, presence } => {
                    node.people.insert(who, presence.name.clone());
                    for track in [SOUND, PICTURE] {
                        self.tell(
                            index,
                            Input::Listen {
                                who,
                                track,
                                on: true,
                            },
                        );
                    }
                }
                Output::Departed { who } | Output::Unheard { who } => {
                    node.people.remove(&who);
                }
                Output::Frame { who, frame } => node.frames.push((who, frame)),
                Output::Told(notice) => node.told.push(notice),
                Output::Over(ending) => node.over = Some(ending),
                Output::Rejected(_) => node.rejected += 1,
                Output::Ended { .. } | Output::Goodbye { .. } => {}
            }
        }
        let node = &mut self.nodes[index];
        node.due = node.meeting.deadline();
        if let Part::Speaks(meeting) = &node.meeting
            && let Some(lobby) = meeting.lobby()
        {
            node.lobbies[0] = Some(lobby.clone());
        }
    }

    fn control(&mut self, index: usize, stay: StayId, message: ToRelay) {
        let side = self.sides[index];
        let Some(connection) = self.nodes[index].connections.get_mut(&stay) else {
            return;
        };
        let (from, room) = (connection.id, connection.room);
        match message {
            ToRelay::Hello { room, role, .. } => {
                connection.room = Some(room);
                connection.views = role == Role::Viewer;
                let views = connection.views;
                let others = self.in_room(room, side);
                let views_not = |at: &&(usize, StayId)| !self.nodes[at.0].connections[&at.1].views;
                let members = others.iter().filter(views_not).count();
                assert!(members <= MEMBERS, "a room cannot have more");
                let others: Vec<_> = others
                    .into_iter()
                    .filter(|at| *at != (index, stay))
                    .collect();
                let seen = others
                    .iter()
                    .filter(|(other, at)| !self.nodes[*other].connections[at].views);
                let present = seen.map(|at| self.id(*at)).collect();
                let welcome = FromRelay::Welcome { you: from, present };
                self.on_its_way
                    .push_back((index, stay, Parcel::Control(welcome)));
                for (other, at) in others.into_iter().filter(|_| !views) {
                    let joined = Parcel::Control(FromRelay::Joined { participant: from });
                    self.on_its_way.push_back((other, at, joined));
                }
            }
            ToRelay::Send { to, body } => {
                assert!(!connection.views, "a relay closes a viewer who sends");
                let Some(room) = room else { return };
                assert!(body.len() <= BODY, "no message holds it");
                connection.sends(body.len(), self.now);
                self.traffic.sent += 1;
                for at in self.in_room(room, side) {
                    let wanted = match to {
                        To::Everyone => at != (index, stay),
                        To::One(one) => self.id(at) == one,
                    };
                    if wanted {
                        self.pass_on(at, body.len());
                        let body = body.clone();
                        let message = Parcel::Control(FromRelay::Message { from, body });
                        self.on_its_way.push_back((at.0, at.1, message));
                    }
                }
            }
            ToRelay::Subscribe { participant, track } => {
                if connection.wishes.insert((participant, track))
                    && let Some((group, frames)) = self.groups.get(&(participant, track))
                {
                    for bytes in frames {
                        let parcel = Parcel::GroupFrame(participant, track, *group, bytes.clone());
                        self.on_its_way.push_back((index, stay, parcel));
                    }
                }
            }
            ToRelay::Unsubscribe { participant, track } => {
                connection.wishes.remove(&(participant, track));
            }
        }
    }

    /// A relay keeps the current group of a track for who comes later. It takes none whose number is not
    /// above all before, and a participant's line none that it has not from its beginning.
    fn group(
        &mut self,
        index: usize,
        stay: StayId,
        (track, group): (TrackId, GroupNumber),
        first: bool,
        bytes: Bytes,
    ) -> bool {
        let Some(connection) = self.nodes[index].connections.get(&stay) else {
            return false;
        };
        assert!(!connection.views, "a relay closes a viewer who sends");
        let track = (connection.id, track);
        let newest = self.groups.get(&track).map(|kept| kept.0);
        if newest != Some(group) {
            if newest > Some(group) || !first {
                return false;
            }
            self.groups.insert(track, (group, Vec::new()));
        }
        if let Some(kept) = self.groups.get_mut(&track) {
            kept.1.push(bytes);
        }
        true
    }

    /// The number that somebody's newest group of a track has on the wire.
    pub(crate) fn newest_group(&self, index: usize, track: TrackId) -> Option<GroupNumber> {
        let connections = self.nodes[index].connections.values();
        let groups = connections.filter_map(|one| self.groups.get(&(one.id, track)));
        groups.map(|kept| kept.0).max()
    }

    /// A copy of a body goes to this connection.
    fn pass_on(&mut self, (index, stay): (usize, StayId), bytes: usize) {
        let Some(connection) = self.nodes[index].connections.get_mut(&stay) else {
            return;
        };
        connection.queued += bytes;
        let traffic = &mut self.traffic;
        traffic.delivered += 1;
        traffic.bytes += bytes;
        traffic.most_queued = traffic.most_queued.max(connection.queued);
        assert!(
            connection.queued <= QUEUE,
            "a relay closes who lets so much wait"
        );
    }

    fn media(
        &mut self,
        index: usize,
        stay: StayId,
        track: TrackId,
        parcel: impl Fn(ParticipantId) -> Parcel,
    ) {
        let Some(connection) = self.nodes[index].connections.get(&stay) else {
            return;
        };
        assert!(!connection.views, "a relay closes a viewer who sends");
        let (from, Some(room)) = (connection.id, connection.room) else {
            return;
        };
        for (other, at) in self.in_room(room, self.sides[index]) {
            let wishes = &self.nodes[other].connections[&at].wishes;
            if (other, at) != (index, stay) && wishes.contains(&(from, track)) {
                self.on_its_way.push_back((other, at, parcel(from)));
            }
        }
    }
}
