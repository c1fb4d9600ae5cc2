//! The only code that sees a peer's address.
//!
//! It may know: sockets, addresses, stand-ins, sizes and ECN marks.
//! It must never know: what is inside a packet, connections, rooms, people.
//!
//! A datagram's way in: `kernel` receives a batch into the arrays of `batch`, the
//! `table` finds the sender's [`StandIn`], `gate` hands the bytes up under that name
//! and wipes the arrays. The way out is the same, backwards, through a `lane`.
//!
//! Nothing above can leak an address, since nothing above ever has one. What is
//! left inside lives in one table, is wiped when the carrier says the peer has
//! gone, and has no type that could be printed.
#![allow(unsafe_code)]

mod limits;

mod address;
mod handed;
mod kernel;
mod options;
mod socket;

mod batch;
mod control;

mod dice;
mod index;
mod pair;
mod stand_in;
mod store;
mod table;

mod gate;
mod lane;
mod outbound;
mod scrub;
mod wait;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

pub use batch::{ReceiveBatch, SendBatch};
pub use gate::{Airlock, Arrival, Departure};
pub use handed::{HandedError, handed};
pub use kernel::{BindError, KernelSocket, bind};
pub use lane::Counters;
pub use pair::Route;
pub use socket::{Features, ReceiveError, SendError, Socket};
pub use stand_in::StandIn;
pub use table::TableLimits;
pub use wait::Woken;
