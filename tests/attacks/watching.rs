//! Somebody honest who watches a vigil, at the relay of these tests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sottovoce::meeting::links::Link;
use sottovoce::meeting::vigil::Viewer;
use sottovoce::meeting::{Input, Output, StayId, Surface, Who};
use sottovoce::wire::{FromRelay, ParticipantId, RoomHandle, ToRelay, TrackId};

use crate::scene::SOUND;
use crate::world::{Shot, World};

/// What a relay takes of control messages: at once, and each second after.
pub const MESSAGES: (usize, usize) = (4096, 256);

/// Somebody who watches, at the same relay.
pub struct Watching {
    viewer: Viewer,
    wishes: BTreeSet<(ParticipantId, TrackId)>,
    /// How many shots it was given, or was not to be given.
    pub given: usize,
    pub people: BTreeMap<Who, String>,
    pub heard: BTreeMap<Who, Vec<u64>>,
    pub messages: usize,
}

const STAY: StayId = StayId(1);

impl Watching {
    /// Comes by this link into the stage's room, where `first` are, and those who speak after them.
    pub fn enter(
        world: &mut World,
        link: &Link,
        stage: RoomHandle,
        first: Vec<ParticipantId>,
    ) -> Self {
        let mut watching = Self {
            viewer: Viewer::new(link.meeting().clone(), [8; 32]).expect("a vigil"),
            wishes: BTreeSet::new(),
            given: world.shots.len(),
            people: BTreeMap::new(),
            heard: BTreeMap::new(),
            messages: 0,
        };
        let (stay, relay) = (STAY, 0);
        watching.tell(world, Input::Connected { stay, relay });
        let mut present = first;
        present.extend(world.in_room(stage, 0).into_iter().map(|at| world.id(at)));
        let you = world.next_id();
        watching.hear(world, FromRelay::Welcome { you, present });
        watching
    }

    /// What the relay says.
    pub fn hear(&mut self, world: &World, message: FromRelay) {
        let stay = STAY;
        self.tell(world, Input::Relay { stay, message });
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

    pub fn give(&mut self, world: &World, shot: &Shot) {
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
    pub fn until_it_sees(
        &mut self,
        world: &mut World,
        names: &[&str],
        seconds: u64,
    ) -> Option<u64> {
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

    pub fn second(&mut self, world: &mut World) {
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
