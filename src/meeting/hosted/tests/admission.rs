//! What a welcome has to bring with it.

use super::super::admission::Admission;
use crate::meeting::chair::{Beat, Claim, Outcasts};
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::group::{Change, Committers, Group, Joining, KeyPackage, LeafName};
use crate::meeting::secret::Passed;

fn key(rank: u8) -> SigningKey {
    SigningKey::from_seed(&[rank + 1; 32])
}

fn committers() -> Committers {
    let keys = (0..3).map(|rank| key(rank).public()).collect();
    Committers {
        keys,
        bundle: [9; 32],
    }
}

fn joining(rank: Option<u8>, seed: u8) -> Joining {
    let run = [seed; 16];
    let name = match rank {
        Some(rank) => LeafName::committer("one", run, rank),
        None => LeafName::member("Ada", run),
    };
    let own = rank.map(key);
    Joining::new(name, own.as_ref(), committers(), [seed; 32]).unwrap()
}

fn beat(rank: u8, group: &Group, removed: u8) -> Beat {
    let claim = Claim {
        run: [rank; 16],
        rank,
        seq: 0,
        count: 0,
        epoch: group.epoch(),
        tag: group.tag(),
        roster: group.roster_hash(),
        locked: false,
        removed,
        before: [0; 32],
    };
    claim.sign(|bytes| key(rank).sign(bytes))
}

/// Whether Ada enters the group of the committer of rank 1, who gives her that beat and passes on those.
fn enters(
    outcasts: &mut Outcasts,
    by: impl Fn(&Group, &Group) -> Beat,
    words: impl Fn(&Group) -> Vec<Beat>,
) -> bool {
    let mut group = Group::found(joining(Some(1), 1)).unwrap();
    let other = Group::found(joining(Some(0), 2)).unwrap();
    let ada = joining(None, 3);
    let add = KeyPackage::read(ada.key_package(), &committers()).unwrap();
    let change = Change {
        add: vec![add],
        remove: Vec::new(),
    };
    let posted = group.commit(change).unwrap();
    let admission = Admission {
        welcome: posted.welcome.unwrap(),
        main: Passed::new(&[0; 32]),
        link: Passed::new(&[0; 32]),
        beat: by(&group, &other),
        words: words(&other),
    };
    let payload = postcard::to_allocvec(&admission).unwrap();
    Admission::open(&payload, ada, outcasts).is_some()
}

#[test]
fn a_committer_who_was_not_removed_stands_by_it() {
    let none = |_: &Group| Vec::new();
    let out = || {
        let mut outcasts = Outcasts::default();
        outcasts.add_committer(1);
        outcasts
    };
    let own = |group: &Group, _: &Group| beat(1, group, 0);
    let of_host = |group: &Group, _: &Group| beat(0, group, 0);
    let elsewhere = |_: &Group, other: &Group| beat(0, other, 0);
    assert!(enters(&mut Outcasts::default(), own, none));
    assert!(!enters(&mut Outcasts::default(), elsewhere, none));
    assert!(!enters(&mut out(), own, none), "by its beat");
    assert!(!enters(&mut out(), of_host, none), "by its welcome");
    let said = |other: &Group| vec![beat(0, other, 0b10)];
    assert!(!enters(&mut Outcasts::default(), own, said));
    let mut knows = Outcasts::default();
    let low = |other: &Group| vec![beat(2, other, 0xff), beat(0, other, 0b100)];
    assert!(enters(&mut knows, own, low));
    assert_eq!(knows.ranks(), 0b100, "of those who go before it alone");
}
