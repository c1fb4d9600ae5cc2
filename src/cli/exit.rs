//! Exit codes: the same number always means the same thing, so that scripts can tell.

/// How a command ended when it did not do what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// A fault of ours.
    Internal,
    /// The arguments are off.
    Usage,
    /// The configuration file is off.
    Config,
    /// A local address or port cannot be used.
    Listen,
    /// An identity, certificate or key file is off.
    Identity,
    /// The system lacks what was required to keep the process from leaking.
    Sandbox,
    /// The link is damaged or is no link.
    Link,
    /// The link or the relay is of another version.
    Version,
    /// Nothing answers at the relay's address.
    Unreachable,
    /// Whoever answers is not the relay that the link names.
    WrongRelay,
    /// The relay ended the connection and says that trying again will not help.
    Closed,
    /// The relay was lost and did not come back in time, or the end of what was sent is missing.
    Lost,
    /// The meeting is over for this participant.
    Over,
    /// The file to play is missing, damaged or of a kind that cannot be played.
    Media,
    /// A recording or standard output could not be written.
    Output,
    /// The drill found what should not be there.
    Found,
    /// The drill could not look everywhere.
    NotLooked,
    /// `check` found something to change.
    Unfit,
    /// It was asked to end before it was in the meeting, or before the end of a drill.
    Interrupted,
}

impl Exit {
    #[cfg(feature = "participant")]
    /// What became of taking part in a meeting.
    pub(crate) fn of_join(error: &sottovoce::participant::JoinError) -> Self {
        use sottovoce::carrier::client::ConnectError as C;
        use sottovoce::meeting::LinkError;
        use sottovoce::participant::JoinError as J;
        use sottovoce::wire::CloseReason;
        match error {
            J::Name | J::Watches | J::Admits | J::Speaks => Self::Usage,
            J::Connect(C::Bind(_)) => Self::Listen,
            J::Link(LinkError::Version(_) | LinkError::Older(_)) => Self::Version,
            J::Link(_) | J::NoRelay => Self::Link,
            J::Play { .. } | J::PlayedInPart { .. } => Self::Media,
            J::Folder { .. }
            | J::Recording(_)
            | J::RecordingsUnfinished
            | J::Watch(_)
            | J::Trace(_) => Self::Output,
            J::Connect(C::WrongCertificate | C::Untrusted | C::NoAuthorities | C::ClockWrong) => {
                Self::WrongRelay
            }
            J::Connect(C::Refused(CloseReason::Version)) | J::Closed(CloseReason::Version) => {
                Self::Version
            }
            J::Connect(C::Refused(_) | C::Busy) | J::Closed(_) => Self::Closed,
            J::Connect(C::Internal) => Self::Internal,
            J::Connect(_) => Self::Unreachable,
            J::Lost | J::Gone { .. } | J::EndMissing { .. } => Self::Lost,
            J::Over(_) => Self::Over,
            J::NotJoined => Self::Interrupted,
            J::System(_) => Self::Internal,
        }
    }

    const ALL: [Self; 19] = [
        Self::Internal,
        Self::Usage,
        Self::Config,
        Self::Listen,
        Self::Identity,
        Self::Sandbox,
        Self::Link,
        Self::Version,
        Self::Unreachable,
        Self::WrongRelay,
        Self::Closed,
        Self::Lost,
        Self::Over,
        Self::Media,
        Self::Output,
        Self::Found,
        Self::NotLooked,
        Self::Unfit,
        Self::Interrupted,
    ];

    /// The process's exit status. 2 is what the argument parser itself uses for usage.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Config => 10,
            Self::Listen => 11,
            Self::Identity => 12,
            Self::Sandbox => 13,
            Self::Link => 20,
            Self::Version => 21,
            Self::Unreachable => 22,
            Self::WrongRelay => 23,
            Self::Closed => 24,
            Self::Lost => 25,
            Self::Over => 26,
            Self::Media => 30,
            Self::Output => 31,
            Self::Found => 40,
            Self::NotLooked => 41,
            Self::Unfit => 42,
            // What a shell shows for a program that ctrl-C ended.
            Self::Interrupted => 130,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Internal => "something went wrong inside sottovoce; please report it",
            Self::Usage => {
                "the command was not understood, or asks for what its link does not give; see \
                 `sottovoce help COMMAND`"
            }
            Self::Config => "the configuration file has a mistake; mend what the message names",
            Self::Listen => {
                "a local address or port cannot be used (taken, not allowed, not here); give another"
            }
            Self::Identity => {
                "an identity, certificate or key file cannot be used; the message says which and why"
            }
            Self::Sandbox => {
                "the system cannot lock the relay in, which --require-sandbox asks for; use a newer \
                 kernel, or leave that out"
            }
            Self::Link => {
                "the link is damaged, or is no meeting link; copy the whole of it, in quotes, or ask \
                 for it again"
            }
            Self::Version => {
                "the link or the relay is of another version; use the sottovoce that the message names"
            }
            Self::Unreachable => {
                "the relay does not answer; check the network, and ask its operator whether it runs"
            }
            Self::WrongRelay => {
                "who answers is not the relay that the link names; not connected: ask for a fresh link"
            }
            Self::Closed => {
                "the relay ended the connection (full, limits, no pass); the message says why"
            }
            Self::Lost => {
                "the relay was lost and did not come back in two minutes, or was gone at the end, or \
                 the network was too slow for the end; check the network, and join again"
            }
            Self::Over => {
                "the meeting is over for this participant (removed, not let in, or the link is in use \
                 elsewhere), as the message says"
            }
            Self::Media => {
                "the file to play cannot be read or played, or only in part (damaged, cut off); the \
                 message says how to mend it"
            }
            Self::Output => {
                "a recording or the output cannot be written (disk full?); make room, or write elsewhere"
            }
            Self::Found => {
                "the drill found in a relay what should not be there; the table says what and where"
            }
            Self::NotLooked => {
                "the drill could not look everywhere, or came to no end; run it as root, the message \
                 says why"
            }
            Self::Unfit => "`check` found something to change; its list says what",
            Self::Interrupted => {
                "it was stopped (ctrl-C) before the meeting was joined, or before the drill's end; start it \
                 again"
            }
        }
    }
}

/// The table that `sottovoce help exit-codes` prints.
pub(crate) fn explain() -> String {
    let mut text = String::from("Exit codes of sottovoce\n\n    0  it did what was asked\n");
    for exit in Exit::ALL {
        text.push_str(&format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    }
    text.push_str(
        "\nA process ended by a signal has no exit code of its own; shells show 128 + signal.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "participant")]
    #[test]
    fn how_the_end_can_be_missing_is_explained() {
        use sottovoce::participant::JoinError;
        for (error, words) in [
            (JoinError::Lost, "did not come back"),
            (JoinError::Gone { seconds: 1 }, "gone at the end"),
            (JoinError::EndMissing { video: true }, "too slow"),
        ] {
            let exit = Exit::of_join(&error);
            assert!(exit.meaning().contains(words), "{error}: {exit:?}");
        }
    }

    #[test]
    fn every_code_is_used_once_and_explained() {
        let mut codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Exit::ALL.len());
        let text = explain();
        for exit in Exit::ALL {
            assert!(text.contains(&format!("{:>3}  {}", exit.code(), exit.meaning())));
        }
    }
}
