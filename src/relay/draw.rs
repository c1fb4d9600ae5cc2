//! Random numbers for participant ids.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::wire::ParticipantId;

/// A hash ratchet over a seed: each draw replaces the state, so that what is in memory tells
/// nothing of the ids that were drawn before. Only for what needs no speed.
#[derive(ZeroizeOnDrop)]
pub struct Draw {
    state: [u8; 32],
}

impl Draw {
    /// Starts from 32 bytes that nobody else knows.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { state: seed }
    }

    /// A number to key hash tables with, and an id of a participant's lower half.
    pub fn number(&mut self) -> u64 {
        let mut out = Sha256::new()
            .chain_update([1])
            .chain_update(self.state)
            .finalize();
        let next = Sha256::new()
            .chain_update([2])
            .chain_update(self.state)
            .finalize();
        self.state.copy_from_slice(&next);
        let mut low = [0; 8];
        low.copy_from_slice(&out[..8]);
        out.as_mut_slice().zeroize();
        u64::from_le_bytes(low)
    }

    /// An id that `taken` does not hold.
    pub fn participant(&mut self, mut taken: impl FnMut(ParticipantId) -> bool) -> ParticipantId {
        loop {
            let id = ParticipantId(self.number() as u32);
            if !taken(id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ_and_follow_from_the_seed() {
        let mut one = Draw::new([7; 32]);
        let mut two = Draw::new([7; 32]);
        let first: Vec<u64> = (0..64).map(|_| one.number()).collect();
        let second: Vec<u64> = (0..64).map(|_| two.number()).collect();
        assert_eq!(first, second);
        let distinct: std::collections::HashSet<_> = first.iter().collect();
        assert_eq!(distinct.len(), first.len());
    }

    #[test]
    fn a_taken_id_is_drawn_again() {
        let mut draw = Draw::new([9; 32]);
        let mut refused = 0;
        draw.participant(|_| {
            refused += 1;
            refused <= 3
        });
        assert_eq!(refused, 4);
    }
}
