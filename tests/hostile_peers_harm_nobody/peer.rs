//! A peer that does as the test likes: stock quinn, our vocabulary, no manners.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, VarInt};
use sottovoce::carrier::transport::{client_transport, crypto_provider};
use sottovoce::wire::{
    ALPN, CloseReason, ControlReader, FromRelay, ParticipantId, Role, RoomHandle, ToRelay, TrackId,
    VERSION, encode_control,
};
use tokio::time::timeout;

use super::meeting::PATIENCE;
use super::support::anyone::Anyone;

/// Runs what a test does over the network.
pub fn run<T>(scenario: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(scenario)
}

/// How much of what it does not read a peer lets the relay send.
#[derive(Clone, Copy)]
pub enum Windows {
    Usual,
    /// A few packets' worth.
    Narrow,
}

pub struct Peer {
    pub connection: Connection,
    pub control: SendStream,
    answers: RecvStream,
    reader: ControlReader<FromRelay>,
    _endpoint: Endpoint,
}

impl Peer {
    /// Shakes hands with the relay (or a proxy before it) and opens the control stream.
    pub async fn connect(port: u16, windows: Windows) -> Self {
        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("a socket");
        let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connecting = endpoint.connect_with(config(windows), relay, "localhost");
        let connecting = timeout(PATIENCE, connecting.expect("a connection begins"));
        let connection = connecting.await.expect("an answer").expect("a connection");
        let (control, answers) = connection.open_bi().await.expect("a control stream");
        Self {
            connection,
            control,
            answers,
            reader: ControlReader::new(),
            _endpoint: endpoint,
        }
    }

    /// Comes into a room as it should; its id and who is there.
    pub async fn enter(&mut self, room: RoomHandle, role: Role) -> Entered {
        self.say(&hello(room, role)).await;
        match timeout(PATIENCE, self.next()).await {
            Ok(Some(FromRelay::Welcome { you, present })) => Entered { you, present },
            _ => panic!("no welcome"),
        }
    }

    pub async fn say(&mut self, message: &ToRelay) {
        self.write(&encode_control(message).expect("a message within its limits"))
            .await;
    }

    /// Any bytes on the control stream. The relay may have ended it already.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.control.write_all(bytes).await;
    }

    /// Asks for every track of these participants.
    pub async fn subscribe_to_all(&mut self, of: &[ParticipantId]) {
        for &participant in of {
            for track in (0..sottovoce::wire::limits::TRACKS).map(TrackId) {
                self.say(&ToRelay::Subscribe { participant, track }).await;
            }
        }
    }

    /// The next message; `None` when no more come.
    pub async fn next(&mut self) -> Option<FromRelay> {
        loop {
            if let Some(message) = self.reader.next().expect("a relay's message decodes") {
                return Some(message);
            }
            let chunk = self.answers.read_chunk(65536, true).await.ok()??;
            self.reader.push(&chunk.bytes).expect("read so far");
        }
    }

    /// The relay says why it ends the connection, and ends it.
    pub async fn closes_for(mut self, reason: CloseReason, what: &str) {
        let closed = timeout(PATIENCE, async {
            while let Some(message) = self.next().await {
                if let FromRelay::Closed { reason } = message {
                    return Some(reason);
                }
            }
            None
        });
        let said = closed.await.expect("closed in time");
        assert_eq!(said, Some(reason), "{what}: the last message");
        self.ends_with(reason, what).await;
    }

    /// The relay ends the connection with this reason as its code, whatever is read of it.
    pub async fn ends_with(&self, reason: CloseReason, what: &str) {
        let ended = timeout(PATIENCE, self.connection.closed()).await;
        let ConnectionError::ApplicationClosed(close) = ended.expect("ended in time") else {
            panic!("{what}: the relay did not end it");
        };
        let code = CloseReason::from_code(close.error_code.into_inner());
        assert_eq!(code, Some(reason), "{what}: the error code");
    }

    /// Nothing has ended the connection.
    pub fn is_there(&self) -> bool {
        self.connection.close_reason().is_none()
    }
}

pub struct Entered {
    pub you: ParticipantId,
    pub present: Vec<ParticipantId>,
}

pub fn hello(room: RoomHandle, role: Role) -> ToRelay {
    let version = VERSION;
    ToRelay::Hello {
        version,
        room,
        role,
        pass: None,
    }
}

/// Handshakes as a participant's, with anybody.
pub fn config(windows: Windows) -> ClientConfig {
    let mut tls = rustls::ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(crypto_provider())))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut transport = client_transport();
    transport.keep_alive_interval(Some(Duration::from_secs(1)));
    if let Windows::Narrow = windows {
        transport
            .receive_window(VarInt::from_u32(20_000))
            .stream_receive_window(VarInt::from_u32(10_000))
            .max_concurrent_uni_streams(VarInt::from_u32(64));
    }
    let tls = QuicClientConfig::try_from(tls).expect("a suite for QUIC");
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    config
}
