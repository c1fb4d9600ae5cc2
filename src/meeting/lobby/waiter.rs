//! Those whom the porter has a line to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::body::{Answer, KnockPlain};
use super::parts::Parcel;
use super::porter::PorterOutput;
use super::seal::ChairLine;
use crate::meeting::secret::Passed;
use crate::wire::{ParticipantId, To};

/// Somebody who knocked.
pub(super) struct Waiter {
    pub(super) number: u32,
    pub(super) participant: ParticipantId,
    pub(super) knock: KnockPlain,
    pub(super) line: ChairLine,
    /// Since when this connection has had a place.
    pub(super) since: Duration,
    /// When it last asked or knocked.
    pub(super) heard: Duration,
}

impl Waiter {
    pub(super) fn answer(&mut self, answer: &Answer) -> Option<PorterOutput> {
        post(self.participant, &mut self.line, answer)
    }

    /// A lock is not against those who come back.
    pub(super) fn is_held(&self, locked: bool) -> bool {
        locked && self.knock.proof_of_return.is_none()
    }

    /// Whether both knocks are for the same place in the group under the same name.
    pub(super) fn is_same(&self, other: &KnockPlain) -> bool {
        self.knock.name == other.name
            && self.knock.key_package == other.key_package
            && self.knock.proof_of_return == other.proof_of_return
    }
}

/// Somebody who was let in, as long as the payload may have to be sent once more. Known by the key package:
/// whoever lost its connection has another id, and knocks with the same one.
pub(super) struct Kept {
    /// The last attempt of each who knocked with it, the newest last: a member has seen the key package in
    /// the commit, and could use up the newcomer's numbers.
    pub(super) attempts: VecDeque<(ParticipantId, u32)>,
    pub(super) key_package: Vec<u8>,
    pub(super) payload: Arc<Zeroizing<Vec<u8>>>,
    pub(super) until: Duration,
}

impl Kept {
    /// Whether this attempt is not one that was there before; it is counted from now on.
    pub(super) fn is_new(&mut self, from: ParticipantId, attempt: u32) -> bool {
        let before = self.attempts.iter().position(|(by, _)| *by == from);
        if let Some(at) = before
            && let Some((_, last)) = self.attempts.get_mut(at)
        {
            let rises = attempt > *last;
            *last = attempt.max(*last);
            return rises;
        }
        if self.attempts.len() >= ATTEMPTS {
            self.attempts.pop_front();
        }
        self.attempts.push_back((from, attempt));
        true
    }
}

/// Those whose attempts with one key package are remembered.
const ATTEMPTS: usize = 16;

/// A payload on its way.
pub(super) struct Sending {
    /// To whom.
    pub(super) participants: Vec<ParticipantId>,
    pub(super) parcel: Arc<Parcel>,
    /// Its parts are such as everyone may see.
    pub(super) for_all: bool,
    /// Number of the next part.
    pub(super) next: u8,
}

impl Sending {
    /// The next part; `None` after the last.
    pub(super) fn part(&mut self) -> Option<PorterOutput> {
        let body = self.parcel.part(self.next)?;
        self.next = self.next.saturating_add(1);
        let to = match self.participants.as_slice() {
            [one] => To::One(*one),
            _ => To::Everyone,
        };
        Some(PorterOutput::Post { to, body })
    }

    /// Whether one more can be sent this payload with it.
    pub(super) fn may_be_joined(&self, payload: &Arc<Zeroizing<Vec<u8>>>) -> bool {
        self.for_all && self.next == 0 && self.parcel.is_of(payload)
    }

    pub(super) fn is_done(&self) -> bool {
        self.next >= self.parcel.of
    }
}

pub(super) fn post(
    participant: ParticipantId,
    line: &mut ChairLine,
    answer: &Answer,
) -> Option<PorterOutput> {
    let body = line.seal(answer)?;
    let to = To::One(participant);
    Some(PorterOutput::Post { to, body })
}

/// How those who are let in open what they are given.
pub(super) fn given(parcel: &Parcel) -> Answer {
    Answer::Admitted {
        key: Passed::new(&parcel.key),
        of: parcel.of,
    }
}
