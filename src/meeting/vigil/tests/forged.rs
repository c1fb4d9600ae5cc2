//! What a hostile relay, viewer or speaker makes a viewer believe: nothing.

use super::*;
use crate::meeting::Standing;
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::links::Links;

#[test]
fn a_viewer_cannot_speak_as_a_speaker() {
    let mut scene = Scene::new(0);
    scene.speak(ADA, 5);
    let (ada, _) = scene.place("Ada");
    let mut keys = scene.keys_of("Ada");
    for number in 0..100 {
        let sealed = keys.seal(scene.world.now, &forged(number), AUDIO).unwrap();
        scene.give(ada, None, SOUND, sealed[0].clone());
        scene.world.run(Duration::from_millis(20));
    }
    scene.world.seconds(3);
    assert_eq!(scene.shown(b"what"), 0, "not one frame, not for a moment");
    let who = scene.world.who(scene.viewer, "Ada");
    let told = scene.world.nodes[scene.viewer].told.iter();
    let reports = told.filter(|notice| {
        matches!(notice, Notice::Signatures { who: of, report: Report::Unsigned { .. } } if *of == who)
    });
    assert_eq!(reports.count(), 1, "and it is shown, once");
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    let got = scene.world.got(scene.viewer, "Ada", SOUND);
    assert_eq!(
        got,
        (0..55).collect::<Vec<_>>(),
        "the true ones are not hurt"
    );
}

/// The host, whom all other viewers see, signs what it sealed with Ada's keys.
#[test]
fn a_speaker_cannot_speak_as_another() {
    let mut scene = Scene::new(0);
    scene.speak(ADA, 5);
    let (ada, salt) = scene.place("Ada");
    let mut keys = scene.keys_of("Ada");
    keys.sign(true);
    let sealed = keys.seal(scene.world.now, &forged(0), AUDIO).unwrap();
    scene.give(ada, None, SOUND, sealed[0].clone());
    let own = SigningKey::from_seed(&[3; 32]);
    let later = scene.world.now + Duration::from_secs(1);
    for attest in keys.attest(later, |bytes| own.sign(bytes)) {
        scene.publish(ada, &Paper::Attest(attest));
    }
    scene.world.seconds(3);
    assert_eq!(scene.shown(b"what"), 0);
    // Nor take its place: a word for Ada's leaf that Ada did not sign.
    let (host, _) = scene.place("Host");
    let words = scene.papers().into_iter();
    let word = words.filter_map(|(from, paper)| match paper {
        Paper::Word(word) if from == ada => Some(word),
        _ => None,
    });
    let word: Vec<Box<Word>> = word.collect();
    scene.publish(host, &Paper::Word(word[0].clone()));
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.place("Ada").1, salt);
    assert_eq!(scene.world.got(scene.viewer, "Ada", SOUND).len(), 55);
}

#[test]
fn what_nobody_signs_is_not_shown() {
    let mut scene = Scene::new(0);
    let (ada, _) = scene.place("Ada");
    scene.record(
        move |parcel| !matches!(parcel, Parcel::GroupFrame(from, PAPERS, ..) if *from == ada),
    );
    scene.speak(ADA, 100);
    scene.world.seconds(3);
    assert_eq!(scene.shown(b"frame"), 0);
    scene.record(|_| true);
    scene.speak(ADA, 100);
    scene.world.seconds(1);
    let got = scene.world.got(scene.viewer, "Ada", SOUND);
    assert_eq!(got[got.len() - 50..], (150..200).collect::<Vec<_>>());
}

#[test]
fn what_was_shown_once_is_not_shown_again_nor_elsewhere() {
    let mut scene = Scene::new(0);
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    let shots = scene.came.borrow().clone();
    let (host, _) = scene.place("Host");
    let before = scene.world.nodes[scene.viewer].frames.len();
    assert_eq!(before, 100);
    for (from, track, group, bytes) in &shots {
        scene.give(*from, *group, *track, bytes.clone());
        if *track != PAPERS {
            scene.give(host, *group, *track, bytes.clone());
            let other = if *track == SOUND { PICTURE } else { SOUND };
            scene.give(*from, *group, other, bytes.clone());
            let spliced = group.map(|group| GroupNumber(group.0 + 1));
            scene.give(*from, spliced, *track, bytes.clone());
        }
    }
    scene.world.seconds(3);
    assert_eq!(scene.world.nodes[scene.viewer].frames.len(), before);
    assert_eq!(scene.world.names(scene.viewer), ["Ada", "Host"]);
}

#[test]
fn an_old_card_brings_nobody_back() {
    let mut scene = Scene::new(0);
    scene.world.join(&scene.meet.guest, "Cem");
    scene.world.seconds(3);
    let (host, old, _) = scene.card();
    let who = scene.world.who(HOST, "Cem");
    scene.world.command(HOST, Command::Remove(who));
    scene.world.seconds(2);
    assert_eq!(scene.world.names(scene.viewer), ["Ada", "Host"]);
    scene.publish(host, &Paper::Card(Box::new(old.clone())));
    scene.world.command(scene.viewer, Command::Who);
    let told = scene.world.nodes[scene.viewer].told.last();
    let Some(Notice::Roster(listed)) = told else {
        panic!("a roster")
    };
    let names: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Host", "Ada"]);
    // And for ever it serves nobody: one who is given nothing newer is warned, and shown nothing.
    scene.record(
        move |parcel| !matches!(parcel, Parcel::GroupFrame(from, PAPERS, ..) if *from == host),
    );
    for _ in 0..20 {
        scene.world.seconds(5);
        scene.publish(host, &Paper::Card(Box::new(old.clone())));
    }
    assert!(scene.told(scene.viewer, &Notice::Chair(Freshness::Stopped)));
}

/// Somebody with the link alone, and a bundle and a key of its own.
#[test]
fn nobody_but_a_committer_of_the_link_makes_a_card() {
    let mut scene = Scene::new(0);
    scene.speak(ADA, 5);
    let (host, card, opened) = scene.card();
    let relays = scene.meet.guest.meeting().relays.clone();
    let links = Links::draw(relays, "Commemoration", 0, true, [66; 32]).unwrap();
    let crate::meeting::links::Link::Committer(own) =
        crate::meeting::links::Link::parse(&links.host).unwrap()
    else {
        panic!("a host's link")
    };
    let key = own.seed.signing_key();
    let mut claim = opened.claim.clone();
    claim.count += 1;
    claim.before = opened.claim.hash();
    claim.epoch += 1;
    let beat = claim.clone().sign(|bytes| key.sign(bytes));
    let named = |bundle| {
        let speakers = opened.speakers[..1].to_vec();
        Card::new(beat.clone(), &[7; 32], bundle, speakers, &key).unwrap()
    };
    // Under its own bundle, and under that of the link.
    for forged in [named(&own.bundle), named(&opened.bundle)] {
        scene.publish(host, &Paper::Card(Box::new(forged)));
    }
    // The chair's own card with something else in it.
    let bytes = postcard::to_allocvec(&card).unwrap();
    for place in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        if let Ok(card) = postcard::from_bytes::<Card>(&changed) {
            assert!(
                card.open(scene.meet.guest.meeting().bundle).is_none(),
                "{place}"
            );
        }
    }
    scene.world.seconds(1);
    assert_eq!(scene.world.names(scene.viewer), ["Ada", "Host"]);
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.world.got(scene.viewer, "Ada", SOUND).len(), 55);
}

/// Whoever has the link can come into the stage room as one who sends.
#[test]
fn who_publishes_nothing_true_is_not_listened_to_for_long() {
    let mut scene = Scene::new(0);
    let eve = ParticipantId(666_666);
    let message = crate::wire::FromRelay::Joined { participant: eve };
    let stay = StayId(1);
    scene
        .world
        .tell(scene.viewer, Input::Relay { stay, message });
    for _ in 0..1000 {
        scene.give(
            eve,
            Some(GroupNumber(0)),
            PAPERS,
            Bytes::from_static(&[1; 200]),
        );
    }
    let refused = scene.world.nodes[scene.viewer].rejected;
    assert!((1..=40).contains(&refused), "{refused} were looked at");
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.world.got(scene.viewer, "Ada", SOUND).len(), 50);
}

/// Under another salt counters would begin anew, and what was heard could be heard again.
#[test]
fn a_leaf_has_one_salt() {
    let mut scene = Scene::new(0);
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    let (ada, salt) = scene.place("Ada");
    let group = scene.world.nodes[ADA].meeting.group().expect("inside");
    let here = |salt| Says::Here {
        presence: presence(""),
        standing: Standing::default(),
        salt,
    };
    let word = |salt| Word::sign(group, ada, &salt, here(salt)).expect("signs");
    let (same, other) = (word(salt), word([77; 16]));
    let refused = |scene: &Scene| scene.world.nodes[scene.viewer].rejected;
    let before = refused(&scene);
    scene.publish(ada, &Paper::Word(Box::new(same)));
    assert_eq!(refused(&scene), before, "it signs as Ada does");
    scene.publish(ada, &Paper::Word(Box::new(other)));
    assert_eq!(refused(&scene), before + 1);
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    let got = scene.world.got(scene.viewer, "Ada", SOUND);
    assert_eq!(got, (0..100).collect::<Vec<_>>(), "and goes on as before");
}
