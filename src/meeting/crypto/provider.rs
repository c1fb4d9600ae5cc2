//! What openmls asks its surroundings for: cryptography, randomness, a place to keep things. Only suite 1.

use std::sync::atomic::{AtomicU32, Ordering};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext,
    HpkeConfig, HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use sha2::{Digest, Sha256};
use tls_codec::SecretVLBytes;
use zeroize::Zeroizing;

use super::drbg::Drbg;
use super::hpke::{Context, KeyPair};
use super::sign::{SigningKey, verify};
use super::storage::Storage;

/// The suite of every meeting (RFC 9420, section 17.1).
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

const HPKE: HpkeConfig = HpkeConfig(
    HpkeKemType::DhKem25519,
    HpkeKdfType::HkdfSha256,
    HpkeAeadType::AesGcm128,
);

/// How the derivation begins by which a sender's ratchet goes on to its next message: 32 bytes, label,
/// and four bytes of generation (RFC 9420, sections 8 and 9.1).
const GOES_ON: &[u8] = b"\x00\x20\x0eMLS 1.0 secret\x04";

/// The primitives, with a generator of random bytes.
pub struct Suite {
    random: Drbg,
    /// By how many messages ratchets may go on.
    ratchets: AtomicU32,
}

/// Everything that openmls needs.
pub struct Provider {
    suite: Suite,
    storage: Storage,
}

impl Provider {
    /// `seed` must be random and never used again.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            suite: Suite {
                random: Drbg::new(seed),
                ratchets: AtomicU32::new(u32::MAX),
            },
            storage: Storage::default(),
        }
    }

    /// Its random bytes.
    pub fn random(&self) -> &Drbg {
        &self.suite.random
    }

    /// From now on ratchets of senders (RFC 9420, section 9) go on by so many messages, and no further.
    /// Gives back what was left of the number before.
    pub fn bound_ratchets(&self, messages: u32) -> u32 {
        self.suite.ratchets.swap(messages, Ordering::Relaxed)
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Suite;
    type RandProvider = Suite;
    type StorageProvider = Storage;

    fn storage(&self) -> &Storage {
        &self.storage
    }

    fn crypto(&self) -> &Suite {
        &self.suite
    }

    fn rand(&self) -> &Suite {
        &self.suite
    }
}

/// Never happens: a seed does not run out.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes")]
pub enum NoRandomness {}

impl OpenMlsRand for Suite {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        Ok(self.random.array())
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; len];
        self.random.fill(&mut bytes);
        Ok(bytes)
    }
}

impl OpenMlsCrypto for Suite {
    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        match ciphersuite {
            SUITE => Ok(()),
            _ => Err(CryptoError::UnsupportedCiphersuite),
        }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![SUITE]
    }

    fn hkdf_extract(
        &self,
        hash: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        sha256(hash)?;
        let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), ikm);
        Ok(prk.as_slice().into())
    }

    fn hmac(
        &self,
        hash: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        sha256(hash)?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key).map_err(|_| CryptoError::CryptoLibraryError)?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().as_slice().into())
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        sha256(hash)?;
        if info.starts_with(GOES_ON) {
            let less = |left: u32| left.checked_sub(1);
            let order = Ordering::Relaxed;
            let left = self.ratchets.fetch_update(order, order, less);
            left.map_err(|_| CryptoError::CryptoLibraryError)?;
        }
        let hkdf =
            Hkdf::<Sha256>::from_prk(prk).map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        let mut okm = vec![0; okm_len];
        hkdf.expand(info, &mut okm)
            .map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        Ok(okm.into())
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        sha256(hash)?;
        Ok(Sha256::digest(data).to_vec())
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let (cipher, nonce) = cipher(alg, key, nonce)?;
        let payload = Payload { msg: data, aad };
        let sealed = cipher.encrypt(&nonce, payload);
        sealed.map_err(|_| CryptoError::CryptoLibraryError)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let (cipher, nonce) = cipher(alg, key, nonce)?;
        let payload = Payload { msg: ct_tag, aad };
        let opened = cipher.decrypt(&nonce, payload);
        opened.map_err(|_| CryptoError::AeadDecryptionError)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        ed25519(alg)?;
        let seed = Zeroizing::new(self.random.array::<32>());
        let public = SigningKey::from_seed(&seed).public();
        Ok((seed.to_vec(), public.to_vec()))
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        ed25519(alg)?;
        let key = pk.try_into().map_err(|_| CryptoError::InvalidPublicKey)?;
        let signature = signature
            .try_into()
            .map_err(|_| CryptoError::InvalidSignature)?;
        match verify(key, data, signature) {
            true => Ok(()),
            false => Err(CryptoError::InvalidSignature),
        }
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        ed25519(alg)?;
        let seed = key.try_into().map_err(|_| CryptoError::InvalidLength)?;
        Ok(SigningKey::from_seed(seed).sign(data).to_vec())
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let failed = CryptoError::HpkeEncryptionError;
        hpke(&config)?;
        let to = pk_r.try_into().map_err(|_| failed)?;
        let random = Zeroizing::new(self.random.array::<32>());
        let (encapsulated, context) = Context::sender(to, info, &random).map_err(|_| failed)?;
        let sealed = context.seal(aad, ptxt).map_err(|_| failed)?;
        Ok(HpkeCiphertext {
            kem_output: encapsulated.to_vec().into(),
            ciphertext: sealed.into(),
        })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let failed = CryptoError::HpkeDecryptionError;
        hpke(&config)?;
        let context = receiver(input.kem_output.as_slice(), sk_r, info).ok_or(failed)?;
        let plain = context
            .open(aad, input.ciphertext.as_slice())
            .map_err(|_| failed)?;
        Ok(plain.to_vec())
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let failed = CryptoError::SenderSetupError;
        hpke(&config)?;
        let to = pk_r.try_into().map_err(|_| failed)?;
        let random = Zeroizing::new(self.random.array::<32>());
        let (encapsulated, context) = Context::sender(to, info, &random).map_err(|_| failed)?;
        let secret = context
            .export(exporter_context, exporter_length)
            .map_err(|_| CryptoError::ExporterError)?;
        Ok((encapsulated.to_vec(), secret.to_vec().into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        hpke(&config)?;
        let context = receiver(enc, sk_r, info).ok_or(CryptoError::ReceiverSetupError)?;
        let secret = context
            .export(exporter_context, exporter_length)
            .map_err(|_| CryptoError::ExporterError)?;
        Ok(secret.to_vec().into())
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        hpke(&config)?;
        let pair = KeyPair::derive(ikm).map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(HpkeKeyPair {
            private: pair.secret().as_slice().into(),
            public: pair.public().to_vec(),
        })
    }
}

fn receiver(encapsulated: &[u8], secret: &[u8], info: &[u8]) -> Option<Context> {
    let key = KeyPair::from_secret(secret.try_into().ok()?);
    Context::receiver(&key, encapsulated.try_into().ok()?, info).ok()
}

fn cipher(
    alg: AeadType,
    key: &[u8],
    nonce: &[u8],
) -> Result<(Aes128Gcm, Nonce<aes_gcm::aead::consts::U12>), CryptoError> {
    if alg != AeadType::Aes128Gcm {
        return Err(CryptoError::UnsupportedAeadAlgorithm);
    }
    let cipher = Aes128Gcm::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
    let nonce: [u8; 12] = nonce.try_into().map_err(|_| CryptoError::InvalidLength)?;
    Ok((cipher, nonce.into()))
}

fn sha256(hash: HashType) -> Result<(), CryptoError> {
    match hash {
        HashType::Sha2_256 => Ok(()),
        _ => Err(CryptoError::UnsupportedHashAlgorithm),
    }
}

fn ed25519(scheme: SignatureScheme) -> Result<(), CryptoError> {
    match scheme {
        SignatureScheme::ED25519 => Ok(()),
        _ => Err(CryptoError::UnsupportedSignatureScheme),
    }
}

fn hpke(config: &HpkeConfig) -> Result<(), CryptoError> {
    match (config.0, config.1, config.2) == (HPKE.0, HPKE.1, HPKE.2) {
        true => Ok(()),
        false => Err(CryptoError::UnsupportedCiphersuite),
    }
}
