//! Vigils in memory: speakers, viewers, and a relay that does what it should unless told otherwise.

mod chairs;
mod forged;
mod many;
mod shown;
mod story;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::card::{Card, Opened};
use super::limits::PAPERS;
use super::paper::{Paper, Says, Seal, Word};
use crate::meeting::events::{Command, Freshness, Input, Notice, StayId};
use crate::meeting::hosted::tests::world::{Parcel, World};
use crate::meeting::hosted::tests::{Meet, PICTURE, SOUND, frame, presence, vigil};
use crate::meeting::lobby::Status;
use crate::meeting::media::{Report, SenderKeys};
use crate::meeting::secret::LinkSecret;
use crate::meeting::track::{Frame, TrackKind};
use crate::wire::{GroupNumber, ParticipantId, TrackId};

const HOST: usize = 0;
const ADA: usize = 1;

const AUDIO: TrackKind = TrackKind::Audio {
    rate: 48_000,
    channels: 1,
};

/// What came to the viewer: from whom, on which track, in which group, and what.
type Came = Rc<RefCell<Vec<(ParticipantId, TrackId, Option<GroupNumber>, Bytes)>>>;

/// A host and Ada on the stage, and one who watches.
struct Scene {
    world: World,
    meet: Meet,
    viewer: usize,
    next: u64,
    came: Came,
}

impl Scene {
    fn new(co_hosts: usize) -> Self {
        let meet = vigil(co_hosts);
        let mut world = World::new();
        world.join(&meet.host, "Host");
        world.seconds(1);
        world.join(&meet.guest, "Ada");
        world.seconds(3);
        let viewer = world.watch(&meet.guest);
        let came = Came::default();
        let mut scene = Self {
            world,
            meet,
            viewer,
            next: 0,
            came,
        };
        scene.record(|_| true);
        scene.world.seconds(2);
        scene
    }

    /// Records what comes to the viewer, and passes on what `passes` lets.
    fn record(&mut self, passes: impl Fn(&Parcel) -> bool + 'static) {
        let (came, viewer) = (Rc::clone(&self.came), self.viewer);
        self.world.passes = Box::new(move |to, parcel| {
            if to != viewer {
                return true;
            }
            let shot = match parcel {
                Parcel::Control(_) => return passes(parcel),
                Parcel::Datagram(from, track, bytes) => (*from, *track, None, bytes.clone()),
                Parcel::GroupFrame(from, track, group, bytes) => {
                    (*from, *track, Some(*group), bytes.clone())
                }
            };
            came.borrow_mut().push(shot);
            passes(parcel)
        });
    }

    /// Somebody speaks, with a picture, for so many frames of 20 ms.
    fn speak(&mut self, index: usize, frames: u64) {
        for number in self.next..self.next + frames {
            self.world.send(index, frame(SOUND, number));
            self.world.send(index, frame(PICTURE, number));
            self.world.run(Duration::from_millis(20));
        }
        self.next += frames;
    }

    fn told(&self, index: usize, notice: &Notice) -> bool {
        self.world.nodes[index].told.contains(notice)
    }

    fn key(&self) -> LinkSecret {
        self.meet.guest.meeting().viewer.clone().expect("a vigil")
    }

    /// All papers that came to the viewer, and from whom.
    fn papers(&self) -> Vec<(ParticipantId, Paper)> {
        let came = self.came.borrow();
        let papers = came.iter().filter(|shot| shot.1 == PAPERS);
        papers
            .map(|(from, _, _, bytes)| {
                let paper = Paper::open(&self.key(), *from, bytes);
                (*from, paper.expect("a paper"))
            })
            .collect()
    }

    /// The newest card that came, as it travels, and what it says.
    fn card(&self) -> (ParticipantId, Card, Opened) {
        let cards = self.papers().into_iter().rev();
        let mut cards = cards.filter_map(|(from, paper)| match paper {
            Paper::Card(card) => Some((from, *card)),
            Paper::Word(_) | Paper::Attest(_) => None,
        });
        let (from, card) = cards.next().expect("a card");
        let opened = card.clone().open(self.meet.guest.meeting().bundle);
        (from, card, opened.expect("the chair's"))
    }

    /// Somebody's id in the stage room, and the salt of its media.
    fn place(&self, name: &str) -> (ParticipantId, [u8; 16]) {
        let (_, _, card) = self.card();
        let speaker = card.speakers.iter().find(|one| one.name == name);
        let leaf = speaker.expect("a speaker").leaf;
        let words = self.papers().into_iter().rev();
        let mut places = words.filter_map(|(from, paper)| match paper {
            Paper::Word(word) if word.leaf == leaf => match word.says {
                Says::Here { salt, .. } => Some((from, salt)),
                Says::Ended { .. } | Says::Bye | Says::End => None,
            },
            _ => None,
        });
        places.next().expect("its word")
    }

    /// What somebody who has all that a viewer has can seal as a speaker.
    fn keys_of(&self, name: &str) -> SenderKeys {
        let (_, _, card) = self.card();
        let speaker = card.speakers.iter().find(|one| one.name == name);
        let mut keys = SenderKeys::new(self.place(name).1);
        keys.epoch(
            card.claim.epoch,
            card.key.as_bytes(),
            speaker.expect("a speaker").leaf.0,
        );
        keys
    }

    /// The relay gives this to the viewer.
    fn give(
        &mut self,
        from: ParticipantId,
        group: Option<GroupNumber>,
        track: TrackId,
        bytes: Bytes,
    ) {
        let stay = StayId(1);
        let input = match group {
            None => Input::Datagram {
                stay,
                from,
                track,
                payload: bytes,
            },
            Some(group) => Input::GroupFrame {
                stay,
                from,
                track,
                group,
                bytes,
            },
        };
        self.world.tell(self.viewer, input);
        self.world.settle();
    }

    /// A paper, sealed by whoever has the link.
    fn publish(&mut self, from: ParticipantId, paper: &Paper) {
        let bytes = Seal::new(&self.key(), [9; 16], from).seal(paper);
        self.give(from, Some(GroupNumber(7000)), PAPERS, bytes.expect("fits"));
    }

    /// How many frames the viewer was shown as somebody's whose bytes begin so.
    fn shown(&self, beginning: &[u8]) -> usize {
        let frames = self.world.nodes[self.viewer].frames.iter();
        frames
            .filter(|(_, frame)| frame.payload.starts_with(beginning))
            .count()
    }
}

fn forged(number: u64) -> Frame {
    Frame {
        payload: Bytes::from_static(b"what Ada never said"),
        ..frame(SOUND, number)
    }
}
