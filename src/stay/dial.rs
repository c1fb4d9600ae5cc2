//! Getting to the relay, and back to it: which relay of the link to try, when, and how long.

use std::collections::VecDeque;
use std::time::Duration;

use super::Moment;
use super::backoff::{Attempt, Backoff, GIVE_UP};

/// How long a relay that was lost is the only one that is tried, since that was noticed. One that
/// restarts is back within seconds: who leaves it sooner sits at another one alone. Longer, and
/// everyone sits before one that is gone.
const LOYALTY: Duration = Duration::from_secs(4);

/// How long a relay may take to answer before the next one of the link is tried, at the beginning:
/// three first packets go out in that time. Who gives the first one up too soon is alone at the next.
const HEAD_START: Duration = Duration::from_secs(5);

/// The same after a loss: by then the lost one has been tried for [`LOYALTY`], and all are looking for
/// each other. Those before the one that answers are given it a second time ([`Dial::answered`]).
const HEAD_START_AGAIN: Duration = Duration::from_millis(1500);

/// Why there is no connection to a relay, as far as it matters what to try next.
pub trait Failure: Copy {
    /// Whether it is reason to try the next relay of the link. One that is there and takes no more has
    /// others of this meeting: elsewhere nobody would be.
    fn passes_on(self) -> bool;

    /// Whether another attempt may go better. A network that changes, or a relay that comes up again,
    /// shows much for a while.
    fn worth_another(self) -> bool;

    /// Of two, the one that tells a person more.
    fn or_more_telling(self, other: Self) -> Self;
}

/// An attempt at one relay, to be begun at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// Which of the relays that [`Dial::new`] was given.
    pub relay: usize,
    /// How long to wait before it.
    pub wait: Duration,
    /// How long the relay may take after that; `None` when the connection itself knows.
    pub patience: Option<Duration>,
}

/// The attempts to get to a relay of the link.
///
/// Each relay has a room of its own, so everyone must prefer the same one: the first of the link
/// that can be reached. An attempt goes through the relays in the link's order, one after the
/// other. After everything that says so, [`Self::begun`] has the next relay to try.
pub struct Dial<T, E> {
    relays: Vec<Candidate>,
    /// Which of them is tried, or was found.
    at: usize,
    /// Those to try after it.
    rest: VecDeque<usize>,
    /// Those that were tried before it, and why not.
    failed: Vec<(usize, E)>,
    /// Those before the first one that answered have been tried a second time in this attempt.
    asked_again: bool,
    backoff: Backoff<T>,
    /// The patience of an attempt to come back; `None` at the beginning.
    patience: Option<Duration>,
    begun: Option<Try>,
}

/// A relay of the link.
struct Candidate {
    /// Its number in the link, from 0.
    place: usize,
    /// Who answers there is not this relay: it is not asked again.
    barred: bool,
}

impl<T: Moment, E: Failure> Dial<T, E> {
    /// `relays`: their numbers in the link, in the link's order; at least one.
    pub fn new(relays: impl IntoIterator<Item = usize>, seed: u64) -> Self {
        let candidate = |place| Candidate {
            place,
            barred: false,
        };
        Self {
            relays: relays.into_iter().map(candidate).collect(),
            at: 0,
            rest: VecDeque::new(),
            failed: Vec::new(),
            asked_again: false,
            backoff: Backoff::new(seed),
            patience: None,
            begun: None,
        }
    }

    /// The attempt to begin now, if one is due. Whatever was under way before is over.
    pub fn begun(&mut self) -> Option<Try> {
        self.begun.take()
    }

    /// The number in the link of the relay that is tried or was found.
    pub fn place(&self) -> usize {
        self.relays.get(self.at).map_or(0, |relay| relay.place)
    }

    /// Makes the first attempt, with all the patience that there is. At first at the relay with the
    /// number `beside`, where the others of this meeting are known to be.
    pub fn first(&mut self, beside: Option<usize>) {
        let mut round = self.all();
        let place = |index: &usize| self.relays.get(*index).map(|relay| relay.place);
        let known = round.iter().position(|index| place(index) == beside);
        if let Some(index) = known.and_then(|known| round.remove(known)) {
            round.push_front(index);
        }
        self.begin(round, Duration::ZERO, None);
    }

    /// A connection that had held for `held` is lost.
    pub fn lost(&mut self, now: T, held: Duration) {
        self.backoff.lost(now, held);
    }

    /// Makes one more attempt; `None` when it is time to give up.
    pub fn again(&mut self, now: T) -> Option<Attempt> {
        let attempt = self.backoff.next(now)?;
        let round = self.round(self.backoff.lost_for(now) + attempt.wait, attempt.patience);
        self.begin(round, attempt.wait, Some(attempt.patience));
        Some(attempt)
    }

    /// Makes one more attempt, whatever came of all those before.
    pub fn again_after_all(&mut self, now: T) {
        for relay in &mut self.relays {
            relay.barred = false;
        }
        if self.again(now).is_none() {
            self.backoff.lost(now, Duration::MAX);
            self.again(now);
        }
    }

    /// The relay that is tried answers. True when it is to be taken.
    ///
    /// After a loss it may be that this participant's own network had failed, and is back only since
    /// the relays before this one were tried: the others are still there. So those are asked once
    /// more, and then this one again.
    pub fn answered(&mut self, now: T) -> bool {
        if self.asked_again || !self.in_time(now) {
            return true;
        }
        let in_vain = |index: &usize| self.failed.iter().any(|(tried, _)| tried == index);
        let mut round = self.all();
        round.retain(|index| *index < self.at && in_vain(index));
        let Some(first) = round.pop_front().filter(|_| self.patience.is_some()) else {
            return true;
        };
        round.push_back(self.at);
        round.append(&mut self.rest);
        self.asked_again = true;
        self.failed.clear();
        self.rest = round;
        self.turn_to(first);
        false
    }

    /// The relay that is tried did not let us in: goes on to the next one of this attempt. False
    /// when there is none, or when that is no reason to go on.
    pub fn onward(&mut self, now: T, error: E) -> bool {
        self.failed.push((self.at, error));
        if !error.worth_another() {
            self.bar();
        }
        let goes_on = error.passes_on() && self.in_time(now);
        match self.rest.pop_front().filter(|_| goes_on) {
            Some(next) => {
                self.turn_to(next);
                true
            }
            None => false,
        }
    }

    /// Why the last attempt failed, of all relays the one that tells most; and whether another
    /// attempt may go better.
    pub fn verdict(&self) -> (Option<E>, bool) {
        let errors = || self.failed.iter().map(|(_, error)| *error);
        let telling = errors().reduce(E::or_more_telling);
        (telling, errors().any(E::worth_another))
    }

    /// Whether there is time for another relay in this attempt.
    fn in_time(&self, now: T) -> bool {
        self.patience.is_none() || self.backoff.lost_for(now) < GIVE_UP
    }

    fn turn_to(&mut self, relay: usize) {
        self.at = relay;
        self.try_it(Duration::ZERO);
    }

    /// All relays that may be tried, in the link's order.
    fn all(&self) -> VecDeque<usize> {
        let relays = self.relays.iter().enumerate();
        let free = relays.filter(|(_, relay)| !relay.barred);
        free.map(|(index, _)| index).collect()
    }

    /// The relays to try in an attempt that begins when the relay has been lost for so long, and that
    /// has so much patience.
    fn round(&self, lost_for: Duration, patience: Duration) -> VecDeque<usize> {
        let all = self.all();
        match lost_for + patience <= LOYALTY && all.contains(&self.at) {
            true => VecDeque::from([self.at]),
            false => all,
        }
    }

    /// How long the relay that is tried may take, when others of the round wait for their turn; `None`
    /// when the connection itself knows.
    fn turn(&self) -> Option<Duration> {
        match (self.patience, self.rest.is_empty()) {
            (patience, true) => patience,
            (None, false) => Some(HEAD_START),
            (Some(patience), false) => Some(patience.min(HEAD_START_AGAIN)),
        }
    }

    /// Does not ask at this relay's address again; the others have not been tried in vain yet.
    fn bar(&mut self) {
        if let Some(relay) = self.relays.get_mut(self.at) {
            relay.barred = true;
        }
        let tried = |index: &usize| self.failed.iter().any(|(tried, _)| tried == index);
        let left = self.all().into_iter().filter(|index| !tried(index));
        self.rest = left.collect();
    }

    fn begin(&mut self, mut round: VecDeque<usize>, wait: Duration, patience: Option<Duration>) {
        self.at = round.pop_front().unwrap_or(self.at);
        self.rest = round;
        self.failed.clear();
        self.asked_again = false;
        self.patience = patience;
        self.try_it(wait);
    }

    fn try_it(&mut self, wait: Duration) {
        self.begun = Some(Try {
            relay: self.at,
            wait,
            patience: self.turn(),
        });
    }
}

#[cfg(test)]
mod tests;
