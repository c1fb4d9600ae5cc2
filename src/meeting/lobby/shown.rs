//! The doors that a question has brought: of several committers one is the chair.

use std::collections::BTreeMap;
use std::time::Duration;

use super::body::Door;
use super::limits::DOORS_WITHIN;
use crate::meeting::chair::Outcasts;
use crate::meeting::links::Bundle;
use crate::wire::ParticipantId;

/// A door whose signature was checked, and whose.
pub(super) struct Checked {
    pub(super) chair: ParticipantId,
    pub(super) door: Door,
    pub(super) bundle: Bundle,
}

/// See the module. The first one of each rank.
#[derive(Default)]
pub(super) struct Shown {
    since: Option<Duration>,
    doors: BTreeMap<u8, Checked>,
}

impl Shown {
    /// One more.
    pub(super) fn put(&mut self, now: Duration, one: Checked) {
        self.since.get_or_insert(now);
        self.doors.entry(one.door.rank).or_insert(one);
    }

    /// Nobody has answered.
    pub(super) fn is_empty(&self) -> bool {
        self.doors.is_empty()
    }

    /// When to take one: at once where the host's own is among them.
    pub(super) fn due(&self) -> Option<Duration> {
        let since = self.since?;
        match self.doors.contains_key(&0) {
            true => Some(since),
            false => Some(since.saturating_add(DOORS_WITHIN)),
        }
    }

    /// The door of the lowest rank that was not removed, once it is time; the others are forgotten.
    pub(super) fn take(&mut self, now: Duration, outcasts: &Outcasts) -> Option<Checked> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        let shown = std::mem::take(self).doors.into_iter();
        let mut inside = shown.filter(|(rank, _)| !outcasts.has_committer(*rank));
        inside.next().map(|(_, one)| one)
    }
}
