//! Who may use the relay: everyone, or those whose link holds a key of its pass.
//!
//! A pass derives from the relay's identity and a number, its *generation*; nothing about it is
//! written down. The participant's side of it is `meeting/links/pass.rs`.

use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::config::{AccessConfig, Who};
use crate::carrier::address::RelayAddress;
use crate::carrier::certificate::Identity;
use crate::wire::{PassProof, RoomHandle};

/// What the proof is made over: a label, the nonce, the room's handle; one block of SHA-256.
const BLOCK: usize = 64;
const LABEL: &[u8; 24] = b"sottovoce proof for room";

/// What the operator gives away to those who may meet at the relay.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pass([u8; 16]);

/// The key of a pass for the address that links call this relay by.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Key([u8; 16]);

/// The passes that are good, before it is known what links call the relay.
pub(super) enum Passes {
    /// None is asked for.
    Open,
    /// The newest generation's, and that of the one before.
    Valid(Vec<Pass>),
}

/// Whom the relay lets into a room.
#[derive(Default)]
pub(super) enum Access {
    /// Everyone.
    #[default]
    Open,
    /// Who shows that it has one of these.
    Keys(Vec<Key>),
}

impl Pass {
    /// The pass of a generation, which counts from 1.
    pub fn of(identity: &Identity, generation: u32) -> Self {
        Self(identity.pass(generation))
    }

    /// As the operator passes it on: `svp`, the number of this form, a dot, and in base64url the
    /// pass with a checksum.
    pub fn to_word(&self) -> Zeroizing<String> {
        let sum = Sha256::new()
            .chain_update(b"sottovoce pass")
            .chain_update(self.0)
            .finalize();
        let mut bytes = Zeroizing::new([0; 20]);
        bytes[..16].copy_from_slice(&self.0);
        bytes[16..].copy_from_slice(&sum[..4]);
        let mut word = Zeroizing::new(String::with_capacity(64));
        word.push_str("svp1.");
        BASE64URL_NOPAD.encode_append(&*bytes, &mut word);
        word
    }

    fn key(&self, relay: &str) -> Key {
        let mut info = Vec::with_capacity(64);
        for part in [b"relay pass".as_slice(), relay.as_bytes()] {
            info.extend_from_slice(&(part.len() as u32).to_be_bytes());
            info.extend_from_slice(part);
        }
        let mut key = Key([0; 16]);
        Hkdf::<Sha256>::new(Some(b"sottovoce 1"), &self.0)
            .expand(&info, &mut key.0)
            .expect("HKDF gives up to 8,160 bytes");
        key
    }
}

impl Passes {
    pub(super) fn of(config: &AccessConfig, identity: &Identity) -> Self {
        match config.who {
            Who::Open => Self::Open,
            Who::Pass => {
                let newest = config.generation;
                let valid = [newest, newest.saturating_sub(1)];
                // None was ever given away of the one before the first.
                let valid = valid.into_iter().filter(|generation| *generation > 0);
                Self::Valid(valid.map(|number| Pass::of(identity, number)).collect())
            }
        }
    }

    /// What links have of these passes when they call the relay so.
    pub(super) fn at(&self, address: &RelayAddress) -> Access {
        let relay = format!("{}:{}", address.host().to_text(), address.port());
        match self {
            Self::Open => Access::Open,
            Self::Valid(passes) => {
                Access::Keys(passes.iter().map(|pass| pass.key(&relay)).collect())
            }
        }
    }
}

impl Access {
    /// Whether who shows this may go into this room. It takes as long whichever key was used, and
    /// whichever part of a proof is wrong, and nothing is kept.
    pub(super) fn admits(&self, room: &RoomHandle, proof: Option<&PassProof>) -> bool {
        let (keys, proof) = match (self, proof) {
            (Self::Open, _) => return true,
            (Self::Keys(_), None) => return false,
            (Self::Keys(keys), Some(proof)) => (keys, proof),
        };
        // A whole block, which the hash takes from here: what it takes in part it would copy.
        let mut block = Zeroizing::new([0; BLOCK]);
        block[..24].copy_from_slice(LABEL);
        block[24..32].copy_from_slice(&proof.nonce);
        block[32..].copy_from_slice(&room.0);
        keys.iter().fold(false, |admitted, key| {
            admitted | key.made(&block, &proof.tag)
        })
    }
}

impl Key {
    fn made(&self, block: &[u8; BLOCK], tag: &[u8; 16]) -> bool {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return false;
        };
        mac.update(block);
        mac.verify_truncated_left(tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const ROOM: RoomHandle = RoomHandle([7; 32]);

    fn counting() -> RoomHandle {
        RoomHandle(std::array::from_fn(|index| index as u8))
    }

    fn proof(key: &Key, room: &RoomHandle, nonce: [u8; 8]) -> PassProof {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).unwrap();
        mac.update(LABEL);
        mac.update(&nonce);
        mac.update(&room.0);
        let tag = mac.finalize().into_bytes()[..16].try_into().unwrap();
        PassProof { nonce, tag }
    }

    fn access(identity: u8, generation: u32, address: &str) -> Access {
        let config = AccessConfig {
            who: Who::Pass,
            generation,
        };
        let identity = Identity::from_bytes([identity; 32]);
        Passes::of(&config, &identity).at(&address.parse().unwrap())
    }

    fn key(identity: u8, generation: u32, relay: &str) -> Key {
        Pass::of(&Identity::from_bytes([identity; 32]), generation).key(relay)
    }

    /// The same files hold for the participant's side: `meeting/links/pass.rs`. After a change that
    /// is meant: `SOTTOVOCE_WRITE_GOLDEN=1 cargo test --lib relay::access`.
    #[test]
    fn a_pass_and_what_follows_from_it_are_as_pinned() {
        let pass = Pass::of(&Identity::from_bytes(counting().0), 2);
        let key = pass.key("192.0.2.1:4433");
        let tag = proof(&key, &counting(), [0xa0; 8]).tag;
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pass");
        for (name, now) in [
            ("word.txt", pass.to_word().to_string()),
            ("pass.hex", hex(&pass.0)),
            ("key.hex", hex(&key.0)),
            ("tag.hex", hex(&tag)),
        ] {
            let file = folder.join(name);
            if std::env::var_os("SOTTOVOCE_WRITE_GOLDEN").is_some() {
                std::fs::write(&file, format!("{now}\n")).unwrap();
            }
            let pinned = std::fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(now, pinned.trim_end(), "{name} changed");
        }
    }

    #[test]
    fn a_proof_is_good_at_one_relay_for_one_room_and_as_it_was_made() {
        let relay = access(1, 1, "https://relay.example:4433/");
        let good = proof(&key(1, 1, "relay.example:4433"), &ROOM, [3; 8]);
        assert!(relay.admits(&ROOM, Some(&good)));
        assert!(!relay.admits(&ROOM, None));
        assert!(!relay.admits(&RoomHandle([8; 32]), Some(&good)));
        for (identity, address) in [(2, "relay.example:4433"), (1, "relay.example:443")] {
            let elsewhere = proof(&key(identity, 1, address), &ROOM, [3; 8]);
            assert!(!relay.admits(&ROOM, Some(&elsewhere)));
        }
        for place in 0..24 {
            let mut changed = good;
            match place {
                0..8 => changed.nonce[place] ^= 1,
                _ => changed.tag[place - 8] ^= 1,
            }
            assert!(!relay.admits(&ROOM, Some(&changed)), "{place}");
        }
        assert!(Access::Open.admits(&ROOM, None) && Access::Open.admits(&ROOM, Some(&good)));
    }

    #[test]
    fn two_generations_are_good_at_a_time() {
        let proofs =
            [0, 1, 2, 3].map(|number| proof(&key(1, number, "127.0.0.1:7"), &ROOM, [0; 8]));
        for (generation, good) in [
            (1, [false, true, false, false]),
            (2, [false, true, true, false]),
            (3, [false, false, true, true]),
            (u32::MAX, [false; 4]),
        ] {
            let relay = access(1, generation, "https://127.0.0.1:7/");
            let admitted = proofs.map(|proof| relay.admits(&ROOM, Some(&proof)));
            assert_eq!(admitted, good, "generation {generation}");
        }
    }
}
