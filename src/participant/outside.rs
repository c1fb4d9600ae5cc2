//! What of one's own media shows from outside, to a relay that can open none of it: a mute that looks
//! like speaking, and whether sizes say when somebody speaks.

use std::collections::{BTreeMap, VecDeque};

use super::media::{is_one_stream, silence};
use crate::meeting::{Codec, Frame, TrackDescription};
use crate::wire::TrackId;

/// So many changes of size within [`NEWEST`] frames are no accident of a beginning or an end: a file that
/// is played again each 12 s has fewer, whoever leaves silence out and pauses five times a minute does not.
const CHANGES: usize = 10;

/// The frames of a track that are looked at: a minute of 20 ms each.
const NEWEST: u64 = 3000;

/// Puts silence in the place of sound, and leaves out pictures.
#[derive(Default)]
pub(super) struct Mute {
    on: bool,
    tracks: BTreeMap<TrackId, Muted>,
}

#[derive(Default)]
struct Muted {
    /// Frames that were left out: those that follow are numbered as if they had never been.
    left_out: u64,
    /// Left out until a decoder can begin again.
    broken: bool,
}

impl Mute {
    /// On or off from the next frame on; `false` when it was so already.
    pub(super) fn set(&mut self, on: bool) -> bool {
        std::mem::replace(&mut self.on, on) != on
    }

    /// What is sent of a frame of that track.
    pub(super) fn pass(&mut self, track: &TrackDescription, mut frame: Frame) -> Option<Frame> {
        let muted = self.tracks.entry(frame.track).or_default();
        let sound = track.codec == Codec::Opus;
        let silent = (self.on && is_one_stream(track))
            .then(|| silence(&frame.payload))
            .flatten();
        let goes = match (self.on, silent) {
            (true, Some(silent)) => {
                frame.payload = silent;
                true
            }
            (true, None) => false,
            (false, _) => sound || !muted.broken || frame.keyframe,
        };
        muted.broken = !goes;
        if !goes {
            muted.left_out += 1;
            return None;
        }
        frame.number = frame.number.saturating_sub(muted.left_out);
        Some(frame)
    }
}

/// Whether sound is of a constant size on each track.
#[derive(Default)]
pub(super) struct Sizes(BTreeMap<TrackId, Changing>);

struct Changing {
    size: usize,
    frames: u64,
    /// The newest [`CHANGES`] frames that had another size than the one before.
    changes: VecDeque<u64>,
    varies: bool,
}

impl Sizes {
    /// The next frame of a track is so large; `true` when sizes begin to vary with it. They do until they
    /// have stayed the same for [`NEWEST`] frames.
    pub(super) fn vary(&mut self, track: TrackId, size: usize) -> bool {
        let track = self.0.entry(track).or_insert_with(|| Changing {
            size,
            frames: 0,
            changes: VecDeque::new(),
            varies: false,
        });
        track.frames = track.frames.saturating_add(1);
        if std::mem::replace(&mut track.size, size) != size {
            track.changes.push_back(track.frames);
            if track.changes.len() > CHANGES {
                track.changes.pop_front();
            }
        }
        let oldest_counted = track.frames.saturating_sub(NEWEST);
        let counts = |change: Option<&u64>| change.is_some_and(|at| *at > oldest_counted);
        track.varies &= counts(track.changes.back());
        let many = track.changes.len() == CHANGES && counts(track.changes.front());
        many && !std::mem::replace(&mut track.varies, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participant::samples;

    const TRACK: TrackId = TrackId(1);

    /// 20 ms of hybrid fullband, as far as its first byte says.
    const SPEECH: [u8; 60] = [0x78; 60];

    fn opus(mapping: u8) -> TrackDescription {
        let mut head = b"OpusHead\x01\x01........".to_vec();
        head.push(mapping);
        TrackDescription {
            codec_private: head,
            ..samples::sound(TRACK)
        }
    }

    #[test]
    fn sound_goes_on_as_silence_of_the_same_size() {
        let (mut mute, track) = (Mute::default(), opus(0));
        for number in 0..30 {
            let muted = (10..20).contains(&number);
            mute.set(muted);
            let frame = samples::frame(TRACK, number, number * 20, &SPEECH[..]);
            let passed = mute.pass(&track, frame.clone()).expect("each one goes");
            assert_eq!(passed.payload.len(), frame.payload.len());
            assert_eq!(passed.payload == frame.payload, !muted);
            assert_eq!(
                (passed.number, passed.timestamp_ns),
                (frame.number, frame.timestamp_ns)
            );
        }
    }

    #[test]
    fn pictures_stop_and_go_on_with_a_key_frame_as_if_nothing_had_been_left_out() {
        let (mut mute, track) = (Mute::default(), samples::picture(TRACK));
        let mut numbers = Vec::new();
        for number in 0..40 {
            mute.set((13..21).contains(&number));
            let mut frame = samples::frame(TRACK, number, number, &b"picture"[..]);
            frame.keyframe = number % 10 == 0;
            numbers.extend(mute.pass(&track, frame).map(|frame| (frame.number, number)));
        }
        let before = (0..13).map(|number| (number, number));
        let after = (30..40).map(|number| (number - 17, number));
        assert!(numbers.into_iter().eq(before.chain(after)));
    }

    #[test]
    fn what_cannot_be_made_silent_is_not_sent() {
        let mut mute = Mute::default();
        assert!(mute.set(true) && !mute.set(true));
        let frame = |payload: &[u8]| samples::frame(TRACK, 7, 0, payload.to_vec());
        assert!(mute.pass(&opus(1), frame(&SPEECH)).is_none(), "surround");
        assert!(mute.pass(&opus(0), frame(&[])).is_none(), "no packet");
        assert!(mute.pass(&opus(0), frame(&SPEECH)).is_some());
        assert!(mute.set(false));
        let passed = mute.pass(&opus(1), frame(&SPEECH)).expect("it is sent");
        assert!(passed.payload == SPEECH[..], "untouched");
    }

    #[test]
    fn sizes_that_vary_are_noticed_and_an_odd_one_is_not() {
        let mut sizes = Sizes::default();
        let mut constant = [50].into_iter().chain([60; 1000]).chain([20]);
        assert!(!constant.any(|size| sizes.vary(TRACK, size)));
        let mut sizes = Sizes::default();
        let mut speech = (0..20).map(|number| 60 + number % 2);
        assert!(speech.any(|size| sizes.vary(TRACK, size)));
    }

    #[test]
    fn odd_ones_do_not_add_up_over_a_long_time() {
        let mut sizes = Sizes::default();
        // A day, with an odd one each 15 s.
        let mut day = (0..4_320_000).map(|number| if number % 750 == 0 { 50 } else { 60 });
        assert!(!day.any(|size| sizes.vary(TRACK, size)));
    }

    #[test]
    fn it_is_said_when_they_begin_to_vary_and_again_only_after_they_did_not() {
        let mut sizes = Sizes::default();
        let mut told = |count: u64, speech: bool| {
            let sizes = &mut sizes;
            let size = |number: u64| if speech { 60 + number as usize % 7 } else { 60 };
            let varies = (0..count).filter(|number| sizes.vary(TRACK, size(*number)));
            varies.count()
        };
        assert_eq!(told(100_000, false), 0);
        assert_eq!(told(100_000, true), 1);
        assert_eq!(told(NEWEST / 2, false), 0);
        assert_eq!(told(1000, true), 0, "it never stopped");
        assert_eq!(told(2 * NEWEST, false), 0);
        assert_eq!(told(1000, true), 1);
    }

    /// Silence is left out, or a byte.
    #[test]
    fn pauses_are_noticed() {
        let mut sizes = Sizes::default();
        let mut paused = (0..3000).map(|number| if number % 500 < 400 { 60 } else { 1 });
        assert!(paused.any(|size| sizes.vary(TRACK, size)));
    }

    #[test]
    fn two_tracks_of_two_sizes_are_constant() {
        let mut sizes = Sizes::default();
        let mut varies = |track, size| sizes.vary(TrackId(track), size);
        assert!(!(0..100).any(|_| varies(1, 60) || varies(2, 80)));
    }
}
