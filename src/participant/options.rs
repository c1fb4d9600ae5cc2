//! What a person asks for.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::console::StandardInput;
use super::error::JoinError;
use super::media::Input;
use crate::meeting::{NAME_BYTES, NAME_LETTERS};

/// How to take part in a meeting.
pub struct JoinOptions {
    /// The meeting link.
    pub link: String,
    /// The name that the others see.
    pub name: String,
    /// What to play; nothing when not given.
    pub play: Option<Input>,
    /// Play it again and again.
    pub again: bool,
    /// The folder to record everyone else into.
    pub record: Option<PathBuf>,
    /// The name of the participant whose media goes to standard output.
    pub watch: Option<String>,
    /// How long to stay; until what is played ends, or for ever, when not given.
    pub stay: Option<Duration>,
    /// Let in whoever knocks, where this participant holds the chair.
    pub admit_all: bool,
    /// Sign what is sent, so that no other member can speak as this one.
    pub sign: bool,
    /// With the link of a vigil: knock and speak, instead of watching.
    pub speak: bool,
    /// Whether standard input may be read for commands.
    pub input: StandardInput,
    /// The local address and port (0: any) to send from.
    pub bind: Option<(IpAddr, u16)>,
    /// Test tool: begin to play when this many others are there.
    pub begin_with: usize,
    /// Test tool: a file with a line for each frame sent and received.
    pub trace: Option<PathBuf>,
}

impl JoinOptions {
    /// The name as it is sent: without space around it, and not empty.
    pub(crate) fn checked_name(&self) -> Result<String, JoinError> {
        let name = self.name.trim();
        match name.chars().count() {
            1..=NAME_LETTERS if name.len() <= NAME_BYTES => Ok(name.to_owned()),
            _ => Err(JoinError::Name),
        }
    }

    /// What is played, as the person gave it.
    pub(crate) fn played(&self) -> String {
        match &self.play {
            Some(Input::File(path)) => path.display().to_string(),
            Some(Input::Stdin) => "-".into(),
            None => String::new(),
        }
    }
}
