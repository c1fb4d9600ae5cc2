//! Unpredictable numbers and a keyed hash, both from one seed.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A stream of unpredictable numbers. The state is overwritten by its own hash
/// with each block, so a seizure now tells nothing about numbers drawn before.
#[derive(ZeroizeOnDrop)]
pub(super) struct Dice {
    state: [u8; 32],
    block: [u64; 4],
    left: usize,
}

impl Dice {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            state: seed,
            block: [0; 4],
            left: 0,
        }
    }

    pub(super) fn roll(&mut self) -> u64 {
        if self.left == 0 {
            let hash = |purpose: u8| {
                Sha256::new()
                    .chain_update(self.state)
                    .chain_update([purpose])
            };
            let drawn = hash(0).finalize();
            let next = hash(1).finalize();
            for (word, bytes) in self.block.iter_mut().zip(drawn.chunks_exact(8)) {
                *word = bytes
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte));
            }
            self.state.copy_from_slice(&next);
            self.left = self.block.len();
        }
        self.left -= 1;
        std::mem::take(&mut self.block[self.left])
    }
}

/// SipHash-1-3 of three words under a secret key: peers choose their addresses
/// and ports, and must not be able to choose where in the table they fall.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct HashKey([u64; 2]);

impl HashKey {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self([dice.roll(), dice.roll()])
    }

    pub(super) fn hash(&self, words: &[u64; 3]) -> u64 {
        let [k0, k1] = self.0;
        let mut v = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        // The last word of SipHash carries the length in bytes.
        for word in [words[0], words[1], words[2], 24 << 56] {
            v[3] ^= word;
            round(&mut v);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        round(&mut v);
        round(&mut v);
        round(&mut v);
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    #[test]
    fn the_hash_is_siphash() {
        // std's hasher without a key is SipHash-1-3 under a key of zeros.
        let mut theirs = DefaultHasher::new();
        let words = [0x0123_4567_89ab_cdef, 42, u64::MAX];
        words.iter().for_each(|word| theirs.write_u64(*word));
        assert_eq!(HashKey([0, 0]).hash(&words), theirs.finish());
        assert_ne!(HashKey([0, 1]).hash(&words), theirs.finish());
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_seed_does_not() {
        let draw = |seed: u8| {
            let mut dice = Dice::new([seed; 32]);
            (0..100).map(|_| dice.roll()).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        assert_eq!(drawn, draw(1));
        let mut all = [drawn, draw(2)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200);
    }
}
