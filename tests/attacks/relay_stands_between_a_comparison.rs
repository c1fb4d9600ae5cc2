//! While the host compares words with those who knock, the relay swaps what is said between them; and
//! one who gave a knocker a link of its own passes on what each side says.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::{Committers, Joining, LeafName, run_of};
use sottovoce::meeting::links::Link;
use sottovoce::meeting::lobby::{Knock, Knocker, KnockerOutput, Porter, PorterOutput};
use sottovoce::meeting::verify::{Language, SasMessage};
use sottovoce::meeting::{Command, LinkSecret, NoWords, Notice, Rejection};
use sottovoce::wire::FromRelay;

use crate::own::{Plain, room};
use crate::rogue::Line;
use crate::scene::{Meet, all_is_well, another_meet, knocks, meet, refused};
use crate::world::{Parcel, World};

/// The words that a screen showed last for this knocker; for a knocker itself, its own.
fn words(world: &World, index: usize, with: Option<u32>) -> Option<[&'static str; 2]> {
    let told = world.nodes[index].told.iter().rev();
    let mut words = told.filter_map(|notice| match notice {
        Notice::Compare { number, words } if *number == with => Some(*words),
        _ => None,
    });
    Some(words.next()?.words(Language::English))
}

fn ends(world: &World, index: usize, why: NoWords) -> usize {
    let told = world.nodes[index].told.iter();
    told.filter(|one| matches!(one, Notice::NoWords { why: this, .. } if *this == why))
        .count()
}

#[test]
fn neither_of_two_knockers_gets_the_others_words() {
    let meet = meet(0);
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(1);
    let at = |world: &World, index| world.stay(index, room(&meet.link_secret())).expect("there");
    let stays = [0, ada, bea].map(|index| at(&world, index));
    let ids = [0, ada, bea].map(|index| world.id((index, stays[index])));
    let numbers = ["Ada", "Bea"].map(|name| {
        let knocks = knocks(&world, 0);
        knocks
            .iter()
            .find(|(_, one)| one == name)
            .expect("it knocks")
            .0
    });
    // First what the host says to each, then what each answers.
    for swapped in [vec![ada, bea], vec![0]] {
        let kept = Rc::new(RefCell::new(Vec::new()));
        let (keep, to) = (kept.clone(), swapped.clone());
        world.passes = Box::new(move |index, _, parcel| match parcel {
            Parcel::Control(FromRelay::Message { from, body }) if to.contains(&index) => {
                keep.borrow_mut().push((index, *from, body.clone()));
                false
            }
            _ => true,
        });
        for number in numbers {
            world.command(0, Command::Compare(number));
        }
        let kept: Vec<_> = kept.borrow_mut().drain(..).collect();
        assert_eq!(kept.len(), 2);
        for (to, from, body) in kept {
            let before = world.nodes[to].rejected.len();
            let other = |index| if index == ada { bea } else { ada };
            match to {
                // As from the other knocker.
                0 => {
                    let by = if from == ids[ada] { ada } else { bea };
                    world.inject_message(0, stays[0], ids[other(by)], &body);
                }
                to => {
                    let to = other(to);
                    let before = world.nodes[to].rejected.len();
                    world.inject_message(to, stays[to], from, &body);
                    assert_eq!(world.nodes[to].rejected.len(), before + 1, "refused");
                }
            }
            let refused = world.nodes[to].rejected.len() - before;
            assert_eq!(refused, usize::from(to == 0), "refused");
        }
        world.passes = Box::new(|_, _, _| true);
        world.seconds(61);
        for (index, with) in [
            (0, Some(numbers[0])),
            (0, Some(numbers[1])),
            (ada, None),
            (bea, None),
        ] {
            assert_eq!(words(&world, index, with), None);
        }
    }
    assert_eq!(ends(&world, 0, NoWords::NoAnswer), 4);
    assert_eq!(ends(&world, ada, NoWords::NoAnswer), 1);
    for (index, number) in [ada, bea].into_iter().zip(numbers) {
        world.command(0, Command::Compare(number));
        world.seconds(1);
        let shown = words(&world, index, None);
        assert!(shown.is_some() && shown == words(&world, 0, Some(number)));
        world.command(0, Command::Same(number));
        world.command(0, Command::Admit(number));
        world.seconds(1);
    }
    assert_ne!(words(&world, ada, None), words(&world, bea, None));
    all_is_well(&mut world, &[0, ada, bea]);
}

/// Who knocks at one meeting as Ada, and keeps the door of another to which Ada was given the link.
struct Between {
    door: Line,
    porter: Porter,
    knock: Line,
    knocker: Knocker,
    /// What the host has said, and what Ada has, that was not passed on yet.
    by_host: Vec<Vec<u8>>,
    by_ada: Vec<Vec<u8>>,
    adas_number: Option<u32>,
}

impl Between {
    fn new(world: &mut World, meet: &Meet, own: &Meet) -> Self {
        let Link::Committer(committer) = &own.host else {
            panic!("a host's link");
        };
        let door = Line::new(world, own.link_secret());
        let secret = LinkSecret::from_bytes(own.link_secret());
        let porter = Porter::new(
            committer,
            &secret,
            door.id(world),
            false,
            world.now,
            [5; 32],
        );
        let link = meet.guest.meeting();
        let committers = Committers {
            keys: Vec::new(),
            bundle: link.bundle.0,
        };
        let key = SigningKey::from_seed(&[9; 32]);
        let name = LeafName::member("Ada", run_of(&key.public()));
        let joining = Joining::with_key(key, name, None, committers, [6; 32]);
        let joining = joining.expect("a key package");
        let knock = Knock {
            name: "Ada".into(),
            key_package: joining.key_package().to_vec(),
            proof_of_return: None,
        };
        let mut knocker = Knocker::new(link, knock, [7; 32]).expect("within bounds");
        let line = Line::new(world, meet.link_secret());
        knocker.enter(world.now, line.id(world));
        Self {
            door,
            porter,
            knock: line,
            knocker,
            by_host: Vec::new(),
            by_ada: Vec::new(),
            adas_number: None,
        }
    }

    fn run(&mut self, world: &mut World) {
        for _ in 0..100 {
            world.run(Duration::from_millis(20));
            self.porter.tick(world.now);
            self.knocker.tick(world.now);
            while let Some((from, body)) = world.taps[self.door.tap].inbox.pop_front() {
                if let Some(Plain::Lobby(body)) = self.door.envelope.open(from, &body) {
                    self.porter.handle(world.now, from, body);
                }
            }
            while let Some((from, body)) = world.taps[self.knock.tap].inbox.pop_front() {
                if let Some(Plain::Lobby(body)) = self.knock.envelope.open(from, &body) {
                    self.knocker.handle(world.now, from, body);
                }
            }
            while let Some(said) = self.porter.poll() {
                match said {
                    PorterOutput::Post { to, body } => {
                        self.door.post(world, to, &Plain::Lobby(body))
                    }
                    PorterOutput::Knocked(number) => self.adas_number = Some(number),
                    PorterOutput::Sas { message, .. } => self.by_ada.push(message),
                    PorterOutput::Withdrawn(_) => {}
                }
            }
            while let Some(said) = self.knocker.poll() {
                match said {
                    KnockerOutput::Post { to, body } => {
                        self.knock.post(world, to, &Plain::Lobby(body));
                    }
                    KnockerOutput::Sas(message) => self.by_host.push(message),
                    _ => {}
                }
            }
        }
    }

    fn tell_ada(&mut self, message: &[u8]) {
        assert!(
            self.porter
                .sas(self.adas_number.expect("she knocked"), message)
        );
    }
}

/// A host that compares with whom it takes for Ada; Ada, at another door; and the one between.
fn between() -> (World, usize, Between) {
    let (meet, own) = (meet(0), another_meet(0, 66));
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    let mut between = Between::new(&mut world, &meet, &own);
    let ada = world.join(&own.guest, "Ada");
    between.run(&mut world);
    assert!(knocks(&world, 0) == [(1, "Ada".to_owned())]);
    world.command(0, Command::Compare(1));
    between.run(&mut world);
    assert_eq!(between.by_host.len(), 1, "a commitment");
    (world, ada, between)
}

#[test]
fn passing_on_what_each_side_says_is_found_out() {
    let (mut world, ada, mut between) = between();
    let commit = between.by_host.remove(0);
    between.tell_ada(&commit);
    between.run(&mut world);
    let nonce = between.by_ada.remove(0);
    assert!(between.knocker.sas(&nonce));
    between.run(&mut world);
    let hosts = words(&world, 0, Some(1));
    assert!(hosts.is_some(), "the host knows of no other");
    let opening = between.by_host.remove(0);
    between.tell_ada(&opening);
    between.run(&mut world);
    assert_eq!(words(&world, ada, None), None);
    assert_eq!(ends(&world, ada, NoWords::Broken), 1);
    assert_eq!(refused(&world, ada, Rejection::BadProof), 1);
}

#[test]
fn nor_can_it_open_another_nonce_when_it_knows_the_hosts() {
    // It commits to Ada, lets the host open, and would now choose.
    let (mut world, ada, mut between) = between();
    between.tell_ada(&SasMessage::Commit([1; 32]).to_bytes());
    between.run(&mut world);
    assert_eq!(between.by_ada.len(), 1);
    let own = SasMessage::KnockerNonce([2; 32]).to_bytes();
    assert!(between.knocker.sas(&own));
    between.run(&mut world);
    assert!(words(&world, 0, Some(1)).is_some());
    for byte in 0..8 {
        between.tell_ada(&SasMessage::HostNonce([byte; 32]).to_bytes());
        between.run(&mut world);
    }
    assert_eq!(ends(&world, ada, NoWords::Broken), 1, "one chance");
    assert_eq!(refused(&world, ada, Rejection::Unexpected), 7);
    assert_eq!(words(&world, ada, None), None);
    // The host hears no more of it either.
    assert!(between.knocker.sas(&own));
    between.run(&mut world);
    assert_eq!(refused(&world, 0, Rejection::Unexpected), 1);
}
