//! The relay plays again what it carried before: a commit, a knock, a welcome, chat, frames. It does so
//! at once, later, and after it said that their sender left and came back under the same id.

use sottovoce::meeting::{Command, Ending, Rejection};
use sottovoce::wire::ParticipantId;

use crate::own::room;
use crate::scene::{PICTURE, SOUND, all_is_well, frame, knocks, meet, read, refused, three};
use crate::world::{Parcel, Said, World};

/// Plays to Bea what `by` said in the main room, all over again; how often it was refused.
fn play(world: &mut World, by: usize, as_whom: ParticipantId) -> (usize, u64) {
    let (room, stay) = (world.main_room(2), world.main(2));
    let of = |said: &&Said| said.by == by && said.room == room;
    let old: Vec<Said> = world.said.iter().filter(of).cloned().collect();
    let before = world.nodes[2].rejected.len();
    for said in &old {
        world.inject_message(2, stay, as_whom, &said.body);
    }
    let refused = world.nodes[2].rejected.len() - before;
    (old.len(), refused as u64)
}

#[test]
fn old_commits_and_beats() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(12);
    let host = world.main_id(0);
    let tree = world.roster(2);
    let (played, refused) = play(&mut world, 0, host);
    assert!(played > 3);
    assert_eq!(refused, played as u64, "each is refused");
    let stay = world.main(2);
    world.forge_return(2, stay, host);
    let (played, refused) = play(&mut world, 0, host);
    assert_eq!(
        refused, played as u64,
        "nor under an id that was given anew"
    );
    let (played, refused) = play(&mut world, 0, ParticipantId(9999));
    assert_eq!(refused, played as u64, "nor under another one");
    assert_eq!(world.roster(2), tree);
    // Kept from the host since its return was forged, Bea comes back by connecting anew.
    world.side(2, 0);
    world.seconds(10);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

#[test]
fn old_commits_after_connecting_anew() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    // A connection has no memory of the one before: the group has.
    let host = world.main_id(0);
    world.passes = Box::new(|to, _, parcel| {
        use sottovoce::wire::FromRelay;
        to != 2 || !matches!(parcel, Parcel::Control(FromRelay::Message { .. }))
    });
    world.side(2, 0);
    let tree = world.roster(2);
    let before = refused(&world, 2, Rejection::OldEpoch) + refused(&world, 2, Rejection::Replay);
    play(&mut world, 0, host);
    let after = refused(&world, 2, Rejection::OldEpoch) + refused(&world, 2, Rejection::Replay);
    assert!(after > before, "the envelope opens, and the group refuses");
    assert_eq!(world.roster(2), tree);
    world.passes = Box::new(|_, _, _| true);
    world.side(2, 0);
    world.seconds(10);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

#[test]
fn an_old_knock() {
    let meet = meet(0);
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(1);
    let lobby = room(&meet.link_secret());
    let (at_host, at_ada) = (
        world.stay(0, lobby).unwrap(),
        world.stay(ada, lobby).unwrap(),
    );
    let id = world.id((ada, at_ada));
    let first = knocks(&world, 0);
    world.command(0, Command::Deny(first[0].0));
    world.seconds(1);
    assert_eq!(world.nodes[ada].over, Some(Ending::Denied));
    let of = |said: &&Said| said.by == ada;
    let old: Vec<Said> = world.said.iter().filter(of).cloned().collect();
    for id in [id, ParticipantId(9999)] {
        world.forge_return(0, at_host, id);
        for said in &old {
            world.inject_message(0, at_host, id, &said.body);
        }
    }
    world.command(0, Command::AdmitAll(true));
    world.seconds(5);
    assert!(knocks(&world, 0) == first, "nobody knocks");
    assert_eq!(world.roster(0), ["Host"]);
}

#[test]
fn an_old_welcome() {
    let meet = meet(0);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    let lobby = room(&meet.link_secret());
    world.seconds(2);
    assert!(world.nodes[ada].inside);
    let asked = world
        .said
        .iter()
        .find(|said| said.by == ada && said.room == lobby);
    let id = asked.expect("it knocked").from;
    world.kill(ada);
    let old: Vec<Said> = world
        .said
        .iter()
        .filter(|said| said.by == 0)
        .cloned()
        .collect();
    // The next one gets Ada's id, and hears only what the host said to Ada.
    world.reuse = Some(id);
    world.passes = Box::new(|to, _, parcel| {
        use sottovoce::wire::FromRelay;
        to != 2 || !matches!(parcel, Parcel::Control(FromRelay::Message { .. }))
    });
    let bea = world.join(&meet.guest, "Bea");
    assert_eq!(bea, 2);
    let at_bea = world.stay(bea, lobby).unwrap();
    for said in &old {
        if said.room == lobby {
            world.inject_message(bea, at_bea, said.from, &said.body);
        }
    }
    world.seconds(3);
    assert!(!world.nodes[bea].inside);
    world.passes = Box::new(|_, _, _| true);
    world.seconds(20);
    assert!(world.nodes[bea].inside, "and the true one is good");
}

#[test]
fn old_chat() {
    let (mut world, meet) = three();
    let before = world.said.len();
    world.command(1, Command::Say("only once".into()));
    let said = world.said[before].clone();
    let stay = world.main(2);
    let ada = said.from;
    world.inject_message(2, stay, ada, &said.body);
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    world.inject_message(2, stay, ada, &said.body);
    world.forge_return(2, stay, ada);
    world.inject_message(2, stay, ada, &said.body);
    world.side(2, 0);
    let stay = world.main(2);
    world.inject_message(2, stay, ada, &said.body);
    assert_eq!(read(&world, 2), ["only once"]);
    assert!(world.nodes[cem].inside);
    assert!(read(&world, cem).is_empty());
}

#[test]
fn old_frames() {
    let (mut world, meet) = three();
    for number in 0..5 {
        world.send(1, frame(SOUND, number));
        world.send(1, frame(PICTURE, number));
    }
    let shots = world.shots.clone();
    assert_eq!(shots.len(), 10);
    let again = |world: &mut World| {
        let stay = world.main(2);
        for shot in &shots {
            let bytes = shot.bytes.clone();
            let parcel = match shot.group {
                Some(group) => Parcel::GroupFrame(shot.from, shot.track, group, bytes),
                None => Parcel::Datagram(shot.from, shot.track, bytes),
            };
            world.inject(2, stay, parcel);
        }
    };
    let before = refused(&world, 2, Rejection::Replay);
    again(&mut world);
    assert_eq!(refused(&world, 2, Rejection::Replay), before + 10);
    // Bea connects anew, and Ada is where she was.
    world.side(2, 0);
    world.seconds(2);
    again(&mut world);
    assert_eq!(refused(&world, 2, Rejection::Replay), before + 20);
    // An epoch later, and once its keys are gone.
    world.join(&meet.guest, "Cem");
    world.seconds(1);
    again(&mut world);
    world.seconds(5);
    again(&mut world);
    world.seconds(5);
    for track in [SOUND, PICTURE] {
        assert_eq!(world.got(2, "Ada", track), [0, 1, 2, 3, 4], "each once");
    }
}
