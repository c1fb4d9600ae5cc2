//! What the table keeps of a peer, and how it is spoken of without its address.

use zeroize::Zeroize;

use super::address::RealAddress;

/// Tenths of a second since the airlock began. Nothing finer is needed to expire
/// pairs, and a finer time would be one more thing to find.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Zeroize)]
pub(super) struct Tick(pub(super) u32);

/// A pair's place for as long as it is in the table; afterwards it resolves to
/// nothing. Neither number derives from an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) place: u32,
    pub(super) generation: u32,
}

/// How to reach a peer without looking it up again: good for as long as its stand-in is.
#[derive(Clone, Copy)]
pub struct Route {
    pub(super) ticket: Ticket,
    /// The number of the socket that its peer is behind.
    pub(super) lane: u8,
}

/// One peer's port: one cache line, no padding.
#[derive(Default, Zeroize)]
#[repr(C)]
pub(super) struct Pair {
    pub(super) real: RealAddress,
    pub(super) stand_in: [u64; 2],
    pub(super) since: Tick,
    pub(super) host: u32,
    pub(super) older: u32,
    pub(super) newer: u32,
    /// Goes up each time the place is given to someone else.
    #[zeroize(skip)]
    pub(super) generation: u32,
    pub(super) port: u16,
    /// Connections that speak through this pair.
    pub(super) claims: u8,
    pub(super) state: State,
}

/// One peer's IP address, shared by its ports.
#[derive(Default, Zeroize)]
#[repr(C)]
pub(super) struct Host {
    pub(super) real: RealAddress,
    pub(super) stand_in: [u64; 2],
    pub(super) pairs: u32,
    /// So that all bytes are initialised, for the test that looks at them.
    pub(super) padding: u32,
}

const _: () = assert!(size_of::<Pair>() == 64 && size_of::<Host>() == 48);

// The drill finds stand-ins in memory by these, beside addresses that it knows: `drill/look.rs`.
const _: () = assert!(
    std::mem::offset_of!(Pair, real) == 0
        && std::mem::offset_of!(Pair, stand_in) == 24
        && std::mem::offset_of!(Pair, port) == 60
);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    #[default]
    Free,
    Unproven,
    Proven,
}

impl zeroize::DefaultIsZeroes for State {}
