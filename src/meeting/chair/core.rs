//! The state machine of one participant, chair or not.

use std::collections::VecDeque;
use std::time::Duration;

use super::beat::{BeatError, Beats, Claim, Run};
use super::lag::Lag;
use super::limits::{
    ASK, ASK_AGAIN, BACK, BACK_MOST, FRESH, HISTORY, LOST, PERIOD, REJOIN, SLEPT, STOP, TURN, WARN,
};

/// Where this participant's group stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The epoch.
    pub epoch: u64,
    /// Hash of its confirmation tag.
    pub tag: [u8; 32],
    /// Hash of its roster.
    pub roster: [u8; 32],
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Output {
    /// Sign this and post it in the main room and in the committers' room.
    Post(Claim),
    /// This participant is the chair from now on.
    TakeOver,
    /// It is not the chair any more. It tells `to`, in the committers' room, whom its line removed
    /// ([`super::Outcasts`]), and again until that chair has answered with its main room.
    Yield {
        /// The rank that commits now.
        to: u8,
    },
    /// Another device with the same link is the chair: this one is an ordinary member from now on.
    InUse,
    /// Nothing new for 15 s.
    Warn,
    /// For 60 s: a removal may be held back, so nothing may be sent.
    StopSending,
    /// All is well again; undoes both.
    Resume,
    /// For 120 s: leave the main room and knock anew.
    Lost,
    /// Ask the chair for the commits up to this epoch.
    Behind {
        /// The chair's.
        epoch: u64,
    },
    /// Ask the chair for a new welcome: another line, or too long behind.
    Rejoin {
        /// The chair's rank.
        to: u8,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Well,
    Warned,
    Stopped,
    Lost,
}

/// The beats of oneself.
#[derive(Default)]
struct Own {
    /// When the chair was taken first in this run.
    since: Option<Duration>,
    next: Duration,
    count: u64,
    before: [u8; 32],
}

/// One participant's part in who commits.
pub struct Chair {
    run: Run,
    rank: Option<u8>,
    is_chair: bool,
    locked: bool,
    /// Ranks of committers who were removed, for beats of one's own: bit n for rank n.
    removed: u8,
    standing: Standing,
    history: VecDeque<(u64, [u8; 32])>,
    /// Ranks of the committers in the roster.
    committers: Vec<u8>,
    beats: Beats,
    own: Own,
    lag: Lag,
    level: Level,
    /// Since when this participant can have heard others.
    awake: Duration,
    called: Duration,
    /// Since when the ruling beats do not fit; at once when they are of another line.
    apart: Option<Duration>,
    asked: Option<Duration>,
    rejoined: Option<Duration>,
    /// Not before then is the chair taken back from a higher rank.
    back_at: Duration,
    back: Duration,
    out: VecDeque<Output>,
}

impl Chair {
    /// Of a participant that is inside: `rank` is `None` for ordinary members; `founds` when it
    /// made the group, and so is the chair at once.
    pub fn new(
        now: Duration,
        run: Run,
        rank: Option<u8>,
        standing: Standing,
        committers: Vec<u8>,
        founds: bool,
    ) -> Self {
        let mut chair = Self {
            run,
            rank,
            is_chair: false,
            locked: false,
            removed: 0,
            standing,
            history: VecDeque::from([(standing.epoch, standing.tag)]),
            committers,
            beats: Beats::default(),
            own: Own::default(),
            lag: Lag::new(now),
            level: Level::Well,
            awake: now,
            called: now,
            apart: None,
            asked: None,
            rejoined: None,
            back_at: now,
            back: BACK,
            out: VecDeque::new(),
        };
        if founds && rank.is_some() {
            chair.take(now);
        }
        chair
    }

    /// A beat whose signature was checked.
    ///
    /// # Errors
    /// Why it does not count; nothing has changed then.
    pub fn heard(&mut self, now: Duration, claim: &Claim) -> Result<(), BeatError> {
        self.call(now);
        if claim.run == self.run && self.rank == Some(claim.rank) {
            return Err(BeatError::Replay);
        }
        if self.is_chair && self.rank == Some(claim.rank) && self.run < claim.run {
            return Err(BeatError::InUse);
        }
        self.beats.take(now, claim)?;
        if self.is_chair {
            match self.rank {
                Some(rank) if claim.rank < rank => self.stop(now, claim.rank),
                Some(rank) if claim.rank == rank => {
                    self.stop(now, rank);
                    self.rank = None;
                    self.out.push_back(Output::InUse);
                }
                _ => {}
            }
        }
        if !self.is_chair
            && let Some(ruling) = self.beats.ruling(now)
            && ruling.rank == claim.rank
        {
            let heard_for = now.saturating_sub(self.awake);
            self.lag.heard(now, claim, heard_for.min(STOP));
            self.locked = claim.locked;
        }
        self.compare(now);
        Ok(())
    }

    /// A commit was made or processed, or a welcome led to another line (`anew`).
    pub fn epoch_changed(
        &mut self,
        now: Duration,
        standing: Standing,
        committers: Vec<u8>,
        anew: bool,
    ) {
        self.call(now);
        if anew {
            self.history.clear();
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back((standing.epoch, standing.tag));
        self.standing = standing;
        self.committers = committers;
        self.asked = None;
        // Who gets on is not stuck: each rejoin is a commit that others have to follow, and a slow
        // network must not make of that a storm.
        self.apart = None;
        self.lag.forgive();
        if self.is_chair {
            self.own.next = now;
        }
        self.compare(now);
    }

    /// Whether nobody is admitted; said in the next beat, at once.
    pub fn lock(&mut self, now: Duration, locked: bool) {
        self.locked = locked;
        self.own.next = now;
    }

    /// These committers were removed (bit n: rank n): the next beat says so.
    pub fn without(&mut self, ranks: u8) {
        self.removed = ranks;
    }

    /// Whether that is a place in another line than this group's, as far as it is known.
    pub fn is_elsewhere(&self, claim: &Claim) -> bool {
        !self.history.contains(&(claim.epoch, claim.tag))
    }

    /// Whether nobody is admitted, by the chair's word. Whoever takes the chair leaves it so.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Whether this participant commits.
    pub fn is_chair(&self) -> bool {
        self.is_chair
    }

    /// Whose commits are to be taken.
    pub fn ruling(&self, now: Duration) -> Option<u8> {
        if self.is_chair {
            return self.rank;
        }
        self.beats.ruling(now).map(|claim| claim.rank)
    }

    /// Whether the ruling beats are of another epoch or line than this group. Only then does a
    /// chair that yielded lead its people to the winner's main room. Who follows stays there until a
    /// beat of the winner fits; from then on its room is its own epoch's.
    pub fn apart(&self) -> bool {
        self.apart.is_some()
    }

    /// Since when nothing was heard of who rules; `None` when this participant does, or nobody.
    #[cfg(test)]
    pub(in crate::meeting) fn heard_last(&self, now: Duration) -> Option<Duration> {
        (!self.is_chair).then(|| self.beats.heard_last(now))?
    }

    /// When [`Chair::poll`] is to be called at the latest.
    pub fn deadline(&self) -> Duration {
        let soon = self.called.saturating_add(Duration::from_secs(1));
        if self.is_chair {
            soon.min(self.own.next)
        } else {
            soon
        }
    }

    /// The next thing to be done, until there is none.
    pub fn poll(&mut self, now: Duration) -> Option<Output> {
        self.call(now);
        if self.out.is_empty() {
            self.tick(now);
        }
        self.out.pop_front()
    }

    /// A device that slept has heard nothing, and that says nothing about the others.
    fn call(&mut self, now: Duration) {
        if now.saturating_sub(self.called) > SLEPT {
            self.awake = now;
        }
        self.called = self.called.max(now);
    }

    fn tick(&mut self, now: Duration) {
        if !self.is_chair && self.may_take(now) {
            self.take(now);
        }
        if self.is_chair && now >= self.own.next {
            self.post(now);
        }
        self.compare(now);
        if let (Some(since), Some(ruling)) = (self.apart, self.beats.ruling(now)) {
            let (to, epoch) = (ruling.rank, ruling.epoch);
            let long = now.saturating_sub(since);
            let over = |last: Option<Duration>, wait| {
                last.is_none_or(|last| now.saturating_sub(last) >= wait)
            };
            if long >= REJOIN {
                if over(self.rejoined, REJOIN) {
                    self.rejoined = Some(now);
                    self.out.push_back(Output::Rejoin { to });
                }
            } else if long >= ASK && epoch > self.standing.epoch && over(self.asked, ASK_AGAIN) {
                self.asked = Some(now);
                self.out.push_back(Output::Behind { epoch });
            }
        }
        self.measure(now);
    }

    fn may_take(&self, now: Duration) -> bool {
        let Some(rank) = self.rank else {
            return false;
        };
        match self.beats.ruling(now) {
            // A lower rank that is back, or wakes, and has all that the present chair has.
            Some(ruling) => {
                ruling.rank > rank
                    && now >= self.back_at
                    && (ruling.epoch, ruling.tag) == (self.standing.epoch, self.standing.tag)
            }
            None => {
                let lower = self.committers.iter().filter(|r| **r > 0 && **r < rank);
                let turns = u32::try_from(lower.count()).unwrap_or(u32::MAX);
                let wait = FRESH.saturating_add(TURN.saturating_mul(turns));
                let heard = self.beats.lower_at(rank).unwrap_or_default();
                now.saturating_sub(heard.max(self.awake)) >= wait
            }
        }
    }

    fn take(&mut self, now: Duration) {
        self.is_chair = true;
        self.own.since.get_or_insert(now);
        self.own.next = now;
        self.apart = None;
        self.out.push_back(Output::TakeOver);
    }

    fn stop(&mut self, now: Duration, to: u8) {
        self.is_chair = false;
        self.awake = now;
        self.back_at = now.saturating_add(self.back);
        self.back = self.back.saturating_mul(2).min(BACK_MOST);
        self.out.retain(|out| !matches!(out, Output::Post(_)));
        self.out.push_back(Output::Yield { to });
    }

    fn post(&mut self, now: Duration) {
        let (Some(rank), Some(since)) = (self.rank, self.own.since) else {
            return;
        };
        let seq = now.saturating_sub(since).as_secs() / PERIOD.as_secs();
        let claim = Claim {
            run: self.run,
            rank,
            seq,
            count: self.own.count,
            epoch: self.standing.epoch,
            tag: self.standing.tag,
            roster: self.standing.roster,
            locked: self.locked,
            removed: self.removed,
            before: self.own.before,
        };
        self.own.before = claim.hash();
        self.own.count = self.own.count.saturating_add(1);
        self.own.next = now.saturating_add(PERIOD);
        self.out.push_back(Output::Post(claim));
    }

    /// Sets since when the ruling beats do not fit.
    fn compare(&mut self, now: Duration) {
        let ruling = match self.beats.ruling(now) {
            Some(ruling) if !self.is_chair => ruling,
            _ => {
                self.apart = None;
                return;
            }
        };
        let at = (ruling.epoch, ruling.tag);
        if at == (self.standing.epoch, self.standing.tag) {
            self.apart = None;
            self.rejoined = None;
            return;
        }
        let known = self.history.iter().find(|(epoch, _)| *epoch == at.0);
        let other_line = known.is_some_and(|known| *known != at);
        let since = *self.apart.get_or_insert(now);
        if other_line {
            self.apart = Some(since.min(now.saturating_sub(REJOIN)));
        }
    }

    fn measure(&mut self, now: Duration) {
        let lag = if self.is_chair || now.saturating_sub(self.awake) < SLEPT {
            Duration::ZERO
        } else {
            let apart = self.apart.map(|since| now.saturating_sub(since));
            self.lag.at(now).max(apart.unwrap_or_default())
        };
        let level = match lag {
            lag if lag >= LOST => Level::Lost,
            lag if lag >= STOP => Level::Stopped,
            lag if lag >= WARN => Level::Warned,
            _ => Level::Well,
        };
        if level == self.level {
            return;
        }
        let before = std::mem::replace(&mut self.level, level);
        if level < before {
            self.out.push_back(Output::Resume);
        }
        match level {
            Level::Well => {}
            Level::Warned => self.out.push_back(Output::Warn),
            Level::Stopped => self.out.push_back(Output::StopSending),
            Level::Lost => self.out.push_back(Output::Lost),
        }
    }
}
