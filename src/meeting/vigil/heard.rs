//! Which chair's card counts, by the rule that members keep (`docs/chair.md`), and how fresh its word is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::card::Opened;
use crate::meeting::chair::{BeatError, Beats, FRESH, Lag, STOP, WARN};
use crate::meeting::events::Freshness;

/// See the module.
pub(super) struct Heard {
    beats: Beats,
    lag: Lag,
    /// The newest card of each rank, and when it came.
    cards: BTreeMap<u8, (Duration, Opened)>,
    /// Bit n: the committer of rank n was removed, for good.
    removed: u8,
    ruling: Option<u8>,
    level: Freshness,
    /// The highest epoch of a card that counted.
    epoch: u64,
}

impl Heard {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            beats: Beats::default(),
            lag: Lag::new(now),
            cards: BTreeMap::new(),
            removed: 0,
            ruling: None,
            level: Freshness::Well,
            epoch: 0,
        }
    }

    /// A committer's card came.
    ///
    /// # Errors
    /// [`BeatError`]: it does not count; one of a committer who was removed is not authentic.
    pub(super) fn take(&mut self, now: Duration, card: Opened) -> Result<(), BeatError> {
        let rank = card.claim.rank;
        if self.is_removed(rank) {
            return Err(BeatError::NotAuthentic);
        }
        self.beats.take(now, &card.claim)?;
        self.cards.insert(rank, (now, card));
        self.rule(now);
        if let Some(card) = self.card().filter(|card| card.claim.rank == rank) {
            let claim = card.claim.clone();
            self.removed |= claim.put_out();
            self.lag.heard(now, &claim, STOP);
            if claim.epoch > self.epoch {
                self.epoch = claim.epoch;
                self.lag.forgive();
            }
        }
        Ok(())
    }

    /// The lowest rank with a fresh card rules; while there is none, whoever ruled last.
    fn rule(&mut self, now: Duration) {
        let fresh = |at: Duration| now.saturating_sub(at) < FRESH;
        let ruling = self
            .cards
            .iter()
            .find(|(rank, (at, _))| !self.is_removed(**rank) && fresh(*at));
        if let Some((rank, _)) = ruling {
            self.ruling = Some(*rank);
        }
    }

    /// The card that counts.
    pub(super) fn card(&self) -> Option<&Opened> {
        self.cards.get(&self.ruling?).map(|(_, card)| card)
    }

    /// Lets time pass; how fresh the chair's word is, when that changed.
    pub(super) fn tick(&mut self, now: Duration) -> Option<Freshness> {
        let before = self.ruling;
        self.rule(now);
        if self.ruling != before
            && let Some((at, card)) = self.ruling.and_then(|rank| self.cards.get(&rank))
        {
            self.lag.heard(*at, &card.claim, STOP);
        }
        self.ruling?;
        let level = match self.lag.at(now) {
            lag if lag >= STOP => Freshness::Stopped,
            lag if lag >= WARN => Freshness::Stale,
            _ => Freshness::Well,
        };
        (std::mem::replace(&mut self.level, level) != level).then_some(level)
    }

    /// Nothing is shown: who was removed may be among those who seem to speak.
    pub(super) fn stopped(&self) -> bool {
        self.level == Freshness::Stopped
    }

    fn is_removed(&self, rank: u8) -> bool {
        self.removed & 1_u8.checked_shl(u32::from(rank)).unwrap_or(0) != 0
    }
}
