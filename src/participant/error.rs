//! Why taking part in a meeting did not go as asked, each with what a person can do about it.

use std::io::ErrorKind;
use std::time::Duration;

use super::media::MediaError;
use crate::carrier::client::ConnectError;
use crate::meeting::{Ending, LinkError};
use crate::system::words;
use crate::wire::CloseReason;

/// Why [`super::join`] did not do what it was asked. The sentence is for the person, and holds
/// nothing that a relay or another participant chose.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The person: no name, or one that is too long.
    #[error(
        "a name has between 1 and {} letters; choose another with --name",
        crate::meeting::NAME_LETTERS
    )]
    Name,
    /// The link is damaged, of another version, or none.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The link: it names no relay that this program can reach.
    #[error("the link names no relay that can be reached from here; ask for a fresh link")]
    NoRelay,
    /// The person: who watches a vigil plays nothing.
    #[error(
        "this link is for watching, and who watches sends nothing: leave --play out. To speak, add \
         --speak; the host or a co-host then lets you in, or not"
    )]
    Watches,
    /// The person: who has a meeting link lets nobody in.
    #[error(
        "--admit means nothing with this link: people are let in by whoever has the host's or a \
         co-host's. Leave it out"
    )]
    Admits,
    /// The person: in an ordinary meeting everybody speaks.
    #[error(
        "--speak means nothing with this link: it is for vigils, and in this meeting everybody who is \
         let in can speak. Leave it out"
    )]
    Speaks,
    /// What is to be played cannot be.
    #[error("--play {file}: {error}")]
    Play {
        /// As the person gave it.
        file: String,
        /// What is wrong with it.
        error: MediaError,
    },
    /// A part of what was to be played is damaged or missing. The rest was played.
    #[error(
        "--play {file}: a part of it is damaged or missing, and only the rest was played. Get it \
         whole, or mend it with ffmpeg -i INPUT -c copy OUTPUT.webm"
    )]
    PlayedInPart {
        /// As the person gave it.
        file: String,
    },
    /// The folder for recordings cannot be written from the beginning.
    #[error("--record {folder}: {error}")]
    Folder {
        /// As the person gave it.
        folder: String,
        /// What is wrong with it.
        error: MediaError,
    },
    /// A recording is incomplete. What there is of it is playable.
    #[error("a recording is incomplete: {0}")]
    Recording(MediaError),
    /// Recordings could not be completed in the time that the disk, or the person, gave.
    #[error(
        "it ended before the recordings were complete; they can be played, but their ends may be \
         missing. Give it the time, or record to a faster disk"
    )]
    RecordingsUnfinished,
    /// What is watched could not be written.
    #[error("--watch: {0}")]
    Watch(MediaError),
    /// The trace file cannot be written.
    #[error("the trace file cannot be written ({}); choose another place for it", words(*.0))]
    Trace(ErrorKind),
    /// There is no connection to the relay.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The relay ended the connection, and trying again would not help.
    #[error("the relay ended the connection: {}", closed(*.0))]
    Closed(CloseReason),
    /// The relay was lost, and did not come back in two minutes.
    #[error(
        "the relay was lost, and within two minutes neither it nor another one of the link was to \
         be had. Recordings are complete up to then. Check the network, and join again later"
    )]
    Lost,
    /// The relay was gone at the end, or did not answer the goodbye.
    #[error(
        "the relay was gone at the end: what was sent in the last {seconds} s may not have arrived, \
         nor what the others sent. Recordings are complete up to then. Check the network, and ask the \
         others what they have"
    )]
    Gone {
        /// How long it had not been heard, in seconds, rounded up.
        seconds: u64,
    },
    /// The relay was there at the end, and the network too slow for the last of what was sent, or the
    /// person for the network.
    #[error(
        "the network had not taken the last of what was sent when it ended: that may not have arrived. \
         {}", faster(*.video)
    )]
    EndMissing {
        /// There was a picture in what was sent.
        video: bool,
    },
    /// The meeting is over for this participant.
    #[error("{}", over(*.0))]
    Over(Ending),
    /// It was asked to end before it was in the meeting.
    #[error(
        "stopped before the meeting was joined: nothing of what you play was sent, and nothing received. \
         Join again to take part"
    )]
    NotJoined,
    /// This machine gives no thread, no signal, no randomness.
    #[error("the system gives the program too little to run ({}); close other programs", words(*.0))]
    System(ErrorKind),
}

impl JoinError {
    /// From an operation on the system itself.
    pub(crate) fn system(error: &std::io::Error) -> Self {
        Self::System(error.kind())
    }

    /// At the end, the relay had not been heard for so long.
    pub(crate) fn gone(silent: Duration) -> Self {
        let seconds = silent.as_secs().saturating_add(1);
        Self::Gone { seconds }
    }
}

/// Why the meeting is over for this participant.
fn over(ending: Ending) -> &'static str {
    match ending {
        Ending::Removed => {
            "the meeting is over for you. Recordings are complete up to then. If that was a mistake, ask \
             whoever gave you the link for a new one"
        }
        Ending::Denied => {
            "you were not let in. If that was a mistake, tell whoever gave you the link who you are, and \
             join again"
        }
        // No failure, and said as what happened.
        Ending::Ended => "it has ended for everybody",
        Ending::InUse => {
            "another device is in the meeting with this same link; end it there, or use another link"
        }
    }
}

/// What helps when the network is too slow for what is sent.
fn faster(video: bool) -> &'static str {
    match video {
        true => "A lower video bit rate would help",
        false => "A faster network would help",
    }
}

/// A relay's final word, with the remedy.
fn closed(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Done => "it said goodbye; join again",
        CloseReason::Restarting => "it is stopping; join again when it is back",
        CloseReason::Version => {
            "it speaks another version of the protocol; use the sottovoce version that its \
             operator names"
        }
        CloseReason::RoomFull => {
            "the meeting is full; wait until someone leaves, or ask the relay's operator for \
             larger rooms"
        }
        CloseReason::RelayFull => {
            "it serves as many people as it may; try again later, or meet on another relay"
        }
        CloseReason::TooSlow => {
            "this connection does not keep up with what the meeting sends; use a faster network"
        }
        CloseReason::TooLarge => {
            "too much of what is being played lies between two key frames; encode it with more of \
             them (ffmpeg: -g 50), or with a lower bit rate"
        }
        CloseReason::TooMany => {
            "it allows less than what was asked of it at once; record or watch fewer people, or \
             ask its operator for higher limits"
        }
        CloseReason::Malformed | CloseReason::Unexpected | CloseReason::NoHello => {
            "it and this program misunderstand each other, which is a fault; use the same \
             version of both, and report it if they are"
        }
        CloseReason::Internal => "something is wrong at the relay; tell its operator",
        CloseReason::Pass => {
            "it serves only those whose link holds its pass, and this link holds none that is good \
             there now. Ask whoever gave you the link for one made with `sottovoce invite --pass`, with \
             the pass that the relay's operator gives out today and the address that the relay prints"
        }
    }
}
