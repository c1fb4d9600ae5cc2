//! What of one's own media shows from outside, to a relay that can open none of it: a mute that looks
//! like speaking, and whether sizes say when somebody speaks.

use std::collections::BTreeMap;

use super::media::{is_one_stream, silence};
use crate::meeting::{Codec, Frame, TrackDescription};
use crate::wire::TrackId;

/// So many changes of size are no accident of a beginning or an end.
const CHANGES: u32 = 10;

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
pub(super) struct Sizes(BTreeMap<TrackId, (usize, u32)>);

impl Sizes {
    /// The next frame of a track is so large; `true` once they cannot be called constant.
    pub(super) fn vary(&mut self, track: TrackId, size: usize) -> bool {
        let (last, changes) = self.0.entry(track).or_insert((size, 0));
        if std::mem::replace(last, size) != size {
            *changes = changes.saturating_add(1);
        }
        *changes >= CHANGES
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
        let speech = (0..20).map(|number| 60 + number % 2);
        assert!(speech.map(|size| sizes.vary(TRACK, size)).last() == Some(true));
    }

    #[test]
    fn two_tracks_of_two_sizes_are_constant() {
        let mut sizes = Sizes::default();
        let mut varies = |track, size| sizes.vary(TrackId(track), size);
        assert!(!(0..100).any(|_| varies(1, 60) || varies(2, 80)));
    }
}
