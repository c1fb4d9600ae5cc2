//! One connection, how far it has come, and what becomes of its path.

use std::time::Instant;

use quinn_proto::{Connection, Transmit, VarInt};

use super::super::transport::PACKET;
use super::Peer;
use super::outgoing::Control;
use super::webtransport::{self, Code, Web};
use crate::airlock::{Berth, Route, StandIn};
use crate::wire::CloseReason;

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Handshake {
        until: Instant,
    },
    Open,
    /// The owner closed it; what is queued goes out, then the close itself.
    Closing(CloseReason),
    /// Closed by either side; waits to be drained (RFC 9000, section 10.2).
    Ended,
}

pub(super) struct Slot {
    pub(super) quic: Connection,
    pub(super) stage: Stage,
    pub(super) path: StandIn,
    /// How the airlock reaches `path`, once it was asked.
    pub(super) route: Option<Route>,
    /// Its place among those of its address, once that is proven.
    pub(super) berth: Option<Berth>,
    pub(super) control: Control,
    /// Of a peer that speaks HTTP/3.
    pub(super) web: Option<Box<Web>>,
    /// What datagrams to a peer begin with that has a session of WebTransport. It stands here too, since
    /// `web` is another place in memory, which the beat would find out of the processor's cache.
    pub(super) prefix: Option<u8>,
    /// Room for datagrams to send when none waits, in bytes, as quinn counts it.
    pub(super) room: usize,
    /// Whether quinn is asked until it has nothing: a timer may have made it owe several packets of
    /// which none is full (two probes, RFC 9002, section 6.2.4).
    pub(super) thorough: bool,
    /// Whether it stands in the list of those to pump and to flush.
    pub(super) touched: bool,
}

/// The least room in a packet that quinn would have used if it had anything more to send, in bytes:
/// a frame's header and a little.
const SPARE: usize = 64;

impl Slot {
    /// Whether the owner was told of it: a peer that speaks HTTP/3 is nobody before it has a session.
    pub(super) fn is_known(&self) -> bool {
        self.web.as_ref().is_none_or(|web| web.has_session())
    }

    /// Streams to a peer that are no groups, once the owner was told of it.
    pub(super) fn other_streams(&self) -> usize {
        let of_http = self.prefix.map_or(0, |_| webtransport::STREAMS);
        self.control.streams() + of_http
    }

    /// The code, always the same, with which a group is given up or stopped.
    pub(super) fn stream_code(&self) -> VarInt {
        match &self.web {
            Some(_) => Code::of_stream(0).into(),
            None => VarInt::from_u32(0),
        }
    }

    /// Whether, once it is closed, it still waits for something to be acknowledged.
    pub(super) fn waits(&self, now: Instant) -> bool {
        self.web.as_ref().is_some_and(|web| web.waits(now))
    }

    /// What QUIC says when the connection is closed at last.
    pub(super) fn close_code(&self, reason: CloseReason) -> VarInt {
        match &self.web {
            Some(web) => web.close_code().into(),
            None => reason.code().into(),
        }
    }

    /// Whether nothing more waits to be sent after `transmit`: its last packet was not full, and no
    /// datagram is left that may not have fitted. Asking quinn once more costs a good part of a
    /// packet.
    pub(super) fn was_last(&mut self, transmit: &Transmit) -> bool {
        let last = match transmit.segment_size {
            Some(size) if size > 0 => transmit.size - (transmit.size - 1) / size * size,
            _ => transmit.size,
        };
        !self.thorough && last + SPARE <= usize::from(PACKET) && !self.holds_datagrams()
    }

    /// Whether datagrams wait for room in the congestion window.
    pub(super) fn holds_datagrams(&mut self) -> bool {
        self.quic.datagrams().send_buffer_space() != self.room
    }
}

/// What the airlock is to be told of a peer's path.
pub(super) enum PathChange {
    Proved { peer: Peer, at: StandIn },
    Moved { from: StandIn, to: StandIn },
    Gone { from: StandIn, berth: Option<Berth> },
}
