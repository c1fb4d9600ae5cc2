//! The test vectors of the IETF's MLS working group, through our primitives, our storage, and openmls
//! as we use it: `tests/vectors/mls/`.

#[path = "the_mls_vectors_hold/client.rs"]
mod client;
#[path = "the_mls_vectors_hold/messages.rs"]
mod messages;
#[path = "the_mls_vectors_hold/primitives.rs"]
mod primitives;

use std::fs;

use data_encoding::HEXLOWER;
use serde_json::Value;

/// The cases in a file, of which there must be so many.
fn vectors(name: &str, count: usize) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/mls");
    let text = fs::read_to_string(format!("{folder}/{name}.json")).expect("a file");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(cases.len(), count, "{name}");
    cases
}

#[track_caller]
fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("bytes in hexadecimal");
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
