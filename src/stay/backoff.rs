//! When to try again after the relay was lost.
//!
//! Quick at first, since a relay that restarts is back in a second or two; then ever more
//! slowly, so that a relay that comes back is not trampled by everyone at once; and not for ever.

use std::time::Duration;

use super::Moment;

/// The first wait. A restarting relay needs about this long to give its port back.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait. Longer, and people sit before a relay that is back already.
const LONGEST: Duration = Duration::from_secs(5);
/// For so long after it was lost a relay that restarts is expected back: it refuses everybody while the
/// old process takes its leave, and nobody then waits longer than [`EAGER_WAIT`] for the new one. Longer:
/// a relay that is down is asked more often.
const EAGER: Duration = Duration::from_secs(5);
/// See [`EAGER`].
const EAGER_WAIT: Duration = Duration::from_secs(1);
/// How long to try altogether. Longer, and a person had better be told that it is over.
pub const GIVE_UP: Duration = Duration::from_secs(120);
/// The first attempt's patience: a relay that is up answers within a round trip.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// The longest patience with one attempt: enough for a slow path with losses.
const LONGEST_PATIENCE: Duration = Duration::from_secs(8);
/// A connection that held this long was a good one: losing it starts the count anew. One that
/// breaks sooner counts as one more failed attempt, or a relay that accepts and drops would be
/// asked four times a second.
const SETTLED: Duration = Duration::from_secs(10);

/// One more attempt: when, and how long to wait for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Counts from 1 since the relay was lost.
    pub number: u32,
    /// How long to wait before it.
    pub wait: Duration,
    /// How long to give it.
    pub patience: Duration,
}

/// The sequence of attempts. The clock and the seed of the jitter are passed in.
pub(super) struct Backoff<T> {
    seed: u64,
    failures: u32,
    lost_at: Option<T>,
}

impl<T: Moment> Backoff<T> {
    /// Nothing lost yet.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            failures: 0,
            lost_at: None,
        }
    }

    /// A connection that had held for `held` broke.
    pub(super) fn lost(&mut self, now: T, held: Duration) {
        if held >= SETTLED || self.lost_at.is_none() {
            self.failures = 0;
            self.lost_at = Some(now);
        }
    }

    /// How long it has been lost.
    pub(super) fn lost_for(&self, now: T) -> Duration {
        self.lost_at.map_or(Duration::ZERO, |lost| now.since(lost))
    }

    /// The next attempt; `None` when it is time to give up.
    pub(super) fn next(&mut self, now: T) -> Option<Attempt> {
        let lost_at = *self.lost_at.get_or_insert(now);
        let lost_for = now.since(lost_at);
        let left = GIVE_UP.checked_sub(lost_for)?;
        if left.is_zero() {
            return None;
        }
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let longest = match lost_for < EAGER {
            true => EAGER_WAIT,
            false => LONGEST,
        };
        let whole = FIRST.saturating_mul(1 << doublings).min(longest);
        let wait = whole / 2 + (whole / 2).mul_f64(self.fraction());
        let patience = FIRST_PATIENCE
            .saturating_mul(1 << doublings)
            .min(LONGEST_PATIENCE);
        Some(Attempt {
            number: self.failures,
            wait: wait.min(left),
            patience,
        })
    }

    /// Between 0 and 1 (SplitMix64, by Steele, Lea and Flood, 2014).
    fn fraction(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// All attempts until it gives up, when each fails after its whole patience.
    fn attempts(seed: u64) -> Vec<(Duration, Attempt)> {
        let start = Instant::now();
        let mut now = start;
        let mut backoff = Backoff::new(seed);
        backoff.lost(now, Duration::from_secs(60));
        let mut all = Vec::new();
        while let Some(attempt) = backoff.next(now) {
            all.push((now - start, attempt));
            now += attempt.wait + attempt.patience;
        }
        all
    }

    /// A relay that stops refuses at once, and is back after less than two seconds.
    #[test]
    fn a_relay_that_restarts_is_asked_again_soon_after_it_is_back() {
        for seed in 0..200 {
            let start = Instant::now();
            let mut backoff = Backoff::new(seed);
            backoff.lost(start, Duration::from_secs(60));
            let mut now = start;
            while now - start < Duration::from_secs(2) {
                now += backoff.next(now).unwrap().wait;
            }
            assert!(now - start <= Duration::from_secs(3), "seed {seed}");
        }
    }

    #[test]
    fn it_is_quick_first_then_slow_then_gives_up() {
        for seed in 0..200 {
            let all = attempts(seed);
            let (_, first) = all[0];
            assert_eq!(first.number, 1, "seed {seed}");
            assert!(
                first.wait >= FIRST / 2 && first.wait <= FIRST,
                "seed {seed}"
            );
            assert_eq!(first.patience, FIRST_PATIENCE, "seed {seed}");
            for (_, attempt) in &all[5..all.len() - 1] {
                assert!(
                    attempt.wait >= LONGEST / 2 && attempt.wait <= LONGEST,
                    "seed {seed}"
                );
                assert!(attempt.patience <= LONGEST_PATIENCE, "seed {seed}");
            }
            let (last_at, last) = all[all.len() - 1];
            assert!(
                last_at < GIVE_UP && last_at + last.wait <= GIVE_UP,
                "seed {seed}"
            );
            assert!(
                last_at + last.wait + last.patience >= GIVE_UP,
                "seed {seed}"
            );
        }
    }

    #[test]
    fn a_relay_that_is_back_within_three_seconds_is_found_within_five() {
        for seed in 0..200 {
            for back_ms in (0..=3000).step_by(50) {
                let back = Duration::from_millis(back_ms);
                // An attempt under way finds it too: its first packet is repeated after 1 s and
                // then 3 s (RFC 9002, section 6.2.2); only a fresh attempt is counted here.
                let found = attempts(seed)
                    .iter()
                    .map(|(at, attempt)| *at + attempt.wait)
                    .find(|at| *at >= back);
                let late = found.map(|found| found.saturating_sub(Duration::from_secs(5)));
                assert_eq!(
                    late,
                    Some(Duration::ZERO),
                    "seed {seed}, back after {back_ms} ms"
                );
            }
        }
    }

    #[test]
    fn different_seeds_spread_out() {
        let mut waits: Vec<Duration> = (0..100).map(|seed| attempts(seed)[0].1.wait).collect();
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 90);
        assert!(waits[waits.len() - 1] - waits[0] > FIRST / 3);
    }

    #[test]
    fn a_connection_that_breaks_at_once_does_not_start_the_count_anew() {
        let start = Instant::now();
        let mut now = start;
        let mut backoff = Backoff::new(7);
        let mut count = 0;
        loop {
            backoff.lost(now, Duration::from_millis(20));
            let Some(attempt) = backoff.next(now) else {
                break;
            };
            now += attempt.wait + Duration::from_millis(20);
            count += 1;
        }
        assert!(now - start >= GIVE_UP && count < 60, "{count} attempts");
    }

    #[test]
    fn a_connection_that_held_starts_the_count_anew() {
        let mut now = Instant::now();
        let mut backoff = Backoff::new(7);
        backoff.lost(now, Duration::from_secs(60));
        for _ in 0..6 {
            now += backoff.next(now).unwrap().wait;
        }
        now += SETTLED;
        backoff.lost(now, SETTLED);
        let attempt = backoff.next(now).unwrap();
        assert_eq!((attempt.number, attempt.patience), (1, FIRST_PATIENCE));
        assert!(attempt.wait <= FIRST);
    }
}
