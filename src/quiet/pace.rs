//! Keeps an event that repeats from filling a disk, and its times from telling a story.

use std::time::{Duration, Instant};

use super::Event;

/// How often one kind of event is said at most. Longer: an operator notices later.
const PACE: Duration = Duration::from_secs(60);

/// When each kind was said last.
pub(super) struct Paces([Option<Instant>; Event::KINDS]);

impl Paces {
    pub(super) const fn new() -> Self {
        Self([None; Event::KINDS])
    }

    /// Whether `event` may be said now; if so, it counts as said. Only what repeats by itself is
    /// held back.
    pub(super) fn may(&mut self, event: Event, now: Instant) -> bool {
        if !matches!(event, Event::Overloaded { .. } | Event::Full) {
            return true;
        }
        let Some(last) = self.0.get_mut(event.kind().1) else {
            return false;
        };
        if last.is_some_and(|last| now.saturating_duration_since(last) < PACE) {
            return false;
        }
        *last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_said_once_a_minute_and_holds_back_nothing_else() {
        let mut paces = Paces::new();
        let start = Instant::now();
        let late = |late_percent| Event::Overloaded {
            shard: 0,
            late_percent,
        };
        assert!(paces.may(late(30), start));
        assert!(!paces.may(late(31), start + PACE / 2));
        assert!(paces.may(Event::Full, start + PACE / 2));
        assert!(paces.may(Event::CertificateRotated, start));
        assert!(paces.may(Event::CertificateRotated, start));
        assert!(paces.may(late(32), start + PACE));
        assert!(!paces.may(late(32), start + PACE + PACE / 2));
    }
}
