//! The keys that one's own frames are sealed under.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bytes::Bytes;

use super::attest::{Attest, Attester, hash};
use super::pieces::cut;
use super::schedule::SenderSecret;
use super::seal::{Again, Padding, Sealer};
use crate::meeting::events::Rejection;
use crate::meeting::track::{Frame, TrackKind};
use crate::wire::TrackId;
use crate::wire::limits::GROUP_FRAME;

/// Seals the frames of all of one's own tracks, under the newest epoch's keys.
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use sottovoce::meeting::media::{Opened, ReceiverKeys, SenderKeys};
/// use sottovoce::meeting::{Frame, TrackKind};
/// use sottovoce::wire::{GroupNumber, TrackId};
///
/// let (base, leaf, salt, now) = ([1; 32], 3, [2; 16], Duration::ZERO);
/// let mut sender = SenderKeys::new(salt);
/// sender.epoch(1, &base, leaf);
/// let mut receiver = ReceiverKeys::new(leaf, salt);
/// receiver.epoch(now, 1, &base);
///
/// let frame = Frame {
///     track: TrackId(0), group: GroupNumber(0), number: 0, timestamp_ns: 0, keyframe: true,
///     invisible: false, duration_ns: None, discard_padding_ns: None,
///     payload: Bytes::from_static(b"sound"),
/// };
/// let kind = TrackKind::Audio { rate: 48_000, channels: 1 };
/// let sealed = sender.seal(now, &frame, kind).unwrap();
/// let opened = receiver.open(now, frame.track, frame.group, &sealed[0]);
/// assert!(matches!(opened, Ok(Opened::Frame(opened)) if opened == frame));
/// ```
pub struct SenderKeys {
    salt: [u8; 16],
    keys: Option<Keys>,
    attester: Option<Attester>,
}

struct Keys {
    epoch: u64,
    secret: SenderSecret,
    tracks: HashMap<TrackId, Sealer>,
}

impl SenderKeys {
    /// `salt` must be random, and another one each time the group is entered, be it by a Welcome
    /// once more: counters begin at 0 here, and the salt keeps their keys apart. It stays over
    /// reconnections and moves to another room, so that second copies are known as such.
    pub fn new(salt: [u8; 16]) -> Self {
        Self {
            salt,
            keys: None,
            attester: None,
        }
    }

    /// Whether what is sealed from now on is signed for.
    pub fn sign(&mut self, on: bool) {
        match (on, &self.attester) {
            (true, None) => self.attester = Some(Attester::default()),
            (false, _) => self.attester = None,
            (true, Some(_)) => {}
        }
    }

    /// What others need, besides the leaf index, to open what is sealed here.
    pub fn salt(&self) -> &[u8; 16] {
        &self.salt
    }

    /// A new epoch: all that is sealed from now on is sealed under it, and the keys before it are
    /// wiped. `base` comes from the epoch's exporter, `leaf` is one's own.
    ///
    /// `false` when `epoch` is not newer than the one before: then nothing changes, and no counter
    /// begins anew.
    pub fn epoch(&mut self, epoch: u64, base: &[u8; 32], leaf: u32) -> bool {
        if self.keys.as_ref().is_some_and(|keys| epoch <= keys.epoch) {
            return false;
        }
        self.keys = Some(Keys {
            epoch,
            secret: SenderSecret::new(base, epoch, leaf, self.salt),
            tracks: HashMap::new(),
        });
        true
    }

    /// Seals a frame: sound into one datagram or several, a picture into one frame of a group, padded.
    /// Sound is not padded: that its rate is constant is its source's matter.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`]; [`Rejection::UnknownSender`]: no epoch has come yet.
    pub fn seal(
        &mut self,
        now: Duration,
        frame: &Frame,
        kind: TrackKind,
    ) -> Result<Vec<Bytes>, Rejection> {
        self.seal_again(now, frame, kind, Again::default())
    }

    /// The same on a track of which groups were begun again. The group on the wire is
    /// [`Again::on_the_wire`].
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_again(
        &mut self,
        now: Duration,
        frame: &Frame,
        kind: TrackKind,
        again: Again,
    ) -> Result<Vec<Bytes>, Rejection> {
        let group = again.on_the_wire(frame.group).ok_or(Rejection::TooLarge)?;
        let keys = self.keys.as_mut().ok_or(Rejection::UnknownSender)?;
        let (pieces, padding) = match kind {
            TrackKind::Audio { .. } => {
                let pieces = cut(&frame.payload).ok_or(Rejection::TooLarge)?;
                (pieces, Padding::None)
            }
            TrackKind::Video { .. } if frame.payload.len() > GROUP_FRAME => {
                return Err(Rejection::TooLarge);
            }
            TrackKind::Video { .. } => (vec![frame.payload.clone()], Padding::Padme),
        };
        let sealer = match keys.tracks.entry(frame.track) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let sealer = Sealer::new(&keys.secret.track(frame.track));
                entry.insert(sealer.ok_or(Rejection::NotAuthentic)?)
            }
        };
        let count = u8::try_from(pieces.len()).map_err(|_| Rejection::TooLarge)?;
        let mut sealed = Vec::with_capacity(pieces.len());
        for (piece, bytes) in (0..count).zip(&pieces) {
            let counter = sealer.next();
            let bytes = sealer
                .seal(frame, piece, count, bytes, padding, again)
                .ok_or(Rejection::NotAuthentic)?;
            if bytes.len() > GROUP_FRAME {
                return Err(Rejection::TooLarge);
            }
            if let Some(attester) = &mut self.attester {
                let hash = hash(frame.track, group, &bytes);
                attester.sealed(now, frame.track, keys.epoch, counter, hash);
            }
            sealed.push(bytes);
        }
        Ok(sealed)
    }

    /// Signs for what was sealed, where it is time. `sign` is the leaf's key.
    pub fn attest(&mut self, now: Duration, sign: impl Fn(&[u8]) -> [u8; 64]) -> Vec<Attest> {
        match &mut self.attester {
            Some(attester) => attester.due(now, &self.salt, sign),
            None => Vec::new(),
        }
    }

    /// Signs for the rest of a track that is over.
    pub fn attest_end(&mut self, track: TrackId, sign: impl Fn(&[u8]) -> [u8; 64]) -> Vec<Attest> {
        match &mut self.attester {
            Some(attester) => attester.end(track, &self.salt, sign),
            None => Vec::new(),
        }
    }

    /// When [`SenderKeys::attest`] has something to sign.
    pub fn deadline(&self) -> Option<Duration> {
        self.attester.as_ref()?.deadline()
    }
}
