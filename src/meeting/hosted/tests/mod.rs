//! Hosted meetings in memory: a relay that does what it should, unless a test has it do otherwise.

mod crowd;
mod schedules;
mod story;
mod world;

use super::Meeting;
use crate::meeting::chair::Outcasts;
use crate::meeting::events::{Command, Ending, Freshness, Notice, Surface};
use crate::meeting::group::{LeafId, Member};
use crate::meeting::links::{Link, Links, RelayRef};
use crate::meeting::lobby::Status;
use crate::meeting::track::{Codec, Frame, Presence, TrackDescription, TrackKind};
use crate::wire::{GroupNumber, TrackId};

pub(super) const SOUND: TrackId = TrackId(1);
pub(super) const PICTURE: TrackId = TrackId(2);

/// Where a member's group stands.
#[derive(Clone)]
pub(super) struct Look {
    pub(super) epoch: u64,
    pub(super) tag: [u8; 32],
    pub(super) roster: Vec<Member>,
    pub(super) me: LeafId,
    pub(super) run: [u8; 16],
    pub(super) salt: [u8; 16],
    /// What the keys of this epoch's media derive from.
    pub(super) base: [u8; 32],
    pub(super) chair: bool,
    pub(super) outcasts: Outcasts,
}

/// The links of one meeting.
pub(super) struct Meet {
    pub(super) guest: Link,
    pub(super) host: Link,
    pub(super) co_hosts: Vec<Link>,
}

pub(super) fn meet(co_hosts: usize) -> Meet {
    let relay = RelayRef {
        host: "192.0.2.1".into(),
        port: 4433,
        hashes: vec![[1; 32]],
    };
    let links =
        Links::draw(vec![relay], "Commemoration", co_hosts, false, [42; 32]).expect("links");
    let parse = |text: &String| Link::parse(text).expect("a link");
    Meet {
        guest: parse(&links.meeting),
        host: parse(&links.host),
        co_hosts: links.co_hosts.iter().map(parse).collect(),
    }
}

pub(super) fn presence(name: &str) -> Presence {
    let track = |track, kind, codec| TrackDescription {
        track,
        kind,
        codec,
        codec_private: b"OpusHead".to_vec(),
        codec_delay_ns: 6_500_000,
        seek_preroll_ns: 80_000_000,
        default_duration_ns: None,
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
pub(super) fn frame(track: TrackId, number: u64) -> Frame {
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
