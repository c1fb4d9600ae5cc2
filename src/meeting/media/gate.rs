//! Lets through what its sender has signed, and nothing before that: for those who only watch, and can
//! wait half a second for it.
//!
//! It looks at sealed bytes alone: what nobody signed for is not even opened.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::attest::{Attest, Hash, hash};
use super::judge::Report;
use super::limits::{GATE_BYTES, GATE_FRAMES, REPORTS, SIGNED, SIGNED_AGAIN, SIGNED_WITHIN};
use crate::meeting::events::Rejection;
use crate::wire::limits::TRACKS;
use crate::wire::{GroupNumber, TrackId};

/// Something sealed, in its place.
pub struct SealedFrame {
    /// On which track.
    pub track: TrackId,
    /// In which group.
    pub group: GroupNumber,
    /// The bytes.
    pub sealed: Bytes,
}

struct Waiting {
    frame: SealedFrame,
    hash: Hash,
    came: Duration,
}

#[derive(Default)]
struct Track {
    signed: HashSet<Hash>,
    /// The same, the oldest first.
    order: VecDeque<Hash>,
    /// When something unsigned was last dropped, where that was said.
    dropped: Option<Duration>,
    passes: bool,
}

/// The gate for what one sender sends. Bounded; the oldest goes first.
#[derive(Default)]
pub struct Gate {
    tracks: BTreeMap<TrackId, Track>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    reports: VecDeque<Report>,
}

impl Gate {
    /// Something came: given back when it was signed for already. Otherwise it waits for
    /// [`SIGNED_WITHIN`].
    ///
    /// # Errors
    /// [`Rejection::UnknownSender`]: no such track. [`Rejection::TooLarge`] to wait.
    pub fn arrived(
        &mut self,
        now: Duration,
        frame: SealedFrame,
    ) -> Result<Option<SealedFrame>, Rejection> {
        if frame.track.0 >= TRACKS {
            return Err(Rejection::UnknownSender);
        }
        let hash = hash(frame.track, frame.group, &frame.sealed);
        let track = self.tracks.entry(frame.track).or_default();
        if track.signed.contains(&hash) {
            track.passes = true;
            return Ok(Some(frame));
        }
        if frame.sealed.len() > GATE_BYTES {
            return Err(Rejection::TooLarge);
        }
        while self.waiting.len() >= GATE_FRAMES || self.bytes + frame.sealed.len() > GATE_BYTES {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(oldest.frame.sealed.len());
            self.dropped(now, oldest.frame.track);
        }
        self.bytes += frame.sealed.len();
        let came = now;
        self.waiting.push_back(Waiting { frame, hash, came });
        Ok(None)
    }

    /// The sender's word, whose signature was found good: what had waited for it, in the order in which
    /// it came.
    ///
    /// # Errors
    /// [`Rejection::UnknownSender`]: no such track.
    pub fn attested(&mut self, attest: &Attest) -> Result<Vec<SealedFrame>, Rejection> {
        if attest.track.0 >= TRACKS {
            return Err(Rejection::UnknownSender);
        }
        let track = self.tracks.entry(attest.track).or_default();
        for (_, hash) in attest.entries()? {
            if track.signed.insert(hash) {
                track.order.push_back(hash);
            }
        }
        while track.order.len() > SIGNED {
            if let Some(oldest) = track.order.pop_front() {
                track.signed.remove(&oldest);
            }
        }
        let signed = &track.signed;
        let (through, rest) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|one| {
                one.frame.track == attest.track && signed.contains(&one.hash)
            });
        track.passes |= !through.is_empty();
        self.waiting = rest.into();
        self.bytes = self.waiting.iter().map(|one| one.frame.sealed.len()).sum();
        Ok(through.into_iter().map(|one| one.frame).collect())
    }

    /// The sender or this side is gone: signatures may be lost with it, and that is nobody's fault.
    pub fn lost(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    /// Drops what was not signed in time.
    pub fn tick(&mut self, now: Duration) {
        while self.next_drop().is_some_and(|due| now >= due) {
            if let Some(late) = self.waiting.pop_front() {
                self.bytes = self.bytes.saturating_sub(late.frame.sealed.len());
                self.dropped(now, late.frame.track);
            }
        }
        let mut good = Vec::new();
        for (track, known) in &mut self.tracks {
            let quiet = known.dropped.is_some_and(|at| now >= at + SIGNED_AGAIN);
            if quiet && known.passes {
                known.dropped = None;
                good.push(*track);
            }
        }
        for track in good {
            self.report(Report::Signed { track });
        }
    }

    /// When [`Gate::tick`] has something to do.
    pub fn deadline(&self) -> Option<Duration> {
        let again = self
            .tracks
            .values()
            .filter(|track| track.passes)
            .filter_map(|track| Some(track.dropped? + SIGNED_AGAIN));
        again.chain(self.next_drop()).min()
    }

    /// What is to be shown.
    pub fn poll(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    fn next_drop(&self) -> Option<Duration> {
        Some(self.waiting.front()?.came.saturating_add(SIGNED_WITHIN))
    }

    fn dropped(&mut self, now: Duration, track: TrackId) {
        let known = self.tracks.entry(track).or_default();
        known.passes = false;
        if known.dropped.replace(now).is_none() {
            self.report(Report::Unsigned { track, frames: 1 });
        }
    }

    fn report(&mut self, report: Report) {
        if self.reports.len() < REPORTS {
            self.reports.push_back(report);
        }
    }
}
