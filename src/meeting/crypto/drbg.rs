//! Random bytes from a seed.

use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// A generator of random bytes: HMAC-SHA-256 in counter mode, with a new key after each draw, so that
/// what was drawn cannot be found again from what is left.
pub struct Drbg(Mutex<Zeroizing<[u8; 32]>>);

impl Drbg {
    /// `seed` must be random and never used again.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Mutex::new(Zeroizing::new(seed)))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        let mut key = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (count, chunk) in (0_u64..).zip(bytes.chunks_mut(32)) {
            let mut block = prf(&key, b"out", count);
            let (part, _) = block.split_at(chunk.len());
            chunk.copy_from_slice(part);
            block.zeroize();
        }
        let mut next = prf(&key, b"key", 0);
        key.copy_from_slice(&next);
        next.zeroize();
    }

    /// So many bytes.
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

fn prf(key: &[u8; 32], label: &[u8; 3], count: u64) -> [u8; 32] {
    // Any length of key is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(label);
    mac.update(&count.to_be_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_twice_and_a_seed_gives_the_same_again() {
        let (one, same, other) = (Drbg::new([1; 32]), Drbg::new([1; 32]), Drbg::new([2; 32]));
        let drawn: Vec<[u8; 48]> = (0..100).map(|_| one.array()).collect();
        let again: Vec<[u8; 48]> = (0..100).map(|_| same.array()).collect();
        assert_eq!(drawn, again);
        let mut blocks: Vec<[u8; 16]> = drawn.as_flattened().as_chunks().0.to_vec();
        blocks.extend((0..100).map(|_| other.array::<16>()));
        let count = blocks.len();
        blocks.sort_unstable();
        blocks.dedup();
        assert_eq!(blocks.len(), count);
    }
}
