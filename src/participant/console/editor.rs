//! The line that is being typed: without a terminal, so that it can be tested without one. What a key does
//! to a line is `tui_input`'s; what is ours is the history, the words of commands, and how it is drawn.

use console::measure_text_width;
use tui_input::{Input, InputRequest as Edit};
use unicode_segmentation::UnicodeSegmentation;

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
    line: Input,
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
            Key::Control('d') if self.line.value().is_empty() => return Some(Effect::Farewell),
            Key::Backspace | Key::Control('h') => self.edit(Edit::DeletePrevChar),
            Key::Delete | Key::Control('d') => self.edit(Edit::DeleteNextChar),
            Key::Left | Key::Control('b') => self.edit(Edit::GoToPrevChar),
            Key::Right | Key::Control('f') => self.edit(Edit::GoToNextChar),
            Key::WordLeft => self.edit(Edit::GoToPrevWord),
            Key::WordRight => self.edit(Edit::GoToNextWord),
            Key::Home | Key::Control('a') => self.edit(Edit::GoToStart),
            Key::End | Key::Control('e') => self.edit(Edit::GoToEnd),
            Key::Control('u') => self.edit(Edit::DeleteFromStart),
            Key::Control('k') => self.edit(Edit::DeleteTillEnd),
            Key::Control('w') => self.edit(Edit::DeletePrevWord),
            Key::Control('y') => self.edit(Edit::Yank),
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
        let (before, rest) = self.halves();
        let mut rest = rest.graphemes(true);
        let under = rest.next().unwrap_or(" ");
        let mut left = room.saturating_sub(measure_text_width(under));
        let shown = before.graphemes(true).rev();
        let shown = shown
            .take_while(|letter| fits(&mut left, letter))
            .map(str::len);
        let before = before.get(before.len().saturating_sub(shown.sum())..);
        let after: String = rest.take_while(|letter| fits(&mut left, letter)).collect();
        let before = before.unwrap_or_default();
        format!("{PROMPT}{before}\x1b[7m{under}\x1b[0m{after}")
    }

    /// How a line that was sent stays to be seen.
    pub(super) fn sent(line: &str) -> String {
        format!("{PROMPT}{line}")
    }

    fn edit(&mut self, edit: Edit) {
        let before = self.line.clone();
        self.line.handle(edit);
        if self.line.value().len() > LINE_BYTES {
            self.line = before;
        }
    }

    fn insert(&mut self, letter: char) {
        if self.line.value().len().saturating_add(letter.len_utf8()) <= LINE_BYTES {
            self.line.handle(Edit::InsertChar(letter));
        }
    }

    fn put(&mut self, line: &str) {
        self.line = std::mem::take(&mut self.line).with_value(line.to_owned());
    }

    fn text(&self) -> String {
        self.line.value().to_owned()
    }

    /// What stands before the cursor, and what from there on.
    fn halves(&self) -> (&str, &str) {
        let line = self.line.value();
        let at = line.char_indices().nth(self.line.cursor());
        line.split_at(at.map_or(line.len(), |(at, _)| at))
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
        let (before, rest) = self.halves();
        let (typed, last) = (before.strip_prefix('/')?, rest.is_empty());
        let choices = completions(typed);
        let first = *choices.first()?;
        let common = (0..=first.len())
            .rev()
            .filter_map(|length| first.get(..length))
            .find(|common| choices.iter().all(|choice| choice.starts_with(common)))?;
        let added = common.get(typed.len()..)?;
        if added.is_empty() && choices.len() > 1 {
            return Some(Effect::Choices(choices));
        }
        added.chars().for_each(|letter| self.insert(letter));
        if choices.len() == 1 && takes_something(first) && last {
            self.insert(' ');
        }
        None
    }
}

/// Takes the room that a letter needs from what is left of it.
fn fits(left: &mut usize, letter: &str) -> bool {
    match left.checked_sub(measure_text_width(letter)) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}
