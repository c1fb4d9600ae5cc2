//! How far what is heard of the chair is behind the chair.

use std::time::Duration;

use super::beat::{Claim, Run};
use super::limits::PERIOD;

/// Measured against the chair's own count of periods, so that a relay which delivers everything
/// ever later is noticed like one that delivers nothing. The quickest beat so far is lag 0.
pub(in crate::meeting) struct Lag {
    of: Option<(u8, Run)>,
    anchor_ms: i128,
    seq: u64,
}

impl Lag {
    pub(in crate::meeting) fn new(now: Duration) -> Self {
        Self {
            of: None,
            anchor_ms: ms(now),
            seq: 0,
        }
    }

    pub(in crate::meeting) fn heard(&mut self, now: Duration, claim: &Claim) {
        let anchor = ms(now) - periods(claim.seq);
        let of = Some((claim.rank, claim.run));
        if self.of == of {
            self.anchor_ms = self.anchor_ms.min(anchor);
        } else {
            self.anchor_ms = anchor;
        }
        self.of = of;
        self.seq = claim.seq;
    }

    pub(in crate::meeting) fn at(&self, now: Duration) -> Duration {
        let lag = ms(now) - self.anchor_ms - periods(self.seq);
        Duration::from_millis(u64::try_from(lag.max(0)).unwrap_or(u64::MAX))
    }
}

fn ms(at: Duration) -> i128 {
    i128::try_from(at.as_millis()).unwrap_or(i128::MAX >> 2)
}

fn periods(seq: u64) -> i128 {
    i128::from(seq) * ms(PERIOD)
}
