//! Takes each counter of a track once.

use crate::meeting::limits::REPLAY_WINDOW;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// A sliding window over counters (RFC 4303, section 3.4.3, does it the same way).
pub(super) struct ReplayWindow {
    /// One more than the newest counter that was taken.
    next: u64,
    /// Ring: bit `counter % WINDOW` is set when that counter was taken.
    taken: Box<[u64; WORDS]>,
}

/// What the window says of a counter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fresh,
    Replay,
    TooOld,
}

impl ReplayWindow {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            taken: Box::new([0; WORDS]),
        }
    }

    /// Looks, without taking it: only what authenticates is taken.
    pub(super) fn look(&self, counter: u64) -> Verdict {
        if counter >= self.next {
            return Verdict::Fresh;
        }
        if self.next - counter > REPLAY_WINDOW {
            return Verdict::TooOld;
        }
        let (word, bit) = place(counter);
        if self.taken[word] & bit == 0 {
            Verdict::Fresh
        } else {
            Verdict::Replay
        }
    }

    /// Takes a fresh counter.
    pub(super) fn take(&mut self, counter: u64) {
        if counter >= self.next {
            let skipped = (counter - self.next).min(REPLAY_WINDOW);
            for clear in counter - skipped..=counter {
                let (word, bit) = place(clear);
                self.taken[word] &= !bit;
            }
            self.next = counter.saturating_add(1);
        }
        let (word, bit) = place(counter);
        self.taken[word] |= bit;
    }
}

/// Always inside the ring.
fn place(counter: u64) -> (usize, u64) {
    let index = counter % REPLAY_WINDOW;
    ((index / 64) as usize, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_in_any_order() {
        let mut window = ReplayWindow::new();
        for counter in [5, 3, 9, 4, 8, 7000, 6999, 7000 - REPLAY_WINDOW + 1] {
            assert_eq!(window.look(counter), Verdict::Fresh, "{counter}");
            window.take(counter);
            assert_eq!(window.look(counter), Verdict::Replay, "{counter}");
        }
        assert_eq!(window.look(10), Verdict::TooOld);
        assert_eq!(window.look(7000 - REPLAY_WINDOW), Verdict::TooOld);
        assert_eq!(
            window.look(6000),
            Verdict::Fresh,
            "skipped ones were forgotten"
        );
    }

    #[test]
    fn it_agrees_with_a_set() {
        let mut window = ReplayWindow::new();
        let mut taken = std::collections::HashSet::new();
        let (mut state, mut newest) = (1u64, 0u64);
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let jump = (state >> 33) % 200;
            let counter = (newest + jump).saturating_sub(150);
            let verdict = window.look(counter);
            assert_eq!(
                verdict == Verdict::Fresh,
                !taken.contains(&counter),
                "{counter}"
            );
            if verdict == Verdict::Fresh {
                window.take(counter);
                taken.insert(counter);
                newest = newest.max(counter);
            }
        }
    }
}
