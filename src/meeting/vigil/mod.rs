//! A vigil, one to many: what speakers publish for those who watch, and watching.
//!
//! It may know: the viewer key, stage keys, speakers' names, media, the time as it is handed in.
//! It must never know: the speakers' group, the lobby, who watches, sockets, the clock on the wall.
//!
//! Speakers publish *papers* ([`Paper`]) on a track of the stage room that the relay keeps for who comes
//! later: the chair its [`Card`], each speaker its [`Word`]s and signatures. [`Present`] is whose papers
//! are read; `cast` who the speakers are; [`Viewer`] is what somebody who watches drives.
//! `docs/vigil.md` tells it as a whole.

mod limits;

mod card;
mod paper;
mod present;

mod cast;
mod heard;
mod viewer;

#[cfg(test)]
mod tests;

pub(super) use card::{Card, Speaker, person};
pub(super) use limits::{ATTESTS_KEPT, PAPERS, RENEW_EVERY, SPEAKERS};
pub(super) use paper::{Paper, Says, Seal, Word};
pub(super) use present::Present;
pub use viewer::Viewer;
