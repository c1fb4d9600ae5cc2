//! How the process keeps silent.
//!
//! It may know: the closed list of events.
//! It must never know: participants, rooms, addresses.
