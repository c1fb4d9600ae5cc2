//! The meeting itself, end to end: links, sealing, who is here, media keys.
//!
//! It may know: names, codecs, the link secret, every key; the wire's messages.
//! It must never know: sockets, addresses of peers, files, the clock on the wall; nor anything of the relay.

mod track;

pub use track::{Codec, Frame, Presence, TrackDescription, TrackKind};
