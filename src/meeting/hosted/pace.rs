//! How fast bodies may go to a relay: under what a relay allows one participant, since it closes who
//! is over it. Welcomes for many are what comes near.

use std::time::Duration;

/// Bytes at once; a relay allows 1 MiB.
const BURST: u64 = 640 * 1024;

/// Bytes a second after; a relay allows 96 KiB.
const RATE: u64 = 72 * 1024;

/// What a body costs at least; a relay counts 1,024 bytes.
const LEAST: u64 = 1100;

/// A bucket that fills with time.
pub(super) struct Pace {
    left: u64,
    at: Option<Duration>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            left: BURST,
            at: None,
        }
    }

    /// Takes so many bytes, if they may go now.
    pub(super) fn take(&mut self, now: Duration, bytes: usize) -> bool {
        let gained = now.saturating_sub(self.at.unwrap_or(now)).as_millis();
        let gained = u64::try_from(gained).unwrap_or(u64::MAX);
        let bytes_gained = gained.saturating_mul(RATE) / 1000;
        // A gain under one byte is kept for the next time.
        if bytes_gained > 0 || self.at.is_none() {
            self.left = self.left.saturating_add(bytes_gained).min(BURST);
            self.at = Some(now);
        }
        let cost = Self::cost(bytes);
        let may = self.left >= cost;
        if may {
            self.left -= cost;
        }
        may
    }

    /// When so many bytes may go.
    pub(super) fn when(&self, bytes: usize) -> Duration {
        let missing = Self::cost(bytes).saturating_sub(self.left);
        let wait = Duration::from_millis(missing.saturating_mul(1000) / RATE + 1);
        self.at.unwrap_or_default() + wait
    }

    fn cost(bytes: usize) -> u64 {
        (bytes as u64).clamp(LEAST, BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_stays_under_what_a_relay_allows() {
        let mut pace = Pace::new();
        let (mut now, mut sent) = (Duration::ZERO, 0_u64);
        let mut waits = 0;
        while sent < 4 * BURST {
            if pace.take(now, 16_000) {
                sent += 16_000;
            } else {
                let until = pace.when(16_000);
                assert!(until > now, "it waits for what is to come");
                now = until;
                waits += 1;
            }
            assert!(sent <= 1024 * 1024 + now.as_secs() * 96 * 1024);
        }
        assert!(waits > 0);
        assert!(
            now < Duration::from_secs(40),
            "and no slower than it must be"
        );
    }
}
