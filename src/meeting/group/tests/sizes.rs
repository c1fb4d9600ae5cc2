//! How large groups and their messages are, and how little is kept.

use super::super::state::LONGEST;
use super::*;
use crate::meeting::limits::NAME_BYTES;

fn long_named(seed: u32) -> Joining {
    let mut bytes = [3; 32];
    bytes[..4].copy_from_slice(&seed.to_be_bytes());
    let name = format!("{seed:0NAME_BYTES$}");
    Joining::new(LeafName::member(&name, [3; 16]), None, committers(), bytes).unwrap()
}

#[test]
fn fifty_join_one_after_another_then_all_to_two_hundred_in_batches() {
    let mut host = host();
    let mut first: Option<Group> = None;
    let mut seed = 0;
    let mut batch = |host: &mut Group, first: &mut Option<Group>, count: u32| {
        let joinings: Vec<Joining> = (seed..seed + count).map(long_named).collect();
        seed += count;
        let add = joinings.iter().map(package).collect();
        let posted = host.commit(adding(add)).unwrap();
        let welcome = posted.welcome.unwrap();
        if let Some(first) = first {
            take(first, &posted.commit).unwrap();
        }
        let newest = joinings.into_iter().last().unwrap();
        let newest = newest.enter(&welcome).unwrap();
        assert_eq!(newest.tag(), host.tag());
        first.get_or_insert(newest);
        (posted.commit.len(), welcome.len())
    };
    for count in 2..=50 {
        let (commit, welcome) = batch(&mut host, &mut first, 1);
        if [2, 10, 50].contains(&count) {
            println!("{count} members, one more: commit {commit} bytes, welcome {welcome}");
        }
    }
    while host.roster().len() < MEMBERS {
        let count = (MEMBERS - host.roster().len()).min(16) as u32;
        let (commit, welcome) = batch(&mut host, &mut first, count);
        let members = host.roster().len();
        println!("{members} members, {count} at once: commit {commit} bytes, welcome {welcome}");
        assert!(commit <= LONGEST);
    }
    let first = first.unwrap();
    assert_eq!(first.tag(), host.tag());
    assert_eq!(first.roster().len(), MEMBERS);
}

/// Or the chair would be alone in an epoch that nobody can follow it to.
#[test]
fn a_commit_that_no_message_holds_is_none() {
    let (mut host, mut members) = meeting(2);
    let tag = host.tag();
    let many: Vec<Joining> = (0..60).map(long_named).collect();
    let add = many.iter().map(package).collect();
    let refused = host.commit(adding(add));
    assert_eq!(refused.err(), Some(GroupRejection::TooLarge));
    assert_eq!(host.tag(), tag);
    let fewer = many.iter().take(16).map(package).collect();
    let posted = host.commit(adding(fewer)).unwrap();
    for member in &mut members {
        take(member, &posted.commit).unwrap();
        assert_eq!(member.tag(), host.tag());
    }
}

/// A key that was used is not kept: what is there after many epochs is no more than after one.
#[test]
fn used_keys_are_gone() {
    let (mut host, mut members) = meeting(3);
    // The key package that the host founded with waits for no welcome, but is still there.
    assert_eq!(host.kept(), 2);
    for _ in 0..20 {
        let posted = host.commit(Change::default()).unwrap();
        for member in &mut members {
            take(member, &posted.commit).unwrap();
            assert_eq!(member.kept(), 1, "the keys of its path");
        }
    }
    assert_eq!(host.kept(), 2);
}

/// Some are lost, some come late.
#[test]
fn what_is_said_may_be_lost_and_come_out_of_order() {
    let (mut host, mut members) = meeting(1);
    let said: Vec<Vec<u8>> = (0..1000).map(|_| host.say(b"x").unwrap()).collect();
    let member = &mut members[0];
    for at in [0, 2, 1, 900, 870, 999] {
        assert!(matches!(take(member, &said[at]), Ok(Processed::App { .. })));
    }
    for at in [0, 1, 2, 100, 870, 900, 999] {
        assert_eq!(take(member, &said[at]), Err(GroupRejection::Replay), "{at}");
    }
}

#[test]
fn a_welcome_that_none_could_be_is_not_looked_at() {
    let refused = joining("One", None, 40).enter(&vec![0; 1 << 20]);
    assert_eq!(refused.err(), Some(GroupRejection::TooLarge));
}
