//! Whose frames are not signed, and when that is told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::meeting::Who;
use crate::wire::TrackId;

/// How long signatures may be missing before a person is told. What is not signed is left out long
/// before that; but at a beginning those for the first frames passed by already, and a relay notices
/// only after 10 s that somebody's device is dead. An alarm at each of these would be heard by nobody.
const TOLD_AFTER: Duration = Duration::from_secs(12);

/// Tracks of which signatures are missing.
///
/// How long they were is added up until it is told: who forges a little, waits until all is signed again,
/// and goes on is told of, too.
#[derive(Default)]
pub(super) struct Unsigned(HashMap<(Who, TrackId), Missing>);

#[derive(Default)]
struct Missing {
    since: Option<Instant>,
    /// Before that.
    before: Duration,
    told: bool,
}

impl Missing {
    fn lasted(&self, now: Instant) -> Duration {
        let since = self.since.map(|since| now.saturating_duration_since(since));
        self.before.saturating_add(since.unwrap_or_default())
    }
}

impl Unsigned {
    /// They are missing.
    pub(super) fn missing(&mut self, now: Instant, who: Who, track: TrackId) {
        let missing = self.0.entry((who, track)).or_default();
        missing.since.get_or_insert(now);
    }

    /// They are there again. Whether it was told that they were not.
    pub(super) fn there(&mut self, now: Instant, who: Who, track: TrackId) -> bool {
        let Some(missing) = self.0.get_mut(&(who, track)) else {
            return false;
        };
        let told = missing.told;
        *missing = Missing {
            before: match told {
                true => Duration::ZERO,
                false => missing.lasted(now),
            },
            ..Missing::default()
        };
        told
    }

    /// Somebody is gone: nothing of it is missed.
    pub(super) fn gone(&mut self, who: Who) {
        self.0.retain(|(other, _), _| *other != who);
    }

    /// Whose are to be told as missing by now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(Who, TrackId)> {
        let due = |missing: &Missing| {
            !missing.told && missing.since.is_some() && missing.lasted(now) >= TOLD_AFTER
        };
        let due = self.0.iter_mut().filter(|(_, missing)| due(missing));
        due.map(|(place, missing)| {
            missing.told = true;
            *place
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_soon_is_not_told_and_what_was_told_ends_once() {
        let (ada, track, now) = (Who(1), TrackId(2), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut unsigned = Unsigned::default();
        unsigned.missing(at(0), ada, track);
        assert!(unsigned.due(at(11)).is_empty());
        unsigned.missing(at(11), ada, track);
        assert_eq!(unsigned.due(at(12)), [(ada, track)]);
        assert!(unsigned.due(at(40)).is_empty());
        assert!(unsigned.there(at(40), ada, track) && !unsigned.there(at(41), ada, track));
        unsigned.missing(at(50), ada, track);
        unsigned.gone(ada);
        assert!(unsigned.due(at(90)).is_empty());
    }

    #[test]
    fn what_is_missing_now_and_then_is_told_when_it_comes_to_as_much() {
        let (ada, track, now) = (Who(1), TrackId(2), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut unsigned = Unsigned::default();
        for begin in [0, 100] {
            unsigned.missing(at(begin), ada, track);
            assert!(!unsigned.there(at(begin + 5), ada, track));
            assert!(unsigned.due(at(begin + 90)).is_empty());
        }
        unsigned.missing(at(200), ada, track);
        assert!(unsigned.due(at(201)).is_empty());
        assert_eq!(unsigned.due(at(202)), [(ada, track)]);
    }
}
