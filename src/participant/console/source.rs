//! Where lines come from.

use std::io::IsTerminal;

use console::Term;
use indicatif::ProgressBar;
use tokio::io::{AsyncReadExt, Stdin};

use super::editor::{Editor, Effect};
use super::keys::Keys;
use super::lines::{Line, Lines};
use super::terminal::{Arrived, Terminal};
use crate::participant::view::Output;

/// How much is read at once.
const CHUNK: usize = 1024;

pub(super) enum Source {
    /// A pipe or a file.
    Pipe { input: Stdin, lines: Lines },
    /// A terminal that edits lines by itself.
    Plain { terminal: Terminal, lines: Lines },
    /// A terminal whose lines are edited here.
    Edited(Box<Edited>),
    /// Nothing comes any more.
    Ended,
}

impl Source {
    /// Standard input, as what it is.
    pub(super) fn open(output: &mut Output) -> Self {
        if !std::io::stdin().is_terminal() {
            return Self::Pipe {
                input: tokio::io::stdin(),
                lines: Lines::default(),
            };
        }
        let terminal = Terminal::open(output.is_live());
        match (terminal, output.is_live()) {
            (Err(_), _) => Self::Ended,
            (Ok(terminal), true) => Self::Edited(Box::new(Edited::new(terminal, output))),
            (Ok(terminal), false) => Self::Plain {
                terminal,
                lines: Lines::default(),
            },
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    /// Waits for more. Nothing is lost when the future is dropped.
    pub(super) async fn read(&mut self) -> Vec<Line> {
        let mut buffer = [0; CHUNK];
        let (arrived, at_a_terminal) = match self {
            Self::Pipe { input, .. } => {
                let arrived = match input.read(&mut buffer).await {
                    Ok(0) | Err(_) => Arrived::End,
                    Ok(length) => Arrived::Bytes(length),
                };
                (arrived, false)
            }
            Self::Plain { terminal, .. } => (terminal.read(&mut buffer).await, true),
            Self::Edited(edited) => (edited.terminal.read(&mut buffer).await, true),
            Self::Ended => return Vec::new(),
        };
        match (arrived, &mut *self) {
            (Arrived::Bytes(length), source) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                match source {
                    Self::Pipe { lines, .. } | Self::Plain { lines, .. } => lines.feed(bytes),
                    Self::Edited(edited) => edited.feed(bytes),
                    Self::Ended => Vec::new(),
                }
            }
            (Arrived::Back, Self::Edited(edited)) => {
                edited.draw();
                Vec::new()
            }
            (Arrived::Back, _) => Vec::new(),
            (Arrived::End, source) => {
                let last = match source {
                    Self::Pipe { lines, .. } | Self::Plain { lines, .. } => lines.end(),
                    Self::Edited(_) | Self::Ended => None,
                };
                *self = Self::Ended;
                last.into_iter()
                    .chain(at_a_terminal.then_some(Line::Farewell))
                    .collect()
            }
        }
    }
}

/// A line that is edited, at the foot of the live lines.
pub(super) struct Edited {
    terminal: Terminal,
    keys: Keys,
    editor: Editor,
    row: ProgressBar,
}

impl Edited {
    fn new(terminal: Terminal, output: &mut Output) -> Self {
        let edited = Self {
            terminal,
            keys: Keys::default(),
            editor: Editor::default(),
            row: output.typing_row(),
        };
        edited.draw();
        edited
    }

    fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for byte in bytes {
            let key = self.keys.feed(*byte);
            match key.and_then(|key| self.editor.press(key)) {
                None => {}
                Some(Effect::Line(line)) => {
                    if !line.trim().is_empty() {
                        self.row.println(Editor::sent(&line));
                    }
                    lines.push(Line::Text(line));
                }
                Some(Effect::Farewell) => lines.push(Line::Farewell),
                Some(Effect::Choices(words)) => {
                    self.row.println(format!("  /{}", words.join(" /")));
                }
            }
        }
        self.draw();
        lines
    }

    fn draw(&self) {
        // Asked each time: a window can be made narrower.
        let (_, columns) = Term::stderr().size();
        self.row.set_message(self.editor.row(usize::from(columns)));
        // Who types wants to see each letter, more often than figures are worth redrawing.
        self.row.force_draw();
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        self.row.finish_and_clear();
    }
}
