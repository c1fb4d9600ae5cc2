//! Ed25519 (RFC 8032).

use ed25519_dalek::{Signature, Signer, VerifyingKey};
use openmls_traits::signatures::SignerError;
use openmls_traits::types::SignatureScheme;
use zeroize::ZeroizeOnDrop;

/// A key to sign with. Wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// What others check signatures with.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl openmls_traits::signatures::Signer for SigningKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(SigningKey::sign(self, payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Whether this is the signature of that key over `message`. Strict: keys of small order, and more
/// than one signature for one message and nonce, are refused.
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else {
        return false;
    };
    key.verify_strict(message, &Signature::from_bytes(signature))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        HEXLOWER
            .decode(text.as_bytes())
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// RFC 8032, section 7.1, test 3.
    #[test]
    fn the_vector_of_the_rfc() {
        let seed = hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let public = hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
        let signature: [u8; 64] = hex(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        );
        let key = SigningKey::from_seed(&seed);
        assert_eq!(key.public(), public);
        assert_eq!(key.sign(&[0xaf, 0x82]), signature);
        assert!(verify(&public, &[0xaf, 0x82], &signature));
        assert!(!verify(&public, &[0xaf, 0x83], &signature));
    }

    /// A key of small order, for which one signature is good for almost any message.
    #[test]
    fn a_weak_key_signs_nothing() {
        let mut weak = [0; 32];
        weak[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&weak, b"anything", &signature));
    }
}
