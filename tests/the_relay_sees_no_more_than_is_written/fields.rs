//! What a recorded session was made of. Fields are named by the types themselves: control messages by
//! their `Serialize`, headers by patterns that name all of their fields. All that was recorded is
//! put together again from what was named, so that nothing stands between.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use bytes::Bytes;
use serde_json::Value;
use sottovoce::wire::{
    Bundle, BundleEntries, BundleEntry, CloseReason, ControlMessage, ControlReader, DownlinkGroup,
    FromRelay, GroupFrames, PassProof, RoomHandle, ToRelay, UplinkGroup, encode_control,
    encode_group_frame, split_uplink, uplink,
};

use crate::tap::{Connection, Greeting};

/// What was seen of a session.
#[derive(Default)]
pub struct Seen {
    /// Every field that occurred, and the values of those that have few.
    pub fields: BTreeSet<String>,
    /// Sizes of control messages.
    pub classes: BTreeSet<usize>,
    /// Sizes of bodies.
    pub bodies: BTreeSet<usize>,
    /// Sizes of pictures, without SFrame's header and tag.
    pub pictures: BTreeSet<usize>,
    /// Sizes of frames of sound, without SFrame's header and tag.
    pub sounds: BTreeSet<usize>,
    /// From which addresses each room was entered, a place for each connection.
    pub rooms: BTreeMap<[u8; 32], Vec<IpAddr>>,
    /// In which rooms the same sealed bytes were sent by one connection each.
    pub copies: BTreeMap<Vec<u8>, BTreeSet<[u8; 32]>>,
    /// What each connection showed to prove that it has the relay's pass.
    pub proofs: Vec<PassProof>,
    /// The salts of each connection's bodies.
    pub salts: Vec<BTreeSet<[u8; 16]>>,
    /// Close reasons, by their codes.
    pub closed: BTreeSet<u64>,
}

/// Names the fields of a header: one that is new does not compile here.
macro_rules! fields {
    ($seen:expr, $name:ident { $($field:ident),* } = $value:expr) => {
        let $name { $($field),* } = &$value;
        $( let _ = $field; $seen.field(concat!(stringify!($name), ".", stringify!($field))); )*
    };
}

impl Seen {
    pub fn of(connections: &[Connection], greetings: &[Greeting]) -> Self {
        let mut seen = Self::default();
        for greeting in greetings {
            if greeting.server_name.is_some() {
                seen.field("ClientHello.server_name");
            }
            for protocol in &greeting.protocols {
                let protocol = String::from_utf8_lossy(protocol);
                seen.field(&format!("ClientHello.alpn = {protocol}"));
            }
        }
        for connection in connections {
            seen.connection(connection);
        }
        seen
    }

    pub fn field(&mut self, field: &str) {
        if !self.fields.contains(field) {
            self.fields.insert(field.to_owned());
        }
    }

    fn connection(&mut self, connection: &Connection) {
        let (up, down) = (&connection.up, &connection.down);
        let mut room = None;
        let mut salts = BTreeSet::new();
        for message in self.control::<ToRelay>("ToRelay", &up.control) {
            match message {
                ToRelay::Hello { room: at, pass, .. } => {
                    assert_eq!(room, None, "one room for each connection");
                    let RoomHandle(at) = at;
                    room = Some(at);
                    self.proofs.extend(pass);
                    self.rooms.entry(at).or_default().push(connection.from);
                }
                ToRelay::Send { body, .. } => {
                    salts.insert(self.body(&body));
                }
                ToRelay::Subscribe { .. } | ToRelay::Unsubscribe { .. } => {}
            }
        }
        self.salts.push(salts);
        for message in self.control::<FromRelay>("FromRelay", &down.control) {
            if let FromRelay::Message { body, .. } = message {
                self.body(&body);
            }
        }
        for closed in [up.closed, down.closed].into_iter().flatten() {
            assert!(CloseReason::from_code(closed).is_some());
            self.field("Close.code");
            self.closed.insert(closed);
        }
        let room = room.unwrap_or_default();
        for datagram in &up.datagrams {
            let datagram = Bytes::copy_from_slice(datagram);
            let (track, payload) = split_uplink(&datagram).expect("a datagram");
            assert_eq!(uplink(track, &payload), datagram);
            self.field("Datagram.track");
            let plain = self.sealed("Datagram.payload", &payload);
            self.sounds.insert(plain);
            self.copies
                .entry(payload.to_vec())
                .or_default()
                .insert(room);
        }
        for datagram in &down.datagrams {
            let mut again = Bundle::new();
            for entry in BundleEntries::new(Bytes::copy_from_slice(datagram)) {
                let entry = entry.expect("a bundle");
                fields!(
                    self,
                    BundleEntry {
                        sender,
                        track,
                        payload
                    } = entry
                );
                assert!(again.try_push(*sender, *track, payload));
                self.sealed("BundleEntry.payload", payload);
            }
            assert_eq!(again.take(), datagram[..]);
        }
        for bytes in &up.groups {
            let Ok(header) = UplinkGroup::decode(bytes) else {
                continue;
            };
            fields!(self, UplinkGroup { track, group } = header);
            for frame in self.pictures("UplinkGroup", &header.encode(), bytes) {
                self.copies.entry(frame).or_default().insert(room);
            }
        }
        for bytes in &down.groups {
            let Ok(header) = DownlinkGroup::decode(bytes) else {
                continue;
            };
            fields!(
                self,
                DownlinkGroup {
                    sender,
                    track,
                    group
                } = header
            );
            self.pictures("DownlinkGroup", &header.encode(), bytes);
        }
    }

    /// The messages of a control stream, which may have been cut off.
    fn control<M: ControlMessage>(&mut self, name: &str, bytes: &[u8]) -> Vec<M> {
        let mut reader = ControlReader::<M>::new();
        let (mut messages, mut again) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(1024) {
            reader.push(piece).expect("a control stream");
            while let Some(message) = reader.next().expect("a control message") {
                let whole = encode_control(&message).expect("encodes");
                self.field(&format!("{name}.size class"));
                self.classes.insert(whole.len() - 2);
                again.extend_from_slice(&whole);
                let value = serde_json::to_value(&message).expect("a message");
                self.walk(name, &value);
                messages.push(message);
            }
        }
        assert!(bytes.starts_with(&again), "and nothing else");
        messages
    }

    /// Names what a message is made of. Words in it are values of closed lists: there is no text on
    /// this wire.
    fn walk(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.walk(&format!("{path}.{name}"), value);
                }
            }
            Value::Array(list) if list.iter().any(|one| !one.is_number()) => {
                for one in list {
                    self.walk(path, one);
                }
            }
            Value::String(word) => self.field(&format!("{path} = {word}")),
            Value::Array(_) | Value::Number(_) | Value::Bool(_) | Value::Null => self.field(path),
        }
    }

    /// An envelope; gives its salt.
    fn body(&mut self, body: &[u8]) -> [u8; 16] {
        self.bodies.insert(body.len());
        let (salt, rest) = body.split_first_chunk::<16>().expect("a salt");
        let (_counter, ciphertext) = rest.split_first_chunk::<8>().expect("a counter");
        assert!(!ciphertext.is_empty());
        for field in ["Body.salt", "Body.counter", "Body.ciphertext"] {
            self.field(field);
        }
        *salt
    }

    /// The frames of a group, which may have been cut off.
    fn pictures(&mut self, name: &str, header: &[u8], bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = GroupFrames::new();
        frames.push(Bytes::copy_from_slice(&bytes[header.len()..]));
        let (mut all, mut again) = (Vec::new(), header.to_vec());
        while let Some(frame) = frames.next().expect("a frame") {
            again.extend_from_slice(&encode_group_frame(&frame).expect("encodes"));
            self.field(&format!("{name}.frames.length"));
            let plain = self.sealed(&format!("{name}.frames.sealed"), &frame);
            self.pictures.insert(plain);
            all.push(frame.to_vec());
        }
        assert!(bytes.starts_with(&again), "and nothing else");
        all
    }

    /// Sealed bytes, with the header of RFC 9605, section 4.3; gives the size of what was sealed.
    fn sealed(&mut self, path: &str, sealed: &[u8]) -> usize {
        self.field(path);
        let config = sealed.first().expect("a header");
        let number = |bits: u8| match bits & 8 {
            0 => 0,
            _ => usize::from(bits & 7) + 1,
        };
        let header = 1 + number(config >> 4) + number(config & 15);
        for field in ["Sealed.key id", "Sealed.counter", "Sealed.ciphertext"] {
            self.field(field);
        }
        sealed.len() - header - 16
    }
}
