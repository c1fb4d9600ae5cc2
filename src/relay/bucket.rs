//! How fast one participant may ask for things.

use std::time::Instant;

/// A token bucket in 8 bytes, so that a participant can have several. It keeps milliseconds since
/// a start that all buckets of a relay share.
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    level: u32,
    at: u32,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(burst: u32, now: Millis) -> Self {
        Self {
            level: burst,
            at: now.0,
        }
    }

    /// Takes `cost`, or leaves the bucket as it is and says `false` when there is less in it.
    pub(super) fn take(&mut self, cost: u32, burst: u32, rate: u32, now: Millis) -> bool {
        let gained = u64::from(now.0.wrapping_sub(self.at)) * u64::from(rate) / 1000;
        if gained > 0 {
            // Only as far as whole tokens go, so that what is left of one counts the next time.
            let spent = (gained * 1000).div_ceil(u64::from(rate));
            self.at = self.at.wrapping_add(spent as u32);
            self.level = u64::from(self.level)
                .saturating_add(gained)
                .min(u64::from(burst)) as u32;
        }
        match self.level.checked_sub(cost) {
            Some(rest) => {
                self.level = rest;
                true
            }
            None => false,
        }
    }
}

/// Milliseconds since a relay started; wraps after seven weeks, which a bucket survives.
#[derive(Clone, Copy)]
pub(super) struct Millis(u32);

impl Millis {
    /// How far `now` is from `start`.
    pub(super) fn since(start: Instant, now: Instant) -> Self {
        Self(now.saturating_duration_since(start).as_millis() as u32)
    }

    /// Milliseconds from an earlier moment to this one.
    pub(super) fn after(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate() {
        let start = Instant::now();
        let at = |ms| Millis::since(start, start + Duration::from_millis(ms));
        let mut bucket = Bucket::new(10, at(0));
        assert!(bucket.take(10, 10, 100, at(0)));
        assert!(!bucket.take(1, 10, 100, at(0)));
        assert!(
            !bucket.take(1, 10, 100, at(9)),
            "a hundred a second is one each 10 ms"
        );
        assert!(bucket.take(1, 10, 100, at(10)));
        assert!(
            !bucket.take(11, 10, 100, at(100_000)),
            "never more than the burst"
        );
        assert!(bucket.take(10, 10, 100, at(100_000)));
    }

    #[test]
    fn what_is_left_of_a_token_counts_the_next_time() {
        let mut bucket = Bucket::new(5, Millis(0));
        let mut given = 0;
        for ms in (9..=9_000).step_by(9) {
            while bucket.take(1, 5, 200, Millis(ms)) {
                given += 1;
            }
        }
        assert!((1790..=1805).contains(&given), "{given}");
    }

    #[test]
    fn a_slow_trickle_is_not_rounded_away() {
        let start = Instant::now();
        let mut bucket = Bucket::new(5, Millis(0));
        assert!(bucket.take(5, 5, 3, Millis(0)));
        let mut given = 0;
        for ms in 1..=10_000 {
            let now = Millis::since(start, start + Duration::from_millis(ms));
            given += u32::from(bucket.take(1, 5, 3, now));
        }
        assert!((28..=30).contains(&given), "{given}");
    }
}
