//! What members do.

use super::*;

fn agree(groups: &[&Group]) {
    let export = |group: &Group| *group.export("test", b"").expect("a secret");
    for pair in groups.windows(2) {
        assert_eq!(pair[0].epoch(), pair[1].epoch());
        assert_eq!(pair[0].tag(), pair[1].tag());
        assert_eq!(pair[0].roster_hash(), pair[1].roster_hash());
        assert_eq!(export(pair[0]), export(pair[1]));
    }
}

#[test]
fn who_is_admitted_is_in_and_all_agree() {
    let (mut host, mut members) = meeting(2);
    agree(&[&host, &members[0], &members[1]]);
    let late = joining("Late", None, 50);
    let add = vec![package(&late)];
    let posted = host
        .commit(Change {
            add,
            remove: Vec::new(),
        })
        .unwrap();
    for member in &mut members {
        let taken = take(member, &posted.commit);
        assert_eq!(taken, Ok(committed(false)));
    }
    let mut late = late.enter(&posted.welcome.unwrap()).unwrap();
    agree(&[&host, &members[0], &members[1], &late]);
    let names: Vec<&str> = late
        .roster()
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    assert_eq!(names, ["Host", "M0", "M1", "Late"]);
    let said = late.say(b"hello").unwrap();
    let heard = take(&mut members[0], &said);
    let from = late.me();
    assert_eq!(
        heard,
        Ok(Processed::App {
            from,
            epoch: late.epoch(),
            bytes: b"hello".to_vec()
        })
    );
}

#[test]
fn who_is_removed_opens_nothing_more() {
    let (mut host, mut members) = meeting(3);
    let gone = members[1].me();
    let remove = vec![gone];
    let posted = host
        .commit(Change {
            add: Vec::new(),
            remove,
        })
        .unwrap();
    let before = *members[1].export("test", b"").unwrap();
    let taken = take(&mut members[1], &posted.commit);
    assert_eq!(taken, Ok(committed(true)));
    take(&mut members[0], &posted.commit).unwrap();
    take(&mut members[2], &posted.commit).unwrap();
    agree(&[&host, &members[0], &members[2]]);
    assert_ne!(*host.export("test", b"").unwrap(), before);
    let said = host.say(b"without you").unwrap();
    assert!(take(&mut members[1], &said).is_err());
    assert!(members[1].say(b"still here").is_err());
}

#[test]
fn one_who_lost_the_thread_comes_in_anew_with_one_commit() {
    let (mut host, mut members) = meeting(2);
    let old = members[0].me();
    let again = joining("M0", None, 60);
    let change = Change {
        add: vec![package(&again)],
        remove: vec![old],
    };
    let posted = host.commit(change).unwrap();
    take(&mut members[1], &posted.commit).unwrap();
    let again = again.enter(&posted.welcome.unwrap()).unwrap();
    agree(&[&host, &members[1], &again]);
    assert_eq!(again.roster().len(), 3);
}

#[test]
fn what_was_said_just_before_a_commit_is_heard_after_it() {
    let (mut host, mut members) = meeting(2);
    let said = members[0].say(b"one").unwrap();
    let posted = host.commit(Change::default()).unwrap();
    take(&mut members[1], &posted.commit).unwrap();
    assert!(matches!(
        take(&mut members[1], &said),
        Ok(Processed::App { .. })
    ));
    assert_eq!(take(&mut members[1], &said), Err(GroupRejection::Replay));
}

#[test]
fn what_a_removed_one_said_before_is_not_taken_for_its_successors() {
    let (mut host, mut members) = meeting(2);
    let said = members[0].say(b"mine").unwrap();
    let other = joining("Other", None, 70);
    let change = Change {
        add: vec![package(&other)],
        remove: vec![members[0].me()],
    };
    let posted = host.commit(change).unwrap();
    take(&mut members[1], &posted.commit).unwrap();
    let other = other.enter(&posted.welcome.unwrap()).unwrap();
    assert_eq!(other.me(), LeafId(1), "the same leaf");
    assert_eq!(take(&mut members[1], &said), Err(GroupRejection::OldEpoch));
}

#[test]
fn an_epoch_is_neither_skipped_nor_taken_twice() {
    let (mut host, mut members) = meeting(1);
    let one = host.commit(Change::default()).unwrap().commit;
    let two = host.commit(Change::default()).unwrap().commit;
    assert_eq!(
        take(&mut members[0], &two),
        Err(GroupRejection::FutureEpoch)
    );
    take(&mut members[0], &one).unwrap();
    assert_eq!(take(&mut members[0], &one), Err(GroupRejection::OldEpoch));
    take(&mut members[0], &two).unwrap();
    agree(&[&host, &members[0]]);
}

#[test]
fn two_hundred_fit_and_no_more() {
    let (mut host, members) = meeting(199);
    agree(&[&host, &members[0], &members[198]]);
    let add = vec![package(&joining("One more", None, 250))];
    let refused = host.commit(Change {
        add,
        remove: Vec::new(),
    });
    assert_eq!(refused.err(), Some(GroupRejection::TooLarge));
    let posted = host.commit(Change::default()).unwrap();
    println!("a commit among 200: {} bytes", posted.commit.len());
}
