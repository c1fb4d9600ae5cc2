//! Vigils in memory: speakers, viewers, and a relay that does what it should unless told otherwise.

mod story;

use std::time::Duration;

use crate::meeting::events::{Command, Ending, Freshness, Notice};
use crate::meeting::hosted::tests::world::{Parcel, World};
use crate::meeting::hosted::tests::{Meet, PICTURE, SOUND, frame, vigil};
use crate::meeting::links::Link;
use crate::meeting::lobby::Status;
use crate::wire::TrackId;

/// A host and Ada on the stage, and one who watches.
struct Scene {
    world: World,
    meet: Meet,
    viewer: usize,
    next: u64,
}

const HOST: usize = 0;
const ADA: usize = 1;

impl Scene {
    fn new(co_hosts: usize) -> Self {
        let meet = vigil(co_hosts);
        let mut world = World::new();
        world.join(&meet.host, "Host");
        world.seconds(1);
        world.join(&meet.guest, "Ada");
        world.seconds(3);
        let viewer = world.watch(&meet.guest);
        world.seconds(2);
        Self {
            world,
            meet,
            viewer,
            next: 0,
        }
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
}
