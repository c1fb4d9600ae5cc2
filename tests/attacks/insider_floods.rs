//! A member floods the others: with handshakes, with what comes too early, with questions that each of
//! them answers.

use std::time::Duration;

use sottovoce::meeting::{Command, Freshness, Notice, Rejection, Standing};
use sottovoce::wire::To;

use crate::own::{Plain, Said};
use crate::rogue::{Line, Rogue, insider};
use crate::scene::{Meet, all_is_well, presence, read, refused, three};
use crate::world::World;

/// The meeting goes on: people come in, and everyone hears everyone.
fn goes_on(mut world: World, meet: &Meet) {
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(6);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

fn flooded() -> (World, Meet, Rogue) {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    (world, meet, mallory)
}

#[test]
fn with_handshakes() {
    let (mut world, meet, mut mallory) = flooded();
    for round in 0..40 {
        let (provider, key) = (&mallory.provider, &mallory.key);
        let committed = mallory.group.self_update(provider, key, Default::default());
        let commit = committed
            .expect("a commit")
            .commit()
            .to_bytes()
            .expect("bytes");
        let store = openmls::prelude::OpenMlsProvider::storage(&mallory.provider);
        mallory.group.clear_pending_commit(store).expect("cleared");
        mallory.post(&mut world, commit.clone());
        // And what no longer opens.
        let mut broken = commit;
        let last = broken.len() - 1 - round;
        broken[last] ^= 1;
        for _ in 0..20 {
            mallory.post(&mut world, broken.clone());
        }
    }
    goes_on(world, &meet);
}

#[test]
fn with_what_comes_too_early() {
    let (mut world, meet, mut mallory) = flooded();
    // It commits by itself and talks on there: for the others that is yet to come.
    let (provider, key) = (&mallory.provider, &mallory.key);
    let committed = mallory.group.self_update(provider, key, Default::default());
    assert!(committed.is_ok());
    mallory
        .group
        .merge_pending_commit(&mallory.provider)
        .expect("merged");
    for number in 0..1000 {
        let text = "x".repeat(3000);
        mallory.say(&mut world, &Said::Chat { number, text });
    }
    goes_on(world, &meet);
}

/// It says that it is thousands of messages ahead, with what opens under none of their keys: whoever
/// believes that derives them all, each time anew.
#[test]
fn with_what_is_far_ahead() {
    let (mut world, meet, mut mallory) = flooded();
    let chat = |number| Said::Chat {
        number,
        text: "x".into(),
    };
    for number in 0..4000 {
        mallory.sealed(&chat(number));
    }
    let mut spoilt = mallory.sealed(&chat(4000));
    *spoilt.last_mut().expect("bytes") ^= 1;
    let looked = |world: &World| refused(world, 0, Rejection::NotAuthentic);
    let before = looked(&world);
    for _ in 0..50 {
        mallory.post(&mut world, spoilt.clone());
    }
    assert!(looked(&world) - before <= 1, "it is believed once");
    // What the others say is heard meanwhile.
    world.command(1, Command::Say("Ada is heard".into()));
    assert_eq!(read(&world, 0), ["Ada is heard"]);
    // Whoever comes by another connection each time is not believed much longer.
    let room = mallory.line.secret;
    for _ in 0..50 {
        let mut line = Line::new(&mut world, room);
        line.post(&mut world, To::Everyone, &Plain::Mls(spoilt.clone()));
    }
    let looks = looked(&world) - before;
    assert!(looks <= 18, "{looks} times 4,000 keys");
    goes_on(world, &meet);
}

/// What all others said, in bytes, from here on.
fn answers(world: &World, from: usize) -> usize {
    let said = world.said.iter().skip(from);
    said.map(|said| said.body.len()).sum()
}

#[test]
fn with_questions_for_commits() {
    let (mut world, meet, mut mallory) = flooded();
    let before = world.said.len();
    for _ in 0..50 {
        for _ in 0..20 {
            let ask = Plain::Behind { epoch: 0 };
            mallory.line.post(&mut world, To::Everyone, &ask);
        }
        world.run(Duration::from_millis(100));
    }
    let sent = answers(&world, before);
    assert!(sent < 400_000, "the host said {sent} bytes");
    goes_on(world, &meet);
}

/// The chair keeps as many commits as it ever does, and each of them is asked for by as many connections
/// as are answered: beats still come in time.
#[test]
fn with_questions_for_many_commits() {
    let (mut world, meet, mallory) = flooded();
    for _ in 0..36 {
        world.join(&meet.guest, &"long name ".repeat(29));
        world.seconds(1);
    }
    let room = mallory.line.secret;
    let mut lines: Vec<Line> = (0..8).map(|_| Line::new(&mut world, room)).collect();
    for _ in 0..40 {
        for line in &mut lines {
            line.post(&mut world, To::Everyone, &Plain::Behind { epoch: 0 });
        }
        world.run(Duration::from_millis(1010));
    }
    let late = Notice::Chair(Freshness::Stale);
    assert!(!world.nodes[1].told.contains(&late), "the host is heard");
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn with_questions_who_is_there() {
    let (mut world, meet, mut mallory) = flooded();
    let before = world.said.len();
    for _ in 0..50 {
        for _ in 0..20 {
            let here = Said::Here {
                presence: presence("Mallory"),
                standing: Standing::default(),
                salt: mallory.salt,
                me: mallory.line.id(&world),
                signs: false,
                asks: true,
            };
            mallory.say(&mut world, &here);
        }
        world.run(Duration::from_millis(100));
    }
    let sent = answers(&world, before);
    assert!(sent < 400_000, "the others said {sent} bytes");
    goes_on(world, &meet);
}

/// Each of them changes how she stands: the others are told once a second.
#[test]
fn with_raised_hands() {
    let (mut world, meet, mut mallory) = flooded();
    let told = |world: &World| {
        let told = world.nodes[1].told.iter();
        told.filter(|one| matches!(one, Notice::Standing { .. }))
            .count()
    };
    let (before, began) = (told(&world), world.now);
    for turn in 0..1000 {
        let standing = Standing {
            hand: turn % 2 == 0,
            ..Standing::default()
        };
        let here = Said::Here {
            presence: presence("Mallory"),
            standing,
            salt: mallory.salt,
            me: mallory.line.id(&world),
            signs: false,
            asks: false,
        };
        mallory.say(&mut world, &here);
        world.run(Duration::from_millis(10));
    }
    let told = told(&world) - before;
    let seconds = (world.now - began).as_secs() as usize;
    assert!((1..=seconds + 1).contains(&told), "{told} in {seconds} s");
    goes_on(world, &meet);
}
