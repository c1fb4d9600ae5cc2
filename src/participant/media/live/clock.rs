//! A sender's time as the time of a stream that somebody watches: as close to now as can be.

use std::time::{Duration, Instant};

/// Who is this much later than it was once is not behind: its clock was set back, or it slept.
const BEHIND: Duration = Duration::from_secs(10);

/// The frame that is the least late of all is taken to be live, and every other frame is as far
/// before it as its sender says. So no time here is later than when the frame came, whatever a
/// sender says, and what is old when it comes moves up to what is live.
#[derive(Default)]
pub(super) struct Clock {
    /// When the first frame came: what times of arrival count from.
    zero: Option<Instant>,
    /// From a timestamp to when it would have come, were it the least late.
    way_ns: Option<i128>,
    /// Where in the stream this sender begins, and when that was.
    begin: Option<(u64, i128)>,
}

impl Clock {
    /// A frame came: it may be the least late so far.
    pub(super) fn came(&mut self, timestamp_ns: u64, now: Instant) {
        let way = self.since_zero(now) - i128::from(timestamp_ns);
        let keeps = |before: &i128| (*before..=*before + nanoseconds(BEHIND)).contains(&way);
        self.way_ns = Some(self.way_ns.filter(keeps).unwrap_or(way));
    }

    /// What comes now has this time in the stream.
    pub(super) fn begin(&mut self, stream_ns: u64, now: Instant) {
        self.begin = Some((stream_ns, self.since_zero(now)));
    }

    pub(super) fn is_begun(&self) -> bool {
        self.begin.is_some()
    }

    /// The time in the stream of a frame with this timestamp; none is before the beginning.
    pub(super) fn time(&self, timestamp_ns: u64) -> u64 {
        let (stream_ns, began) = self.begin.unwrap_or_default();
        let came = i128::from(timestamp_ns) + self.way_ns.unwrap_or_default();
        let since = (came - began).max(0);
        stream_ns.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }

    fn since_zero(&mut self, now: Instant) -> i128 {
        let zero = *self.zero.get_or_insert(now);
        nanoseconds(now.saturating_duration_since(zero))
    }
}

/// In 64 bits at most, so that sums of some do not overflow.
fn nanoseconds(duration: Duration) -> i128 {
    u64::try_from(duration.as_nanos())
        .unwrap_or(u64::MAX)
        .into()
}
