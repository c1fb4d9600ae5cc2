//! Getting to the relay, and back to it.

use std::collections::VecDeque;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::carrier::address::RelayAddress;
use crate::carrier::client::{BindFailed, ConnectError, Link, LostReason, connect};
use crate::participant::backoff::{Attempt, Backoff, GIVE_UP};
use crate::participant::error::JoinError;
use crate::participant::event::LossReason;
use crate::wire::CloseReason;

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

type Dialling = Pin<Box<dyn Future<Output = Result<Link, ConnectError>>>>;

/// The attempts to get to a relay of the link.
///
/// Each relay has a room of its own, so everyone must prefer the same one: the first of the link
/// that can be reached. An attempt goes through the relays in the link's order, one after the
/// other.
pub(super) struct Dial {
    relays: Vec<Candidate>,
    /// Which of them is tried, or was found.
    at: usize,
    /// Those to try after it.
    rest: VecDeque<usize>,
    /// Those that were tried before it, and why not.
    failed: Vec<(usize, ConnectError)>,
    /// Those before the first one that answered have been tried a second time in this attempt.
    asked_again: bool,
    bind: Option<(IpAddr, u16)>,
    backoff: Backoff,
    /// The patience of an attempt to come back; `None` at the beginning.
    patience: Option<Duration>,
    attempt: Option<Dialling>,
}

/// A relay of the link.
struct Candidate {
    /// Its number in the link, from 0.
    place: usize,
    address: RelayAddress,
    /// Who answers there is not this relay: it is not asked again.
    barred: bool,
}

impl Dial {
    /// `relays`: their numbers in the link and addresses, in the link's order; at least one.
    pub(super) fn new(
        relays: Vec<(usize, RelayAddress)>,
        bind: Option<(IpAddr, u16)>,
        seed: u64,
    ) -> Self {
        let candidate = |(place, address)| Candidate {
            place,
            address,
            barred: false,
        };
        Self {
            relays: relays.into_iter().map(candidate).collect(),
            at: 0,
            rest: VecDeque::new(),
            failed: Vec::new(),
            asked_again: false,
            bind,
            backoff: Backoff::new(seed),
            patience: None,
            attempt: None,
        }
    }

    /// The number in the link of the relay that is tried or was found.
    pub(super) fn place(&self) -> usize {
        self.relays.get(self.at).map_or(0, |relay| relay.place)
    }

    /// Makes the first attempt, with all the patience that there is. At first at the relay with the
    /// number `beside`, where the others of this meeting are known to be.
    pub(super) fn first(&mut self, beside: Option<usize>) {
        let mut round = self.all();
        let place = |index: &usize| self.relays.get(*index).map(|relay| relay.place);
        let known = round.iter().position(|index| place(index) == beside);
        if let Some(index) = known.and_then(|known| round.remove(known)) {
            round.push_front(index);
        }
        self.begin(round, Duration::ZERO, None);
    }

    /// A connection that had held for `held` is lost.
    pub(super) fn lost(&mut self, now: Instant, held: Duration) {
        self.backoff.lost(now, held);
    }

    /// Makes one more attempt; `None` when it is time to give up.
    pub(super) fn again(&mut self, now: Instant) -> Option<Attempt> {
        let attempt = self.backoff.next(now)?;
        let round = self.round(self.backoff.lost_for(now) + attempt.wait, attempt.patience);
        self.begin(round, attempt.wait, Some(attempt.patience));
        Some(attempt)
    }

    /// Makes one more attempt, whatever came of all those before.
    pub(super) fn again_after_all(&mut self, now: Instant) {
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
    pub(super) fn answered(&mut self, now: Instant) -> bool {
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
    pub(super) fn onward(&mut self, now: Instant, error: ConnectError) -> bool {
        self.failed.push((self.at, error));
        if !worth_another(&error) {
            self.bar();
        }
        let goes_on = passes_on(&error) && self.in_time(now);
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
    pub(super) fn verdict(&self) -> (ConnectError, bool) {
        let errors = || self.failed.iter().map(|(_, error)| *error);
        let telling = errors().reduce(ConnectError::or_more_telling);
        (
            telling.unwrap_or(ConnectError::Internal),
            errors().any(|error| worth_another(&error)),
        )
    }

    /// How the attempt at one relay ends, if one is under way.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Link, ConnectError>> {
        let Some(attempt) = &mut self.attempt else {
            return Poll::Pending;
        };
        let link = ready!(attempt.as_mut().poll(context));
        self.attempt = None;
        Poll::Ready(link)
    }

    /// Whether there is time for another relay in this attempt.
    fn in_time(&self, now: Instant) -> bool {
        self.patience.is_none() || self.backoff.lost_for(now) < GIVE_UP
    }

    fn turn_to(&mut self, relay: usize) {
        self.at = relay;
        self.attempt = Some(self.connect(Duration::ZERO));
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
        self.attempt = Some(self.connect(wait));
    }

    fn connect(&self, wait: Duration) -> Dialling {
        let (bind, patience) = (self.bind, self.turn());
        let address = self.relays.get(self.at).map(|relay| relay.address.clone());
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            let address = address.ok_or(ConnectError::Internal)?;
            let connecting = connect(&address, bind.map(Into::into));
            match patience {
                None => connecting.await,
                Some(patience) => tokio::time::timeout(patience, connecting)
                    .await
                    .unwrap_or(Err(ConnectError::Unreachable)),
            }
        })
    }
}

/// Whether a relay that failed so is reason to try the next one of the link. One that is there and
/// takes no more has others of this meeting: elsewhere nobody would be.
fn passes_on(error: &ConnectError) -> bool {
    match error {
        ConnectError::NameNotFound
        | ConnectError::NoRoute
        | ConnectError::Unreachable
        | ConnectError::NotSottovoce
        | ConnectError::WrongCertificate
        | ConnectError::Untrusted
        | ConnectError::NoAuthorities
        | ConnectError::ClockWrong
        | ConnectError::Bind(BindFailed::OtherFamily) => true,
        ConnectError::Busy
        | ConnectError::Refused(_)
        | ConnectError::Bind(_)
        | ConnectError::Internal => false,
    }
}

/// Whether a failed attempt to come back is worth another one.
pub(super) fn worth_another(error: &ConnectError) -> bool {
    match error {
        // Someone poses as the relay, or the clock is off: waiting mends neither.
        ConnectError::WrongCertificate
        | ConnectError::Untrusted
        | ConnectError::NoAuthorities
        | ConnectError::ClockWrong => false,
        // A network that changes, or a relay that comes up again, shows all of these for a while.
        ConnectError::NameNotFound
        | ConnectError::NoRoute
        | ConnectError::Unreachable
        | ConnectError::NotSottovoce
        | ConnectError::Busy
        | ConnectError::Bind(_)
        | ConnectError::Internal => true,
        ConnectError::Refused(reason) => closed(*reason, true).is_ok(),
    }
}

/// What it means that a connection was lost: why to come back, or why not to.
pub(super) fn lost(reason: LostReason, was_in: bool) -> Result<LossReason, JoinError> {
    match reason {
        LostReason::Closed(reason) => closed(reason, was_in),
        LostReason::TimedOut => Ok(LossReason::Silence),
        LostReason::Forgotten => Ok(LossReason::Restarting),
        LostReason::Broken | LostReason::Left => Ok(LossReason::Ended),
    }
}

/// What a relay's last word means. `was_in`: this participant has been in the meeting already.
pub(super) fn closed(reason: CloseReason, was_in: bool) -> Result<LossReason, JoinError> {
    match reason {
        CloseReason::Restarting => Ok(LossReason::Restarting),
        CloseReason::TooSlow => Ok(LossReason::TooSlow),
        CloseReason::Done | CloseReason::NoHello | CloseReason::Internal => Ok(LossReason::Ended),
        // Its place may still be held by its own dead connection; and that there was too much of
        // something in a meeting that had gone well can be the doing of others, who come and go.
        CloseReason::RoomFull | CloseReason::RelayFull | CloseReason::TooMany if was_in => {
            Ok(LossReason::Ended)
        }
        CloseReason::RoomFull
        | CloseReason::RelayFull
        | CloseReason::Version
        | CloseReason::Malformed
        | CloseReason::Unexpected
        | CloseReason::TooLarge
        | CloseReason::TooMany
        | CloseReason::Pass => Err(JoinError::Closed(reason)),
    }
}

#[cfg(test)]
mod tests;
