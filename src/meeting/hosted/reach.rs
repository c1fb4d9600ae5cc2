//! How far ahead of what was heard of its sender a message of the group may say it is. Any member can
//! write one that says so in anybody's name, and that it is false shows only once all keys before it are
//! derived: ten milliseconds for 4,096. What was derived in vain is counted for each connection that
//! brings such, and for all together. Nobody is silenced by it: what follows on what was heard opens
//! always, whoever else spoils the same connection.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::meeting::events::StayId;
use crate::meeting::group::FORWARD;
use crate::wire::ParticipantId;

/// What is always looked at: about as dear as to open an honest message.
const ALWAYS: u32 = 32;

/// What may be derived in vain for one connection: at once, and how long each takes to be forgotten.
const EACH: Rate = Rate(FORWARD, Duration::from_millis(32));

/// And for all: else whoever connects anew each time would pay nothing. While somebody uses that up, who
/// was cut off meanwhile does not hear those who said more than [`ALWAYS`] in that time.
const ALL: Rate = Rate(16 * FORWARD, Duration::from_millis(1));

/// Connections that are counted at a time; all others are only counted together.
const COUNTED: usize = 256;

/// See [`EACH`].
struct Rate(u32, Duration);

impl Rate {
    /// What is left of it when all is forgotten at `free_at`.
    fn left(&self, free_at: Duration, now: Duration) -> u32 {
        let owed = free_at.saturating_sub(now).as_nanos();
        let owed = owed.div_ceil(self.1.as_nanos().max(1));
        self.0
            .saturating_sub(u32::try_from(owed).unwrap_or(u32::MAX))
    }

    /// When all is forgotten, with so much more.
    fn and(&self, free_at: Duration, now: Duration, more: u32) -> Duration {
        let free_at = free_at.max(now) + self.1.saturating_mul(more);
        free_at.min(now + self.1.saturating_mul(self.0))
    }
}

/// See the module. When what was derived in vain is forgotten.
#[derive(Default)]
pub(super) struct Reach {
    all: Duration,
    each: BTreeMap<(StayId, ParticipantId), Duration>,
}

impl Reach {
    /// Over how many keys the one of a message is looked for that this connection brings.
    pub(super) fn of(&self, now: Duration, at: (StayId, ParticipantId)) -> u32 {
        let free_at = self.each.get(&at).copied().unwrap_or_default();
        let left = EACH.left(free_at, now).min(ALL.left(self.all, now));
        ALWAYS + left
    }

    /// So many were derived in vain.
    pub(super) fn spent(&mut self, now: Duration, at: (StayId, ParticipantId), in_vain: u32) {
        if in_vain == 0 {
            return;
        }
        self.all = ALL.and(self.all, now, in_vain);
        self.each.retain(|_, free_at| *free_at > now);
        let before = self.each.get(&at).copied();
        if before.is_some() || self.each.len() < COUNTED {
            let free_at = EACH.and(before.unwrap_or_default(), now, in_vain);
            self.each.insert(at, free_at);
        }
    }
}
