//! A member, or a co-host whose turn it is not, or is, puts the host out.

use openmls::prelude::LeafNodeIndex;
use sottovoce::meeting::{Command, Notice, Rejection};

use crate::rogue::insider;
use crate::scene::{all_is_well, refused, three};

#[test]
fn nobody_follows_a_member_that_does() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let host = LeafNodeIndex::new(mallory.leaf("Host"));
    let removed = mallory
        .group
        .remove_members(&mallory.provider, &mallory.key, &[host]);
    let commit = removed.expect("a commit").0.to_bytes().expect("bytes");
    mallory.post(&mut world, commit);
    for index in 0..3 {
        assert_eq!(refused(&world, index, Rejection::NotAllowed), 1);
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn a_co_host_in_the_chair_cannot() {
    let (mut world, meet) = three();
    let co = world.join(&meet.co_hosts[0], "Cohost");
    world.seconds(6);
    // The host is silent, and still in the tree.
    world.passes = Box::new(|_, _, _| true);
    let who = world.who(co, "Host");
    world.side(0, 1);
    world.seconds(25);
    assert!(world.nodes[co].told.contains(&Notice::InTheChair(true)));
    let before = refused(&world, co, Rejection::NotAllowed);
    world.command(co, Command::Remove(who));
    assert_eq!(refused(&world, co, Rejection::NotAllowed), before + 1);
    world.side(0, 0);
    world.seconds(60);
    all_is_well(&mut world, &[0, 1, 2, co]);
}
