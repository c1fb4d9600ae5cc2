//! What can go wrong without ending the meeting, each with what a person can do about it.

use std::fmt;

use super::event::{Event, Shown};
use super::media::{MediaError, MediaWarning};
use crate::carrier::client::ConnectError;

/// Something to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// What is played is not quite as it should be.
    Source(MediaWarning),
    /// What is played cannot be read any further.
    SourceFailed(MediaError),
    /// A recording ended early, or could not be begun.
    Recording {
        name: Shown,
        file: Option<Shown>,
        error: MediaError,
    },
    /// The disk does not keep up; frames are missing in recordings.
    DiskSlow,
    /// The uplink is too slow for the pictures; some are left out.
    UplinkSlow,
    /// Sizes of frames of sound say when somebody speaks.
    SoundVaries,
    /// A frame is too large for a datagram, or for the meeting.
    TooLargeToSend,
    /// A relay of the link is passed over.
    RelayPassed {
        number: usize,
        of: usize,
        error: ConnectError,
    },
    /// This is not the relay of the link that it was, or that it should be.
    OtherRelay { number: usize, of: usize },
    /// Nobody has the name of the one to be watched.
    WatchNobody(Shown),
    /// Nobody had it until the end.
    WatchNobodyCame(Shown),
    /// More than one has the name of the one to be watched.
    WatchNamesakes(Shown),
    /// The stream of the watched participant's media began without what is sent now.
    WatchLeftOut,
    /// Whoever reads the watched participant's media has stopped reading.
    WatchClosed,
    /// What reads the watched participant's media cannot be written to.
    WatchFailed(MediaError),
    /// Whoever reads the watched participant's media reads too slowly.
    WatchSlow,
    /// Something came that this meeting's keys do not open.
    Unreadable,
    /// There are more people here than this participant can listen to.
    TooManyPeople,
    /// What the person said to be read went to a relay that was not heard again after.
    ChatUnsure(Vec<Shown>),
    /// The trace file cannot be written any more.
    TraceStopped,
    /// The relay was not there to the end, in a sentence of ours, after something else had failed.
    EndMissing(String),
}

impl Warning {
    /// Which it is, for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Source(MediaWarning::Truncated) => "truncated",
            Self::Source(MediaWarning::Damaged) => "damaged",
            Self::Source(MediaWarning::CodecLeftOut { .. }) => "codec-left-out",
            Self::Source(MediaWarning::TrackLeftOut { .. }) => "track-left-out",
            Self::Source(_) => "source-odd",
            Self::SourceFailed(_) => "source-failed",
            Self::Recording {
                error: MediaError::DiskFull,
                ..
            } => "disk-full",
            Self::Recording { .. } => "recording-stopped",
            Self::DiskSlow => "disk-slow",
            Self::UplinkSlow => "uplink-slow",
            Self::SoundVaries => "sound-varies",
            Self::TooLargeToSend => "too-large-to-send",
            Self::RelayPassed {
                error: ConnectError::WrongCertificate,
                ..
            } => "wrong-relay",
            Self::RelayPassed { .. } => "relay-passed",
            Self::OtherRelay { .. } => "other-relay",
            Self::WatchNobody(_) => "watch-nobody",
            Self::WatchNobodyCame(_) => "watch-nobody-came",
            Self::WatchNamesakes(_) => "watch-namesakes",
            Self::WatchLeftOut => "watch-left-out",
            Self::WatchClosed => "watch-closed",
            Self::WatchFailed(_) => "watch-failed",
            Self::WatchSlow => "watch-slow",
            Self::Unreadable => "unreadable",
            Self::TooManyPeople => "too-many-people",
            Self::ChatUnsure(_) => "chat-unsure",
            Self::TraceStopped => "trace-stopped",
            Self::EndMissing(_) => "end-missing",
        }
    }

    /// The event that tells of it.
    pub(crate) fn event(&self) -> Event {
        let (name, file) = match self {
            Self::Recording { name, file, .. } => (Some(name.clone()), file.clone()),
            Self::WatchNobody(name) | Self::WatchNobodyCame(name) | Self::WatchNamesakes(name) => {
                (Some(name.clone()), None)
            }
            _ => (None, None),
        };
        Event::Warning {
            warning: self.kind(),
            name,
            file,
            text: self.to_string(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(warning) => write!(formatter, "--play: {warning}."),
            Self::SourceFailed(error) => write!(formatter, "--play: {error}."),
            Self::Recording {
                name,
                file: Some(file),
                error,
            } => {
                write!(formatter, "The recording of {name} in {file}: {error}.")
            }
            Self::Recording {
                name,
                file: None,
                error,
            } => {
                write!(formatter, "{name} is not recorded: {error}.")
            }
            Self::DiskSlow => formatter.write_str(
                "The disk does not keep up: frames will be missing in the recordings. Record to \
                 a faster disk.",
            ),
            Self::UplinkSlow => formatter.write_str(
                "The network does not take the pictures as fast as they come: some are left out. \
                 Sound goes on. A lower video bit rate would help.",
            ),
            Self::SoundVaries => formatter.write_str(
                "The sound that you send is not of a constant size: whoever controls the relay can \
                 tell when you speak. With ffmpeg, make it with -c:a libopus -application voip \
                 -vbr off -b:a 24k, and without -dtx.",
            ),
            Self::TooLargeToSend => formatter.write_str(
                "A frame is too large for the meeting and was left out. Encode what you play \
                 with a lower bit rate.",
            ),
            Self::RelayPassed { number, of, error } => {
                write!(
                    formatter,
                    "Relay {number} of the {of} in the link: {error}."
                )
            }
            Self::OtherRelay { number: 1, of } => {
                write!(
                    formatter,
                    "At the first of the {of} relays in the link again."
                )
            }
            Self::OtherRelay { number, of } => write!(
                formatter,
                "This is relay {number} of the {of} in the link. Whoever reaches an earlier one \
                 meets there and not here; join again to try the earlier ones first."
            ),
            Self::WatchNobody(name) => write!(
                formatter,
                "Nobody called {name} is here yet; who comes under this name is shown then. The \
                 name must be written as they write it, capitals included."
            ),
            Self::WatchNobodyCame(name) => write!(
                formatter,
                "Nobody called {name} came, so nothing was shown. The name must be written as they \
                 write it, capitals included."
            ),
            Self::WatchNamesakes(name) => write!(
                formatter,
                "More than one here is called {name}: the first to come is shown."
            ),
            Self::WatchLeftOut => formatter.write_str(
                "Who is shown now sends something that the player was not told of when it began \
                 (another codec, or a picture where there was none): that is not shown. Start this \
                 command again to see it.",
            ),
            Self::WatchClosed => {
                formatter.write_str("Nobody reads what is being watched any more.")
            }
            Self::WatchFailed(error) => write!(formatter, "--watch: {error}."),
            Self::WatchSlow => formatter.write_str(
                "What reads the watched media is too slow: pictures are left out until it \
                 catches up.",
            ),
            Self::Unreadable => formatter.write_str(
                "Something came that this meeting's keys do not open; it was ignored. Somebody \
                 may be in the meeting with another version, or tampering.",
            ),
            Self::TooManyPeople => formatter.write_str(
                "There are more people here than can be received at once; the last to come are \
                 not heard.",
            ),
            Self::ChatUnsure(texts) => {
                formatter.write_str("What you said last may not have arrived:")?;
                for text in texts {
                    write!(formatter, " {text}")?;
                }
                formatter.write_str(". Ask, or say it again, once you are back.")
            }
            Self::TraceStopped => formatter.write_str("The trace file cannot be written any more."),
            Self::EndMissing(error) => write!(formatter, "Besides, {error}."),
        }
    }
}
