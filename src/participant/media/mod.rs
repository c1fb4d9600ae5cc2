//! Media in and out: WebM and Matroska, from files and live pipes.
//!
//! It may know: frames, tracks, names that others chose, files, standard input and output.
//! It must never know: keys, links, the network, anybody's address.
//!
//! A frame's way: [`Source`] takes it out of a file or pipe, [`Pace`] says when it is due; at the
//! other side [`Recorder`] writes it to a file of its own and [`LiveWriter`] to a player. In
//! between it is not touched: the bytes that go in come out. Only what is [muted](silence) is another.

mod block;
mod demux;
mod ebml;
mod error;
mod file_name;
mod gate;
mod length;
mod live;
mod mux;
mod opus;
mod pace;
mod recorder;
mod source;
mod tracks;

pub use error::{MediaError, MediaWarning};
pub use file_name::{create_recording, safe_stem};
pub use live::{LiveState, LiveWriter};
pub(in crate::participant) use opus::{is_one_stream, silence};
pub use pace::Pace;
pub use recorder::{Output, Recorder, Summary};
pub use source::{Input, Source};
