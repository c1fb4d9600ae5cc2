//! Who asked for signatures looks here whether what opened was signed by its sender.
//!
//! Nobody waits for sound: a frame is trusted when it opens, for [`SIGNED_WITHIN`]. When no
//! signature has come by then, nothing of the track is until a signed frame comes again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use super::attest::{Attest, Hash};
use super::limits::{PENDING, REPORTS, SIGNED, SIGNED_WITHIN};
use crate::meeting::events::Rejection;
use crate::meeting::limits::REPLAY_WINDOW;
use crate::wire::TrackId;

/// What a screen has to show about a track whose sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// So many frames were not signed in time. The track's frames are dropped from now on.
    Unsigned {
        /// Whose frames.
        track: TrackId,
        /// How many.
        frames: u32,
    },
    /// So many frames came that are not those that their sender signed: somebody who has the keys
    /// forged them.
    Forged {
        /// As whose.
        track: TrackId,
        /// How many.
        frames: u32,
    },
    /// Signed frames come again, and are taken again.
    Signed {
        /// Whose.
        track: TrackId,
    },
}

/// Epoch and counter.
type Place = (u64, u64);

#[derive(Default)]
struct Track {
    /// What the sender signed for.
    signed: BTreeMap<Place, Hash>,
    /// What came, and when, and is not signed yet.
    pending: BTreeMap<Place, (Hash, Duration)>,
    /// Nothing of that is late before then. Asked with each frame, so that it is not looked for.
    look_at: Option<Duration>,
    /// Nothing is taken until a signed frame comes.
    muted: bool,
}

impl Track {
    /// Where the counters of an epoch end that are taken before they are signed for. A forger who
    /// runs ahead thus cannot push the true frames out of the replay window. An epoch begins at 0;
    /// who comes later hears nothing until the first signature has come.
    fn ahead(&self, epoch: u64) -> u64 {
        let mut of_epoch = self.signed.range((epoch, 0)..=(epoch, u64::MAX));
        let next = of_epoch
            .next_back()
            .map_or(0, |(place, _)| place.1.saturating_add(1));
        next.saturating_add(PENDING as u64)
    }
}

const _: () = assert!((PENDING as u64) < REPLAY_WINDOW);

/// What becomes of a frame that opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Take,
    /// It uses up no counter, so that it takes the place of no true one.
    Drop,
}

/// The tracks of one person.
#[derive(Default)]
pub(super) struct Judge {
    tracks: HashMap<TrackId, Track>,
    reports: VecDeque<Report>,
}

impl Judge {
    /// Looks at something that opened under the key of `epoch`.
    pub(super) fn look(
        &mut self,
        now: Duration,
        track: TrackId,
        place: Place,
        hash: Hash,
    ) -> Verdict {
        let known = self.tracks.entry(track).or_default();
        if let Some(signed) = known.signed.get(&place) {
            if *signed != hash {
                self.report(Report::Forged { track, frames: 1 });
                return Verdict::Drop;
            }
            if std::mem::take(&mut known.muted) {
                self.report(Report::Signed { track });
            }
            return Verdict::Take;
        }
        if place.1 >= known.ahead(place.0) {
            return Verdict::Drop;
        }
        if known.pending.len() >= PENDING {
            // Nobody sends so much unsigned.
            known.pending.pop_first();
            if !std::mem::replace(&mut known.muted, true) {
                let frames = PENDING as u32;
                self.report(Report::Unsigned { track, frames });
                return Verdict::Drop;
            }
        }
        known.pending.insert(place, (hash, now));
        known.look_at.get_or_insert(due(now));
        if known.muted {
            Verdict::Drop
        } else {
            Verdict::Take
        }
    }

    /// Takes a sender's word whose signature was found good.
    pub(super) fn attest(&mut self, attest: &Attest) -> Result<(), Rejection> {
        let entries = attest.entries()?;
        let known = self.tracks.entry(attest.track).or_default();
        let (mut matched, mut forged) = (0u32, 0u32);
        for (counter, hash) in entries {
            let place = (attest.epoch, counter);
            // Who signs twice for one place is held to the first.
            let hash = *known.signed.entry(place).or_insert(hash);
            match known.pending.remove(&place) {
                Some((came, _)) if came == hash => matched += 1,
                Some(_) => forged += 1,
                None => {}
            }
        }
        if known.pending.is_empty() {
            known.look_at = None;
        }
        while known.signed.len() > SIGNED {
            known.signed.pop_first();
        }
        let resumes = matched > 0 && std::mem::take(&mut known.muted);
        let track = attest.track;
        if forged > 0 {
            let frames = forged;
            self.report(Report::Forged { track, frames });
        }
        if resumes {
            self.report(Report::Signed { track });
        }
        Ok(())
    }

    /// Mutes the tracks whose frames were not signed in time.
    pub(super) fn tick(&mut self, now: Duration) {
        for (&track, known) in &mut self.tracks {
            if known.look_at.is_none_or(|at| now < at) {
                continue;
            }
            let before = known.pending.len();
            known.pending.retain(|_, (_, came)| now < due(*came));
            known.look_at = known.pending.values().map(|(_, came)| due(*came)).min();
            let frames = before.saturating_sub(known.pending.len()) as u32;
            if frames > 0 && !std::mem::replace(&mut known.muted, true) {
                self.reports.push_back(Report::Unsigned { track, frames });
            }
        }
        self.bound();
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.tracks.values().filter_map(|known| known.look_at).min()
    }

    pub(super) fn poll(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let of = |known: &Track| known.signed.len() + known.pending.len();
        self.tracks.values().map(of).sum()
    }

    fn report(&mut self, report: Report) {
        self.reports.push_back(report);
        self.bound();
    }

    /// The oldest reports go first.
    fn bound(&mut self) {
        while self.reports.len() > REPORTS {
            self.reports.pop_front();
        }
    }
}

fn due(came: Duration) -> Duration {
    came.saturating_add(SIGNED_WITHIN)
}
