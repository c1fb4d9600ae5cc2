//! Keeps the times of events that people cause from telling a story: whoever keeps standard error
//! keeps the time of each line, and a relay that was full every Sunday at eight says when people met.

use super::Event;

/// Which kinds were said.
pub(super) struct Said([bool; Event::KINDS]);

impl Said {
    pub(super) const fn nothing() -> Self {
        Self([false; Event::KINDS])
    }

    /// Whether `event` may be said; if so, it counts as said. What participants cause is said once:
    /// the operator has to act on the first, and `metrics` counts the others.
    pub(super) fn may(&mut self, event: Event) -> bool {
        if !matches!(event, Event::Overloaded { .. } | Event::Full) {
            return true;
        }
        let Some(said) = self.0.get_mut(event.kind().1) else {
            return false;
        };
        !std::mem::replace(said, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_participants_cause_is_said_once_and_holds_back_nothing_else() {
        let mut said = Said::nothing();
        let late = |late_percent| Event::Overloaded {
            shard: 0,
            late_percent,
        };
        assert!(said.may(late(30)));
        assert!(!said.may(late(31)));
        assert!(said.may(Event::Full));
        assert!(!said.may(Event::Full));
        assert!(said.may(Event::CertificateRotated));
        assert!(said.may(Event::CertificateRotated));
    }
}
