//! Meetings in memory: a relay that does what it should, unless a test has it do otherwise.

mod admission;
mod comparing;
mod crowd;
mod doors;
mod ending;
pub(in crate::meeting) mod part;
mod schedules;
mod standing;
mod story;
pub(in crate::meeting) mod world;

use std::time::Duration;

use super::Meeting;
use crate::meeting::chair::Outcasts;
use crate::meeting::events::{Command, Ending, Freshness, Notice, Surface};
use crate::meeting::group::{LeafId, Member};
use crate::meeting::links::{Link, Links, RelayRef};
use crate::meeting::lobby::Status;
use crate::meeting::track::{Codec, Frame, Presence, TrackDescription, TrackKind};
use crate::wire::{GroupNumber, TrackId};

pub(in crate::meeting) const SOUND: TrackId = TrackId(1);
pub(in crate::meeting) const PICTURE: TrackId = TrackId(2);

/// Where a member's group stands.
#[derive(Clone)]
pub(in crate::meeting) struct Look {
    pub(in crate::meeting) epoch: u64,
    pub(in crate::meeting) tag: [u8; 32],
    pub(in crate::meeting) roster: Vec<Member>,
    pub(in crate::meeting) me: LeafId,
    pub(in crate::meeting) run: [u8; 16],
    pub(in crate::meeting) salt: [u8; 16],
    /// What the keys of this epoch's media derive from.
    pub(in crate::meeting) base: [u8; 32],
    pub(in crate::meeting) chair: bool,
    /// When the chair's newest beat came.
    pub(in crate::meeting) heard: Option<Duration>,
    pub(in crate::meeting) outcasts: Outcasts,
}

impl Look {
    /// Its own, by the tree.
    pub(in crate::meeting) fn rank(&self) -> Option<u8> {
        let own = self.roster.iter().find(|one| one.leaf == self.me);
        own?.rank
    }
}

/// The links of one meeting.
pub(in crate::meeting) struct Meet {
    pub(in crate::meeting) guest: Link,
    pub(in crate::meeting) host: Link,
    pub(in crate::meeting) co_hosts: Vec<Link>,
}

pub(in crate::meeting) fn meet(co_hosts: usize) -> Meet {
    another_meet(co_hosts, 42)
}

pub(super) fn another_meet(co_hosts: usize, drawn: u8) -> Meet {
    drawn_from(co_hosts, drawn, false)
}

/// The links of one vigil.
pub(in crate::meeting) fn vigil(co_hosts: usize) -> Meet {
    drawn_from(co_hosts, 42, true)
}

fn drawn_from(co_hosts: usize, drawn: u8, vigil: bool) -> Meet {
    let relay = RelayRef {
        host: "192.0.2.1".into(),
        port: 4433,
        hashes: vec![[1; 32]],
        pass: None,
    };
    let links =
        Links::draw(vec![relay], "Commemoration", co_hosts, vigil, [drawn; 32]).expect("links");
    let parse = |text: &String| Link::parse(text).expect("a link");
    Meet {
        guest: parse(&links.meeting),
        host: parse(&links.host),
        co_hosts: links.co_hosts.iter().map(parse).collect(),
    }
}

pub(in crate::meeting) fn presence(name: &str) -> Presence {
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
    let sound = TrackKind::Audio {
        rate: 48000,
        channels: 1,
    };
    let picture = TrackKind::Video {
        width: 320,
        height: 180,
    };
    Presence {
        name: name.into(),
        tracks: vec![
            track(SOUND, sound, Codec::Opus),
            track(PICTURE, picture, Codec::Vp8),
        ],
        timestamp_scale_ns: 1_000_000,
        tag: [0; 16],
    }
}

/// Frame `number` of a track; pictures have groups of ten.
pub(in crate::meeting) fn frame(track: TrackId, number: u64) -> Frame {
    let in_group = if track == PICTURE {
        number % 10
    } else {
        number
    };
    let group = if track == PICTURE { number / 10 } else { 0 };
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
