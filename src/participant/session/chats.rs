//! What the person says to be read goes nowhere once the relay has died, and that is noticed only
//! seconds later: the person is told which of it may not have arrived, and nothing is sent twice.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::meeting::{StayId, display_long};
use crate::participant::event::Shown;

/// A relay may answer so much later than what it answers came: what was said just before the newest
/// answer is not known to have come.
const LATE_ANSWER: Duration = Duration::from_millis(250);

/// Nobody types more of them in the seconds that matter.
const MOST: usize = 16;

/// Letters of each that are shown again: enough to know which it was.
const LETTERS: usize = 80;

/// What was said and has not been answered yet, on whatever stay it went out.
#[derive(Default)]
pub(super) struct Chats {
    /// What is being said just now, until it is known where it goes out.
    saying: Option<(Instant, String)>,
    unanswered: VecDeque<(StayId, Instant, String)>,
}

impl Chats {
    /// The person says this.
    pub(super) fn say(&mut self, now: Instant, text: &str) {
        self.saying = Some((now, text.to_owned()));
    }

    /// The next message goes out there.
    pub(super) fn goes_out(&mut self, stay: StayId) {
        if let Some((now, text)) = self.saying.take() {
            self.unanswered.truncate(MOST - 1);
            self.unanswered.push_front((stay, now, text));
        }
    }

    /// The relay was still there when what was sent up to then came to it.
    pub(super) fn answered(&mut self, stay: StayId, until: Option<Instant>) {
        let Some(until) = until else { return };
        let had = |at: Instant| at + LATE_ANSWER <= until;
        self.unanswered
            .retain(|(other, at, _)| *other != stay || !had(*at));
    }

    /// The relay is lost there: what may not have arrived, in the order in which it was said.
    pub(super) fn lost(&mut self, stay: StayId) -> Vec<Shown> {
        let mut lost = Vec::new();
        self.unanswered.retain(|(other, _, text)| {
            if *other == stay {
                lost.push(shown(text));
            }
            *other != stay
        });
        lost.reverse();
        lost
    }
}

fn shown(text: &str) -> Shown {
    let text = display_long(text);
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => Shown(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Shown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: StayId = StayId(1);
    const OTHER: StayId = StayId(2);

    #[test]
    fn what_was_answered_is_not_missed_and_the_rest_is_once() {
        let start = Instant::now();
        let at = |tenths: u32| start + Duration::from_millis(100) * tenths;
        let mut chats = Chats::default();
        for (stay, tenths, text) in [(MAIN, 0, "one"), (OTHER, 1, "two"), (MAIN, 2, "three")] {
            chats.say(at(tenths), text);
            chats.goes_out(stay);
            // Whatever else goes out is not what was said.
            chats.goes_out(OTHER);
        }
        chats.answered(MAIN, None);
        // It came after the second was said, but too soon after it.
        chats.answered(MAIN, Some(at(4)));
        chats.say(at(5), "four\u{1b}");
        chats.goes_out(MAIN);
        let lost = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| Shown((*text).into()))
                .collect::<Vec<_>>()
        };
        assert_eq!(chats.lost(MAIN), lost(&["three", "four\u{fffd}"]));
        assert_eq!(chats.lost(MAIN), []);
        assert_eq!(chats.lost(OTHER), lost(&["two"]));
    }

    #[test]
    fn what_nobody_answers_has_a_bound() {
        let mut chats = Chats::default();
        for _ in 0..100 {
            chats.say(Instant::now(), &"x".repeat(4000));
            chats.goes_out(MAIN);
        }
        let lost = chats.lost(MAIN);
        assert_eq!(lost.len(), MOST);
        assert_eq!(lost[0].0.chars().count(), LETTERS + 1);
    }
}
