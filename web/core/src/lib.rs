//! What a browser needs of sottovoce: the same `wire`, `stay` and `meeting` as a native participant, for a
//! page that knows how to move bytes, encode, decode and draw, and nothing else.
//!
//! It may know: everything that `meeting` knows; what the page tells it.
//! It must never know: sockets, the screen, the clock on the wall.
//!
//! [`links`] reads and makes links; [`session`] is a meeting that is driven by what happens on
//! connections; [`out`] is all that it says. `rim` alone knows JavaScript, so that the rest is tested
//! without a browser. `docs/web-core.md` is for whoever writes the page.

pub mod links;
pub mod out;
pub mod session;

mod rim;
