//! What a meeting is told, and what it says: [`Input`] in, [`Output`] out, through [`Surface`].
//!
//! A meeting says which connections it wants, and whoever drives it makes them, keeps them, and
//! carries bytes. It says who is who and what may be shown; the driver knows sockets, files and screens.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::group::GroupRejection;
use super::lobby::Status;
use super::media::Report;
use super::standing::Standing;
use super::track::{Frame, Presence, TrackDescription};
use super::verify::SasWords;
use crate::wire::{FromRelay, GroupNumber, ParticipantId, ToRelay, TrackId};

/// A meeting without I/O, as whoever drives it sees it.
///
/// `now` is the time since any beginning; it never goes back. After each [`handle`](Self::handle)
/// everything that [`poll`](Self::poll) gives is to be done, in order.
pub trait Surface {
    /// Takes what happened.
    fn handle(&mut self, now: Duration, input: Input);

    /// The next thing that follows from it; `None` when that was all.
    fn poll(&mut self) -> Option<Output>;

    /// When to come with [`Input::Tick`], if nothing else happens before. One that has passed is kept by
    /// coming soon, and not at once for ever.
    fn deadline(&self) -> Option<Duration>;
}

/// One connection to one room, over all its reconnections: [`Output::Enter`] names it first, and no
/// number is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StayId(pub u32);

/// One other person, over all its reconnections and one's own, in whichever rooms it is met. Numbered
/// in the order in which they first appeared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who(pub u32);

/// What happened.
pub enum Input {
    /// The [deadline](Surface::deadline) has come.
    Tick,
    /// A stay has a connection. The meeting says hello on it; nobody else does.
    Connected {
        /// Which.
        stay: StayId,
        /// To relay number `relay` of the link, counted from 0.
        relay: usize,
    },
    /// A stay's connection is gone. It is being sought again for as long as the stay is wanted.
    Lost {
        /// Which.
        stay: StayId,
    },
    /// A control message of the relay, other than `Closed`, which is a loss. `Left` takes a
    /// participant's keys with it: hold it back while frames of that participant are still on their way.
    Relay {
        /// On which stay.
        stay: StayId,
        /// The message.
        message: FromRelay,
    },
    /// A datagram, taken out of its bundle.
    Datagram {
        /// On which stay.
        stay: StayId,
        /// Whose, by the relay's word.
        from: ParticipantId,
        /// On which track.
        track: TrackId,
        /// Sealed.
        payload: Bytes,
    },
    /// A frame out of a group.
    GroupFrame {
        /// On which stay.
        stay: StayId,
        /// Whose, by the relay's word.
        from: ParticipantId,
        /// On which track.
        track: TrackId,
        /// In which group.
        group: GroupNumber,
        /// Sealed.
        bytes: Bytes,
    },
    /// A frame to send, now or never: where it can go, an [`Output::Datagram`] or
    /// [`Output::GroupFrame`] follows at once.
    Send(Frame),
    /// A track of one's own has come to its end after so many frames.
    Ended {
        /// Which.
        track: TrackId,
        /// Frames, counted from number 0.
        frames: u64,
    },
    /// These are the tracks of this participant from now on. The others are told; who watches a vigil a few
    /// seconds later at most.
    Tracks(Vec<TrackDescription>),
    /// This participant stands like this from now on. The others are told at once, or after what it said
    /// last a moment ago; who watches a vigil a few seconds later at most.
    Show(Standing),
    /// Nothing is sent on any track of pictures for now: what went before is not shown to newcomers.
    Paused,
    /// Somebody's track is wanted, or not any more. A wish holds over reconnections of either side, until
    /// [`Output::Departed`].
    Listen {
        /// Whose.
        who: Who,
        /// Which.
        track: TrackId,
        /// Wanted.
        on: bool,
    },
    /// The person wants something.
    Command(Command),
    /// This participant leaves on purpose: the last thing to say, on all stays.
    Goodbye,
}

/// What follows.
pub enum Output {
    /// A connection to a room is wanted from now on: to be made, and made again when it is lost.
    Enter {
        /// A new number.
        stay: StayId,
    },
    /// It is not wanted any more. What was sent on it still goes out, groups to their end; nothing more is
    /// told of it.
    Leave {
        /// Which.
        stay: StayId,
    },
    /// The stay whose loss is this participant's loss of the meeting. Until there is one it is the first.
    Main(StayId),
    /// For the relay, on the control stream.
    Control {
        /// On which stay.
        stay: StayId,
        /// The message.
        message: ToRelay,
    },
    /// To send as a datagram. A frame may go out on more than one stay.
    Datagram {
        /// On which stay.
        stay: StayId,
        /// On which track.
        track: TrackId,
        /// Sealed; at most [`AUDIO_PAYLOAD`](crate::wire::limits::AUDIO_PAYLOAD) bytes.
        payload: Bytes,
    },
    /// To send inside a group.
    GroupFrame {
        /// On which stay.
        stay: StayId,
        /// On which track.
        track: TrackId,
        /// In which group.
        group: GroupNumber,
        /// The group begins with it: a decoder can, too.
        first: bool,
        /// Sealed.
        bytes: Bytes,
    },
    /// This participant is in the meeting: media may be sent from now on. Said once.
    Inside,
    /// Somebody says who it is, for the first time, anew, or after it was gone. The text in it is a
    /// stranger's.
    Appeared {
        /// Who.
        who: Who,
        /// What it says of itself.
        presence: Presence,
    },
    /// Somebody who had appeared is gone, or gone for the moment: its connection is. One that comes back
    /// before that was noticed departs first, too.
    Departed {
        /// Who.
        who: Who,
    },
    /// Somebody is not heard any more, since a stay of one's own is lost. Whether it is still there shows
    /// when that is back: then it appears again.
    Unheard {
        /// Who.
        who: Who,
    },
    /// A frame came.
    Frame {
        /// Whose.
        who: Who,
        /// The frame.
        frame: Frame,
    },
    /// Somebody's track has come to its end.
    Ended {
        /// Whose.
        who: Who,
        /// Which.
        track: TrackId,
        /// Frames that were sent on it in all, counted from number 0.
        frames: u64,
    },
    /// Somebody leaves on purpose.
    Goodbye {
        /// Who.
        who: Who,
    },
    /// Something that came, or was to be sent, was refused.
    Rejected(Rejection),
    /// Something that the person should know.
    Told(Notice),
    /// The meeting is over for this participant, whatever its connections do. What it is told after that
    /// is how its own tracks ended, and [`Input::Goodbye`].
    Over(Ending),
}

/// Something that the person should know. Names and texts in it are strangers'.
#[derive(Clone, PartialEq, Eq)]
pub enum Notice {
    /// This participant waits to be let in, and how that stands.
    Waiting(Status),
    /// This is a vigil: whoever has the link can watch and record.
    Vigil {
        /// This participant is one of those who are seen and heard.
        speaks: bool,
    },
    /// The committers' word on what the meeting is called.
    Title(String),
    /// Somebody knocks, under a number for commands. Only the chair is told.
    Knocking {
        /// For [`Command::Admit`] and [`Command::Deny`].
        number: u32,
        /// The chosen name.
        name: String,
    },
    /// Who knocked under this number is gone, admitted or denied.
    KnockGone {
        /// The number.
        number: u32,
    },
    /// Two words to compare, over a way by which both people know each other: the same on both screens
    /// when nobody stands between them.
    Compare {
        /// In the chair: who knocks under this number. `None` for the knocker itself.
        number: Option<u32>,
        /// The words.
        words: SasWords,
    },
    /// The chair has said that the knocker of this number has the same words.
    Compared {
        /// The number.
        number: u32,
    },
    /// There are no words to compare, or not any more.
    NoWords {
        /// As in [`Notice::Compare`].
        number: Option<u32>,
        /// Why.
        why: NoWords,
    },
    /// Somebody said something to be read.
    Chat {
        /// Who.
        who: Who,
        /// What.
        text: String,
    },
    /// How somebody stands: after each [`Output::Appeared`], and when it has changed.
    Standing {
        /// Who.
        who: Who,
        /// How.
        standing: Standing,
    },
    /// This participant holds the chair, or does not any more.
    InTheChair(bool),
    /// Somebody who was here is in the tree no more, and had not said goodbye.
    PutOut(Who),
    /// The same, but it was only out of reach for long.
    TakenOut(Who),
    /// The committer of rank `by` says that this one was removed in its part of the meeting: it is removed
    /// here, too. Only the chair is told, who answers for it.
    Reported {
        /// The name of who is to go: it need not be connected.
        name: String,
        /// The rank of whoever says it.
        by: u8,
    },
    /// Nobody is admitted, or people are again.
    Locked(bool),
    /// The meeting link is another one from now on: the earlier ones lead to an empty lobby.
    Link(String),
    /// How long the chair has not been heard.
    Chair(Freshness),
    /// The chair would like everyone to be quiet.
    AskedToBeQuiet,
    /// Who is in the meeting, by the group's tree; an answer to [`Command::Who`].
    Roster(Vec<Listed>),
    /// About signatures of somebody's media.
    Signatures {
        /// Whose.
        who: Who,
        /// What.
        report: Report,
    },
}

/// Why there are no words to compare between the chair and one knocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoWords {
    /// None were asked for, or they have not come yet.
    NotYet,
    /// The other side does not answer.
    NoAnswer,
    /// The other side answered something that was not due.
    Disorder,
    /// The other side does not keep to what it committed to: somebody tried to choose the words.
    Broken,
    /// All tries with the other side are used up.
    UsedUp,
    /// Another chair, or another lobby, has to do with the knocker now; or it has knocked anew.
    Elsewhere,
}

/// How fresh the chair's word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// As it should be.
    Well,
    /// Nothing for 15 s: a removal may be held back.
    Stale,
    /// Nothing for 60 s: nothing is sent any more.
    Stopped,
}

/// Somebody in the tree.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// `None` for this participant itself.
    pub who: Option<Who>,
    /// The name in its leaf.
    pub name: String,
    /// Its rank among the committers; 0 is the host.
    pub rank: Option<u8>,
    /// Whether it is connected, by the relay's word.
    pub here: bool,
}

/// What the person wants.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// To say something to be read, at most [`CHAT_BYTES`](super::CHAT_BYTES).
    Say(String),
    /// To know who is in the meeting.
    Who,
    /// To let somebody in who knocks.
    Admit(u32),
    /// To let everybody in who knocks, now and later; or no more.
    AdmitAll(bool),
    /// Not to let somebody in who knocks.
    Deny(u32),
    /// To compare two words with somebody who knocks.
    Compare(u32),
    /// The words that were shown for somebody who knocks are the same on both screens.
    Same(u32),
    /// They are not: not to let that one in.
    Different(u32),
    /// To put somebody out.
    Remove(Who),
    /// To admit nobody, or people again.
    Lock(bool),
    /// To ask everyone to be quiet.
    AskQuiet,
    /// To end the meeting for everybody. It is over here a moment later, when the others know.
    EndForAll,
}

/// Why the meeting is over for this participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was removed.
    Removed,
    /// It was not admitted.
    Denied,
    /// Another device holds the same link.
    InUse,
    /// Whoever held the chair has ended it for everybody.
    Ended,
}

/// Why something was refused. A refusal is counted and costs nobody anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rejection {
    /// It does not open: another key, another sender, another place, or changed on its way.
    NotAuthentic = 0,
    /// It came before.
    Replay = 1,
    /// It is too far behind to tell whether it came before.
    TooOld = 2,
    /// Nobody who has said who it is sent this, or it has no such track.
    UnknownSender = 3,
    /// It opens, but is not what it should be.
    Malformed = 4,
    /// It is larger than it may be.
    TooLarge = 5,
    /// It was meant for somebody else.
    Misdirected = 6,
    /// More people than are kept track of.
    TooMany = 7,
    /// It is not for its sender, or for this participant, to do that.
    NotAllowed = 8,
    /// It is of an epoch of the group that is over.
    OldEpoch = 9,
    /// A message of the group by somebody from outside, or not in the form that members use.
    External = 10,
    /// A commit that changes more than who is a member.
    Commit = 11,
    /// A rank that is not proven, another meeting's group, or a commitment that is not kept.
    BadProof = 12,
    /// Something is wrong here; nobody else's fault.
    Internal = 13,
    /// Nothing of the kind was due, or not any more.
    Unexpected = 14,
}

impl Rejection {
    /// How many kinds there are.
    pub const KINDS: usize = 15;
}

impl From<GroupRejection> for Rejection {
    fn from(rejection: GroupRejection) -> Self {
        use GroupRejection as Group;
        match rejection {
            Group::Malformed => Self::Malformed,
            Group::NotPrivate | Group::External | Group::Proposal => Self::External,
            Group::WrongGroup | Group::NotAuthentic => Self::NotAuthentic,
            Group::OldEpoch | Group::FutureEpoch => Self::OldEpoch,
            Group::Replay => Self::Replay,
            Group::TooFar => Self::Unexpected,
            Group::NotTheChair => Self::NotAllowed,
            Group::ReInit
            | Group::Psk
            | Group::Update
            | Group::GroupExtensions
            | Group::UnknownProposal
            | Group::CredentialChanged
            | Group::UnknownExtension => Self::Commit,
            Group::BadProof | Group::WrongMeeting => Self::BadProof,
            Group::TooLarge => Self::TooLarge,
            Group::Internal => Self::Internal,
        }
    }
}
