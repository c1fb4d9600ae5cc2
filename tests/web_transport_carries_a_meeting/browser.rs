//! A client of WebTransport over stock quinn, which writes what browsers write, byte by byte.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};
use sottovoce::carrier::transport::{client_transport, crypto_provider};
use sottovoce::wire::{ControlReader, FromRelay, ToRelay, encode_control};

use super::support::anyone::Anyone;

/// What a browser says that it is.
pub const AGENT: &str = "Mozilla/5.0 (of whoever it was) Canary/1";

/// The first bytes on the streams of a browser: its control stream with SETTINGS (tables of 64 KiB, a
/// field section of 64 KiB, datagrams, and a name that nobody knows), and a frame that nobody knows;
/// then its two streams about tables, with a capacity of which no use is made.
const OPENINGS: [&[u8]; 3] = [
    b"\x00\x04\x0f\x01\x80\x01\x00\x00\x06\x80\x01\x00\x00\x33\x01\x40\x40\x01\x40\x40\x02hm",
    b"\x02",
    b"\x03",
];

/// Somebody who speaks HTTP/3.
pub struct Visitor {
    connection: Connection,
    requests: Cell<u8>,
    /// As long as they are held, they do not end.
    _openings: Vec<SendStream>,
    _endpoint: Endpoint,
}

impl Visitor {
    pub async fn connect(port: u16) -> Self {
        let mut tls = rustls::ClientConfig::builder_with_provider(crypto_provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(crypto_provider())))
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let tls = QuicClientConfig::try_from(tls).expect("a suite for QUIC");
        let mut config = ClientConfig::new(Arc::new(tls));
        config.transport_config(Arc::new(client_transport()));

        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("a socket");
        let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connecting = endpoint.connect_with(config, relay, "localhost");
        let connection = connecting.expect("it begins").await.expect("a connection");
        let mut openings = Vec::new();
        for opening in OPENINGS {
            let mut stream = connection.open_uni().await.expect("a stream");
            stream.write_all(opening).await.expect("it is taken");
            openings.push(stream);
        }
        Self {
            connection,
            requests: 0.into(),
            _openings: openings,
            _endpoint: endpoint,
        }
    }

    /// Asks for a page; all that is answered.
    pub async fn get(&self, path: &str) -> Vec<u8> {
        // `:method: GET`, `:scheme: https`.
        let (mut send, mut recv) = self.request(b"\xd1\xd7", path).await;
        send.finish().expect("it is open");
        recv.read_to_end(10_000).await.expect("no reset")
    }

    /// Asks for a session.
    pub async fn session(self, path: &str) -> Browser {
        // `:method: CONNECT`, `:scheme: https`, and `:protocol: webtransport`, both in the Huffman code.
        let fields =
            b"\xcf\xd7\x2f\x00\xb9\x5d\x87\x49\xc8\x7a\x3f\x89\xf0\x58\xd3\x60\xea\x45\x67\xb1\x3f";
        let number = self.requests.get();
        let (send, mut recv) = self.request(fields, path).await;
        // HEADERS whose first field is `:status: 200`.
        let mut answer = [0; 5];
        recv.read_exact(&mut answer).await.expect("an answer");
        assert_eq!((answer[0], answer[4]), (0x01, 0xd9));
        let mut rest = vec![0; usize::from(answer[1]) - 3];
        recv.read_exact(&mut rest).await.expect("all of it");
        Browser::new(self, number, send, recv).await
    }

    /// A request with these fields and those that browsers have besides.
    async fn request(&self, fields: &[u8], path: &str) -> (SendStream, RecvStream) {
        let mut section = [&[0, 0], fields].concat();
        for (name, value) in [(0x50, "127.0.0.1"), (0x51, path)] {
            section.extend([name, value.len() as u8]);
            section.extend(value.as_bytes());
        }
        // `user-agent` is entry 95 of the static table, `origin` 90.
        for (name, value) in [(95 - 15, AGENT), (90 - 15, "https://canary.example")] {
            section.extend([0x5f, name, value.len() as u8]);
            section.extend(value.as_bytes());
        }
        let length = u16::try_from(section.len()).expect("short") | 0x4000;
        let frame = [&[0x01][..], &length.to_be_bytes(), &section].concat();
        let (mut send, recv) = self.connection.open_bi().await.expect("a stream");
        send.write_all(&frame).await.expect("it is taken");
        self.requests.set(self.requests.get() + 1);
        (send, recv)
    }
}

/// A browser in its session.
pub struct Browser {
    visitor: Visitor,
    /// The number of the request that began the session.
    number: u8,
    session: (SendStream, RecvStream),
    control: (SendStream, RecvStream),
    reader: ControlReader<FromRelay>,
    held: RefCell<Vec<RecvStream>>,
}

impl Browser {
    async fn new(visitor: Visitor, number: u8, send: SendStream, recv: RecvStream) -> Self {
        let mut control = visitor.connection.open_bi().await.expect("a stream");
        let head = [0x40, 0x41, number * 4];
        control.0.write_all(&head).await.expect("it is taken");
        Self {
            visitor,
            number,
            session: (send, recv),
            control,
            reader: ControlReader::new(),
            held: RefCell::default(),
        }
    }

    pub async fn say(&mut self, message: &ToRelay) {
        let message = encode_control(message).expect("a message within its limits");
        // The relay may have ended the session already.
        let _ = self.control.0.write_all(&message).await;
    }

    /// The next message; `None` when no more come.
    pub async fn next(&mut self) -> Option<FromRelay> {
        loop {
            if let Some(message) = self.reader.next().expect("a relay's message decodes") {
                return Some(message);
            }
            let chunk = self.control.1.read_chunk(65536, true).await.ok()??;
            self.reader.push(&chunk.bytes).expect("read so far");
        }
    }

    pub fn send_datagram(&self, bytes: &[u8]) {
        let mut datagram = BytesMut::new();
        datagram.put_u8(self.number);
        datagram.put_slice(bytes);
        let sent = self.visitor.connection.send_datagram(datagram.freeze());
        sent.expect("it is small enough");
    }

    pub async fn datagram(&self) -> Bytes {
        let mut datagram = self.visitor.connection.read_datagram().await.expect("one");
        assert_eq!(datagram.split_to(1)[0], self.number);
        datagram
    }

    pub async fn send_group(&self, bytes: &[u8]) {
        let mut stream = self.visitor.connection.open_uni().await.expect("a stream");
        let head = [0x40, 0x54, self.number * 4];
        stream.write_all(&head).await.expect("it is taken");
        stream.write_all(bytes).await.expect("it is taken");
        stream.finish().expect("it is open");
    }

    /// The next group, whole.
    pub async fn group(&self) -> Vec<u8> {
        loop {
            let mut stream = self
                .visitor
                .connection
                .accept_uni()
                .await
                .expect("a stream");
            let mut kind = [0; 1];
            stream.read_exact(&mut kind).await.expect("a kind");
            if kind == [0x00] {
                // The relay's own control stream, which is not to be stopped.
                self.held.borrow_mut().push(stream);
                continue;
            }
            let mut head = [0; 2];
            stream.read_exact(&mut head).await.expect("a head");
            assert_eq!((kind[0], head), (0x40, [0x54, self.number * 4]));
            return stream.read_to_end(1_000_000).await.expect("all of it");
        }
    }

    /// The code with which the relay ended the session.
    pub async fn closed(mut self) -> Option<u32> {
        let rest = self.session.1.read_to_end(1000).await.expect("no reset");
        let capsule = rest.strip_prefix(b"\x00\x07\x68\x43\x04")?;
        capsule.try_into().ok().map(u32::from_be_bytes)
    }

    /// Ends the session, as a page that is closed.
    pub async fn leave(mut self) {
        let capsule = b"\x00\x07\x68\x43\x04\x00\x00\x00\x00";
        let send = &mut self.session.0;
        send.write_all(capsule).await.expect("it is taken");
        send.finish().expect("it is open");
        self.visitor.connection.closed().await;
    }
}
