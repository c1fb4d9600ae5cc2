//! How many connections are open from one address.

use zeroize::Zeroize;

use super::dice::{Dice, HashKey};

/// Counters that addresses fall into: a power of two. Few enough that a million IPv4 addresses share
/// each, so that a connection's counter does not say where it came from; many enough that whoever
/// fills one by an address of its own meets one other address in four thousand.
const CELLS: usize = 4096;

/// A connection's place in the count: a number that says nothing. Whoever has it gives it back.
pub struct Berth(u32);

/// Counters under a secret key, and which of them each connection is counted in. It stays the one of
/// the address at which the connection was proven, wherever it moves: the source of a packet that
/// moves a connection may be forged.
///
/// When nobody is connected all of it is zero, and the next to come is counted under another key.
pub(super) struct Berths {
    key: HashKey,
    cells: Vec<u32>,
    /// By the number of the berth: the cell, and zero for a free one.
    taken: Vec<u16>,
    free: Vec<u32>,
}

impl Berths {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            key: HashKey::new(dice),
            cells: vec![0; CELLS],
            taken: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many are open from there; more when others share the counter.
    pub(super) fn count(&self, prefix: &[u64; 3]) -> usize {
        self.cells[self.cell(prefix)] as usize
    }

    /// One more is open.
    pub(super) fn take(&mut self, prefix: &[u64; 3]) -> Berth {
        let cell = self.cell(prefix);
        self.cells[cell] += 1;
        let number = self.free.pop().unwrap_or_else(|| {
            self.taken.push(0);
            self.taken.len() as u32 - 1
        });
        self.taken[number as usize] = cell as u16 + 1;
        Berth(number)
    }

    /// One is open no more.
    pub(super) fn give_back(&mut self, berth: Berth, dice: &mut Dice) {
        let taken = self.taken.get_mut(berth.0 as usize).map(std::mem::take);
        let Some(cell) = taken.and_then(|taken| usize::from(taken).checked_sub(1)) else {
            return;
        };
        self.cells[cell] -= 1;
        self.free.push(berth.0);
        if self.free.len() == self.taken.len() {
            (self.taken, self.free) = (Vec::new(), Vec::new());
            self.key = HashKey::new(dice);
        }
    }

    fn cell(&self, prefix: &[u64; 3]) -> usize {
        self.key.hash(prefix) as usize % CELLS
    }

    /// All of its memory but the key.
    #[cfg(test)]
    pub(super) fn counters(&self) -> impl Iterator<Item = u32> {
        let taken = self.taken.iter().map(|cell| u32::from(*cell));
        self.cells.iter().copied().chain(taken)
    }

    #[cfg(test)]
    pub(super) fn key(&self) -> &HashKey {
        &self.key
    }
}

impl Drop for Berths {
    fn drop(&mut self) {
        self.cells.zeroize();
        self.taken.zeroize();
    }
}
