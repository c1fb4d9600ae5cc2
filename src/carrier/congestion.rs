//! How much may be under way: loss-based like NewReno (RFC 9002, section 7), over a floor.
//!
//! Speech is a few packets a beat and must go on whatever a picture does to the path. Under the
//! floor a window would save the network nothing and cost silence, so it never gets there.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory, ControllerMetrics};

/// The smallest window, in bytes: ten talkers' speech over a round trip of one second.
pub const FLOOR: u64 = 32 * 1024;

/// The first window, in bytes: a key frame of a small picture goes out at once.
pub const INITIAL: u64 = 64 * 1024;

/// The largest window, in bytes: 16 Mbit/s over a round trip of a second.
pub const CEILING: u64 = 2 * 1024 * 1024;

/// Makes [`Steady`] controllers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SteadyConfig;

impl ControllerFactory for SteadyConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Steady::new(now, current_mtu))
    }
}

/// The window of one path.
#[derive(Clone)]
pub struct Steady {
    mtu: u64,
    window: u64,
    threshold: u64,
    /// Losses of packets sent before this are part of a loss that was answered already.
    recovery_start: Instant,
    /// Bytes acknowledged since the window last grew by a packet.
    acknowledged: u64,
    /// Bytes that the acknowledgement being taken is for.
    newly: u64,
    /// Those of them that were sent after the last loss was answered.
    counting: u64,
}

impl Steady {
    /// For a new path.
    pub fn new(now: Instant, mtu: u16) -> Self {
        Self {
            mtu: mtu.into(),
            window: INITIAL,
            threshold: u64::MAX,
            recovery_start: now,
            acknowledged: 0,
            newly: 0,
            counting: 0,
        }
    }

    /// A packet was acknowledged.
    fn take(&mut self, sent: Instant, bytes: u64) {
        self.newly += bytes;
        if sent > self.recovery_start {
            self.counting += bytes;
        }
    }

    /// An acknowledgement has been taken, which leaves `in_flight` bytes under way.
    fn taken(&mut self, in_flight: u64) {
        let newly = std::mem::take(&mut self.newly);
        let counting = std::mem::take(&mut self.counting);
        // A window that was not used says nothing about a larger one (RFC 9002, section 7.8). What
        // was under way tells it better than quinn's own word, which is about the last moment.
        let used = (in_flight + newly) * 2 >= self.window;
        if used && self.window < CEILING {
            self.grow(counting);
        }
    }

    /// `bytes` were acknowledged of a window that was in use.
    fn grow(&mut self, bytes: u64) {
        if self.window < self.threshold {
            self.window = (self.window + bytes).min(CEILING);
        } else {
            // Appropriate byte counting (RFC 3465): one packet more for each window acknowledged.
            self.acknowledged += bytes;
            if self.acknowledged >= self.window {
                self.acknowledged -= self.window;
                self.window = (self.window + self.mtu).min(CEILING);
            }
        }
    }
}

impl Controller for Steady {
    fn on_ack(
        &mut self,
        _now: Instant,
        sent: Instant,
        bytes: u64,
        _app_limited: bool,
        _rtt: &RttEstimator,
    ) {
        self.take(sent, bytes);
    }

    fn on_end_acks(
        &mut self,
        _now: Instant,
        in_flight: u64,
        _app_limited: bool,
        _largest_packet_num_acked: Option<u64>,
    ) {
        self.taken(in_flight);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        _lost_bytes: u64,
    ) {
        if sent <= self.recovery_start {
            return;
        }
        self.recovery_start = now;
        self.acknowledged = 0;
        self.window = if is_persistent_congestion {
            FLOOR
        } else {
            (self.window / 2).max(FLOOR)
        };
        self.threshold = self.window;
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu.into();
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = ControllerMetrics::default();
        metrics.congestion_window = self.window;
        metrics.ssthresh = Some(self.threshold);
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        INITIAL
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lost(steady: &mut Steady, at: Instant, persistent: bool) {
        steady.on_congestion_event(at, at, persistent, 1200);
    }

    #[test]
    fn a_loss_halves_the_window_once_for_each_round_trip() {
        let start = Instant::now();
        let mut steady = Steady::new(start, 1200);
        steady.window = 400_000;
        lost(&mut steady, start + Duration::from_millis(10), false);
        assert_eq!(steady.window(), 200_000);
        steady.on_congestion_event(
            start + Duration::from_millis(20),
            start + Duration::from_millis(9),
            false,
            1200,
        );
        assert_eq!(steady.window(), 200_000, "the same loss is answered once");
    }

    #[test]
    fn a_window_grows_when_it_was_used_and_only_then() {
        let start = Instant::now();
        let later = start + Duration::from_millis(10);
        let mut steady = Steady::new(start, 1200);
        let mut acknowledge = |sent, bytes, left| {
            steady.take(sent, bytes);
            steady.taken(left);
            steady.window()
        };
        assert_eq!(acknowledge(later, 9600, 1200), INITIAL, "hardly used");
        assert_eq!(
            acknowledge(start, 9600, INITIAL),
            INITIAL,
            "sent before a loss"
        );
        assert_eq!(acknowledge(later, 9600, INITIAL - 9600), INITIAL + 9600);
        steady.on_congestion_event(later, later, false, 1200);
        let (halved, after) = (steady.window(), later + Duration::from_millis(1));
        for _ in 0..halved.div_ceil(9600) {
            steady.take(after, 9600);
            steady.taken(halved - 9600);
        }
        assert_eq!(steady.window(), halved + 1200, "a packet for each window");
    }

    #[test]
    fn it_never_rises_over_the_ceiling() {
        let start = Instant::now();
        let later = start + Duration::from_millis(10);
        for threshold in [u64::MAX, CEILING - 1000] {
            let mut steady = Steady::new(start, 1200);
            (steady.window, steady.threshold) = (CEILING - 700, threshold);
            for _ in 0..300 {
                steady.take(later, 9600);
                steady.taken(CEILING);
                assert!(steady.window() <= CEILING);
            }
            assert_eq!(steady.window(), CEILING);
        }
    }

    #[test]
    fn it_never_falls_under_the_floor() {
        let start = Instant::now();
        let mut steady = Steady::new(start, 1200);
        for round in 1..20 {
            lost(
                &mut steady,
                start + Duration::from_secs(round),
                round % 3 == 0,
            );
            assert!(steady.window() >= FLOOR);
        }
        assert_eq!(steady.window(), FLOOR);
    }
}
