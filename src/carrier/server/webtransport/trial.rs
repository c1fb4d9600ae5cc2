//! The framing without a connection, for whoever tries it with bytes of any kind (`fuzz/bodies/http3.rs`).
//! Nothing of the relay's comes this way.

use bytes::Bytes;
use quinn_proto::{Dir, Side, StreamId};

use super::http::{Ended, Http, Said};

/// What one peer says over HTTP/3.
#[doc(hidden)]
pub struct Trial(Http);

/// What its bytes mean.
#[doc(hidden)]
pub enum Tried {
    /// Nothing, until there are more; or that a stream of the vocabulary's begins.
    Nothing,
    /// These are of the vocabulary's.
    Ours(Bytes),
    /// A request is answered with these.
    Answer(&'static [u8]),
    /// A session begins when these are sent.
    Session(&'static [u8]),
    /// Nothing more is read of the stream.
    Useless,
    /// The session or the connection ends.
    Over,
}

impl Trial {
    /// `sessions`: whether it may have one.
    pub fn new(sessions: bool) -> Self {
        Self(Http::new(sessions))
    }

    /// Bytes came on a stream; they are advanced past what was taken.
    pub fn stream(&mut self, is_bidi: bool, number: u64, bytes: &mut Bytes) -> Tried {
        match self.0.take(id(is_bidi, number), bytes) {
            Ok(Said::Nothing | Said::Begins(_)) => Tried::Nothing,
            Ok(Said::More(_, bytes)) => Tried::Ours(bytes),
            Ok(Said::Request(answer)) => Tried::Answer(answer),
            Ok(Said::SessionBegins(answer)) => Tried::Session(answer),
            Ok(Said::Useless(_)) => Tried::Useless,
            Ok(Said::SessionEnds) | Err(_) => Tried::Over,
        }
    }

    /// A stream has ended, `well` or by a reset.
    pub fn end(&mut self, is_bidi: bool, number: u64, well: bool) -> Tried {
        match self.0.ended(id(is_bidi, number), well) {
            Ok(Ended::Nothing | Ended::Ours(_)) => Tried::Nothing,
            Ok(Ended::Useless(_)) => Tried::Useless,
            Ok(Ended::SessionEnds) | Err(_) => Tried::Over,
        }
    }

    /// A datagram came.
    pub fn datagram(&self, bytes: Bytes) -> Tried {
        match self.0.datagram(bytes) {
            Ok(Some(bytes)) => Tried::Ours(bytes),
            Ok(None) => Tried::Nothing,
            Err(_) => Tried::Over,
        }
    }

    /// A second has gone by.
    pub fn second(&mut self) {
        self.0.refill();
    }
}

fn id(is_bidi: bool, number: u64) -> StreamId {
    let dir = if is_bidi { Dir::Bi } else { Dir::Uni };
    StreamId::new(Side::Client, dir, number)
}
