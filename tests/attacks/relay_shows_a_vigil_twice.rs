//! The relay has recorded a vigil, and a co-host helps it: with cards of its own it takes those who watch
//! onto another line of the group and lets them come back, so that they forget what they have seen and are
//! shown it once more.

use std::time::Duration;

use sottovoce::meeting::chair::Claim;
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::wire::{GroupNumber, ParticipantId, To};

use crate::own::{Envelope, derive, open_as, room};
use crate::papers::{Card, PAPERS, Paper};
use crate::scene::{SOUND, frame, three_of, vigil_with};
use crate::watching::Watching;
use crate::world::{Shot, World};

/// Nobody's, and it is in the room.
const MALLORY: ParticipantId = ParticipantId(666_666);

struct Recorded {
    world: World,
    viewer: Watching,
    /// What viewers know, and a co-host's key.
    secret: [u8; 32],
    co_host: SigningKey,
    /// The host's newest card, and who the host is on the stage.
    card: Card,
    host: ParticipantId,
    shots: Vec<Shot>,
}

fn recorded() -> Recorded {
    let meet = vigil_with(1);
    let secret = derive(&meet.way_back(), "viewer", &[]);
    let co_host = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    let (mut world, meet) = three_of(meet, false);
    let stage = room(&secret);
    let mut viewer = Watching::enter(&mut world, &meet.guest, stage, vec![MALLORY]);
    let seen = viewer.until_it_sees(&mut world, &["Ada", "Bea", "Host"], 20);
    assert!(seen.is_some());
    let from = world.shots.len();
    for number in 0..50 {
        world.send(1, frame(SOUND, number));
        world.run(Duration::from_millis(20));
    }
    for _ in 0..2 {
        viewer.second(&mut world);
    }
    let shots = world.shots[from..].to_vec();
    let cards = world.shots.iter().rev().filter(|shot| shot.track == PAPERS);
    let mut cards =
        cards.filter_map(
            |shot| match open_as::<Paper>(&secret, shot.from, &shot.bytes)? {
                Paper::Card(card) => Some((shot.from, card)),
                Paper::Word(_) | Paper::Attest(_) => None,
            },
        );
    let (host, card) = cards.next().expect("a card");
    Recorded {
        world,
        viewer,
        secret,
        co_host,
        card,
        host,
        shots,
    }
}

impl Recorded {
    /// The co-host's next card, of another line at that epoch.
    fn other_line(&mut self, count: u64, epoch: u64, key: [u8; 32], before: &mut [u8; 32]) {
        let claim = Claim {
            run: [1; 16],
            rank: 1,
            seq: count,
            count,
            epoch,
            tag: [count as u8; 32],
            before: *before,
            ..self.card.claim()
        };
        *before = claim.hash();
        let card = Paper::Card(self.card.by(&self.co_host, claim, key));
        let salt = [count as u8; 16];
        let mut envelope = Envelope::new(self.secret, salt, MALLORY);
        let shot = Shot {
            from: MALLORY,
            track: PAPERS,
            group: Some(GroupNumber(count as u32)),
            bytes: envelope.seal(To::Everyone, &card).into(),
        };
        self.viewer.give(&self.world, &shot);
    }

    /// How many frames of Ada's the viewer was shown.
    fn shown(&self) -> usize {
        let all = self.viewer.heard.values();
        all.map(Vec::len).sum()
    }

    /// Everything that was recorded, once more.
    fn play(&mut self) {
        for shot in self.shots.clone() {
            self.viewer.give(&self.world, &shot);
        }
        self.viewer.second(&mut self.world);
    }
}

/// The host's card is kept back until the co-host's counts, and let through again.
fn there_and_back(epoch: impl Fn(u64) -> u64, key: impl Fn([u8; 32]) -> [u8; 32]) {
    let mut scene = recorded();
    assert_eq!(scene.shown(), 50);
    scene.play();
    assert_eq!(scene.shown(), 50, "nor while it is on the line");
    let (epoch, key) = (epoch(scene.card.claim().epoch), key(scene.card.key));
    let host = scene.host;
    let mut before = [0; 32];
    for count in 1..6 {
        // What the host publishes is lost.
        let given = scene.viewer.given;
        for _ in 0..5 {
            scene.world.seconds(1);
            while let Some(shot) = scene.world.shots.get(scene.viewer.given).cloned() {
                scene.viewer.given += 1;
                if shot.from != host && shot.track == PAPERS {
                    scene.viewer.give(&scene.world, &shot);
                }
            }
        }
        assert!(scene.viewer.given > given);
        scene.other_line(count, epoch, key, &mut before);
        scene.play();
        assert_eq!(scene.shown(), 50, "on the other line, card {count}");
    }
    for _ in 0..6 {
        scene.viewer.second(&mut scene.world);
    }
    scene.play();
    assert_eq!(scene.shown(), 50, "and back");
    // Who goes on is heard.
    for number in 50..100 {
        scene.world.send(1, frame(SOUND, number));
        scene.world.run(Duration::from_millis(20));
    }
    for _ in 0..2 {
        scene.viewer.second(&mut scene.world);
    }
    assert_eq!(scene.shown(), 100);
}

#[test]
fn nothing_is_shown_twice_after_another_line_at_the_same_epoch() {
    there_and_back(|epoch| epoch, |_| [7; 32]);
}

#[test]
fn nor_on_another_line_that_has_the_same_key() {
    there_and_back(|epoch| epoch, |key| key);
}

#[test]
fn nor_when_the_other_line_is_behind() {
    there_and_back(|epoch| epoch - 1, |_| [7; 32]);
}
