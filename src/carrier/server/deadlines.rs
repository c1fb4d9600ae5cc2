//! When which connection wants to be woken.
//!
//! Every packet moves its connection's loss timer, so a heap would be churned all the time. A dense
//! array and one lower bound cost a store for each move; the array is scanned only when the bound
//! passes, which for two thousand connections is a few microseconds.

use std::time::Instant;

/// Deadlines by connection index.
#[derive(Default)]
pub(super) struct Deadlines {
    at: Vec<Option<Instant>>,
    /// No deadline is earlier than this; `None` when there is none at all.
    bound: Option<Instant>,
}

impl Deadlines {
    /// Sets or clears the deadline of one connection.
    pub(super) fn set(&mut self, index: usize, deadline: Option<Instant>) {
        if index >= self.at.len() {
            self.at.resize(index + 1, None);
        }
        if let Some(slot) = self.at.get_mut(index) {
            *slot = deadline;
        }
        if let Some(deadline) = deadline
            && self.bound.is_none_or(|bound| deadline < bound)
        {
            self.bound = Some(deadline);
        }
    }

    /// When to look again; may be early, is never late.
    pub(super) fn next(&self) -> Option<Instant> {
        self.bound
    }

    /// Appends the indices whose deadline has come, and clears those.
    pub(super) fn due(&mut self, now: Instant, due: &mut Vec<usize>) {
        if self.bound.is_none_or(|bound| now < bound) {
            return;
        }
        self.bound = None;
        for (index, slot) in self.at.iter_mut().enumerate() {
            match *slot {
                Some(deadline) if deadline <= now => {
                    *slot = None;
                    due.push(index);
                }
                Some(deadline) if self.bound.is_none_or(|bound| deadline < bound) => {
                    self.bound = Some(deadline);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_is_due_comes_and_comes_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        deadlines.set(3, Some(at(10)));
        deadlines.set(1, Some(at(20)));
        deadlines.set(3, Some(at(30)));
        assert_eq!(deadlines.next(), Some(at(10)), "early, not late");
        let mut due = Vec::new();
        deadlines.due(at(15), &mut due);
        assert!(due.is_empty());
        assert_eq!(deadlines.next(), Some(at(20)));
        deadlines.due(at(40), &mut due);
        due.sort_unstable();
        assert_eq!(due, [1, 3]);
        due.clear();
        deadlines.due(at(50), &mut due);
        assert!(due.is_empty() && deadlines.next().is_none());
    }
}
