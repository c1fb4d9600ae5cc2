//! Every form of a canary that `docs/drill.md` names.

use data_encoding::{BASE64, BASE64URL};

use super::super::canary::Register;
use super::super::scan::Search;
use super::*;

/// A way to write bytes down.
type Encoder = (&'static str, fn(&[u8]) -> Vec<u8>);

const PACKED: &[Encoder] = &[
    ("reversed", reversed),
    ("reversed hex", |bytes| {
        HEXLOWER.encode(&reversed(bytes)).into_bytes()
    }),
];

const PRINTED: &[Encoder] = &[
    ("as it is", <[u8]>::to_vec),
    ("hex", |bytes| HEXLOWER.encode(bytes).into_bytes()),
    ("upper hex", |bytes| HEXUPPER.encode(bytes).into_bytes()),
    ("base64", |bytes| BASE64.encode(bytes).into_bytes()),
    ("base64 behind one", |bytes| behind(bytes, &[0xa5])),
    ("base64 behind two", |bytes| behind(bytes, &[0xa5, 0x5a])),
    ("base64 of URLs", |bytes| {
        BASE64URL.encode(bytes).into_bytes()
    }),
    ("a list", |bytes| format!("{bytes:?}").into_bytes()),
    ("a list without spaces", |bytes| {
        format!("{bytes:?}").replace(' ', "").into_bytes()
    }),
    ("a longer list", |bytes| {
        format!("{:?}", [&[7], bytes, &[9]].concat()).into_bytes()
    }),
    ("escaped", |bytes| {
        bytes.escape_ascii().to_string().into_bytes()
    }),
    ("as `Bytes` print", |bytes| {
        format!("{:?}", bytes::Bytes::copy_from_slice(bytes)).into_bytes()
    }),
    ("freed", |bytes| match bytes.len() {
        // Nothing that can be told from others is left.
        ..=16 => bytes.to_vec(),
        _ => bytes[16..].to_vec(),
    }),
];

const TEXT: &[Encoder] = &[
    ("UTF-16", |text| {
        text.iter().flat_map(|&byte| [byte, 0]).collect()
    }),
    ("UTF-16, big", |text| {
        text.iter().flat_map(|&byte| [0, byte]).collect()
    }),
];

const V4: &[Encoder] = &[
    ("mapped", |ip| [&[0; 10][..], &[0xff; 2], ip].concat()),
    ("mapped text", |ip| {
        let [a, b, c, d] = ip.try_into().expect("four");
        let groups = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        format!("::ffff:{:x}:{:x}", groups[0], groups[1]).into_bytes()
    }),
    ("sockaddr_in", |ip| {
        [&[2, 0, 0x1f, 0x90], ip, &[0; 8]].concat()
    }),
    ("a number", |ip| number(ip, u32::from_be_bytes)),
    ("a number, little", |ip| number(ip, u32::from_le_bytes)),
];

const V6: &[Encoder] = &[
    ("a /56", |ip| [&ip[..7], &[0; 9]].concat()),
    ("a /56, reversed", |ip| reversed(&ip[..7])),
    ("a /56 in hex", |ip| HEXLOWER.encode(&ip[..7]).into_bytes()),
    ("a /56 as text", |ip| {
        [&text_of(ip)[..17], b"00::/56"].concat()
    }),
    ("its first half", |ip| ip[..8].to_vec()),
    ("its first half, reversed", |ip| reversed(&ip[..8])),
    ("its second half", |ip| ip[8..].to_vec()),
    ("its second half, reversed", |ip| reversed(&ip[8..])),
    ("as /proc/net/udp6 has it", |ip| {
        let words = ip.chunks(4).flat_map(|word| word.iter().rev().copied());
        HEXUPPER.encode(&words.collect::<Vec<u8>>()).into_bytes()
    }),
    ("freed text", |ip| text_of(ip)[16..].to_vec()),
];

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn behind(bytes: &[u8], before: &[u8]) -> Vec<u8> {
    BASE64
        .encode(&[before, bytes, &[0xc3, 0x3c]].concat())
        .into_bytes()
}

fn number(ip: &[u8], of: fn([u8; 4]) -> u32) -> Vec<u8> {
    of(ip.try_into().expect("four")).to_string().into_bytes()
}

fn text_of(ip: &[u8]) -> Vec<u8> {
    let ip: [u8; 16] = ip.try_into().expect("sixteen");
    Ipv6Addr::from(ip).to_string().into_bytes()
}

/// Everything that `docs/drill.md` names is found, with anything around it, and once.
#[test]
fn every_canary_is_found_in_every_encoding() {
    let v4 = Ipv4Addr::new(127, 77, 143, 250);
    let v6: Ipv6Addr = "fd77:1a2b:3c4d:5e6f:7a8b:9cad:befc:dfe1"
        .parse()
        .expect("an address");
    let text = b"canary-abcdefghijklmnop-qrstuvwxyz234567";
    let room: [u8; 32] = std::array::from_fn(|at| (at * 37) as u8);
    let (text_of_v4, text_of_v6) = (v4.to_string(), v6.to_string());
    let mut needles = Needles::default();
    let whose = Register::default().enter("a canary");
    needles.ip(Kind::Address, whose, v4.into());
    needles.ip(Kind::Address, whose, v6.into());
    needles.text(
        Kind::Name,
        whose,
        "canary-abcdefghijklmnop-qrstuvwxyz234567",
    );
    needles.bytes(Kind::Room, whose, &room);
    let search = Search::new(needles).expect("a search");

    let (octets4, octets6) = (v4.octets(), v6.octets());
    type Line<'a> = (Kind, &'a [u8], &'a [&'a [Encoder]]);
    let table: [Line; 6] = [
        (Kind::Address, &octets4, &[PRINTED, PACKED, V4]),
        (Kind::Address, &octets6, &[PRINTED, PACKED, V6]),
        (Kind::Address, text_of_v4.as_bytes(), &[PRINTED, TEXT]),
        (Kind::Address, text_of_v6.as_bytes(), &[PRINTED, TEXT]),
        (Kind::Name, text, &[PRINTED, TEXT]),
        (Kind::Room, &room, &[PRINTED, PACKED]),
    ];
    let noise: Vec<u8> = (0..400_u32).map(|at| (at * at / 7) as u8).collect();
    assert_eq!(search.hits(&noise), []);
    for (kind, canary, encoders) in table {
        for (name, encode) in encoders.iter().copied().flatten() {
            let whole = [&noise[..], &encode(canary), &noise].concat();
            let hits = search.hits(&whole);
            let found = hits.iter().filter_map(|&hit| search.needle(hit));
            assert!(found.clone().count() > 0, "{canary:?} as {name}");
            assert!(
                found.clone().all(|needle| needle.kind == kind),
                "{canary:?} as {name}"
            );
            // No more than two halves of one thing, and what both orders of UTF-16 share.
            assert!(hits.len() <= 4, "{canary:?} as {name}: {}", hits.len());
        }
    }
}
