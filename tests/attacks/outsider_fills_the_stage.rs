//! Somebody who has nothing but a vigil's link comes onto its stage as more people than anybody looks at,
//! and says nothing: so that whoever speaks is looked at by nobody.

use std::time::Duration;

use sottovoce::wire::{FromRelay, ParticipantId};

use crate::own::{derive, room};
use crate::scene::{SOUND, frame, three_of, vigil};
use crate::watching::{MESSAGES, Watching};

/// More than are looked at at a time.
const CROWD: usize = 1500;

#[test]
fn whoever_speaks_is_found_among_them() {
    let meet = vigil();
    let secret = derive(&meet.way_back(), "viewer", &[]);
    let stage = room(&secret);
    let (mut world, meet) = three_of(meet, false);
    let crowd: Vec<ParticipantId> = (0..CROWD)
        .map(|_| {
            let tap = world.tap(stage);
            world.taps[tap].id
        })
        .collect();

    // Those who speak are named last: nobody was there before who comes now.
    let mut viewer = Watching::enter(&mut world, &meet.guest, stage, crowd);
    assert!(viewer.messages <= MESSAGES.0);
    let seen = viewer.until_it_sees(&mut world, &["Ada", "Bea", "Host"], 60);
    assert!(seen.is_some(), "{:?} is all it sees", viewer.people);

    // Who comes onto the stage now is found by who watches and by who speaks.
    let cem = world.join(&meet.guest, "Cem");
    let at = world.stay(cem, stage).expect("on the stage");
    let participant = world.id((cem, at));
    viewer.hear(&world, FromRelay::Joined { participant });
    let seen = viewer.until_it_sees(&mut world, &["Ada", "Bea", "Cem", "Host"], 60);
    assert!(seen.is_some(), "{:?} is all it sees", viewer.people);
    // The relay of these tests gives nobody what went before: the speakers need Cem's next papers.
    for _ in 0..15 {
        viewer.second(&mut world);
    }
    for number in 0..50 {
        world.send(cem, frame(SOUND, number));
        world.send(1, frame(SOUND, number));
        world.run(Duration::from_millis(20));
    }
    viewer.second(&mut world);
    viewer.second(&mut world);
    for name in ["Ada", "Cem"] {
        let who = viewer.people.iter().find(|(_, one)| *one == name);
        let heard = &viewer.heard[who.expect("seen").0];
        assert_eq!(*heard, (0..50).collect::<Vec<u64>>(), "{name}");
    }
    for listener in [0, 1, 2] {
        let heard = world.got(listener, "Cem", SOUND);
        assert_eq!(heard.len(), 50, "{listener} hears who came last");
    }
    // They stay found: nobody gives up who has said who it is.
    for _ in 0..30 {
        viewer.second(&mut world);
        assert_eq!(viewer.people.len(), 4);
    }
    assert!(world.got(0, "Ada", SOUND).len() == 50);
}
