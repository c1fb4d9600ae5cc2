//! Somebody was removed and keeps everything it had: the group's old secrets, the old room, whatever the
//! relay gives it.

use sottovoce::meeting::media::Opened;
use sottovoce::meeting::{Command, Ending};
use sottovoce::wire::GroupNumber;

use crate::own::{Said, open, room};
use crate::rogue::insider;
use crate::scene::{PICTURE, SOUND, all_is_well, frame, three};

#[test]
fn nothing_that_is_sent_after_opens_for_it() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    mallory.introduce(&mut world);
    let ada = world.main_id(1);
    let here = mallory
        .follow(&mut world)
        .into_iter()
        .find_map(|(from, said)| match said {
            Said::Here { salt, .. } if from == ada => Some(salt),
            _ => None,
        });
    let mut keys = mallory.opens(&world, "Ada", here.expect("Ada's salt"));
    world.send(1, frame(SOUND, 0));
    let before = world.shots.last().cloned().expect("a frame");
    let opened = keys.open(world.now, SOUND, GroupNumber(0), &before.bytes);
    assert!(
        matches!(opened, Ok(Opened::Frame(_))),
        "it is a member still"
    );

    let who = world.who(0, "Mallory");
    let (shots, said) = (world.shots.len(), world.said.len());
    world.command(0, Command::Remove(who));
    let (old_room, old_main) = (mallory.line.tap, mallory.line.secret);
    for number in 1..100 {
        world.send(1, frame(SOUND, number));
        world.send(1, frame(PICTURE, number));
        world.run(std::time::Duration::from_millis(20));
    }
    world.command(1, Command::Say("without Mallory".into()));
    world.seconds(2);
    assert!(world.shots.len() > shots + 190);
    for shot in &world.shots[shots..] {
        let group = shot.group.unwrap_or(GroupNumber(0));
        let opened = keys.open(world.now, shot.track, group, &shot.bytes);
        assert!(!matches!(opened, Ok(Opened::Frame(_))));
    }
    // Of the messages only the commit that removes it opens, and what it says is not for it.
    world.taps[old_room].inbox.clear();
    let mut readable = 0;
    for said in &world.said[said..] {
        if let Some(crate::own::Plain::Mls(bytes)) = open(&old_main, said.from, &said.body) {
            readable += usize::from(mallory.process(&bytes).is_some());
        }
    }
    assert_eq!(readable, 0, "nothing that anybody said");
    // The next rooms derive from what it does not have.
    if mallory.group.is_active() {
        let guess = mallory.export("sottovoce main", &[]);
        assert!(room(&guess) != world.main_room(1));
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn an_honest_client_is_told_that_it_is_over_and_nothing_else() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    let who = world.who(0, "Cem");
    let before = world.nodes[cem].told.len();
    world.command(0, Command::Remove(who));
    world.seconds(5);
    assert_eq!(world.nodes[cem].over, Some(Ending::Removed));
    assert_eq!(world.nodes[cem].told.len(), before);
    assert!(world.nodes[cem].connections.is_empty());
    all_is_well(&mut world, &[0, 1, 2]);
}
