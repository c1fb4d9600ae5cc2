//! How a participant stands: what it shows of itself besides its tracks, and how often that is said.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a participant shows of itself. Always of the same size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// It would like to speak.
    pub hand: bool,
    /// Its sound is silence, by its own word.
    pub muted: bool,
    /// It plays a file instead of showing itself.
    pub playing: bool,
}

/// A standing that is said at once when it changes, and then at most so often: what it is at last counts.
pub(super) struct Paced {
    standing: Standing,
    said: Standing,
    not_before: Duration,
}

impl Paced {
    /// This one is known already.
    pub(super) fn new(standing: Standing) -> Self {
        Self {
            standing,
            said: standing,
            not_before: Duration::ZERO,
        }
    }

    /// It is this one from now on.
    pub(super) fn set(&mut self, standing: Standing) {
        self.standing = standing;
    }

    /// What was said last.
    pub(super) fn said(&self) -> Standing {
        self.said
    }

    /// This one is said now, whatever was said before.
    pub(super) fn say(&mut self, now: Duration, standing: Standing, each: Duration) {
        (self.standing, self.said) = (standing, standing);
        self.not_before = now.saturating_add(each);
    }

    /// What is to be said now, if anything is.
    pub(super) fn due(&mut self, now: Duration, each: Duration) -> Option<Standing> {
        if self.deadline().is_none_or(|due| now < due) {
            return None;
        }
        self.say(now, self.standing, each);
        Some(self.standing)
    }

    /// When something is to be said.
    pub(super) fn deadline(&self) -> Option<Duration> {
        (self.standing != self.said).then_some(self.not_before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_often_is_said_seldom_and_the_last_of_it_always() {
        const EACH: Duration = Duration::from_secs(2);
        let hand = |up| Standing {
            hand: up,
            ..Standing::default()
        };
        let mut paced = Paced::new(hand(false));
        assert_eq!(paced.due(Duration::ZERO, EACH), None);
        paced.set(hand(true));
        assert_eq!(paced.due(Duration::ZERO, EACH), Some(hand(true)), "at once");
        let mut said = 0;
        for millisecond in 1..=10_000 {
            let now = Duration::from_millis(millisecond);
            paced.set(hand(millisecond % 2 == 0));
            said += u32::from(paced.due(now, EACH).is_some());
        }
        assert!(said <= 5, "{said}");
        let later = Duration::from_secs(20);
        paced.set(hand(false));
        paced.due(later, EACH);
        assert_eq!((paced.said(), paced.deadline()), (hand(false), None));
    }
}
