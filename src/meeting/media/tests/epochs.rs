//! Epochs that change while media is under way.

use sframe::header::SframeHeader;

use super::super::{Again, HELD_FOR, HELD_FRAMES, OLD_KEYS};
use super::*;

fn header(sealed: &Bytes) -> (u64, u64) {
    let header = SframeHeader::deserialize(sealed).unwrap();
    (header.key_id(), header.counter())
}

#[test]
fn a_counter_is_never_used_twice_under_one_key() {
    let mut sender = SenderKeys::new(SALT);
    assert!(
        sender.seal(at(0), &frame(SOUND, 0, b""), AUDIO).is_err(),
        "no key yet"
    );
    let mut used = std::collections::HashSet::new();
    for epoch in 1..20 {
        assert!(sender.epoch(epoch, &base(epoch), LEAF));
        for number in 0..50 {
            for (track, kind) in [(SOUND, AUDIO), (PICTURE, VIDEO)] {
                let frame = frame(track, number, &[0; 2000]);
                for sealed in sender.seal(at(0), &frame, kind).unwrap() {
                    assert!(used.insert(header(&sealed)), "epoch {epoch}, {number}");
                }
            }
            // The same epoch once more, or an older one, begins nothing anew.
            assert!(!sender.epoch(epoch, &base(epoch), LEAF));
            assert!(!sender.epoch(epoch - 1, &base(epoch - 1), LEAF));
        }
    }
}

#[test]
fn a_sender_switches_at_once() {
    let mut sender = sender(1);
    let before = header(&sound(&mut sender, at(0), 0));
    sender.epoch(2, &base(2), LEAF);
    let after = header(&sound(&mut sender, at(0), 1));
    assert_ne!(before.0, after.0);
    assert_eq!((before.1, after.1), (0, 0));
    let mut removed = receiver(1);
    let sealed = sound(&mut sender, at(0), 2);
    assert!(is(&hear(&mut removed, at(0), &sealed), Ok(Opened::Held)));
}

#[test]
fn late_frames_open_for_two_seconds_and_then_no_more() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    let late: Vec<_> = (0..4).map(|n| sound(&mut sender, at(0), n)).collect();
    receiver.epoch(at(1000), 2, &base(2));
    assert!(is_frame(&hear(&mut receiver, at(1000), &late[1])));
    assert!(is_frame(&hear(&mut receiver, at(2999), &late[0])));
    assert!(is(
        &hear(&mut receiver, at(2999), &late[0]),
        Err(Rejection::Replay)
    ));
    assert_eq!(receiver.deadline(), Some(at(1000) + OLD_KEYS));
    assert!(is(
        &hear(&mut receiver, at(3000), &late[2]),
        Ok(Opened::Held)
    ));
    assert!(receiver.previous.is_none(), "wiped");
    // Nothing brings the old key back.
    assert!(receiver.epoch(at(3001), 1, &base(1)).is_empty());
    assert!(!is_frame(&hear(&mut receiver, at(3001), &late[3])));
}

#[test]
fn the_old_key_goes_by_the_clock_and_not_by_what_comes() {
    let mut receiver = receiver(1);
    receiver.epoch(at(0), 2, &base(2));
    receiver.tick(at(1999));
    assert!(receiver.previous.is_some());
    receiver.tick(at(2000));
    assert!(receiver.previous.is_none());
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn two_epochs_in_two_seconds_leave_one_old_key() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    let first = sound(&mut sender, at(0), 0);
    receiver.epoch(at(0), 2, &base(2));
    receiver.epoch(at(1), 3, &base(3));
    assert!(!is_frame(&hear(&mut receiver, at(2), &first)));
}

#[test]
fn frames_that_overtake_the_commit_wait_for_it() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    sender.epoch(2, &base(2), LEAF);
    let early: Vec<_> = (0..5).map(|n| sound(&mut sender, at(0), n)).collect();
    for sealed in &early {
        assert!(is(&hear(&mut receiver, at(10), sealed), Ok(Opened::Held)));
    }
    // The same by another way.
    assert!(is(
        &hear(&mut receiver, at(11), &early[0]),
        Ok(Opened::Held)
    ));
    let opened = receiver.epoch(at(500), 2, &base(2));
    assert_eq!(opened.len(), 6);
    for (number, opened) in (0..5).zip(&opened) {
        assert!(is(
            opened,
            Ok(Opened::Frame(frame(SOUND, number, b"sound")))
        ));
    }
    assert!(is(&opened[5], Err(Rejection::Replay)));
    assert!(is(
        &hear(&mut receiver, at(501), &early[2]),
        Err(Rejection::Replay)
    ));
}

#[test]
fn what_waits_has_a_bound_and_an_end() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    sender.epoch(2, &base(2), LEAF);
    for number in 0..1000 {
        let sealed = sound(&mut sender, at(0), number);
        assert!(is(&hear(&mut receiver, at(0), &sealed), Ok(Opened::Held)));
    }
    let sealed = sound(&mut sender, at(0), 1000);
    assert!(is(
        &hear(&mut receiver, at(1000), &sealed),
        Ok(Opened::Held)
    ));
    assert_eq!(receiver.deadline(), Some(HELD_FOR));
    let mut later = ReceiverKeys::new(LEAF, SALT);
    for number in 0..1000 {
        hear(&mut later, at(0), &sound(&mut sender, at(0), number)).unwrap();
    }
    assert_eq!(later.epoch(at(1), 2, &base(2)).len(), HELD_FRAMES);
    let opened = receiver.epoch(at(2000), 2, &base(2));
    assert_eq!(opened.len(), 1, "the others waited for too long");
}

#[test]
fn an_epoch_that_is_skipped_leaves_no_gap_after_it() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    sender.epoch(4, &base(4), LEAF);
    let sealed = sound(&mut sender, at(0), 0);
    assert!(is(&hear(&mut receiver, at(0), &sealed), Ok(Opened::Held)));
    for epoch in 2..4 {
        assert!(receiver.epoch(at(epoch), epoch, &base(epoch)).is_empty());
    }
    assert_eq!(receiver.epoch(at(4), 4, &base(4)).len(), 1);
}

#[test]
fn a_group_that_is_begun_again_comes_once_and_newcomers_have_it_whole() {
    let (mut sender, mut old) = (sender(1), receiver(1));
    let source = |number| frame(PICTURE, number, &[number as u8; 300]);
    for number in 0..3 {
        let sealed = sender.seal(at(0), &source(number), VIDEO).unwrap();
        let opened = old.open(at(0), PICTURE, source(number).group, &sealed[0]);
        assert!(opened == Ok(Opened::Frame(source(number))));
    }
    sender.epoch(2, &base(2), LEAF);
    old.epoch(at(0), 2, &base(2));
    let mut new = receiver(2);
    for number in 0..5 {
        let again = Again {
            frame: number < 3,
            groups: 1,
        };
        let sealed = sender.seal_again(at(0), &source(number), VIDEO, again);
        let sealed = sealed.unwrap().remove(0);
        let wire = again.on_the_wire(source(number).group).unwrap();
        assert!(wire > source(number).group);
        let opened = new.open(at(0), PICTURE, wire, &sealed);
        assert!(opened == Ok(Opened::Frame(source(number))), "{number}");
        let opened = old.open(at(0), PICTURE, wire, &sealed);
        let expected = match number < 3 {
            true => Opened::Dropped,
            false => Opened::Frame(source(number)),
        };
        assert!(opened == Ok(expected), "{number}");
    }
    // Only what is said to have been sent before is ever left out.
    let twice = sender.seal(at(0), &source(4), VIDEO).unwrap();
    let opened = old.open(at(0), PICTURE, source(4).group, &twice[0]);
    assert!(opened == Ok(Opened::Frame(source(4))));
}
