//! The vectors of RFC 9605 (appendix C) through the keys that seal and open here.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sframe::header::SframeHeader;

use crate::meeting::media::cipher::{OpenKey, SealKey, header};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/rfc9605.json")).unwrap()
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
        let written = SframeHeader::new(kid, ctr);
        let mut encoded = vec![0; written.len()];
        written.serialize(&mut encoded).unwrap();
        assert_eq!(encoded, bytes(&vector["encoded"]));
        let decoded = header(&encoded).unwrap();
        assert_eq!((decoded.id, decoded.counter), (kid, ctr));
    }
}

#[test]
fn aes_128_gcm_sha256_128() {
    let vectors = vectors();
    let vectors = vectors["sframe"].as_array().unwrap();
    assert_eq!(vectors.len(), 1);
    for vector in vectors {
        let (kid, ctr) = (
            vector["kid"].as_u64().unwrap(),
            vector["ctr"].as_u64().unwrap(),
        );
        let material = bytes(&vector["base_key"]);
        let (plain, aad) = (bytes(&vector["pt"]), bytes(&vector["metadata"]));
        let sealed = bytes(&vector["ct"]);

        let key = SealKey::new(&material, kid).unwrap();
        let mut begun = key.begin(ctr, plain.len()).unwrap();
        begun.extend_from_slice(&plain);
        assert_eq!(key.seal(ctr, begun, &aad).unwrap(), sealed);
        let key = OpenKey::new(&material, kid).unwrap();
        assert_eq!(key.open(&sealed, &aad).unwrap(), plain);
        assert!(key.open(&sealed, b"elsewhere").is_err());
    }
}
