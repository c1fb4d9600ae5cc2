//! Groups joined in memory.

mod raw;

mod commits;
mod liar;
mod messages;
mod schedules;
mod story;
mod welcomes;

use super::{
    Change, Committers, Group, GroupRejection, Joining, KeyPackage, LeafId, LeafName, Posted,
    Processed,
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

/// Takes commits of the host's.
pub(super) fn take(group: &mut Group, bytes: &[u8]) -> Result<Processed, GroupRejection> {
    group.process(bytes, |change| change.committer.rank == Some(0))
}

/// A host and as many members, all at one epoch.
pub(super) fn meeting(members: u8) -> (Group, Vec<Group>) {
    let mut host = host();
    let joinings: Vec<Joining> = (0..members)
        .map(|n| joining(&format!("M{n}"), None, n + 10))
        .collect();
    let add = joinings.iter().map(package).collect();
    let posted = host
        .commit(Change {
            add,
            remove: Vec::new(),
        })
        .expect("a commit");
    let welcome = posted.welcome.expect("a welcome");
    let members = joinings
        .into_iter()
        .map(|joining| joining.enter(&welcome).expect("in"));
    (host, members.collect())
}
