//! Frames that the recorded one never sent, among those that it did.

use super::*;

/// How many frames are in the recording of a talk of a minute, and how many the talk has, when somebody
/// puts a frame of this number and time before those of each track.
fn with(number: u64, timestamp_ns: u64) -> (usize, usize) {
    let disk = Disk::of(1 << 30);
    let mut recorder = Recorder::new(disk.clone(), &presence()).unwrap();
    let start = Instant::now();
    for (place, frame) in talk(60).into_iter().enumerate() {
        let now = start + Duration::from_nanos(frame.timestamp_ns);
        if place == 0 {
            for track in [SOUND, PICTURE] {
                let forged = Frame {
                    group: GroupNumber(if track == PICTURE { 4_000_000 } else { 0 }),
                    number,
                    timestamp_ns,
                    keyframe: true,
                    ..frame.clone()
                };
                recorder.frame(Frame { track, ..forged }, now).unwrap();
            }
        }
        recorder.frame(frame, now).unwrap();
    }
    let summary = recorder.finish().unwrap();
    (summary.frames as usize, talk(60).len())
}

#[test]
fn one_that_is_far_ahead_ends_no_recording() {
    for number in [1000, 1 << 20, u64::MAX] {
        for timestamp_ns in [0, 1 << 40, u64::MAX] {
            let (frames, sent) = with(number, timestamp_ns);
            assert!(
                frames * 10 > sent * 8,
                "{number} {timestamp_ns}: {frames} of {sent}"
            );
        }
    }
}
