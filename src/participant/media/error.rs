//! What can go wrong with media, each with what a person can do about it.

use std::io::ErrorKind;

use crate::system::words;

/// Why media cannot be read or written. The sentence names the remedy; it holds no path and no
/// name, the caller knows these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The file to play does not exist.
    #[error("there is no such file: check the path given to --play")]
    FileMissing,
    /// The file to play may not be read.
    #[error("this file may not be read: check its permissions, or play a copy of your own")]
    NotAllowed,
    /// The file to play is a directory.
    #[error("this is a directory: give --play a WebM or Matroska file, or - for standard input")]
    IsDirectory,
    /// The operating system gave up reading.
    #[error("reading failed ({}): check the disk, or the command that feeds the pipe", words(*.0))]
    ReadFailed(ErrorKind),
    /// The input ended before its first byte.
    #[error("the input is empty: if it is a pipe, see what the command before it says")]
    Empty,
    /// The input is not WebM or Matroska.
    #[error(
        "this is neither WebM nor Matroska: convert it with \
         ffmpeg -i INPUT -c:v libvpx-vp9 -c:a libopus -vbr off OUTPUT.webm"
    )]
    NotMatroska,
    /// No track is described before the first frame, or the input ends before.
    #[error(
        "no audio or video track is described at its beginning: repair it with \
         ffmpeg -i INPUT -c copy OUTPUT.webm"
    )]
    NoTracks,
    /// There are tracks, and none that a meeting carries.
    #[error(
        "codec not supported ({found}): a meeting carries Opus, VP8, VP9 and AV1; re-encode with \
         ffmpeg -i INPUT -c:v libvpx-vp9 -c:a libopus -vbr off OUTPUT.webm"
    )]
    CodecNotSupported {
        /// The codec ids found, printable ASCII only, cut short.
        found: String,
    },
    /// A pipe was asked to start again.
    #[error("a pipe cannot be played again: --loop needs a file")]
    CannotLoop,
    /// A recording cannot be made in its directory.
    #[error(
        "no recording can be made in this folder ({}): check that it is yours to write, or give \
         --record another",
        words(*.0)
    )]
    CannotCreate(ErrorKind),
    /// What should be the folder for recordings is a file.
    #[error(
        "a file is in the way, and recordings go into a folder: give --record a folder, or a name \
         that is free"
    )]
    NotAFolder,
    /// There is nothing to record: no track described.
    #[error("this participant sends no audio and no video: there is nothing to record")]
    NothingToRecord,
    /// The disk (or the quota) is full. The recording is finalised up to here.
    #[error(
        "the disk is full: the recording ends here and can be played up to this point, the \
         meeting goes on; free some space and join again to record on"
    )]
    DiskFull,
    /// The operating system gave up writing. The recording is finalised as far as that goes.
    #[error("writing failed ({}): check the disk that it goes to", words(*.0))]
    WriteFailed(ErrorKind),
    /// There is no room where standard output goes to.
    #[error(
        "there is no room for more where standard output goes to: free some space there, or pipe \
         it into a player (`| ffplay -`)"
    )]
    OutputFull,
    /// Standard output takes nothing any more.
    #[error(
        "standard output cannot be written ({}): check where it goes to, or pipe it into a player \
         (`| ffplay -`)",
        words(*.0)
    )]
    OutputFailed(ErrorKind),
}

impl MediaError {
    /// Sorts an error of the operating system while opening or reading.
    pub(super) fn reading(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::FileMissing,
            ErrorKind::PermissionDenied => Self::NotAllowed,
            ErrorKind::IsADirectory => Self::IsDirectory,
            kind => Self::ReadFailed(kind),
        }
    }

    /// Sorts an error of the operating system while writing.
    pub(super) fn writing(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::DiskFull
            }
            // A `Write` that takes no bytes has no room for them.
            ErrorKind::WriteZero => Self::DiskFull,
            kind => Self::WriteFailed(kind),
        }
    }

    /// Sorts an error of the operating system while making a folder or a file in it.
    pub(in crate::participant) fn creating(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => Self::NotAFolder,
            kind => Self::CannotCreate(kind),
        }
    }

    /// Sorts an error of the operating system while writing to standard output.
    pub(super) fn showing(error: &std::io::Error) -> Self {
        match Self::writing(error) {
            Self::DiskFull => Self::OutputFull,
            _ => Self::OutputFailed(error.kind()),
        }
    }
}

/// Something to tell a person about media that plays all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaWarning {
    /// The input ended in the middle; what there was has been played.
    #[error("the input is cut off in the middle: everything up to there was played")]
    Truncated,
    /// Bytes that are not Matroska were skipped, up to the next place where one can start again.
    #[error("a part of the input is damaged and was skipped: repair it with ffmpeg -c copy")]
    Damaged,
    /// A track is left out for its codec.
    #[error(
        "a track is left out, its codec is not supported ({codec}): re-encode with \
         ffmpeg -c:v libvpx-vp9 -c:a libopus -vbr off to send it"
    )]
    CodecLeftOut {
        /// The codec id, printable ASCII only, cut short.
        codec: String,
    },
    /// A supported track is left out since a meeting takes one of each kind from an input.
    #[error(
        "a second {codec} track is left out: only the first audio and the first video are sent; \
         choose with ffmpeg -map"
    )]
    TrackLeftOut {
        /// The codec id, printable ASCII only, cut short.
        codec: String,
    },
    /// A frame over the size that the wire carries was skipped.
    #[error("a frame over 4 MiB was skipped: encode with a lower bit rate")]
    FrameTooLarge,
    /// A second file follows in the same input.
    #[error("another WebM begins inside this one: only the first is played; join them with ffmpeg")]
    AnotherFollows,
}

impl MediaWarning {
    /// A part of the input is damaged or missing: what was played is not all that it should hold.
    pub(in crate::participant) fn is_a_loss(&self) -> bool {
        match self {
            Self::Truncated | Self::Damaged | Self::AnotherFollows => true,
            Self::CodecLeftOut { .. } | Self::TrackLeftOut { .. } | Self::FrameTooLarge => false,
        }
    }
}
