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
    pub(super) standing: Standing,
}

/// How a pair is held on to: its state in the two highest bits, in the others how many connections
/// speak through it.
#[derive(Clone, Copy, Default)]
pub(super) struct Standing(u16);

impl zeroize::DefaultIsZeroes for Standing {}

impl Standing {
    const CLAIMS: u16 = (1 << 14) - 1;

    /// Claims from which on no further handshake may begin here, so that they are never miscounted:
    /// moves of connections add some without asking.
    pub(super) const MANY: u16 = Self::CLAIMS / 2;

    pub(super) fn state(self) -> State {
        match self.0 >> 14 {
            0 => State::Free,
            1 => State::Unproven,
            _ => State::Proven,
        }
    }

    pub(super) fn set(&mut self, state: State) {
        self.0 = self.claims() | (state as u16) << 14;
    }

    /// Connections that speak through this pair.
    pub(super) fn claims(self) -> u16 {
        self.0 & Self::CLAIMS
    }

    /// One more.
    pub(super) fn claim(&mut self) {
        self.0 += u16::from(self.claims() < Self::CLAIMS);
    }

    /// One fewer. Whether it was the last.
    pub(super) fn unclaim(&mut self) -> bool {
        self.0 -= u16::from(self.claims() > 0);
        self.claims() == 0
    }
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

// The drill finds stand-ins in memory by these, beside addresses that it knows: `drill/stand_ins.rs`.
const _: () = assert!(
    std::mem::offset_of!(Pair, real) == 0
        && std::mem::offset_of!(Pair, stand_in) == 24
        && std::mem::offset_of!(Pair, port) == 60
        && std::mem::offset_of!(Pair, standing) == 62
);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Free,
    Unproven,
    Proven,
}
