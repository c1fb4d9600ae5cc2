//! Somebody who has a vigil's link, and with it every key that viewers have, turns on those who speak,
//! together with the relay: it reads their talk, speaks as one of them, or comes onto the stage.

use std::time::Duration;

use sottovoce::meeting::media::{ReceiverKeys, SenderKeys};
use sottovoce::meeting::{Frame, Notice, media::Report};
use sottovoce::wire::{GroupNumber, ParticipantId, To};

use crate::own::{Envelope, Plain, derive, open, open_as, room};
use crate::papers::{Card, PAPERS, Paper, Says, Word};
use crate::scene::{AUDIO, Meet, SOUND, all_is_well, frame, three_of, vigil};
use crate::world::{Parcel, World};

/// What a viewer has.
struct Eve {
    viewer: [u8; 32],
    epoch: u64,
    card: Card,
    /// Ada's id on the stage, and its word.
    ada: ParticipantId,
    word: Word,
}

/// A vigil of three who speak, and what its link gives to whoever has it.
fn watched() -> (World, Meet, Eve) {
    let meet = vigil();
    let viewer = derive(&meet.way_back(), "viewer", &[]);
    let (mut world, meet) = three_of(meet, false);
    world.seconds(6);
    let papers = world.shots.iter().filter(|shot| shot.track == PAPERS);
    let (mut card, mut words) = (None, Vec::new());
    for shot in papers {
        match open_as::<Paper>(&viewer, shot.from, &shot.bytes)
            .expect("whoever has the link reads it")
        {
            Paper::Card(newer) => card = Some(newer),
            Paper::Word(word) => words.push((shot.from, word)),
            Paper::Attest(_) => {}
        }
    }
    let card = card.expect("a card");
    let ada = card.speakers.iter().find(|one| one.name == "Ada");
    let leaf = ada.expect("Ada speaks").leaf;
    let (ada, word) = words
        .into_iter()
        .rfind(|(_, word)| word.leaf == leaf)
        .expect("its word");
    let claim = card.beat.clone().open(|_, _, _| true);
    let eve = Eve {
        viewer,
        epoch: claim.expect("a beat").epoch,
        card,
        ada,
        word,
    };
    (world, meet, eve)
}

impl Eve {
    fn salt(&self) -> [u8; 16] {
        match self.word.says {
            Says::Here { salt, .. } => salt,
            Says::Ended { .. } | Says::Bye | Says::End => panic!("it says where it is"),
        }
    }

    /// The relay hands Bea a paper as that participant's.
    fn publish(&self, world: &mut World, from: ParticipantId, paper: &Paper) {
        let mut envelope = Envelope::new(self.viewer, [world.count() as u8; 16], from);
        let bytes = envelope.seal(To::Everyone, paper).into();
        let stay = world.stay(2, room(&self.viewer)).expect("on the stage");
        world.inject(
            2,
            stay,
            Parcel::GroupFrame(from, PAPERS, GroupNumber(9), bytes),
        );
    }
}

fn forged(number: u64) -> Frame {
    Frame {
        payload: b"what Ada never said".to_vec().into(),
        ..frame(SOUND, number)
    }
}

/// How many forged frames Bea took as anybody's.
fn taken(world: &World) -> usize {
    let frames = world.nodes[2].frames.iter();
    frames
        .filter(|(_, frame)| frame.payload[..4] == *b"what")
        .count()
}

#[test]
fn it_opens_media_as_the_screens_say_and_no_word_of_the_speakers() {
    let (mut world, meet, eve) = watched();
    world.send(1, frame(SOUND, 0));
    let shot = world
        .shots
        .iter()
        .rfind(|shot| shot.from == eve.ada && shot.track == SOUND);
    let sealed = shot.expect("on the stage").bytes.clone();
    let mut keys = ReceiverKeys::new(eve.word.leaf.0, eve.salt());
    keys.epoch(world.now, eve.epoch, &eve.card.key);
    let opened = keys.open(world.now, SOUND, GroupNumber(0), &sealed);
    assert!(opened.is_ok(), "anyone with the link can watch");

    world.command(
        1,
        sottovoce::meeting::Command::Say("among ourselves".into()),
    );
    let lobby = meet.link_secret();
    let own = [eve.viewer, eve.card.key, lobby];
    assert!(own.iter().all(|secret| world.main_room(1) != room(secret)));
    let mls = |plain| matches!(plain, Plain::Mls(_) | Plain::Beat(_) | Plain::Behind { .. });
    let bodies = world
        .said
        .iter()
        .filter(|said| said.room != room(&eve.viewer));
    for said in bodies {
        for secret in &own {
            assert!(!open(secret, said.from, &said.body).is_some_and(mls));
        }
    }
    let on_stage = world
        .said
        .iter()
        .filter(|said| said.room == room(&eve.viewer));
    assert_eq!(on_stage.count(), 0, "nothing is said there");
}

#[test]
fn it_cannot_speak_as_a_speaker_for_longer_than_signing_takes() {
    let (mut world, _, eve) = watched();
    let mut keys = SenderKeys::new(eve.salt());
    keys.epoch(eve.epoch, &eve.card.key, eve.word.leaf.0);
    let stay = world.stay(2, room(&eve.viewer)).expect("on the stage");
    // Ada has spoken, and signed it: from then on she is shown at once.
    for number in 0..60 {
        world.send(1, frame(SOUND, number));
        world.run(Duration::from_millis(20));
        keys.seal(world.now, &forged(number), AUDIO).expect("seals");
    }
    world.seconds(1);
    let mut late = 0;
    for number in 0..200 {
        world.run(Duration::from_millis(20));
        let before = taken(&world);
        let sealed = keys.seal(world.now, &forged(number), AUDIO).expect("seals");
        world.inject(2, stay, Parcel::Datagram(eve.ada, SOUND, sealed[0].clone()));
        if number > 80 {
            late += taken(&world) - before;
        }
    }
    assert!(taken(&world) > 0, "its keys are the right ones");
    assert_eq!(late, 0, "no forged frame is taken any more");
    let who = world.who(2, "Ada");
    let unsigned = |notice: &&Notice| matches!(notice, Notice::Signatures { who: of, report: Report::Unsigned { .. } } if *of == who);
    assert!(
        world.nodes[2].told.iter().filter(unsigned).count() >= 1,
        "and it is shown"
    );
}

/// What a speaker has no use for is nobody's paper as well: cards, which it knows the group instead of.
#[test]
fn its_papers_are_not_asked_for_after_some_that_are_nobodys() {
    let (mut world, _, eve) = watched();
    let stay = world.stay(2, room(&eve.viewer)).expect("on the stage");
    let asks = |world: &World, id| world.asks(2, stay, id, PAPERS);
    assert!(asks(&world, eve.ada));
    let kinds: [fn(&Eve) -> Paper; 3] = [
        |eve| Paper::Word(eve.word.clone()),
        |eve| Paper::Card(eve.card.clone()),
        |eve| {
            let mut word = eve.word.clone();
            word.says = Says::Bye;
            Paper::Word(word)
        },
    ];
    for paper in kinds {
        let tap = world.tap(room(&eve.viewer));
        let id = world.taps[tap].id;
        assert!(asks(&world, id), "it may be a speaker's");
        for _ in 0..40 {
            eve.publish(&mut world, id, &paper(&eve));
        }
        assert!(!asks(&world, id));
    }
    world.seconds(6);
    assert!(asks(&world, eve.ada));
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn it_cannot_come_onto_the_stage_nor_put_one_of_them_elsewhere() {
    let (mut world, _, eve) = watched();
    let tap = world.tap(room(&eve.viewer));
    let id = world.taps[tap].id;
    // Ada's word, which is for Ada's id, and one that nobody signed for this.
    let Says::Here {
        presence, standing, ..
    } = eve.word.says.clone()
    else {
        panic!("it says where it is")
    };
    let words = [
        eve.word.clone(),
        Word {
            says: Says::Here {
                presence,
                standing,
                salt: [7; 16],
            },
            ..eve.word.clone()
        },
    ];
    for word in words {
        eve.publish(&mut world, id, &Paper::Word(word));
    }
    let mut keys = SenderKeys::new(eve.salt());
    keys.epoch(eve.epoch, &eve.card.key, eve.word.leaf.0);
    let stay = world.stay(2, room(&eve.viewer)).expect("on the stage");
    let sealed = keys.seal(world.now, &forged(0), AUDIO).expect("seals");
    world.inject(2, stay, Parcel::Datagram(id, SOUND, sealed[0].clone()));
    assert_eq!(taken(&world), 0);
    // What it says there, in the forms of other rooms.
    let mut envelope = Envelope::new(eve.viewer, [5; 16], id);
    let beat = eve.card.beat.clone();
    for plain in [
        Plain::Beat(beat),
        Plain::Behind { epoch: 0 },
        Plain::Mls(vec![0; 64]),
    ] {
        let body = envelope.seal(To::Everyone, &plain);
        world.tap_say(tap, To::Everyone, &body);
    }
    for _ in 0..100 {
        world.tap_say(tap, To::Everyone, b"nothing that opens");
    }
    world.seconds(5);
    assert!(world.taps[tap].inbox.is_empty(), "and nobody answers");
    for index in 0..3 {
        assert!(world.names(index).len() == 2, "nobody else is seen");
    }
    all_is_well(&mut world, &[0, 1, 2]);
}
