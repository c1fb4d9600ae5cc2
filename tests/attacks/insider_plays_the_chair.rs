//! A member says what only the chair may: go to another room, go where I say, be quiet.

use sottovoce::meeting::{Notice, Rejection};
use sottovoce::wire::To;

use crate::own::{Plain, Said, Told};
use crate::rogue::insider;
use crate::scene::{all_is_well, refused, three};

#[test]
fn nobody_moves_and_nobody_is_asked_to_be_quiet() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let rooms =
        |world: &crate::world::World| [0, 1, 2].map(|one| world.nodes[one].connections.len());
    world.seconds(5);
    let before = rooms(&world);
    let refusals = [0, 1, 2].map(|one| refused(&world, one, Rejection::NotAllowed));
    mallory.say(&mut world, &Said::Move);
    mallory.say(&mut world, &Said::Merge { main: [1; 32] });
    mallory.say(
        &mut world,
        &Said::At {
            main: [1; 32],
            link: [1; 32],
        },
    );
    mallory.say(&mut world, &Said::AskQuiet);
    let after = [0, 1, 2].map(|one| refused(&world, one, Rejection::NotAllowed));
    assert_eq!(after, refusals.map(|count| count + 4));
    assert_eq!(rooms(&world), before, "nobody goes anywhere");
    for index in 0..3 {
        assert!(!world.nodes[index].told.contains(&Notice::AskedToBeQuiet));
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn what_committers_tell_each_other_counts_for_nothing_in_the_main_room() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let here = Plain::Here {
        main: [1; 32],
        told: Told {
            outcasts: Default::default(),
            rank: 0,
            signature: [[0; 32]; 2],
            words: Vec::new(),
        },
    };
    let rooms = world.nodes[1].connections.len();
    mallory.line.post(&mut world, To::Everyone, &here);
    assert_eq!(world.nodes[1].connections.len(), rooms);
    all_is_well(&mut world, &[0, 1, 2]);
}
