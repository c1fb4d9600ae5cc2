//! A flood of knocks, told in one line: whoever has the link can knock as often as it likes, and the
//! screen belongs to the person.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Knocks that are told one by one before the rest of a flood is counted. More would push what else was
/// said off a small screen.
const FEW: u32 = 5;

/// A flood is over when nobody new has knocked for so long.
const PAUSE: Duration = Duration::from_secs(10);

/// Who waits at the door, as far as the person has been told.
#[derive(Default)]
pub(super) struct Knocks {
    told: BTreeSet<u32>,
    /// Those who are counted alone.
    more: BTreeSet<u32>,
    last: Option<Instant>,
    in_a_row: u32,
}

impl Knocks {
    /// Somebody knocks, or is listed again among those who wait. Whether it is told by a line of its own.
    pub(super) fn knocks(&mut self, now: Instant, number: u32) -> bool {
        let listed = self.more.remove(&number) || self.told.contains(&number);
        if !listed {
            let soon = |last| now.saturating_duration_since(last) < PAUSE;
            if !self.last.replace(now).is_some_and(soon) {
                self.in_a_row = 0;
            }
            self.in_a_row = self.in_a_row.saturating_add(1);
            if self.in_a_row > FEW {
                self.more.insert(number);
                return false;
            }
        }
        self.told.insert(number);
        true
    }

    /// Somebody does not wait any more. Whether that is told: not of one who was only counted.
    pub(super) fn gone(&mut self, number: u32) -> bool {
        self.told.remove(&number) || !self.more.remove(&number)
    }

    /// The list begins anew, with another chair.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many are counted alone.
    pub(super) fn more(&self) -> usize {
        self.more.len()
    }
}

/// What is said of those who are counted alone.
pub(super) fn are_knocking(more: usize) -> String {
    let are = if more == 1 { "is" } else { "are" };
    format!("{more} more {are} knocking; /who lists them.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_a_quiet_evening_is_told() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut knocks = Knocks::default();
        let few = u64::from(FEW);
        assert!((0..20).all(|number| knocks.knocks(at(u64::from(number) * 10), number)));
        let flood = 100..120;
        let told = flood
            .clone()
            .filter(|number| knocks.knocks(at(1000), *number));
        assert_eq!(told.count(), FEW as usize);
        assert_eq!(knocks.more(), 15);
        // As long as it goes on.
        assert!(!knocks.knocks(at(1009), 120) && !knocks.knocks(at(1018), 121));
        assert!(knocks.knocks(at(1028), 122));
        assert_eq!(
            are_knocking(knocks.more()),
            "17 more are knocking; /who lists them."
        );
        // Who was counted goes without a word, and who was told does not.
        assert!(!knocks.gone(119) && knocks.gone(100));
        assert_eq!(knocks.more(), 16);
        // The list names everybody, and whose going is then told.
        assert!((105..119).all(|number| knocks.knocks(at(1029), number)));
        assert!(knocks.gone(118) && knocks.gone(105));
        assert_eq!(knocks.more(), 2);
        knocks.clear();
        assert_eq!(knocks.more(), 0);
        assert!((0..few).all(|number| knocks.knocks(at(1030), number as u32)));
    }

    #[test]
    fn one_is_and_two_are() {
        assert_eq!(are_knocking(1), "1 more is knocking; /who lists them.");
    }
}
