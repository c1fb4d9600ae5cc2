use std::io;

use proptest::prelude::*;

use super::*;
use crate::meeting::Codec;
use crate::participant::media::Source;
use crate::participant::samples;
use crate::wire::TrackId;

const SOUND: TrackId = TrackId(0);
const PICTURE: TrackId = TrackId(1);

fn presence() -> Presence {
    samples::presence(vec![samples::sound(SOUND), samples::picture(PICTURE)])
}

fn frame(track: TrackId, number: u64, at_ms: u64, keyframe: bool) -> Frame {
    Frame {
        keyframe,
        ..samples::frame(track, number, at_ms, vec![0x48, number as u8])
    }
}

/// Tracks and times, in nanoseconds.
fn found_ns(bytes: &[u8]) -> Vec<(u8, u64)> {
    let mut source = Source::from_reader(io::Cursor::new(bytes.to_vec())).unwrap();
    let mut found = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        found.push((frame.track.0, frame.timestamp_ns));
    }
    found
}

/// Tracks and times, in milliseconds.
fn found(bytes: &[u8]) -> Vec<(u8, u64)> {
    let found = found_ns(bytes).into_iter();
    found.map(|(track, ns)| (track, ns / 1_000_000)).collect()
}

/// A moment of the virtual clock.
struct Clockwork(Instant);

impl Clockwork {
    fn at(&self, ms: u64) -> Instant {
        self.0 + Duration::from_millis(ms)
    }
}

fn clockwork() -> Clockwork {
    Clockwork(Instant::now())
}

fn heads(output: &[u8]) -> usize {
    let head = output.windows(4).filter(|bytes| *bytes == b"webm");
    head.count()
}

/// The times of one track, in nanoseconds; fails when they go back or stand still.
fn times_ns(output: &[u8], track: TrackId) -> Vec<u64> {
    let found = found_ns(output).into_iter();
    let times: Vec<u64> = found
        .filter_map(|(of, time)| (of == track.0).then_some(time))
        .collect();
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
    times
}

/// Likewise in milliseconds.
fn times(output: &[u8], track: TrackId) -> Vec<u64> {
    let times = times_ns(output, track).into_iter();
    times.map(|ns| ns / 1_000_000).collect()
}

#[test]
fn it_begins_with_the_first_key_frame_and_each_frame_is_out_at_once() {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    live.frame(&frame(SOUND, 0, 5000, true), clock.at(0))
        .unwrap();
    live.frame(&frame(PICTURE, 7, 5000, false), clock.at(0))
        .unwrap();
    assert!(live.output.is_empty());
    let shown = [
        (frame(PICTURE, 8, 5100, true), 100, (1, 0)),
        (frame(SOUND, 6, 5110, true), 110, (0, 10)),
        // Late, and shown as early as it was taken.
        (frame(PICTURE, 9, 5200, false), 230, (1, 100)),
        // A minute of silence: past the 16 bits of a cluster.
        (frame(SOUND, 7, 65_100, true), 60_100, (0, 60_000)),
    ];
    for (count, (frame, came, _)) in (1..).zip(&shown) {
        assert_eq!(live.frame(frame, clock.at(*came)), Ok(LiveState::Open));
        assert_eq!(found(live.output).len(), count);
    }
    // After a gap: left out.
    live.frame(&frame(PICTURE, 11, 5400, false), clock.at(60_200))
        .unwrap();
    let expected: Vec<_> = shown.iter().map(|(_, _, expected)| *expected).collect();
    assert_eq!(found(&output), expected);
}

/// A newcomer gets a group that began two seconds ago, from its beginning, while sound is live.
/// Times of sound and of picture, and how far the clock had come with the last of them.
fn newcomer(sound_before: bool) -> (Vec<u64>, Vec<u64>, u64) {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    if sound_before {
        live.frame(&frame(SOUND, 99, 7000, true), clock.at(0))
            .unwrap();
    }
    for number in 0..50 {
        let old = frame(PICTURE, number, 5000 + 40 * number, number == 0);
        live.frame(&old, clock.at(number / 5)).unwrap();
    }
    for number in 0..100 {
        let came = clock.at(40 + 40 * number);
        let ms = 7040 + 40 * number;
        live.frame(&frame(SOUND, 100 + number, ms, true), came)
            .unwrap();
        live.frame(&frame(PICTURE, 50 + number, ms - 40, false), came)
            .unwrap();
    }
    (times(&output, SOUND), times(&output, PICTURE), 4000)
}

#[test]
fn who_comes_late_is_at_what_is_live_at_once() {
    for sound_before in [false, true] {
        let (sound, picture, now) = newcomer(sound_before);
        assert_eq!((sound.len(), picture.len()), (100, 150));
        assert_eq!(picture[0], 0);
        let behind = |times: &[u64]| now - times.last().unwrap();
        assert_eq!(behind(&sound), 0, "live");
        assert_eq!(
            behind(&picture),
            40,
            "as far behind the sound as it was sent"
        );
        assert!(picture[49] < 100, "what is old passes at once: {picture:?}");
        // From there on all is as far apart as it was.
        assert!(picture[55..].is_sorted_by(|one, next| next - one == 40));
        assert!(sound.is_sorted_by(|one, next| next - one == 40));
    }
}

#[test]
fn one_who_leaves_and_returns_goes_on_in_the_same_stream() {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    let two = |live: &mut LiveWriter<_>, first_ms, came| {
        for number in 0..10 {
            let (ms, now) = (first_ms + 40 * number, clock.at(came + 40 * number));
            live.frame(&frame(PICTURE, number, ms, number == 0), now)
                .unwrap();
            live.frame(&frame(SOUND, number, ms, true), now).unwrap();
        }
    };
    two(&mut live, 90_000, 0);
    // The sizes may be others, and the track numbers: sound and picture change places.
    let mut returned = presence();
    for track in &mut returned.tracks {
        track.track = TrackId(1 - track.track.0);
        if let TrackKind::Video { width, .. } = &mut track.kind {
            *width = 640;
        }
    }
    assert!(live.switch(&returned));
    for number in 0..10 {
        let (ms, now) = (40 * number, clock.at(5000 + 40 * number));
        live.frame(&frame(SOUND, number, ms, number == 0), now)
            .unwrap();
        live.frame(&frame(PICTURE, number, ms, true), now).unwrap();
    }
    assert!(live.switch(&presence()));
    two(&mut live, 0, 9000);
    assert_eq!(heads(&output), 1);
    let expected: Vec<u64> = [0, 5000, 9000]
        .iter()
        .flat_map(|begin| (0..10).map(move |number| begin + 40 * number))
        .collect();
    assert_eq!(times(&output, PICTURE), expected);
    assert_eq!(times(&output, SOUND), expected);
}

#[test]
fn what_the_head_does_not_say_is_left_out_and_told() {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    live.frame(&frame(PICTURE, 0, 0, true), clock.at(0))
        .unwrap();
    let mut other = presence();
    other.tracks[1].codec = Codec::Vp9;
    assert!(!live.switch(&other));
    // Nor is such a picture waited for.
    live.frame(&frame(SOUND, 0, 0, true), clock.at(100))
        .unwrap();
    live.frame(&frame(PICTURE, 0, 0, true), clock.at(100))
        .unwrap();
    // More than two channels, and which they are is in the head only.
    other.tracks[0].codec_private = b"OpusHead\x01\x04..rate..\x01\x02\x02".to_vec();
    assert!(!live.switch(&other));
    live.frame(&frame(SOUND, 0, 0, true), clock.at(200))
        .unwrap();
    assert!(live.switch(&presence()), "what fits is shown again");
    live.frame(&frame(PICTURE, 0, 0, true), clock.at(300))
        .unwrap();
    assert_eq!(found(&output), [(1, 0), (0, 100), (1, 300)]);
    assert_eq!(heads(&output), 1);
}

/// A decoder makes the sound as much louder or softer as the head says (RFC 7845, section 5.1).
#[test]
fn sound_of_another_gain_would_be_as_loud_as_the_one_before() {
    let with = |head: &[u8]| {
        let mut presence = presence();
        presence.tracks[0].codec_private = head.to_vec();
        presence
    };
    let plain = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
    let another_delay = b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";
    let louder = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x0a\x00";
    let mut live = LiveWriter::new(Vec::new(), &with(plain)).unwrap();
    live.frame(&frame(PICTURE, 0, 0, true), Instant::now())
        .unwrap();
    assert!(live.switch(&with(another_delay)));
    assert!(live.switch(&presence()), "no head is a plain one");
    assert!(!live.switch(&with(louder)));
}

#[test]
fn nobody_was_shown_yet_so_the_next_one_makes_the_head() {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    live.frame(&frame(SOUND, 0, 0, true), clock.at(0)).unwrap();
    let mut sound = presence();
    sound.tracks.truncate(1);
    assert!(live.switch(&sound));
    live.frame(&frame(SOUND, 0, 0, true), clock.at(100))
        .unwrap();
    assert!(!live.switch(&presence()), "a picture where there was none");
    assert_eq!(found(&output), [(0, 0)]);
}

#[test]
fn a_sender_whose_clock_was_set_back_is_live_again() {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    for number in 0..100 {
        let ms = 40 * number + if number < 50 { 3_600_000 } else { 0 };
        let now = clock.at(40 * number);
        live.frame(&frame(PICTURE, number, ms, number == 0), now)
            .unwrap();
    }
    let expected: Vec<u64> = (0..100).map(|number| 40 * number).collect();
    assert_eq!(times(&output, PICTURE), expected);
}

/// The current group of a camera that seldom makes key frames, from a sender whose clock ticks
/// as coarsely as any.
#[test]
fn a_long_group_that_comes_at_once_is_live_soon() {
    let mut output = Vec::new();
    let clock = clockwork();
    let mut coarse = presence();
    coarse.timestamp_scale_ns = 10_000_000;
    let mut live = LiveWriter::new(&mut output, &coarse).unwrap();
    for number in 0..1500 {
        let old = frame(PICTURE, number, 40 * number, number == 0);
        live.frame(&old, clock.at(number / 100)).unwrap();
    }
    let behind = |live: &LiveWriter<&mut Vec<u8>>, now| {
        let picture = *times(live.output, PICTURE).last().unwrap();
        picture.abs_diff(now)
    };
    assert!(behind(&live, 14) <= 150, "{}", behind(&live, 14));
    for number in 1500..1506 {
        let now = 14 + 40 * (number - 1499);
        let new = frame(PICTURE, number, 40 * number, false);
        live.frame(&new, clock.at(now)).unwrap();
    }
    assert_eq!(behind(&live, 254), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_a_sender_says_time_goes_on_and_not_past_now(
        scale in prop_oneof![any::<u64>(), 1..=10_000_000u64],
        // How long after the one before it comes: many at once, now and then.
        frames in proptest::collection::vec(
            (
                prop_oneof![3 => Just(0), 1 => 0..40u64],
                any::<bool>(),
                prop_oneof![any::<u64>(), 0..5_000_000_000u64],
            ),
            1..200,
        ),
    ) {
        let mut output = Vec::new();
        let clock = clockwork();
        let mut described = presence();
        described.timestamp_scale_ns = scale;
        let mut live = LiveWriter::new(&mut output, &described).unwrap();
        live.frame(&frame(PICTURE, 0, 0, true), clock.at(0)).unwrap();
        let mut now = 0;
        for (number, (after, picture, timestamp_ns)) in (1..).zip(&frames) {
            now += after;
            let track = if *picture { PICTURE } else { SOUND };
            let frame = Frame { timestamp_ns: *timestamp_ns, ..frame(track, number, 0, true) };
            live.frame(&frame, clock.at(now)).unwrap();
            let shown = found_ns(live.output);
            prop_assert_eq!(shown.len() as u64, number + 1);
            // Of a track's frames that come at once, each is a tenth of a millisecond after another.
            let latest = now * 1_000_000 + (number + 1) * 100_000;
            prop_assert!(shown.last().unwrap().1 <= latest, "{:?} at {} ms", shown.last(), now);
        }
        for track in [SOUND, PICTURE] {
            times_ns(&output, track);
        }
    }
}

#[test]
fn a_picture_that_never_comes_does_not_keep_the_sound() {
    let mut output = Vec::new();
    let start = Instant::now();
    let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
    for number in 0..200 {
        let now = start + Duration::from_millis(20 * number);
        live.frame(&frame(SOUND, number, 20 * number, true), now)
            .unwrap();
    }
    assert_eq!(found(&output).len(), 50);
}

struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_a_clean_end_and_other_errors_are_not() {
    let now = Instant::now();
    let key = frame(PICTURE, 0, 0, true);
    let mut live = LiveWriter::new(Broken(io::ErrorKind::BrokenPipe), &presence()).unwrap();
    assert_eq!(live.frame(&key, now), Ok(LiveState::Closed));
    assert_eq!(
        live.frame(&frame(PICTURE, 1, 40, false), now),
        Ok(LiveState::Closed)
    );
    let mut live = LiveWriter::new(Broken(io::ErrorKind::StorageFull), &presence()).unwrap();
    assert_eq!(live.frame(&key, now), Err(MediaError::OutputFull));
    assert_eq!(live.frame(&key, now), Ok(LiveState::Closed), "told once");
}
