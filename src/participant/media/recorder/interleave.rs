//! Puts the frames of all tracks into one order, by time, as far as waiting a moment helps.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::meeting::{Frame, TrackDescription};
use crate::wire::TrackId;

/// How long a frame waits for one that belongs before it: of another track, or a missing one of
/// its own (groups travel on streams of their own, so the end of one may come after the beginning
/// of the next). Larger: more is lost when the process is killed.
const HOLD: Duration = Duration::from_secs(1);

/// The same at the beginning, where the first frames of all tracks decide what time 0 is: a
/// newcomer gets the current group, which began seconds ago, just after the first sound.
const HOLD_AT_BEGINNING: Duration = Duration::from_secs(2);

/// Bytes that wait at most; past it the order gives way.
const HELD: usize = 32 * 1024 * 1024;

/// A frame and when it came.
pub(super) type Arrived = (Frame, Instant);

pub(super) struct Interleave {
    tracks: Vec<Waiting>,
    begun: bool,
    held: usize,
}

struct Waiting {
    track: TrackId,
    /// By frame number.
    frames: BTreeMap<u64, Arrived>,
    /// The number that comes next when none is missing.
    next: Option<u64>,
}

impl Waiting {
    /// Its first frame is the one that comes next.
    fn ready(&self) -> bool {
        self.frames
            .keys()
            .next()
            .is_some_and(|&first| self.next.is_none_or(|next| first <= next))
    }
}

impl Interleave {
    pub fn new(tracks: &[TrackDescription]) -> Self {
        let waiting = |track: &TrackDescription| Waiting {
            track: track.track,
            frames: BTreeMap::new(),
            next: None,
        };
        Self {
            tracks: tracks.iter().map(waiting).collect(),
            begun: false,
            held: 0,
        }
    }

    /// Takes a frame; one of a track that nobody described is dropped, and of two with the same
    /// number the second. Returns whether it was taken.
    pub fn push(&mut self, frame: Frame, now: Instant) -> bool {
        let Some(waiting) = self
            .tracks
            .iter_mut()
            .find(|waiting| waiting.track == frame.track)
        else {
            return false;
        };
        let size = frame.payload.len();
        let std::collections::btree_map::Entry::Vacant(place) = waiting.frames.entry(frame.number)
        else {
            return false;
        };
        place.insert((frame, now));
        self.held += size;
        true
    }

    /// The next frame, once nothing that belongs before it can be expected any more.
    pub fn pop(&mut self, now: Instant) -> Option<Arrived> {
        let hold = if self.begun { HOLD } else { HOLD_AT_BEGINNING };
        let complete = self.tracks.iter().all(Waiting::ready);
        let over = self.held > HELD;
        let (_, arrived) = self.first()?;
        if complete || over || now.saturating_duration_since(arrived) >= hold {
            self.take()
        } else {
            None
        }
    }

    /// The next frame, whatever may still come.
    pub fn take(&mut self) -> Option<Arrived> {
        let (index, _) = self.first()?;
        let waiting = self.tracks.get_mut(index)?;
        let (number, arrived) = waiting.frames.pop_first()?;
        waiting.next = Some(number.saturating_add(1));
        self.begun = true;
        self.held = self.held.saturating_sub(arrived.0.payload.len());
        Some(arrived)
    }

    /// Drops what is waiting and says how many frames that were.
    pub fn clear(&mut self) -> u64 {
        self.held = 0;
        self.tracks
            .iter_mut()
            .map(|waiting| std::mem::take(&mut waiting.frames).len() as u64)
            .sum()
    }

    /// What comes now has no bond to what came before: a new beginning. To be called when empty.
    pub fn restart(&mut self) {
        self.begun = false;
        for waiting in &mut self.tracks {
            waiting.next = None;
        }
    }

    /// The track whose first frame is earliest, and when that frame (or an older one of its
    /// track, while it waits for a missing one) came.
    fn first(&self) -> Option<(usize, Instant)> {
        let heads = self
            .tracks
            .iter()
            .enumerate()
            .filter_map(|(index, waiting)| {
                let (frame, arrived) = waiting.frames.values().next()?;
                Some((frame.timestamp_ns, index, *arrived))
            });
        heads
            .min_by_key(|head| (head.0, head.1))
            .map(|(_, index, arrived)| (index, arrived))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participant::samples;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn interleave() -> Interleave {
        Interleave::new(&[0, 1].map(|track| samples::sound(TrackId(track))))
    }

    fn frame(track: u8, number: u64, at_ms: u64, size: usize) -> Frame {
        samples::frame(TrackId(track), number, at_ms, vec![0; size])
    }

    fn popped(interleave: &mut Interleave, now: Instant) -> Vec<(u8, u64)> {
        let next = || {
            interleave
                .pop(now)
                .map(|(frame, _)| (frame.track.0, frame.number))
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn tracks_are_put_in_order_as_soon_as_each_has_something() {
        let mut interleave = interleave();
        let now = Instant::now();
        for number in 0..3 {
            interleave.push(frame(0, number, 20 * number, 1), now);
        }
        assert_eq!(popped(&mut interleave, now), []);
        interleave.push(frame(1, 0, 10, 1), now);
        assert_eq!(popped(&mut interleave, now), [(0, 0), (1, 0)]);
        interleave.push(frame(1, 1, 50, 1), now);
        assert_eq!(popped(&mut interleave, now), [(0, 1), (0, 2)]);
    }

    #[test]
    fn a_missing_frame_is_waited_for_and_then_given_up() {
        let mut interleave = interleave();
        let now = Instant::now();
        for (track, number) in [(0, 0), (1, 0), (0, 2), (1, 1), (1, 2)] {
            interleave.push(frame(track, number, 20 * number, 1), now);
        }
        assert_eq!(popped(&mut interleave, now), [(0, 0)]);
        interleave.push(frame(0, 1, 20, 1), now + ms(300));
        assert_eq!(
            popped(&mut interleave, now + ms(300)),
            [(1, 0), (0, 1), (1, 1), (0, 2)]
        );
        assert_eq!(popped(&mut interleave, now + ms(999)), []);
        interleave.push(frame(1, 4, 80, 1), now + ms(999));
        assert_eq!(popped(&mut interleave, now + ms(1000)), [(1, 2)]);
        assert_eq!(popped(&mut interleave, now + ms(1999)), [(1, 4)]);
    }

    #[test]
    fn at_the_beginning_a_silent_track_is_waited_for_longer() {
        let mut interleave = interleave();
        let now = Instant::now();
        interleave.push(frame(0, 0, 5000, 1), now);
        assert_eq!(popped(&mut interleave, now + ms(1999)), []);
        interleave.push(frame(1, 9, 2000, 1), now + ms(1999));
        assert_eq!(popped(&mut interleave, now + ms(1999)), [(1, 9), (0, 0)]);
    }

    #[test]
    fn what_waits_is_bounded_and_repeated_or_foreign_frames_are_dropped() {
        let mut interleave = interleave();
        let now = Instant::now();
        assert!(!interleave.push(frame(7, 0, 0, 1), now));
        assert!(interleave.push(frame(0, 0, 0, 1), now));
        assert!(!interleave.push(frame(0, 0, 0, 1), now));
        for number in 1..100 {
            interleave.push(frame(0, number, number, 1024 * 1024), now);
        }
        let given: Vec<_> = popped(&mut interleave, now);
        assert!(given.len() > 60 && interleave.held <= HELD);
        assert_eq!(interleave.clear(), 100 - given.len() as u64);
    }
}
