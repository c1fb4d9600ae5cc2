//! A native participant: media in, media out.
//!
//! It may know: names, files, media, the link.
//! It must never know: other participants' addresses.

pub mod media;
