//! So many a second, and some at once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub(super) struct Pace {
    each: Duration,
    at_once: Duration,
    /// When all that was taken has been made up for.
    even: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(a_second: u32, at_once: u32) -> Self {
        let each = Duration::from_secs(1) / a_second;
        Self {
            each,
            at_once: each * at_once,
            even: Mutex::new(Instant::now()),
        }
    }

    /// Takes so many, and says when they may be used, if not at once: one after the other, so that nobody is
    /// passed over and nobody asks again.
    pub(super) fn take(&self, many: u32) -> Option<Instant> {
        let now = Instant::now();
        let mut even = self.even.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (*even).max(now);
        *even = from + self.each * many;
        let at_once = from.duration_since(now) < self.at_once;
        (!at_once).then(|| *even - self.at_once)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_now_is_for_later() {
        let now = Instant::now();
        let pace = Pace::new(100, 10);
        for _ in 0..10 {
            assert_eq!(pace.take(1), None);
        }
        for turn in 1..=40 {
            let later = now + Duration::from_millis(10 * turn);
            assert_eq!(pace.take(1), Some(later));
        }
        // Who takes much at a time is waited for afterwards.
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(pace.take(500), None);
        let waits = pace.take(1).unwrap() - Instant::now();
        assert_eq!(waits, Duration::from_millis(4910));
    }
}
