//! Who is who: families, roaming, release, floods; and what a turn leaves behind.

use std::net::SocketAddr;
use std::time::Instant;

use super::super::fake::FakeNetwork;
use super::super::{Airlock, Counters, Departure};
use super::{RELAY, RELAY6, Story, at, limits, texts};

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
        received_bytes: 5,
        sent: 1,
        sent_bytes: 6,
        ..Counters::default()
    };
    assert_eq!(story.airlock.counters(), expected);
    assert_eq!(story.airlock.local_addresses(), [at(RELAY), at(RELAY6)]);
}
