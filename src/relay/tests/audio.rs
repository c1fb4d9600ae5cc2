//! Datagrams and the beat.

use super::*;
use crate::relay::limits::VIEWER_BEATS;

const VIEWER_BEAT: Duration = Duration::from_millis(60);

#[test]
fn a_frame_reaches_subscribers_on_the_next_beat_and_nobody_else() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let stranger = relay.member();
    relay.subscribe(talker, talker, AUDIO);
    relay.pass(Duration::from_millis(50));
    relay.speak(talker, b"one");
    relay.speak(talker, b"two");
    assert!(relay.heard(listener).is_empty(), "before the beat");
    relay.pass_beat();
    let heard: Vec<_> = relay
        .heard(listener)
        .into_iter()
        .map(|(_, payload)| payload)
        .collect();
    assert_eq!(heard, ["one", "two"]);
    assert_eq!(relay.inbox(listener).bundles.len(), 1, "both in one bundle");
    assert!(relay.heard(stranger).is_empty());
    assert!(relay.heard(talker).is_empty(), "one's own voice comes back");
}

#[test]
fn all_who_take_the_same_are_given_the_same_bytes() {
    let mut relay = Relay::new();
    let people: [Person; 12] = relay.members();
    let talkers = &people[..3];
    for who in people {
        for &talker in &people {
            relay.subscribe(who, talker, AUDIO);
        }
    }
    for (number, &talker) in talkers.iter().enumerate() {
        relay.speak(talker, &[number as u8; 100]);
    }
    relay.pass_beat();
    let first = relay.inbox(people[3]).bundles[0].as_ptr();
    for &listener in &people[3..] {
        let inbox = relay.inbox(listener);
        assert_eq!((inbox.bundles.len(), inbox.frames.len()), (1, 3));
        assert_eq!(inbox.bundles[0].as_ptr(), first, "copied");
    }
    for &talker in talkers {
        let heard = relay.heard(talker);
        assert_eq!(heard.len(), 2);
        assert!(heard.iter().all(|(sender, _)| *sender != talker.id));
    }
}

fn bundle_sizes(payloads: &[usize]) -> Vec<usize> {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    for &payload in payloads {
        relay.speak(talker, &vec![1; payload]);
    }
    relay.pass_beat();
    let frames: Vec<_> = relay
        .heard(listener)
        .iter()
        .map(|(_, payload)| payload.len())
        .collect();
    assert_eq!(frames, payloads, "all of them, in order");
    relay
        .inbox(listener)
        .bundles
        .iter()
        .map(Bytes::len)
        .collect()
}

#[test]
fn bundles_are_few_and_equal() {
    const ENTRY: usize = 160 + 7;
    assert_eq!(bundle_sizes(&[160; 6]), [6 * ENTRY]);
    assert_eq!(bundle_sizes(&[160; 8]), [4 * ENTRY, 4 * ENTRY]);
    assert_eq!(bundle_sizes(&[160; 7]), [4 * ENTRY, 3 * ENTRY]);
    assert_eq!(bundle_sizes(&[160; 13]), [5 * ENTRY, 5 * ENTRY, 3 * ENTRY]);
    assert_eq!(bundle_sizes(&[1017]), [1024]);
    assert_eq!(bundle_sizes(&[500; 3]), [2 * 507, 507]);
    // Where equal parts would take one bundle more, few comes first.
    assert_eq!(bundle_sizes(&[343, 343, 313, 993, 24]), [1020, 1000, 30]);
}

#[test]
fn a_quiet_room_needs_no_wake_ups() {
    let mut relay = Relay::new();
    let (talker, _) = relay.pair();
    relay.pass(Duration::from_secs(6));
    assert_eq!(relay.rooms.deadline(), None);
    relay.beats.clear();
    relay.speak(talker, b"x");
    relay.pass(Duration::from_secs(60));
    assert_eq!(relay.beats.len(), 1);
    assert_eq!(relay.rooms.deadline(), None);
}

#[test]
fn beats_keep_to_one_grid_and_missed_ones_are_skipped() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let start = relay.now;
    for millis in [7, 13, 29, 1, 40, 33] {
        relay.speak(talker, b"x");
        relay.pass(Duration::from_millis(millis));
    }
    relay.pass_beat();
    assert!(relay.beats.len() > 3);
    for &beat in &relay.beats {
        assert_eq!((beat - start).as_millis() % BEAT.as_millis(), 0);
    }
    relay.heard(listener);
    relay.speak(talker, b"late");
    relay.now += Duration::from_millis(105);
    assert_eq!(relay.rooms.beat(relay.now, &mut relay.carrier), Beat::Late);
    assert_eq!(relay.heard(listener).len(), 1);
    assert_eq!(
        relay.rooms.beat(relay.now, &mut relay.carrier),
        Beat::NotYet
    );
    relay.speak(talker, b"in time");
    let next = relay.rooms.deadline().unwrap();
    assert!(next > relay.now && next <= relay.now + BEAT);
    assert_eq!(relay.rooms.beat(next, &mut relay.carrier), Beat::InTime);
}

#[test]
fn viewers_get_three_beats_at_once_spread_over_all_beats() {
    let mut relay = Relay::new();
    let talker = relay.member();
    let viewers: [Person; 9] = std::array::from_fn(|_| relay.viewer());
    for viewer in viewers {
        relay.subscribe(viewer, talker, AUDIO);
    }
    let mut bundles = [0; 9];
    for beat in 0..30_u8 {
        relay.speak(talker, &[beat; 20]);
        relay.pass_beat();
        let now = viewers.map(|viewer| relay.inbox(viewer).bundles.len());
        let served = now
            .iter()
            .zip(bundles)
            .filter(|&(&now, before)| now > before)
            .count();
        if u64::from(beat) >= VIEWER_BEATS {
            assert_eq!(served, 3, "a third of the viewers on each beat");
        }
        bundles = now;
    }
    relay.pass(VIEWER_BEAT);
    for viewer in viewers {
        let heard: Vec<u8> = relay
            .heard(viewer)
            .iter()
            .map(|(_, payload)| payload[0])
            .collect();
        assert_eq!(
            heard,
            (0..30).collect::<Vec<_>>(),
            "each frame once, in order"
        );
        assert!(relay.inbox(viewer).bundles.len() <= 12);
    }
}

#[test]
fn the_last_words_of_who_leaves_arrive_before_the_news() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let viewer = relay.viewer();
    relay.subscribe(viewer, talker, AUDIO);
    relay.control(listener);
    relay.speak(talker, b"goodbye");
    relay.leave(talker);
    assert!(relay.control(listener).is_empty());
    relay.pass(VIEWER_BEAT);
    assert_eq!(relay.heard(listener).len(), 1);
    assert_eq!(relay.heard(viewer).len(), 1);
    let gone = FromRelay::Left {
        participant: talker.id,
    };
    assert!(relay.control(listener) == [gone]);
    let came = &relay.inbox(listener).came;
    assert!(came.ends_with(&[Came::Audio, Came::Control]));
}

#[test]
fn subscriptions_end_and_none_is_inherited() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    assert!(relay.hears(listener, talker));
    let back = ToRelay::Unsubscribe {
        participant: talker.id,
        track: AUDIO,
    };
    relay.tell(listener.peer, &back);
    assert!(!relay.hears(listener, talker));
    relay.subscribe(listener, talker, AUDIO);
    assert!(relay.hears(listener, talker));
    relay.leave(talker);
    let successor = relay.member();
    assert!(
        !relay.hears(listener, successor),
        "a new member, in the place of one who left"
    );
}

/// A look comes a little after the beat that it was meant for, and what it finds goes with that one;
/// what comes after waits for the next.
#[test]
fn what_is_seen_right_after_a_beat_is_given_with_it_once() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.pass(Duration::from_secs(1));
    relay.heard(listener);
    relay.now += Duration::from_millis(1);
    relay.speak(talker, b"came before the beat");
    relay.pass(Duration::ZERO);
    assert_eq!(relay.heard(listener).len(), 1);
    relay.speak(talker, b"came after it");
    relay.pass(Duration::from_millis(10));
    assert!(relay.heard(listener).is_empty());
    relay.pass_beat();
    assert_eq!(relay.heard(listener).len(), 1);
}
