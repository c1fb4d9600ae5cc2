//! Why something was refused.

/// Why a message, a welcome or a key package was refused. It changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum GroupRejection {
    /// It does not decode.
    #[error("not a message of a group")]
    Malformed,
    /// It is no private message, where nothing else is allowed.
    #[error("not a private message")]
    NotPrivate,
    /// It is of another group.
    #[error("of another group")]
    WrongGroup,
    /// It is of an epoch that is over.
    #[error("of an epoch that is over")]
    OldEpoch,
    /// It is of an epoch that has not come yet: what lies between is missing.
    #[error("of an epoch that has not come")]
    FutureEpoch,
    /// It was there before.
    #[error("a replay")]
    Replay,
    /// It is further ahead of what was heard of its sender than is looked.
    #[error("too far ahead")]
    TooFar,
    /// It does not open, or its signature is wrong.
    #[error("not authentic")]
    NotAuthentic,
    /// Its sender is no member.
    #[error("from outside")]
    External,
    /// A proposal by itself, or a commit that refers to one: only whole commits change the group.
    #[error("a proposal by itself")]
    Proposal,
    /// A commit by somebody who may not, or of what that one may not.
    #[error("a commit that its sender may not make")]
    NotTheChair,
    /// A commit that would close the group in favour of another.
    #[error("a ReInit")]
    ReInit,
    /// A commit with a pre-shared key.
    #[error("a pre-shared key")]
    Psk,
    /// A commit that updates a leaf other than by its path, or has no path.
    #[error("an update")]
    Update,
    /// A commit that changes the group's own extensions.
    #[error("other group extensions")]
    GroupExtensions,
    /// A proposal that is none of those above.
    #[error("a proposal of another kind")]
    UnknownProposal,
    /// A leaf that has another name or signature key than before.
    #[error("another name or key in a leaf")]
    CredentialChanged,
    /// A leaf or key package with extensions or capabilities that are not in use here, or one that is
    /// for a time.
    #[error("unknown extensions")]
    UnknownExtension,
    /// A leaf that says it is a committer's, and is not; or two of one rank.
    #[error("a wrong proof of rank")]
    BadProof,
    /// The group is not the one that the link leads to.
    #[error("another meeting's group")]
    WrongMeeting,
    /// More members than a group has, or a name that is too long.
    #[error("too large")]
    TooLarge,
    /// Something is wrong here; nobody else's fault.
    #[error("an internal failure")]
    Internal,
}
