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
//! gone, and has no type that could be printed. How much came from one address is
//! counted in `crowds`, out of which no address can be read and which forgets
//! within a minute.
#![allow(unsafe_code)]

mod limits;

mod address;
mod handed;
mod kernel;
mod options;
mod socket;

mod door;
mod front;

mod batch;
mod control;

mod berths;
mod crowds;
mod dice;
mod index;
mod pair;
mod sketch;
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
pub use berths::Berth;
pub use crowds::{Allowance, PerAddress};
pub use door::{Door, DoorError, Visitor, WatchedDoor};
pub use front::{Front, Guest, Seats, WatchedFront};
pub use gate::{Airlock, Arrival, Departure};
pub use handed::{Handed, HandedError, handed};
pub use kernel::{BindError, KernelSocket, bind};
pub use lane::Counters;
pub use limits::KERNEL_BUFFER;
pub use pair::Route;
pub use socket::{Features, ReceiveError, SendError, Socket};
pub use stand_in::StandIn;
pub use table::TableLimits;
pub use wait::Woken;
