//! The vectors of RFC 9605 (appendix C) through the crate as it is used here.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::header::SframeHeader;
use sframe::key::{DecryptionKey, EncryptionKey};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/rfc9605.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn headers() {
    let vectors = vectors();
    let vectors = vectors["header"].as_array().unwrap();
    assert!(vectors.len() > 100);
    for vector in vectors {
        let (kid, ctr) = (
            vector["kid"].as_u64().unwrap(),
            vector["ctr"].as_u64().unwrap(),
        );
        let header = SframeHeader::new(kid, ctr);
        let mut encoded = vec![0; header.len()];
        header.serialize(&mut encoded).unwrap();
        assert_eq!(encoded, bytes(&vector["encoded"]));
        let decoded = SframeHeader::deserialize(&encoded).unwrap();
        assert_eq!((decoded.key_id(), decoded.counter()), (kid, ctr));
    }
}

#[test]
fn aes_128_gcm_sha256_128() {
    let vectors = vectors();
    let vectors = vectors["sframe"].as_array().unwrap();
    assert_eq!(vectors.len(), 1);
    for vector in vectors {
        let suite = CipherSuite::AesGcm128Sha256;
        let (kid, ctr) = (
            vector["kid"].as_u64().unwrap(),
            vector["ctr"].as_u64().unwrap(),
        );
        let material = bytes(&vector["base_key"]);
        let (plain, aad) = (bytes(&vector["pt"]), bytes(&vector["metadata"]));
        let sealed = bytes(&vector["ct"]);

        let key = EncryptionKey::derive_from(suite, kid, &material).unwrap();
        let mut counter = MonotonicCounter::with_start_value(ctr, u64::MAX);
        let frame = MediaFrameView::try_with_meta_data(&mut counter, &plain, &aad).unwrap();
        assert_eq!(
            frame.encrypt(&key).unwrap().sframe_cipher_text(),
            &sealed[..]
        );

        let key = DecryptionKey::derive_from(suite, kid, &material).unwrap();
        let view = EncryptedFrameView::try_with_meta_data(&sealed, &aad).unwrap();
        assert_eq!(view.decrypt(&key).unwrap().payload(), &plain[..]);
    }
}
