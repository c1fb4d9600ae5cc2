//! A relay's pass: the word that its operator gives to a community, and the key that a link holds of
//! it. `docs/media-format.md` describes both; the relay's side of it is `relay/access.rs`.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::text::is_blank;
use crate::meeting::secret::derive;
use crate::wire::{PassProof, RoomHandle};

/// What every pass begins with, and the number of the format after it.
const NAME: &str = "svp";
const VERSION: &str = "1";

const PASS: usize = 16;
const CHECKSUM: usize = 4;

/// Longest text that is looked at, in bytes.
const LONGEST: usize = 1024;

/// What an operator gives away to those who may meet at the relay. No link holds it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pass([u8; PASS]);

/// Why a text is no pass that this program can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    /// It has not the form of a pass.
    #[error(
        "this is no relay's pass. A pass begins with svp1. and is what the relay's operator gave \
         you; copy the whole of it"
    )]
    NotAPass,
    /// It was changed or cut off on its way.
    #[error(
        "this pass was damaged on its way: something in it is missing or changed. Copy the whole \
         of it again"
    )]
    Mangled,
    /// It is of a form that this program does not know.
    #[error("this pass is of a form that this sottovoce does not know; install a newer one")]
    Version,
}

/// What a link holds of a pass: good at one relay, under the one address that the link has for it.
/// Neither the pass nor a key for another address follows from it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PassKey([u8; PassKey::LENGTH]);

impl Pass {
    /// Reads a pass as people paste it, with blanks around or in it.
    ///
    /// # Errors
    /// [`PassError`].
    pub fn parse(text: &str) -> Result<Self, PassError> {
        if text.len() > LONGEST {
            return Err(PassError::NotAPass);
        }
        let text: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|&c| !is_blank(c)).collect());
        let rest = text.strip_prefix(NAME).ok_or(PassError::NotAPass)?;
        let (version, coded) = rest.split_once('.').ok_or(PassError::NotAPass)?;
        match version {
            VERSION => {}
            _ if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(PassError::Version);
            }
            _ => return Err(PassError::NotAPass),
        }
        let bytes = Base64UrlUnpadded::decode_vec(coded).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| PassError::Mangled)?;
        let (pass, sum) = bytes
            .split_last_chunk::<CHECKSUM>()
            .ok_or(PassError::Mangled)?;
        let pass = <[u8; PASS]>::try_from(pass).map_err(|_| PassError::Mangled)?;
        let pass = Self(pass);
        match pass.checksum() == *sum {
            true => Ok(pass),
            false => Err(PassError::Mangled),
        }
    }

    /// The key for a link that names the relay so, as `host:port`.
    pub(super) fn key(&self, relay: &str) -> PassKey {
        PassKey(*derive(&self.0, "relay pass", &[relay.as_bytes()]))
    }

    fn checksum(&self) -> [u8; CHECKSUM] {
        let digest = Sha256::new()
            .chain_update(b"sottovoce pass")
            .chain_update(self.0)
            .finalize();
        std::array::from_fn(|i| digest[i])
    }
}

impl PassKey {
    /// Bytes of one.
    pub(super) const LENGTH: usize = 16;

    pub(super) fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Shows to the relay that this key is there, for one `Hello`. `nonce` must be random.
    pub(super) fn prove(&self, room: &RoomHandle, nonce: [u8; 8]) -> PassProof {
        let mut tag = [0; 16];
        // HMAC takes keys of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(b"sottovoce proof for room");
            mac.update(&nonce);
            mac.update(&room.0);
            let whole = mac.finalize().into_bytes();
            tag = std::array::from_fn(|i| whole[i]);
        }
        PassProof { nonce, tag }
    }
}

/// A pass and its key wipe themselves, and so does whatever holds one.
const fn wipes<T: ZeroizeOnDrop>() {}
const _: () = {
    wipes::<Pass>();
    wipes::<PassKey>();
};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use data_encoding::HEXLOWER;

    use super::*;

    fn golden(name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pass");
        let text = std::fs::read_to_string(folder.join(name));
        text.unwrap_or_else(|_| panic!("{name} is not pinned"))
            .trim_end()
            .to_owned()
    }

    /// The same files hold for the relay's side: `relay/access.rs`.
    #[test]
    fn a_pass_and_what_follows_from_it_are_as_pinned() {
        let pass = Pass::parse(&golden("word.txt")).ok().unwrap();
        assert_eq!(HEXLOWER.encode(&pass.0), golden("pass.hex"));
        let key = pass.key("192.0.2.1:4433");
        assert_eq!(HEXLOWER.encode(&key.0), golden("key.hex"));
        let room = RoomHandle(std::array::from_fn(|index| index as u8));
        let proof = key.prove(&room, [0xa0; 8]);
        assert_eq!(HEXLOWER.encode(&proof.tag), golden("tag.hex"));
    }

    #[test]
    fn a_key_is_good_for_one_address_and_a_proof_for_one_room() {
        let pass = Pass([7; PASS]);
        let (one, other) = (pass.key("a:1"), pass.key("a:2"));
        assert!(one != other && one != Pass([8; PASS]).key("a:1"));
        let (room, next) = (RoomHandle([1; 32]), RoomHandle([2; 32]));
        let proof = one.prove(&room, [0; 8]);
        assert!(proof.tag != one.prove(&next, [0; 8]).tag);
        assert!(proof.tag != one.prove(&room, [1; 8]).tag);
        assert!(proof.tag != other.prove(&room, [0; 8]).tag);
    }

    #[test]
    fn a_pass_is_read_as_it_is_pasted_and_every_change_is_noticed() {
        let word = golden("word.txt");
        let (start, end) = word.split_at(12);
        for text in [format!(" {word}\r\n"), format!("{start}\n  {end}")] {
            assert!(Pass::parse(&text).is_ok(), "{text}");
        }
        for place in "svp1.".len()..word.len() {
            let mut cut = word.clone();
            cut.remove(place);
            assert_eq!(Pass::parse(&cut).err(), Some(PassError::Mangled), "{cut}");
            let mut changed = word.clone();
            let instead = if word[place..].starts_with('x') {
                "y"
            } else {
                "x"
            };
            changed.replace_range(place..=place, instead);
            let told = Pass::parse(&changed).err();
            assert_eq!(told, Some(PassError::Mangled), "{changed}");
        }
        for (text, told) in [
            ("", PassError::NotAPass),
            ("open", PassError::NotAPass),
            ("svpx.AAAA", PassError::NotAPass),
            ("svp.AAAA", PassError::NotAPass),
            ("https://192.0.2.1:4433/#AAAA", PassError::NotAPass),
            (&"svp1.".repeat(1000), PassError::NotAPass),
            ("svp2.AAAA", PassError::Version),
            ("svp1.", PassError::Mangled),
            ("svp1.!", PassError::Mangled),
        ] {
            assert_eq!(Pass::parse(text).err(), Some(told), "{text}");
        }
    }
}
