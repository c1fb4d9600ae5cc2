//! The keys that one other person's frames are opened with.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bytes::Bytes;

use super::attest::Attest;
use super::cipher::header;
use super::gate::SealedFrame;
use super::held::Held;
use super::judge::{Judge, Report, Verdict};
use super::limits::OLD_KEYS;
use super::replay::{self, ReplayWindow};
use super::schedule::SenderSecret;
use super::seal::Opener;
use crate::meeting::events::Rejection;
use crate::meeting::track::Frame;
use crate::wire::limits::TRACKS;
use crate::wire::{GroupNumber, TrackId};

/// One epoch.
pub(super) struct Keys {
    epoch: u64,
    secret: SenderSecret,
    tracks: HashMap<TrackId, Opener>,
}

impl Keys {
    /// `None` when there is no such track.
    fn opener(&mut self, track: TrackId) -> Option<&mut Opener> {
        if track.0 >= TRACKS {
            return None;
        }
        match self.tracks.entry(track) {
            Entry::Occupied(entry) => Some(entry.into_mut()),
            Entry::Vacant(entry) => Some(entry.insert(Opener::new(&self.secret.track(track))?)),
        }
    }
}

/// What became of something that came.
#[derive(Clone, PartialEq, Eq)]
pub enum Opened {
    /// A frame.
    Frame(Frame),
    /// A piece of one; the others are still to come.
    Piece,
    /// It waits: for the key of the next epoch, or for its sender's signature. Then
    /// [`ReceiverKeys::epoch`] or [`ReceiverKeys::signed`] gives it.
    Held,
    /// It opened, and is dropped: it came before, or its sender did not sign for it.
    /// [`ReceiverKeys::report`] says more.
    Dropped,
}

/// Opens the frames of one other person: of the present epoch, and for [`OLD_KEYS`] of the one before.
///
/// One for each stay of a person in the group: a leaf and a salt. Who is removed has these dropped
/// at once; dropping wipes.
pub struct ReceiverKeys {
    leaf: u32,
    salt: [u8; 16],
    current: Option<Keys>,
    /// With the time when it is wiped.
    pub(super) previous: Option<(Keys, Duration)>,
    held: Held,
    pub(super) judge: Option<Judge>,
    came: Came,
    /// Each frame number comes once, whatever keys it comes under.
    once: bool,
}

/// What is known of somebody who has other keys now.
#[derive(Default)]
pub struct Came {
    /// Which frames came, so that those of a group that is begun again come once.
    windows: HashMap<TrackId, ReplayWindow>,
    /// Not all that was shown was signed.
    suspect: bool,
}

impl Came {
    /// Of somebody who was gone and is back: whether not all was signed that was shown before.
    pub fn back(suspect: bool) -> Self {
        Self {
            suspect,
            ..Self::default()
        }
    }

    /// Whether not all that was shown was signed.
    pub fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Whether a frame is to be taken; it has come from now on. That it is one that was sent before (`again`)
    /// is its sender's word, and no other is ever left out, but where all are taken `once`.
    fn is_new(&mut self, frame: &Frame, again: bool, once: bool) -> bool {
        let window = self.windows.entry(frame.track);
        let window = window.or_insert_with(ReplayWindow::new);
        let verdict = window.look(frame.number);
        // So far behind: where not all was signed, the newest was none of these, by whoever has the keys.
        let anew = verdict == replay::Verdict::TooOld && !once;
        if anew {
            *window = ReplayWindow::new();
        }
        let fresh = anew || verdict == replay::Verdict::Fresh;
        if fresh {
            window.take(frame.number);
        }
        fresh || !(again || once)
    }
}

impl ReceiverKeys {
    /// The person at `leaf` who announced `salt`.
    pub fn new(leaf: u32, salt: [u8; 16]) -> Self {
        Self {
            leaf,
            salt,
            current: None,
            previous: None,
            held: Held::default(),
            judge: None,
            came: Came::default(),
            once: false,
        }
    }

    /// The same for who only watches. Everything that is opened was signed: no frame number is taken
    /// twice, since no sender uses one twice, and more of it may wait for its key.
    pub fn of_signed(leaf: u32, salt: [u8; 16], came: Came) -> Self {
        let mut keys = Self::after(leaf, salt, came);
        keys.once = true;
        keys.held = Held::of_signed();
        keys
    }

    /// Whoever sends is on another line of the group: epochs are counted anew. The key before is kept as
    /// after a commit, and what waits for its key goes on waiting.
    pub fn new_line(&mut self, now: Duration) {
        if let Some(before) = self.current.take() {
            self.previous = Some((before, now.saturating_add(OLD_KEYS)));
        }
    }

    /// The same of somebody of whom frames came before, under other keys.
    pub fn after(leaf: u32, salt: [u8; 16], came: Came) -> Self {
        let mut keys = Self::new(leaf, salt);
        keys.came = came;
        keys
    }

    /// What is to be known of this person under its next keys.
    pub fn into_came(mut self) -> Came {
        self.came.suspect |= self.judge.is_some_and(|judge| judge.is_suspect());
        self.came
    }

    /// Whether this person's frames must be signed. Once they must, they must to the end.
    pub fn require_signatures(&mut self) {
        let suspect = self.came.suspect;
        self.judge.get_or_insert_with(|| Judge::new(suspect));
    }

    /// A new epoch; gives what became of the frames that were held back for it. An epoch that is not
    /// newer changes nothing.
    pub fn epoch(
        &mut self,
        now: Duration,
        epoch: u64,
        base: &[u8; 32],
    ) -> Vec<Result<Opened, Rejection>> {
        self.tick(now);
        if self
            .current
            .as_ref()
            .is_some_and(|keys| epoch <= keys.epoch)
        {
            return Vec::new();
        }
        let next = Keys {
            epoch,
            secret: SenderSecret::new(base, epoch, self.leaf, self.salt),
            tracks: HashMap::new(),
        };
        if let Some(before) = self.current.replace(next) {
            self.previous = Some((before, now.saturating_add(OLD_KEYS)));
        }
        let Some(current) = &self.current else {
            return Vec::new();
        };
        let held = self.held.take(|frame| {
            let id = current.secret.track(frame.track).id;
            header(&frame.sealed).is_ok_and(|header| header.id == id)
        });
        held.into_iter()
            .map(|frame| self.open(now, frame.track, frame.group, &frame.sealed))
            .collect()
    }

    /// Opens what came by the relay's word from this person. Changes nothing when it does not open.
    /// The same once more, by another way, is a [`Rejection::Replay`].
    ///
    /// # Errors
    /// [`Rejection`]: `Replay`, `TooOld`, `NotAuthentic`, `Malformed`, `UnknownSender` (no such track),
    /// `TooLarge` (to be held back).
    pub fn open(
        &mut self,
        now: Duration,
        track: TrackId,
        group: GroupNumber,
        sealed: &Bytes,
    ) -> Result<Opened, Rejection> {
        self.tick(now);
        if track.0 >= TRACKS {
            return Err(Rejection::UnknownSender);
        }
        let id = header(sealed)?.id;
        let previous = self.previous.as_mut().map(|(keys, _)| keys);
        let mut refused = None;
        for keys in self.current.iter_mut().chain(previous) {
            let epoch = keys.epoch;
            let opener = keys.opener(track).ok_or(Rejection::NotAuthentic)?;
            // Ids have 24 bits: two epochs may have the same.
            if opener.id() != id {
                continue;
            }
            let piece = match opener.unseal(track, group, sealed) {
                Ok(piece) => piece,
                Err(rejection) => {
                    refused = Some(rejection);
                    continue;
                }
            };
            if let Some(judge) = &mut self.judge {
                let sealed = sealed.clone();
                let frame = SealedFrame {
                    track,
                    group,
                    sealed,
                };
                match judge.look(now, (epoch, piece.counter), frame) {
                    Verdict::Take => {}
                    Verdict::Wait => return Ok(Opened::Held),
                    Verdict::Drop => return Ok(Opened::Dropped),
                }
            }
            let again = piece.is_again();
            return Ok(match opener.take(piece) {
                Some(frame) if self.came.is_new(&frame, again, self.once) => Opened::Frame(frame),
                Some(_) => Opened::Dropped,
                None => Opened::Piece,
            });
        }
        match refused {
            Some(rejection) => Err(rejection),
            None if self.held.put(now, track, group, sealed) => Ok(Opened::Held),
            None => Err(Rejection::TooLarge),
        }
    }

    /// This person's word for what it sent. `verify` is the leaf's key. What had waited for it comes out
    /// of [`signed`](Self::signed).
    ///
    /// # Errors
    /// [`Rejection::NotAuthentic`]: the signature is wrong; [`Rejection::Malformed`];
    /// [`Rejection::UnknownSender`]: no such track.
    pub fn attested(
        &mut self,
        now: Duration,
        attest: &Attest,
        verify: impl Fn(&[u8], &[u8; 64]) -> bool,
    ) -> Result<(), Rejection> {
        self.tick(now);
        if attest.track.0 >= TRACKS {
            return Err(Rejection::UnknownSender);
        }
        if !verify(&attest.signed_bytes(&self.salt), &attest.signature.into()) {
            return Err(Rejection::NotAuthentic);
        }
        match &mut self.judge {
            Some(judge) => judge.attest(attest),
            None => Ok(()),
        }
    }

    /// What became of the next frame that had waited for its signature, which has come.
    pub fn signed(&mut self, now: Duration) -> Option<Result<Opened, Rejection>> {
        let frame = self.judge.as_mut()?.through()?;
        Some(self.open(now, frame.track, frame.group, &frame.sealed))
    }

    /// This person is out of reach, or this side is: its signatures may be lost with the connection.
    pub fn lost(&mut self) {
        if let Some(judge) = &mut self.judge {
            judge.lost();
        }
    }

    /// What is to be shown about signatures.
    pub fn report(&mut self) -> Option<Report> {
        self.judge.as_mut()?.poll()
    }

    /// Lets time pass: wipes the old keys, drops what waited too long.
    pub fn tick(&mut self, now: Duration) {
        if self
            .previous
            .as_ref()
            .is_some_and(|(_, until)| now >= *until)
        {
            self.previous = None;
        }
        self.held.tick(now);
        if let Some(judge) = &mut self.judge {
            judge.tick(now);
        }
    }

    /// When [`ReceiverKeys::tick`] has something to do.
    pub fn deadline(&self) -> Option<Duration> {
        let previous = self.previous.as_ref().map(|(_, until)| *until);
        let judge = self.judge.as_ref().and_then(Judge::deadline);
        [previous, self.held.deadline(), judge]
            .into_iter()
            .flatten()
            .min()
    }
}
