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

    /// Takes so many, or says when to ask again.
    pub(super) fn take(&self, many: u32) -> Result<(), Instant> {
        let now = Instant::now();
        let mut even = self.even.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (*even).max(now);
        if from.duration_since(now) >= self.at_once {
            return Err(from - self.at_once + self.each * many);
        }
        *even = from + self.each * many;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_now_is_for_later() {
        let pace = Pace::new(100, 10);
        let taken = (0..50).filter(|_| pace.take(1).is_ok()).count();
        assert_eq!(taken, 10);
        let later = pace.take(1).unwrap_err();
        tokio::time::sleep_until(later).await;
        assert!(pace.take(1).is_ok() && pace.take(1).is_err());
        // Who takes much at a time is waited for afterwards.
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(pace.take(500).is_ok());
        let before = Instant::now();
        let mut many = 0;
        while let Err(later) = pace.take(1) {
            tokio::time::sleep_until(later).await;
            many += 1;
        }
        let waited = before.elapsed().as_millis();
        assert!((4900..5000).contains(&waited), "{waited}");
        assert!(many < 500);
    }
}
