//! Frames that came before the commit that their key comes with: a commit and media go different
//! ways, and either may overtake the other.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::limits::{GATE_BYTES, GATE_FRAMES, HELD_BYTES, HELD_FOR, HELD_FRAMES};
use crate::wire::{GroupNumber, TrackId};

/// One frame that waits, sealed.
pub(super) struct HeldFrame {
    pub(super) track: TrackId,
    pub(super) group: GroupNumber,
    pub(super) sealed: Bytes,
    at: Duration,
}

/// What waits, of one person. Bounded; the oldest goes first.
pub(super) struct Held {
    frames: VecDeque<HeldFrame>,
    bytes: usize,
    most_frames: usize,
    most_bytes: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            most_frames: HELD_FRAMES,
            most_bytes: HELD_BYTES,
        }
    }
}

impl Held {
    /// For what its sender has signed, which nobody else can fill: as much as may wait at a gate.
    pub(super) fn of_signed() -> Self {
        Self {
            most_frames: GATE_FRAMES,
            most_bytes: GATE_BYTES,
            ..Self::default()
        }
    }

    /// Holds a frame back; `false` when it is larger than all that may be held.
    pub(super) fn put(
        &mut self,
        now: Duration,
        track: TrackId,
        group: GroupNumber,
        sealed: &Bytes,
    ) -> bool {
        if sealed.len() > self.most_bytes {
            return false;
        }
        while self.frames.len() >= self.most_frames || self.bytes + sealed.len() > self.most_bytes {
            if self.pop().is_none() {
                break;
            }
        }
        self.bytes += sealed.len();
        self.frames.push_back(HeldFrame {
            track,
            group,
            sealed: sealed.clone(),
            at: now,
        });
        true
    }

    fn pop(&mut self) -> Option<HeldFrame> {
        let frame = self.frames.pop_front()?;
        self.bytes = self.bytes.saturating_sub(frame.sealed.len());
        Some(frame)
    }

    /// Takes out those that `fits`, in the order in which they came.
    pub(super) fn take(&mut self, fits: impl Fn(&HeldFrame) -> bool) -> Vec<HeldFrame> {
        let (taken, rest) = std::mem::take(&mut self.frames)
            .into_iter()
            .partition::<Vec<_>, _>(fits);
        self.frames = rest.into();
        self.bytes = self.frames.iter().map(|frame| frame.sealed.len()).sum();
        taken
    }

    /// Drops what has waited too long.
    pub(super) fn tick(&mut self, now: Duration) {
        while self.deadline().is_some_and(|deadline| now >= deadline) {
            self.pop();
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        Some(self.frames.front()?.at.saturating_add(HELD_FOR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_has_bounds_and_the_oldest_goes_first() {
        let mut held = Held::default();
        for n in 0..1000u32 {
            let sealed = Bytes::from(n.to_be_bytes().to_vec());
            assert!(held.put(Duration::ZERO, TrackId(0), GroupNumber(n), &sealed));
            assert!(held.frames.len() <= HELD_FRAMES);
        }
        assert_eq!(
            held.frames.front().map(|frame| frame.group.0),
            Some(1000 - 64)
        );
        let large = Bytes::from(vec![0; HELD_BYTES / 2]);
        for n in 0..10 {
            assert!(held.put(Duration::ZERO, TrackId(0), GroupNumber(n), &large));
            assert!(held.bytes <= HELD_BYTES);
        }
        assert_eq!(held.frames.len(), 2);
        let larger = Bytes::from(vec![0; HELD_BYTES + 1]);
        assert!(!held.put(Duration::ZERO, TrackId(0), GroupNumber(0), &larger));
        assert_eq!(held.frames.len(), 2, "nothing else was lost to it");
        assert_eq!(held.take(|frame| frame.group.0 == 8).len(), 1);
        assert_eq!(held.bytes, HELD_BYTES / 2);
        held.tick(HELD_FOR);
        assert!(held.frames.is_empty() && held.bytes == 0);
    }
}
