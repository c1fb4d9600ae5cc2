//! The page: a meeting in a browser, as files that are in this program, and how they are served.
//!
//! It may know: its own files, a request's method and path, and whether the answer may be compressed; of a
//! request to this machine alone, what it calls it.
//! It must never know: who asks, what else they say of themselves, meetings.
//!
//! A request's way: `carrier` hands out a stream without an address, `hear` has hyper read it, `answer`
//! looks the path up in the table of `bundle`. Nothing is written down, in no case.

mod answer;
mod bundle;
mod hear;
mod limits;
mod line;
mod pace;
mod serve;

pub use answer::CSP;
pub use bundle::{HASH, PageFile, files, is_built_in};
pub use limits::{OF_ONE_ADDRESS, PLACES};
pub use serve::{serve, serve_here};
