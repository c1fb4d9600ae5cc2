//! Why a text is no link that this program can use, and what to do about it.

/// Why a text is no meeting link that this program can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It has not the form of a link.
    #[error(
        "this is no meeting link. A link begins with https:// and has a long part after a #; \
         copy the whole of it, and put it in quotes"
    )]
    NotALink,
    /// It is the address of a relay.
    #[error(
        "this is a relay's address, not a meeting link. Make a link with `sottovoce invite \
         --relay ADDRESS`, and give that to `join`"
    )]
    RelayAddress,
    /// It was changed or cut off on its way.
    #[error(
        "this link was damaged on its way: something in it is missing or changed. Copy the whole \
         line again, or ask for the link once more"
    )]
    Mangled,
    /// It was made by a later version of the program.
    #[error("this link is of version {0}, which this sottovoce does not know; install a newer one")]
    Version(u8),
    /// It was made by an earlier version of the program.
    #[error(
        "this link was made by an older version of sottovoce (links of version {0}). Make a new \
         one with `sottovoce invite`, or ask the host for it"
    )]
    Older(u8),
    /// It came undamaged, but what is in it does not fit together.
    #[error(
        "this link contradicts itself, though nothing was lost on its way: sottovoce did not make \
         it like this. Do not use it; ask the host for another, in a way that you trust"
    )]
    Contradictory,
}
