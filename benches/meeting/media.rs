//! What it costs to seal, open, sign and check media; and the words.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, KeyInit, Nonce};
use bytes::Bytes;
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::Group;
use sottovoce::meeting::media::{Attest, Opened, ReceiverKeys, SenderKeys};
use sottovoce::meeting::verify::MeetingWords;
use sottovoce::meeting::{Frame, TrackKind};
use sottovoce::wire::{GroupNumber, TrackId};

use crate::report::Report;
use crate::time::{cpu, median_ms, rate};

const SOUND: TrackKind = TrackKind::Audio {
    rate: 48_000,
    channels: 1,
};
const PICTURE: TrackKind = TrackKind::Video {
    width: 1280,
    height: 720,
};
const SOUND_BYTES: usize = 160;
const PICTURE_BYTES: usize = 20_000;
const BATCH: usize = 1024;

/// Sealed, and opened, each second of one core.
const FRAMES_PER_S: f64 = 400_000.0;

const START: Duration = Duration::ZERO;

fn keys() -> (SenderKeys, ReceiverKeys) {
    let mut sender = SenderKeys::new([2; 16]);
    assert!(sender.epoch(1, &[1; 32], 3));
    let mut receiver = ReceiverKeys::new(3, *sender.salt());
    receiver.epoch(START, 1, &[1; 32]);
    (sender, receiver)
}

fn frame(number: u64, bytes: usize) -> Frame {
    Frame {
        track: TrackId(0),
        group: GroupNumber(0),
        number,
        timestamp_ns: number * 20_000_000,
        keyframe: true,
        invisible: false,
        duration_ns: None,
        discard_padding_ns: None,
        payload: Bytes::from(vec![number as u8; bytes]),
    }
}

pub fn frames(quick: bool, report: &mut Report) {
    let length = Duration::from_millis(if quick { 200 } else { 1000 });
    let sound = Measured::of(length, SOUND_BYTES, SOUND);
    let goal = Some(FRAMES_PER_S);
    report.figure("160-byte frames: sealed", sound.sealed, "per core-s", goal);
    report.figure("160-byte frames: opened", sound.opened, "per core-s", goal);
    let raw = "160-byte frames: raw AES-128-GCM";
    report.figure(raw, sound.raw, "per core-s", None);
    let share = sound.sealed / sound.raw;
    report.figure("160-byte frames: sealed to raw", share, "", None);

    let picture = Measured::of(length, PICTURE_BYTES, PICTURE);
    for (what, rate) in [
        ("sealed", picture.sealed),
        ("opened", picture.opened),
        ("raw AES-128-GCM", picture.raw),
    ] {
        let mb = rate * PICTURE_BYTES as f64 / 1e6;
        let name = format!("20 kB frames: {what}");
        report.figure(&name, mb, "MB per core-s", None);
    }
}

/// Each second of CPU time.
struct Measured {
    sealed: f64,
    opened: f64,
    raw: f64,
}

impl Measured {
    fn of(length: Duration, bytes: usize, kind: TrackKind) -> Self {
        let batch = BATCH.min(BATCH * 1000 / bytes);
        let frames: Vec<Frame> = (0..batch as u64).map(|n| frame(n, bytes)).collect();
        let (mut sender, mut receiver) = keys();
        let raw = raw(length, &frames);
        let sealed = rate(length, batch, || {
            for frame in &frames {
                black_box(sender.seal(START, frame, kind).expect("sealed"));
            }
        });
        Self {
            sealed,
            opened: opened(length, &frames, kind, &mut sender, &mut receiver),
            raw,
        }
    }
}

/// Sealing the same bytes in place with a key that is at hand, into a buffer that is there.
fn raw(length: Duration, frames: &[Frame]) -> f64 {
    let cipher = Aes128Gcm::new(&[5; 16].into());
    let mut buffer = frames
        .first()
        .map_or_else(Vec::new, |frame| frame.payload.to_vec());
    let mut counter = 0u64;
    rate(length, frames.len(), || {
        for _ in frames {
            counter += 1;
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&counter.to_be_bytes());
            let nonce = Nonce::from(nonce);
            let tag = cipher
                .encrypt_inout_detached(&nonce, &[0; 36], buffer.as_mut_slice().into())
                .expect("sealed");
            black_box(tag);
        }
        black_box(&buffer);
    })
}

/// Opens each frame once: only the opening is counted, as the sealing has to go on meanwhile.
fn opened(
    length: Duration,
    frames: &[Frame],
    kind: TrackKind,
    sender: &mut SenderKeys,
    receiver: &mut ReceiverKeys,
) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let (mut passed, mut done) = (Duration::ZERO, 0);
        while passed < length {
            let sealed: Vec<Bytes> = frames
                .iter()
                .flat_map(|frame| sender.seal(START, frame, kind).expect("sealed"))
                .collect();
            let begun = cpu();
            for (frame, sealed) in frames.iter().zip(&sealed) {
                let opened = receiver.open(START, frame.track, frame.group, sealed);
                assert!(matches!(black_box(opened), Ok(Opened::Frame(_))));
            }
            passed += cpu() - begun;
            done += frames.len();
        }
        best = best.max(done as f64 / passed.as_secs_f64());
    }
    best
}

/// Half a second of sound each: 25 hashes.
pub fn attestations(quick: bool, report: &mut Report) {
    let length = Duration::from_millis(if quick { 100 } else { 500 });
    let key = SigningKey::from_seed(&[7; 32]);
    let sign = |bytes: &[u8]| Group::sign_with(&key, "bench", bytes);
    let (mut sender, receiver) = keys();
    sender.sign(true);
    for number in 0..25 {
        let sealed = sender.seal(START, &frame(number, SOUND_BYTES), SOUND);
        black_box(sealed.expect("sealed"));
    }
    let attests = sender.attest_end(TrackId(0), sign);
    let attest: &Attest = attests.first().expect("an attestation");
    let salt = *sender.salt();
    let signed = rate(length, 16, || {
        for _ in 0..16 {
            black_box(sign(&attest.signed_bytes(&salt)));
        }
    });
    let public = key.public();
    let mut receiver = receiver;
    let checked = rate(length, 16, || {
        for _ in 0..16 {
            let verify = |bytes: &[u8], signature: &[u8; 64]| {
                Group::verify(&public, "bench", bytes, signature)
            };
            receiver
                .attested(START, attest, verify)
                .expect("an honest word");
        }
    });
    report.figure("attestations: signed", signed, "per core-s", None);
    report.figure("attestations: checked", checked, "per core-s", None);
}

pub fn words(quick: bool, report: &mut Report) {
    let rounds = if quick { 3 } else { 7 };
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let begun = Instant::now();
            black_box(MeetingWords::of_bundle(&[round; 32]).expect("words"));
            begun.elapsed()
        })
        .collect();
    let name = "five words (Argon2id)";
    report.figure(name, median_ms(&mut times), "ms", None);
}
