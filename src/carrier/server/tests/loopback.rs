//! Real sockets, the participant's own client: what the owner is told and what arrives.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::airlock::{Airlock, TableLimits, bind};
use crate::carrier::address::RelayAddress;
use crate::carrier::certificate::{CertificateStore, Identity};
use crate::carrier::client;
use crate::carrier::server::{Event, Server, ServerSettings};
use crate::wire::CloseReason;

/// A server in a thread that sends back what it gets, until its handle is dropped.
struct Echo {
    address: RelayAddress,
    stop: Sender<()>,
    seen: Receiver<&'static str>,
    thread: Option<std::thread::JoinHandle<usize>>,
}

impl Echo {
    fn start() -> Self {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let identity = Identity::from_bytes([5; 32]);
        let store = Arc::new(CertificateStore::derived(identity, SystemTime::now()).unwrap());
        let hashes = store.hashes(SystemTime::now()).unwrap();
        let airlock = Airlock::new(vec![socket], TableLimits::default(), [1; 32]);
        let port = airlock.local_addresses()[0].port();
        let settings = ServerSettings {
            connections: 100,
            reset_key: [2; 32],
        };
        let (stop, stopped) = channel();
        let (tell, seen) = channel();
        let thread = std::thread::spawn(move || {
            let mut server = Server::new(airlock, settings, store, Instant::now()).unwrap();
            let mut until = None;
            loop {
                let now = Instant::now();
                if stopped.try_recv().is_ok() {
                    server.shutdown();
                    until = Some(now + Duration::from_secs(5));
                }
                server.turn(now);
                while let Some(event) = server.next_event() {
                    answer(&mut server, event, &tell);
                }
                server.flush(now);
                if until.is_some_and(|until| server.drained() || now > until) {
                    return server.peers();
                }
                server.wait(Some(now + Duration::from_millis(5)), None);
            }
        });
        let address = RelayAddress::new("127.0.0.1", port, hashes).unwrap();
        Self {
            address,
            stop,
            seen,
            thread: Some(thread),
        }
    }

    fn finish(mut self) -> usize {
        self.stop.send(()).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn answer(server: &mut Server, event: Event, tell: &Sender<&'static str>) {
    match event {
        Event::Connected(_) => drop(tell.send("connected")),
        Event::Control(peer, bytes) if &bytes[..] == b"close me" => {
            server
                .send_control(peer, Bytes::from_static(b"farewell"))
                .unwrap();
            server.close(peer, CloseReason::RoomFull);
        }
        Event::Control(peer, bytes) => server.send_control(peer, bytes).unwrap(),
        Event::Datagram(peer, bytes) => server.send_datagram(peer, bytes).unwrap(),
        Event::GroupData(peer, _, bytes) => {
            // One group back for each chunk.
            let group = server.open_group(peer, 0).unwrap();
            let length = bytes.len();
            assert_eq!(server.write_group(peer, group, &mut [bytes]), length);
            server.finish_group(peer, group);
        }
        Event::GroupOpened(..) => drop(tell.send("group")),
        Event::GroupFinished(..) => drop(tell.send("finished")),
        Event::GroupReset(..) => drop(tell.send("reset")),
        Event::Closed(_) => drop(tell.send("closed")),
        Event::GroupStopped(..) | Event::Writable(_) | Event::ControlFinished(_) => {}
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), future)
            .await
            .expect("in time")
    })
}

#[test]
fn control_datagrams_and_groups_go_both_ways() {
    let echo = Echo::start();
    run(async {
        let link = client::connect(&echo.address, None).await.unwrap();
        link.send_control(Bytes::from_static(b"hello"))
            .await
            .unwrap();
        assert_eq!(&link.recv_control().await.unwrap().unwrap()[..], b"hello");

        let datagram = Bytes::from(vec![7; 1024]);
        link.send_datagram(datagram.clone()).unwrap();
        assert_eq!(
            link.recv_datagram().await.unwrap(),
            datagram,
            "1,024 bytes always fit"
        );

        let mut group = link.open_group(0).await.unwrap();
        group.write(Bytes::from_static(b"picture")).await.unwrap();
        group.finish();
        let mut back = link.accept_group().await.unwrap();
        assert_eq!(&back.read().await.unwrap().unwrap()[..], b"picture");
        assert!(back.read().await.unwrap().is_none());
        link.close(CloseReason::Done).await;
    });
    let seen: Vec<_> = std::iter::from_fn(|| echo.seen.recv_timeout(Duration::from_secs(2)).ok())
        .take(4)
        .collect();
    assert_eq!(seen, ["connected", "group", "finished", "closed"]);
    assert_eq!(echo.finish(), 0);
}

#[test]
fn the_last_control_message_comes_before_the_close_and_its_code_with_it() {
    let echo = Echo::start();
    run(async {
        let link = client::connect(&echo.address, None).await.unwrap();
        link.send_control(Bytes::from_static(b"close me"))
            .await
            .unwrap();
        let farewell = link.recv_control().await;
        let reason = link.closed().await;
        assert_eq!(reason, client::LostReason::Closed(CloseReason::RoomFull));
        if let Ok(Some(bytes)) = farewell {
            assert_eq!(&bytes[..], b"farewell");
        }
    });
    assert_eq!(echo.finish(), 0);
}
