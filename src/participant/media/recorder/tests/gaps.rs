//! What is missing, and who comes back.

use super::*;

#[test]
fn a_picture_is_taken_up_again_at_the_next_key_frame() {
    let disk = Disk::of(usize::MAX);
    let mut frames = talk(7);
    frames.retain(|frame| frame.track == SOUND || !(25..27).contains(&frame.number));
    let summary = record_all(&disk, &frames).unwrap();
    let pictures: Vec<_> = read(disk.contents())
        .iter()
        .filter(|frame| frame.0 == PICTURE)
        .map(|frame| frame.1 / 100)
        .collect();
    let expected: Vec<_> = (0..25).chain(40..70).collect();
    assert_eq!(pictures, expected);
    assert_eq!(summary.left_out, 13);
}

#[test]
fn sound_that_is_lost_leaves_a_gap_of_its_length() {
    let disk = Disk::of(usize::MAX);
    let mut frames = talk(3);
    frames.retain(|frame| frame.track == PICTURE || frame.number % 7 != 2);
    record_all(&disk, &frames).unwrap();
    let sounds = read(disk.contents())
        .into_iter()
        .filter(|frame| frame.0 == SOUND);
    let expected = (0..150)
        .filter(|number| number % 7 != 2)
        .map(|number| 20 * number);
    assert!(sounds.map(|frame| frame.1).eq(expected));
}

#[test]
fn after_a_reconnection_the_same_file_goes_on_in_time() {
    for (clock, away_ms, resumes_at) in [
        ("went on", 5000, 7000),
        ("stood still", 60_000, 2000),
        ("began anew", 60_000, 0),
    ] {
        let disk = Disk::of(usize::MAX);
        let start = Instant::now();
        let mut recorder = Recorder::new(disk.clone(), &presence()).unwrap();
        for frame in talk(2) {
            let now = start + Duration::from_nanos(frame.timestamp_ns);
            recorder.frame(frame, now).unwrap();
        }
        let back = start + ms(2000 + away_ms);
        assert_eq!(recorder.resume(&presence(), back), Ok(true));
        for mut frame in talk(2) {
            let now = back + Duration::from_nanos(frame.timestamp_ns);
            frame.timestamp_ns += resumes_at * 1_000_000;
            if clock != "began anew" {
                frame.number += 1000;
                frame.group.0 += u32::from(frame.track == PICTURE) * 100;
            }
            recorder.frame(frame, now).unwrap();
        }
        let summary = recorder.finish().unwrap();
        assert_eq!(summary.left_out, 0, "{clock}");
        let found = read(disk.contents());
        assert_eq!(found.len(), 240, "{clock}");
        let first = |track| {
            found[120..]
                .iter()
                .find(|frame| frame.0 == track)
                .unwrap()
                .1
        };
        let expected = 2000 + away_ms;
        assert!(
            first(SOUND).abs_diff(expected) <= 20,
            "{clock}: {}",
            first(SOUND)
        );
        assert_eq!(first(SOUND), first(PICTURE), "{clock}: in step");
    }
}

#[test]
fn who_comes_back_with_other_tracks_needs_another_file() {
    let now = Instant::now();
    let mut recorder = Recorder::new(Disk::of(usize::MAX), &presence()).unwrap();
    assert_eq!(recorder.resume(&sound_only(), now), Ok(false));
}

#[test]
fn a_group_that_comes_again_after_a_reconnection_is_not_written_twice() {
    let disk = Disk::of(usize::MAX);
    let start = Instant::now();
    let mut recorder = Recorder::new(disk.clone(), &presence()).unwrap();
    let frames = talk(5);
    let (before, after): (Vec<_>, Vec<_>) = frames
        .into_iter()
        .partition(|frame| frame.timestamp_ns < 3_000_000_000);
    for frame in before {
        let now = start + Duration::from_nanos(frame.timestamp_ns);
        recorder.frame(frame, now).unwrap();
    }
    let back = start + ms(3100);
    recorder.resume(&presence(), back).unwrap();
    for number in 20..31 {
        recorder.frame(picture(number), back).unwrap();
    }
    for frame in after {
        let now = start + Duration::from_nanos(frame.timestamp_ns).max(ms(3100));
        recorder.frame(frame, now).unwrap();
    }
    recorder.finish().unwrap();
    let found = read(disk.contents());
    for track in [SOUND, PICTURE] {
        let times: Vec<_> = found.iter().filter(|f| f.0 == track).map(|f| f.1).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }
    assert_eq!(found.len(), 300);
}
