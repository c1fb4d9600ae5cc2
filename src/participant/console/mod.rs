//! What a person types during a meeting: commands, and what is said to everyone.
//!
//! It may know: the terminal, standard input, the words of the commands.
//! It must never know: the meeting; who a number or a name stands for is found by others.

mod command;
mod editor;
mod keys;
mod lines;
mod source;
mod terminal;

pub use command::{Command, Mistake, Subject, help};
pub use terminal::restore;

use std::collections::VecDeque;

use self::source::Source;
use super::view::Output;

/// How many bytes a line may have, its end not counted. Longer ones are not held, and not obeyed.
pub const LINE_BYTES: usize = 8 * 1024;

/// Whether standard input may be read for commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardInput {
    /// Nobody else reads it.
    Free,
    /// Media or the link comes from there.
    Taken,
}

/// What came of a line.
#[derive(Clone, PartialEq, Eq)]
pub enum Typed {
    /// Something to do.
    Command(Command),
    /// Nothing to do, and what the person should be told.
    Mistake(Mistake),
}

/// Reads commands without holding up anything else.
///
/// Where standard input and standard error are a terminal that can draw, and people are told by
/// sentences, lines are edited: the line being typed is the last of the live lines of [`Output`],
/// so that events and figures go by above it. It has a history, in memory alone, and the tabulator
/// completes the words of commands. Anything else is read as plain lines: a terminal that cannot
/// draw, a pipe, a file.
///
/// Ctrl-C stays a signal (`SIGINT`) in every case. The terminal is as it was when this is dropped;
/// see [`restore`] for ends that drop nothing. Nothing is read from a terminal while another
/// program has it (the shell, for a program in the background).
pub struct Console {
    source: Source,
    typed: VecDeque<Typed>,
}

impl Console {
    /// Begins to read. Where nothing can be read, nothing comes.
    ///
    /// Needs a tokio runtime with I/O.
    pub fn open(output: &mut Output, input: StandardInput) -> Self {
        Self {
            source: match input {
                StandardInput::Free => Source::open(output),
                StandardInput::Taken => Source::Ended,
            },
            typed: VecDeque::new(),
        }
    }

    /// The next thing that was typed; `None` for ever when no more can come, which is no reason to
    /// leave. On a terminal ctrl-D on an empty line is [`Command::Leave`].
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Typed> {
        while self.typed.is_empty() && !self.source.has_ended() {
            for line in self.source.read().await {
                self.typed.extend(line.typed());
            }
        }
        self.typed.pop_front()
    }
}

#[cfg(test)]
mod tests;
