//! Frames of one track under one key.
//!
//! One key for each sender, epoch and track; SFrame's counter counts what was sealed under it.
//! Authenticated besides: a label, the sender's media salt, track and group. Inside the
//! ciphertext, so that the relay reads none of it: the frame's number, time and flags, then the
//! encoder's bytes, then padding. `docs/media-format.md` draws it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::cipher::{OVERHEAD, OpenKey, SealKey, header};
use super::padme::padme;
use super::pieces::Assembly;
use super::replay::{ReplayWindow, Verdict};
use super::schedule::TrackKey;
use crate::meeting::events::Rejection;
use crate::meeting::track::Frame;
use crate::wire::limits::{AUDIO_PAYLOAD, GROUP_FRAME};
use crate::wire::{GroupNumber, TrackId};

/// What a frame carries besides the encoder's bytes.
#[derive(Serialize, Deserialize)]
struct Head {
    number: u64,
    timestamp_ns: u64,
    keyframe: bool,
    invisible: bool,
    duration_ns: Option<u64>,
    discard_padding_ns: Option<i64>,
    /// Which piece of how many.
    piece: u8,
    pieces: u8,
    /// This frame was sent before, under other keys.
    again: bool,
    /// How many groups of the track were begun again until now: by so much the number on the wire is
    /// larger than the source's.
    begun_again: u32,
}

/// A group that is begun again, for those who came in the midst of it.
#[derive(Clone, Copy, Default)]
pub struct Again {
    /// The frame was sent before, under other keys.
    pub frame: bool,
    /// How many groups of its track were begun again until now.
    pub groups: u32,
}

impl Again {
    /// The number of a group on the wire; `None` when there are no more numbers.
    pub fn on_the_wire(self, source: GroupNumber) -> Option<GroupNumber> {
        source.0.checked_add(self.groups).map(GroupNumber)
    }
}

/// Whether a frame's size is blurred.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Sound: its source has a constant rate, or nothing would hide its pauses.
    None,
    /// Pictures.
    Padme,
}

/// What is authenticated besides the SFrame header: 28 bytes.
fn context(salt: &[u8; 16], track: TrackId, group: GroupNumber) -> [u8; 28] {
    let mut context = *b"frame 2\0................\0\0\0\0";
    context[7] = track.0;
    context[8..24].copy_from_slice(salt);
    context[24..].copy_from_slice(&group.0.to_be_bytes());
    context
}

/// Seals the frames of one track.
pub(super) struct Sealer {
    key: SealKey,
    next: u64,
    salt: [u8; 16],
}

impl Sealer {
    /// `None` only when the cryptography is out of order, which is our fault.
    pub(super) fn new(key: &TrackKey) -> Option<Self> {
        Some(Self {
            key: SealKey::new(&key.base[..], key.id)?,
            next: 0,
            salt: key.salt,
        })
    }

    /// The counter of what is sealed next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Seals one piece of a frame.
    pub(super) fn seal(
        &mut self,
        frame: &Frame,
        piece: u8,
        pieces: u8,
        bytes: &Bytes,
        padding: Padding,
        again: Again,
    ) -> Option<Bytes> {
        let head = Head {
            number: frame.number,
            timestamp_ns: frame.timestamp_ns,
            keyframe: frame.keyframe,
            invisible: frame.invisible,
            duration_ns: frame.duration_ns,
            discard_padding_ns: frame.discard_padding_ns,
            piece,
            pieces,
            again: again.frame,
            begun_again: again.groups,
        };
        let counter = self.next;
        self.next = counter.checked_add(1)?;
        let plain = self.key.begin(counter, padme(64 + bytes.len()))?;
        let header = plain.len();
        let mut plain = postcard::to_extend(&head, plain).ok()?;
        let length = u32::try_from(bytes.len()).ok()?;
        plain = postcard::to_extend(&length, plain).ok()?;
        plain.extend_from_slice(bytes);
        if padding == Padding::Padme {
            // What fits a group without padding fits with it: the largest class ends there.
            let length = plain.len() - header;
            let padded = padme(length).min(GROUP_FRAME - OVERHEAD);
            plain.resize(header + padded.max(length), 0);
        }
        let group = again.on_the_wire(frame.group)?;
        let context = context(&self.salt, frame.track, group);
        self.key.seal(counter, plain, &context)
    }
}

/// What opened: authentic, and not taken yet.
pub(super) struct Piece {
    pub(super) counter: u64,
    track: TrackId,
    /// The source's.
    group: GroupNumber,
    head: Head,
    bytes: Bytes,
}

impl Piece {
    /// It was sent before, by its sender's word.
    pub(super) fn is_again(&self) -> bool {
        self.head.again
    }
}

/// Opens the frames of one track of another participant.
pub(super) struct Opener {
    key: OpenKey,
    window: ReplayWindow,
    salt: [u8; 16],
    assembly: Assembly,
}

impl Opener {
    /// As [`Sealer::new`].
    pub(super) fn new(key: &TrackKey) -> Option<Self> {
        Some(Self {
            key: OpenKey::new(&key.base[..], key.id)?,
            window: ReplayWindow::new(),
            salt: key.salt,
            assembly: Assembly::default(),
        })
    }

    pub(super) fn id(&self) -> u64 {
        self.key.id()
    }

    /// Opens what came, and changes nothing.
    pub(super) fn unseal(
        &self,
        track: TrackId,
        group: GroupNumber,
        sealed: &[u8],
    ) -> Result<Piece, Rejection> {
        let counter = header(sealed)?.counter;
        match self.window.look(counter) {
            Verdict::Fresh => {}
            Verdict::Replay => return Err(Rejection::Replay),
            Verdict::TooOld => return Err(Rejection::TooOld),
        }
        let context = context(&self.salt, track, group);
        let plain = self.key.open(sealed, &context)?;
        let (head, rest) = read(&plain).ok_or(Rejection::Malformed)?;
        // Pieces wait for others, with all that they were opened from: no more than a datagram.
        if head.pieces != 1 && sealed.len() > AUDIO_PAYLOAD {
            return Err(Rejection::TooLarge);
        }
        let source = group.0.checked_sub(head.begun_again);
        Ok(Piece {
            counter,
            track,
            group: source.map(GroupNumber).ok_or(Rejection::Malformed)?,
            head,
            bytes: plain.slice_ref(rest),
        })
    }

    /// Takes what opened; a frame when this was the last piece of one.
    pub(super) fn take(&mut self, piece: Piece) -> Option<Frame> {
        self.window.take(piece.counter);
        let head = piece.head;
        let payload = self
            .assembly
            .put(head.number, head.piece, head.pieces, piece.bytes)?;
        Some(Frame {
            track: piece.track,
            group: piece.group,
            number: head.number,
            timestamp_ns: head.timestamp_ns,
            keyframe: head.keyframe,
            invisible: head.invisible,
            duration_ns: head.duration_ns,
            discard_padding_ns: head.discard_padding_ns,
            payload,
        })
    }
}

/// Head and payload of a plaintext. Padding must be zeros, so that it carries nothing.
fn read(plain: &[u8]) -> Option<(Head, &[u8])> {
    let (head, rest) = postcard::take_from_bytes::<Head>(plain).ok()?;
    let (length, rest) = postcard::take_from_bytes::<u32>(rest).ok()?;
    let (payload, padding) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    padding
        .iter()
        .all(|byte| *byte == 0)
        .then_some((head, payload))
}
