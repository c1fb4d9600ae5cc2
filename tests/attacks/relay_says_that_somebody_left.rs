//! The relay tells the host that somebody left who is there, and nobody else: whoever is away for long
//! leaves the tree.

use sottovoce::meeting::{Command, Notice};
use sottovoce::wire::FromRelay;

use crate::scene::{all_is_well, knocks, read, three};
use crate::world::{Parcel, World};

/// The relay's lie, to the host alone, about Ada.
fn lie(world: &mut World) {
    let (stay, participant) = (world.main(0), world.main_id(1));
    let left = Parcel::Control(FromRelay::Left { participant });
    world.inject(0, stay, left);
    assert_eq!(world.names(0), ["Bea"]);
}

fn told(world: &World, index: usize, what: impl Fn(&Notice) -> bool) -> bool {
    world.nodes[index].told.iter().any(what)
}

fn put_out(notice: &Notice) -> bool {
    matches!(notice, Notice::PutOut(_))
}

fn taken_out(notice: &Notice) -> bool {
    matches!(notice, Notice::TakenOut(_))
}

#[test]
fn who_answers_stays() {
    let (mut world, _) = three();
    lie(&mut world);
    world.seconds(80);
    assert_eq!(world.names(0), ["Ada", "Bea"], "she was asked where she is");
    lie(&mut world);
    world.seconds(200);
    for index in 0..3 {
        assert!(!told(&world, index, put_out), "{index}");
        assert!(!told(&world, index, taken_out), "{index}");
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn who_is_heard_is_there() {
    let (mut world, _) = three();
    lie(&mut world);
    for text in ["still here", "and here"] {
        world.command(1, Command::Say(text.into()));
        world.seconds(16);
    }
    assert_eq!(read(&world, 0), ["still here", "and here"]);
    world.command(1, Command::Say("as before".into()));
    world.seconds(1);
    assert_eq!(world.names(0), ["Ada", "Bea"]);
    all_is_well(&mut world, &[0, 1, 2]);
}

/// It keeps from the host what she says, too: then she is out of reach. She is not told that she was put
/// out, nor are the others, and she comes back by herself, whoever else has to wait.
#[test]
fn who_is_out_of_reach_comes_back() {
    let (mut world, _) = three();
    world.command(0, Command::AdmitAll(false));
    world.command(0, Command::Lock(true));
    lie(&mut world);
    let ada = world.main_id(1);
    world.passes = Box::new(move |to, _, parcel| {
        let from_her = |parcel: &Parcel| matches!(parcel, Parcel::Control(FromRelay::Message { from, .. }) if *from == ada);
        to != 0 || !from_her(parcel)
    });
    world.seconds(80);
    assert_eq!(world.roster(2).len(), 3, "she is waited for");
    world.seconds(40);
    for index in 0..3 {
        assert!(!told(&world, index, put_out), "{index}");
    }
    assert!(told(&world, 2, taken_out), "Bea is told why");
    let knocks = |notice: &Notice| matches!(notice, Notice::Knocking { .. });
    assert!(!told(&world, 0, knocks), "nobody is asked to let her in");
    all_is_well(&mut world, &[0, 1, 2]);
}

/// Not for ever: the host may not want her there any more, and cannot remove who is not there.
#[test]
fn who_is_out_of_reach_for_long_is_asked_about() {
    for (seconds, asked) in [(500, false), (800, true)] {
        let (mut world, _) = three();
        world.command(0, Command::AdmitAll(false));
        world.command(0, Command::Lock(true));
        world.side(1, 1);
        world.seconds(seconds);
        assert_eq!(world.roster(2).len(), 2, "she was taken out");
        world.side(1, 0);
        world.seconds(40);
        assert_eq!(!knocks(&world, 0).is_empty(), asked, "after {seconds} s");
        assert_eq!(
            world.roster(0).contains(&"Ada".into()),
            !asked,
            "after {seconds} s"
        );
    }
}
