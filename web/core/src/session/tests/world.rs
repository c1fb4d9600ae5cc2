//! Pages and a relay, on one clock. Nothing is lost, and everything takes a step.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sottovoce::meeting::Command;
use sottovoce::wire::{
    Bundle, CloseReason, ControlReader, DownlinkGroup, FromRelay, ParticipantId, RoomHandle, To,
    ToRelay, TrackId, UplinkGroup, encode_control, split_uplink,
};

use crate::links::{MeetingLinks, NewMeeting, draw, parse};
use crate::out::{Out, Over};
use crate::session::{Joining, OwnTrack, Session, describe};

pub const SOUND: TrackId = TrackId(1);
pub const PICTURE: TrackId = TrackId(2);

const STEP: Duration = Duration::from_millis(10);

/// A connection at the relay.
struct Connection {
    page: usize,
    line: u32,
    id: ParticipantId,
    room: Option<RoomHandle>,
    reader: ControlReader<ToRelay>,
    wishes: BTreeSet<(ParticipantId, TrackId)>,
    streams: HashMap<u32, BytesMut>,
}

enum Parcel {
    Connected,
    Failed,
    Lost(u32),
    Control(FromRelay),
    Datagram(Bytes),
    Group(u32, Bytes),
    GroupOver(u32),
    Wrote(u32),
}

struct Page {
    session: Session,
    said: Vec<Out>,
}

pub struct World {
    now: Duration,
    links: MeetingLinks,
    pages: Vec<Page>,
    connections: Vec<Connection>,
    on_their_way: VecDeque<(usize, u32, Parcel)>,
    next: u32,
    /// Relays that never answer.
    pub silent: BTreeSet<String>,
    /// Nothing is there.
    pub down: bool,
    /// The relay takes connections and says nothing.
    pub mute: bool,
}

impl World {
    pub fn new(relays: usize) -> Self {
        let relays = (1..=relays).map(|number| format!("https://relay{number}.example"));
        let new = NewMeeting {
            relays: relays.collect(),
            ..NewMeeting::default()
        };
        Self {
            now: Duration::from_secs(100),
            links: draw(&new, [42; 32]).expect("links"),
            pages: Vec::new(),
            connections: Vec::new(),
            on_their_way: VecDeque::new(),
            next: 500,
            silent: BTreeSet::new(),
            down: false,
            mute: false,
        }
    }

    pub fn join(&mut self, link: &str, name: &str) -> usize {
        let page = self.pages.len();
        let link = match link {
            "host" => &self.links.host,
            _ => &self.links.meeting,
        };
        let tracks = [
            OwnTrack::Opus {
                track: SOUND.0,
                channels: 1,
                screen: false,
            },
            OwnTrack::Vp8 {
                track: PICTURE.0,
                width: 320,
                height: 180,
                screen: false,
            },
        ];
        let joining = Joining {
            link: parse(link).expect("a link"),
            name: name.into(),
            tracks: describe(&tracks).expect("tracks"),
            signs: false,
            admits_all: false,
            speaks: false,
            seed: [page as u8 + 1; 32],
            jitter: page as u64,
            tag: [page as u8; 16],
        };
        let session = Session::new(self.now, joining).expect("a session");
        self.pages.push(Page {
            session,
            said: Vec::new(),
        });
        self.with(page, Session::tick);
        page
    }

    /// Does something with a session, and what follows.
    pub fn with<T>(&mut self, page: usize, work: impl FnOnce(&mut Session, Duration) -> T) -> T {
        let done = work(&mut self.pages[page].session, self.now);
        while let Some(out) = self.pages[page].session.poll() {
            self.pages[page].said.push(out.clone());
            self.carry(page, out);
        }
        self.deliver();
        done
    }

    pub fn command(&mut self, page: usize, command: Command) {
        self.with(page, |session, now| session.command(now, command));
    }

    pub fn run(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        while self.now < until {
            self.now += STEP;
            for page in 0..self.pages.len() {
                if self.deadline(page).is_some_and(|due| due <= self.now) {
                    self.with(page, Session::tick);
                }
            }
        }
    }

    pub fn deadline(&self, page: usize) -> Option<Duration> {
        self.pages[page].session.deadline()
    }

    pub fn connections(&self, page: usize) -> usize {
        self.connections
            .iter()
            .filter(|one| one.page == page)
            .count()
    }

    pub fn all<T>(&self, page: usize, wanted: impl FnMut(&Out) -> Option<T>) -> Vec<T> {
        self.pages[page].said.iter().filter_map(wanted).collect()
    }

    pub fn find<T>(&self, page: usize, wanted: impl FnMut(&Out) -> Option<T>) -> T {
        self.all(page, wanted).pop().expect("it was said")
    }

    pub fn has(&self, page: usize, wanted: impl Fn(&Out) -> bool) -> bool {
        self.pages[page].said.iter().any(wanted)
    }

    pub fn over(&self, page: usize) -> Option<Over> {
        let over = |out: &Out| match out {
            Out::Over { why, .. } => Some(*why),
            _ => None,
        };
        self.all(page, over).pop()
    }

    pub fn clear(&mut self) {
        for page in &mut self.pages {
            page.said.clear();
        }
    }

    /// The relay says that it restarts, and knows of nothing any more.
    pub fn restart(&mut self) {
        for gone in std::mem::take(&mut self.connections) {
            let code = CloseReason::Restarting.code();
            self.on_their_way
                .push_back((gone.page, gone.line, Parcel::Lost(code)));
        }
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some((page, line, parcel)) = self.on_their_way.pop_front() {
            self.with(page, |session, now| match parcel {
                Parcel::Connected => session.connected(now, line),
                Parcel::Failed => session.failed(now, line),
                Parcel::Lost(code) => session.lost(now, line, Some(code)),
                Parcel::Control(message) => {
                    let bytes = encode_control(&message).expect("a message");
                    let (first, rest) = bytes.split_at(bytes.len() / 2);
                    session.control(now, line, first);
                    session.control(now, line, rest);
                }
                Parcel::Datagram(bytes) => session.datagram(now, line, bytes),
                Parcel::Group(stream, bytes) => session.group(now, line, stream, bytes),
                Parcel::GroupOver(stream) => session.group_over(now, line, stream),
                Parcel::Wrote(stream) => session.wrote(now, line, stream),
            });
        }
    }

    fn carry(&mut self, page: usize, out: Out) {
        match out {
            Out::Connect {
                line, authority, ..
            } => {
                if self.silent.contains(&authority) {
                    return;
                }
                let parcel = match self.down {
                    true => Parcel::Failed,
                    false => Parcel::Connected,
                };
                if !self.down {
                    self.next += 1;
                    self.connections.push(Connection {
                        page,
                        line,
                        id: ParticipantId(self.next),
                        room: None,
                        reader: ControlReader::new(),
                        wishes: BTreeSet::new(),
                        streams: HashMap::new(),
                    });
                }
                self.on_their_way.push_back((page, line, parcel));
            }
            Out::Close { line } => self.close(page, line),
            Out::Control { line, bytes } => {
                let Some(at) = self.at(page, line).filter(|_| !self.mute) else {
                    return;
                };
                let reader = &mut self.connections[at].reader;
                reader.push(&bytes.0).expect("whole messages");
                let mut messages = Vec::new();
                while let Some(message) = reader.next().expect("good messages") {
                    messages.push(message);
                }
                for message in messages {
                    self.control(at, message);
                }
            }
            Out::Datagram { line, bytes } => {
                let Some(at) = self.at(page, line) else {
                    return;
                };
                let (track, payload) = split_uplink(&bytes.0).expect("a datagram");
                let from = self.connections[at].id;
                for (page, line) in self.listeners(at, track) {
                    let mut bundle = Bundle::new();
                    assert!(bundle.try_push(from, track, &payload));
                    self.on_their_way
                        .push_back((page, line, Parcel::Datagram(bundle.take())));
                }
            }
            Out::Open { line, stream, .. } => {
                if let Some(at) = self.at(page, line) {
                    self.connections[at].streams.insert(stream, BytesMut::new());
                }
            }
            Out::Write {
                line,
                stream,
                bytes,
            } => self.write(page, line, stream, &bytes.0),
            Out::Finish { line, stream } | Out::Reset { line, stream } => {
                self.ended(page, line, stream)
            }
            _ => {}
        }
    }

    fn write(&mut self, page: usize, line: u32, stream: u32, bytes: &[u8]) {
        let Some(at) = self.at(page, line) else {
            return;
        };
        self.on_their_way
            .push_back((page, line, Parcel::Wrote(stream)));
        let from = self.connections[at].id;
        let held = self.connections[at]
            .streams
            .get_mut(&stream)
            .expect("an open stream");
        let begun = held.len() >= UplinkGroup::LEN;
        held.extend_from_slice(bytes);
        let Ok(header) = UplinkGroup::decode(held) else {
            return;
        };
        let mut forwarded = BytesMut::new();
        if begun {
            forwarded.extend_from_slice(bytes);
        } else {
            let header = DownlinkGroup {
                sender: from,
                track: header.track,
                group: header.group,
            };
            forwarded.extend_from_slice(&header.encode());
            forwarded.extend_from_slice(&held[UplinkGroup::LEN..]);
        }
        // In pieces of any size.
        for (page, line) in self.listeners(at, header.track) {
            for piece in forwarded.chunks(7) {
                let piece = Bytes::copy_from_slice(piece);
                self.on_their_way
                    .push_back((page, line, Parcel::Group(stream, piece)));
            }
        }
    }

    fn ended(&mut self, page: usize, line: u32, stream: u32) {
        let Some(at) = self.at(page, line) else {
            return;
        };
        let held = self.connections[at]
            .streams
            .remove(&stream)
            .unwrap_or_default();
        if let Ok(header) = UplinkGroup::decode(&held) {
            for (page, line) in self.listeners(at, header.track) {
                self.on_their_way
                    .push_back((page, line, Parcel::GroupOver(stream)));
            }
        }
    }

    fn at(&self, page: usize, line: u32) -> Option<usize> {
        let mut all = self.connections.iter();
        all.position(|one| (one.page, one.line) == (page, line))
    }

    fn listeners(&self, at: usize, track: TrackId) -> Vec<(usize, u32)> {
        let sender = &self.connections[at];
        let others = self
            .connections
            .iter()
            .filter(|one| one.room == sender.room);
        let wanting = others.filter(|one| one.wishes.contains(&(sender.id, track)));
        wanting.map(|one| (one.page, one.line)).collect()
    }

    fn to_room(&mut self, room: RoomHandle, but: ParticipantId, message: &FromRelay) {
        for one in &self.connections {
            if one.room == Some(room) && one.id != but {
                let parcel = Parcel::Control(message.clone());
                self.on_their_way.push_back((one.page, one.line, parcel));
            }
        }
    }

    fn close(&mut self, page: usize, line: u32) {
        let Some(at) = self.at(page, line) else {
            return;
        };
        let gone = self.connections.remove(at);
        if let Some(room) = gone.room {
            self.to_room(
                room,
                gone.id,
                &FromRelay::Left {
                    participant: gone.id,
                },
            );
        }
    }

    fn control(&mut self, at: usize, message: ToRelay) {
        let one = &mut self.connections[at];
        let (page, line, from, room) = (one.page, one.line, one.id, one.room);
        match message {
            ToRelay::Hello { room, .. } => {
                one.room = Some(room);
                let others = self.connections.iter().filter(|one| one.room == Some(room));
                let present = others.map(|one| one.id).filter(|id| *id != from).collect();
                let welcome = FromRelay::Welcome { you: from, present };
                self.on_their_way
                    .push_back((page, line, Parcel::Control(welcome)));
                self.to_room(room, from, &FromRelay::Joined { participant: from });
            }
            ToRelay::Send { to, body } => {
                let Some(room) = room else { return };
                let message = FromRelay::Message { from, body };
                match to {
                    To::Everyone => self.to_room(room, from, &message),
                    To::One(id) => {
                        let one = self.connections.iter().find(|one| one.id == id);
                        if let Some(one) = one {
                            let (page, line) = (one.page, one.line);
                            self.on_their_way
                                .push_back((page, line, Parcel::Control(message)));
                        }
                    }
                }
            }
            ToRelay::Subscribe { participant, track } => {
                one.wishes.insert((participant, track));
            }
            ToRelay::Unsubscribe { participant, track } => {
                one.wishes.remove(&(participant, track));
            }
        }
    }
}
