//! welcome and passive-client-*: somebody who enters by a welcome and follows what the others do, with
//! our primitives and our storage below openmls. What a meeting's policy would refuse (messages in the
//! clear, pre-shared keys, proposals by themselves) is taken here.

use openmls::prelude::{
    HpkePrivateKey, KeyPackageBundle, KeyPackageIn, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, OpenMlsProvider, OpenMlsSignaturePublicKey, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    ProcessedMessageContent, ProcessedWelcome, RatchetTreeIn, SignatureScheme, StagedWelcome,
    Verifiable, Welcome,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_traits::storage::StorageProvider;
use serde_json::{Value, json};
use sottovoce::meeting::crypto::{Provider, SUITE};
use tls_codec::DeserializeBytes as _;

use crate::{bytes, list, vectors};

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .use_ratchet_tree_extension(true)
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .number_of_resumption_psks(16)
        .build()
}

fn message(value: &Value) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact_bytes(&bytes(value)).expect("a message")
}

fn welcome(case: &Value) -> Welcome {
    match message(&case["welcome"]).extract() {
        MlsMessageBodyIn::Welcome(welcome) => welcome,
        _ => panic!("no welcome"),
    }
}

fn key_package(case: &Value) -> KeyPackageIn {
    match message(&case["key_package"]).extract() {
        MlsMessageBodyIn::KeyPackage(package) => package,
        _ => panic!("no key package"),
    }
}

/// Keeps the keys of a case as openmls keeps its own, by the encoding that it has for that.
fn provider(case: &Value, encryption_key: Vec<u8>) -> Provider {
    let provider = Provider::new([5; 32]);
    let key = |bytes: Vec<u8>| json!(HpkePrivateKey::from(bytes));
    let bundle = json!({
        "key_package": key_package(case),
        "private_init_key": key(bytes(&case["init_priv"])),
        "private_encryption_key": { "key": key(encryption_key) },
    });
    let bundle: KeyPackageBundle = serde_json::from_value(bundle).expect("keys");
    let reference = bundle.key_package().hash_ref(provider.crypto());
    let reference = reference.expect("a reference");
    let kept = provider.storage().write_key_package(&reference, &bundle);
    kept.expect("it is kept");
    provider
}

#[test]
fn a_welcome_opens_and_is_signed_by_its_sender() {
    let case = &vectors("welcome", 1)[0];
    let provider = provider(case, vec![0; 32]);
    let opened = ProcessedWelcome::new_from_welcome(&provider, &config(), welcome(case));
    let info = opened.expect("it opens").unverified_group_info().clone();
    let signer = |mut key: Vec<u8>, change: u8| {
        key[0] ^= change;
        OpenMlsSignaturePublicKey::new(key.into(), SignatureScheme::ED25519).expect("a key")
    };
    let key = bytes(&case["signer_pub"]);
    let by_another = info
        .clone()
        .verify(provider.crypto(), &signer(key.clone(), 1));
    assert!(by_another.is_err());
    assert!(info.verify(provider.crypto(), &signer(key, 0)).is_ok());
}

/// Enters, and is at the same secrets as the others, then and after each commit.
fn follow(case: &Value) {
    assert_eq!(case["cipher_suite"].as_u64(), Some(SUITE as u64));
    let provider = provider(case, bytes(&case["encryption_priv"]));
    for psk in list(&case["external_psks"]) {
        let id = Psk::External(ExternalPsk::new(bytes(&psk["psk_id"])));
        let id = PreSharedKeyId::new(SUITE, provider.rand(), id).expect("random bytes");
        id.store(&provider, &bytes(&psk["psk"]))
            .expect("it is kept");
    }
    let mut staged = StagedWelcome::build_from_welcome(&provider, &config(), welcome(case))
        .expect("it opens")
        .skip_lifetime_validation();
    if !case["ratchet_tree"].is_null() {
        let tree = bytes(&case["ratchet_tree"]);
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&tree).expect("a tree");
        staged = staged.with_ratchet_tree(tree);
    }
    let staged = staged.build().expect("a group");
    let mut group = staged.into_group(&provider).expect("a group");
    let authenticator = &case["initial_epoch_authenticator"];
    assert_eq!(group.epoch_authenticator().as_slice(), bytes(authenticator));
    for epoch in list(&case["epochs"]) {
        for proposal in list(&epoch["proposals"]) {
            take(&mut group, &provider, proposal);
        }
        take(&mut group, &provider, &epoch["commit"]);
        let authenticator = bytes(&epoch["epoch_authenticator"]);
        assert_eq!(group.epoch_authenticator().as_slice(), authenticator);
    }
}

fn take(group: &mut MlsGroup, provider: &Provider, value: &Value) {
    let message = message(value).try_into_protocol_message();
    let taken = group.process_message(provider, message.expect("a message of a group"));
    match taken.expect("it is taken").into_content() {
        ProcessedMessageContent::ProposalMessage(proposal) => group
            .store_pending_proposal(provider.storage(), *proposal)
            .expect("it waits"),
        ProcessedMessageContent::StagedCommitMessage(staged) => group
            .merge_staged_commit(provider, *staged)
            .expect("a new epoch"),
        _ => panic!("neither a proposal nor a commit"),
    }
}

#[test]
fn one_enters_by_each_kind_of_welcome() {
    for case in vectors("passive-client-welcome", 8) {
        follow(&case);
    }
}

#[test]
fn one_follows_each_kind_of_commit() {
    for case in vectors("passive-client-handling-commit", 13) {
        assert_eq!(list(&case["epochs"]).len(), 2);
        follow(&case);
    }
}

#[test]
fn one_follows_forty_commits_at_random() {
    for case in vectors("passive-client-random", 1) {
        assert_eq!(list(&case["epochs"]).len(), 40);
        follow(&case);
    }
}
