//! Counting what was sent and what came: frames, losses, rates, lateness, and a digest that two
//! ends can compare.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// A sum of SHA-256 over (number, length, payload) of frames, modulo 2^256: the same whatever the
/// order, since groups overtake each other. Equal sums of equally many frames mean equal frames.
/// A check on ourselves, not a defence: each frame is authenticated on its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameSum([u8; 32]);

impl FrameSum {
    pub(crate) fn new() -> Self {
        Self([0; 32])
    }

    pub(crate) fn add(&mut self, frame: &[u8; 32]) {
        let mut carry = 0_u16;
        for (sum, add) in self.0.iter_mut().zip(frame) {
            let total = u16::from(*sum) + u16::from(*add) + carry;
            *sum = total.to_le_bytes()[0];
            carry = total >> 8;
        }
    }

    pub(crate) fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

/// SHA-256 of one frame: its number, its length, its payload.
pub(crate) fn frame_digest(number: u64, payload: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(number.to_be_bytes());
    hasher.update((payload.len() as u64).to_be_bytes());
    hasher.update(payload);
    hasher.finalize().into()
}

/// What was sent on one track.
pub(crate) struct Sent {
    /// Frames handed to the network.
    pub(crate) frames: u64,
    /// Frames that the source gave but that did not go out: no relay, or an uplink too slow.
    pub(crate) unsent: u64,
    /// Payload bytes of what went out.
    pub(crate) bytes: u64,
    /// Over what went out.
    pub(crate) sum: FrameSum,
}

impl Sent {
    pub(crate) fn new() -> Self {
        Self {
            frames: 0,
            unsent: 0,
            bytes: 0,
            sum: FrameSum::new(),
        }
    }

    pub(crate) fn sent(&mut self, number: u64, payload: &[u8]) {
        self.frames += 1;
        self.bytes += payload.len() as u64;
        self.sum.add(&frame_digest(number, payload));
    }
}

/// What came on one track of one participant.
pub(crate) struct Received {
    /// Frames that came, each once.
    pub(crate) frames: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// Over all that came.
    pub(crate) sum: FrameSum,
    first: Option<u64>,
    beyond: u64,
    lateness: Lateness,
    rate: Rate,
}

impl Received {
    pub(crate) fn new() -> Self {
        Self {
            frames: 0,
            bytes: 0,
            sum: FrameSum::new(),
            first: None,
            beyond: 0,
            lateness: Lateness::new(),
            rate: Rate::new(),
        }
    }

    /// A frame came; `timestamp` is its place on its sender's media clock.
    pub(crate) fn frame(&mut self, now: Instant, number: u64, timestamp: Duration, payload: &[u8]) {
        self.frames += 1;
        self.bytes += payload.len() as u64;
        self.sum.add(&frame_digest(number, payload));
        self.first = Some(self.first.map_or(number, |first| first.min(number)));
        self.beyond = self.beyond.max(number.saturating_add(1));
        self.lateness.add(now, timestamp);
        self.rate.add(now, payload.len());
    }

    /// Its sender says how many frames there were in all: what is missing at the end shows too.
    pub(crate) fn ended(&mut self, frames: u64) {
        if self.first.is_some() {
            self.beyond = self.beyond.max(frames);
        }
    }

    /// Frames that there should have been since the first that came. What its sender sent before
    /// that was for others.
    pub(crate) fn expected(&self) -> u64 {
        self.first
            .map_or(0, |first| self.beyond.saturating_sub(first))
    }

    /// Frames expected that did not come (yet, for a group under way).
    pub(crate) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.frames)
    }

    /// Payload bits per second over the last two seconds.
    pub(crate) fn bits_per_second(&mut self, now: Instant) -> u64 {
        self.rate.bits_per_second(now)
    }

    /// How much later than the most punctual frame this share of the frames came, at most.
    pub(crate) fn lateness(&self, share: f64) -> Option<Duration> {
        self.lateness.quantile(share)
    }
}

/// How much later frames came than the most punctual one, by their sender's media clock. That
/// needs no common clock, and says how much jitter a listener would have to hide.
struct Lateness {
    /// The first frame's arrival less its timestamp: lateness is counted from here...
    origin: Option<(Instant, Duration)>,
    /// ...in milliseconds, offset so that frames up to `LEAD` earlier than the first fit.
    buckets: Vec<u32>,
}

impl Lateness {
    /// How much more punctual than the first frame the others may be, in milliseconds.
    const LEAD: i128 = 1000;
    /// All lateness from here on counts as this.
    const BUCKETS: usize = 4000;

    fn new() -> Self {
        Self {
            origin: None,
            buckets: Vec::new(),
        }
    }

    fn add(&mut self, now: Instant, timestamp: Duration) {
        let (arrived, stamped) = *self.origin.get_or_insert((now, timestamp));
        let waited = now.saturating_duration_since(arrived).as_nanos() as i128;
        let played = timestamp.as_nanos() as i128 - stamped.as_nanos() as i128;
        let late = (waited - played).div_euclid(1_000_000) + Self::LEAD;
        let bucket = usize::try_from(late.max(0))
            .unwrap_or(0)
            .min(Self::BUCKETS - 1);
        if self.buckets.is_empty() {
            self.buckets.resize(Self::BUCKETS, 0);
        }
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
    }

    fn quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.buckets.iter().map(|count| u64::from(*count)).sum();
        let earliest = self.buckets.iter().position(|count| *count > 0)?;
        let rank = ((total as f64 * share).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return Some(Duration::from_millis((bucket - earliest) as u64));
            }
        }
        None
    }
}

/// Bytes over the last two seconds.
struct Rate {
    recent: VecDeque<(Instant, usize)>,
    bytes: usize,
}

impl Rate {
    const WINDOW: Duration = Duration::from_secs(2);
    /// Arrivals kept: 60 pictures and 50 sounds a second, and some; beyond, neighbours merge.
    const KEPT: usize = 512;

    fn new() -> Self {
        Self {
            recent: VecDeque::new(),
            bytes: 0,
        }
    }

    fn add(&mut self, now: Instant, bytes: usize) {
        self.forget(now);
        self.bytes += bytes;
        let full = self.recent.len() >= Self::KEPT;
        match self.recent.back_mut() {
            Some((_, last)) if full => *last += bytes,
            _ => self.recent.push_back((now, bytes)),
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, bytes)) = self.recent.front().copied() {
            if now.saturating_duration_since(at) < Self::WINDOW {
                break;
            }
            self.bytes -= bytes;
            self.recent.pop_front();
        }
    }

    fn bits_per_second(&mut self, now: Instant) -> u64 {
        self.forget(now);
        self.bytes as u64 * 8 / Self::WINDOW.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(20);

    fn receive(tally: &mut Received, start: Instant, numbers: &[u64]) {
        for number in numbers {
            let at = STEP * u32::try_from(*number).unwrap();
            tally.frame(start + at, *number, at, &number.to_be_bytes());
        }
    }

    #[test]
    fn losses_are_gaps_after_the_first_frame_that_came() {
        let mut tally = Received::new();
        receive(&mut tally, Instant::now(), &[100, 101, 104, 103, 110]);
        assert_eq!((tally.frames, tally.expected(), tally.lost()), (5, 11, 6));
        tally.ended(115);
        assert_eq!((tally.expected(), tally.lost()), (15, 10));
        tally.ended(3);
        assert_eq!(tally.lost(), 10, "a smaller number takes nothing back");
    }

    #[test]
    fn one_who_heard_nothing_was_owed_nothing() {
        let mut tally = Received::new();
        tally.ended(500);
        assert_eq!((tally.expected(), tally.lost()), (0, 0));
        assert_eq!(tally.lateness(0.5), None);
    }

    #[test]
    fn the_sum_ignores_order_and_nothing_else() {
        let (mut sent, mut received) = (Sent::new(), Received::new());
        for number in 0..50_u64 {
            sent.sent(number, &number.to_be_bytes());
        }
        let mut order: Vec<u64> = (0..50).collect();
        order.reverse();
        order.swap(3, 30);
        receive(&mut received, Instant::now(), &order);
        assert!(sent.sum == received.sum);
        assert_eq!(sent.bytes, received.bytes);

        let mut other = Sent::new();
        for number in 0..50_u64 {
            let payload = if number == 20 { 21 } else { number };
            other.sent(number, &payload.to_be_bytes());
        }
        assert!(other.sum != received.sum, "a changed payload shows");
        let mut exchanged = Sent::new();
        for number in 0..50_u64 {
            exchanged.sent(number ^ 1, &number.to_be_bytes());
        }
        assert!(exchanged.sum != received.sum, "a changed number shows");
    }

    #[test]
    fn a_sum_carries() {
        let mut sum = FrameSum([0xff; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        sum.add(&one);
        assert!(sum == FrameSum::new());
    }

    #[test]
    fn lateness_is_counted_from_the_most_punctual_frame() {
        let start = Instant::now();
        let mut tally = Received::new();
        for number in 0..100_u32 {
            let stamp = STEP * number;
            // The first frame is 10 ms late, one in ten is 50 ms late, the others are punctual.
            let late = match number {
                0 => 10,
                number if number % 10 == 5 => 50,
                _ => 0,
            };
            let at = start + stamp + Duration::from_millis(late);
            tally.frame(at, u64::from(number), stamp, b"x");
        }
        assert_eq!(tally.lateness(0.5), Some(Duration::ZERO));
        assert_eq!(tally.lateness(0.99), Some(Duration::from_millis(50)));
    }

    #[test]
    fn wild_timestamps_break_nothing() {
        let start = Instant::now();
        let mut tally = Received::new();
        tally.frame(start, u64::MAX, Duration::from_nanos(u64::MAX), b"x");
        tally.frame(start, 0, Duration::ZERO, b"x");
        tally.frame(start, 7, Duration::from_nanos(u64::MAX), b"x");
        assert!(tally.lateness(1.0).is_some());
        assert!(tally.lost() > 0);
    }

    #[test]
    fn the_rate_is_that_of_the_last_two_seconds() {
        let start = Instant::now();
        let mut tally = Received::new();
        for number in 0..500_u32 {
            tally.frame(
                start + STEP * number,
                u64::from(number),
                STEP * number,
                &[0; 60],
            );
        }
        assert_eq!(tally.bits_per_second(start + STEP * 499), 24_000);
        assert_eq!(
            tally.bits_per_second(start + STEP * 499 + Rate::WINDOW / 2),
            12_000
        );
        assert_eq!(tally.bits_per_second(start + Duration::from_secs(60)), 0);
        for _ in 0..10_000 {
            tally.frame(start + Duration::from_secs(61), 1, Duration::ZERO, &[0; 60]);
        }
        assert!(tally.rate.recent.len() <= Rate::KEPT);
        assert_eq!(
            tally.bits_per_second(start + Duration::from_secs(61)),
            10_000 * 60 * 8 / 2
        );
    }
}
