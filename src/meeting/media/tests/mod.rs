//! One sender and those who listen, with a relay between that may do as it likes.

mod attest;
mod epochs;
mod judged;
mod keys;
mod pieces;
mod pinned;
mod properties;
mod rfc9605;

use std::time::Duration;

use bytes::Bytes;

use super::{Opened, ReceiverKeys, SenderKeys};
use crate::meeting::events::Rejection;
use crate::meeting::track::{Frame, TrackKind};
use crate::wire::{GroupNumber, TrackId};

const SOUND: TrackId = TrackId(1);
const PICTURE: TrackId = TrackId(2);
const LEAF: u32 = 5;
const SALT: [u8; 16] = [0x5a; 16];

const AUDIO: TrackKind = TrackKind::Audio {
    rate: 48_000,
    channels: 1,
};
const VIDEO: TrackKind = TrackKind::Video {
    width: 320,
    height: 180,
};

/// The base secret of an epoch.
fn base(epoch: u64) -> [u8; 32] {
    std::array::from_fn(|index| (epoch as u8).wrapping_mul(31).wrapping_add(index as u8))
}

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn sender(epoch: u64) -> SenderKeys {
    let mut sender = SenderKeys::new(SALT);
    assert!(sender.epoch(epoch, &base(epoch), LEAF));
    sender
}

fn receiver(epoch: u64) -> ReceiverKeys {
    let mut receiver = ReceiverKeys::new(LEAF, SALT);
    assert!(receiver.epoch(at(0), epoch, &base(epoch)).is_empty());
    receiver
}

fn frame(track: TrackId, number: u64, payload: &[u8]) -> Frame {
    Frame {
        track,
        group: GroupNumber(if track == SOUND { 0 } else { 7 }),
        number,
        timestamp_ns: number * 20_000_000,
        keyframe: number == 0,
        invisible: number % 7 == 3,
        duration_ns: number.is_multiple_of(2).then_some(20_000_000),
        discard_padding_ns: (number == 9).then_some(-5),
        payload: Bytes::copy_from_slice(payload),
    }
}

/// Seals a sound frame that fits one datagram.
fn sound(sender: &mut SenderKeys, now: Duration, number: u64) -> Bytes {
    let mut sealed = sender
        .seal(now, &frame(SOUND, number, b"sound"), AUDIO)
        .unwrap();
    assert_eq!(sealed.len(), 1);
    sealed.remove(0)
}

fn hear(receiver: &mut ReceiverKeys, now: Duration, sealed: &Bytes) -> Result<Opened, Rejection> {
    receiver.open(now, SOUND, GroupNumber(0), sealed)
}

fn is_frame(opened: &Result<Opened, Rejection>) -> bool {
    matches!(opened, Ok(Opened::Frame(_)))
}

fn is(opened: &Result<Opened, Rejection>, other: Result<Opened, Rejection>) -> bool {
    *opened == other
}
