//! Somebody with only the meeting link fills the lobby from many connections and knocks on as fast as the
//! door opens, so that nobody honest is seen by the host.

use std::time::Duration;

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::{Knock, Knocker, KnockerOutput, WAITING};
use sottovoce::meeting::{Command, LinkSecret, Notice};

use crate::own::Plain;
use crate::rogue::{Line, Wanting};
use crate::scene::{Meet, all_is_well, knocks, three};
use crate::world::World;

/// As many connections as half as much again as there are places.
const CONNECTIONS: usize = WAITING + WAITING / 2;

/// The host looks, reads the name, and types.
const TYPES: u64 = 10;

struct Flooder {
    knocker: Knocker,
    line: Line,
}

impl Flooder {
    fn new(world: &mut World, meet: &Meet, number: usize) -> Self {
        let name = LeafName::member(&format!("F{number}"), [0; 16]);
        let wanting = Wanting::new(name, number as u8);
        let mut flooder = Self {
            knocker: knocker(world, meet, &wanting),
            line: Line::new(world, meet.link_secret()),
        };
        flooder.knocks(world);
        flooder
    }

    /// Asks for the door, and knocks: it does not wait as an honest one does.
    fn knocks(&mut self, world: &mut World) {
        self.knocker.enter(world.now, self.line.id(world));
        self.turn(world);
    }

    fn turn(&mut self, world: &mut World) {
        while let Some((from, body)) = world.taps[self.line.tap].inbox.pop_front() {
            if let Some(Plain::Lobby(body)) = self.line.envelope.open(from, &body) {
                self.knocker.handle(world.now, from, body);
            }
        }
        while let Some(said) = self.knocker.poll() {
            if let KnockerOutput::Post { to, body } = said {
                self.line.post(world, to, &Plain::Lobby(body));
            }
        }
    }
}

fn knocker(world: &mut World, meet: &Meet, wanting: &Wanting) -> Knocker {
    let knock = Knock {
        name: wanting.name.name.clone(),
        key_package: wanting.key_package.clone(),
        proof_of_return: None,
    };
    let secret = LinkSecret::from_bytes(meet.link_secret());
    let link = meet.guest.meeting().with_secret(secret);
    let mut seed = [0x66; 32];
    seed[..8].copy_from_slice(&world.count().to_be_bytes());
    Knocker::new(&link, knock, seed).expect("within bounds")
}

fn flood(world: &mut World, flooders: &mut [Flooder], time: Duration) {
    let until = world.now + time;
    let mut beat = 0_usize;
    while world.now < until {
        for (at, flooder) in flooders.iter_mut().enumerate() {
            flooder.turn(world);
            // Each of them knocks anew each three seconds.
            if at % 12 == beat % 12 {
                flooder.knocks(world);
            }
        }
        beat += 1;
        world.run(Duration::from_millis(250));
    }
}

/// The numbers and names of those who wait, as the host's screen has them.
fn waiting(world: &World) -> Vec<(u32, String)> {
    let gone = |number: u32| Notice::KnockGone { number };
    let told = &world.nodes[0].told;
    let mut all = knocks(world, 0);
    all.retain(|(number, _)| !told.contains(&gone(*number)));
    all
}

#[test]
fn an_honest_one_is_shown_and_let_in_all_the_same() {
    let (mut world, meet) = three();
    world.command(0, Command::AdmitAll(false));
    let mut flooders: Vec<Flooder> = (0..CONNECTIONS)
        .map(|number| Flooder::new(&mut world, &meet, number))
        .collect();
    flood(&mut world, &mut flooders, Duration::from_secs(40));
    assert_eq!(waiting(&world).len(), WAITING, "the lobby is full");
    let honest = world.join(&meet.guest, "Honest");
    let began = world.now;
    let number = loop {
        let shown = waiting(&world);
        if let Some((number, _)) = shown.iter().find(|(_, name)| name == "Honest") {
            break *number;
        }
        let waited = world.now - began;
        assert!(waited < Duration::from_secs(60), "not shown in {waited:?}");
        flood(&mut world, &mut flooders, Duration::from_secs(1));
    };
    println!("shown after {:?}", world.now - began);
    flood(&mut world, &mut flooders, Duration::from_secs(TYPES));
    world.command(0, Command::Admit(number));
    flood(&mut world, &mut flooders, Duration::from_secs(3));
    assert!(world.nodes[honest].inside);
    let gone = |notice: &Notice| matches!(notice, Notice::KnockGone { .. });
    assert!(world.nodes[0].told.iter().any(gone), "places pass on");
    // Nobody inside is hurt, nor kept from speaking.
    all_is_well(&mut world, &[0, 1, 2, honest]);
}

/// Who is being compared with stays until that is done, however many knock.
#[test]
fn it_puts_nobody_out_with_whom_words_are_compared() {
    let (mut world, meet) = three();
    world.command(0, Command::AdmitAll(false));
    let honest = world.join(&meet.guest, "Honest");
    world.seconds(1);
    let [(number, _)] = knocks(&world, 0)[..] else {
        panic!("one knocks");
    };
    world.command(0, Command::Compare(number));
    let mut flooders: Vec<Flooder> = (0..CONNECTIONS)
        .map(|number| Flooder::new(&mut world, &meet, number))
        .collect();
    flood(&mut world, &mut flooders, Duration::from_secs(180));
    world.command(0, Command::Same(number));
    world.command(0, Command::Admit(number));
    flood(&mut world, &mut flooders, Duration::from_secs(3));
    assert!(world.nodes[honest].inside);
}
