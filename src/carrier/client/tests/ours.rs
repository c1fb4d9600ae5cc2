//! Against the relay's own end of QUIC, in a thread, on real sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::timeout;

use super::super::{Farewell, LostReason};
use super::*;
use crate::airlock::{Airlock, TableLimits, bind};
use crate::carrier::server::{Event, Server, ServerSettings};
use crate::wire::CloseReason;

/// Bytes that arrived.
#[derive(Default)]
struct Arrived {
    control: AtomicUsize,
    groups: AtomicUsize,
    datagrams: AtomicUsize,
}

/// A server that counts what comes, sends datagrams back, and stops dead when it is dropped.
struct Ours {
    address: RelayAddress,
    port: u16,
    arrived: Arc<Arrived>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ours {
    fn start(port: u16, connections: usize) -> Self {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
        let identity = Identity::from_bytes([5; 32]);
        let settings = ServerSettings {
            connections,
            reset_key: identity.reset_key(),
        };
        let now = SystemTime::now();
        let store = Arc::new(CertificateStore::derived(identity, now).unwrap());
        let hashes = store.hashes(now).unwrap();
        let airlock = Airlock::new(vec![socket], TableLimits::default(), [1; 32]);
        let port = airlock.local_addresses()[0].port();
        let arrived = Arc::new(Arrived::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (counts, stopped) = (arrived.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut server = Server::new(airlock, settings, store, Instant::now()).unwrap();
            while !stopped.load(Ordering::Relaxed) {
                let now = Instant::now();
                server.turn(now);
                while let Some(event) = server.next_event() {
                    let (count, bytes) = match event {
                        Event::Control(_, bytes) => (&counts.control, bytes),
                        Event::GroupData(_, _, bytes) => (&counts.groups, bytes),
                        Event::Datagram(peer, bytes) => {
                            let _ = server.send_datagram(peer, bytes.clone());
                            (&counts.datagrams, bytes)
                        }
                        _ => continue,
                    };
                    count.fetch_add(bytes.len(), Ordering::Relaxed);
                }
                server.flush(now);
                server.wait(Some(now + Duration::from_millis(5)), None);
            }
        });
        let address = RelayAddress::new("127.0.0.1", port, hashes).unwrap();
        Self {
            address,
            port,
            arrived,
            stop,
            thread: Some(thread),
        }
    }

    fn new() -> Self {
        Self::start(0, 100)
    }

    async fn link(&self) -> Link {
        connect(&self.address, None).await.unwrap()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn echo(link: &Link) {
    link.send_datagram(Bytes::from_static(b"there?")).unwrap();
    let back = timeout(SOON, link.recv_datagram()).await.unwrap();
    assert_eq!(back.unwrap(), "there?");
}

#[tokio::test]
async fn our_relay_is_connected_to_and_another_identity_is_not() {
    let server = Ours::new();
    echo(&server.link().await).await;
    let error = refusal(connect(&pinned(server.port), None).await);
    assert_eq!(error, ConnectError::WrongCertificate);
}

#[tokio::test]
async fn our_relay_follows_to_another_port_and_address() {
    let server = Ours::new();
    let link = server.link().await;
    echo(&link).await;
    for bind in [None, None, Some("127.0.0.9:0".parse().unwrap())] {
        link.rebind(bind).unwrap();
        let start = Instant::now();
        echo(&link).await;
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_goodbye_to_our_relay_waits_for_what_was_sent() {
    let server = Ours::new();
    let link = server.link().await;
    for _ in 0..20 {
        link.send_control(vec![1; 10_000].into()).await.unwrap();
        link.send_datagram(vec![2; 1000].into()).unwrap();
    }
    let mut group = link.open_group(0).await.unwrap();
    group.write(vec![3; 1 << 20].into()).await.unwrap();
    group.finish();
    let start = Instant::now();
    assert_eq!(link.close(CloseReason::Done).await, Farewell::Delivered);
    assert!(start.elapsed() < Duration::from_secs(3));
    let arrived = &server.arrived;
    assert_eq!(arrived.control.load(Ordering::Relaxed), 200_000);
    assert_eq!(arrived.groups.load(Ordering::Relaxed), 1 << 20);
    assert_eq!(arrived.datagrams.load(Ordering::Relaxed), 20_000);
}

#[tokio::test]
async fn our_relay_says_when_it_is_full() {
    let server = Ours::start(0, 1);
    let first = server.link().await;
    assert_eq!(
        refusal(connect(&server.address, None).await),
        ConnectError::Busy
    );
    echo(&first).await;
}

#[tokio::test]
async fn a_relay_that_died_and_came_back_says_that_it_has_forgotten() {
    let server = Ours::new();
    let link = server.link().await;
    echo(&link).await;
    let port = server.port;
    drop(server);
    let server = Ours::start(port, 100);
    let start = Instant::now();
    // Anything that is sent brings the answer; here the sound that flows all the time.
    let sound = async {
        loop {
            let _ = link.send_datagram(vec![0; 160].into());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let over = tokio::select! {
        over = timeout(SOON, link.closed()) => over.unwrap(),
        () = sound => unreachable!(),
    };
    assert_eq!(over, LostReason::Forgotten);
    assert!(start.elapsed() < Duration::from_secs(2));
    // The identity is the same, so the link leads there again.
    echo(&connect(&server.address, None).await.unwrap()).await;
}
