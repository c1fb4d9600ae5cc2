//! A member seals frames as another member does: it has every symmetric key that this takes. The relay
//! passes them off as that one's.

use sottovoce::meeting::media::Report;
use sottovoce::meeting::{Frame, Notice};

use crate::own::{Said, open};
use crate::rogue::{Rogue, insider};
use crate::scene::{AUDIO, SOUND, frame, meet, three_of};
use crate::world::{Parcel, World};

/// A meeting with Mallory in it, and Ada's media salt, as it told all members.
fn with_mallory(signs: bool) -> (World, Rogue, [u8; 16]) {
    let meet = meet(0);
    let secret = meet.link_secret();
    let guest = meet.guest.clone();
    let (mut world, _) = three_of(meet, signs);
    let mut mallory = insider(&mut world, &guest, secret, "Mallory");
    mallory.introduce(&mut world);
    let ada = world.main_id(1);
    let here = mallory
        .follow(&mut world)
        .into_iter()
        .find_map(|(from, said)| match said {
            Said::Here { salt, .. } if from == ada => Some(salt),
            _ => None,
        });
    (world, mallory, here.expect("Ada said where it is"))
}

fn forged(number: u64) -> Frame {
    Frame {
        payload: b"what Ada never said".to_vec().into(),
        ..frame(SOUND, number)
    }
}

/// How many forged frames Bea took as Ada's.
fn taken(world: &World) -> usize {
    let who = world.who(2, "Ada");
    let as_adas = |(from, frame): &&(_, Frame)| *from == who && frame.payload[..4] == *b"what";
    world.nodes[2].frames.iter().filter(as_adas).count()
}

#[test]
fn it_is_caught_where_media_is_signed() {
    let (mut world, mallory, salt) = with_mallory(true);
    let mut keys = mallory.keys_of("Ada", salt);
    let (stay, ada) = (world.main(2), world.main_id(1));
    let mut late = 0;
    for number in 0..200 {
        world.run(std::time::Duration::from_millis(20));
        let before = taken(&world);
        let sealed = keys.seal(world.now, &forged(number), AUDIO).expect("seals");
        world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
        // After a second and a half without a signature Ada's track is dropped, and stays so.
        if number > 80 {
            late += taken(&world) - before;
        }
    }
    assert_eq!(late, 0, "no forged frame is taken any more");
    assert_eq!(taken(&world), 0, "nor was one: Ada has signed nothing yet");
    let who = world.who(2, "Ada");
    let told = world.nodes[2].told.iter();
    let reports = told.filter(|notice| {
        matches!(notice, Notice::Signatures { who: of, report: Report::Unsigned { .. } } if *of == who)
    });
    assert!(reports.count() >= 1, "and it is shown");
}

/// Ada talks and signs all the time. Forged frames come in bursts, with counters that Ada comes to much
/// later, so that none of hers is in their way.
#[test]
fn beside_ada_who_talks_it_is_seen_once_for_as_long_as_signing_may_take() {
    let (mut world, mut mallory, salt) = with_mallory(true);
    let mut spoken = 0;
    let mut first = None;
    let mut last = world.now;
    let newcomer = 30;
    for second in 0..newcomer + 15 {
        // With somebody who comes counters begin anew, and what was forged before is never signed.
        if second == newcomer {
            let link = meet(0).guest;
            world.join_as(&link, "Carl", true, true);
            world.seconds(3);
        }
        mallory.follow(&mut world);
        let mut keys = mallory.keys_of("Ada", salt);
        let ahead = (second % newcomer) * 50 + 600;
        for number in 0..ahead {
            keys.seal(world.now, &forged(number), AUDIO).expect("seals");
        }
        for number in 0..50 {
            world.send(1, frame(SOUND, spoken));
            spoken += 1;
            // Two seconds of five.
            if second > 1 && second % 5 < 2 {
                let (stay, ada) = (world.main(2), world.main_id(1));
                let before = taken(&world);
                let forged = forged(ahead + number);
                let sealed = keys.seal(world.now, &forged, AUDIO).expect("seals");
                world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
                if taken(&world) > before {
                    first.get_or_insert(world.now);
                    last = world.now;
                }
            }
            world.run(std::time::Duration::from_millis(20));
        }
    }
    let first = first.expect("its keys are the right ones");
    assert!(last - first <= std::time::Duration::from_millis(1500));
    let who = world.who(2, "Ada");
    let told = |of: fn(&Report) -> bool| {
        let mut told = world.nodes[2].told.iter();
        told.position(|notice| {
            matches!(notice, Notice::Signatures { who: one, report } if *one == who && of(report))
        })
    };
    let forged = told(|report| matches!(report, Report::Forged { .. }));
    let forged = forged.expect("told once Ada has come to one of those places");
    let unsigned = told(|report| matches!(report, Report::Unsigned { .. }));
    assert!(unsigned.is_some_and(|unsigned| unsigned < forged));
    let signed = told(|report| matches!(report, Report::Signed { .. }));
    assert!(signed.is_none_or(|signed| signed > forged), "taken back");
    world.seconds(1);
    let heard = world.got(2, "Ada", SOUND);
    let own = heard.iter().filter(|number| **number < spoken).count() as u64;
    assert!(own + 150 > spoken, "Ada is heard: {own} of {spoken}");
}

#[test]
fn it_is_shown_that_one_was_forged_beside_true_ones() {
    let (mut world, mallory, salt) = with_mallory(true);
    let mut keys = mallory.keys_of("Ada", salt);
    let (stay, ada) = (world.main(2), world.main_id(1));
    // The relay delivers the forged one in place of the true one with the same counter.
    let sealed = keys.seal(world.now, &forged(0), AUDIO).expect("seals");
    world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
    for number in 0..50 {
        world.send(1, frame(SOUND, number));
        world.run(std::time::Duration::from_millis(20));
    }
    let who = world.who(2, "Ada");
    let told = &world.nodes[2].told;
    let report = Report::Forged {
        track: SOUND,
        frames: 1,
    };
    assert!(told.contains(&Notice::Signatures { who, report }));
    let forged_later = keys.seal(world.now, &forged(1), AUDIO).expect("seals");
    let before = taken(&world);
    world.inject(
        2,
        stay,
        Parcel::Datagram(ada, SOUND, forged_later[0].clone()),
    );
    assert_eq!(taken(&world), before);
}

/// What `docs` promise for a meeting without signatures is that only members can do this.
#[test]
fn without_signatures_members_can_and_nobody_else() {
    let (mut world, mallory, salt) = with_mallory(false);
    let (stay, ada) = (world.main(2), world.main_id(1));
    let mut outside = sottovoce::meeting::media::SenderKeys::new(salt);
    outside.epoch(mallory.epoch(), &[0; 32], mallory.leaf("Ada"));
    let sealed = outside.seal(world.now, &forged(0), AUDIO).expect("seals");
    world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
    world.seconds(3);
    assert_eq!(
        taken(&world),
        0,
        "without the group's secret it does not open"
    );
    let mut keys = mallory.keys_of("Ada", salt);
    let sealed = keys.seal(world.now, &forged(1), AUDIO).expect("seals");
    world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
    assert_eq!(taken(&world), 1, "this is what signatures are for");
}

#[test]
fn what_it_says_inside_the_group_is_its_own_whoever_the_relay_says_it_is() {
    let (mut world, mut mallory, _) = with_mallory(false);
    let said = Said::Chat {
        number: 1,
        text: "I am Ada".into(),
    };
    mallory.say(&mut world, &said);
    let who = world.who(2, "Mallory");
    let text = "I am Ada".into();
    assert!(world.nodes[2].told.contains(&Notice::Chat { who, text }));
    // Everything in the main room is readable to it, and none of it can be said again as Ada.
    let secret = mallory.line.secret;
    let readable = world.said.iter().filter(|said| said.by == 1);
    assert!(
        readable
            .filter(|said| open(&secret, said.from, &said.body).is_some())
            .count()
            > 0
    );
}
