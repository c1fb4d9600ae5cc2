//! The way there.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use tokio::time::timeout;

use super::super::BindFailed;
use super::super::dial::{Dialer, connect_within};
use super::super::verifier::Trust;
use super::*;

#[tokio::test]
async fn where_nothing_listens_nothing_is_reached() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let start = Instant::now();
    let error = refusal(connect_within(&pinned(port), None, SHORT).await);
    assert_eq!(error, ConnectError::Unreachable);
    assert!(start.elapsed() >= SHORT && start.elapsed() < SOON);
    drop(silent);
    let error = refusal(connect_within(&pinned(port), None, SHORT).await);
    assert_eq!(error, ConnectError::Unreachable);
}

#[tokio::test]
async fn a_relay_on_ipv6_is_reached() {
    let now = SystemTime::now();
    let store = CertificateStore::derived(Identity::from_bytes([3; 32]), now).unwrap();
    let hashes = store.hashes(now).unwrap();
    let server = Stock::listening(Ipv6Addr::LOCALHOST.into(), Arc::new(store), hashes, ALPN);
    assert!(server.address().to_url().starts_with("https://[::1]:"));
    let (link, connection) = server.met().await;
    link.rebind(None).unwrap();
    link.send_datagram("v6".into()).unwrap();
    let received = timeout(SOON, connection.read_datagram()).await.unwrap();
    assert_eq!(received.unwrap(), "v6");
    assert_eq!(connection.remote_address().port(), link.local_port());
}

#[tokio::test]
async fn of_a_names_addresses_the_one_that_answers_is_taken() {
    let server = Stock::new();
    // Elsewhere nobody answers: silence, a closed port, another family.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let closed = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let targets = vec![
        silent.local_addr().unwrap(),
        closed,
        SocketAddr::from((Ipv6Addr::LOCALHOST, server.port)),
        SocketAddr::from((Ipv4Addr::LOCALHOST, server.port)),
    ];
    let trust = Trust::Pinned(server.hashes.as_slice().into());
    let dialer = Dialer::new(trust, crypto_provider(), "localhost".to_owned(), None, SOON);
    let (link, _connection) = tokio::join!(timeout(SOON, dialer.race(targets)), server.accept());
    assert!(link.unwrap().is_ok());
}

#[tokio::test]
async fn the_failure_that_tells_most_is_told() {
    let server = Stock::new();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let targets = vec![
        SocketAddr::from((Ipv4Addr::LOCALHOST, server.port)),
        silent.local_addr().unwrap(),
    ];
    let trust = Trust::Pinned([CertificateHash::new([0; 32])].into());
    let name = "localhost".to_owned();
    let dialer = Dialer::new(trust, crypto_provider(), name, None, SHORT);
    let accept = server.endpoint.clone();
    let accepting = tokio::spawn(async move { accept.accept().await.unwrap().await.is_ok() });
    assert_eq!(
        refusal(dialer.race(targets).await),
        ConnectError::WrongCertificate
    );
    assert!(!accepting.await.unwrap());
}

#[tokio::test]
async fn a_relay_that_takes_no_more_says_so() {
    let server = Stock::new();
    let address = server.address();
    let (link, ()) = tokio::join!(connect(&address, None), async {
        server.incoming().await.refuse();
    });
    assert_eq!(refusal(link), ConnectError::Busy);
}

#[tokio::test]
async fn each_trouble_with_the_local_address_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (bind, expected) in [
        (taken.local_addr().unwrap(), BindFailed::AddressInUse),
        ("192.0.2.1:0".parse().unwrap(), BindFailed::NotHere),
        ("[::1]:0".parse().unwrap(), BindFailed::OtherFamily),
    ] {
        let error = refusal(connect(&pinned(1), Some(bind)).await);
        assert_eq!(error, ConnectError::Bind(expected));
    }
}

#[tokio::test]
async fn the_local_address_is_the_one_asked_for() {
    let server = Stock::new();
    let address = server.address();
    let bind = Some("127.0.0.5:0".parse().unwrap());
    let (link, connection) = tokio::join!(connect(&address, bind), server.accept());
    let link = link.ok().unwrap();
    let expected = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 5), link.local_port()));
    assert_eq!(connection.remote_address(), expected);
}
