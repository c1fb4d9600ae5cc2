//! Against a stock quinn server in this process, on loopback. A folder's file for each question:
//! who answers, the way there, the connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, Incoming};
use rustls::server::ResolvesServerCert;
use tokio::time::timeout;

use super::{ConnectError, Link, connect};
use crate::carrier::address::RelayAddress;
use crate::carrier::certificate::{CertificateHash, CertificateStore, Identity};
use crate::carrier::transport::crypto_provider;
use crate::wire::ALPN;

mod connection;
mod ours;
mod trust;
mod way;

/// Enough for anything on loopback; a test that waits for it has failed.
const SOON: Duration = Duration::from_secs(10);

/// The patience of tests that are about patience.
const SHORT: Duration = Duration::from_millis(300);

struct Stock {
    endpoint: Endpoint,
    hashes: Vec<CertificateHash>,
    port: u16,
}

impl Stock {
    /// A server that shows the certificate of another day.
    fn at(when: SystemTime, alpn: &[u8]) -> Self {
        let store = CertificateStore::derived(Identity::from_bytes([3; 32]), when).unwrap();
        let hashes = store.hashes(when).unwrap();
        Self::showing(Arc::new(store), hashes, alpn)
    }

    fn new() -> Self {
        Self::at(SystemTime::now(), ALPN)
    }

    fn showing(
        certificates: Arc<dyn ResolvesServerCert>,
        hashes: Vec<CertificateHash>,
        alpn: &[u8],
    ) -> Self {
        Self::listening(Ipv4Addr::LOCALHOST.into(), certificates, hashes, alpn)
    }

    fn listening(
        ip: IpAddr,
        certificates: Arc<dyn ResolvesServerCert>,
        hashes: Vec<CertificateHash>,
        alpn: &[u8],
    ) -> Self {
        let mut tls = rustls::ServerConfig::builder_with_provider(crypto_provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        tls.alpn_protocols = vec![alpn.to_vec()];
        let tls = QuicServerConfig::try_from(tls).unwrap();
        let config = quinn::ServerConfig::with_crypto(Arc::new(tls));
        let endpoint = Endpoint::server(config, SocketAddr::new(ip, 0)).unwrap();
        let port = endpoint.local_addr().unwrap().port();
        Self {
            endpoint,
            hashes,
            port,
        }
    }

    fn address(&self) -> RelayAddress {
        let host = self.endpoint.local_addr().unwrap().ip().to_string();
        RelayAddress::new(&host, self.port, self.hashes.clone())
            .ok()
            .unwrap()
    }

    async fn incoming(&self) -> Incoming {
        timeout(SOON, self.endpoint.accept())
            .await
            .unwrap()
            .unwrap()
    }

    async fn accept(&self) -> Connection {
        self.incoming().await.await.unwrap()
    }

    /// Connects, with nothing but the given answer of the server's.
    async fn met(&self) -> (Link, Connection) {
        let address = self.address();
        let (link, connection) = tokio::join!(connect(&address, None), self.accept());
        (link.ok().unwrap(), connection)
    }

    /// Tries to connect while the server accepts whoever comes; gives what the client got, and
    /// whether the server had a connection for a moment.
    async fn refused(&self, address: &RelayAddress) -> (ConnectError, bool) {
        let server = self.endpoint.clone();
        let accepted = tokio::spawn(async move {
            let incoming = server.accept().await.unwrap();
            incoming.await.is_ok()
        });
        let error = refusal(connect(address, None).await);
        (error, accepted.await.unwrap())
    }
}

fn refusal(result: Result<Link, ConnectError>) -> ConnectError {
    match result {
        Ok(_) => panic!("connected all the same"),
        Err(error) => error,
    }
}

fn pinned(port: u16) -> RelayAddress {
    RelayAddress::new("127.0.0.1", port, vec![CertificateHash::new([0; 32])])
        .ok()
        .unwrap()
}

async fn read_all(stream: &mut quinn::RecvStream) -> Vec<u8> {
    timeout(SOON, stream.read_to_end(16 << 20))
        .await
        .unwrap()
        .unwrap()
}
