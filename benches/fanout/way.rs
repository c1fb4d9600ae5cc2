//! The ways by which a participant of the load comes to the relay: raw QUIC, and WebTransport as a
//! browser's.

use bytes::Bytes;
use quinn::{RecvStream, SendStream};
use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::client::web::{Request, Session, Visitor};
use sottovoce::carrier::client::{self, GroupReader, GroupWriter, Link};
use tokio::sync::Mutex;

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Quic,
    WebTransport,
}

impl Carrier {
    pub const ALL: [Self; 2] = [Self::Quic, Self::WebTransport];

    pub fn name(self) -> &'static str {
        match self {
            Self::Quic => "quic",
            Self::WebTransport => "webtransport",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.name() == name)
    }
}

/// A connection to the relay; `None` and `false` when it is over.
pub enum Way {
    Quic(Link),
    Web {
        session: Box<Session>,
        control: Mutex<SendStream>,
        answers: Mutex<RecvStream>,
    },
}

/// A group on its way to the relay.
pub enum Writer {
    Quic(GroupWriter),
    Web(SendStream),
}

/// A group on its way from it.
pub enum Reader {
    Quic(GroupReader),
    Web(RecvStream),
}

/// Most bytes that are taken from a stream at a time, as the client's own code does.
const CHUNK: usize = 64 * 1024;

impl Way {
    pub async fn connect(relay: &RelayAddress, carrier: Carrier) -> Result<Self, String> {
        if carrier == Carrier::Quic {
            let link = client::connect(relay, None).await;
            return link.map(Self::Quic).map_err(|error| error.to_string());
        }
        let visitor = Visitor::connect(relay).await;
        let visitor = visitor.map_err(|error| error.to_string())?;
        let request = Request {
            authority: "127.0.0.1",
            path: "/",
            origin: "https://127.0.0.1",
            agent: "bench",
        };
        let session = visitor.session(&request).await;
        let session = session.map_err(|error| error.to_string())?;
        let control = session.open_control().await;
        let (control, answers) = control.map_err(|error| error.to_string())?;
        Ok(Self::Web {
            session: Box::new(session),
            control: Mutex::new(control),
            answers: Mutex::new(answers),
        })
    }

    pub async fn send_control(&self, message: Bytes) -> bool {
        match self {
            Self::Quic(link) => link.send_control(message).await.is_ok(),
            Self::Web { control, .. } => control.lock().await.write_chunk(message).await.is_ok(),
        }
    }

    pub async fn recv_control(&self) -> Option<Bytes> {
        match self {
            Self::Quic(link) => link.recv_control().await.ok()?,
            Self::Web { answers, .. } => {
                let chunk = answers.lock().await.read_chunk(CHUNK, true).await.ok()??;
                Some(chunk.bytes)
            }
        }
    }

    pub fn send_datagram(&self, bytes: Bytes) -> bool {
        match self {
            Self::Quic(link) => link.send_datagram(bytes).is_ok(),
            Self::Web { session, .. } => session.send_datagram(&bytes).is_ok(),
        }
    }

    pub async fn recv_datagram(&self) -> Option<Bytes> {
        match self {
            Self::Quic(link) => link.recv_datagram().await.ok(),
            Self::Web { session, .. } => session.datagram().await.ok(),
        }
    }

    pub async fn open_group(&self) -> Option<Writer> {
        match self {
            Self::Quic(link) => link.open_group(0).await.ok().map(Writer::Quic),
            Self::Web { session, .. } => session.open_group().await.ok().map(Writer::Web),
        }
    }

    pub async fn accept_group(&self) -> Option<Reader> {
        match self {
            Self::Quic(link) => link.accept_group().await.ok().map(Reader::Quic),
            Self::Web { session, .. } => session.accept_group().await.ok().map(Reader::Web),
        }
    }
}

impl Writer {
    pub async fn write(&mut self, bytes: Bytes) -> bool {
        match self {
            Self::Quic(group) => group.write(bytes).await.is_ok(),
            Self::Web(group) => group.write_chunk(bytes).await.is_ok(),
        }
    }

    pub fn finish(self) {
        match self {
            Self::Quic(group) => group.finish(),
            Self::Web(mut group) => {
                let _ = group.finish();
            }
        }
    }
}

impl Reader {
    pub async fn read(&mut self) -> Option<Bytes> {
        match self {
            Self::Quic(group) => group.read().await.ok()?,
            Self::Web(group) => Some(group.read_chunk(CHUNK, true).await.ok()??.bytes),
        }
    }
}
