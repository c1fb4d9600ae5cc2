//! Holding back the news that someone left until its last frames are in.
//!
//! `Left` comes on the control stream and overtakes what is still on its way on group streams
//! and in the next bundle of datagrams. Whoever forgot the sender at once would lose its last
//! frames.

use std::collections::HashMap;
use std::time::Duration;

use super::Moment;
use crate::wire::ParticipantId;

/// Time for the last datagrams: the longest beat (60 ms), and jitter on the way.
const DATAGRAMS: Duration = Duration::from_millis(250);
/// The longest wait for groups that have begun. A relay that drops a sender ends its groups; a
/// stream that still has not ended by then is stuck.
const GROUPS: Duration = Duration::from_secs(2);

/// Who is leaving, and which groups are still on their way.
pub struct Departures<T> {
    open: HashMap<ParticipantId, u32>,
    leaving: Vec<(ParticipantId, T)>,
}

impl<T> Default for Departures<T> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            leaving: Vec::new(),
        }
    }
}

impl<T: Moment> Departures<T> {
    /// A group of a sender begins to come.
    pub fn group_opened(&mut self, sender: ParticipantId) {
        *self.open.entry(sender).or_default() += 1;
    }

    /// A group of a sender has come whole, or was cut off.
    pub fn group_closed(&mut self, sender: ParticipantId) {
        if let Some(open) = self.open.get_mut(&sender) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&sender);
            }
        }
    }

    /// The relay says that someone left.
    pub fn left(&mut self, now: T, who: ParticipantId) {
        if self.leaving.iter().all(|(leaver, _)| *leaver != who) {
            self.leaving.push((who, now));
        }
    }

    /// The next one whose last frames are in, or waited for long enough.
    pub fn next(&mut self, now: T) -> Option<ParticipantId> {
        let gone = self
            .leaving
            .iter()
            .position(|leaver| self.due(leaver) <= now)?;
        Some(self.leaving.swap_remove(gone).0)
    }

    /// When to ask again.
    pub fn deadline(&self) -> Option<T> {
        self.leaving.iter().map(|leaver| self.due(leaver)).min()
    }

    fn due(&self, (who, left): &(ParticipantId, T)) -> T {
        *left
            + if self.open.contains_key(who) {
                GROUPS
            } else {
                DATAGRAMS
            }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const ADA: ParticipantId = ParticipantId(1);
    const BEA: ParticipantId = ParticipantId(2);

    #[test]
    fn last_datagrams_have_time_to_come() {
        let start = Instant::now();
        let mut departures = Departures::default();
        departures.left(start, ADA);
        departures.left(start, ADA);
        assert_eq!(departures.next(start), None);
        assert_eq!(departures.deadline(), Some(start + DATAGRAMS));
        assert_eq!(departures.next(start + DATAGRAMS), Some(ADA));
        assert_eq!(departures.next(start + GROUPS), None);
        assert_eq!(departures.deadline(), None);
    }

    #[test]
    fn open_groups_are_waited_for_and_not_for_ever() {
        let start = Instant::now();
        let mut departures = Departures::default();
        departures.group_opened(ADA);
        departures.group_opened(ADA);
        departures.group_opened(BEA);
        departures.left(start, ADA);
        departures.left(start, BEA);
        departures.group_closed(ADA);
        assert_eq!(departures.next(start + DATAGRAMS), None);
        departures.group_closed(ADA);
        assert_eq!(departures.next(start + DATAGRAMS), Some(ADA));
        assert_eq!(departures.next(start + DATAGRAMS), None);
        assert_eq!(departures.next(start + GROUPS), Some(BEA));
        departures.group_closed(BEA);
        departures.group_closed(BEA);
        assert!(departures.open.is_empty());
    }
}
