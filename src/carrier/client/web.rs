//! A browser's way to a relay: WebTransport over HTTP/3, written as browsers write it. No participant of
//! ours takes it; the drill, the tests and the bench have somebody come as a browser does.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, Endpoint, EndpointConfig, RecvStream, SendStream, TokioRuntime,
};
use tokio::sync::Mutex;

use super::dial::{bind_socket, look_up, server_name};
use super::{BindFailed, ConnectError, pinned_tls};
use crate::carrier::address::RelayAddress;
use crate::carrier::transport::client_transport;

/// The ALPN protocol name of HTTP/3.
pub(crate) const ALPN: &[u8] = b"h3";

/// The first bytes on the streams of a browser: its control stream with SETTINGS (tables of 64 KiB, a
/// field section of 64 KiB, datagrams, and a name that nobody knows), and a frame that nobody knows;
/// then its two streams about tables.
const OPENINGS: [&[u8]; 3] = [
    b"\x00\x04\x0f\x01\x80\x01\x00\x00\x06\x80\x01\x00\x00\x33\x01\x40\x40\x01\x40\x40\x02hm",
    b"\x02",
    b"\x03",
];

/// `:method: GET`, `:scheme: https`.
const GET: &[u8] = b"\xd1\xd7";

/// `:method: CONNECT`, `:scheme: https`, and `:protocol: webtransport`, both in the Huffman code.
const CONNECT: &[u8] =
    b"\xcf\xd7\x2f\x00\xb9\x5d\x87\x49\xc8\x7a\x3f\x89\xf0\x58\xd3\x60\xea\x45\x67\xb1\x3f";

/// The types at the heads of a session's streams, and its close in a frame DATA.
const BIDIRECTIONAL: u64 = 0x41;
const UNIDIRECTIONAL: u64 = 0x54;
const CLOSE_SESSION: u64 = 0x2843;

/// The longest answer that is read.
const LONGEST: usize = 16 * 1024;

/// Why a visit came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The connection or the stream is over.
    #[error("the relay ended it")]
    Over,
    /// The relay says something that a server of WebTransport does not say.
    #[error("the relay does not speak WebTransport as a browser does")]
    Answer,
}

/// What a request says besides what it asks for. Each has some hundred bytes at most.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `:authority`: host and port, as they stand in the page's link.
    pub authority: &'a str,
    /// `:path`.
    pub path: &'a str,
    /// `origin`: whose page it is.
    pub origin: &'a str,
    /// `user-agent`.
    pub agent: &'a str,
}

/// Somebody who speaks HTTP/3.
pub struct Visitor {
    connection: Connection,
    /// Streams of HTTP/3's own. As long as they are held they do not end.
    _openings: Vec<SendStream>,
    _settings: RecvStream,
}

impl Visitor {
    /// Connects to a relay that is known by its hashes.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(relay: &RelayAddress) -> Result<Self, ConnectError> {
        let target = look_up(relay).await?.into_iter().next();
        let target = target.ok_or(ConnectError::NameNotFound)?;
        let mut tls = pinned_tls(relay.hashes()).map_err(|_| ConnectError::Internal)?;
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let tls = QuicClientConfig::try_from(tls).map_err(|_| ConnectError::Internal)?;
        let mut config = ClientConfig::new(Arc::new(tls));
        config.transport_config(Arc::new(client_transport()));
        let socket = bind_socket(None, target.ip())?;
        let settings = EndpointConfig::default();
        let endpoint = Endpoint::new(settings, None, socket, Arc::new(TokioRuntime))
            .map_err(|error| BindFailed::from(&error))?;
        let name = server_name(relay.host());
        let connecting = endpoint.connect_with(config, target, &name);
        let connecting = connecting.map_err(|_| ConnectError::Internal)?;
        let connection = connecting.await.map_err(|error| ConnectError::of(&error))?;
        let begun = Self::begin(connection).await;
        begun.map_err(|_| ConnectError::NotSottovoce)
    }

    /// Says on a connection what a browser says first, and waits until the relay has.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn begin(connection: Connection) -> Result<Self, WebError> {
        let mut openings = Vec::new();
        for opening in OPENINGS {
            let mut stream = connection.open_uni().await.map_err(over)?;
            stream.write_all(opening).await.map_err(over)?;
            openings.push(stream);
        }
        // The relay opens it before all others.
        let mut settings = connection.accept_uni().await.map_err(over)?;
        match number(&mut settings).await? {
            0x00 => Ok(Self {
                connection,
                _openings: openings,
                _settings: settings,
            }),
            _ => Err(WebError::Answer),
        }
    }

    /// Asks for a page; all that is answered.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn get(&self, request: &Request<'_>) -> Result<Vec<u8>, WebError> {
        let (mut send, mut recv) = self.ask(GET, request).await?;
        send.finish().map_err(over)?;
        recv.read_to_end(LONGEST).await.map_err(over)
    }

    /// Asks for a session.
    ///
    /// # Errors
    /// [`WebError`]; [`WebError::Answer`] when there is none to be had.
    pub async fn session(self, request: &Request<'_>) -> Result<Session, WebError> {
        let (send, mut recv) = self.ask(CONNECT, request).await?;
        // HEADERS whose first field is `:status: 200`.
        let (kind, length) = (number(&mut recv).await?, number(&mut recv).await?);
        let mut fields = vec![0; usize::try_from(length).unwrap_or(0).min(LONGEST)];
        recv.read_exact(&mut fields).await.map_err(over)?;
        if kind != 0x01 || !fields.starts_with(b"\x00\x00\xd9") {
            return Err(WebError::Answer);
        }
        Ok(Session {
            number: send.id().index(),
            visitor: self,
            stream: Mutex::new((send, recv)),
        })
    }

    /// A request with these fields and those that browsers have besides.
    async fn ask(
        &self,
        fields: &[u8],
        request: &Request<'_>,
    ) -> Result<(SendStream, RecvStream), WebError> {
        let mut section = BytesMut::from(&[&[0, 0], fields].concat()[..]);
        // Names by their entries in the static table; `user-agent` is 95, `origin` 90.
        for (name, value) in [
            (&[0x50][..], request.authority),
            (&[0x51], request.path),
            (&[0x5f, 95 - 15], request.agent),
            (&[0x5f, 90 - 15], request.origin),
        ] {
            section.put_slice(name);
            match value.len().checked_sub(0x7f) {
                None => section.put_u8(value.len() as u8),
                Some(more) => section.put_slice(&[0x7f, more.min(0x7f) as u8]),
            }
            section.put_slice(value.as_bytes());
        }
        let mut frame = BytesMut::new();
        put(&mut frame, 0x01);
        put(&mut frame, section.len() as u64);
        frame.put(section);
        let (mut send, recv) = self.connection.open_bi().await.map_err(over)?;
        send.write_all(&frame).await.map_err(over)?;
        Ok((send, recv))
    }
}

/// A browser in its session.
pub struct Session {
    visitor: Visitor,
    /// Which request of its connection began it.
    number: u64,
    stream: Mutex<(SendStream, RecvStream)>,
}

impl Session {
    /// Opens the control stream of the vocabulary.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn open_control(&self) -> Result<(SendStream, RecvStream), WebError> {
        let connection = &self.visitor.connection;
        let (mut send, recv) = connection.open_bi().await.map_err(over)?;
        let head = self.head(BIDIRECTIONAL);
        send.write_all(&head).await.map_err(over)?;
        Ok((send, recv))
    }

    /// Opens a group.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn open_group(&self) -> Result<SendStream, WebError> {
        let mut send = self.visitor.connection.open_uni().await.map_err(over)?;
        let head = self.head(UNIDIRECTIONAL);
        send.write_all(&head).await.map_err(over)?;
        Ok(send)
    }

    /// The next group.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn accept_group(&self) -> Result<RecvStream, WebError> {
        let mut recv = self.visitor.connection.accept_uni().await.map_err(over)?;
        let head = (number(&mut recv).await?, number(&mut recv).await?);
        match head == (UNIDIRECTIONAL, 4 * self.number) {
            true => Ok(recv),
            false => Err(WebError::Answer),
        }
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// [`WebError`].
    pub fn send_datagram(&self, bytes: &[u8]) -> Result<(), WebError> {
        let mut datagram = BytesMut::with_capacity(8 + bytes.len());
        put(&mut datagram, self.number);
        datagram.put_slice(bytes);
        let connection = &self.visitor.connection;
        connection.send_datagram(datagram.freeze()).map_err(over)
    }

    /// The next datagram.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn datagram(&self) -> Result<Bytes, WebError> {
        let read = self.visitor.connection.read_datagram().await;
        let mut datagram = read.map_err(over)?;
        let mut head = BytesMut::new();
        put(&mut head, self.number);
        match datagram.starts_with(&head) {
            true => Ok(datagram.split_off(head.len())),
            false => Err(WebError::Answer),
        }
    }

    /// The code with which the relay ends the session.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn closed(&self) -> Result<u32, WebError> {
        let (_, recv) = &mut *self.stream.lock().await;
        let rest = recv.read_to_end(LONGEST).await.map_err(over)?;
        let capsule = rest.strip_prefix(b"\x00\x07\x68\x43\x04");
        let code = capsule.and_then(|code| code.try_into().ok());
        code.map(u32::from_be_bytes).ok_or(WebError::Answer)
    }

    /// Ends the session with a text, as a page that is closed, and waits until the relay has gone.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn leave(&self, text: &str) -> Result<(), WebError> {
        let mut capsule = BytesMut::new();
        put(&mut capsule, CLOSE_SESSION);
        put(&mut capsule, 4 + text.len() as u64);
        capsule.put_u32(0);
        capsule.put_slice(text.as_bytes());
        let mut frame = BytesMut::new();
        put(&mut frame, 0x00);
        put(&mut frame, capsule.len() as u64);
        frame.put(capsule);
        let (send, _) = &mut *self.stream.lock().await;
        send.write_all(&frame).await.map_err(over)?;
        send.finish().map_err(over)?;
        self.visitor.connection.closed().await;
        Ok(())
    }

    /// What a stream of the session's begins with.
    fn head(&self, kind: u64) -> BytesMut {
        let mut head = BytesMut::new();
        put(&mut head, kind);
        put(&mut head, 4 * self.number);
        head
    }
}

fn over<E>(_: E) -> WebError {
    WebError::Over
}

/// Appends an integer (RFC 9000, section 16) below 2^14.
fn put(into: &mut BytesMut, number: u64) {
    match number {
        0..0x40 => into.put_u8(number as u8),
        _ => into.put_u16(number as u16 & 0x3fff | 0x4000),
    }
}

/// Takes an integer off a stream.
async fn number(stream: &mut RecvStream) -> Result<u64, WebError> {
    let mut first = [0];
    stream.read_exact(&mut first).await.map_err(over)?;
    let [first] = first;
    let mut number = u64::from(first & 0x3f);
    for _ in 1..1 << (first >> 6) {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.map_err(over)?;
        number = number << 8 | u64::from(byte[0]);
    }
    Ok(number)
}
