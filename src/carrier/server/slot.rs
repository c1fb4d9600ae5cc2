//! One connection, how far it has come, and what becomes of its path.

use std::time::Instant;

use quinn_proto::Connection;

use super::outgoing::Control;
use crate::airlock::StandIn;
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
    pub(super) control: Control,
    /// Whether it stands in the list of those to pump and to flush.
    pub(super) touched: bool,
}

/// What the airlock is to be told of a peer's path.
pub(super) enum PathChange {
    Claimed(StandIn),
    Proved(StandIn),
    Moved { from: StandIn, to: StandIn },
    Gone(StandIn),
}
