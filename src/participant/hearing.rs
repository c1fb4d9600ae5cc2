//! What is known of the relay's end of a connection: when it was last heard, and which of what was
//! sent it has answered.
//!
//! A relay that dies says nothing, and a connection is given up only after ten seconds of silence:
//! until then everything that is sent goes nowhere.

use std::time::{Duration, Instant};

use crate::carrier::client::LinkStats;

/// One connection, looked at from time to time.
pub(crate) struct Hearing {
    looked: Instant,
    frames: u64,
    acknowledgements: u64,
    heard: Instant,
    answered: Option<Instant>,
}

impl Hearing {
    /// A connection that stands since `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            looked: now,
            frames: 0,
            acknowledgements: 0,
            heard: now,
            answered: None,
        }
    }

    /// Takes a look. The more often, the more is known.
    pub(crate) fn look(&mut self, now: Instant, stats: &LinkStats) {
        if stats.frames_received > self.frames {
            self.frames = stats.frames_received;
            self.heard = now;
        }
        if stats.acknowledgements > self.acknowledgements {
            self.acknowledgements = stats.acknowledgements;
            // The newest one came after the last look, and is of a round trip before.
            self.answered = self.looked.checked_sub(stats.rtt).max(self.answered);
        }
        self.looked = now;
    }

    /// When something last came from the relay.
    pub(crate) fn heard(&self) -> Instant {
        self.heard
    }

    /// The relay was still there when what was sent up to then came to it; `None` before the first
    /// acknowledgement.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.answered
    }

    /// How long nothing has come from the relay.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(20);
    const RTT: Duration = Duration::from_millis(50);

    fn stats(frames_received: u64, acknowledgements: u64) -> LinkStats {
        LinkStats {
            rtt: RTT,
            packets_sent: 0,
            packets_lost: 0,
            bytes_sent: 0,
            bytes_received: 0,
            frames_received,
            acknowledgements,
            congestion_window: 0,
        }
    }

    #[test]
    fn what_was_sent_a_round_trip_before_an_acknowledgement_was_had() {
        let start = Instant::now();
        let mut hearing = Hearing::new(start);
        for step in 1..10 {
            hearing.look(start + STEP * step, &stats(0, 0));
        }
        assert_eq!((hearing.heard(), hearing.answered()), (start, None));
        hearing.look(start + STEP * 10, &stats(3, 1));
        assert_eq!(hearing.heard(), start + STEP * 10);
        assert_eq!(hearing.answered(), Some(start + STEP * 9 - RTT));
    }

    #[test]
    fn what_comes_without_an_acknowledgement_tells_nothing_of_what_was_sent() {
        let start = Instant::now();
        let mut hearing = Hearing::new(start);
        hearing.look(start + STEP, &stats(1, 1));
        let answered = hearing.answered();
        for step in 2..100 {
            hearing.look(start + STEP * step, &stats(u64::from(step), 1));
        }
        assert_eq!(hearing.answered(), answered);
        assert_eq!(hearing.silence(start + STEP * 100), STEP);
    }

    #[test]
    fn silence_is_counted_from_the_last_word() {
        let start = Instant::now();
        let mut hearing = Hearing::new(start);
        for step in 0..10 {
            hearing.look(
                start + STEP * step,
                &stats(u64::from(step), u64::from(step)),
            );
        }
        for step in 10..500 {
            hearing.look(start + STEP * step, &stats(9, 9));
        }
        assert_eq!(hearing.heard(), start + STEP * 9);
        assert_eq!(hearing.answered(), Some(start + STEP * 8 - RTT));
        assert_eq!(hearing.silence(start + STEP * 509), STEP * 500);
    }
}
