//! The host has locked the meeting. Somebody who has the link comes in all the same: as if it had been
//! inside before, or since the relay keeps the host from being heard, so that another takes the chair.

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;
use sottovoce::meeting::{Command, Notice};

use crate::rogue::Wanting;
use crate::scene::{all_is_well, knocks, meet, three};
use crate::world::World;

/// A lock is not against those who come back. Who says so and shows nothing does not.
#[test]
fn by_a_proof_that_proves_nothing() {
    let (mut world, meet) = three();
    world.command(0, Command::Lock(true));
    let tree = world.roster(0);
    let secret = meet.link_secret();
    for proof in [vec![], vec![0], vec![7; 100]] {
        let eve = Wanting::new(LeafName::member("Eve", [3; 16]), 3);
        let outcome = eve.knock(&mut world, &meet.guest, secret, Some(proof), 8);
        assert!(outcome.is_err());
    }
    world.command(0, Command::AdmitAll(false));
    let eve = Wanting::new(LeafName::member("Eve", [3; 16]), 3);
    let outcome = eve.knock(&mut world, &meet.guest, secret, Some(vec![0]), 2);
    assert!(outcome.is_err());
    for (number, _) in knocks(&world, 0) {
        world.command(0, Command::Admit(number));
    }
    world.seconds(2);
    assert_eq!(world.roster(0), tree);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn by_silencing_the_host() {
    let meet = meet(1);
    let mut world = World::new();
    let host = world.join_as(&meet.host, "Host", false, true);
    world.seconds(1);
    let ada = world.join_as(&meet.guest, "Ada", false, true);
    let deputy = world.join_as(&meet.co_hosts[0], "Deputy", false, true);
    world.seconds(3);
    world.command(host, Command::Lock(true));
    world.seconds(1);
    world.side(host, 1);
    world.seconds(30);
    let chair = Notice::InTheChair(true);
    assert!(world.nodes[deputy].told.contains(&chair), "it took over");
    assert!(world.nodes[deputy].told.contains(&Notice::Locked(true)));
    let eve = world.join_as(&meet.guest, "Eve", false, true);
    world.seconds(10);
    assert!(!world.nodes[eve].inside, "locked is locked");
    let locked = Notice::Waiting(Status::Locked);
    assert!(world.nodes[eve].told.contains(&locked));
    world.command(deputy, Command::Lock(false));
    world.seconds(5);
    assert!(world.nodes[eve].inside);
    all_is_well(&mut world, &[ada, deputy, eve]);
}

/// A host that comes back takes the chair as it finds it.
#[test]
fn by_ending_the_hosts_program() {
    let meet = meet(1);
    let mut world = World::new();
    let host = world.join_as(&meet.host, "Host", false, true);
    world.seconds(1);
    let deputy = world.join_as(&meet.co_hosts[0], "Deputy", false, true);
    world.seconds(3);
    world.command(host, Command::Lock(true));
    world.seconds(1);
    world.kill(host);
    world.seconds(30);
    let again = world.join_as(&meet.host, "Host", false, true);
    world.seconds(40);
    let chair = Notice::InTheChair(true);
    assert!(
        world.nodes[again].told.contains(&chair),
        "it took the chair"
    );
    assert!(world.nodes[again].told.contains(&Notice::Locked(true)));
    let eve = world.join_as(&meet.guest, "Eve", false, true);
    world.seconds(10);
    assert!(!world.nodes[eve].inside, "locked is locked");
    all_is_well(&mut world, &[again, deputy]);
}
