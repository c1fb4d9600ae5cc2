//! The relay leads people to a room as it was before: after a removal to the room that was left, and a
//! newcomer to a meeting that is over.

use sottovoce::meeting::Command;
use sottovoce::wire::FromRelay;

use crate::own::room;
use crate::scene::{SOUND, all_is_well, frame, meet, nobody_is_there, three};
use crate::world::{Parcel, Said, World};

#[test]
fn what_was_said_in_the_room_that_was_left_is_nothing_in_the_new_one() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    world.send(1, frame(SOUND, 0));
    let old = world.main_room(2);
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    world.seconds(8);
    assert!(world.nodes[cem].over.is_some());
    let new = world.main_room(2);
    assert!(old != new, "everyone moved");
    let said: Vec<Said> = world
        .said
        .iter()
        .filter(|said| said.room == old)
        .cloned()
        .collect();
    let stay = world.main(2);
    let before = world.nodes[2].rejected.len();
    let ids: Vec<_> = [0, 1].map(|index| world.main_id(index)).to_vec();
    let mut played = 0;
    for said in &said {
        for from in ids.iter().chain([&said.from]) {
            world.inject_message(2, stay, *from, &said.body);
            played += 1;
        }
    }
    assert!(
        world.nodes[2].rejected.len() - before >= played,
        "nothing opens"
    );
    assert!(!world.roster(2).contains(&"Cem".to_owned()));
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn who_connects_anew_and_is_served_the_old_room_comes_to_no_harm() {
    let (mut world, meet) = three();
    world.join(&meet.guest, "Cem");
    world.seconds(3);
    let old = world.main_room(2);
    // Bea loses her connections, and the removal happens meanwhile.
    world.side(2, 1);
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    world.seconds(8);
    let said: Vec<Said> = world
        .said
        .iter()
        .filter(|said| said.room == old)
        .cloned()
        .collect();
    // She is still on the other side, where the relay plays the old room to her.
    let stay = world.main(2);
    let mut froms: Vec<_> = said.iter().map(|said| said.from).collect();
    froms.dedup();
    for participant in froms {
        world.inject(2, stay, Parcel::Control(FromRelay::Joined { participant }));
    }
    for said in said.iter().filter(|said| said.by != 2) {
        world.inject_message(2, stay, said.from, &said.body);
    }
    world.send(1, frame(SOUND, 0));
    world.side(2, 0);
    world.seconds(30);
    let tree = world.roster(2);
    assert!(!tree.contains(&"Cem".to_owned()), "{tree:?}");
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn a_meeting_that_is_over_lets_nobody_in() {
    let meet = meet(0);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    let lobby = room(&meet.link_secret());
    world.seconds(3);
    assert!(world.nodes[ada].inside);
    world.kill(ada);
    world.kill(0);
    let old: Vec<Said> = world
        .said
        .iter()
        .filter(|said| said.room == lobby)
        .cloned()
        .collect();
    let bea = world.join(&meet.guest, "Bea");
    let stay = world.stay(bea, lobby).unwrap();
    for said in &old {
        let participant = said.from;
        world.inject(
            bea,
            stay,
            Parcel::Control(FromRelay::Joined { participant }),
        );
        world.inject_message(bea, stay, said.from, &said.body);
    }
    world.seconds(10);
    assert!(!world.nodes[bea].inside);
    assert!(nobody_is_there(&world, bea));
}
