//! Getting to the relay, and back to it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::carrier::address::RelayAddress;
use crate::carrier::client::{ConnectError, Link, LostReason, connect};
use crate::participant::backoff::{Attempt, Backoff};
use crate::participant::error::JoinError;
use crate::participant::event::LossReason;
use crate::wire::CloseReason;

type Dialling = Pin<Box<dyn Future<Output = Result<Link, ConnectError>>>>;

/// The attempts to get to the relay.
pub(super) struct Dial {
    address: RelayAddress,
    bind: Option<(IpAddr, u16)>,
    backoff: Backoff,
    attempt: Option<Dialling>,
}

impl Dial {
    pub(super) fn new(address: RelayAddress, bind: Option<(IpAddr, u16)>, seed: u64) -> Self {
        Self {
            address,
            bind,
            backoff: Backoff::new(seed),
            attempt: None,
        }
    }

    /// Makes the first attempt, with all the patience that there is.
    pub(super) fn first(&mut self) {
        self.attempt = Some(self.connect(Duration::ZERO, None));
    }

    /// A connection that had held for `held` is lost.
    pub(super) fn lost(&mut self, now: Instant, held: Duration) {
        self.backoff.lost(now, held);
    }

    /// Makes one more attempt; `None` when it is time to give up.
    pub(super) fn again(&mut self, now: Instant) -> Option<Attempt> {
        let attempt = self.backoff.next(now)?;
        self.attempt = Some(self.connect(attempt.wait, Some(attempt.patience)));
        Some(attempt)
    }

    /// How the attempt under way ends; waits for ever when none is. The attempt goes on when the
    /// future is dropped.
    pub(super) async fn next(&mut self) -> Result<Link, ConnectError> {
        match &mut self.attempt {
            Some(attempt) => {
                let link = attempt.await;
                self.attempt = None;
                link
            }
            None => std::future::pending().await,
        }
    }

    fn connect(&self, wait: Duration, patience: Option<Duration>) -> Dialling {
        let (address, bind) = (self.address.clone(), self.bind);
        Box::pin(async move {
            tokio::time::sleep(wait).await;
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
        | CloseReason::TooMany => Err(JoinError::Closed(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_room_is_the_end_for_a_newcomer_only() {
        assert!(matches!(
            closed(CloseReason::RoomFull, false),
            Err(JoinError::Closed(CloseReason::RoomFull))
        ));
        assert_eq!(
            closed(CloseReason::RoomFull, true).ok(),
            Some(LossReason::Ended)
        );
        assert!(worth_another(&ConnectError::Refused(
            CloseReason::RelayFull
        )));
    }

    #[test]
    fn one_who_poses_as_the_relay_is_not_tried_again() {
        assert!(!worth_another(&ConnectError::WrongCertificate));
        assert!(!worth_another(&ConnectError::Refused(CloseReason::Version)));
        assert!(worth_another(&ConnectError::Unreachable));
    }

    #[test]
    fn faults_of_ours_are_not_repeated() {
        for reason in CloseReason::ALL {
            let fault = matches!(
                reason,
                CloseReason::Version
                    | CloseReason::Malformed
                    | CloseReason::Unexpected
                    | CloseReason::TooLarge
            );
            assert_eq!(
                lost(LostReason::Closed(reason), true).is_err(),
                fault,
                "{reason:?}"
            );
        }
        assert_eq!(
            lost(LostReason::TimedOut, true).ok(),
            Some(LossReason::Silence)
        );
        assert_eq!(
            lost(LostReason::Forgotten, true).ok(),
            Some(LossReason::Restarting)
        );
    }
}
