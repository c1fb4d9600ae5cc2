//! A stay: one connection to one room, over all its reconnections. What any participant has to decide
//! beside the meeting, whatever carries its bytes: which relay to try and when again, what a loss means, who
//! has really left, what to trouble a person with.
//!
//! It may know: how many relays a link has and in which order, the wire's messages, who somebody is to the
//! meeting, the time as it is handed in.
//! It must never know: addresses, sockets, names, keys; nor anything of the relay.
//!
//! No I/O: [`Dial`] says what to try, [`Departures`] when somebody's last frames are in, [`Silence`]
//! when to ask whether the relay is there, [`Unsigned`] when missing signatures are worth telling.

mod backoff;
mod departures;
mod dial;
mod loss;
mod silence;
mod unsigned;

use std::ops::Add;
use std::time::{Duration, Instant};

pub use backoff::{Attempt, GIVE_UP};
pub use departures::Departures;
pub use dial::{Dial, Failure, Try};
pub use loss::{Loss, closed};
pub use silence::Silence;
pub use unsigned::Unsigned;

/// How long a relay may take from the handshake to its welcome.
pub const WELCOME: Duration = Duration::from_secs(5);

/// How long to stay after the last frame, so that the relay passes it on before it says that its
/// sender left: a few beats.
pub const LINGER: Duration = Duration::from_millis(200);

/// A point in time: of this machine's clock, or since any beginning where there is none.
pub trait Moment: Copy + Ord + Add<Duration, Output = Self> {
    /// How long after `earlier` it is; nothing where it is not.
    fn since(self, earlier: Self) -> Duration;
}

impl Moment for Instant {
    fn since(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl Moment for Duration {
    fn since(self, earlier: Self) -> Duration {
        self.saturating_sub(earlier)
    }
}
