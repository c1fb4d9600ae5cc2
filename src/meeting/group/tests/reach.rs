//! What a message costs that says it is far ahead of what was heard of its sender.

use super::raw::{Raw, lives_on};
use super::*;
use GroupRejection as No;

/// A member's message after `skipped` that it never sent, spoilt where only the last key of all shows it.
fn spoilt(by: &mut Group, skipped: u32) -> Vec<u8> {
    for _ in 0..skipped {
        by.say(b"").unwrap();
    }
    let mut said = by.say(b"").unwrap();
    *said.last_mut().unwrap() ^= 1;
    said
}

/// What this message costs somebody who would go so far for it.
fn costs(group: &mut Group, message: &[u8], reach: u32) -> (u32, GroupRejection) {
    let mut left = reach;
    let refused = group.process_within(&mut left, message, |_| true);
    (reach - left, refused.expect_err("it is refused"))
}

#[test]
fn what_is_derived_in_vain_is_counted_and_bounded() {
    let (mut host, mut members) = meeting(2);
    let far = spoilt(&mut members[0], 999);
    for _ in 0..3 {
        assert_eq!(costs(&mut host, &far, 4096), (1000, No::NotAuthentic));
        assert_eq!(costs(&mut host, &far, 1000), (1000, No::NotAuthentic));
        assert_eq!(costs(&mut host, &far, 999), (999, No::TooFar));
        assert_eq!(costs(&mut host, &far, 0), (0, No::TooFar));
    }
    let (mut left, said) = (1001, members[0].say(b"true").unwrap());
    assert!(host.process_within(&mut left, &said, |_| true).is_ok());
    assert_eq!(left, 1001, "what opens is not counted");
    let (near, later) = (members[0].say(b"").unwrap(), members[0].say(b"").unwrap());
    for said in [later, near] {
        assert!(host.process_within(&mut 2, &said, |_| true).is_ok());
    }
    // Its own way on is nobody else's affair, and neither is what a commit derives.
    for _ in 0..20 {
        host.say(b"").unwrap();
    }
    let posted = host.commit(Change::default()).unwrap();
    for member in &mut members {
        let taken = member.process_within(&mut 1, &posted.commit, |_| true);
        assert_eq!(taken, Ok(committed(false)));
    }
    lives_on(&mut host, &mut members);
}

/// Handshakes have ratchets of their own.
#[test]
fn commits_are_no_way_around_it() {
    let (mut host, mut members) = meeting(2);
    for _ in 0..200 {
        Raw::default().by(&mut members[0]);
    }
    let mut far = Raw::default().by(&mut members[0]).commit;
    *far.last_mut().unwrap() ^= 1;
    assert_eq!(costs(&mut host, &far, 4096), (201, No::NotAuthentic));
    assert_eq!(costs(&mut host, &far, 32), (32, No::TooFar));
    lives_on(&mut host, &mut members);
}

/// Who was cut off for two minutes, where somebody signs four tracks and answers everyone twice.
#[test]
fn what_honest_people_miss_is_within_it() {
    let (mut host, mut members) = meeting(2);
    for _ in 0..120 * 2 * 4 + 2 * 199 {
        members[0].say(b"").unwrap();
    }
    let said = members[0].say(b"back").unwrap();
    assert!(
        host.process_within(&mut FORWARD.clone(), &said, |_| true)
            .is_ok()
    );
}
