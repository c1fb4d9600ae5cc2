//! How many connections are open from one address.

use zeroize::Zeroize;

use super::dice::{Dice, HashKey};

/// Counters that addresses fall into: a power of two. Few enough that a million IPv4 addresses share
/// each, so that a connection's counter does not say where it came from; many enough that whoever
/// fills one by an address of its own meets one other address in four thousand.
const CELLS: usize = 4096;

/// A connection's place in the count: a number that says nothing. Whoever has it gives it back.
pub struct Berth(u32);

/// In the number of a taken berth's cell: its handshake is under way.
const UNDER_WAY: u16 = 1 << 15;

/// What one counter tells of the addresses that share it.
#[derive(Clone, Copy, Default, Zeroize)]
pub(super) struct Taken {
    /// Connections, those included whose handshake is under way.
    pub(super) all: u32,
    pub(super) under_way: u32,
}

/// Counters under a secret key, and which of them each connection is counted in. It stays the one of
/// the address at which the connection was proven, wherever it moves: the source of a packet that
/// moves a connection may be forged.
///
/// When nobody is connected all of it is zero, and the next to come is counted under another key.
pub(super) struct Berths {
    key: HashKey,
    cells: Vec<Taken>,
    /// By the number of the berth: the cell plus one, and zero for a free one; see [`UNDER_WAY`].
    taken: Vec<u16>,
    free: Vec<u32>,
}

impl Berths {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            key: HashKey::new(dice),
            cells: vec![Taken::default(); CELLS],
            taken: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many are taken from there; more when others share the counter.
    pub(super) fn count(&self, prefix: &[u64; 3]) -> Taken {
        self.cells[self.cell(prefix)]
    }

    /// One more is taken, by a handshake that is under way.
    pub(super) fn take(&mut self, prefix: &[u64; 3]) -> Berth {
        let cell = self.cell(prefix);
        self.cells[cell].all += 1;
        self.cells[cell].under_way += 1;
        let number = self.free.pop().unwrap_or_else(|| {
            self.taken.push(0);
            self.taken.len() as u32 - 1
        });
        self.taken[number as usize] = (cell as u16 + 1) | UNDER_WAY;
        Berth(number)
    }

    /// Its handshake is complete.
    pub(super) fn arrive(&mut self, berth: &Berth) {
        let Some(taken) = self.taken.get_mut(berth.0 as usize) else {
            return;
        };
        if *taken & UNDER_WAY != 0 {
            *taken &= !UNDER_WAY;
            self.cells[usize::from(*taken) - 1].under_way -= 1;
        }
    }

    /// One is taken no more.
    pub(super) fn give_back(&mut self, berth: Berth, dice: &mut Dice) {
        self.arrive(&berth);
        let taken = self.taken.get_mut(berth.0 as usize).map(std::mem::take);
        let Some(cell) = taken.and_then(|taken| usize::from(taken).checked_sub(1)) else {
            return;
        };
        self.cells[cell].all -= 1;
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
        let both = |cell: &Taken| [cell.all, cell.under_way];
        self.cells.iter().flat_map(both).chain(taken)
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
