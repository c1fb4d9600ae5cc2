//! The line that is being typed: without a terminal, so that it can be tested without one.

use console::measure_text_width;

use super::LINE_BYTES;
use super::command::{completions, takes_something};
use super::keys::Key;

/// How many lines are remembered.
const HISTORY: usize = 100;

const PROMPT: &str = "> ";

/// What a key brings about, besides a line that looks different.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The line is whole.
    Line(String),
    /// Ctrl-D on an empty line.
    Farewell,
    /// What the word that is being typed may become.
    Choices(Vec<&'static str>),
}

/// A line and its history.
#[derive(Default)]
pub(super) struct Editor {
    line: Vec<char>,
    /// Before which letter the next one is put.
    cursor: usize,
    /// How many bytes the line has.
    bytes: usize,
    history: Vec<String>,
    /// Which line of the history is shown, and the new line that waits meanwhile.
    shown: Option<(usize, String)>,
    pasting: bool,
}

impl Editor {
    pub(super) fn press(&mut self, key: Key) -> Option<Effect> {
        match key {
            // A line end in a pasted text must not send what is before it.
            Key::Enter | Key::Tab if self.pasting => self.insert(' '),
            Key::Enter => return Some(Effect::Line(self.finish())),
            Key::Tab => return self.complete(),
            Key::Char(letter) => self.insert(letter),
            Key::PasteBegin => self.pasting = true,
            Key::PasteEnd => self.pasting = false,
            Key::Backspace | Key::Control('h') => self.cut(self.left(), self.cursor),
            Key::Control('d') if self.line.is_empty() => return Some(Effect::Farewell),
            Key::Delete | Key::Control('d') => self.cut(self.cursor, self.right()),
            Key::Left | Key::Control('b') => self.cursor = self.left(),
            Key::Right | Key::Control('f') => self.cursor = self.right(),
            Key::WordLeft => self.cursor = self.word_left(),
            Key::WordRight => self.cursor = self.word_right(),
            Key::Home | Key::Control('a') => self.cursor = 0,
            Key::End | Key::Control('e') => self.cursor = self.line.len(),
            Key::Control('u') => self.cut(0, self.cursor),
            Key::Control('k') => self.cut(self.cursor, self.line.len()),
            Key::Control('w') => self.cut(self.word_left(), self.cursor),
            Key::Up | Key::Control('p') => self.recall_older(),
            Key::Down | Key::Control('n') => self.recall_newer(),
            Key::Control(_) => {}
        }
        None
    }

    /// One row of at most `columns`, the cell of the cursor turned round: the terminal's own
    /// cursor stands wherever the live lines leave it.
    pub(super) fn row(&self, columns: usize) -> String {
        let room = columns.saturating_sub(PROMPT.len() + 1).max(1);
        let (before, rest) = self.line.split_at(self.cursor.min(self.line.len()));
        let end = self.right().saturating_sub(self.cursor);
        let (under, after) = rest.split_at(end.min(rest.len()));
        let under: String = match under {
            [] => " ".into(),
            under => under.iter().collect(),
        };
        let mut left = room.saturating_sub(measure_text_width(&under));
        let begin = before.iter().rposition(|letter| !fits(&mut left, *letter));
        let visible = before.get(begin.map_or(0, |last| last + 1)..);
        let before: String = visible.unwrap_or_default().iter().collect();
        let after = after.iter().take_while(|letter| fits(&mut left, **letter));
        let after: String = after.collect();
        format!("{PROMPT}{before}\x1b[7m{under}\x1b[0m{after}")
    }

    /// How a line that was sent stays to be seen.
    pub(super) fn sent(line: &str) -> String {
        format!("{PROMPT}{line}")
    }

    fn insert(&mut self, letter: char) {
        if self.bytes.saturating_add(letter.len_utf8()) <= LINE_BYTES {
            self.line.insert(self.cursor, letter);
            self.cursor += 1;
            self.bytes += letter.len_utf8();
        }
    }

    fn cut(&mut self, from: usize, to: usize) {
        if from < to {
            let gone = self.line.drain(from..to).map(char::len_utf8).sum();
            self.bytes = self.bytes.saturating_sub(gone);
            self.cursor = from;
        }
    }

    fn put(&mut self, line: &str) {
        self.line = line.chars().collect();
        self.bytes = line.len();
        self.cursor = self.line.len();
    }

    fn text(&self) -> String {
        self.line.iter().collect()
    }

    fn finish(&mut self) -> String {
        let line = self.text();
        self.shown = None;
        self.put("");
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            if self.history.len() >= HISTORY {
                self.history.remove(0);
            }
            self.history.push(line.clone());
        }
        line
    }

    /// One letter to the left, with the accents that stand on it.
    fn left(&self) -> usize {
        let mut before = self.line.iter().take(self.cursor);
        before.rposition(|letter| width(*letter) > 0).unwrap_or(0)
    }

    fn right(&self) -> usize {
        let mut after = self.line.iter().skip(self.cursor.saturating_add(1));
        let next = after.position(|letter| width(*letter) > 0);
        next.map_or(self.line.len(), |next| self.cursor + 1 + next)
    }

    fn word_left(&self) -> usize {
        let before = self.line.get(..self.cursor).unwrap_or_default();
        let word = before.iter().rposition(|letter| !letter.is_whitespace());
        let upto = before.get(..word.unwrap_or(0)).unwrap_or_default();
        let space = upto.iter().rposition(|letter| letter.is_whitespace());
        space.map_or(0, |space| space + 1)
    }

    fn word_right(&self) -> usize {
        let mut after = self.line.iter().enumerate().skip(self.cursor);
        after.find(|(_, letter)| !letter.is_whitespace());
        let space = after.find(|(_, letter)| letter.is_whitespace());
        space.map_or(self.line.len(), |(at, _)| at)
    }

    fn recall_older(&mut self) {
        let at = self
            .shown
            .as_ref()
            .map_or(self.history.len(), |(at, _)| *at);
        let Some(older) = at.checked_sub(1) else {
            return;
        };
        let Some(line) = self.history.get(older).cloned() else {
            return;
        };
        let new = match self.shown.take() {
            Some((_, new)) => new,
            None => self.text(),
        };
        self.put(&line);
        self.shown = Some((older, new));
    }

    fn recall_newer(&mut self) {
        let Some((at, new)) = self.shown.take() else {
            return;
        };
        match self.history.get(at + 1).cloned() {
            Some(line) => {
                self.put(&line);
                self.shown = Some((at + 1, new));
            }
            None => self.put(&new),
        }
    }

    /// Completes the word of a command that ends at the cursor, as far as there is no choice.
    fn complete(&mut self) -> Option<Effect> {
        let before: String = self.line.get(..self.cursor)?.iter().collect();
        let typed = before.strip_prefix('/')?;
        let choices = completions(typed);
        let first = *choices.first()?;
        let common = (0..=first.len())
            .rev()
            .filter_map(|length| first.get(..length))
            .find(|common| choices.iter().all(|choice| choice.starts_with(common)))?;
        let added: Vec<char> = common.get(typed.len()..)?.chars().collect();
        if added.is_empty() && choices.len() > 1 {
            return Some(Effect::Choices(choices));
        }
        added.into_iter().for_each(|letter| self.insert(letter));
        if choices.len() == 1 && takes_something(first) && self.cursor == self.line.len() {
            self.insert(' ');
        }
        None
    }
}

fn width(letter: char) -> usize {
    measure_text_width(letter.encode_utf8(&mut [0; 4]))
}

/// Takes the room that a letter needs from what is left of it.
fn fits(left: &mut usize, letter: char) -> bool {
    match left.checked_sub(width(letter)) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}
