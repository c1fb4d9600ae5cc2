//! Who asked for signatures looks here whether what opened was signed by its sender.
//!
//! Nobody waits for sound: once signed frames of a track have come, what opens is shown at once, and may
//! be signed until [`SIGNED_WITHIN`] after. When something that was shown is not, everything of its sender
//! waits for its signature from then on, until that one comes, however late: of what was forged it never
//! does. So a forger is seen for that long, once. Before the first signature of a track has come
//! nothing was shown that could be wrong, and it waits, too.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use super::attest::{Attest, Hash, hash};
use super::gate::SealedFrame;
use super::limits::{GATE_BYTES, PENDING, REPORTS, SIGNED, SIGNED_AGAIN, SIGNED_WITHIN};
use crate::meeting::events::Rejection;
use crate::meeting::limits::REPLAY_WINDOW;
use crate::wire::TrackId;

/// What a screen has to show about a track whose sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// So many frames were not signed in time. It comes again with each time that there are more.
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
    /// Signed frames come again, and nothing else has for a while. All that was shown is signed, but for
    /// what was told to be [`Forged`](Self::Forged), what a connection was lost with, or what came under
    /// other keys.
    Signed {
        /// Whose.
        track: TrackId,
    },
}

/// Epoch and counter.
type Place = (u64, u64);

/// Something that came and is not signed yet.
struct Pending {
    came: Duration,
    /// What waits; `None` when it was shown at once.
    waits: Option<SealedFrame>,
    /// A connection was lost since it came: that its signature is missing is not told.
    excused: bool,
}

/// Something that was shown and not signed in time.
struct Late {
    hash: Hash,
    /// As that of [`Pending`].
    excused: bool,
}

#[derive(Default)]
struct Track {
    /// What the sender signed for.
    signed: BTreeMap<Place, Hash>,
    /// Bounded by [`PENDING`]. More than one may have come for a place.
    pending: BTreeMap<(Place, Hash), Pending>,
    /// What was shown and not signed in time. As long as there is any, nothing more is shown unsigned,
    /// so that it cannot be more than was pending at once.
    late: BTreeMap<Place, Late>,
    /// Nothing of that is late before then. Asked with each frame, so that it is not looked for.
    look_at: Option<Duration>,
    /// Signed frames came since its sender, or this side, was last out of reach.
    trusted: bool,
    /// Something of it came under these keys.
    begun: bool,
    /// When something was last not signed in time, where that was told.
    missed: Option<Duration>,
    /// A signed frame came after that.
    passes: bool,
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

    fn matched(&mut self) {
        (self.trusted, self.passes) = (true, true);
    }

    /// Whether something was shown whose signature has not come.
    fn owes(&self) -> bool {
        let shown = self.pending.values().any(|one| one.waits.is_none());
        shown || !self.late.is_empty()
    }

    /// When all of it may be called signed again.
    fn quiet_at(&self) -> Option<Duration> {
        let clean = self.late.values().all(|late| late.excused);
        let missed = self.missed.filter(|_| self.passes && clean);
        Some(missed?.saturating_add(SIGNED_AGAIN))
    }
}

const _: () = assert!((PENDING as u64) < REPLAY_WINDOW);

/// What becomes of a frame that opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Take,
    /// It comes out of [`Judge::through`] when it is signed. It uses up no counter until then, so that it
    /// takes the place of no true one.
    Wait,
    Drop,
}

/// The tracks of one person.
#[derive(Default)]
pub(super) struct Judge {
    tracks: HashMap<TrackId, Track>,
    reports: VecDeque<Report>,
    /// Somebody has forged frames of this person: all wait for their signatures, to the end.
    forged: bool,
    /// As it was made. Signatures may have been told to be missing under the keys before: of each track
    /// is told once that they are there again.
    suspect: bool,
    /// Of all that waits.
    bytes: usize,
    through: VecDeque<SealedFrame>,
}

impl Judge {
    /// `suspect`: as [`Judge::is_suspect`] was with this person's keys before.
    pub(super) fn new(suspect: bool) -> Self {
        Self {
            forged: suspect,
            suspect,
            ..Self::default()
        }
    }

    /// Looks at something that opened under the key of an epoch.
    pub(super) fn look(&mut self, now: Duration, place: Place, frame: SealedFrame) -> Verdict {
        let holds = self.holds();
        let hash = hash(frame.track, frame.group, &frame.sealed);
        let (track, size) = (frame.track, frame.sealed.len());
        let known = self.tracks.entry(track).or_default();
        if !std::mem::replace(&mut known.begun, true) && self.suspect {
            known.missed = Some(now);
        }
        match known.signed.get(&place) {
            Some(signed) if *signed == hash => {
                known.matched();
                return Verdict::Take;
            }
            Some(_) => {
                // Not of each one: who forges must not fill the screen.
                if !std::mem::replace(&mut self.forged, true) {
                    self.report(Report::Forged { track, frames: 1 });
                }
                return Verdict::Drop;
            }
            None => {}
        }
        let second = known.pending.contains_key(&(place, hash));
        if second || place.1 >= known.ahead(place.0) || known.pending.len() >= PENDING {
            return Verdict::Drop;
        }
        let shown = known.trusted && !holds;
        if !shown && self.bytes.saturating_add(size) > GATE_BYTES {
            return Verdict::Drop;
        }
        let waits = (!shown).then_some(frame);
        let one = Pending {
            came: now,
            waits,
            excused: false,
        };
        known.pending.insert((place, hash), one);
        known.look_at.get_or_insert(due(now));
        if shown {
            return Verdict::Take;
        }
        self.bytes += size;
        Verdict::Wait
    }

    /// Takes a sender's word whose signature was found good. What had waited for it goes
    /// [`through`](Self::through).
    pub(super) fn attest(&mut self, attest: &Attest) -> Result<(), Rejection> {
        let entries = attest.entries()?;
        let track = attest.track;
        let known = self.tracks.entry(track).or_default();
        let mut forged = 0u32;
        for (counter, hash) in entries {
            let place = (attest.epoch, counter);
            // Who signs twice for one place is held to the first.
            let hash = *known.signed.entry(place).or_insert(hash);
            let came = known.pending.range((place, [0; 16])..=(place, [0xff; 16]));
            let came: Vec<Hash> = came.map(|((_, hash), _)| *hash).collect();
            for other in came {
                let waits = known.pending.remove(&(place, other));
                let waits = waits.and_then(|one| one.waits);
                let size = waits.as_ref().map_or(0, |frame| frame.sealed.len());
                self.bytes = self.bytes.saturating_sub(size);
                match other == hash {
                    true => {
                        known.matched();
                        self.through.extend(waits);
                    }
                    false => forged += 1,
                }
            }
            let late = known.late.remove(&place);
            forged += u32::from(late.is_some_and(|late| late.hash != hash));
        }
        if known.pending.is_empty() {
            known.look_at = None;
        }
        while known.signed.len() > SIGNED {
            known.signed.pop_first();
        }
        if forged > 0 {
            self.forged = true;
            let frames = forged;
            self.report(Report::Forged { track, frames });
        }
        Ok(())
    }

    /// What had waited and is signed, in the order in which it was sealed: taken when it is looked at
    /// once more.
    pub(super) fn through(&mut self) -> Option<SealedFrame> {
        self.through.pop_front()
    }

    /// This person or this side is out of reach: signatures may be lost with the connection. What was
    /// shown stays unsigned all the same, but that is nobody's fault.
    pub(super) fn lost(&mut self) {
        for known in self.tracks.values_mut() {
            known.trusted = false;
            for one in known.pending.values_mut() {
                one.excused = true;
            }
            for late in known.late.values_mut() {
                late.excused = true;
            }
        }
    }

    /// Whether the next keys of this person are to begin with waiting, since not all that was shown was
    /// signed.
    pub(super) fn is_suspect(&self) -> bool {
        self.forged || self.tracks.values().any(Track::owes)
    }

    fn holds(&self) -> bool {
        self.forged || self.tracks.values().any(|known| !known.late.is_empty())
    }

    /// Notes what was not signed in time, and drops it where it waits.
    pub(super) fn tick(&mut self, now: Duration) {
        for (&track, known) in &mut self.tracks {
            if known.look_at.is_some_and(|at| now >= at) {
                let gone = known.pending.iter().filter(|(_, one)| now >= due(one.came));
                let gone: Vec<_> = gone.map(|(at, _)| *at).collect();
                let mut frames = 0u32;
                for (place, hash) in gone {
                    let Some(one) = known.pending.remove(&(place, hash)) else {
                        continue;
                    };
                    let excused = one.excused;
                    frames += u32::from(!excused);
                    match one.waits {
                        Some(frame) => {
                            self.bytes = self.bytes.saturating_sub(frame.sealed.len());
                        }
                        None => drop(known.late.insert(place, Late { hash, excused })),
                    }
                }
                known.look_at = known.pending.values().map(|one| due(one.came)).min();
                if frames > 0 {
                    (known.missed, known.passes) = (Some(now), false);
                    self.reports.push_back(Report::Unsigned { track, frames });
                }
            }
            if known.quiet_at().is_some_and(|at| now >= at) {
                known.missed = None;
                self.reports.push_back(Report::Signed { track });
            }
        }
        self.bound();
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let tracks = self.tracks.values();
        let due = tracks.flat_map(|known| [known.look_at, known.quiet_at()]);
        due.flatten().min()
    }

    pub(super) fn poll(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let of = |known: &Track| known.signed.len() + known.pending.len() + known.late.len();
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
