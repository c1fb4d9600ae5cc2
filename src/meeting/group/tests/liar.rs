//! A member whose cryptography writes what openmls would not: wherever bytes are signed, hashed or
//! sealed that hold one proposal, they hold another of the same length. All the rest fits.

use openmls::prelude::{
    ExternalInitProposal, LeafNodeParameters, OpenMlsProvider, Proposal, ProposalOrRefType, Propose,
};
use openmls_memory_storage::MemoryStorage;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
    HpkeKeyPair, KemOutput, SignatureScheme,
};
use tls_codec::{DeserializeBytes as _, SecretVLBytes, Serialize as _};

use super::raw::*;
use super::*;
use crate::meeting::crypto::Provider;
use GroupRejection as No;

type Suite = <Provider as OpenMlsProvider>::CryptoProvider;

struct Liar<'a> {
    provider: &'a Provider,
    key: &'a SigningKey,
    /// What openmls writes, and what goes out.
    truth: Vec<u8>,
    lie: Vec<u8>,
}

impl Liar<'_> {
    fn told(&self, bytes: &[u8]) -> Vec<u8> {
        let mut told = bytes.to_vec();
        let length = self.truth.len();
        let at = bytes.windows(length).position(|part| part == self.truth);
        if let Some(at) = at {
            told[at..at + length].copy_from_slice(&self.lie);
        }
        told
    }

    fn honest(&self) -> &Suite {
        self.provider.crypto()
    }
}

impl Signer for Liar<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(SigningKey::sign(self.key, &self.told(payload)).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl OpenMlsProvider for Liar<'_> {
    type CryptoProvider = Self;
    type RandProvider = Suite;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        self.provider.storage()
    }

    fn crypto(&self) -> &Self {
        self
    }

    fn rand(&self) -> &Suite {
        self.provider.rand()
    }
}

impl OpenMlsCrypto for Liar<'_> {
    fn hash(&self, kind: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.honest().hash(kind, &self.told(data))
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let data = self.told(data);
        self.honest().aead_encrypt(alg, key, &data, nonce, aad)
    }

    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        self.honest().supports(suite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.honest().supported_ciphersuites()
    }

    fn hkdf_extract(
        &self,
        kind: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.honest().hkdf_extract(kind, salt, ikm)
    }

    fn hmac(
        &self,
        kind: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.honest().hmac(kind, key, message)
    }

    fn hkdf_expand(
        &self,
        kind: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.honest().hkdf_expand(kind, prk, info, length)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.honest().aead_decrypt(alg, key, sealed, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.honest().signature_key_gen(alg)
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        key: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.honest().verify_signature(alg, data, key, signature)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.honest().sign(alg, data, key)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        to: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.honest().hpke_seal(config, to, info, aad, plain)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        key: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.honest().hpke_open(config, input, key, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        to: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let honest = self.honest();
        honest.hpke_setup_sender_and_export(config, to, info, context, length)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        key: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let honest = self.honest();
        honest.hpke_setup_receiver_and_export(config, enc, key, info, context, length)
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        self.honest().derive_hpke_keypair(config, ikm)
    }
}

/// A proposal that openmls puts in a commit and that changes nothing at its sender, of that length.
fn placeholder(length: usize) -> (Proposal, Vec<u8>) {
    let header = if length < 67 { 3 } else { 4 };
    let mut body = vec![0xa7; length];
    body[0] = 0;
    body[1] = 6;
    match header {
        3 => body[2] = (length - 3) as u8,
        _ => body[2..4].copy_from_slice(&(0x4000 | (length - 4) as u16).to_be_bytes()),
    }
    let init = ExternalInitProposal::tls_deserialize_exact_bytes(&body[2..]).unwrap();
    (Proposal::ExternalInit(init.into()), body)
}

/// A commit with these proposals, in the encoding of RFC 9420, section 12.1.
fn commit_of(group: &mut Group, lie: Vec<u8>) -> Vec<u8> {
    let (group, provider, key) = group.parts();
    let (proposal, mut truth) = placeholder(lie.len());
    // In a commit each stands behind a byte that says that it is there itself.
    truth.insert(0, 1);
    let mut told = lie;
    told.insert(0, 1);
    let liar = Liar {
        provider,
        key,
        truth,
        lie: told,
    };
    let bundle = group
        .commit_builder()
        .force_self_update(true)
        .add_proposal(proposal)
        .load_psks(provider.storage())
        .unwrap()
        .build(provider.rand(), &liar, &liar, |_| true)
        .unwrap()
        .stage_commit(&liar)
        .unwrap();
    let commit = bytes(bundle.into_commit());
    group.clear_pending_commit(provider.storage()).unwrap();
    commit
}

#[track_caller]
fn lie_is_refused(lie: impl Fn(&mut Group) -> Vec<u8>, reason: GroupRejection) {
    let (mut host, mut members) = meeting(2);
    let lie = lie(&mut host);
    let commit = commit_of(&mut host, lie);
    refuses(&mut members[0], &commit, reason);
    refuses(&mut members[1], &commit, reason);
    lives_on(&mut host, &mut members);
}

#[test]
fn no_commit_closes_the_group_in_favour_of_another() {
    let again = [0, 5, 3, 1, 2, 3, 0, 1, 0, 1, 0];
    lie_is_refused(|_| again.to_vec(), No::ReInit);
    let (mut host, mut members) = meeting(2);
    let commit = commit_of(&mut members[0], again.to_vec());
    refuses(&mut host, &commit, No::ReInit);
    refuses(&mut members[1], &commit, No::ReInit);
    lives_on(&mut host, &mut members);
}

#[test]
fn no_commit_updates_a_leaf_by_a_proposal() {
    let update = |host: &mut Group| {
        let (group, provider, key) = host.parts();
        let what = Propose::Update(LeafNodeParameters::default());
        let by_reference = ProposalOrRefType::Reference;
        group.propose(provider, key, what, by_reference).unwrap();
        let proposal = group.pending_proposals().next().unwrap().proposal();
        let encoded = proposal.tls_serialize_detached().unwrap();
        group.clear_pending_proposals(provider.storage()).unwrap();
        encoded
    };
    lie_is_refused(update, No::Update);
}

#[test]
fn no_commit_has_a_proposal_that_is_not_of_the_standard() {
    lie_is_refused(|_| vec![0xf0, 0xf0, 3, 1, 2, 3], No::UnknownProposal);
    // GREASE.
    lie_is_refused(|_| vec![0x0a, 0x0a, 3, 1, 2, 3], No::UnknownProposal);
    // AppEphemeral and AppDataUpdate.
    lie_is_refused(|_| vec![0, 9, 3, 1, 2, 3], No::UnknownProposal);
    lie_is_refused(|_| vec![0, 8, 3, 1, 2, 3], No::UnknownProposal);
}

#[test]
fn nobody_leaves_in_a_commit() {
    // Two of them: one alone is shorter than any other proposal.
    lie_is_refused(|_| vec![0, 10, 1, 0, 10], No::UnknownProposal);
}

#[test]
fn no_commit_changes_the_groups_own_extension() {
    let changed = |_: &mut Group| {
        let mut encoded = vec![0, 7, 35, 0xf5, 0xc0, 32];
        encoded.extend([1; 32]);
        encoded
    };
    lie_is_refused(changed, No::GroupExtensions);
}

#[test]
fn no_commit_removes_its_sender_or_nobody() {
    lie_is_refused(|_| vec![0, 3, 0, 0, 0, 0], No::Malformed);
    lie_is_refused(|_| vec![0, 3, 0, 0, 0, 9], No::Malformed);
}
