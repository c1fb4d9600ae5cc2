//! The end for everybody.

use super::world::{Parcel, World};
use super::*;
use crate::meeting::events::Input;
use crate::wire::FromRelay;

/// A host, a co-host, two guests.
fn four() -> (World, Meet) {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    world.join(&meet.co_hosts[0], "Cem");
    world.join(&meet.guest, "Ada");
    world.join(&meet.guest, "Bea");
    world.seconds(5);
    (world, meet)
}

fn over(world: &World) -> Vec<Option<Ending>> {
    world.nodes.iter().map(|node| node.over).collect()
}

#[test]
fn the_host_ends_it_and_everybody_leaves() {
    let (mut world, meet) = four();
    world.command(0, Command::EndForAll);
    let ended = Some(Ending::Ended);
    assert_eq!(over(&world), [None, ended, ended, ended]);
    world.seconds(4);
    assert_eq!(over(&world), [ended; 4]);
    let gone = |index| world.stays(index).is_empty();
    assert!((0..4).all(gone), "everybody is");
    // Who comes later, and who had the chair's place, finds nobody.
    let late = world.join(&meet.guest, "Late");
    let co_host = world.join(&meet.co_hosts[0], "Cem");
    world.seconds(60);
    for index in [late, co_host] {
        let waits = Notice::Waiting(Status::HostNotHere);
        assert!(world.nodes[index].told.contains(&waits), "{index}");
        assert!(!world.nodes[index].inside);
    }
    // The host may hold another one with the same links.
    world.join(&meet.host, "Host");
    world.seconds(20);
    assert!(world.nodes[late].inside && world.nodes[co_host].inside);
}

#[test]
fn a_co_host_in_the_chair_may_and_nobody_else() {
    let (mut world, _) = four();
    for index in [1, 2] {
        let before = world.nodes[index].rejected;
        world.command(index, Command::EndForAll);
        assert_eq!(world.nodes[index].rejected, before + 1);
    }
    world.seconds(5);
    assert_eq!(over(&world), [None; 4]);
    world.kill(0);
    world.seconds(25);
    assert!(world.nodes[1].told.contains(&Notice::InTheChair(true)));
    world.command(1, Command::EndForAll);
    world.seconds(4);
    assert_eq!(over(&world)[1..], [Some(Ending::Ended); 3]);
}

/// It is said for three seconds: who misses it at first hears it then, and nobody is let in meanwhile.
#[test]
fn who_is_just_coming_back_hears_it_and_who_knocks_is_not_answered() {
    let (mut world, meet) = four();
    world.command(0, Command::AdmitAll(true));
    let mut kept = 0;
    world.passes = Box::new(move |to, parcel| {
        let said = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        let lost = to == 2 && said && kept < 2;
        kept += u32::from(lost);
        !lost
    });
    world.command(0, Command::EndForAll);
    let late = world.join(&meet.guest, "Late");
    let before = world.nodes[0].rejected;
    world.command(0, Command::Lock(true));
    assert_eq!(world.nodes[0].rejected, before + 1, "nothing else is done");
    assert_eq!(world.nodes[2].over, None);
    world.reconnect(2);
    world.seconds(4);
    assert_eq!(world.nodes[2].over, Some(Ending::Ended));
    assert!(!world.nodes[late].inside);
}

/// Nobody would hear it, and they would go on.
#[test]
fn without_a_connection_it_is_not_ended() {
    let (mut world, _) = four();
    for stay in world.stays(0) {
        world.tell(0, Input::Lost { stay });
    }
    let before = world.nodes[0].rejected;
    world.command(0, Command::EndForAll);
    assert_eq!(world.nodes[0].rejected, before + 1);
    world.seconds(4);
    assert_eq!(world.nodes[0].over, None);
}
