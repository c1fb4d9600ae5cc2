//! Batches, full sockets, refusals, segmentation.

use std::time::Instant;

use super::super::fake::FakeNetwork;
use super::super::socket::Features;
use super::super::{Airlock, Departure, limits as bounds};
use super::{RELAY, Story, at, limits, texts};

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
    assert_eq!(overflowed, 10_000 - bounds::QUEUED_MESSAGES as u64);
    story.network.room(None);
    story.flush();
    assert_eq!(alice.receive_all().len(), bounds::QUEUED_MESSAGES);
    story.network.room(Some(0));
    for _ in 0..300 {
        story.queue(who, &[0; 60_000]);
    }
    story.network.room(None);
    story.flush();
    assert_eq!(alice.receive_all().len(), bounds::QUEUED_BYTES / 60_000);
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
    assert_eq!(story.airlock.segmentation(), bounds::SEGMENTS);
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
    // SAFETY: these bytes were written above, and are where they were.
    let before = unsafe { std::slice::from_raw_parts(place, 5000) };
    assert!(
        before.iter().all(|byte| *byte == 0),
        "nothing of it is left"
    );
}
