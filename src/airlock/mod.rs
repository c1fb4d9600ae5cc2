//! The only code that sees a peer's address.
//!
//! It may know: sockets, addresses, stand-ins.
//! It must never know: what is inside a packet.
