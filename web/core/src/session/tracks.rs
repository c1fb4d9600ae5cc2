//! One's own tracks: what is said of them, and how their frames are counted.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use sottovoce::meeting::{Codec, Frame, TrackDescription, TrackKind};
use sottovoce::wire::limits::TRACKS;
use sottovoce::wire::{GroupNumber, TrackId};

/// Samples that an Opus encoder needs at 48 kHz before its sound begins, as libopus says of its own
/// (RFC 7845, section 4.2).
const PRE_SKIP: u16 = 312;

/// What a decoder needs to hear before its sound is right (RFC 7845, section 4.6).
const SEEK_PREROLL_NS: u64 = 80_000_000;

/// A track as a page describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "codec",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum OwnTrack {
    /// Sound.
    Opus {
        /// Its number, below 15.
        track: u8,
        /// 1 or 2.
        channels: u8,
        /// It is of a screen that is shown.
        #[serde(default)]
        screen: bool,
    },
    /// Pictures.
    Vp8 {
        /// Its number.
        track: u8,
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// As of sound.
        #[serde(default)]
        screen: bool,
    },
    /// Pictures.
    Vp9 {
        /// Its number.
        track: u8,
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// As of sound.
        #[serde(default)]
        screen: bool,
    },
    /// Pictures.
    Av1 {
        /// Its number.
        track: u8,
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// As of sound.
        #[serde(default)]
        screen: bool,
    },
}

/// Tracks that cannot be: a number of 15 or more, or one twice, or sound of more than two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tracks")]
pub struct TrackFault;

/// What the meeting is told of these tracks.
///
/// # Errors
/// [`TrackFault`].
pub fn describe(tracks: &[OwnTrack]) -> Result<Vec<TrackDescription>, TrackFault> {
    let all: Vec<_> = tracks.iter().map(describe_one).collect();
    let number = |one: &TrackDescription| one.track;
    let numbers: std::collections::BTreeSet<_> = all.iter().map(number).collect();
    // The last one is a vigil's own.
    let fine = |one: &TrackDescription| {
        one.track.0 < TRACKS - 1
            && !matches!(one.kind, TrackKind::Audio { channels, .. } if !(1..=2).contains(&channels))
    };
    match numbers.len() == all.len() && all.iter().all(fine) {
        true => Ok(all),
        false => Err(TrackFault),
    }
}

fn describe_one(track: &OwnTrack) -> TrackDescription {
    let picture = |track, codec, (width, height), screen| TrackDescription {
        track: TrackId(track),
        kind: TrackKind::Video { width, height },
        codec,
        codec_private: Vec::new(),
        codec_delay_ns: 0,
        seek_preroll_ns: 0,
        default_duration_ns: None,
        screen,
    };
    match *track {
        OwnTrack::Opus {
            track,
            channels,
            screen,
        } => TrackDescription {
            track: TrackId(track),
            kind: TrackKind::Audio {
                rate: 48_000,
                channels,
            },
            codec: Codec::Opus,
            codec_private: opus_head(channels),
            codec_delay_ns: u64::from(PRE_SKIP) * 1_000_000 / 48,
            seek_preroll_ns: SEEK_PREROLL_NS,
            default_duration_ns: None,
            screen,
        },
        OwnTrack::Vp8 {
            track,
            width,
            height,
            screen,
        } => picture(track, Codec::Vp8, (width, height), screen),
        OwnTrack::Vp9 {
            track,
            width,
            height,
            screen,
        } => picture(track, Codec::Vp9, (width, height), screen),
        OwnTrack::Av1 {
            track,
            width,
            height,
            screen,
        } => picture(track, Codec::Av1, (width, height), screen),
    }
}

/// The identification header (RFC 7845, section 5.1).
fn opus_head(channels: u8) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend_from_slice(&PRE_SKIP.to_le_bytes());
    head.extend_from_slice(&48_000_u32.to_le_bytes());
    // No gain; one stream.
    head.extend_from_slice(&[0, 0, 0]);
    head
}

/// An encoded frame as a page has it.
pub struct OwnFrame {
    /// On which track.
    pub track: TrackId,
    /// When it is to be presented, in microseconds on one's own media clock.
    pub timestamp: f64,
    /// In microseconds, where it is known.
    pub duration: Option<f64>,
    /// A decoder can begin here.
    pub keyframe: bool,
    /// The encoder's bytes.
    pub payload: Bytes,
}

struct Counted {
    described: bool,
    sound: bool,
    frames: u64,
    /// The group that is being sent; none before the first key frame.
    group: Option<u32>,
}

/// How many frames and groups of each track there have been.
pub(super) struct Own(BTreeMap<TrackId, Counted>);

impl Own {
    pub(super) fn new(tracks: &[TrackDescription]) -> Self {
        let counted = |track: &TrackDescription| {
            let counted = Counted {
                described: true,
                sound: matches!(track.kind, TrackKind::Audio { .. }),
                frames: 0,
                group: None,
            };
            (track.track, counted)
        };
        Self(tracks.iter().map(counted).collect())
    }

    /// Other tracks from now on. One that was there before goes on counting. Those that are no more, and how
    /// many frames each had.
    pub(super) fn change(&mut self, tracks: &[TrackDescription]) -> Vec<(TrackId, u64)> {
        let stays = |track: &TrackId| tracks.iter().any(|one| one.track == *track);
        let over = self
            .0
            .iter()
            .filter(|(track, counted)| counted.described && !stays(track));
        let over = over
            .map(|(track, counted)| (*track, counted.frames))
            .collect();
        for counted in self.0.values_mut() {
            counted.described = false;
        }
        for (track, new) in Self::new(tracks).0 {
            let counted = self.0.entry(track).or_insert(new);
            counted.described = true;
        }
        over
    }

    /// The frame with its place in the track; `None` where it has none: pictures begin with a key frame.
    pub(super) fn number(&mut self, frame: OwnFrame) -> Option<Frame> {
        let counted = self
            .0
            .get_mut(&frame.track)
            .filter(|counted| counted.described)?;
        let group = match (counted.sound, frame.keyframe) {
            (true, _) => 0,
            (false, true) => counted.group.map_or(0, |group| group.saturating_add(1)),
            (false, false) => counted.group?,
        };
        counted.group = Some(group);
        let number = counted.frames;
        counted.frames += 1;
        Some(Frame {
            track: frame.track,
            group: GroupNumber(group),
            number,
            timestamp_ns: nanoseconds(frame.timestamp),
            keyframe: frame.keyframe,
            invisible: false,
            duration_ns: frame.duration.map(nanoseconds),
            discard_padding_ns: None,
            payload: frame.payload,
        })
    }

    /// The tracks on which something was sent, and how many frames in all.
    pub(super) fn ended(&self) -> Vec<(TrackId, u64)> {
        let sent = self.0.iter();
        let sent = sent.filter(|(_, counted)| counted.described && counted.frames > 0);
        sent.map(|(track, counted)| (*track, counted.frames))
            .collect()
    }
}

/// Whatever is no time is 0, and what is too long the longest.
fn nanoseconds(microseconds: f64) -> u64 {
    (microseconds * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(track: u8, keyframe: bool) -> OwnFrame {
        OwnFrame {
            track: TrackId(track),
            timestamp: 20_000.0,
            duration: None,
            keyframe,
            payload: Bytes::new(),
        }
    }

    #[test]
    fn groups_begin_with_key_frames_and_frames_are_counted() {
        let tracks = [
            OwnTrack::Opus {
                track: 1,
                channels: 1,
                screen: false,
            },
            OwnTrack::Vp8 {
                track: 2,
                width: 320,
                height: 180,
                screen: true,
            },
        ];
        let described = describe(&tracks).expect("tracks");
        assert_eq!(described[0].codec_private.len(), 19);
        assert_eq!(described[0].codec_delay_ns, 6_500_000);
        assert_eq!([described[0].screen, described[1].screen], [false, true]);
        let mut own = Own::new(&described);
        let mut place = |track, keyframe| {
            let frame = own.number(frame(track, keyframe))?;
            Some((frame.group.0, frame.number))
        };
        assert_eq!(place(2, false), None, "nobody could begin with it");
        assert_eq!(place(2, true), Some((0, 0)));
        assert_eq!(place(2, false), Some((0, 1)));
        assert_eq!(place(2, true), Some((1, 2)));
        assert_eq!(place(1, true), Some((0, 0)));
        assert_eq!(place(1, true), Some((0, 1)));
        assert_eq!(place(3, true), None, "no such track");
        assert_eq!(own.ended(), [(TrackId(1), 2), (TrackId(2), 3)]);
    }

    #[test]
    fn a_track_that_comes_again_goes_on_counting() {
        let picture = |track| OwnTrack::Vp8 {
            track,
            width: 320,
            height: 180,
            screen: false,
        };
        let tracks = |all: &[OwnTrack]| describe(all).expect("tracks");
        let mut own = Own::new(&tracks(&[picture(1)]));
        assert!(own.number(frame(1, true)).is_some() && own.number(frame(2, true)).is_none());
        assert_eq!(own.change(&tracks(&[picture(2)])), [(TrackId(1), 1)]);
        assert!(own.number(frame(1, true)).is_none() && own.number(frame(2, true)).is_some());
        assert_eq!(own.ended(), [(TrackId(2), 1)]);
        assert_eq!(own.change(&tracks(&[picture(1), picture(2)])), []);
        let again = own
            .number(frame(1, true))
            .map(|frame| (frame.group.0, frame.number));
        assert_eq!(
            again,
            Some((1, 1)),
            "a relay takes no group that is not newer"
        );
    }

    #[test]
    fn tracks_that_cannot_be_are_refused() {
        let sound = |track, channels| OwnTrack::Opus {
            track,
            channels,
            screen: false,
        };
        for wrong in [
            vec![sound(15, 1)],
            vec![sound(1, 1), sound(1, 2)],
            vec![sound(1, 3)],
            vec![sound(255, 1)],
        ] {
            assert_eq!(describe(&wrong).err(), Some(TrackFault));
        }
        assert!(describe(&[]).is_ok());
        assert_eq!([f64::NAN, -1.0, 1.5].map(nanoseconds), [0, 0, 1500]);
    }
}
