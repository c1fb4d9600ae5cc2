//! How many connections and handshakes come from one address, without a list of addresses.
//!
//! What is counted is the prefix that one customer of a network has: an IPv4 address, or the /56 of
//! an IPv6 address. Three counts:
//!
//! * handshakes begun by somebody who showed that the address is its own (by the token of a Retry,
//!   RFC 9000, section 8.1.2): *shown*;
//! * handshakes begun without: *claimed*;
//! * connections of those whose address is proven, in [`Berths`], and how many of these are still
//!   under way to be open.
//!
//! The first two are in a [`Sketch`], of which there are two, for two halves of a minute. At the end
//! of a half the older one is wiped and gets another key, so what happened is forgotten within a
//! minute, and no counter can be followed from one half to the next.
//!
//! **No address can be read out of it**, since millions share each counter: also whoever has the keys
//! and tries every address finds millions that fit (sixteen thousand, of who came in both halves).
//! What it cannot hide is whether one of a few suspects may have come.
//!
//! **Nobody can lock out another from elsewhere.** A first packet may claim any address as its source,
//! so claims have one effect alone: past a quarter of the handshakes, whoever comes from there must
//! show its address first, which costs an honest peer a round trip and a spoofer everything. It is
//! refused only for what was shown and for connections that are open, and neither can be had in the
//! name of an address whose packets one does not get. Nor by moving there: a connection counts where
//! it was proven. Who is asked for a proof has begun nothing, and is not counted. What is left is who
//! shares the address, or by chance the counter (one address in 512).

use super::address::RealAddress;
use super::berths::{Berth, Berths};
use super::dice::Dice;
use super::pair::Tick;
use super::sketch::{Begun, Sketch};

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
    /// Once another one from its address is through.
    Later,
    /// Its address has as much as one may have.
    No,
}

/// Half of what is forgotten within a minute. A little less than that: the airlock looks about once
/// a second.
const HALF: u32 = 290;

pub(super) struct Crowds {
    limits: PerAddress,
    /// Handshakes under way from one address that showed it.
    under_way: usize,
    berths: Berths,
    /// This half and the one before.
    halves: [Sketch; 2],
    /// The number of this half.
    number: u32,
}

impl Crowds {
    pub(super) fn new(limits: PerAddress, under_way: usize, dice: &mut Dice) -> Self {
        Self {
            limits,
            under_way,
            berths: Berths::new(dice),
            halves: [Sketch::new(dice), Sketch::new(dice)],
            number: 0,
        }
    }

    /// Whether one more may begin from there. `shown`: it has shown that the address is its own.
    pub(super) fn may_begin(&self, real: &RealAddress, shown: bool) -> Allowance {
        let prefix = real.prefix();
        let halves = self.halves.each_ref();
        let halves = halves.map(|half| half.count(prefix.words()));
        let in_both = |count: fn(&Begun) -> u32| -> usize {
            halves.iter().map(|begun| count(begun) as usize).sum()
        };
        let taken = self.berths.count(prefix.words());
        let (open, under_way) = (taken.all as usize, taken.under_way as usize);
        let unshown = self.limits.handshakes / 4;
        if shown {
            let begun = in_both(|begun| begun.shown);
            if begun >= self.limits.handshakes - unshown || open >= self.limits.connections {
                return Allowance::No;
            }
            return match under_way < self.under_way {
                true => Allowance::Yes,
                false => Allowance::Later,
            };
        }
        let claimed = in_both(|begun| begun.claimed);
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
        half.add(real.prefix().words(), shown);
    }

    /// A connection of a proven peer begins, if there may be one more.
    pub(super) fn berth(&mut self, real: &RealAddress) -> Option<Berth> {
        let prefix = real.prefix();
        let taken = self.berths.count(prefix.words()).all as usize;
        (taken < self.limits.connections).then(|| self.berths.take(prefix.words()))
    }

    /// It is open.
    pub(super) fn arrive(&mut self, berth: &Berth) {
        self.berths.arrive(berth);
    }

    /// It is open no more.
    pub(super) fn unberth(&mut self, berth: Berth, dice: &mut Dice) {
        self.berths.give_back(berth, dice);
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
        let begun = self.halves.iter().flat_map(Sketch::counters).collect();
        [begun, self.berths.counters().collect()]
    }

    /// What one address is counted under: in the two halves, and for connections.
    #[cfg(test)]
    pub(super) fn hashes(&self, real: &RealAddress) -> [u64; 3] {
        let [this, last] = self.halves.each_ref().map(Sketch::key);
        let prefix = real.prefix();
        [this, last, self.berths.key()].map(|key| key.hash(prefix.words()))
    }

    /// How often one may have come, as the counts of handshakes tell: in each half, claimed and shown.
    #[cfg(test)]
    pub(super) fn told(&self, real: &RealAddress) -> [u32; 4] {
        let prefix = real.prefix();
        let halves = self.halves.each_ref();
        let [this, last] = halves.map(|half| half.count(prefix.words()));
        [this.claimed, this.shown, last.claimed, last.shown]
    }
}
