//! When a frame is due. Pure: the clock is passed in.

use std::time::{Duration, Instant};

use super::length::Gaps;
use crate::wire::TrackId;

/// How late a frame may be before the pace gives up the time that was lost. Up to here a late
/// frame is sent at once and the pace is caught up with; past it the pace goes on from the late
/// frame, so that a stalled input does not end in an endless burst. Larger: longer bursts;
/// smaller: pictures drift behind a jittery live input for good.
const MAX_BEHIND: Duration = Duration::from_millis(250);

/// Longest wait for one frame: a damaged timestamp must not hang a meeting.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Gives each frame of an input its time: the first at once, the others as far apart as their
/// timestamps say.
///
/// A file is played at its own pace. A pipe that is real-time already (`ffmpeg -re`) is late by
/// its own nature, so its frames are due when they come.
///
/// ```
/// use std::time::{Duration, Instant};
/// use sottovoce::participant::media::Pace;
///
/// let start = Instant::now();
/// let mut pace = Pace::new();
/// assert_eq!(pace.due(5_000_000_000, start), start);
/// assert_eq!(pace.due(5_020_000_000, start), start + Duration::from_millis(20));
/// ```
#[derive(Clone, Default)]
pub struct Pace {
    /// A frame's timestamp and when that frame was due.
    anchor: Option<(u64, Instant)>,
}

impl Pace {
    /// A pace that begins with its first frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to send the frame with this timestamp, in nanoseconds; asked at `now`, once for each
    /// frame in the order of the input. A time that is not after `now` means: at once.
    pub fn due(&mut self, timestamp_ns: u64, now: Instant) -> Instant {
        let (first_ns, first) = *self.anchor.get_or_insert((timestamp_ns, now));
        let due = if timestamp_ns >= first_ns {
            first.checked_add(Duration::from_nanos(timestamp_ns - first_ns))
        } else {
            first.checked_sub(Duration::from_nanos(first_ns - timestamp_ns))
        };
        let due = due.unwrap_or(now);
        let kept = if now.saturating_duration_since(due) > MAX_BEHIND {
            now
        } else if due.saturating_duration_since(now) > MAX_WAIT {
            now + MAX_WAIT
        } else {
            return due;
        };
        self.anchor = Some((timestamp_ns, kept));
        kept
    }
}

/// Joins the passes of a file that is played again and again: timestamps go on upwards.
#[derive(Clone, Default)]
pub(super) struct Seam {
    /// The earliest timestamp of the first pass.
    begin_ns: Option<u64>,
    /// What the earliest timestamp becomes in this pass; `None` in the first, which keeps its own.
    base_ns: Option<u64>,
    /// Where the last frame given out ends.
    end_ns: u64,
    gaps: Gaps,
}

impl Seam {
    /// The timestamp to send for a frame that has `file_ns` in its file.
    pub fn map(&mut self, track: TrackId, file_ns: u64, length_ns: Option<u64>) -> u64 {
        let out = match (self.base_ns, self.begin_ns) {
            (Some(base), Some(begin)) => base.saturating_add(file_ns.saturating_sub(begin)),
            _ => {
                self.begin_ns = Some(self.begin_ns.map_or(file_ns, |begin| begin.min(file_ns)));
                file_ns
            }
        };
        let length = length_ns.unwrap_or_else(|| self.gaps.guess_ns(track, out));
        self.end_ns = self.end_ns.max(out.saturating_add(length));
        out
    }

    /// The next pass begins: its first frame comes where the last one ended, on a whole tick.
    pub fn again(&mut self, timestamp_scale_ns: u64) {
        self.begin_ns.get_or_insert(0);
        self.base_ns = Some(
            self.end_ns
                .checked_next_multiple_of(timestamp_scale_ns.max(1))
                .unwrap_or(self.end_ns),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_file_is_played_at_its_own_pace() {
        let start = Instant::now();
        let mut pace = Pace::new();
        for frame in 0..500 {
            // A file is read ahead: each frame is asked about when the one before was due.
            let now = start + ms(20) * u32::try_from(u64::saturating_sub(frame, 1)).unwrap();
            let due = pace.due((1000 + 20 * frame) * MS, now);
            assert_eq!(due, start + ms(20 * frame), "frame {frame}");
        }
    }

    #[test]
    fn a_live_pipe_is_passed_on_as_it_comes() {
        let start = Instant::now();
        let mut pace = Pace::new();
        for frame in 0..500 {
            let jitter = [0, 7, 30, 3][frame as usize % 4];
            let arrival = start + ms(20 * frame + jitter);
            let due = pace.due(20 * frame * MS, arrival);
            assert!(due <= arrival, "frame {frame} waits {:?}", due - arrival);
        }
    }

    #[test]
    fn after_a_stall_the_pace_goes_on_without_a_burst() {
        let start = Instant::now();
        let mut pace = Pace::new();
        pace.due(0, start);
        let resumed = start + ms(5000);
        assert_eq!(pace.due(20 * MS, resumed), resumed);
        assert_eq!(pace.due(40 * MS, resumed), resumed + ms(20));
        assert_eq!(pace.due(60 * MS, resumed), resumed + ms(40));
    }

    #[test]
    fn a_little_lateness_is_caught_up_with() {
        let start = Instant::now();
        let mut pace = Pace::new();
        pace.due(0, start);
        let late = start + ms(120);
        assert!(pace.due(20 * MS, late) <= late);
        assert_eq!(pace.due(140 * MS, late), start + ms(140));
    }

    #[test]
    fn timestamps_that_jump_neither_hang_nor_burst() {
        let start = Instant::now();
        let mut pace = Pace::new();
        pace.due(0, start);
        let after_jump = pace.due(u64::MAX, start);
        assert_eq!(after_jump, start + MAX_WAIT);
        let mut pace = Pace::new();
        pace.due(0, start);
        let far = pace.due(3_600_000 * MS, start);
        assert_eq!(far, start + MAX_WAIT);
        assert_eq!(pace.due(3_600_020 * MS, far), far + ms(20));
        let back = pace.due(100 * MS, far + ms(20));
        assert_eq!(back, far + ms(20));
        assert_eq!(pace.due(120 * MS, back), back + ms(20));
    }

    #[test]
    fn a_loop_goes_on_where_the_longest_track_ended() {
        let mut seam = Seam::default();
        let (sound, picture) = (TrackId(0), TrackId(1));
        assert_eq!(seam.map(sound, 5 * MS, Some(20 * MS)), 5 * MS);
        assert_eq!(seam.map(picture, 5 * MS, None), 5 * MS);
        assert_eq!(seam.map(sound, 25 * MS, Some(20 * MS + 1)), 25 * MS);
        assert_eq!(seam.map(picture, 38 * MS, None), 38 * MS);
        // The picture ends latest: 38 + (38 - 5) ms.
        seam.again(MS);
        assert_eq!(seam.map(sound, 5 * MS, Some(20 * MS)), 71 * MS);
        assert_eq!(seam.map(picture, 5 * MS, None), 71 * MS);
        assert_eq!(seam.map(sound, 25 * MS, Some(60 * MS + 1)), 91 * MS);
        // The sound does, and the seam stays on a tick.
        seam.again(MS);
        assert_eq!(seam.map(sound, 5 * MS, Some(20 * MS)), 152 * MS);
    }
}
