//! The list for people.

use std::io::IsTerminal;

use super::{Finding, State, count};

/// What the list is written on.
pub(super) struct Screen {
    pub(super) colours: bool,
}

impl Screen {
    /// Colours on a terminal, unless its user wants none (https://no-color.org).
    pub(super) fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colours: std::io::stdout().is_terminal() && !unwanted,
        }
    }

    fn state(&self, state: State) -> String {
        let name = state.name();
        if !self.colours {
            return format!("{name:<6}");
        }
        let colour = match state {
            State::Fine => 32,
            State::Advice => 33,
            State::Wrong => 31,
        };
        format!("\x1b[{colour}m{name:<6}\x1b[0m")
    }
}

/// Columns of the whole list, and of what stands before the sentences.
const WIDTH: usize = 100;
const INDENT: usize = 24;

pub(super) fn list(findings: &[Finding], screen: Screen) -> String {
    let mut text = String::new();
    for finding in findings {
        let state = screen.state(finding.state);
        let mut lines = wrapped(&finding.sentence).into_iter();
        let first = lines.next().unwrap_or_default();
        text += &format!("{state}  {:<14}  {first}\n", finding.check);
        for line in lines {
            text += &format!("{:INDENT$}{line}\n", "");
        }
    }
    let of = |state| count(findings, state);
    let (fine, advice, wrong) = (of(State::Fine), of(State::Advice), of(State::Wrong));
    text + &format!("\n{fine} ok, {advice} with advice, {wrong} wrong\n")
}

/// The lines of a sentence. A word that is longer than a line has one of its own.
fn wrapped(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let line = lines.last_mut().filter(|line| {
            let used = line.chars().count() + 1 + word.chars().count();
            line.is_empty() || used <= WIDTH - INDENT
        });
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_stand_in_a_column_and_nothing_is_lost() {
        let sentence = "A sentence of many words that is longer than a line. ".repeat(4);
        let findings = [
            Finding::fine("swap", "No swap is on."),
            Finding::wrong("port", sentence.clone()),
        ];
        let text = list(&findings, Screen { colours: false });
        assert!(text.starts_with("ok      swap            No swap is on.\nwrong   port "));
        assert!(text.ends_with("\n1 ok, 0 with advice, 1 wrong\n"));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        let words = |text: &str| text.split_whitespace().count();
        assert!(words(&text) > words(&sentence));
        assert!(!text.contains('\x1b'));
        let text = list(&findings, Screen { colours: true });
        assert!(text.contains("\x1b[31mwrong \x1b[0m"));
    }
}
