//! HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. One message for
//! each encapsulated key, so that its nonce is the base nonce.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// Bytes of an encapsulated key: what stands before the ciphertext of [`seal`].
pub const ENCAPSULATED: usize = 32;

const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x01";

/// It does not open, or a key is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this does not open")]
pub struct HpkeError;

/// A key pair. Its secret is wiped when dropped.
#[derive(Clone)]
pub struct KeyPair {
    secret: StaticSecret,
    public: PublicKey,
}

impl KeyPair {
    /// Derives it from random bytes (`DeriveKeyPair`, RFC 9180, section 7.1.3).
    pub fn derive(random: &[u8]) -> Result<Self, HpkeError> {
        let prk = extract(KEM, b"", b"dkp_prk", random);
        let secret = expand::<32>(&prk, KEM, b"sk", b"")?;
        Ok(Self::from_secret(&secret))
    }

    /// From a secret key.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let secret = StaticSecret::from(*secret);
        let public = PublicKey::from(&secret);
        Self { secret, public }
    }

    /// The secret key.
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// What others seal to.
    pub fn public(&self) -> [u8; 32] {
        self.public.to_bytes()
    }
}

/// The key pair of a seed.
///
/// # Errors
/// Never for 32 bytes; it says so for the sake of its callers' `?`.
pub fn key_pair(seed: &[u8; 32]) -> Result<KeyPair, HpkeError> {
    KeyPair::derive(seed)
}

/// Seals `plain` to the owner of `to`. `random` must be random and never used again. Gives the
/// encapsulated key and then the ciphertext.
///
/// # Errors
/// [`HpkeError`] when `to` is no key that can be sealed to.
pub fn seal(
    to: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
    random: &[u8; 32],
) -> Result<Vec<u8>, HpkeError> {
    let (encapsulated, context) = Context::sender(to, info, random)?;
    let sealed = context.seal(aad, plain)?;
    Ok([&encapsulated[..], &sealed].concat())
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`HpkeError`] when it was not sealed to this key, for this `info` and `aad`, or was changed.
pub fn open(
    key: &KeyPair,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
    let (encapsulated, sealed) = sealed.split_first_chunk().ok_or(HpkeError)?;
    Context::receiver(key, encapsulated, info)?.open(aad, sealed)
}

/// What both sides have in common: `Context` of RFC 9180, section 5.
pub(super) struct Context {
    key: Zeroizing<[u8; 16]>,
    nonce: [u8; 12],
    exporter: Zeroizing<[u8; 32]>,
}

impl Context {
    /// The sender's, with the encapsulated key.
    pub(super) fn sender(
        to: &[u8; 32],
        info: &[u8],
        random: &[u8; 32],
    ) -> Result<([u8; 32], Self), HpkeError> {
        let ephemeral = KeyPair::derive(random)?;
        let shared = ephemeral.secret.diffie_hellman(&PublicKey::from(*to));
        let encapsulated = ephemeral.public();
        Ok((
            encapsulated,
            Self::schedule(&shared, &encapsulated, to, info)?,
        ))
    }

    /// The receiver's.
    pub(super) fn receiver(
        key: &KeyPair,
        encapsulated: &[u8; 32],
        info: &[u8],
    ) -> Result<Self, HpkeError> {
        let shared = key.secret.diffie_hellman(&PublicKey::from(*encapsulated));
        Self::schedule(&shared, encapsulated, &key.public(), info)
    }

    /// Sections 4.1 (`ExtractAndExpand`) and 5.1 (`KeySchedule`).
    fn schedule(
        shared: &x25519_dalek::SharedSecret,
        encapsulated: &[u8; 32],
        to: &[u8; 32],
        info: &[u8],
    ) -> Result<Self, HpkeError> {
        // Section 7.1.4: a key of small order gives zeros.
        if !shared.was_contributory() {
            return Err(HpkeError);
        }
        let prk = extract(KEM, b"", b"eae_prk", shared.as_bytes());
        let kem_context = [&encapsulated[..], to].concat();
        let secret = expand::<32>(&prk, KEM, b"shared_secret", &kem_context)?;
        let mut context = vec![0];
        context.extend_from_slice(&*extract(SUITE, b"", b"psk_id_hash", b""));
        context.extend_from_slice(&*extract(SUITE, b"", b"info_hash", info));
        let prk = extract(SUITE, &*secret, b"secret", b"");
        Ok(Self {
            key: expand(&prk, SUITE, b"key", &context)?,
            nonce: *expand(&prk, SUITE, b"base_nonce", &context)?,
            exporter: expand(&prk, SUITE, b"exp", &context)?,
        })
    }

    pub(super) fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, HpkeError> {
        let payload = Payload { msg: plain, aad };
        let sealed = self.cipher().encrypt(&Nonce::from(self.nonce), payload);
        sealed.map_err(|_| HpkeError)
    }

    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
        let payload = Payload { msg: sealed, aad };
        let plain = self.cipher().decrypt(&Nonce::from(self.nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| HpkeError)
    }

    /// Section 5.3.
    pub(super) fn export(
        &self,
        context: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
        let mut out = Zeroizing::new(vec![0; length]);
        expand_into(&self.exporter, SUITE, b"sec", context, &mut out)?;
        Ok(out)
    }

    fn cipher(&self) -> Aes128Gcm {
        Aes128Gcm::new((&*self.key).into())
    }
}

/// `LabeledExtract`, section 4.
fn extract(suite: &[u8], salt: &[u8], label: &[u8], input: &[u8]) -> Zeroizing<[u8; 32]> {
    let input = Zeroizing::new([b"HPKE-v1", suite, label, input].concat());
    let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), &input);
    Zeroizing::new(prk.into())
}

/// `LabeledExpand`, section 4.
fn expand<const N: usize>(
    prk: &[u8; 32],
    suite: &[u8],
    label: &[u8],
    info: &[u8],
) -> Result<Zeroizing<[u8; N]>, HpkeError> {
    let mut out = Zeroizing::new([0; N]);
    expand_into(prk, suite, label, info, &mut *out)?;
    Ok(out)
}

fn expand_into(
    prk: &[u8; 32],
    suite: &[u8],
    label: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), HpkeError> {
    let length = u16::try_from(out.len()).map_err(|_| HpkeError)?;
    let info = [&length.to_be_bytes()[..], b"HPKE-v1", suite, label, info].concat();
    let hkdf = Hkdf::<Sha256>::from_prk(prk).map_err(|_| HpkeError)?;
    hkdf.expand(&info, out).map_err(|_| HpkeError)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn key(text: &str) -> [u8; 32] {
        hex(text).try_into().unwrap()
    }

    const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
    const SECRET: &str = "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
    const ENCAPSULATED: &str = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
    const AAD: &str = "436f756e742d30";
    const PLAIN: &str = "4265617574792069732074727574682c20747275746820626561757479";
    const SEALED: &str = "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9\
                          6d8770ac83d07bea87e13c512a";

    /// RFC 9180, appendix A.1.1.
    #[test]
    fn the_vector_of_the_rfc_opens() {
        let receiver = KeyPair::from_secret(&key(SECRET));
        let sealed = [hex(ENCAPSULATED), hex(SEALED)].concat();
        let plain = open(&receiver, &hex(INFO), &hex(AAD), &sealed).unwrap();
        assert_eq!(*plain, hex(PLAIN));
        let context = Context::receiver(&receiver, &key(ENCAPSULATED), &hex(INFO)).unwrap();
        let exported = context.export(b"", 32).unwrap();
        let expected = "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee";
        assert_eq!(*exported, hex(expected));
    }

    /// The same, sealed: the ephemeral key derives from `ikmE`.
    #[test]
    fn the_vector_of_the_rfc_seals() {
        let receiver = KeyPair::from_secret(&key(SECRET));
        let random = key("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234");
        let sealed = seal(
            &receiver.public(),
            &hex(INFO),
            &hex(AAD),
            &hex(PLAIN),
            &random,
        );
        assert_eq!(sealed.unwrap(), [hex(ENCAPSULATED), hex(SEALED)].concat());
    }

    #[test]
    fn nothing_else_opens() {
        let (one, other) = (key_pair(&[1; 32]).unwrap(), key_pair(&[2; 32]).unwrap());
        let sealed = seal(&one.public(), b"info", b"aad", b"plain", &[3; 32]).unwrap();
        assert_eq!(*open(&one, b"info", b"aad", &sealed).unwrap(), b"plain");
        assert!(open(&other, b"info", b"aad", &sealed).is_err());
        assert!(open(&one, b"inf", b"aad", &sealed).is_err());
        assert!(open(&one, b"info", b"ad", &sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // X25519 does not look at the highest bit of a public key; the schedule does.
            assert!(open(&one, b"info", b"aad", &changed).is_err(), "bit {bit}");
        }
        assert!(open(&one, b"info", b"aad", &sealed[..31]).is_err());
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        assert!(seal(&[0; 32], b"", b"", b"", &[1; 32]).is_err());
    }
}
