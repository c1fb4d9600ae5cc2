//! crypto-basics and key-schedule: what the labelled functions of RFC 9420 (sections 5.1, 5.2 and 8) make
//! of our primitives.

use openmls::prelude::{
    HpkeCiphertext, OpenMlsCrypto, OpenMlsProvider, SignContent, SignatureScheme,
    hash_ref::HashReference,
};
use openmls_traits::types::HashType;
use serde_json::Value;
use sottovoce::meeting::crypto::{Provider, SUITE};
use tls_codec::{Serialize as _, VLBytes};

use crate::{bytes, list, vectors};

/// A vector with its length before it.
fn vector(content: &[u8]) -> Vec<u8> {
    let vector = VLBytes::new(content.to_vec());
    vector.tls_serialize_detached().expect("bytes")
}

fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    let label = format!("MLS 1.0 {label}");
    [vector(label.as_bytes()), vector(content)].concat()
}

fn expand(secret: &[u8], label: &str, context: &[u8], length: u16) -> Vec<u8> {
    let label = [&length.to_be_bytes()[..], &labelled(label, context)].concat();
    let provider = Provider::new([0; 32]);
    let expanded = provider
        .crypto()
        .hkdf_expand(HashType::Sha2_256, secret, &label, length.into());
    expanded.expect("a secret").as_slice().to_vec()
}

fn extract(salt: &[u8], secret: &[u8]) -> Vec<u8> {
    let provider = Provider::new([0; 32]);
    let extracted = provider
        .crypto()
        .hkdf_extract(HashType::Sha2_256, salt, secret);
    extracted.expect("a secret").as_slice().to_vec()
}

fn derive(secret: &[u8], label: &str) -> Vec<u8> {
    expand(secret, label, b"", 32)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    let number = value.as_u64().and_then(|number| number.try_into().ok());
    number.expect("a number")
}

fn case() -> Value {
    vectors("crypto-basics", 1).remove(0)
}

#[test]
fn a_reference_is_a_hash() {
    let case = &case()["ref_hash"];
    let provider = Provider::new([0; 32]);
    let label = text(&case["label"]).as_bytes();
    let reference = HashReference::new(&bytes(&case["value"]), SUITE, provider.crypto(), label);
    assert_eq!(reference.expect("a hash").as_slice(), bytes(&case["out"]));
}

#[test]
fn secrets_derive() {
    let all = case();
    let case = &all["expand_with_label"];
    let (secret, context) = (bytes(&case["secret"]), bytes(&case["context"]));
    let length = number(&case["length"]);
    let out = expand(&secret, text(&case["label"]), &context, length);
    assert_eq!(out, bytes(&case["out"]));

    let case = &all["derive_secret"];
    let out = derive(&bytes(&case["secret"]), text(&case["label"]));
    assert_eq!(out, bytes(&case["out"]));

    let case = &all["derive_tree_secret"];
    let generation = number::<u32>(&case["generation"]).to_be_bytes();
    let (secret, length) = (bytes(&case["secret"]), number(&case["length"]));
    let out = expand(&secret, text(&case["label"]), &generation, length);
    assert_eq!(out, bytes(&case["out"]));
}

#[test]
fn signatures_are_made_and_checked() {
    let case = &case()["sign_with_label"];
    let (content, signature) = (bytes(&case["content"]), bytes(&case["signature"]));
    let signed = SignContent::new(text(&case["label"]), content.into());
    let mut signed = signed.tls_serialize_detached().expect("bytes");
    let (public, scheme) = (bytes(&case["pub"]), SignatureScheme::ED25519);
    let provider = Provider::new([0; 32]);
    let crypto = provider.crypto();
    // There is but one signature by a key (RFC 8032).
    let ours = crypto.sign(scheme, &signed, &bytes(&case["priv"]));
    assert_eq!(ours, Ok(signature.clone()));
    let checked = crypto.verify_signature(scheme, &signed, &public, &signature);
    assert_eq!(checked, Ok(()));
    signed[0] ^= 1;
    let checked = crypto.verify_signature(scheme, &signed, &public, &signature);
    assert!(checked.is_err());
}

#[test]
fn what_is_encrypted_opens() {
    let case = &case()["encrypt_with_label"];
    let info = labelled(text(&case["label"]), &bytes(&case["context"]));
    let (secret, plain) = (bytes(&case["priv"]), bytes(&case["plaintext"]));
    let provider = Provider::new([3; 32]);
    let crypto = provider.crypto();
    let open = |sealed: &HpkeCiphertext, info: &[u8]| {
        crypto.hpke_open(SUITE.hpke_config(), sealed, &secret, info, b"")
    };
    let sealed = HpkeCiphertext {
        kem_output: bytes(&case["kem_output"]).into(),
        ciphertext: bytes(&case["ciphertext"]).into(),
    };
    assert_eq!(open(&sealed, &info), Ok(plain.clone()));
    assert!(open(&sealed, b"another").is_err());
    let to = bytes(&case["pub"]);
    let ours = crypto.hpke_seal(SUITE.hpke_config(), &to, &info, b"", &plain);
    assert_eq!(open(&ours.expect("sealed"), &info), Ok(plain));
}

/// The key schedule (RFC 9420, section 8) and the exporter (8.5), from epoch to epoch.
#[test]
fn the_secrets_of_an_epoch_follow_from_those_of_the_last() {
    let case = vectors("key-schedule", 1).remove(0);
    let provider = Provider::new([0; 32]);
    let crypto = provider.crypto();
    let mut init = bytes(&case["initial_init_secret"]);
    for epoch in list(&case["epochs"]) {
        let is = |name: &str, secret: &[u8]| assert_eq!(secret, bytes(&epoch[name]), "{name}");
        let context = bytes(&epoch["group_context"]);
        let joiner = extract(&init, &bytes(&epoch["commit_secret"]));
        let joiner = expand(&joiner, "joiner", &context, 32);
        is("joiner_secret", &joiner);
        let member = extract(&joiner, &bytes(&epoch["psk_secret"]));
        is("welcome_secret", &derive(&member, "welcome"));
        let secret = expand(&member, "epoch", &context, 32);
        for (name, label) in [
            ("sender_data_secret", "sender data"),
            ("encryption_secret", "encryption"),
            ("exporter_secret", "exporter"),
            ("external_secret", "external"),
            ("confirmation_key", "confirm"),
            ("membership_key", "membership"),
            ("resumption_psk", "resumption"),
            ("epoch_authenticator", "authentication"),
            ("init_secret", "init"),
        ] {
            is(name, &derive(&secret, label));
        }
        init = derive(&secret, "init");
        let external = bytes(&epoch["external_secret"]);
        let pair = crypto.derive_hpke_keypair(SUITE.hpke_config(), &external);
        is("external_pub", &pair.expect("keys").public);

        let case = &epoch["exporter"];
        let hash = crypto.hash(HashType::Sha2_256, &bytes(&case["context"]));
        let exporter = derive(&bytes(&epoch["exporter_secret"]), text(&case["label"]));
        let length = number(&case["length"]);
        let exported = expand(&exporter, "exported", &hash.expect("a hash"), length);
        assert_eq!(exported, bytes(&case["secret"]));
    }
}
