//! The commands, and how a line becomes one.

use std::fmt;

use crate::meeting::CHAT_BYTES;

/// Something that a person asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Who is here, and who waits to be let in, with their numbers.
    Who,
    /// Let someone in who waits.
    Admit(Subject),
    /// Send someone away who waits.
    Deny(Subject),
    /// Compare two words with someone who waits.
    Compare(Subject),
    /// The words were the same.
    Same(Subject),
    /// They were not: send that one away.
    Different(Subject),
    /// Put someone out of the meeting.
    Remove(Subject),
    /// Let nobody else in.
    Lock,
    /// Let people in again.
    Unlock,
    /// The words that everyone in the meeting sees alike.
    Words,
    /// Ask everyone to be silent.
    MuteAllRequest,
    /// Send silence in the place of sound, and no pictures.
    Mute,
    /// Send what there is again.
    Unmute,
    /// Raise the hand, or take it down.
    Hand,
    /// End the meeting for everybody.
    End,
    /// Say this to everyone, to be read; at most [`CHAT_BYTES`], not empty.
    Say(String),
    /// Leave the meeting.
    Leave,
    /// What can be typed; see [`help`].
    Help,
}

/// Whom a command is about.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    /// The small number that `/who` shows.
    Number(u32),
    /// A name as it was typed, not empty. In quotes even digits and `all` are names.
    Name(String),
    /// Everyone who waits; with [`Command::Admit`] and [`Command::Deny`] alone.
    Everyone,
}

/// Why a line is no command.
#[derive(Clone, PartialEq, Eq)]
pub enum Mistake {
    /// No command begins like this.
    Unknown(String),
    /// Several commands do.
    Ambiguous(String),
    /// The command needs to be told whom or what.
    Incomplete(&'static str),
    /// The command is whole without what follows it.
    TooMuch(&'static str),
    /// `all` where one must be named.
    NotAll(&'static str),
    /// No number is so high.
    Number,
    /// More than can be said at once.
    LongText,
    /// More than [`LINE_BYTES`](super::LINE_BYTES).
    LongLine,
    /// Not UTF-8.
    NotText,
}

/// A command's word, and what may stand behind it.
struct Word {
    word: &'static str,
    takes: &'static str,
    does: &'static str,
    make: Make,
}

enum Make {
    Alone(Command),
    One(fn(Subject) -> Command),
    OneOrAll(fn(Subject) -> Command),
    Text(fn(String) -> Command),
}

const WORDS: &[Word] = &[
    Word {
        word: "who",
        takes: "",
        does: "who is here and who waits, with numbers",
        make: Make::Alone(Command::Who),
    },
    Word {
        word: "admit",
        takes: "NUMBER, NAME or all",
        does: "let in who waits",
        make: Make::OneOrAll(Command::Admit),
    },
    Word {
        word: "deny",
        takes: "NUMBER, NAME or all",
        does: "send away who waits",
        make: Make::OneOrAll(Command::Deny),
    },
    Word {
        word: "compare",
        takes: "NUMBER or NAME",
        does: "compare two words with who waits",
        make: Make::One(Command::Compare),
    },
    Word {
        word: "same",
        takes: "NUMBER or NAME",
        does: "they read you the same words",
        make: Make::One(Command::Same),
    },
    Word {
        word: "different",
        takes: "NUMBER or NAME",
        does: "they read you others: send away",
        make: Make::One(Command::Different),
    },
    Word {
        word: "remove",
        takes: "NUMBER or NAME",
        does: "put out of the meeting",
        make: Make::One(Command::Remove),
    },
    Word {
        word: "lock",
        takes: "",
        does: "let nobody else in",
        make: Make::Alone(Command::Lock),
    },
    Word {
        word: "unlock",
        takes: "",
        does: "let people in again",
        make: Make::Alone(Command::Unlock),
    },
    Word {
        word: "words",
        takes: "",
        does: "the words to compare in the meeting",
        make: Make::Alone(Command::Words),
    },
    Word {
        word: "mute-all-request",
        takes: "",
        does: "ask everyone to be silent",
        make: Make::Alone(Command::MuteAllRequest),
    },
    Word {
        word: "mute",
        takes: "",
        does: "send silence, and no pictures",
        make: Make::Alone(Command::Mute),
    },
    Word {
        word: "unmute",
        takes: "",
        does: "send sound and pictures again",
        make: Make::Alone(Command::Unmute),
    },
    Word {
        word: "hand",
        takes: "",
        does: "raise your hand, or take it down",
        make: Make::Alone(Command::Hand),
    },
    Word {
        word: "say",
        takes: "TEXT",
        does: "say it to everyone; so does a line without /",
        make: Make::Text(Command::Say),
    },
    Word {
        word: "leave",
        takes: "",
        does: "leave the meeting",
        make: Make::Alone(Command::Leave),
    },
    Word {
        word: "end",
        takes: "",
        does: "end the meeting for everybody",
        make: Make::Alone(Command::End),
    },
    Word {
        word: "help",
        takes: "",
        does: "this list",
        make: Make::Alone(Command::Help),
    },
];

/// What a person reads after `/help`: a line for each command, without a line end at the end.
pub fn help() -> String {
    let used = |word: &Word| format!("/{} {}", word.word, word.takes);
    let widest = WORDS.iter().map(|word| used(word).len()).max();
    let line = |word| format!("  {:1$} {2}", used(word), widest.unwrap_or(0), word.does);
    let lines: Vec<String> = WORDS.iter().map(line).collect();
    lines.join("\n")
}

impl Command {
    /// What a line asks for; nothing when it is empty.
    ///
    /// # Errors
    /// The [`Mistake`] in it.
    pub fn parse(line: &str) -> Option<Result<Self, Mistake>> {
        let line = line.trim();
        if line.is_empty() {
            return None;
        }
        let Some(rest) = line.strip_prefix('/') else {
            return Some(said(Self::Say, line));
        };
        let (typed, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        Some(find(typed).and_then(|word| word.with(rest.trim())))
    }
}

/// The one command whose word this is, or begins so.
fn find(typed: &str) -> Result<&'static Word, Mistake> {
    if let Some(word) = WORDS.iter().find(|word| word.word == typed) {
        return Ok(word);
    }
    // What cannot be undone is not done by a slip.
    let whole = |word: &&Word| matches!(word.make, Make::Alone(Command::End));
    let mut found = candidates(typed).filter(|word| !whole(word));
    match (found.next(), found.next()) {
        (Some(word), None) => Ok(word),
        (Some(_), Some(_)) if !typed.is_empty() => Err(Mistake::Ambiguous(typed.to_owned())),
        _ => Err(Mistake::Unknown(typed.to_owned())),
    }
}

fn candidates(typed: &str) -> impl Iterator<Item = &'static Word> {
    WORDS
        .iter()
        .filter(move |word| word.word.starts_with(typed))
}

/// The words, without the slash, that may be meant by what is typed of one.
pub(super) fn completions(typed: &str) -> Vec<&'static str> {
    candidates(typed).map(|word| word.word).collect()
}

/// Whether anything may stand behind this word.
pub(super) fn takes_something(word: &str) -> bool {
    let mut same = WORDS.iter().filter(|known| known.word == word);
    same.any(|known| !known.takes.is_empty())
}

impl Word {
    fn with(&'static self, rest: &str) -> Result<Command, Mistake> {
        match &self.make {
            Make::Alone(command) if rest.is_empty() => Ok(command.clone()),
            Make::Alone(_) => Err(Mistake::TooMuch(self.word)),
            _ if rest.is_empty() => Err(Mistake::Incomplete(self.word)),
            Make::Text(make) => said(*make, rest),
            Make::One(_) if rest == "all" => Err(Mistake::NotAll(self.word)),
            Make::OneOrAll(make) if rest == "all" => Ok(make(Subject::Everyone)),
            Make::One(make) | Make::OneOrAll(make) => match subject(rest)? {
                Some(subject) => Ok(make(subject)),
                None => Err(Mistake::Incomplete(self.word)),
            },
        }
    }
}

fn said(make: fn(String) -> Command, text: &str) -> Result<Command, Mistake> {
    match text.len() {
        0..=CHAT_BYTES => Ok(make(text.to_owned())),
        _ => Err(Mistake::LongText),
    }
}

fn subject(text: &str) -> Result<Option<Subject>, Mistake> {
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    if let Some(name) = quoted {
        let name = name.trim();
        return Ok((!name.is_empty()).then(|| Subject::Name(name.to_owned())));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse().map_err(|_| Mistake::Number)?;
        return Ok(Some(Subject::Number(number)));
    }
    Ok(Some(Subject::Name(text.to_owned())))
}

impl fmt::Display for Mistake {
    /// The sentence that a person reads.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(typed) => write!(
                out,
                "There is no /{typed}. /help lists what there is; /say /{typed} says it to everyone."
            ),
            Self::Ambiguous(typed) => {
                let found = completions(typed).join(" or /");
                write!(out, "/{typed} may be /{found}. Type more of it.")
            }
            Self::Incomplete(word) => {
                let mut same = WORDS.iter().filter(|known| known.word == *word);
                let takes = same.next().map_or("", |known| known.takes);
                write!(out, "/{word} needs to know more: type {takes} after it.")?;
                match takes {
                    "TEXT" => Ok(()),
                    _ => out.write_str(" /who shows the numbers."),
                }
            }
            Self::TooMuch(word) => write!(out, "/{word} takes nothing after it. Type it alone."),
            Self::NotAll(word) => write!(
                out,
                "/{word} is for one person at a time. Type a number that /who shows, or a name; \
                 for someone named all, /{word} \"all\"."
            ),
            Self::Number => out.write_str("Nobody has such a number. /who shows the numbers."),
            Self::LongText => write!(
                out,
                "That is more than {CHAT_BYTES} bytes. Say it in several parts."
            ),
            Self::LongLine => write!(
                out,
                "A line of more than {} bytes was left out. Make it shorter.",
                super::LINE_BYTES
            ),
            Self::NotText => {
                out.write_str("A line that is not UTF-8 was left out. Write it in UTF-8.")
            }
        }
    }
}
