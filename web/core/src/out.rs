//! All that a session says to the page. `types.d.ts` has the same for TypeScript, and a test compares
//! them.
//!
//! Names and texts in it are made harmless: they may stand on a screen as they are, as text.

use bytes::Bytes;
use serde::{Serialize, Serializer};
use sottovoce::meeting::{Codec, Freshness, NoWords};

/// Bytes, a `Uint8Array` there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// What follows from what happened, to be done in order. `line` is one connection, or the attempt at
/// one; no number is used again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Out {
    /// A connection is to be made now.
    Connect {
        /// Its number.
        line: u32,
        /// `host:port`.
        authority: String,
        /// SHA-256 of the certificates that the relay may show; none: an authority vouches for it.
        hashes: Vec<Blob>,
    },
    /// A connection, or the attempt at one, is over: what was sent on it still goes out, groups to their
    /// end, and then it is closed with 0. Nothing more is told of it.
    Close {
        /// Which.
        line: u32,
    },
    /// To send on the control stream.
    Control {
        /// On which connection.
        line: u32,
        /// Whole messages.
        bytes: Blob,
    },
    /// To send as a datagram, now or never.
    Datagram {
        /// On which connection.
        line: u32,
        /// The payload.
        bytes: Blob,
    },
    /// A unidirectional stream is to be opened.
    Open {
        /// On which connection.
        line: u32,
        /// A number for it, new on this connection.
        stream: u32,
        /// Of streams that wait for the network the one with the highest goes first (`sendOrder`).
        order: f64,
    },
    /// To write on one.
    Write {
        /// On which connection.
        line: u32,
        /// Which stream.
        stream: u32,
        /// In one piece: when it is taken, [`wrote`](crate::session::Session::wrote) is to be told.
        bytes: Blob,
    },
    /// Nothing more is written on it: to be ended once all is written.
    Finish {
        /// On which connection.
        line: u32,
        /// Which stream.
        stream: u32,
    },
    /// To be reset (0): what has not gone out is of no use any more.
    Reset {
        /// On which connection.
        line: u32,
        /// Which stream.
        stream: u32,
    },
    /// A stream that came is not to be read any more (STOP_SENDING, 0).
    Stop {
        /// On which connection.
        line: u32,
        /// Which stream.
        stream: u32,
    },
    /// Waits to be let in.
    Waiting {
        /// For what.
        r#for: Wait,
    },
    /// This is a vigil: whoever has the link can watch and record.
    Vigil {
        /// This participant is one of those who are seen and heard.
        speaks: bool,
    },
    /// In the meeting: media may be sent from now on.
    Inside,
    /// The committers' word on what the meeting is called.
    Title {
        /// The title.
        title: String,
    },
    /// The relay is lost and sought again.
    Reconnecting {
        /// Why it is lost.
        reason: LossReason,
        /// Counts the attempts since then.
        attempt: u32,
        /// Milliseconds until it is made.
        wait: f64,
    },
    /// In the room again, after a loss.
    Reconnected,
    /// At another relay of the link than before: those who reach the earlier one are not here.
    OtherRelay {
        /// Counted from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Somebody is here: new, back, or with other tracks.
    Person {
        /// A number that stays the same.
        who: u32,
        /// What it is shown as; no two are alike.
        name: String,
        /// It was here before and was gone.
        returned: bool,
        /// What it may send.
        tracks: Vec<TrackInfo>,
    },
    /// How somebody stands: after each [`Out::Person`], and when it has changed.
    Standing {
        /// Who.
        who: u32,
        /// It would like to speak.
        hand: bool,
        /// Its sound is silence.
        muted: bool,
        /// It plays a file instead of showing itself.
        playing: bool,
    },
    /// Somebody is not here any more.
    Gone {
        /// Who.
        who: u32,
        /// Why.
        why: Gone,
    },
    /// Somebody cannot be heard, since this side's own relay is lost. It is here again, or gone, later.
    Unheard {
        /// Who.
        who: u32,
    },
    /// A frame came, opened.
    Frame {
        /// Whose.
        who: u32,
        /// On which track.
        track: u8,
        /// Counts the frames of the track, by its sender's word.
        number: f64,
        /// When to present it, in microseconds on its sender's clock.
        timestamp: f64,
        /// A decoder can begin here.
        keyframe: bool,
        /// In microseconds, where its sender gave one.
        duration: Option<f64>,
        /// The encoder's bytes.
        bytes: Blob,
    },
    /// Somebody's track has come to its end.
    TrackEnded {
        /// Whose.
        who: u32,
        /// Which.
        track: u8,
    },
    /// Somebody said something to be read.
    Chat {
        /// Who.
        who: u32,
        /// The text.
        text: String,
    },
    /// Somebody knocks. Only the chair is told.
    Knock {
        /// For commands.
        number: u32,
        /// The chosen name.
        name: String,
        /// Somebody who is here is shown by this name.
        taken: bool,
    },
    /// Who knocked under this number is gone, admitted or denied.
    KnockGone {
        /// The number.
        number: u32,
    },
    /// Two words to compare.
    Compare {
        /// In the chair: with who knocks under this number.
        number: Option<u32>,
        /// The words, by their places in a list.
        words: [u16; 2],
        /// The how manyth try it is.
        attempt: u8,
    },
    /// The chair said that the knocker of this number has the same words.
    Compared {
        /// The number.
        number: u32,
    },
    /// There are no words to compare, or not any more.
    NoWords {
        /// As in [`Out::Compare`].
        number: Option<u32>,
        /// Why.
        why: NoWords,
    },
    /// This participant holds the chair, or does not any more.
    Chair {
        /// Holds it.
        held: bool,
    },
    /// How long the chair has not been heard.
    ChairHeard {
        /// Stale after 15 s; after 60 s nothing is sent.
        state: Freshness,
    },
    /// Nobody is admitted, or people are again.
    Locked {
        /// Nobody is.
        locked: bool,
    },
    /// The meeting link is another one from now on.
    Link {
        /// The link.
        link: String,
    },
    /// The chair would like everyone to be quiet.
    AskedToBeQuiet,
    /// The committer of rank `by` says that this one was removed in its part of the meeting.
    Reported {
        /// The name.
        name: String,
        /// The rank.
        by: u8,
    },
    /// Who is in the meeting, by the group's tree: the answer to `who`.
    Roster {
        /// All of them, oneself too.
        members: Vec<Listed>,
    },
    /// About signatures of somebody's media.
    Signatures {
        /// Whose.
        who: u32,
        /// On which track.
        track: u8,
        /// What.
        state: Signatures,
    },
    /// Something that a person should know; each is said once.
    Warning {
        /// What.
        what: Warning,
    },
    /// The network does not take this track as fast as it comes: the rest of a group was given up.
    Slow {
        /// Which.
        track: u8,
    },
    /// The meeting is over for this participant. Nothing follows.
    Over {
        /// Why.
        why: Over,
        /// With `closed`: the relay's reason, by its number (`docs/wire-format.md`).
        code: Option<u32>,
    },
}

/// For what somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// Nobody who could let people in is here.
    Host,
    /// The host's decision.
    Decision,
    /// The meeting is locked.
    Unlock,
    /// Too many wait.
    Place,
}

/// Why the relay is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossReason {
    /// It says that it stops, or it was stopped and is back.
    Restarting,
    /// It does not answer.
    Silence,
    /// It ended the connection.
    Ended,
    /// It says that this participant does not take what is sent to it.
    TooSlow,
}

/// Why somebody is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// It said goodbye.
    Left,
    /// It was removed.
    Removed,
    /// It was out of reach for long and taken out.
    TakenOut,
    /// Its connection is gone; it may come back.
    Lost,
}

/// Whether signatures are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signatures {
    /// They have been missing for long.
    Missing,
    /// Frames came that are not those that were signed.
    Forged,
    /// They are there again.
    Good,
}

/// What a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// Something came that does not open, or is not what it should be.
    Unreadable,
    /// More people than can be kept track of.
    TooManyPeople,
    /// Something was too large to send.
    TooLargeToSend,
}

/// Why the meeting is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// This participant left.
    Left,
    /// It was removed.
    Removed,
    /// It was not admitted.
    Denied,
    /// Another device holds the same link.
    InUse,
    /// Whoever held the chair has ended it for everybody.
    Ended,
    /// No relay of the link could be reached.
    Unreachable,
    /// The relay was lost and not found again for two minutes.
    Lost,
    /// The relay closed for a reason that no waiting mends.
    Closed,
}

/// A track of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackInfo {
    /// Its number.
    pub track: u8,
    /// The codec.
    #[serde(serialize_with = "codec")]
    pub codec: Codec,
    /// Of sound: samples per second.
    pub rate: Option<u32>,
    /// Of sound.
    pub channels: Option<u8>,
    /// Of pictures.
    pub width: Option<u32>,
    /// Of pictures.
    pub height: Option<u32>,
    /// It is of a screen that is shown.
    pub screen: bool,
    /// What a decoder needs before the first frame (OpusHead, av1C); often empty.
    pub setup: Blob,
}

fn codec<S: Serializer>(codec: &Codec, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match codec {
        Codec::Opus => "opus",
        Codec::Vp8 => "vp8",
        Codec::Vp9 => "vp9",
        Codec::Av1 => "av1",
    })
}

/// Somebody in the group's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// `None` for this participant itself.
    pub who: Option<u32>,
    /// The name.
    pub name: String,
    /// Among the committers; 0 is the host.
    pub rank: Option<u8>,
    /// Whether it is connected, by the relay's word.
    pub here: bool,
}

#[cfg(test)]
mod tests;
