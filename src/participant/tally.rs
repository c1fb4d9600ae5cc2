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

    pub(crate) fn remove(&mut self, frame: &[u8; 32]) {
        let mut borrow = 0_u16;
        for (sum, less) in self.0.iter_mut().zip(frame) {
            let rest = 0x100 + u16::from(*sum) - u16::from(*less) - borrow;
            *sum = rest.to_le_bytes()[0];
            borrow = 1 - (rest >> 8);
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

/// Frames of a track that may be unanswered: more than come in the time after which a connection is
/// given up. Of a relay that never answers, older ones are taken to have arrived.
const UNANSWERED: usize = 4096;

/// What was sent on one track.
pub(crate) struct Sent {
    /// Frames that went out.
    pub(crate) frames: u64,
    /// Frames that the source gave but that did not: no relay, or an uplink too slow.
    pub(crate) unsent: u64,
    /// Payload bytes of what went out.
    pub(crate) bytes: u64,
    /// Over what went out.
    pub(crate) sum: FrameSum,
    /// Those that the relay has not been heard since.
    unanswered: VecDeque<Unanswered>,
}

struct Unanswered {
    at: Instant,
    bytes: u64,
    digest: [u8; 32],
}

impl Sent {
    pub(crate) fn new() -> Self {
        Self {
            frames: 0,
            unsent: 0,
            bytes: 0,
            sum: FrameSum::new(),
            unanswered: VecDeque::new(),
        }
    }

    /// A frame was handed to the network.
    pub(crate) fn sent(&mut self, now: Instant, number: u64, payload: &[u8]) {
        let digest = frame_digest(number, payload);
        let bytes = payload.len() as u64;
        self.frames += 1;
        self.bytes += bytes;
        self.sum.add(&digest);
        if self.unanswered.len() >= UNANSWERED {
            self.unanswered.pop_front();
        }
        self.unanswered.push_back(Unanswered {
            at: now,
            bytes,
            digest,
        });
    }

    /// The relay was there for what was sent up to then.
    pub(crate) fn answered(&mut self, until: Instant) {
        while self.unanswered.front().is_some_and(|one| one.at <= until) {
            self.unanswered.pop_front();
        }
    }

    /// The relay is gone: what it was not heard after did not go out.
    pub(crate) fn gone(&mut self) {
        for one in self.unanswered.drain(..) {
            self.frames = self.frames.saturating_sub(1);
            self.unsent += 1;
            self.bytes = self.bytes.saturating_sub(one.bytes);
            self.sum.remove(&one.digest);
        }
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
mod tests;
