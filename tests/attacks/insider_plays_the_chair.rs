//! A member says what only the chair may: go to another room, go where I say, be quiet, it is over.

use std::time::Duration;

use sottovoce::meeting::chair::Claim;
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::{LeafName, run_of};
use sottovoce::meeting::{Notice, Rejection};
use sottovoce::wire::To;

use crate::own::{Plain, Said, Told, derive};
use crate::rogue::{Rogue, Wanting, insider};
use crate::scene::{Meet, all_is_well, refused, three};
use crate::world::World;

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
    mallory.say(&mut world, &Said::End);
    let after = [0, 1, 2].map(|one| refused(&world, one, Rejection::NotAllowed));
    assert_eq!(after, refusals.map(|count| count + 5));
    assert_eq!(rooms(&world), before, "nobody goes anywhere");
    for index in 0..3 {
        assert!(!world.nodes[index].told.contains(&Notice::AskedToBeQuiet));
        assert_eq!(world.nodes[index].over, None);
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

/// The first co-host with a client of its own, its committer's key, and its process.
pub fn co_host(world: &mut World, meet: &Meet) -> (Rogue, SigningKey, [u8; 16]) {
    let committer = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    let leaf = SigningKey::from_seed(&[0x33; 32]);
    let bundle = meet.guest.meeting().bundle.0;
    let proven = [
        b"sottovoce committer's leaf",
        &bundle[..],
        &[1],
        &leaf.public(),
    ];
    let mut proof = [[0; 32]; 2];
    proof
        .as_flattened_mut()
        .copy_from_slice(&committer.sign(&proven.concat()));
    let run = run_of(&leaf.public());
    let mut name = LeafName::committer("Mallory", run, 1);
    name.proof = Some(proof);
    let room = derive(&meet.way_back(), "committers' room", &[]);
    let wanting = Wanting::with_key(name, leaf, 0x33);
    let admission = wanting.knock(world, &meet.co_hosts[0], room, None, 10);
    let Ok(admission) = admission else {
        panic!("admitted like any co-host");
    };
    let mut mallory = wanting.enter(world, admission);
    world.seconds(2);
    mallory.follow(world);
    (mallory, committer, run)
}

/// That one, which nobody of a lower rank keeps from the chair: the host's process has ended.
fn in_the_chair(world: &mut World, meet: &Meet) -> Rogue {
    let (mut mallory, committer, run) = co_host(world, meet);
    world.kill(0);
    world.seconds(21);
    let claim = Claim {
        run,
        rank: 1,
        seq: 0,
        count: 1,
        epoch: mallory.epoch(),
        tag: [0; 32],
        roster: [0; 32],
        locked: false,
        before: [0; 32],
        removed: 0,
    };
    let beat = claim.sign(|bytes| committer.sign(bytes));
    let beat = Plain::Beat(beat);
    mallory.line.post(world, To::Everyone, &beat);
    mallory
}

#[test]
fn a_co_host_in_the_chair_who_sends_everyone_to_and_fro_fills_nobodys_memory() {
    let (mut world, meet) = three();
    let mut mallory = in_the_chair(&mut world, &meet);
    let mut most = 0;
    for number in 0..1000_u32 {
        let mut main = [9; 32];
        main[..4].copy_from_slice(&number.to_be_bytes());
        let said = match number % 2 {
            0 => Said::Merge { main },
            _ => Said::At {
                main,
                link: [7; 32],
            },
        };
        // In the room in which they were: each of them hears it there as long as it stays.
        mallory.say(&mut world, &said);
        if number % 10 == 0 {
            world.run(Duration::from_millis(20));
        }
        let rooms = |one: usize| world.nodes[one].connections.len();
        most = most.max(rooms(1)).max(rooms(2));
    }
    println!("at most {most} rooms");
    assert!(
        (4..=10).contains(&most),
        "{most}: it was heard, and not for long"
    );
    world.seconds(2);
    all_is_well(&mut world, &[1, 2]);
    // Once nothing is heard of it, the host's next process takes them in.
    let host = world.join(&meet.host, "Host");
    world.seconds(150);
    all_is_well(&mut world, &[1, 2, host]);
}
