//! A counting sketch: how often something was counted, without what it was.

use zeroize::Zeroize;

use super::dice::{Dice, HashKey};

/// Each count is noted in so many rows, and the least is told: two that share a counter in one row
/// hardly share one in all.
const ROWS: usize = 4;

/// Counters in a row: a power of two. More: fewer counts that are told too high when many addresses
/// are counted at a time. A hundred thousand counts make every other one too high by some fifty.
const WIDTH: usize = 2048;

/// Counters under a secret key (a count-min sketch). It never tells too little.
///
/// A counter belongs to very many addresses, and without the key nobody can say to which.
pub(super) struct Sketch {
    key: HashKey,
    counters: Vec<u32>,
    /// How much is counted in all.
    total: u64,
}

impl Sketch {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            key: HashKey::new(dice),
            counters: vec![0; ROWS * WIDTH],
            total: 0,
        }
    }

    /// How often `words` were counted; more when others fell into the same counters.
    pub(super) fn count(&self, words: &[u64; 3]) -> u32 {
        if self.total == 0 {
            return 0;
        }
        let counters = places(self.key.hash(words)).map(|at| self.counters[at]);
        counters.into_iter().min().unwrap_or(0)
    }

    pub(super) fn add(&mut self, words: &[u64; 3]) {
        for at in places(self.key.hash(words)) {
            self.counters[at] = self.counters[at].saturating_add(1);
        }
        self.total += 1;
    }

    /// Whether nothing is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Forgets everything, and counts under another key from now on.
    pub(super) fn wipe(&mut self, dice: &mut Dice) {
        if self.total > 0 {
            // The slice: a vector would lose its length.
            self.counters[..].zeroize();
            self.total = 0;
        }
        self.key = HashKey::new(dice);
    }

    /// All of its counters.
    #[cfg(test)]
    pub(super) fn counters(&self) -> &[u32] {
        &self.counters
    }

    #[cfg(test)]
    pub(super) fn key(&self) -> &HashKey {
        &self.key
    }
}

impl Drop for Sketch {
    fn drop(&mut self) {
        self.counters.zeroize();
    }
}

/// The counter of each row: eleven bits of the hash choose one.
fn places(hash: u64) -> [usize; ROWS] {
    std::array::from_fn(|row| {
        let bits = (hash >> (row * WIDTH.trailing_zeros() as usize)) as usize;
        row * WIDTH + bits % WIDTH
    })
}
