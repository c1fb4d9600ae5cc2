//! How many connections and handshakes come from one address, without a list of addresses.
//!
//! What is counted is the prefix that one customer of a network has: an IPv4 address, or the /56 of
//! an IPv6 address. Three counts, out of which no address can be read:
//!
//! * handshakes begun by somebody who showed that the address is its own (by the token of a Retry,
//!   RFC 9000, section 8.1.2): *shown*;
//! * handshakes begun without: *claimed*;
//! * connections that are open, of those whose address is proven, in [`Berths`].
//!
//! The first two are [`Sketch`]es, in two halves of a minute. At the end of a half the older one is
//! wiped and gets another key, so what happened is forgotten within a minute, and no counter can be
//! followed from one half to the next.
//!
//! **Nobody can lock out another.** A first packet may claim any address as its source, so claims
//! have one effect alone: past a quarter of the handshakes, whoever comes from there must show its
//! address first, which costs an honest peer a round trip and a spoofer everything. It is refused
//! only for what was shown and for connections that are open, and neither can be had in the name of
//! an address whose packets one does not get. Nor by moving there: a connection counts where it was
//! proven. Who is asked for a proof has begun nothing, and is not counted.

use super::address::RealAddress;
use super::berths::{Berth, Berths};
use super::dice::Dice;
use super::pair::Tick;
use super::sketch::Sketch;

/// What one address (IPv4), or one /56 (IPv6), may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerAddress {
    /// Connections that are open at a time.
    pub connections: usize,
    /// Handshakes begun in a minute; of these a quarter without showing the address first.
    pub handshakes: usize,
}

impl Default for PerAddress {
    fn default() -> Self {
        Self {
            connections: 2048,
            handshakes: 4096,
        }
    }
}

/// Whether a handshake may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// It may.
    Yes,
    /// Once it has shown that its address is its own.
    ProveFirst,
    /// Its address has as much as one may have.
    No,
}

/// Half of what is forgotten within a minute. A little less than that: the airlock looks about once
/// a second.
const HALF: u32 = 290;

pub(super) struct Crowds {
    limits: PerAddress,
    open: Berths,
    /// This half and the one before.
    halves: [Half; 2],
    /// The number of this half.
    number: u32,
}

struct Half {
    claimed: Sketch,
    shown: Sketch,
}

impl Half {
    fn new(dice: &mut Dice) -> Self {
        Self {
            claimed: Sketch::new(dice),
            shown: Sketch::new(dice),
        }
    }

    fn is_empty(&self) -> bool {
        self.claimed.is_empty() && self.shown.is_empty()
    }

    fn wipe(&mut self, dice: &mut Dice) {
        self.claimed.wipe(dice);
        self.shown.wipe(dice);
    }
}

impl Crowds {
    pub(super) fn new(limits: PerAddress, dice: &mut Dice) -> Self {
        Self {
            limits,
            open: Berths::new(dice),
            halves: [Half::new(dice), Half::new(dice)],
            number: 0,
        }
    }

    /// Whether one more may begin from there. `shown`: it has shown that the address is its own.
    pub(super) fn may_begin(&self, real: &RealAddress, shown: bool) -> Allowance {
        let prefix = real.prefix();
        let of_both = |count: fn(&Half) -> &Sketch| {
            let counts = self
                .halves
                .each_ref()
                .map(|half| count(half).count(prefix.words()));
            counts
                .into_iter()
                .map(|count| count as usize)
                .sum::<usize>()
        };
        let open = self.open.count(prefix.words());
        let unshown = self.limits.handshakes / 4;
        if shown {
            let begun = of_both(|half| &half.shown);
            if begun < self.limits.handshakes - unshown && open < self.limits.connections {
                return Allowance::Yes;
            }
            return Allowance::No;
        }
        let claimed = of_both(|half| &half.claimed);
        // Those under way are among the claims: should all get through, there is room for them.
        if claimed < unshown && open + claimed < self.limits.connections {
            Allowance::Yes
        } else {
            Allowance::ProveFirst
        }
    }

    /// A handshake has begun.
    pub(super) fn begin(&mut self, real: &RealAddress, shown: bool) {
        let [half, _] = &mut self.halves;
        let sketch = if shown {
            &mut half.shown
        } else {
            &mut half.claimed
        };
        sketch.add(real.prefix().words());
    }

    /// A proven connection is open, if there may be one more.
    pub(super) fn berth(&mut self, real: &RealAddress) -> Option<Berth> {
        let prefix = real.prefix();
        let fits = self.open.count(prefix.words()) < self.limits.connections;
        fits.then(|| self.open.take(prefix.words()))
    }

    /// It is open no more.
    pub(super) fn unberth(&mut self, berth: Berth, dice: &mut Dice) {
        self.open.give_back(berth, dice);
    }

    /// Forgets what is half a minute old, or a whole one.
    pub(super) fn forget(&mut self, now: Tick, dice: &mut Dice) {
        let number = now.0 / HALF;
        let passed = number - self.number.min(number);
        self.number = number;
        for _ in 0..passed.min(2) {
            self.halves.swap(0, 1);
            self.halves[0].wipe(dice);
        }
    }

    /// Whether there is something that time has to wipe.
    pub(super) fn ages(&self) -> bool {
        self.halves.iter().any(|half| !half.is_empty())
    }

    /// All counters that there are: those of handshakes, those of connections.
    #[cfg(test)]
    pub(super) fn counters(&self) -> [Vec<u32>; 2] {
        let halves = self
            .halves
            .iter()
            .flat_map(|half| [&half.claimed, &half.shown]);
        let begun = halves.flat_map(Sketch::counters).copied().collect();
        [begun, self.open.counters().collect()]
    }

    /// What one address is counted under: in the two halves, and for connections.
    #[cfg(test)]
    pub(super) fn hashes(&self, real: &RealAddress) -> Vec<u64> {
        let halves = self
            .halves
            .iter()
            .flat_map(|half| [&half.claimed, &half.shown]);
        let keys = halves.map(Sketch::key).chain([self.open.key()]);
        let prefix = real.prefix();
        keys.map(|key| key.hash(prefix.words())).collect()
    }
}
