//! Recordings in memory, read again by ourselves and by another library.

mod forged;
mod full_disk;
mod gaps;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::rc::Rc;

use bytes::Bytes;
use webm_iterable::WebmIterator;
use webm_iterable::matroska_spec::{Master, MatroskaSpec};

use super::*;
use crate::meeting::TrackKind;
use crate::participant::media::ebml::id;
use crate::participant::media::{MediaWarning, Source};
use crate::participant::samples;
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
    samples::presence(vec![samples::picture(PICTURE), samples::sound(SOUND)])
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
        group: GroupNumber(group),
        ..samples::frame(track, number, at_ms, payload)
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
