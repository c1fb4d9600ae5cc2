//! A stock `quinn-proto` client without sockets, that notes what it is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{
    ClientConfig, Connection, ConnectionError, ConnectionHandle, DatagramEvent, Dir, EcnCodepoint,
    Endpoint, EndpointConfig, Event, RandomConnectionIdGenerator, ReadError, StreamEvent, StreamId,
    TransportConfig, VarInt,
};

use super::anyone::Anyone;
use crate::airlock::fake::FakeHost;
use crate::carrier::transport::{client_transport, crypto_provider};
use crate::wire::{ALPN, CloseReason};

/// A client and all that it has heard.
pub(crate) struct Client {
    pub(crate) host: FakeHost,
    pub(crate) relay: SocketAddr,
    pub(crate) quic: Connection,
    endpoint: Endpoint,
    handle: ConnectionHandle,
    control: Option<StreamId>,
    /// It takes its packets, and leaves what is in the streams alone.
    pub(crate) reads: bool,
    /// Nothing leaves it any more, as if its cable were cut.
    pub(crate) mute: bool,
    pub(crate) seen: Seen,
}

/// What a client was told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connected: bool,
    pub(crate) control: Vec<u8>,
    pub(crate) control_ended: bool,
    pub(crate) datagrams: Vec<Bytes>,
    pub(crate) groups: BTreeMap<StreamId, (Vec<u8>, End)>,
    pub(crate) stopped: Vec<StreamId>,
    pub(crate) lost: Option<ConnectionError>,
    /// ECN bits of each packet that came.
    pub(crate) marks: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    No,
    Finished,
    Reset,
}

/// A packet that a client sends.
pub(crate) struct Sent {
    pub(crate) ecn: u8,
    pub(crate) bytes: Vec<u8>,
}

/// What a participant's own carrier sets, for tests to vary.
pub(crate) fn usual() -> (TransportConfig, rustls::ClientConfig) {
    let provider = crypto_provider();
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    (client_transport(), tls)
}

pub(crate) fn config(transport: TransportConfig, tls: rustls::ClientConfig) -> ClientConfig {
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    config.transport_config(Arc::new(transport));
    config
}

impl Client {
    pub(crate) fn connect(
        host: FakeHost,
        relay: SocketAddr,
        config: ClientConfig,
        now: Instant,
    ) -> Self {
        // The longest ids there are leave the least room for data.
        let mut ids = EndpointConfig::default();
        ids.cid_generator(|| Box::new(RandomConnectionIdGenerator::new(20)));
        let mut endpoint = Endpoint::new(Arc::new(ids), None, false, None);
        let (handle, quic) = endpoint.connect(now, config, relay, "relay").unwrap();
        Self {
            host,
            relay,
            quic,
            endpoint,
            handle,
            control: None,
            reads: true,
            mute: false,
            seen: Seen::default(),
        }
    }

    /// One packet that came.
    pub(crate) fn receive(&mut self, now: Instant, from: SocketAddr, ecn: u8, bytes: &[u8]) {
        self.seen.marks.push(ecn);
        let ecn = EcnCodepoint::from_bits(ecn);
        let bytes = BytesMut::from(bytes);
        let mut answer = Vec::new();
        let event = self
            .endpoint
            .handle(now, from, None, ecn, bytes, &mut answer);
        if let Some(DatagramEvent::ConnectionEvent(_, event)) = event {
            self.quic.handle_event(event);
        }
    }

    /// Timers, events, and the packets that are to leave now.
    pub(crate) fn drive(&mut self, now: Instant) -> Vec<Sent> {
        if self.quic.poll_timeout().is_some_and(|at| at <= now) {
            self.quic.handle_timeout(now);
        }
        self.listen();
        let mut sent = Vec::new();
        let mut bytes = Vec::new();
        while let Some(transmit) = self.quic.poll_transmit(now, 1, &mut bytes) {
            let ecn = transmit.ecn.map_or(0, |ecn| ecn as u8);
            let bytes = std::mem::take(&mut bytes);
            sent.push(Sent { ecn, bytes });
        }
        while let Some(event) = self.quic.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(self.handle, event) {
                self.quic.handle_event(event);
            }
        }
        if self.mute {
            sent.clear();
        }
        sent
    }

    fn listen(&mut self) {
        while let Some(event) = self.quic.poll() {
            match event {
                Event::Connected => self.seen.connected = true,
                Event::ConnectionLost { reason } => self.seen.lost = Some(reason),
                Event::DatagramReceived => {
                    while let Some(bytes) = self.quic.datagrams().recv() {
                        self.seen.datagrams.push(bytes);
                    }
                }
                Event::Stream(StreamEvent::Stopped { id, .. }) => {
                    self.seen.stopped.push(id);
                    let _ = self.quic.send_stream(id).reset(VarInt::from_u32(0));
                }
                Event::Stream(StreamEvent::Opened { dir: Dir::Uni }) => {
                    while let Some(id) = self.quic.streams().accept(Dir::Uni) {
                        self.seen.groups.insert(id, (Vec::new(), End::No));
                    }
                }
                _ => {}
            }
        }
        if self.reads {
            self.read();
        }
    }

    fn read(&mut self) {
        if let Some(id) = self.control {
            let into = &mut self.seen.control;
            self.seen.control_ended |= take(&mut self.quic, id, into) != End::No;
        }
        for (&id, (bytes, end)) in &mut self.seen.groups {
            if *end == End::No {
                *end = take(&mut self.quic, id, bytes);
            }
        }
    }

    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        self.quic.poll_timeout()
    }

    /// Says something on the control stream, which this opens.
    pub(crate) fn control(&mut self, bytes: &[u8]) {
        let id = match self.control {
            Some(id) => id,
            None => self.quic.streams().open(Dir::Bi).unwrap(),
        };
        self.control = Some(id);
        assert_eq!(self.quic.send_stream(id).write(bytes), Ok(bytes.len()));
    }

    pub(crate) fn control_stream(&self) -> StreamId {
        self.control.unwrap()
    }

    pub(crate) fn datagram(&mut self, bytes: Bytes) {
        self.quic.datagrams().send(bytes, true).unwrap();
    }

    /// Opens a group and writes as much as goes; how much that is.
    pub(crate) fn group(&mut self, bytes: &[u8]) -> (StreamId, usize) {
        let id = self.quic.streams().open(Dir::Uni).unwrap();
        let written = self.quic.send_stream(id).write(bytes).unwrap_or(0);
        (id, written)
    }

    pub(crate) fn finish(&mut self, id: StreamId) {
        self.quic.send_stream(id).finish().unwrap();
    }

    pub(crate) fn close(&mut self, now: Instant) {
        let code = VarInt::from_u32(CloseReason::Done.code());
        self.quic.close(now, code, Bytes::new());
    }

    /// The relay's close code, when it closed.
    pub(crate) fn closed_with(&self) -> Option<u32> {
        match &self.seen.lost {
            Some(ConnectionError::ApplicationClosed(close)) => {
                u32::try_from(close.error_code.into_inner()).ok()
            }
            _ => None,
        }
    }
}

fn take(quic: &mut Connection, id: StreamId, into: &mut Vec<u8>) -> End {
    let mut stream = quic.recv_stream(id);
    let Ok(mut chunks) = stream.read(true) else {
        return End::No;
    };
    let end = loop {
        match chunks.next(usize::MAX) {
            Ok(Some(chunk)) => into.extend_from_slice(&chunk.bytes),
            Ok(None) => break End::Finished,
            Err(ReadError::Blocked) => break End::No,
            Err(ReadError::Reset(_)) => break End::Reset,
        }
    };
    let _ = chunks.finalize();
    end
}

/// Long enough for anything that is going to happen on a good path.
pub(crate) const A_WHILE: Duration = Duration::from_millis(1500);
