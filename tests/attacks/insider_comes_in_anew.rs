//! A member is taken in anew as often as it likes, as one who lost the thread may be: to stand in the
//! tree twice, to be on its way in when it is removed, or to keep everybody busy.

use std::time::Duration;

use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::{Group, LeafName};
use sottovoce::meeting::lobby::{Knock, Knocker, KnockerOutput};
use sottovoce::meeting::{Command, LinkSecret};

use sottovoce::wire::To;

use crate::own::{Plain, Proof};
use crate::rogue::{Line, Rogue, Wanting, insider};
use crate::scene::{Meet, all_is_well, three};
use crate::world::World;

/// A knock at the main room's door, and whether it was let in.
struct AtTheDoor {
    knocker: Knocker,
    line: Line,
    inside: bool,
}

impl AtTheDoor {
    /// With a key package of `wanting`, and the proof by the leaf with this key.
    fn new(
        world: &mut World,
        meet: &Meet,
        room: [u8; 32],
        wanting: &Wanting,
        by: &SigningKey,
    ) -> Self {
        let signature = Group::sign_with(by, "return", &wanting.key_package);
        let mut halves = [[0; 32]; 2];
        halves.as_flattened_mut().copy_from_slice(&signature);
        let sign_key = by.public();
        let proof = vec![Proof {
            sign_key,
            signature: halves,
        }];
        let knock = Knock {
            name: wanting.name.name.clone(),
            key_package: wanting.key_package.clone(),
            proof_of_return: Some(postcard::to_allocvec(&proof).expect("encodes")),
        };
        let link = meet
            .guest
            .meeting()
            .with_secret(LinkSecret::from_bytes(room));
        let seed = [world.count() as u8; 32];
        let line = Line::new(world, room);
        let mut knocker = Knocker::new(&link, knock, seed).expect("within bounds");
        knocker.enter(world.now, line.id(world));
        let mut this = Self {
            knocker,
            line,
            inside: false,
        };
        this.go_on(world);
        this
    }

    /// Says and hears what there is, in no time.
    fn go_on(&mut self, world: &mut World) {
        loop {
            let mut quiet = true;
            self.knocker.tick(world.now);
            while let Some(said) = self.knocker.poll() {
                quiet = false;
                match said {
                    KnockerOutput::Post { to, body } => {
                        self.line.post(world, to, &Plain::Lobby(body));
                    }
                    KnockerOutput::Admitted(_) => self.inside = true,
                    _ => {}
                }
            }
            while let Some((from, body)) = world.taps[self.line.tap].inbox.pop_front() {
                if let Some(Plain::Lobby(body)) = self.line.envelope.open(from, &body) {
                    quiet = false;
                    self.knocker.handle(world.now, from, body);
                }
            }
            if quiet {
                return;
            }
        }
    }
}

fn wanting(name: &LeafName, seed: u8) -> Wanting {
    Wanting::claiming(name.clone(), seed)
}

fn inside() -> (World, Meet, Rogue) {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    world.seconds(10);
    (world, meet, mallory)
}

fn leaves_of_mallory(world: &mut World) -> usize {
    let roster = world.roster(0);
    roster.iter().filter(|name| *name == "Mallory").count()
}

#[test]
fn twice_at_once() {
    let (mut world, meet, mallory) = inside();
    let room = mallory.line.secret;
    let [first, one, other] = [0x51, 0x52, 0x53].map(|seed| wanting(&mallory.name, seed));
    // The first is taken in at once; who comes next waits a moment, and one more with it.
    let mut first_at = AtTheDoor::new(&mut world, &meet, room, &first, &mallory.key);
    for seconds in [0, 10] {
        world.seconds(seconds);
        let mut all = [&one, &other]
            .map(|wanting| AtTheDoor::new(&mut world, &meet, room, wanting, &first.key));
        for _ in 0..200 {
            world.run(Duration::from_millis(50));
            first_at.go_on(&mut world);
            all.iter_mut().for_each(|one| one.go_on(&mut world));
            assert!(leaves_of_mallory(&mut world) <= 1, "one member, one leaf");
        }
    }
    assert!(first_at.inside);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn while_it_is_being_removed() {
    let (mut world, meet, mallory) = inside();
    let room = mallory.line.secret;
    let [first, next] = [0x51, 0x52].map(|seed| wanting(&mallory.name, seed));
    AtTheDoor::new(&mut world, &meet, room, &first, &mallory.key);
    let mut next_at = AtTheDoor::new(&mut world, &meet, room, &next, &first.key);
    let who = world.who(0, "Mallory");
    world.command(0, Command::Remove(who));
    for _ in 0..200 {
        world.run(Duration::from_millis(50));
        next_at.go_on(&mut world);
    }
    assert_eq!(
        leaves_of_mallory(&mut world),
        0,
        "who was removed stays out"
    );
    assert!(!next_at.inside);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn again_and_again() {
    let (mut world, meet, mallory) = inside();
    let room = mallory.line.secret;
    let before = world.said.len();
    let mut key = mallory.key.clone();
    let mut all = Vec::new();
    for round in 0..60 {
        let next = wanting(&mallory.name, 0x60 + round);
        let at = AtTheDoor::new(&mut world, &meet, room, &next, &key);
        all.push(at);
        for _ in 0..6 {
            world.run(Duration::from_millis(50));
            all.iter_mut().for_each(|one| one.go_on(&mut world));
        }
        if all.last().is_some_and(|one| one.inside) {
            key = next.key;
        }
    }
    // What the host says to everybody: commits, which everybody has to follow, and beats with them.
    let host = world.main_id(0);
    let said = world.said.iter().skip(before);
    let told = said.filter(|said| said.from == host && said.to == To::Everyone);
    let told = told.count();
    assert!(told < 25, "{told} in 18 s, of which each commit is two");
    all_is_well(&mut world, &[0, 1, 2]);
}
