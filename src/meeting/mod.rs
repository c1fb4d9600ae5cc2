//! The meeting itself, end to end: links, sealing, who is here, media keys.
//!
//! It may know: names, codecs, the link secret, every key; the wire's messages.
//! It must never know: sockets, addresses of peers, files, the clock on the wall; nor anything of the relay.
//!
//! No I/O: [`Surface::handle`] takes what happened, [`Surface::poll`] gives what follows from it.
//! Randomness is passed in as a seed.

mod limits;

pub mod crypto;
pub mod group;

pub mod links;
mod secret;

pub mod chair;
pub mod lobby;

mod envelope;
mod name;
mod standing;
mod track;

pub mod media;
pub mod verify;

mod events;

pub mod hosted;
pub mod vigil;

pub use events::{
    Command, Ending, Freshness, Input, Listed, NoWords, Notice, Output, Rejection, StayId, Surface,
    Who,
};
pub use limits::{CHAT_BYTES, NAME_BYTES, NAME_LETTERS};
pub use links::{LinkError, RELAYS, RelayRef};
pub use name::{display_long, display_safe, display_text, told_apart};
pub use secret::LinkSecret;
pub use standing::Standing;
pub use track::{Codec, Frame, Presence, TrackDescription, TrackKind};
