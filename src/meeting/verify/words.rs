//! Five words for a meeting, the same on every honest screen: 55 bits of Argon2id over the hash of the
//! host's key bundle.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::lists::Language;

/// Memory for one computation, in KiB: 64 MiB, which a phone's browser has to spare for a second.
pub const ARGON2_MEMORY_KIB: u32 = 64 * 1024;

/// Passes over it (RFC 9106, section 4: its second recommended choice has 64 MiB and 3 passes; that has
/// four lanes besides, we have one, since a browser has one thread).
pub const ARGON2_PASSES: u32 = 3;

const LANES: u32 = 1;

/// Nobody chooses the input but the host's device, so one salt serves all. What that costs: who
/// attacks n meetings at once needs n times fewer guesses for one of them.
const SALT: &[u8] = b"sottovoce meeting words 1";

const COUNT: usize = 5;

/// Bits of a second key's cost, as powers of two, rounded down: guesses, and BLAKE2b compressions
/// for each. One pass fills a block of 1 KiB with 16 rounds, and a compression has 12.
const _: () = {
    let guesses = 11 * COUNT as u32;
    let each = (ARGON2_PASSES * ARGON2_MEMORY_KIB / 12 * 16).ilog2();
    assert!(
        guesses + each > 70,
        "a second key with the same words is too cheap"
    );
};

/// A meeting's words before they are put in a language.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MeetingWords([u16; COUNT]);

impl MeetingWords {
    /// From the SHA-256 of the host's key bundle. Takes a good part of a second and 64 MiB: call it off
    /// the event loop, once a meeting. `None` only when the cryptography is out of order.
    pub fn of_bundle(bundle_hash: &[u8; 32]) -> Option<Self> {
        let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, LANES, Some(8)).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = Zeroizing::new([0; 8]);
        argon
            .hash_password_into(bundle_hash, SALT, out.as_mut())
            .ok()?;
        let bits = u64::from_be_bytes(*out) >> (64 - 11 * COUNT);
        let word = |index| (bits >> (11 * (COUNT - 1 - index)) & 0x7ff) as u16;
        Some(Self(std::array::from_fn(word)))
    }

    /// Their places in any list, for who has the lists elsewhere.
    pub fn numbers(&self) -> [u16; COUNT] {
        self.0
    }

    /// To show. Cheap.
    pub fn words(&self, language: Language) -> [&'static str; COUNT] {
        self.0.map(|number| language.word(number))
    }
}
