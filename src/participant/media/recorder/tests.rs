use std::cell::RefCell;
use std::cmp::Reverse;
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::rc::Rc;

use bytes::Bytes;
use webm_iterable::WebmIterator;
use webm_iterable::matroska_spec::{Master, MatroskaSpec};

use super::*;
use crate::meeting::{Codec, TrackDescription, TrackKind};
use crate::participant::media::ebml::id;
use crate::participant::media::{MediaWarning, Source};
use crate::wire::{GroupNumber, TrackId};

const SOUND: TrackId = TrackId(0);
const PICTURE: TrackId = TrackId(1);

/// A disk of so many bytes that can be looked at while it is written to.
#[derive(Clone)]
struct Disk {
    bytes: Rc<RefCell<Cursor<Vec<u8>>>>,
    capacity: Rc<RefCell<usize>>,
}

impl Disk {
    fn of(capacity: usize) -> Self {
        let bytes = Rc::default();
        Self {
            bytes,
            capacity: Rc::new(RefCell::new(capacity)),
        }
    }

    fn contents(&self) -> Vec<u8> {
        self.bytes.borrow().get_ref().clone()
    }
}

impl Write for Disk {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.borrow_mut();
        let room = self
            .capacity
            .borrow()
            .saturating_sub(bytes.position() as usize);
        match from.len().min(room) {
            0 if !from.is_empty() => Err(io::ErrorKind::StorageFull.into()),
            some => bytes.write(&from[..some]),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.borrow_mut().seek(to)
    }
}

impl Output for Disk {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.bytes.borrow_mut().cut(length)
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn presence() -> Presence {
    let description = |track, kind, codec| TrackDescription {
        track,
        kind,
        codec,
        codec_private: Vec::new(),
        codec_delay_ns: 0,
        seek_preroll_ns: 0,
        default_duration_ns: None,
    };
    Presence {
        name: "Ada".into(),
        tracks: vec![
            description(
                PICTURE,
                TrackKind::Video {
                    width: 32,
                    height: 16,
                },
                Codec::Vp8,
            ),
            description(
                SOUND,
                TrackKind::Audio {
                    rate: 48_000,
                    channels: 1,
                },
                Codec::Opus,
            ),
        ],
        timestamp_scale_ns: 1_000_000,
        tag: [0; 16],
    }
}

fn sound_only() -> Presence {
    let mut presence = presence();
    presence.tracks.remove(0);
    presence
}

fn frame(track: TrackId, group: u32, number: u64, at_ms: u64) -> Frame {
    let mut payload = vec![0x48; 60];
    payload.extend(number.to_be_bytes());
    Frame {
        track,
        group: GroupNumber(group),
        number,
        timestamp_ns: at_ms * 1_000_000,
        keyframe: true,
        invisible: false,
        duration_ns: None,
        discard_padding_ns: None,
        payload: payload.into(),
    }
}

/// Sound of 20 ms a frame.
fn sound(number: u64) -> Frame {
    frame(SOUND, 0, number, 20 * number)
}

/// Ten pictures a second, a key frame each two seconds.
fn picture(number: u64) -> Frame {
    let mut frame = frame(PICTURE, (number / 20) as u32, number, 100 * number);
    frame.keyframe = number.is_multiple_of(20);
    let size = if frame.keyframe { 3000 } else { 300 };
    frame.payload = vec![number as u8; size].into();
    frame
}

/// A talk of so many seconds, in the order in which it is sent.
fn talk(seconds: u64) -> Vec<Frame> {
    let mut frames: Vec<_> = (0..50 * seconds).map(sound).collect();
    frames.extend((0..10 * seconds).map(picture));
    frames.sort_by_key(|frame| (frame.timestamp_ns, Reverse(frame.track)));
    frames
}

/// Another library, which is strict about sizes and places, finds nothing wrong, and the index
/// leads to clusters.
fn judge(bytes: Vec<u8>) {
    let mut segment = 0;
    let mut tags = WebmIterator::new(Cursor::new(&bytes), &[]);
    while let Some(tag) = tags.next() {
        match tag.unwrap_or_else(|error| panic!("no proper WebM: {error}")) {
            MatroskaSpec::Segment(Master::Start) => segment = tags.last_emitted_tag_offset() + 12,
            MatroskaSpec::CueClusterPosition(position) => {
                let cluster = &bytes[segment + position as usize..];
                assert!(cluster.starts_with(&id::CLUSTER.to_be_bytes()));
            }
            _ => {}
        }
    }
}

/// Track, milliseconds and payload of the frames in a file.
fn read(bytes: Vec<u8>) -> Vec<(TrackId, u64, Bytes)> {
    judge(bytes.clone());
    let mut source = Source::from_reader(Cursor::new(bytes)).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        frames.push((frame.track, frame.timestamp_ns / 1_000_000, frame.payload));
    }
    assert_eq!(source.take_warnings(), []);
    frames
}

fn record_all(disk: &Disk, frames: &[Frame]) -> Result<Summary, MediaError> {
    let start = Instant::now();
    let mut recorder = Recorder::new(disk.clone(), &presence())?;
    let mut outcome = Ok(());
    for frame in frames {
        let now = start + Duration::from_nanos(frame.timestamp_ns);
        let result = recorder.frame(frame.clone(), now);
        assert!(outcome.is_ok() || result.is_ok(), "an error is told once");
        outcome = outcome.and(result);
    }
    let finished = recorder.finish();
    assert!(outcome.is_ok() || finished.is_ok(), "an error is told once");
    assert!(recorder.finish().is_ok());
    outcome.and(finished)
}

#[test]
fn what_is_recorded_is_read_again() {
    let disk = Disk::of(usize::MAX);
    let frames = talk(7);
    let summary = record_all(&disk, &frames).unwrap();
    let expected: Vec<_> = frames
        .iter()
        .map(|frame| {
            (
                frame.track,
                frame.timestamp_ns / 1_000_000,
                frame.payload.clone(),
            )
        })
        .collect();
    assert!(read(disk.contents()) == expected);
    assert_eq!(summary.frames, 420);
    assert_eq!(summary.left_out, 0);
    assert_eq!(summary.duration, ms(7000));
    assert_eq!(summary.bytes, disk.contents().len() as u64);
}

#[test]
fn on_a_full_disk_the_recording_ends_playable_and_it_is_told_once() {
    let whole = Disk::of(usize::MAX);
    let frames = talk(7);
    record_all(&whole, &frames).unwrap();
    let all = read(whole.contents());
    let size = whole.contents().len();
    for capacity in (0..size).step_by(331) {
        let disk = Disk::of(capacity);
        assert_eq!(
            record_all(&disk, &frames),
            Err(MediaError::DiskFull),
            "{capacity} bytes"
        );
        let contents = disk.contents();
        assert!(contents.len() <= capacity);
        if contents.is_empty() {
            assert!(capacity < 500, "no room for the head");
            continue;
        }
        let clusters = contents
            .windows(4)
            .filter(|w| *w == id::CLUSTER.to_be_bytes())
            .count();
        if clusters > 0 {
            let found = read(contents.clone());
            assert!(found == all[..found.len()], "{capacity} bytes");
            // All that there is room for but for the frame that did not fit.
            assert!(
                contents.len() + 3100 > capacity,
                "{capacity} bytes, {} used",
                contents.len()
            );
        }
        let unknown = contents
            .windows(8)
            .filter(|w| *w == ebml::UNKNOWN_SIZE)
            .count();
        assert_eq!(unknown, 0, "{capacity} bytes: all sizes are put in place");
    }
}

#[test]
fn what_the_full_disk_cut_off_is_not_counted() {
    let disk = Disk::of(20_000);
    let start = Instant::now();
    let mut recorder = Recorder::new(disk.clone(), &presence()).unwrap();
    let frames = talk(7);
    for frame in &frames {
        let now = start + Duration::from_nanos(frame.timestamp_ns);
        let _ = recorder.frame(frame.clone(), now);
    }
    let summary = recorder.finish().unwrap();
    let found = read(disk.contents());
    assert_eq!(summary.frames, found.len() as u64);
    assert_eq!(summary.frames + summary.left_out, frames.len() as u64);
    let last = ms(found.last().unwrap().1);
    assert!(
        summary.duration > last && summary.duration <= last + ms(100),
        "{summary:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_without_room_is_told_at_once() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(
        Recorder::new(full, &presence()).map(|_| ()),
        Err(MediaError::DiskFull)
    );
}

#[test]
fn a_killed_process_loses_two_seconds_at_most() {
    let disk = Disk::of(usize::MAX);
    let start = Instant::now();
    let mut recorder = Recorder::new(disk.clone(), &presence()).unwrap();
    // So that it is not just at key frames that the file is written to.
    recorder.tick(start - ms(240)).unwrap();
    for frame in talk(9) {
        let now_ms = frame.timestamp_ns / 1_000_000;
        recorder.frame(frame, start + ms(now_ms)).unwrap();
        if now_ms >= 1000 {
            let mut source = Source::from_reader(Cursor::new(disk.contents())).unwrap();
            let mut last = [0; 2];
            while let Some(frame) = source.next_frame().unwrap() {
                last[usize::from(frame.track.0)] = frame.timestamp_ns / 1_000_000;
            }
            assert!(
                last.iter().all(|last| last + 700 >= now_ms),
                "at {now_ms} only {last:?}"
            );
            assert_eq!(source.take_warnings(), []);
        }
    }
    // One that goes away without a word finishes, too.
    drop(recorder);
    assert_eq!(read(disk.contents()).len(), 540);
}

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

#[test]
fn times_past_16_bits_begin_a_cluster() {
    for scale_ns in [1_000, 1_000_000] {
        let disk = Disk::of(usize::MAX);
        let mut presence = sound_only();
        presence.timestamp_scale_ns = scale_ns;
        let start = Instant::now();
        let mut recorder = Recorder::new(disk.clone(), &presence).unwrap();
        let times = [0, 20, 60, 90, 40_000, 40_020, 3_600_000];
        for (number, at_ms) in (0..).zip(times) {
            recorder
                .frame(frame(SOUND, 0, number, at_ms), start + ms(at_ms))
                .unwrap();
        }
        recorder.finish().unwrap();
        assert!(
            read(disk.contents()).iter().map(|frame| frame.1).eq(times),
            "{scale_ns}"
        );
    }
}

#[test]
fn a_participant_without_frames_leaves_no_file_and_one_without_tracks_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(directory.path(), &presence()).unwrap();
    assert!(recorder.path().unwrap().exists());
    assert_eq!(recorder.finish(), Ok(Summary::default()));
    let mut nobody = presence();
    nobody.tracks.clear();
    let made = Recorder::create(directory.path(), &nobody).map(|_| ());
    assert_eq!(made, Err(MediaError::NothingToRecord));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_stranger_can_describe_itself_in_any_way() {
    let mut presence = presence();
    presence.timestamp_scale_ns = 0;
    for track in 0..=255 {
        let mut description = presence.tracks[0].clone();
        description.track = TrackId(track);
        description.kind = TrackKind::Video {
            width: 0,
            height: u32::MAX,
        };
        description.default_duration_ns = Some(u64::MAX);
        description.codec_delay_ns = u64::MAX;
        description.codec_private = vec![0xFF; 30_000];
        presence.tracks.push(description);
    }
    let disk = Disk::of(usize::MAX);
    let now = Instant::now();
    let mut recorder = Recorder::new(disk.clone(), &presence).unwrap();
    for (number, at) in [(0, 0), (1, u64::MAX), (2, 1), (u64::MAX, 2)] {
        for track in 0..=255 {
            let mut odd = frame(TrackId(track), 0, number, 0);
            odd.timestamp_ns = at;
            odd.duration_ns = Some(u64::MAX);
            odd.discard_padding_ns = Some(i64::MIN);
            recorder.frame(odd, now).unwrap();
        }
    }
    let summary = recorder.finish().unwrap();
    assert!(summary.frames > 0 && summary.left_out > 0);
    judge(disk.contents());
}

#[test]
fn a_warning_is_not_hidden_by_the_tests_of_this_file() {
    // `read` relies on it: a recording that is cut is told.
    let disk = Disk::of(usize::MAX);
    record_all(&disk, &talk(3)).unwrap();
    let mut bytes = disk.contents();
    bytes.truncate(bytes.len() - 100);
    let mut source = Source::from_reader(Cursor::new(bytes)).unwrap();
    while source.next_frame().unwrap().is_some() {}
    assert_eq!(source.take_warnings(), [MediaWarning::Truncated]);
}
