//! Who answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rustls::RootCertStore;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::timeout;

use super::super::dial::Dialer;
use super::super::verifier::Trust;
use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn the_relay_in_the_link_is_connected_to() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    link.send_control(Bytes::from_static(b"hello"))
        .await
        .unwrap();
    let (mut reply, mut control) = connection.accept_bi().await.unwrap();
    let mut hello = [0; 5];
    control.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"hello");
    reply.write_all(b"welcome").await.unwrap();
    let mut welcome = Vec::new();
    while welcome.len() < 7 {
        let chunk = timeout(SOON, link.recv_control())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        welcome.extend_from_slice(&chunk);
    }
    assert_eq!(welcome, b"welcome");
    assert!(link.stats().packets_sent > 0 && link.stats().rtt < SOON);
}

#[tokio::test]
async fn the_next_windows_certificate_is_taken_too() {
    let mut server = Stock::new();
    server.hashes.reverse();
    server.met().await;
}

#[tokio::test]
async fn another_relay_is_refused() {
    let server = Stock::new();
    let (error, connected) = server.refused(&pinned(server.port)).await;
    assert_eq!(error, ConnectError::WrongCertificate);
    assert!(
        error
            .to_string()
            .starts_with("this is not the relay the link names")
    );
    assert!(!connected);
}

/// Shows a copied certificate, and signs with a key of its own.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_refused() {
    let now = SystemTime::now();
    let real = CertificateStore::derived(Identity::from_bytes([3; 32]), now).unwrap();
    let other = CertificateStore::derived(Identity::from_bytes([4; 32]), now).unwrap();
    let copied = real.current().certified.cert.clone();
    let impostor = CertifiedKey::new(copied, other.current().certified.key.clone());
    let hashes = real.hashes(now).unwrap();
    let server = Stock::showing(Arc::new(Impostor(Arc::new(impostor))), hashes, ALPN);
    let (error, connected) = server.refused(&server.address()).await;
    assert_eq!(error, ConnectError::WrongCertificate);
    assert!(!connected);
}

#[tokio::test]
async fn a_certificate_of_another_time_is_refused_even_when_it_is_the_right_one() {
    for when in [SystemTime::now() - DAY * 30, SystemTime::now() + DAY * 30] {
        let server = Stock::at(when, ALPN);
        let (error, connected) = server.refused(&server.address()).await;
        assert_eq!(error, ConnectError::ClockWrong);
        assert!(!connected);
    }
}

#[tokio::test]
async fn a_server_of_another_protocol_is_told_apart() {
    let server = Stock::at(SystemTime::now(), b"h3");
    let (error, connected) = server.refused(&server.address()).await;
    assert_eq!(error, ConnectError::NotSottovoce);
    assert!(!connected);
}

#[tokio::test]
async fn without_hashes_an_authority_must_vouch() {
    let server = Stock::new();
    let address = RelayAddress::new("127.0.0.1", server.port, Vec::new())
        .ok()
        .unwrap();
    let accept = server.endpoint.clone();
    let accepting = tokio::spawn(async move { accept.accept().await.unwrap().await.is_ok() });
    let error = refusal(connect(&address, None).await);
    // A machine without a list of authorities says so before it sends anything.
    assert!(matches!(
        error,
        ConnectError::Untrusted | ConnectError::NoAuthorities
    ));
    accepting.abort();
}

#[tokio::test]
async fn an_authority_vouches_for_a_name_and_no_other() {
    let now = SystemTime::now();
    let store = CertificateStore::derived(Identity::from_bytes([3; 32]), now).unwrap();
    let certificate = store.current().certified.cert[0].clone();
    let server = Stock::showing(Arc::new(store), Vec::new(), ALPN);
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
    let dial = |name: &str| {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let trust = Trust::roots(roots, crypto_provider()).ok().unwrap();
        Dialer::new(trust, crypto_provider(), name.to_owned(), None, SOON).race(vec![target])
    };
    let (link, _connection) = tokio::join!(dial("localhost"), server.accept());
    assert!(link.is_ok());
    let (link, connection) = tokio::join!(dial("relay.example"), async {
        server.incoming().await.await
    });
    assert_eq!(refusal(link), ConnectError::Untrusted);
    assert!(connection.is_err());
}

#[test]
fn without_any_authority_nothing_is_trusted() {
    let trust = Trust::roots(RootCertStore::empty(), crypto_provider());
    assert_eq!(trust.err(), Some(ConnectError::NoAuthorities));
}
