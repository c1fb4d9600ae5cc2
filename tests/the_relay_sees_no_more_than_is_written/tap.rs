//! What a relay sees: between participants and the true relay stands one of the test's, which ends their
//! QUIC connections, hands on everything in both directions, and keeps it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ConnectionError, Endpoint, RecvStream, SendStream, VarInt};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::certificate::{CertificateStore, Identity};
use sottovoce::carrier::transport::{client_transport, crypto_provider, server_transport};
use sottovoce::wire::ALPN;

use super::support::anyone::Anyone;

/// How long the last words of a relay are waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// All of one connection.
#[derive(Clone)]
pub struct Connection {
    pub from: IpAddr,
    pub up: Said,
    pub down: Said,
}

/// One direction of it.
#[derive(Clone, Default)]
pub struct Said {
    pub control: Vec<u8>,
    pub datagrams: Vec<Vec<u8>>,
    pub groups: Vec<Vec<u8>>,
    /// The application error code of whoever closed.
    pub closed: Option<u64>,
}

/// What a handshake says of who comes.
#[derive(Clone, Default)]
pub struct Greeting {
    pub server_name: Option<String>,
    pub protocols: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Tape {
    connections: Mutex<Vec<Connection>>,
    greetings: Mutex<Vec<Greeting>>,
}

/// Runs until the test ends.
pub struct Tap {
    /// What a link calls it.
    pub address: String,
    tape: Arc<Tape>,
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl Tape {
    fn keep(&self, at: usize, way: Way, keep: impl FnOnce(&mut Said)) {
        let mut connections = self.connections.lock().expect("lock");
        match way {
            Way::Up => keep(&mut connections[at].up),
            Way::Down => keep(&mut connections[at].down),
        }
    }
}

impl Tap {
    /// In front of whatever listens on that port of 127.0.0.1.
    pub fn before(port: u16) -> Self {
        let tape = Arc::new(Tape::default());
        let now = SystemTime::now();
        let store = CertificateStore::derived(Identity::from_bytes([3; 32]), now).expect("one");
        let hashes = store.hashes(now).expect("hashes");
        let (bound, is_bound) = std::sync::mpsc::channel();
        let kept = tape.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let here = listen(store, kept.clone());
                let _ = bound.send(here.local_addr().expect("bound").port());
                while let Some(incoming) = here.accept().await {
                    tokio::spawn(carry(incoming, port, kept.clone()));
                }
            });
        });
        let here = is_bound.recv().expect("a port");
        // By a name, so that what is sent of it shows.
        let address = RelayAddress::new("localhost", here, hashes);
        let address = address.expect("an address").to_url();
        Self { address, tape }
    }

    /// What was said up to now.
    pub fn connections(&self) -> Vec<Connection> {
        self.tape.connections.lock().expect("lock").clone()
    }

    pub fn greetings(&self) -> Vec<Greeting> {
        self.tape.greetings.lock().expect("lock").clone()
    }
}

fn listen(store: CertificateStore, tape: Arc<Tape>) -> Endpoint {
    let mut tls = rustls::ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Door { store, tape }));
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let tls = QuicServerConfig::try_from(tls).expect("for QUIC");
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(tls));
    let mut transport = server_transport();
    transport.receive_window(VarInt::from_u32(16 << 20));
    config.transport_config(Arc::new(transport));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Endpoint::server(config, any).expect("a port")
}

async fn carry(incoming: quinn::Incoming, port: u16, tape: Arc<Tape>) {
    let Ok(here) = incoming.await else { return };
    let from = here.remote_address().ip();
    let at = {
        let mut connections = tape.connections.lock().expect("lock");
        let (up, down) = (Said::default(), Said::default());
        connections.push(Connection { from, up, down });
        connections.len() - 1
    };
    let Some((endpoint, there)) = dial(port).await else {
        return here.close(VarInt::from_u32(1), b"");
    };
    let (Ok((to_here, from_here)), Ok((to_there, from_there))) =
        (here.accept_bi().await, there.open_bi().await)
    else {
        return;
    };
    let control = |way| {
        let tape = tape.clone();
        move |bytes: &[u8]| tape.keep(at, way, |said| said.control.extend_from_slice(bytes))
    };
    tokio::spawn(pump(from_here, to_there, control(Way::Up)));
    let last_words = tokio::spawn(pump(from_there, to_here, control(Way::Down)));
    for (from, to, way) in [(&here, &there, Way::Up), (&there, &here, Way::Down)] {
        let (from, to) = (from.clone(), to.clone());
        tokio::spawn(carry_datagrams(
            from.clone(),
            to.clone(),
            at,
            way,
            tape.clone(),
        ));
        tokio::spawn(carry_groups(from, to, at, way, tape.clone()));
    }
    let (way, ended) = tokio::select! {
        ended = here.closed() => (Way::Up, ended),
        ended = there.closed() => (Way::Down, ended),
    };
    let code = match ended {
        ConnectionError::ApplicationClosed(close) => Some(close.error_code),
        _ => None,
    };
    tape.keep(at, way, |said| said.closed = code.map(VarInt::into_inner));
    let code = code.unwrap_or_default();
    match way {
        Way::Up => there.close(code, b""),
        Way::Down => {
            let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
            here.close(code, b"");
        }
    }
    endpoint.wait_idle().await;
}

async fn carry_datagrams(
    from: quinn::Connection,
    to: quinn::Connection,
    at: usize,
    way: Way,
    tape: Arc<Tape>,
) {
    while let Ok(datagram) = from.read_datagram().await {
        tape.keep(at, way, |said| said.datagrams.push(datagram.to_vec()));
        let _ = to.send_datagram(datagram);
    }
}

async fn carry_groups(
    from: quinn::Connection,
    to: quinn::Connection,
    at: usize,
    way: Way,
    tape: Arc<Tape>,
) {
    while let Ok(group) = from.accept_uni().await {
        let Ok(on) = to.open_uni().await else { return };
        let mut place = 0;
        tape.keep(at, way, |said| {
            place = said.groups.len();
            said.groups.push(Vec::new());
        });
        let tape = tape.clone();
        tokio::spawn(pump(group, on, move |bytes| {
            tape.keep(at, way, |said| said.groups[place].extend_from_slice(bytes));
        }));
    }
}

/// Hands a stream on to its end, however that comes.
async fn pump(mut from: RecvStream, mut to: SendStream, keep: impl Fn(&[u8])) {
    let given_up = VarInt::from_u32(0);
    loop {
        match from.read_chunk(64 * 1024, true).await {
            Ok(Some(chunk)) => {
                keep(&chunk.bytes);
                if to.write_chunk(chunk.bytes).await.is_err() {
                    let _ = from.stop(given_up);
                    return;
                }
            }
            // After a relay's last message its connection ends at once.
            Ok(None) | Err(quinn::ReadError::ConnectionLost(_)) => {
                let _ = to.finish();
                let _ = to.stopped().await;
                return;
            }
            Err(_) => {
                let _ = to.reset(given_up);
                return;
            }
        }
    }
}

async fn dial(port: u16) -> Option<(Endpoint, quinn::Connection)> {
    let mut tls = rustls::ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(crypto_provider())))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).ok()?));
    config.transport_config(Arc::new(client_transport()));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let endpoint = Endpoint::client(any).ok()?;
    let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let connecting = endpoint.connect_with(config, relay, "relay").ok()?;
    Some((endpoint, connecting.await.ok()?))
}

/// Shows a certificate, and keeps what it was asked by.
struct Door {
    store: CertificateStore,
    tape: Arc<Tape>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Door")
    }
}

impl ResolvesServerCert for Door {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let protocols = hello.alpn().into_iter().flatten();
        let greeting = Greeting {
            server_name: hello.server_name().map(str::to_owned),
            protocols: protocols.map(<[u8]>::to_vec).collect(),
        };
        self.tape.greetings.lock().expect("lock").push(greeting);
        self.store.resolve(hello)
    }
}
