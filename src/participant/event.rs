//! What a participant is told while it is in a meeting, and the summary at the end. The same
//! facts go to a person as sentences and to a program as JSON, one object a line.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::meeting::{Codec, Freshness, NoWords, Standing};

/// A name or a file name that is safe to show: nothing in it moves a cursor or turns text around.
///
/// Displayed it is in quotes, and no name holds any: what strangers choose must not be read as a part of
/// the sentence around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Shown(pub(crate) String);

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Not in the meeting yet: waits to be let in.
    Waiting {
        /// For what.
        r#for: Wait,
    },
    /// This is a vigil: whoever has the link can watch and record.
    Vigil {
        /// This participant is one of those who are seen and heard.
        speaks: bool,
    },
    /// What the meeting is called, by the word of its host's link.
    Title {
        /// The title.
        title: Shown,
    },
    /// Somebody knocks. Told to whoever holds the chair.
    Knock {
        /// For the commands that admit and deny.
        number: u32,
        /// The chosen name.
        name: Shown,
        /// The person has said that it has the same two words.
        compared: bool,
        /// Somebody inside is shown by this name already.
        taken: bool,
    },
    /// Whoever knocked under this number does not wait any more.
    KnockGone {
        /// The number.
        number: u32,
        /// The chosen name.
        name: Shown,
    },
    /// Two words to compare between whoever holds the chair and one who knocks.
    Compare {
        /// Who knocks; none for the one who knocks itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<u32>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Shown>,
        /// In the language of the terminal.
        words: [String; 2],
        /// Counts from 1; there are three.
        attempt: u8,
    },
    /// The person has said that one who knocks has the same words.
    Compared {
        /// Who knocks.
        number: u32,
        /// Its name.
        name: Shown,
    },
    /// There are no two words to compare, or not any more.
    NoWords {
        /// Who knocks; none for the one who knocks itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<u32>,
        /// Why.
        reason: NoWords,
    },
    /// Somebody said something to be read.
    Chat {
        /// Who.
        name: Shown,
        /// What.
        text: Shown,
    },
    /// This participant holds the chair, or does not any more.
    Chair {
        /// It does.
        held: bool,
    },
    /// Somebody is removed because another who holds the meeting says that they were, in its part of it.
    Reported {
        /// Who is removed.
        name: Shown,
        /// Who says it: 0 is the host, 1 the first co-host.
        by: u8,
    },
    /// Nobody is let in, or people are again.
    Locked {
        /// Nobody is.
        locked: bool,
    },
    /// The meeting has another link from now on.
    Link {
        /// To give away.
        meeting_link: String,
        /// Who has an older one can still watch: this is a vigil.
        vigil: bool,
    },
    /// How long whoever holds the chair has not been heard.
    ChairHeard {
        /// In a word.
        state: Freshness,
    },
    /// Whoever holds the chair would like everyone to be quiet.
    AskedToBeQuiet,
    /// Somebody stands otherwise than before.
    Standing {
        /// Who.
        name: Shown,
        /// How.
        #[serde(flatten)]
        standing: Standing,
        /// How it stood before.
        #[serde(skip)]
        before: Standing,
    },
    /// Whoever held the chair has ended the meeting for everybody.
    EndedForAll,
    /// Who is in the meeting, by the group's own tree.
    Roster {
        /// In the order of their places.
        members: Vec<RosterEntry>,
    },
    /// The words of the meeting: the same for everyone who is in the meeting of the same host.
    Words {
        /// Five, in the language of the terminal.
        words: [String; 5],
    },
    /// About somebody's signatures over what it sends.
    Signatures {
        /// Whose.
        name: Shown,
        /// On which of its tracks.
        track: u8,
        /// How that stands.
        state: SignatureState,
    },
    /// In the meeting.
    Connected {
        /// How many others were there already.
        present: usize,
    },
    /// Someone came, or came back.
    Joined {
        /// Who.
        name: Shown,
        /// It was here before, and lost its relay for a while.
        returned: bool,
    },
    /// Someone went.
    Left {
        /// Who.
        name: Shown,
        /// It said goodbye; otherwise it may come back.
        goodbye: bool,
        /// It was put out.
        removed: bool,
        /// It was out of reach for long, and is no member any more: it knocks when it comes back.
        taken_out: bool,
    },
    /// A recording was begun.
    Recording {
        /// Of whom.
        name: Shown,
        /// In which file.
        file: Shown,
    },
    /// A recording is complete and playable.
    Recorded {
        /// Of whom.
        name: Shown,
        /// In which file.
        file: Shown,
        /// Frames in it.
        frames: u64,
    },
    /// What was to be played has been played.
    Played,
    /// Something that the person should know and may be able to mend.
    Warning {
        /// Which, for programs: one of a closed list.
        warning: &'static str,
        /// Whom it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Shown>,
        /// Which file it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<Shown>,
        /// The sentence for people.
        text: String,
    },
    /// The relay is lost; trying to get it back.
    Reconnecting {
        /// How it was lost.
        reason: LossReason,
        /// Counts from 1 since the relay was lost.
        attempt: u32,
        /// Milliseconds until this attempt.
        wait_ms: u64,
    },
    /// Back in the meeting.
    Reconnected {
        /// How long it took since the last word of the lost relay, in milliseconds.
        after_ms: u64,
    },
    /// The end.
    Summary(Summary),
}

/// What one waits for who is not in the meeting yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// For the host, who is not here.
    Host,
    /// For the host to decide.
    Decision,
    /// For the meeting to be unlocked.
    Unlock,
    /// For a place among those who wait.
    Place,
}

/// How signatures over media stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Frames came that are not signed; they are dropped.
    Missing,
    /// Frames came that somebody else made; they are dropped.
    Forged,
    /// All is signed again.
    Good,
}

/// Somebody in the meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RosterEntry {
    /// Tells people of one name apart; none for this participant itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The name.
    pub name: Shown,
    /// The rank of whoever may hold the chair; 0 is the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u8>,
    /// It is connected.
    pub here: bool,
    /// How it stands, by its word.
    #[serde(flatten)]
    pub standing: Standing,
}

/// How the relay was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossReason {
    /// It says that it stops, which it may do for good; or it was stopped, and is back.
    Restarting,
    /// Nothing was heard of it for 10 s.
    Silence,
    /// It ended the connection, or it no longer knows of it.
    Ended,
    /// It says that this participant does not take what is sent to it.
    TooSlow,
}

impl fmt::Display for LossReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Restarting => "The relay is stopping, or was stopped",
            Self::Silence => "The relay has not been heard for 10 s",
            Self::Ended => "The connection to the relay ended",
            Self::TooSlow => "This connection is too slow for what the meeting sends",
        })
    }
}

/// The whole of what was sent and received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How long it was in the meeting, in milliseconds, gaps included.
    pub duration_ms: u64,
    /// How often the relay was lost and found again.
    pub reconnections: u32,
    /// What this participant sent.
    pub sent: SentSummary,
    /// What it received, by participant.
    pub participants: Vec<ParticipantSummary>,
}

/// What this participant sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentSummary {
    /// A part of what was to be played is damaged or missing, and was left out.
    pub damaged: bool,
    /// Sound frames, all tracks.
    pub audio_frames: u64,
    /// Pictures, all tracks.
    pub video_frames: u64,
    /// By track.
    pub tracks: Vec<SentTrack>,
}

/// What this participant sent on a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentTrack {
    /// The track's number.
    pub track: u8,
    /// Sound or picture.
    pub kind: Kind,
    /// Its codec.
    #[serde(serialize_with = "codec_name")]
    pub codec: Codec,
    /// Frames that went out.
    pub frames: u64,
    /// Frames that did not: no relay at that moment, or an uplink too slow. Those count that went
    /// out after the last word of a relay that was gone, or that had not answered when it was not waited
    /// for any longer; the very first of them may have arrived.
    pub unsent: u64,
    /// Payload bytes that went out.
    pub bytes: u64,
    /// A sum over the frames that went out; equals the receiver's if it got just these.
    pub digest: String,
}

/// What was received of one participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParticipantSummary {
    /// Its name.
    pub name: Shown,
    /// Its tracks.
    pub tracks: Vec<ReceivedTrack>,
}

/// What was received on a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceivedTrack {
    /// The track's number at its sender.
    pub track: u8,
    /// Sound or picture.
    pub kind: Kind,
    /// Its codec.
    #[serde(serialize_with = "codec_name")]
    pub codec: Codec,
    /// Frames that came.
    pub received: u64,
    /// Frames that should have come since the first that did.
    pub expected: u64,
    /// Those of them that did not.
    pub lost: u64,
    /// Payload bytes that came.
    pub bytes: u64,
    /// Half of the frames came at most this much later than the most punctual one.
    pub late_p50_ms: Option<u64>,
    /// 99 of 100 frames came at most this much later than the most punctual one.
    pub late_p99_ms: Option<u64>,
    /// A sum over the frames that came; equals the sender's if nothing is missing.
    pub digest: String,
}

/// Sound or picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// A codec's usual name.
pub(crate) fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "opus",
        Codec::Vp8 => "vp8",
        Codec::Vp9 => "vp9",
        Codec::Av1 => "av1",
    }
}

fn codec_name<S: Serializer>(value: &Codec, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(codec(*value))
}

/// Whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
