//! The relay, with the meeting link, puts somebody of its own among those who knock.

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::{Knock, Knocker, Status};
use sottovoce::meeting::{Command, LinkSecret};

use crate::own::room;
use crate::rogue::{Line, Wanting};
use crate::scene::{all_is_well, knocks, meet};
use crate::world::World;

/// A host who decides by itself, and Ada, who waits.
fn waiting() -> (World, crate::scene::Meet, usize) {
    let meet = meet(0);
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(1);
    assert_eq!(knocks(&world, 0).len(), 1);
    (world, meet, ada)
}

#[test]
fn nobody_comes_in_whom_the_host_did_not_admit() {
    let (mut world, meet, ada) = waiting();
    let eve = Wanting::new(LeafName::member("Ada", [9; 16]), 9);
    let first = knocks(&world, 0)[0].0;
    world.command(0, Command::Admit(first));
    let outcome = eve.knock(&mut world, &meet.guest, meet.link_secret(), None, 10);
    assert!(matches!(outcome, Err(Some(Status::Waiting))));
    assert!(world.nodes[ada].inside);
    assert_eq!(world.roster(0), ["Host", "Ada"]);
    assert_eq!(
        knocks(&world, 0).len(),
        2,
        "two who say they are Ada are two"
    );
    all_is_well(&mut world, &[0, ada]);
}

#[test]
fn who_takes_the_place_of_one_who_waits_is_not_admitted_for_it() {
    let (mut world, meet, ada) = waiting();
    let first = knocks(&world, 0)[0].0;
    let lobby = room(&meet.link_secret());
    let (at_host, at_ada) = (
        world.stay(0, lobby).unwrap(),
        world.stay(ada, lobby).unwrap(),
    );
    let id = world.id((ada, at_ada));
    // The relay gives Ada's id to Eve.
    world.forge_return(0, at_host, id);
    world.reuse = Some(id);
    let line = Line::new(&mut world, meet.link_secret());
    let eve = Wanting::new(LeafName::member("Ada", [9; 16]), 9);
    let knock = Knock {
        name: "Ada".into(),
        key_package: eve.key_package.clone(),
        proof_of_return: None,
    };
    let secret = LinkSecret::from_bytes(meet.link_secret());
    let link = meet.guest.meeting().with_secret(secret);
    let mut knocker = Knocker::new(&link, knock, [3; 32]).unwrap();
    knocker.enter(world.now, id);
    // The host has seen the first number and decides a moment later.
    world.passes = Box::new(move |to, _, _| to != ada);
    let outcome = eve.knock_on(&mut world, knocker, line, 2);
    assert!(outcome.is_err());
    assert_eq!(
        knocks(&world, 0).len(),
        2,
        "it knocks under a number of its own"
    );
    world.command(0, Command::Admit(first));
    world.seconds(5);
    assert_eq!(world.roster(0), ["Host"]);
}
