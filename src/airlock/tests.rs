//! The airlock as a whole, over the fake network.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::fake::{FakeHost, FakeNetwork, FakeSocket};
use super::socket::Features;
use super::{Airlock, Counters, Departure, StandIn, TableLimits};

const RELAY: &str = "192.0.2.1:4433";
const RELAY6: &str = "[2001:db8::1]:4433";

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

fn limits(proven: usize, unproven: usize) -> TableLimits {
    TableLimits {
        proven,
        unproven,
        unproven_for: Duration::from_secs(15),
    }
}

/// A relay of both families and its clock.
struct Story {
    network: FakeNetwork,
    airlock: Airlock<FakeSocket>,
    now: Instant,
}

/// What came in, without the borrow.
struct Came {
    from: StandIn,
    ecn: Option<u8>,
    bytes: Vec<u8>,
}

impl Story {
    fn new() -> Self {
        Self::with(limits(1000, 1000))
    }

    fn with(limits: TableLimits) -> Self {
        let network = FakeNetwork::new();
        let sockets = vec![network.socket(at(RELAY)), network.socket(at(RELAY6))];
        let airlock = Airlock::new(sockets, limits, [7; 32]);
        Self {
            network,
            airlock,
            now: Instant::now(),
        }
    }

    fn host(&self, address: &str) -> FakeHost {
        self.network.host(at(address))
    }

    /// Takes everything that is there.
    fn receive(&mut self) -> Vec<Came> {
        let mut came = Vec::new();
        while self.airlock.receive(self.now, &mut |arrival| {
            let bytes = arrival.bytes.to_vec();
            came.push(Came {
                from: arrival.from,
                ecn: arrival.ecn,
                bytes,
            });
        }) > 0
        {}
        came
    }

    /// What a host is called after it says something.
    fn hear(&mut self, host: &FakeHost) -> StandIn {
        host.send(
            at(if host.address().is_ipv4() {
                RELAY
            } else {
                RELAY6
            }),
            b"hello",
        );
        self.receive().pop().unwrap().from
    }

    fn queue(&mut self, to: StandIn, bytes: &[u8]) {
        self.queue_cut(to, bytes, None);
    }

    fn queue_cut(&mut self, to: StandIn, bytes: &[u8], segment_size: Option<usize>) {
        let mut buffer = self.airlock.buffer();
        assert!(buffer.is_empty());
        buffer.extend_from_slice(bytes);
        let departure = Departure {
            to,
            source_ip: None,
            ecn: None,
            segment_size,
            bytes: buffer,
        };
        self.airlock.send(departure);
    }

    fn flush(&mut self) {
        self.airlock.flush(self.now);
    }
}

fn texts(host: &FakeHost) -> Vec<String> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    host.receive_all()
        .into_iter()
        .map(|packet| text(packet.bytes))
        .collect()
}

#[test]
fn peers_are_answered_by_the_socket_they_came_in_by() {
    let mut story = Story::new();
    let four = story.host("198.51.100.5:5555");
    let six = story.host("[2001:db8::5]:5555");
    for host in [&four, &six] {
        let who = story.hear(host);
        story.queue(who, b"answer");
        story.flush();
        let packet = host.receive().unwrap();
        assert_eq!(packet.bytes, b"answer");
        assert_eq!(
            packet.from,
            at(if host.address().is_ipv4() {
                RELAY
            } else {
                RELAY6
            })
        );
        assert!(host.receive().is_none());
    }
}

#[test]
fn a_stand_in_keeps_the_family_and_nothing_else() {
    let mut story = Story::new();
    for n in 1..100 {
        let four = story.host(&format!("198.51.100.{n}:5555"));
        let six = story.host(&format!("[2001:db8::{n}]:5555"));
        let (who, who6) = (story.hear(&four).quic(), story.hear(&six).quic());
        let SocketAddr::V4(v4) = who else {
            panic!("IPv4 became IPv6")
        };
        assert!(v4.ip().octets()[0] >= 240 && !v4.ip().is_broadcast());
        let SocketAddr::V6(v6) = who6 else {
            panic!("IPv6 became IPv4")
        };
        assert_eq!(v6.ip().octets()[0], 0xfd);
        assert!(who.port() != 0 && who6.port() != 0);
    }
}

#[test]
fn a_roaming_peer_gets_another_stand_in_and_both_work_until_the_old_one_goes() {
    let mut story = Story::new();
    let mut alice = story.host("198.51.100.5:5555");
    let old = story.hear(&alice);
    alice.rebind(at("198.51.100.5:6666"));
    let new = story.hear(&alice);
    assert!(old != new);
    assert_eq!(
        old.quic().ip(),
        new.quic().ip(),
        "only the port has changed"
    );
    assert!(story.airlock.prove(new));
    story.airlock.demote(old);
    alice.rebind(at("203.0.113.9:6666"));
    let elsewhere = story.hear(&alice);
    assert_ne!(elsewhere.quic().ip(), new.quic().ip());
    story.queue(elsewhere, b"found you");
    story.flush();
    assert_eq!(texts(&alice), ["found you"]);
}

#[test]
fn marks_and_segments_survive_both_ways() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:5555");
    alice.send_marked(at(RELAY), 0b10, Some(4), b"aaaabbbbcc");
    let came = story.receive();
    let pieces: Vec<_> = came
        .iter()
        .map(|came| (&came.bytes[..], came.ecn))
        .collect();
    let ect0 = Some(0b10);
    assert_eq!(
        pieces,
        [(&b"aaaa"[..], ect0), (b"bbbb", ect0), (b"cc", ect0)]
    );

    let departure = Departure {
        to: came[0].from,
        source_ip: None,
        ecn: Some(0b01),
        segment_size: Some(3),
        bytes: b"xxxyyyz".to_vec(),
    };
    story.airlock.send(departure);
    story.flush();
    let packets = alice.receive_all();
    let pieces: Vec<_> = packets
        .iter()
        .map(|packet| (&packet.bytes[..], packet.ecn))
        .collect();
    assert_eq!(pieces, [(&b"xxx"[..], 0b01), (b"yyy", 0b01), (b"z", 0b01)]);
    assert_eq!(
        story.network.segmented(),
        1,
        "one message for three datagrams"
    );
}

#[test]
fn a_socket_for_all_addresses_tells_the_local_one_and_answers_from_it() {
    let network = FakeNetwork::new();
    let now = Instant::now();
    let mut airlock = Airlock::new(
        vec![network.socket(at("[::]:4433"))],
        limits(10, 10),
        [7; 32],
    );
    let alice = network.host(at("[2001:db8::5]:5555"));
    alice.send(at("[2001:db8::77]:4433"), b"hello");
    let mut came = None;
    airlock.receive(now, &mut |arrival| {
        came = Some((arrival.from, arrival.local_ip))
    });
    let (to, local_ip) = came.unwrap();
    assert_eq!(local_ip, Some(at("[2001:db8::77]:0").ip()));
    let bytes = b"answer".to_vec();
    airlock.send(Departure {
        to,
        source_ip: local_ip,
        ecn: None,
        segment_size: None,
        bytes,
    });
    airlock.flush(now);
    assert_eq!(alice.receive().unwrap().from, at("[2001:db8::77]:4433"));
}

#[test]
fn a_full_socket_keeps_the_order_and_loses_nothing() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:5555");
    let who = story.hear(&alice);
    story.network.room(Some(3));
    // More than one batch, so that the first goes out before the flush.
    let said: Vec<_> = (0..600).map(|number| format!("{number}")).collect();
    for text in &said {
        story.queue(who, text.as_bytes());
    }
    assert!(story.airlock.blocked());
    assert!(story.airlock.wait(None, None).writable || story.airlock.wait(None, None).readable);
    story.flush();
    assert!(story.airlock.blocked());
    story.network.room(Some(300));
    story.flush();
    assert!(story.airlock.blocked());
    story.network.room(None);
    story.flush();
    assert!(!story.airlock.blocked());
    assert_eq!(texts(&alice), said);
}

#[test]
fn a_beat_to_many_takes_few_system_calls() {
    let mut story = Story::new();
    let hosts: Vec<_> = (0..400)
        .map(|n| story.host(&format!("10.0.{}.{}:1", n / 200, n % 200)))
        .collect();
    let names: Vec<_> = hosts.iter().map(|host| story.hear(host)).collect();
    names.iter().for_each(|who| story.queue(*who, b"beat"));
    story.flush();
    assert!(hosts.iter().all(|host| texts(host) == ["beat"]));
    assert_eq!(story.network.sends(), 2);
}

#[test]
fn a_kernel_short_of_memory_is_asked_again() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:5555");
    let who = story.hear(&alice);
    story.network.crowded(true);
    story.queue(who, b"patience");
    story.flush();
    assert!(story.airlock.blocked() && texts(&alice).is_empty());
    story.network.crowded(false);
    story.flush();
    assert!(!story.airlock.blocked());
    assert_eq!(texts(&alice), ["patience"]);
}

#[test]
fn what_waits_is_bounded() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:5555");
    let who = story.hear(&alice);
    story.network.room(Some(0));
    for _ in 0..10_000 {
        story.queue(who, &[0; 1000]);
    }
    story.flush();
    let overflowed = story.airlock.counters().overflowed;
    assert_eq!(overflowed, 10_000 - super::limits::QUEUED_MESSAGES as u64);
    story.network.room(None);
    story.flush();
    assert_eq!(alice.receive_all().len(), super::limits::QUEUED_MESSAGES);
    story.network.room(Some(0));
    for _ in 0..300 {
        story.queue(who, &[0; 60_000]);
    }
    story.network.room(None);
    story.flush();
    assert_eq!(
        alice.receive_all().len(),
        super::limits::QUEUED_BYTES / 60_000
    );
}

#[test]
fn a_refused_message_stops_no_other() {
    let mut story = Story::new();
    let (alice, bob, carol) = (
        story.host("198.51.100.5:1"),
        story.host("198.51.100.6:1"),
        story.host("198.51.100.7:1"),
    );
    let all = [&alice, &bob, &carol].map(|host| story.hear(host));
    story.network.refuse(bob.address(), true);
    for round in ["one", "two"] {
        all.iter()
            .for_each(|who| story.queue(*who, round.as_bytes()));
    }
    story.flush();
    assert!(!story.airlock.blocked());
    assert_eq!(texts(&alice), ["one", "two"]);
    assert_eq!(texts(&carol), ["one", "two"]);
    assert!(texts(&bob).is_empty());
    assert_eq!(story.airlock.counters().refused, 2);
}

#[test]
fn segments_the_kernel_refuses_to_cut_are_cut_here_from_then_on() {
    let mut story = Story::new();
    let (alice, bob) = (story.host("198.51.100.5:1"), story.host("198.51.100.6:1"));
    let (to_alice, to_bob) = (story.hear(&alice), story.hear(&bob));
    story.network.refuse_segmentation(true);
    story.queue(to_bob, b"before");
    story.queue_cut(to_alice, b"aabbc", Some(2));
    story.queue(to_bob, b"after");
    story.queue_cut(to_alice, b"ddeef", Some(2));
    story.flush();
    assert_eq!(texts(&alice), ["aa", "bb", "c", "dd", "ee", "f"]);
    assert_eq!(texts(&bob), ["before", "after"]);

    // It stays off for that socket, and is still there on the other.
    story.network.refuse_segmentation(false);
    story.queue_cut(to_alice, b"aabbc", Some(2));
    story.flush();
    assert_eq!(texts(&alice), ["aa", "bb", "c"]);
    assert_eq!(story.network.segmented(), 0);
    assert_eq!(story.airlock.segmentation(), super::limits::SEGMENTS);
}

#[test]
fn a_peer_that_cannot_be_reached_does_not_switch_segmentation_off() {
    let mut story = Story::new();
    let (alice, bob) = (story.host("198.51.100.5:1"), story.host("198.51.100.6:1"));
    let (to_alice, to_bob) = (story.hear(&alice), story.hear(&bob));
    // Cut or not, the kernel will not send it: cutting was not to blame.
    story.network.invalidate(alice.address());
    story.queue_cut(to_alice, b"aabbc", Some(2));
    story.flush();
    assert!(texts(&alice).is_empty());
    story.queue_cut(to_bob, b"aabbc", Some(2));
    story.flush();
    assert_eq!(texts(&bob), ["aa", "bb", "c"]);
    assert_eq!(story.network.segmented(), 1);
}

#[test]
fn too_many_segments_for_one_message_go_in_several() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:1");
    let who = story.hear(&alice);
    let bytes: Vec<u8> = (0..64 * 1200).map(|at| (at / 1200) as u8).collect();
    story.queue_cut(who, &bytes, Some(1200));
    story.queue_cut(who, &[9; 130], Some(1));
    story.flush();
    let packets = alice.receive_all();
    assert_eq!(packets.len(), 64 + 130);
    assert_eq!(
        packets
            .iter()
            .flat_map(|packet| packet.bytes.clone())
            .take(64 * 1200)
            .collect::<Vec<_>>(),
        bytes
    );
    assert_eq!(story.network.segmented(), 2 + 3);
}

#[test]
fn without_segmentation_nothing_asks_for_it() {
    let network = FakeNetwork::new();
    let features = Features {
        segments: 1,
        coalesces: false,
        wildcard: false,
    };
    let socket = network.socket_with(at(RELAY), features);
    let airlock = Airlock::new(vec![socket], limits(10, 10), [7; 32]);
    let mut story = Story {
        network,
        airlock,
        now: Instant::now(),
    };
    assert_eq!(story.airlock.segmentation(), 1);
    let alice = story.host("198.51.100.5:1");
    let who = story.hear(&alice);
    story.queue_cut(who, b"aabbc", Some(2));
    story.flush();
    assert_eq!(texts(&alice), ["aa", "bb", "c"]);
    // Longer than a buffer without GRO: cut off by the kernel, hence not handed up.
    alice.send(at(RELAY), &[0; 3000]);
    assert!(story.receive().is_empty());
    assert_eq!(story.airlock.counters().unreadable, 1);
}

#[test]
fn icmp_reports_do_not_disturb_reception() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:1");
    alice.send(at(RELAY), b"hello");
    story.network.disturb(3);
    assert_eq!(story.receive().len(), 1);
    assert_eq!(story.airlock.counters().disturbed, 3);
}

#[test]
fn nothing_goes_to_a_released_peer_even_if_it_was_queued() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:1");
    let who = story.hear(&alice);
    story.queue(who, b"too late");
    story.airlock.release(who);
    // Its place in the table goes to someone else meanwhile.
    let bob = story.host("198.51.100.6:1");
    story.hear(&bob);
    story.queue(who, b"later still");
    story.flush();
    assert!(texts(&alice).is_empty() && texts(&bob).is_empty());
    assert_eq!(story.airlock.counters().nobody, 2);
}

#[test]
fn the_arrays_are_wiped_after_each_turn() {
    let mut story = Story::new();
    for n in 1..=100 {
        let four = story.host(&format!("198.51.100.{n}:5555"));
        let six = story.host(&format!("[2001:db8::{n}]:5555"));
        for host in [four, six] {
            let who = story.hear(&host);
            story.queue_cut(who, b"aabb", Some(2));
        }
        let (_, inbox, _) = story.airlock.parts();
        assert!(inbox.memory().iter().all(|byte| *byte == 0));
    }
    // Also when a turn ends early.
    story.network.room(Some(7));
    story.flush();
    assert!(story.airlock.blocked());
    let (_, _, outbox) = story.airlock.parts();
    assert!(outbox.memory().iter().all(|byte| *byte == 0));
}

#[test]
fn a_flood_of_first_packets_leaves_proven_peers_alone() {
    let mut story = Story::with(limits(100, 1000));
    let friends: Vec<_> = (0..50)
        .map(|n| story.host(&format!("198.51.100.{n}:1")))
        .collect();
    let names: Vec<_> = friends.iter().map(|host| story.hear(host)).collect();
    names
        .iter()
        .for_each(|who| assert!(story.airlock.prove(*who)));
    for n in 0..100_000u32 {
        let [_, a, b, c] = n.to_be_bytes();
        story
            .host(&format!("10.{a}.{b}.{c}:1"))
            .send(at(RELAY), b"spoofed");
        if n % 1000 == 0 {
            story.receive();
        }
    }
    story.receive();
    assert_eq!(story.airlock.known(), (50, 1000));
    for (host, who) in friends.iter().zip(&names) {
        assert!(story.hear(host) == *who);
        story.queue(*who, b"still there");
        story.flush();
        assert_eq!(texts(host), ["still there"]);
    }
    assert_eq!(story.airlock.counters().nobody, 0);
}

#[test]
fn counters_add_up() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:1");
    let who = story.hear(&alice);
    story.queue(who, b"answer");
    story.flush();
    let expected = Counters {
        received: 1,
        sent: 1,
        ..Counters::default()
    };
    assert_eq!(story.airlock.counters(), expected);
    assert_eq!(story.airlock.local_addresses(), [at(RELAY), at(RELAY6)]);
}

#[test]
fn buffers_come_back() {
    let mut story = Story::new();
    let alice = story.host("198.51.100.5:1");
    let who = story.hear(&alice);
    let mut buffer = story.airlock.buffer();
    buffer.extend_from_slice(&[1; 5000]);
    let place = buffer.as_ptr();
    let bytes = buffer;
    let departure = Departure {
        to: who,
        source_ip: None,
        ecn: None,
        segment_size: None,
        bytes,
    };
    story.airlock.send(departure);
    story.flush();
    let again = story.airlock.buffer();
    assert!(again.is_empty() && again.as_ptr() == place);
}
