//! Whose frames are not signed, and when that is told.

use std::collections::HashMap;
use std::time::Duration;

use super::Moment;
use crate::meeting::Who;
use crate::wire::TrackId;

/// How long signatures may be missing before a person is told. What is not signed is left out long
/// before that; but at a beginning those for the first frames passed by already, and a relay notices
/// only after 10 s that somebody's device is dead. An alarm at each of these would be heard by nobody.
const TOLD_AFTER: Duration = Duration::from_secs(12);

/// Tracks of which signatures are missing.
pub struct Unsigned<T>(HashMap<(Who, TrackId), Missing<T>>);

struct Missing<T> {
    since: T,
    told: bool,
}

impl<T> Default for Unsigned<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Moment> Unsigned<T> {
    /// They are missing.
    pub fn missing(&mut self, now: T, who: Who, track: TrackId) {
        let missing = Missing {
            since: now,
            told: false,
        };
        self.0.entry((who, track)).or_insert(missing);
    }

    /// They are there again. Whether it was told that they were not.
    pub fn there(&mut self, who: Who, track: TrackId) -> bool {
        let missing = self.0.remove(&(who, track));
        missing.is_some_and(|missing| missing.told)
    }

    /// Somebody is gone: nothing of it is missed.
    pub fn gone(&mut self, who: Who) {
        self.0.retain(|(other, _), _| *other != who);
    }

    /// Signatures of somebody may have been lost with a connection. What was told ends when they are there
    /// again.
    pub fn excuse(&mut self, who: Who) {
        self.0
            .retain(|(other, _), missing| *other != who || missing.told);
    }

    /// When [`Self::due`] has something.
    pub fn deadline(&self) -> Option<T> {
        let untold = self.0.values().filter(|missing| !missing.told);
        untold.map(|missing| missing.since + TOLD_AFTER).min()
    }

    /// Whose are to be told as missing by now.
    pub fn due(&mut self, now: T) -> Vec<(Who, TrackId)> {
        let due = |missing: &Missing<T>| !missing.told && now.since(missing.since) >= TOLD_AFTER;
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
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_ends_soon_is_not_told_and_what_was_told_ends_once() {
        let (ada, track, now) = (Who(1), TrackId(2), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut unsigned = Unsigned::default();
        unsigned.missing(at(0), ada, track);
        assert!(unsigned.due(at(11)).is_empty());
        unsigned.missing(at(11), ada, track);
        assert_eq!(unsigned.deadline(), Some(at(12)));
        assert_eq!(unsigned.due(at(12)), [(ada, track)]);
        assert_eq!(unsigned.deadline(), None);
        assert!(unsigned.due(at(40)).is_empty());
        assert!(unsigned.there(ada, track) && !unsigned.there(ada, track));
        unsigned.missing(at(50), ada, track);
        unsigned.gone(ada);
        assert!(unsigned.due(at(90)).is_empty());
    }

    #[test]
    fn what_came_late_or_was_lost_with_a_connection_adds_up_to_nothing() {
        let (ada, track, now) = (Who(1), TrackId(2), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut unsigned = Unsigned::default();
        for begin in [0, 100, 200] {
            unsigned.missing(at(begin), ada, track);
            assert!(unsigned.due(at(begin + 5)).is_empty());
            assert!(!unsigned.there(ada, track));
        }
        unsigned.missing(at(300), ada, track);
        unsigned.excuse(ada);
        assert!(unsigned.due(at(400)).is_empty());
        unsigned.missing(at(500), ada, track);
        assert_eq!(unsigned.due(at(512)), [(ada, track)]);
        unsigned.excuse(ada);
        assert!(unsigned.there(ada, track), "what was told ends");
    }
}
