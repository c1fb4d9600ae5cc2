//! Getting to the relay, and back to it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::carrier::address::RelayAddress;
use crate::carrier::client::{BindFailed, ConnectError, Link, LostReason, connect};
use crate::participant::error::JoinError;
use crate::participant::event::LossReason;
use crate::stay::{self, Attempt, Failure, Loss, Try};
use crate::wire::CloseReason;

type Dialling = Pin<Box<dyn Future<Output = Result<Link, ConnectError>>>>;

/// The attempts to get to a relay of the link, and the one that is under way.
pub(super) struct Dial {
    order: stay::Dial<Instant, ConnectError>,
    addresses: Vec<RelayAddress>,
    bind: Option<(IpAddr, u16)>,
    attempt: Option<Dialling>,
}

impl Dial {
    /// `relays`: their numbers in the link and addresses, in the link's order; at least one.
    pub(super) fn new(
        relays: Vec<(usize, RelayAddress)>,
        bind: Option<(IpAddr, u16)>,
        seed: u64,
    ) -> Self {
        let places = relays.iter().map(|(place, _)| *place);
        Self {
            order: stay::Dial::new(places, seed),
            addresses: relays.into_iter().map(|(_, address)| address).collect(),
            bind,
            attempt: None,
        }
    }

    /// The number in the link of the relay that is tried or was found.
    pub(super) fn place(&self) -> usize {
        self.order.place()
    }

    /// Makes the first attempt, at first at the relay with the number `beside`.
    pub(super) fn first(&mut self, beside: Option<usize>) {
        self.order.first(beside);
        self.begin();
    }

    /// A connection that had held for `held` is lost.
    pub(super) fn lost(&mut self, now: Instant, held: Duration) {
        self.order.lost(now, held);
    }

    /// Makes one more attempt; `None` when it is time to give up.
    pub(super) fn again(&mut self, now: Instant) -> Option<Attempt> {
        let attempt = self.order.again(now);
        self.begin();
        attempt
    }

    /// Makes one more attempt, whatever came of all those before.
    pub(super) fn again_after_all(&mut self, now: Instant) {
        self.order.again_after_all(now);
        self.begin();
    }

    /// The relay that is tried answers. True when it is to be taken.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        let taken = self.order.answered(now);
        self.begin();
        taken
    }

    /// The relay that is tried did not let us in: goes on to the next one of this attempt. False
    /// when there is none, or when that is no reason to go on.
    pub(super) fn onward(&mut self, now: Instant, error: ConnectError) -> bool {
        let goes_on = self.order.onward(now, error);
        self.begin();
        goes_on
    }

    /// Why the last attempt failed, of all relays the one that tells most; and whether another
    /// attempt may go better.
    pub(super) fn verdict(&self) -> (ConnectError, bool) {
        let (telling, worth_another) = self.order.verdict();
        (telling.unwrap_or(ConnectError::Internal), worth_another)
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

    fn begin(&mut self) {
        let Some(Try {
            relay,
            wait,
            patience,
        }) = self.order.begun()
        else {
            return;
        };
        let (bind, address) = (self.bind, self.addresses.get(relay).cloned());
        self.attempt = Some(Box::pin(async move {
            tokio::time::sleep(wait).await;
            let address = address.ok_or(ConnectError::Internal)?;
            let connecting = connect(&address, bind.map(Into::into));
            match patience {
                None => connecting.await,
                Some(patience) => tokio::time::timeout(patience, connecting)
                    .await
                    .unwrap_or(Err(ConnectError::Unreachable)),
            }
        }));
    }
}

impl Failure for ConnectError {
    fn passes_on(self) -> bool {
        match self {
            Self::NameNotFound
            | Self::NoRoute
            | Self::Unreachable
            | Self::NotSottovoce
            | Self::WrongCertificate
            | Self::Untrusted
            | Self::NoAuthorities
            | Self::ClockWrong
            | Self::Bind(BindFailed::OtherFamily) => true,
            Self::Busy | Self::Refused(_) | Self::Bind(_) | Self::Internal => false,
        }
    }

    fn worth_another(self) -> bool {
        match self {
            // Someone poses as the relay, or the clock is off: waiting mends neither.
            Self::WrongCertificate | Self::Untrusted | Self::NoAuthorities | Self::ClockWrong => {
                false
            }
            // A network that changes, or a relay that comes up again, shows all of these for a while.
            Self::NameNotFound
            | Self::NoRoute
            | Self::Unreachable
            | Self::NotSottovoce
            | Self::Busy
            | Self::Bind(_)
            | Self::Internal => true,
            Self::Refused(reason) => stay::closed(reason, true).is_some(),
        }
    }

    fn or_more_telling(self, other: Self) -> Self {
        ConnectError::or_more_telling(self, other)
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
    match stay::closed(reason, was_in) {
        Some(Loss::Restarting) => Ok(LossReason::Restarting),
        Some(Loss::TooSlow) => Ok(LossReason::TooSlow),
        Some(Loss::Ended) => Ok(LossReason::Ended),
        None => Err(JoinError::Closed(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_poses_as_the_relay_is_not_tried_again() {
        assert!(!ConnectError::WrongCertificate.worth_another());
        assert!(!ConnectError::Refused(CloseReason::Version).worth_another());
        assert!(ConnectError::Refused(CloseReason::RelayFull).worth_another());
        assert!(ConnectError::Unreachable.worth_another());
    }

    #[test]
    fn a_relay_that_is_there_and_takes_no_more_is_not_passed_over() {
        for error in [
            ConnectError::Busy,
            ConnectError::Refused(CloseReason::RoomFull),
            ConnectError::Bind(BindFailed::NotHere),
        ] {
            assert!(!error.passes_on(), "{error:?}");
        }
        assert!(ConnectError::WrongCertificate.passes_on());
    }

    #[test]
    fn silence_and_a_reset_are_reasons_to_come_back() {
        assert_eq!(
            lost(LostReason::TimedOut, true).ok(),
            Some(LossReason::Silence)
        );
        assert_eq!(
            lost(LostReason::Forgotten, true).ok(),
            Some(LossReason::Restarting)
        );
        assert!(matches!(
            closed(CloseReason::RoomFull, false),
            Err(JoinError::Closed(CloseReason::RoomFull))
        ));
    }
}
