//! A member who is no committer, or does not rule, commits: it puts somebody out, or lets somebody in.

use openmls::prelude::{KeyPackageIn, LeafNodeIndex, OpenMlsProvider, ProtocolVersion};
use sottovoce::meeting::Rejection;
use sottovoce::meeting::group::LeafName;
use tls_codec::DeserializeBytes as _;

use crate::insider_plays_the_chair::co_host;
use crate::rogue::{Rogue, Wanting, insider};
use crate::scene::{Meet, all_is_well, refused, three};
use crate::world::World;

/// It removes Ada; nobody follows.
fn removes_in_vain(world: &mut World, meet: &Meet, mut mallory: Rogue) {
    let ada = LeafNodeIndex::new(mallory.leaf("Ada"));
    let removed = mallory
        .group
        .remove_members(&mallory.provider, &mallory.key, &[ada]);
    let commit = removed.expect("a commit").0.to_bytes().expect("bytes");
    let before = [0, 1, 2].map(|one| refused(world, one, Rejection::NotAllowed));
    mallory.post(world, commit);
    let after = [0, 1, 2].map(|one| refused(world, one, Rejection::NotAllowed));
    assert_eq!(
        after,
        before.map(|count| count + 1),
        "refused by each, and named"
    );
    all_is_well(world, &[0, 1, 2]);
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    all_is_well(world, &[0, 1, 2, cem]);
}

#[test]
fn nobody_follows_its_commit_that_removes_somebody() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    removes_in_vain(&mut world, &meet, mallory);
}

/// It may commit, but not while the host rules.
#[test]
fn nobody_follows_a_co_host_that_does_not_rule() {
    let (mut world, meet) = three();
    let (mallory, ..) = co_host(&mut world, &meet);
    removes_in_vain(&mut world, &meet, mallory);
}

#[test]
fn nobody_follows_its_commit_that_lets_somebody_in() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let eve = Wanting::new(LeafName::member("Eve", [4; 16]), 4);
    let package = KeyPackageIn::tls_deserialize_exact_bytes(&eve.key_package).expect("a package");
    let package = package.validate(mallory.provider.crypto(), ProtocolVersion::Mls10);
    let added = mallory.group.add_members(
        &mallory.provider,
        &mallory.key,
        &[package.expect("a good one")],
    );
    let commit = added.expect("a commit").0.to_bytes().expect("bytes");
    mallory.post(&mut world, commit);
    for index in 0..3 {
        assert_eq!(refused(&world, index, Rejection::NotAllowed), 1);
    }
    assert!(!world.roster(2).contains(&"Eve".to_owned()));
    all_is_well(&mut world, &[0, 1, 2]);
}
