//! How far what is heard of the chair is behind the chair.

use std::collections::VecDeque;
use std::time::Duration;

use super::beat::{Claim, Run};
use super::limits::{ANCHORS, PAYS, PERIOD};

/// Measured against the chair's own count of periods, so that a relay which delivers everything
/// ever later is noticed like one that delivers nothing. The quickest beat of a run so far is lag 0 for
/// that run, whoever else was heard meanwhile.
///
/// A run that was never heard can be one whose beats the relay had kept, to play them when the present
/// chair's are held back. So the lag up to then goes on as a *debt*, which is paid as its beats come.
pub(in crate::meeting) struct Lag {
    /// Of each run, the one heard last at the end: its rank, and when its count began at the latest, in
    /// milliseconds.
    anchors: VecDeque<((u8, Run), i128)>,
    /// Until somebody was heard, and when somebody was last.
    since: i128,
    seq: u64,
    debt: i128,
}

impl Lag {
    pub(in crate::meeting) fn new(now: Duration) -> Self {
        Self {
            anchors: VecDeque::new(),
            since: ms(now),
            seq: 0,
            debt: 0,
        }
    }

    /// A beat of who rules. `most`: the debt with which another run may begin.
    pub(in crate::meeting) fn heard(&mut self, now: Duration, claim: &Claim, most: Duration) {
        let of = (claim.rank, claim.run);
        let before = self.behind(now);
        let last = self.anchors.back().map(|last| last.0);
        let known = self.anchors.iter().position(|one| one.0 == of);
        let known = known.and_then(|at| self.anchors.remove(at));
        let anchor = ms(now) - periods(claim.seq);
        let anchor = known.map_or(anchor, |(_, known)| known.min(anchor));
        if self.anchors.len() >= ANCHORS {
            self.anchors.pop_front();
        }
        self.anchors.push_back((of, anchor));
        let got_on = periods(claim.seq.saturating_sub(self.seq)).min(ms(now) - self.since);
        self.seq = claim.seq;
        self.since = ms(now);
        self.debt = match last {
            Some(last) if last == of => self.debt - PAYS * got_on,
            Some(_) => (before - (self.behind(now) - self.debt)).min(ms(most)),
            None => 0,
        };
        self.debt = self.debt.max(0);
    }

    /// There is a new epoch, which nobody can have kept who keeps the commits before it.
    pub(in crate::meeting) fn forgive(&mut self) {
        self.debt = 0;
    }

    pub(in crate::meeting) fn at(&self, now: Duration) -> Duration {
        Duration::from_millis(u64::try_from(self.behind(now).max(0)).unwrap_or(u64::MAX))
    }

    fn behind(&self, now: Duration) -> i128 {
        let anchor = self.anchors.back().map_or(self.since, |last| last.1);
        ms(now) - anchor - periods(self.seq) + self.debt
    }
}

fn ms(at: Duration) -> i128 {
    i128::try_from(at.as_millis()).unwrap_or(i128::MAX >> 2)
}

fn periods(seq: u64) -> i128 {
    i128::from(seq) * ms(PERIOD)
}
