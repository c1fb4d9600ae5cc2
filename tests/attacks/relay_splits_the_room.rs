//! The relay makes two rooms of one, and shows each half its own.

use sottovoce::meeting::{Command, Ending, Freshness, Notice};

use crate::scene::{SOUND, all_is_well, frame, meet, three};
use crate::world::World;

#[test]
fn the_half_without_a_committer_stops_and_knocks_anew() {
    let (mut world, _) = three();
    world.side(1, 1);
    world.side(2, 1);
    world.seconds(65);
    for index in [1, 2] {
        let told = &world.nodes[index].told;
        assert!(told.contains(&Notice::Chair(Freshness::Stale)));
        assert!(told.contains(&Notice::Chair(Freshness::Stopped)));
        let before = world.shots.len();
        world.send(index, frame(SOUND, 0));
        assert_eq!(world.shots.len(), before);
    }
    // By now the host has taken them out of its tree. They are not told that somebody removed them.
    world.seconds(35);
    assert_eq!(world.roster(0), ["Host"]);
    world.side(1, 0);
    world.side(2, 0);
    world.seconds(40);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn both_halves_remove_somebody_and_neither_comes_back_when_they_are_one_again() {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let co = world.join(&meet.co_hosts[0], "Cohost");
    let names = ["Ada", "Bea", "Cem", "Dan"];
    let [ada, bea, cem, dan] = names.map(|name| world.join(&meet.guest, name));
    world.seconds(6);
    for index in [co, ada, cem] {
        world.side(index, 1);
    }
    world.seconds(40);
    assert!(world.nodes[co].told.contains(&Notice::InTheChair(true)));
    // Each half removes one who is on its own side.
    let who = world.who(co, "Cem");
    world.command(co, Command::Remove(who));
    let who = world.who(0, "Dan");
    world.command(0, Command::Remove(who));
    world.seconds(5);
    for removed in [cem, dan] {
        assert_eq!(world.nodes[removed].over, Some(Ending::Removed));
    }
    for index in [co, ada] {
        world.side(index, 0);
    }
    world.seconds(60);
    all_is_well(&mut world, &[0, co, ada, bea]);
    let tree = world.roster(0);
    assert_eq!(tree.len(), 4, "{tree:?}");
}

#[test]
fn who_was_removed_on_the_other_side_cannot_stay_on_this_one() {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let co = world.join(&meet.co_hosts[0], "Cohost");
    let cem = world.join(&meet.guest, "Cem");
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(6);
    // Cem stays with the host; the co-host's half removes it there.
    world.side(co, 1);
    world.side(ada, 1);
    world.run(std::time::Duration::from_millis(500));
    let who = {
        world.seconds(21);
        world.nodes[co]
            .people
            .iter()
            .find(|(_, name)| *name == "Cem")
            .map(|(who, _)| *who)
    };
    // Not on the co-host's screen any more: by the tree alone.
    assert!(who.is_none());
    world.command(co, Command::Who);
    let listed = world.nodes[co]
        .told
        .iter()
        .rev()
        .find_map(|notice| match notice {
            Notice::Roster(listed) => listed.iter().find(|one| one.name == "Cem").cloned(),
            _ => None,
        });
    let who = listed.and_then(|one| one.who).expect("in the tree");
    world.command(co, Command::Remove(who));
    world.seconds(3);
    world.side(co, 0);
    world.side(ada, 0);
    world.seconds(60);
    assert_eq!(world.nodes[cem].over, Some(Ending::Removed));
    all_is_well(&mut world, &[0, co, ada]);
}
