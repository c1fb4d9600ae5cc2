//! Links, people, frames, and what is to be expected of them.

use sottovoce::meeting::links::{Link, Links, RelayRef};
use sottovoce::meeting::lobby::Status;
use sottovoce::meeting::{Codec, Frame, Notice, Presence, Rejection, TrackDescription, TrackKind};
use sottovoce::wire::{GroupNumber, TrackId};

use crate::own::derive;
use crate::world::World;

pub const SOUND: TrackId = TrackId(1);
pub const PICTURE: TrackId = TrackId(2);
pub const AUDIO: TrackKind = TrackKind::Audio {
    rate: 48000,
    channels: 1,
};
/// A second picture.
pub const SCREEN: TrackId = TrackId(3);
pub const VIDEO: TrackKind = TrackKind::Video {
    width: 320,
    height: 180,
};

/// The links of one meeting, and what they were drawn from.
pub struct Meet {
    pub guest: Link,
    pub host: Link,
    pub co_hosts: Vec<Link>,
    drawn: [u8; 32],
}

impl Meet {
    /// What whoever has the meeting link has.
    pub fn link_secret(&self) -> [u8; 32] {
        derive(&self.drawn, "draw link", &[])
    }

    /// What whoever has a committer's link has.
    pub fn way_back(&self) -> [u8; 32] {
        derive(&self.drawn, "draw way back", &[])
    }

    pub fn seed(&self, rank: u8) -> [u8; 32] {
        derive(&self.drawn, "draw committer", &[&[rank]])
    }
}

pub fn meet(co_hosts: usize) -> Meet {
    another_meet(co_hosts, 42)
}

pub fn another_meet(co_hosts: usize, drawn: u8) -> Meet {
    drawn_from(co_hosts, drawn, false)
}

/// The links of a vigil.
pub fn vigil() -> Meet {
    vigil_with(0)
}

pub fn vigil_with(co_hosts: usize) -> Meet {
    drawn_from(co_hosts, 42, true)
}

fn drawn_from(co_hosts: usize, drawn: u8, vigil: bool) -> Meet {
    let relay = RelayRef {
        host: "192.0.2.1".into(),
        port: 4433,
        hashes: vec![[1; 32]],
        pass: None,
    };
    let drawn = [drawn; 32];
    let links = Links::draw(vec![relay], "Commemoration", co_hosts, vigil, drawn).expect("links");
    let parse = |text: &String| Link::parse(text).expect("a link");
    Meet {
        guest: parse(&links.meeting),
        host: parse(&links.host),
        co_hosts: links.co_hosts.iter().map(parse).collect(),
        drawn,
    }
}

/// A host (0), Ada (1) and Bea (2), all inside.
pub fn three() -> (World, Meet) {
    three_of(meet(1), false)
}

pub fn three_of(meet: Meet, signs: bool) -> (World, Meet) {
    let mut world = World::new();
    world.join_as(&meet.host, "Host", signs, true);
    world.seconds(1);
    world.join_as(&meet.guest, "Ada", signs, true);
    world.join_as(&meet.guest, "Bea", signs, true);
    world.seconds(3);
    for index in 0..3 {
        assert_eq!(world.names(index).len(), 2, "{index} sees the two others");
    }
    (world, meet)
}

pub fn presence(name: &str) -> Presence {
    let track = |track, kind, codec| TrackDescription {
        track,
        kind,
        codec,
        codec_private: b"OpusHead".to_vec(),
        codec_delay_ns: 6_500_000,
        seek_preroll_ns: 80_000_000,
        default_duration_ns: None,
        screen: false,
    };
    Presence {
        name: name.into(),
        tracks: vec![
            track(SOUND, AUDIO, Codec::Opus),
            track(PICTURE, VIDEO, Codec::Vp8),
            track(SCREEN, VIDEO, Codec::Vp8),
        ],
        timestamp_scale_ns: 1_000_000,
        tag: [0; 16],
    }
}

/// Frame `number` of a track; pictures have groups of ten.
pub fn frame(track: TrackId, number: u64) -> Frame {
    let (group, in_group) = match track == PICTURE {
        true => (number / 10, number % 10),
        false => (0, number),
    };
    Frame {
        track,
        group: GroupNumber(group as u32),
        number,
        timestamp_ns: number * 20_000_000,
        keyframe: in_group == 0,
        invisible: false,
        duration_ns: None,
        discard_padding_ns: None,
        payload: format!("frame {number} of track {}", track.0)
            .into_bytes()
            .into(),
    }
}

/// Everybody sees and hears everybody, as if nothing had been.
pub fn all_is_well(world: &mut World, members: &[usize]) {
    let tree = world.roster(members[0]);
    for member in members {
        assert_eq!(world.nodes[*member].over, None, "{member} is there");
        assert_eq!(world.roster(*member), tree, "{member} has the same tree");
    }
    for speaker in members {
        let number = 5000 + world.count();
        world.send(*speaker, frame(SOUND, number));
        let name = world.nodes[*speaker].name.clone();
        let others = members.iter().filter(|one| *one != speaker);
        let heard = |one: &usize| world.got(*one, &name, SOUND).contains(&number);
        // Where media is signed, the first of it waits for that.
        if !others.copied().all(|one| heard(&one)) {
            world.seconds(1);
        }
        for listener in members.iter().filter(|one| *one != speaker) {
            let heard = world.got(*listener, &name, SOUND);
            assert!(heard.contains(&number), "{speaker} is heard by {listener}");
        }
    }
}

/// How often `index` has refused something for this reason.
pub fn refused(world: &World, index: usize, why: Rejection) -> u64 {
    world.nodes[index].meeting.rejections()[why as usize]
}

/// What somebody has read of what others said.
pub fn read(world: &World, index: usize) -> Vec<String> {
    let told = world.nodes[index].told.iter();
    let texts = told.filter_map(|notice| match notice {
        Notice::Chat { text, .. } => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// Who knocks, by a chair's screen: numbers and names.
pub fn knocks(world: &World, index: usize) -> Vec<(u32, String)> {
    let told = world.nodes[index].told.iter();
    let knocks = told.filter_map(|notice| match notice {
        Notice::Knocking { number, name } => Some((*number, name.clone())),
        _ => None,
    });
    knocks.collect()
}

/// The newest meeting link that a chair was shown.
pub fn new_link(world: &World, chair: usize) -> Link {
    let told = world.nodes[chair].told.iter().rev();
    let mut links = told.filter_map(|notice| match notice {
        Notice::Link(link) => Some(Link::parse(link).expect("a link")),
        _ => None,
    });
    links.next().expect("another link")
}

/// Whether somebody at the door was told that the host is not there, and nothing else.
pub fn nobody_is_there(world: &World, index: usize) -> bool {
    let told = world.nodes[index].told.iter();
    let before = told.filter(|notice| **notice != Notice::Waiting(Status::Asking));
    before.cloned().collect::<Vec<_>>() == [Notice::Waiting(Status::HostNotHere)]
}
