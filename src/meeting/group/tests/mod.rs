//! Groups joined in memory.

mod raw;

mod commits;
mod double;
mod liar;
mod messages;
mod reach;
mod schedules;
mod sizes;
mod story;
mod welcomes;

use super::{
    Change, Committers, FORWARD, Group, GroupRejection, Joining, KeyPackage, LeafId, LeafName,
    MEMBERS, Posted, Processed, Why,
};
use crate::meeting::crypto::sign::SigningKey;

/// The committer's key of this rank.
pub(super) fn key(rank: u8) -> SigningKey {
    SigningKey::from_seed(&[rank + 100; 32])
}

pub(super) fn committers() -> Committers {
    Committers {
        keys: (0..3).map(|rank| key(rank).public()).collect(),
        bundle: [9; 32],
    }
}

pub(super) fn joining(name: &str, rank: Option<u8>, seed: u8) -> Joining {
    let name = match rank {
        None => LeafName::member(name, [seed; 16]),
        Some(rank) => LeafName::committer(name, [seed; 16], rank),
    };
    let prover = rank.map(key);
    Joining::new(name, prover.as_ref(), committers(), [seed; 32]).expect("keys")
}

pub(super) fn host() -> Group {
    Group::found(joining("Host", Some(0), 1)).expect("a group")
}

pub(super) fn package(joining: &Joining) -> KeyPackage {
    KeyPackage::read(joining.key_package(), &committers()).expect("a key package")
}

/// A commit of one who says no reason.
pub(super) fn committed(removed_me: bool) -> Processed {
    let why = Why::PutOut;
    Processed::Commit { removed_me, why }
}

/// Takes commits of the host's.
pub(super) fn take(group: &mut Group, bytes: &[u8]) -> Result<Processed, GroupRejection> {
    group.process(bytes, |change| change.committer.rank == Some(0))
}

/// A host and as many members, all at one epoch.
pub(super) fn meeting(members: u8) -> (Group, Vec<Group>) {
    let mut host = host();
    let mut inside: Vec<Group> = Vec::new();
    let mut joinings: Vec<Joining> = (0..members)
        .map(|n| joining(&format!("M{n}"), None, n + 10))
        .collect();
    while !joinings.is_empty() {
        // As many as one message holds.
        let later = joinings.split_off(joinings.len().min(50));
        let posted = host.commit(adding(joinings.iter().map(package).collect()));
        let posted = posted.expect("a commit");
        let welcome = posted.welcome.expect("a welcome");
        for member in &mut inside {
            take(member, &posted.commit).expect("a commit of the host's");
        }
        let enter = |joining: Joining| joining.enter(&welcome).expect("in");
        inside.extend(joinings.into_iter().map(enter));
        joinings = later;
    }
    (host, inside)
}

pub(super) fn adding(add: Vec<KeyPackage>) -> Change {
    Change {
        add,
        remove: Vec::new(),
    }
}
