//! How many handshakes fell into each of a few counters, and not whose they were.

use zeroize::Zeroize;

use super::dice::{Dice, HashKey};

/// Counters: a power of two. So few that eight million IPv4 addresses share each. Whoever has the
/// memory has the key too, and can try all addresses: what makes a counter tell nothing is how many
/// fit. More: fewer fit. Fewer: whoever fills one by an address of its own meets more others, now one
/// in 512. Ten thousand proven handshakes a second from everywhere bring each to some 1,130 within a
/// minute: about a third of what one address may have.
const CELLS: usize = 512;

/// Handshakes that were begun: without showing the address, and after it was shown.
///
/// Both stand under the same key: two keys would narrow down, by two counters, who did both.
#[derive(Clone, Copy, Default, Zeroize)]
pub(super) struct Begun {
    pub(super) claimed: u32,
    pub(super) shown: u32,
}

/// Counters under a secret key. One never tells too little; more when others share it.
///
/// An address is noted once, in one of them. Noted in several, for counts that are more exact, it
/// could be read back: hardly another address would fit them all.
pub(super) struct Sketch {
    key: HashKey,
    cells: Vec<Begun>,
    empty: bool,
}

impl Sketch {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            key: HashKey::new(dice),
            cells: vec![Begun::default(); CELLS],
            empty: true,
        }
    }

    /// What was begun by `words`, and by those who share its counter.
    pub(super) fn count(&self, words: &[u64; 3]) -> Begun {
        self.cells[self.cell(words)]
    }

    pub(super) fn add(&mut self, words: &[u64; 3], shown: bool) {
        let cell = self.cell(words);
        let Begun {
            claimed,
            shown: of_shown,
        } = &mut self.cells[cell];
        let count = if shown { of_shown } else { claimed };
        *count = count.saturating_add(1);
        self.empty = false;
    }

    /// Whether nothing is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Forgets everything, and counts under another key from now on.
    pub(super) fn wipe(&mut self, dice: &mut Dice) {
        if !self.empty {
            // One by one: a vector would lose its length.
            self.cells.iter_mut().zeroize();
            self.empty = true;
        }
        self.key = HashKey::new(dice);
    }

    fn cell(&self, words: &[u64; 3]) -> usize {
        self.key.hash(words) as usize % CELLS
    }

    /// All of its counters.
    #[cfg(test)]
    pub(super) fn counters(&self) -> impl Iterator<Item = u32> {
        let both = |cell: &Begun| [cell.claimed, cell.shown];
        self.cells.iter().flat_map(both)
    }

    #[cfg(test)]
    pub(super) fn key(&self) -> &HashKey {
        &self.key
    }
}

impl Drop for Sketch {
    fn drop(&mut self) {
        self.cells.zeroize();
    }
}
