//! What anybody on the way sees of a packet: the parts of QUIC's header that are not encrypted (RFC 9000,
//! section 17).

use std::collections::BTreeSet;

/// Names what is readable in a UDP payload.
pub fn readable(mut payload: &[u8], fields: &mut BTreeSet<String>) {
    while let Some((&first, rest)) = payload.split_first() {
        if first & 0x80 == 0 {
            // A short header is the last of its payload.
            return put(fields, "Short", &["destination id"]);
        }
        let kind = ["Initial", "0-RTT", "Handshake", "Retry"][usize::from(first >> 4 & 3)];
        let (version, rest) = rest.split_first_chunk::<4>().expect("a version");
        assert_eq!(u32::from_be_bytes(*version), 1);
        let (_, rest) = counted(rest);
        let (_, mut rest) = counted(rest);
        put(fields, kind, &["version", "destination id", "source id"]);
        if kind == "Retry" {
            return put(fields, kind, &["token"]);
        }
        if kind == "Initial" {
            let (length, after) = number(rest);
            if length > 0 {
                put(fields, kind, &["token"]);
            }
            rest = &after[length..];
        }
        let (length, rest) = number(rest);
        put(fields, kind, &["length"]);
        payload = &rest[length..];
    }
}

fn put(fields: &mut BTreeSet<String>, kind: &str, names: &[&str]) {
    fields.extend(names.iter().map(|name| format!("{kind}.{name}")));
}

/// Bytes after one that counts them.
fn counted(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first().expect("a length");
    rest.split_at(usize::from(*length))
}

/// An integer of RFC 9000, section 16.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let length = 1 << (bytes[0] >> 6);
    let (number, rest) = bytes.split_at(length);
    let first = usize::from(number[0] & 63);
    let value = number[1..]
        .iter()
        .fold(first, |sum, byte| sum << 8 | usize::from(*byte));
    (value, rest)
}
