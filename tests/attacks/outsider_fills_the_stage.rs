//! Somebody who has nothing but a vigil's link comes onto its stage as more people than anybody looks at,
//! and says nothing: so that whoever speaks is looked at by nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sottovoce::meeting::vigil::Viewer;
use sottovoce::meeting::{Input, Output, StayId, Surface, Who};
use sottovoce::wire::{FromRelay, ParticipantId, ToRelay, TrackId};

use crate::own::{derive, room};
use crate::scene::{SOUND, frame, three_of, vigil};
use crate::world::{Shot, World};

/// More than are looked at at a time.
const CROWD: usize = 1500;

/// What a relay takes of control messages: at once, and each second after.
const MESSAGES: (usize, usize) = (4096, 256);

/// Somebody who watches, at the same relay.
struct Watching {
    viewer: Viewer,
    wishes: BTreeSet<(ParticipantId, TrackId)>,
    /// How many shots it was given, or was not to be given.
    given: usize,
    people: BTreeMap<Who, String>,
    heard: BTreeMap<Who, Vec<u64>>,
    messages: usize,
}

const STAY: StayId = StayId(1);

impl Watching {
    fn new(viewer: Viewer) -> Self {
        Self {
            viewer,
            wishes: BTreeSet::new(),
            given: 0,
            people: BTreeMap::new(),
            heard: BTreeMap::new(),
            messages: 0,
        }
    }

    fn tell(&mut self, world: &World, input: Input) {
        self.viewer.handle(world.now, input);
        while let Some(output) = self.viewer.poll() {
            match output {
                Output::Control { message, .. } => self.control(world, &message),
                Output::Appeared { who, presence } => {
                    self.people.insert(who, presence.name);
                    let (track, on) = (SOUND, true);
                    self.tell(world, Input::Listen { who, track, on });
                }
                Output::Frame { who, frame } => {
                    self.heard.entry(who).or_default().push(frame.number);
                }
                _ => {}
            }
        }
    }

    fn control(&mut self, world: &World, message: &ToRelay) {
        self.messages += 1;
        match *message {
            ToRelay::Subscribe { participant, track } => {
                self.wishes.insert((participant, track));
                // A relay gives the current group of a track from its beginning.
                let shots = world.shots.iter().rev();
                let of = shots.filter(|shot| (shot.from, shot.track) == (participant, track));
                let mut of = of.peekable();
                let current = of.peek().and_then(|shot| shot.group);
                let group: Vec<&Shot> = of
                    .take_while(|shot| shot.group.is_some() && shot.group == current)
                    .collect();
                for shot in group.into_iter().rev() {
                    self.give(world, shot);
                }
            }
            ToRelay::Unsubscribe { participant, track } => {
                self.wishes.remove(&(participant, track));
            }
            ToRelay::Hello { .. } | ToRelay::Send { .. } => {}
        }
    }

    fn give(&mut self, world: &World, shot: &Shot) {
        let (stay, from, track) = (STAY, shot.from, shot.track);
        let input = match shot.group {
            None => Input::Datagram {
                stay,
                from,
                track,
                payload: shot.bytes.clone(),
            },
            Some(group) => Input::GroupFrame {
                stay,
                from,
                track,
                group,
                bytes: shot.bytes.clone(),
            },
        };
        self.tell(world, input);
    }

    /// Time passes for all. How many seconds it took until it sees all of them, if it did.
    fn until_it_sees(&mut self, world: &mut World, names: &[&str], seconds: u64) -> Option<u64> {
        for second in 0..seconds {
            let mut seen: Vec<&str> = self.people.values().map(String::as_str).collect();
            seen.sort_unstable();
            if seen == names {
                return Some(second);
            }
            self.second(world);
        }
        None
    }

    fn second(&mut self, world: &mut World) {
        let before = self.messages;
        for _ in 0..10 {
            world.run(Duration::from_millis(100));
            while let Some(shot) = world.shots.get(self.given) {
                self.given += 1;
                if self.wishes.contains(&(shot.from, shot.track)) {
                    self.give(world, shot);
                }
            }
            self.tell(world, Input::Tick);
        }
        let sent = self.messages - before;
        assert!(sent <= MESSAGES.1, "a relay closes who says so much");
    }
}

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
    let viewer = Viewer::new(meet.guest.meeting().clone()).expect("a vigil");
    let mut viewer = Watching::new(viewer);
    viewer.given = world.shots.len();
    viewer.tell(
        &world,
        Input::Connected {
            stay: STAY,
            relay: 0,
        },
    );
    let mut present = crowd;
    present.extend(world.in_room(stage, 0).into_iter().map(|at| world.id(at)));
    let you = world.next_id();
    let message = FromRelay::Welcome { you, present };
    viewer.tell(
        &world,
        Input::Relay {
            stay: STAY,
            message,
        },
    );
    assert!(viewer.messages <= MESSAGES.0);
    let seen = viewer.until_it_sees(&mut world, &["Ada", "Bea", "Host"], 60);
    assert!(seen.is_some(), "{:?} is all it sees", viewer.people);

    // Who comes onto the stage now is found by who watches and by who speaks.
    let cem = world.join(&meet.guest, "Cem");
    let at = world.stay(cem, stage).expect("on the stage");
    let participant = world.id((cem, at));
    let message = FromRelay::Joined { participant };
    viewer.tell(
        &world,
        Input::Relay {
            stay: STAY,
            message,
        },
    );
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
