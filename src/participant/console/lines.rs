//! Bytes that become lines.

use super::command::{Command, Mistake};
use super::{LINE_BYTES, Typed};

/// A line, or the end of it all at a terminal.
pub(super) enum Line {
    Text(String),
    /// Ctrl-D on an empty line of a terminal.
    Farewell,
    Wrong(Mistake),
}

impl Line {
    /// What it asks for; nothing when it is empty.
    pub(super) fn typed(self) -> Option<Typed> {
        Some(match self {
            Self::Farewell => Typed::Command(Command::Leave),
            Self::Wrong(mistake) => Typed::Mistake(mistake),
            Self::Text(text) => match Command::parse(&text)? {
                Ok(command) => Typed::Command(command),
                Err(mistake) => Typed::Mistake(mistake),
            },
        })
    }
}

/// Splits what is read into lines.
#[derive(Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    /// The line has grown too long, and the rest of it is passed over.
    passing: bool,
}

impl Lines {
    /// More bytes have come: the lines that end in them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (content, ends) = match piece.strip_suffix(b"\n") {
                Some(content) => (content, true),
                None => (piece, false),
            };
            if self.passing || self.begun.len().saturating_add(content.len()) > LINE_BYTES {
                self.passing = true;
                self.begun.clear();
            } else {
                self.begun.extend_from_slice(content);
            }
            if ends {
                lines.push(self.take());
            }
        }
        lines
    }

    /// No more bytes will come: the line that was not ended.
    pub(super) fn end(&mut self) -> Option<Line> {
        (self.passing || !self.begun.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.passing) {
            return Line::Wrong(Mistake::LongLine);
        }
        match String::from_utf8(line) {
            // A terminal would obey them when the line is shown.
            Ok(text) => Line::Text(text.replace(char::is_control, " ")),
            Err(_) => Line::Wrong(Mistake::NotText),
        }
    }
}
