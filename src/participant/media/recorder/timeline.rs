//! The recording's own clock: from 0 upwards, also over a reconnection.

use std::time::Instant;

/// How far, after a reconnection, a sender's clock may be from where the time that has passed puts
/// it, and still be the same clock, in nanoseconds. A newcomer gets the current group from its key
/// frame on, which is some seconds old.
const SAME_CLOCK: i128 = 10_000_000_000;

/// Frames in a row from a time that is none of the recording's, after which the clock is taken to be
/// another: the first frame's timestamp, which all count from, is a stranger's word.
const OUTSIDE: u32 = 64;

/// Maps a sender's timestamps to the recording's. One offset for all tracks, so they stay in step.
#[derive(Default)]
pub(super) struct Timeline {
    /// What is added to a sender's timestamp, in nanoseconds.
    offset: Option<i128>,
    /// Where the latest frame ends, in the recording.
    end_ns: u64,
    /// When the last frame came.
    last_arrival: Option<Instant>,
    resuming: bool,
    /// Frames that had no place since one had.
    outside: u32,
}

impl Timeline {
    /// Where the recording ends so far.
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// The sender was away and is back: its clock may be another.
    pub fn resume(&mut self) {
        self.resuming = self.offset.is_some();
    }

    /// Must see each frame before [`Self::map`]. True when after a [`Self::resume`] the sender's
    /// clock turns out to have begun anew.
    pub fn begins_anew(&mut self, timestamp_ns: u64, arrival: Instant) -> bool {
        let timestamp = i128::from(timestamp_ns);
        let (Some(offset), true) = (self.offset, self.resuming) else {
            self.offset.get_or_insert(-timestamp);
            return false;
        };
        self.resuming = false;
        let away = self.last_arrival.map_or(0, |last| {
            arrival
                .saturating_duration_since(last)
                .as_nanos()
                .try_into()
                .unwrap_or(0)
        });
        let expected = i128::from(self.end_ns) + away;
        if (timestamp + offset - expected).abs() <= SAME_CLOCK {
            return false;
        }
        self.offset = Some(expected - timestamp);
        true
    }

    /// The frame's timestamp in the recording; `None` when it is from before the beginning, or
    /// from a time that no meeting reaches.
    pub fn map(&mut self, timestamp_ns: u64, length_ns: u64, arrival: Instant) -> Option<u64> {
        const FAR: u64 = 1 << 60;
        let out = u64::try_from(i128::from(timestamp_ns) + self.offset?);
        let Some(out) = out.ok().filter(|out| *out <= FAR) else {
            self.outside = self.outside.saturating_add(1);
            if self.outside >= OUTSIDE {
                self.resume();
            }
            return None;
        };
        self.outside = 0;
        self.end_ns = self.end_ns.max(out + length_ns.min(FAR));
        self.last_arrival = Some(self.last_arrival.map_or(arrival, |last| last.max(arrival)));
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const S: u64 = 1_000_000_000;

    fn map(timeline: &mut Timeline, timestamp: u64, arrival: Instant) -> (bool, Option<u64>) {
        let anew = timeline.begins_anew(timestamp, arrival);
        (anew, timeline.map(timestamp, S, arrival))
    }

    #[test]
    fn the_first_frame_is_at_zero_and_what_is_before_is_left_out() {
        let now = Instant::now();
        let mut timeline = Timeline::default();
        assert_eq!(map(&mut timeline, 100 * S, now), (false, Some(0)));
        assert_eq!(map(&mut timeline, 103 * S, now), (false, Some(3 * S)));
        assert_eq!(map(&mut timeline, 99 * S, now), (false, None));
        assert_eq!(timeline.end_ns(), 4 * S);
        assert_eq!(map(&mut timeline, u64::MAX, now), (false, None));
    }

    #[test]
    fn a_first_timestamp_that_nobody_comes_up_to_ends_nothing() {
        let now = Instant::now();
        let mut timeline = Timeline::default();
        assert_eq!(map(&mut timeline, u64::MAX, now), (false, Some(0)));
        for _ in 0..OUTSIDE {
            assert_eq!(map(&mut timeline, 100 * S, now).1, None);
        }
        let later = now + Duration::from_secs(3);
        assert_eq!(map(&mut timeline, 100 * S, later), (true, Some(4 * S)));
        // What is a little before the beginning stays out, however much it is.
        let mut timeline = Timeline::default();
        map(&mut timeline, 100 * S, now);
        for _ in 0..3 * OUTSIDE {
            assert_eq!(map(&mut timeline, 95 * S, now), (false, None));
        }
    }

    #[test]
    fn a_clock_that_went_on_is_kept() {
        let now = Instant::now();
        let mut timeline = Timeline::default();
        map(&mut timeline, 100 * S, now);
        timeline.resume();
        let back = now + Duration::from_secs(60);
        assert_eq!(map(&mut timeline, 158 * S, back), (false, Some(58 * S)));
    }

    #[test]
    fn a_clock_that_began_anew_goes_on_after_the_time_that_passed() {
        let now = Instant::now();
        let mut timeline = Timeline::default();
        map(&mut timeline, 100 * S, now);
        timeline.resume();
        let back = now + Duration::from_secs(60);
        assert_eq!(map(&mut timeline, 5 * S, back), (true, Some(61 * S)));
        assert_eq!(map(&mut timeline, 6 * S, back), (false, Some(62 * S)));
    }
}
