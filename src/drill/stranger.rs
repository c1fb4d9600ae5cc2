//! Peers that are no participants: they speak QUIC, and after that whatever they like.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, ConnectionError, ConnectionId, ConnectionIdGenerator, Endpoint,
    EndpointConfig, RecvStream, SendStream, TokioRuntime, TransportErrorCode, VarInt,
};
use tokio::time::timeout;

use super::DrillError;
use super::cast::Part;
use crate::carrier::certificate::CertificateHash;
use crate::carrier::client::pinned_tls;
use crate::carrier::client::web::{self, Visitor};
use crate::carrier::transport::client_transport;
use crate::wire::{
    ALPN, CloseReason, ControlReader, FromRelay, ParticipantId, Role, RoomHandle, ToRelay, VERSION,
    encode_control,
};

/// How long a relay may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What befalls one whom the relay does not take.
pub(super) const REFUSED: &str = "a stranger was refused";

/// What befalls one whom nobody answers.
const NO_WAY: &str = "a stranger could not connect to the relay";

/// How much of what it does not read a stranger lets the relay send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Windows {
    Usual,
    /// A few packets' worth.
    Narrow,
}

/// The relay, as a stranger finds it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) hashes: Arc<[CertificateHash]>,
}

/// A connection, and its control stream.
pub(super) struct Stranger {
    pub(super) connection: Connection,
    control: SendStream,
    answers: RecvStream,
    reader: ControlReader<FromRelay>,
    endpoint: Endpoint,
}

impl Stranger {
    /// Shakes hands with the relay, which it calls `name`.
    pub(super) async fn connect(
        part: &Part,
        relay: &Target,
        name: &str,
        windows: Windows,
    ) -> Result<Self, DrillError> {
        let config = config(part, relay, windows, ALPN)?;
        let (endpoint, connection) = reach(part, relay, name, config).await?;
        let control = timeout(PATIENCE, connection.open_bi()).await;
        let Ok(Ok((control, answers))) = control else {
            return Err(DrillError::Story(NO_WAY));
        };
        Ok(Self {
            connection,
            control,
            answers,
            reader: ControlReader::new(),
            endpoint,
        })
    }

    /// Comes into a room; its id there.
    pub(super) async fn enter(
        &mut self,
        room: RoomHandle,
        role: Role,
    ) -> Result<ParticipantId, DrillError> {
        self.say(&hello(room, role)).await;
        match timeout(PATIENCE, self.next()).await {
            Ok(Some(FromRelay::Welcome { you, .. })) => Ok(you),
            _ => Err(DrillError::Story(
                "a stranger was not let into a room of its own",
            )),
        }
    }

    pub(super) async fn say(&mut self, message: &ToRelay) {
        if let Ok(bytes) = encode_control(message) {
            self.write(&bytes).await;
        }
    }

    /// Any bytes on the control stream. The relay may have ended it already.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.control.write_all(bytes)).await;
    }

    /// The next message; `None` when no more come.
    pub(super) async fn next(&mut self) -> Option<FromRelay> {
        loop {
            if let Some(message) = self.reader.next().ok()? {
                return Some(message);
            }
            let chunk = self.answers.read_chunk(65_536, true).await.ok()??;
            self.reader.push(&chunk.bytes).ok()?;
        }
    }

    /// Bytes in a stream of their own, as a group is.
    pub(super) async fn group(&self, bytes: &[u8]) {
        if let Ok(Ok(mut stream)) = timeout(PATIENCE, self.connection.open_uni()).await {
            let _ = stream.write_all(bytes).await;
            let _ = stream.finish();
        }
    }

    /// The relay ends the connection for this reason.
    pub(super) async fn closed_for(self, reason: CloseReason) -> Result<(), DrillError> {
        let ended = timeout(PATIENCE, self.connection.closed()).await;
        let code = match ended {
            Ok(ConnectionError::ApplicationClosed(close)) => close.error_code.into_inner(),
            _ => u64::MAX,
        };
        match CloseReason::from_code(code) == Some(reason) {
            true => Ok(()),
            false => Err(DrillError::Story(
                "a stranger past a limit was not closed for it",
            )),
        }
    }

    /// Ends the connection, with a text.
    pub(super) async fn close(self, text: &str) {
        self.connection.close(VarInt::from_u32(0), text.as_bytes());
        let _ = timeout(PATIENCE, self.endpoint.wait_idle()).await;
    }
}

/// Shakes hands with the relay as a browser does whose link has an IP address: it calls the relay nothing.
pub(super) async fn visit(part: &Part, relay: &Target) -> Result<Visitor, DrillError> {
    let config = config(part, relay, Windows::Usual, web::ALPN)?;
    let name = relay.address.ip().to_string();
    let (_, connection) = reach(part, relay, &name, config).await?;
    match timeout(PATIENCE, Visitor::begin(connection)).await {
        Ok(Ok(visitor)) => Ok(visitor),
        _ => Err(DrillError::Story(NO_WAY)),
    }
}

/// A connection from somebody's address.
async fn reach(
    part: &Part,
    relay: &Target,
    name: &str,
    config: ClientConfig,
) -> Result<(Endpoint, Connection), DrillError> {
    let socket = UdpSocket::bind(part.address).map_err(DrillError::network)?;
    let endpoint = Endpoint::new(endpoint(part), None, socket, Arc::new(TokioRuntime));
    let endpoint = endpoint.map_err(DrillError::network)?;
    let failed = DrillError::Story(NO_WAY);
    let Ok(connecting) = endpoint.connect_with(config, relay.address, name) else {
        return Err(failed);
    };
    match timeout(PATIENCE, connecting).await {
        Ok(Ok(connection)) => Ok((endpoint, connection)),
        Ok(Err(ConnectionError::ConnectionClosed(close)))
            if close.error_code == TransportErrorCode::CONNECTION_REFUSED =>
        {
            Err(DrillError::Story(REFUSED))
        }
        _ => Err(failed),
    }
}

/// What comes first on a control stream.
pub(super) fn hello(room: RoomHandle, role: Role) -> ToRelay {
    ToRelay::Hello {
        version: VERSION,
        room,
        role,
        pass: None,
    }
}

/// Bytes on the control stream of a size class, of which so many count as used.
pub(super) fn framed(class: u16, used: u16, content: &[u8]) -> Bytes {
    let head = [class.to_be_bytes(), used.to_be_bytes()].concat();
    let mut bytes = [&head[..], content].concat();
    bytes.resize(2 + usize::from(class), 0);
    bytes.into()
}

/// What a client sends before it hears anything.
pub(super) fn first_packets(
    part: &Part,
    relay: &Target,
    name: &str,
) -> Result<Vec<Vec<u8>>, DrillError> {
    let mut endpoint = quinn_proto::Endpoint::new(Arc::new(endpoint(part)), None, true, None);
    let now = Instant::now();
    let config = config(part, relay, Windows::Usual, ALPN)?;
    let Ok((_, mut connection)) = endpoint.connect(now, config, relay.address, name) else {
        return Err(DrillError::Tls);
    };
    let mut packets = Vec::new();
    loop {
        let mut packet = Vec::new();
        match connection.poll_transmit(now, 1, &mut packet) {
            Some(transmit) => {
                packet.truncate(transmit.size);
                packets.push(packet);
            }
            None => return Ok(packets),
        }
    }
}

fn endpoint(part: &Part) -> EndpointConfig {
    let ids = Ids(part.ids);
    let mut config = EndpointConfig::default();
    config.cid_generator(move || Box::new(ids));
    config
}

fn config(
    part: &Part,
    relay: &Target,
    windows: Windows,
    alpn: &[u8],
) -> Result<ClientConfig, DrillError> {
    let mut tls = pinned_tls(&relay.hashes).map_err(|_| DrillError::Tls)?;
    tls.alpn_protocols = vec![alpn.to_vec()];
    let mut transport = client_transport();
    transport.keep_alive_interval(Some(Duration::from_secs(1)));
    if windows == Windows::Narrow {
        transport
            .receive_window(VarInt::from_u32(20_000))
            .stream_receive_window(VarInt::from_u32(10_000));
    }
    let tls = QuicClientConfig::try_from(tls).map_err(|_| DrillError::Tls)?;
    let mut config = ClientConfig::new(Arc::new(tls));
    let ids = Ids(part.ids);
    config.initial_dst_cid_provider(Arc::new(move || ids.another()));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Connection ids that begin alike, so that the drill knows them again.
#[derive(Clone, Copy)]
struct Ids([u8; 12]);

impl Ids {
    fn another(self) -> ConnectionId {
        // Unlike in the whole process; nobody has to be unable to guess them.
        static DRAWN: AtomicU32 = AtomicU32::new(0);
        let rest = DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        ConnectionId::new(&[&self.0[..], &rest].concat())
    }
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        self.another()
    }

    fn cid_len(&self) -> usize {
        16
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}
