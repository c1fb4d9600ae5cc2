//! A relay for tests, in this process: stock quinn, no beat, no limits, no mercy.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, VarInt};
use tokio::sync::mpsc;

use crate::carrier::certificate::{CertificateStore, Identity};
use crate::meeting::RelayRef;
use crate::meeting::links::Links;
use crate::wire::{
    ALPN, Bundle, CloseReason, ControlReader, DownlinkGroup, FromRelay, ParticipantId, RoomHandle,
    To, ToRelay, TrackId, UplinkGroup, encode_control, split_uplink,
};

pub(super) struct Relay {
    endpoint: Endpoint,
    room: Arc<Mutex<Room>>,
    pub(super) port: u16,
    hashes: Vec<[u8; 32]>,
}

#[derive(Default)]
struct Room {
    guests: HashMap<ParticipantId, Guest>,
    next: u32,
    /// Whoever says hello is answered with this.
    refuse: Option<CloseReason>,
}

struct Guest {
    handle: RoomHandle,
    connection: Connection,
    control: mpsc::UnboundedSender<FromRelay>,
    wants: HashSet<(ParticipantId, TrackId)>,
}

impl Relay {
    pub(super) async fn start(port: u16) -> Self {
        Self::known_by([5; 32], port).await
    }

    /// A relay with this identity.
    pub(super) async fn known_by(identity: [u8; 32], port: u16) -> Self {
        let now = SystemTime::now();
        let store = CertificateStore::derived(Identity::from_bytes(identity), now).unwrap();
        let hashes = store.hashes(now).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(store));
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let tls = QuicServerConfig::try_from(tls).unwrap();
        let mut config = quinn::ServerConfig::with_crypto(Arc::new(tls));
        let transport = Arc::get_mut(&mut config.transport).unwrap();
        transport.max_concurrent_uni_streams(8_u8.into());
        let endpoint = loop {
            // A relay that has just ended may still hold the port.
            let address = (Ipv4Addr::LOCALHOST, port).into();
            match Endpoint::server(config.clone(), address) {
                Ok(endpoint) => break endpoint,
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let port = endpoint.local_addr().unwrap().port();
        let room = Arc::<Mutex<Room>>::default();
        let hashes = hashes.iter().map(|hash| *hash.as_bytes()).collect();
        tokio::spawn(accept(endpoint.clone(), room.clone()));
        Self {
            endpoint,
            room,
            port,
            hashes,
        }
    }

    /// The host's link of a meeting at it.
    pub(super) fn link(&self) -> String {
        links(vec![self.reference()]).host
    }

    /// The link of the same meeting that the host gives away.
    pub(super) fn meeting_link(&self) -> String {
        links(vec![self.reference()]).meeting
    }

    /// How a link names it.
    pub(super) fn reference(&self) -> RelayRef {
        RelayRef {
            host: "127.0.0.1".into(),
            port: self.port,
            hashes: self.hashes.clone(),
            pass: None,
        }
    }

    pub(super) fn refuse(&self, reason: CloseReason) {
        self.room.lock().unwrap().refuse = Some(reason);
    }

    /// Closes all connections for this reason; goes on listening.
    pub(super) fn drop_all(&self, reason: CloseReason) {
        for (_, guest) in self.room.lock().unwrap().guests.drain() {
            guest.connection.close(VarInt::from_u32(reason.code()), b"");
        }
    }

    /// The same for the connections in one room.
    pub(super) fn drop_room(&self, handle: RoomHandle, reason: CloseReason) {
        let mut room = self.room.lock().unwrap();
        for (_, guest) in room.guests.extract_if(|_, guest| guest.handle == handle) {
            guest.connection.close(VarInt::from_u32(reason.code()), b"");
        }
    }

    /// Ends, and frees its port.
    pub(super) async fn stop(self) {
        self.endpoint
            .close(VarInt::from_u32(CloseReason::Restarting.code()), b"");
        self.endpoint.wait_idle().await;
        self.room.lock().unwrap().guests.clear();
    }
}

/// The links of a meeting at these relays, always the same one.
pub(super) fn links(relays: Vec<RelayRef>) -> Links {
    Links::draw(relays, "", 0, false, [8; 32]).unwrap()
}

async fn accept(endpoint: Endpoint, room: Arc<Mutex<Room>>) {
    while let Some(incoming) = endpoint.accept().await {
        let room = room.clone();
        tokio::spawn(async move {
            if let Ok(connection) = incoming.await {
                serve(connection, room).await;
            }
        });
    }
}

async fn serve(connection: Connection, room: Arc<Mutex<Room>>) -> Option<()> {
    let (mut down, mut up) = connection.accept_bi().await.ok()?;
    let (control, mut queue) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = queue.recv().await {
            let bytes = encode_control::<FromRelay>(&message).unwrap();
            if down.write_chunk(bytes).await.is_err() {
                return;
            }
        }
    });
    let mut reader = ControlReader::<ToRelay>::new();
    let mut me = None;
    while let Ok(Some(chunk)) = up.read_chunk(65536, true).await {
        reader.push(&chunk.bytes).unwrap();
        while let Some(message) = reader.next().unwrap() {
            match (message, me) {
                (ToRelay::Hello { room: handle, .. }, None) => {
                    if let Some(reason) = room.lock().unwrap().refuse {
                        connection.close(VarInt::from_u32(reason.code()), b"");
                        return None;
                    }
                    let id = enter(&room, handle, &connection, &control);
                    me = Some(id);
                    tokio::spawn(datagrams(id, connection.clone(), room.clone()));
                    tokio::spawn(groups(id, connection.clone(), room.clone()));
                }
                (ToRelay::Send { to, body }, Some(from)) => {
                    let room = room.lock().unwrap();
                    for (id, guest) in room.around(from) {
                        if matches!(to, To::Everyone) || to == To::One(id) {
                            let body = body.clone();
                            let _ = guest.control.send(FromRelay::Message { from, body });
                        }
                    }
                }
                (ToRelay::Subscribe { participant, track }, Some(id)) => {
                    let mut room = room.lock().unwrap();
                    room.guests.get_mut(&id)?.wants.insert((participant, track));
                }
                (ToRelay::Unsubscribe { participant, track }, Some(id)) => {
                    let mut room = room.lock().unwrap();
                    room.guests
                        .get_mut(&id)?
                        .wants
                        .remove(&(participant, track));
                }
                _ => panic!("a message at the wrong time"),
            }
        }
    }
    let me = me?;
    let mut room = room.lock().unwrap();
    let gone = room.guests.remove(&me)?;
    let same = |guest: &&Guest| guest.handle == gone.handle;
    for guest in room.guests.values().filter(same) {
        let _ = guest.control.send(FromRelay::Left { participant: me });
    }
    Some(())
}

fn enter(
    room: &Mutex<Room>,
    handle: RoomHandle,
    connection: &Connection,
    control: &mpsc::UnboundedSender<FromRelay>,
) -> ParticipantId {
    let mut room = room.lock().unwrap();
    room.next += 1;
    let you = ParticipantId(room.next);
    let same = |guest: &&Guest| guest.handle == handle;
    for guest in room.guests.values().filter(same) {
        let _ = guest.control.send(FromRelay::Joined { participant: you });
    }
    let (connection, control) = (connection.clone(), control.clone());
    room.guests.insert(
        you,
        Guest {
            handle,
            connection,
            control,
            wants: HashSet::new(),
        },
    );
    let present: Vec<_> = room.around(you).map(|(id, _)| id).collect();
    let _ = room.guests[&you]
        .control
        .send(FromRelay::Welcome { you, present });
    you
}

impl Room {
    /// Everyone else in the same room.
    fn around(&self, me: ParticipantId) -> impl Iterator<Item = (ParticipantId, &Guest)> {
        let mine = self.guests.get(&me).map(|guest| guest.handle);
        let others = self
            .guests
            .iter()
            .filter(move |(id, guest)| **id != me && Some(guest.handle) == mine);
        others.map(|(id, guest)| (*id, guest))
    }

    fn listeners(&self, sender: ParticipantId, track: TrackId) -> Vec<Connection> {
        let wants = |(_, guest): &(_, &Guest)| guest.wants.contains(&(sender, track));
        self.around(sender)
            .filter(wants)
            .map(|(_, guest)| guest.connection.clone())
            .collect()
    }
}

async fn datagrams(sender: ParticipantId, connection: Connection, room: Arc<Mutex<Room>>) {
    while let Ok(datagram) = connection.read_datagram().await {
        let (track, payload) = split_uplink(&datagram).unwrap();
        let mut bundle = Bundle::new();
        assert!(bundle.try_push(sender, track, &payload));
        let bundle = bundle.take();
        for listener in room.lock().unwrap().listeners(sender, track) {
            let _ = listener.send_datagram(bundle.clone());
        }
    }
}

async fn groups(sender: ParticipantId, connection: Connection, room: Arc<Mutex<Room>>) {
    while let Ok(mut stream) = connection.accept_uni().await {
        let room = room.clone();
        tokio::spawn(async move {
            let mut head = BytesMut::zeroed(UplinkGroup::LEN);
            stream.read_exact(&mut head).await.ok()?;
            let UplinkGroup { track, group } = UplinkGroup::decode(&head).unwrap();
            let listeners = room.lock().unwrap().listeners(sender, track);
            let mut copies = Vec::new();
            for listener in listeners {
                let mut copy = listener.open_uni().await.ok()?;
                let head: Bytes = DownlinkGroup {
                    sender,
                    track,
                    group,
                }
                .encode();
                copy.write_chunk(head).await.ok()?;
                copies.push(copy);
            }
            while let Ok(Some(chunk)) = stream.read_chunk(65536, true).await {
                for copy in &mut copies {
                    let _ = copy.write_chunk(chunk.bytes.clone()).await;
                }
            }
            for copy in &mut copies {
                let _ = copy.finish();
            }
            Some(())
        });
    }
}
