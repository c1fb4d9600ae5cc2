//! Sources: the fixtures, pipes, and files made here.

mod damage;

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::mpsc;

use super::*;
use crate::meeting::Codec;
use crate::participant::media::ebml::{self, id};
use crate::participant::samples;
use crate::wire::TrackId;

pub(in crate::participant::media) fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A source read to its end.
fn all(bytes: impl AsRef<[u8]> + Send + 'static) -> Result<(Source, Vec<Frame>), MediaError> {
    let mut source = Source::from_reader(Cursor::new(bytes))?;
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame()? {
        frames.push(frame);
    }
    Ok((source, frames))
}

const PLAYABLE: [&str; 8] = [
    "voice-ada.webm",
    "voice-bo.webm",
    "vp8-voice.webm",
    "vp9-voice.webm",
    "av1-voice.webm",
    "vp9-only.webm",
    "mpeg4-voice.mkv",
    "live.webm",
];

#[test]
fn every_fixture_gives_its_tracks_and_frames() {
    for (name, codecs, audio, groups) in [
        ("voice-ada.webm", &[Codec::Opus][..], 301, 0),
        ("vp8-voice.webm", &[Codec::Vp8, Codec::Opus], 301, 3),
        ("vp9-voice.webm", &[Codec::Vp9, Codec::Opus], 451, 3),
        ("av1-voice.webm", &[Codec::Av1, Codec::Opus], 301, 3),
        ("vp9-only.webm", &[Codec::Vp9], 0, 3),
        ("mpeg4-voice.mkv", &[Codec::Opus], 101, 0),
        ("live.webm", &[Codec::Vp8, Codec::Opus], 150, 2),
    ] {
        let (source, frames) = all(fixture(name)).unwrap();
        let found: Vec<_> = source.tracks().iter().map(|track| track.codec).collect();
        assert_eq!(found, codecs, "{name}");
        let (sound, picture): (Vec<_>, Vec<_>) =
            frames.iter().partition(|frame| frame.track == TrackId(0));
        assert_eq!(sound.len(), audio, "{name}");
        assert!(
            sound.iter().all(|frame| frame.group == GroupNumber(0)),
            "{name}"
        );
        for (number, frame) in (0..).zip(&sound) {
            assert_eq!(frame.number, number, "{name}");
        }
        for (number, frame) in (0..).zip(&picture) {
            assert_eq!(frame.number, number, "{name}");
        }
        let mut group = None;
        for frame in picture {
            if frame.keyframe {
                let next = GroupNumber(group.map_or(0, |GroupNumber(before)| before + 1));
                assert_eq!(frame.group, next, "{name}");
                group = Some(frame.group);
            }
            assert_eq!(Some(frame.group), group, "{name}");
        }
        assert_eq!(
            group.map_or(0, |GroupNumber(last)| last + 1),
            groups,
            "{name}"
        );
    }
}

#[test]
fn what_a_decoder_needs_is_in_the_description() {
    let source = Source::from_reader(Cursor::new(fixture("vp9-voice.webm"))).unwrap();
    let [picture, sound] = source.tracks() else {
        panic!("two tracks")
    };
    assert_eq!(
        sound.kind,
        TrackKind::Audio {
            rate: 48_000,
            channels: 1
        }
    );
    assert!(sound.codec_private.starts_with(b"OpusHead"));
    assert_eq!(sound.seek_preroll_ns, 80_000_000);
    assert!(sound.codec_delay_ns > 0);
    assert_eq!(
        picture.kind,
        TrackKind::Video {
            width: 160,
            height: 120
        }
    );
    assert_eq!(source.timestamp_scale_ns(), 1_000_000);
}

#[test]
fn the_padding_at_the_end_of_a_voice_is_kept() {
    let (_, frames) = all(fixture("voice-ada.webm")).unwrap();
    let last = frames.last().unwrap();
    assert!(last.discard_padding_ns.is_some_and(|padding| padding > 0));
}

#[test]
fn a_track_of_another_codec_is_named_and_left_out() {
    let (mut source, frames) = all(fixture("mpeg4-voice.mkv")).unwrap();
    assert!(frames.iter().all(|frame| frame.track == TrackId(0)));
    let expected = MediaWarning::CodecLeftOut {
        codec: "V_MPEG4/ISO/ASP".into(),
    };
    assert_eq!(source.take_warnings(), [expected]);
    assert_eq!(source.take_warnings(), []);
}

#[test]
fn no_track_that_a_meeting_carries_is_an_error_that_names_what_there_is() {
    let error = all(fixture("unsupported.mkv")).map(|_| ()).unwrap_err();
    assert_eq!(
        error,
        MediaError::CodecNotSupported {
            found: "V_MPEG4/ISO/ASP, A_FLAC".into()
        }
    );
    assert!(
        error
            .to_string()
            .contains("ffmpeg -i INPUT -c:v libvpx-vp9 -c:a libopus")
    );
}

#[test]
fn inputs_that_are_no_media_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: PathBuf| Source::open(&Input::File(path)).map(|_| ()).unwrap_err();
    assert_eq!(
        open(directory.path().join("none.webm")),
        MediaError::FileMissing
    );
    assert_eq!(open(directory.path().into()), MediaError::IsDirectory);
    let read = |bytes: &'static [u8]| all(bytes).map(|_| ()).unwrap_err();
    assert_eq!(read(b""), MediaError::Empty);
    assert_eq!(read(b"RIFF....WAVEfmt "), MediaError::NotMatroska);
    assert_eq!(read(b"\x1A\x45"), MediaError::NotMatroska);
    assert_eq!(read(&[0; 4096]), MediaError::NotMatroska);
    let mut other = Vec::new();
    ebml::put_master(&mut other, id::EBML, |out| {
        ebml::put_bytes(out, id::DOC_TYPE, b"other")
    });
    assert_eq!(all(other).map(|_| ()).unwrap_err(), MediaError::NotMatroska);
}

#[test]
#[cfg(unix)]
fn a_file_that_may_not_be_read_is_told_so() {
    // Root may read everything, so this is checked where the error is sorted.
    let denied = std::io::Error::from(ErrorKind::PermissionDenied);
    assert_eq!(MediaError::reading(&denied), MediaError::NotAllowed);
}

/// Gives out what comes over a channel, as a pipe does.
struct Pipe(mpsc::Receiver<Vec<u8>>);

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let Ok(bytes) = self.0.recv() else {
            return Ok(0);
        };
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

#[test]
fn a_live_pipe_gives_a_frame_as_soon_as_its_block_is_whole() {
    for name in ["live.webm", "voice-ada.webm"] {
        let bytes = fixture(name);
        let (_, expected) = all(bytes.clone()).unwrap();
        let (writer, pipe) = mpsc::channel();
        let (frames, read) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut source = Source::from_reader(Pipe(pipe)).unwrap();
            assert!(source.is_pipe());
            while let Some(frame) = source.next_frame().unwrap() {
                frames.send(frame).unwrap();
            }
        });
        // Each frame's payload ends its block (in these files but for a last BlockGroup): once
        // that byte is in the pipe, the frame must come out with no byte more.
        let mut sent = 0;
        for frame in &expected {
            let begin = bytes[sent..]
                .windows(frame.payload.len())
                .position(|window| window == frame.payload)
                .unwrap();
            let block_end = match frame.duration_ns.or(frame.discard_padding_ns.map(|_| 0)) {
                None => sent + begin + frame.payload.len(),
                Some(_) => bytes.len(),
            };
            for piece in bytes[sent..block_end].chunks(700) {
                writer.send(piece.to_vec()).unwrap();
            }
            sent = block_end;
            let came = read.recv_timeout(std::time::Duration::from_secs(20));
            let came = came.unwrap_or_else(|_| panic!("{name}: frame {} waits", frame.number));
            assert!(came == *frame, "{name}: frame {}", frame.number);
        }
        drop(writer);
        reader.join().unwrap();
    }
}

#[test]
fn a_second_file_in_the_same_input_is_left_alone_and_told() {
    for name in PLAYABLE {
        let (mut source, one) = all(fixture(name)).unwrap();
        let told = source.take_warnings();
        let twice = [fixture(name), fixture("voice-bo.webm")].concat();
        let (mut source, frames) = all(twice).unwrap();
        assert!(frames == one, "{name}");
        let expected = [told, vec![MediaWarning::AnotherFollows]].concat();
        assert_eq!(source.take_warnings(), expected, "{name}");
    }
    assert!(MediaWarning::AnotherFollows.is_a_loss());
}

#[test]
fn what_follows_the_end_is_told_as_damage_unless_it_is_padding() {
    let void = [&[0xEC, 0x84][..], &[0; 4]].concat();
    let (_, one) = all(fixture("voice-ada.webm")).unwrap();
    for (after, told) in [
        (vec![], vec![]),
        (void.clone(), vec![]),
        (vec![0x55; 7000], vec![MediaWarning::Damaged]),
        (vec![0; 7000], vec![MediaWarning::Damaged]),
        (vec![0x1A], vec![MediaWarning::Damaged]),
        ([void, vec![0xFF; 9]].concat(), vec![MediaWarning::Damaged]),
    ] {
        let (mut source, frames) = all([fixture("voice-ada.webm"), after].concat()).unwrap();
        assert!(frames == one);
        assert_eq!(source.take_warnings(), told);
    }
}

#[test]
fn a_file_played_again_goes_on_upwards() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vp8-voice.webm");
    let mut source = Source::open(&Input::File(path)).unwrap();
    assert!(!source.is_pipe());
    let mut passes = Vec::new();
    for _ in 0..3 {
        let mut pass = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            pass.push(frame);
        }
        passes.push(pass);
        source.rewind().unwrap();
    }
    for (before, after) in passes.iter().zip(&passes[1..]) {
        assert_eq!(before.len(), after.len());
        let end = |pass: &[Frame]| pass.iter().map(|frame| frame.timestamp_ns).max().unwrap();
        let shift = after[0].timestamp_ns - before[0].timestamp_ns;
        assert!(after[0].timestamp_ns > end(before));
        assert!(
            after[0].timestamp_ns - end(before) < 100_000_000,
            "no pause at the seam"
        );
        for (old, new) in before.iter().zip(after) {
            assert!(old.payload == new.payload);
            assert_eq!(new.timestamp_ns - old.timestamp_ns, shift, "in step");
            assert!(new.number > old.number);
            assert!(old.track == TrackId(0) || new.group > old.group);
        }
    }
    let (mut pipe, _) = all(fixture("voice-bo.webm")).unwrap();
    assert_eq!(pipe.rewind(), Err(MediaError::CannotLoop));
}

/// A file with one Opus track, 1, and one VP8 track, 2, whose clusters hold `clusters`.
fn matroska(clusters: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (opus, vp8) = (samples::sound(TrackId(0)), samples::picture(TrackId(1)));
    let mut out = Vec::new();
    ebml::put_master(&mut out, id::EBML, |out| {
        ebml::put_bytes(out, id::DOC_TYPE, b"matroska\0")
    });
    ebml::put_id(&mut out, id::SEGMENT);
    out.extend_from_slice(&ebml::UNKNOWN_SIZE);
    // Things a reader does not know, or knows and does not need.
    ebml::put_void(&mut out, 100);
    ebml::put_bytes(&mut out, 0x1941_A469, &[0xA3; 300_000]);
    ebml::put_bytes(&mut out, 0x4ABC, b"unknown");
    ebml::put_master(&mut out, id::TRACKS, |out| {
        super::super::tracks::put(out, 1, &opus);
        super::super::tracks::put(out, 2, &vp8);
    });
    ebml::put_id(&mut out, id::CLUSTER);
    out.extend_from_slice(&ebml::UNKNOWN_SIZE);
    ebml::put_uint(&mut out, id::TIMESTAMP, 1000);
    clusters(&mut out);
    out
}

#[test]
fn laced_sound_comes_apart_with_a_timestamp_each() {
    // TOC 0x48: 20 ms in one frame.
    let fixed = [0x81, 0, 5, 0x84, 2, 0x48, 1, 0x48, 2, 0x48, 3];
    let (_, frames) = all(matroska(|out| {
        ebml::put_void(out, 30);
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &fixed);
        ebml::put_bytes(out, 0x4ABC, b"unknown");
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &[0x81, 0xFF, 0xFF, 0x80, 0x48, 4]);
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &[0x83, 0, 0, 0x80, 0x48, 5]);
    }))
    .unwrap();
    let found: Vec<_> = frames
        .iter()
        .map(|frame| (frame.timestamp_ns / 1_000_000, frame.payload[1]))
        .collect();
    assert_eq!(found, [(1005, 1), (1025, 2), (1045, 3), (999, 4)]);
}
