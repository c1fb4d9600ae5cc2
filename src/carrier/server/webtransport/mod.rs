//! WebTransport over HTTP/3, for browsers (draft-ietf-webtrans-http3, RFC 9114, 9204, 9220, 9297): the
//! same streams and datagrams as over raw QUIC, each with a few bytes of HTTP/3 in front.
//!
//! It may know: HTTP/3's frames, capsules and error codes, and whether a request asks for a session.
//! It must never know: where a request goes, where it comes from, or which browser sends it. Fields of
//! a request are compared with the few that it looks for, and never decoded.
//!
//! `head`, `records`, `fields`, `settings` and `http` are framing without I/O: bytes in, and what they
//! mean out. `web` lays that on a connection of quinn's, `prefixed` serves the beat, and
//! `trial` the fuzzer. Above this
//! folder nobody can tell which peers it serves. Whoever asks for anything but a session is answered
//! as by a plain site that has no such page.

mod code;
mod fields;
mod head;
mod http;
mod prefixed;
mod records;
mod settings;
mod trial;
mod web;

/// The ALPN protocol name of HTTP/3 (RFC 9114, section 3.1).
pub(super) const ALPN: &[u8] = b"h3";

pub(super) use code::Code;
pub(super) use prefixed::Prefixed;
pub use trial::{Trial, Tried};
pub(super) use web::{Due, End, STREAMS, Web, happened, is_spoken};

#[cfg(test)]
mod tests;
