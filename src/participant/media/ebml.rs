//! EBML (RFC 8794): element headers in and elements out, nothing that allocates by a declared size.

/// Element ids that are used here (RFC 9559, section 5), in the order in which a file has them.
pub(super) mod id {
    pub const EBML: u32 = 0x1A45_DFA3;
    pub const EBML_VERSION: u32 = 0x4286;
    pub const EBML_READ_VERSION: u32 = 0x42F7;
    pub const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
    pub const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
    pub const DOC_TYPE: u32 = 0x4282;
    pub const DOC_TYPE_VERSION: u32 = 0x4287;
    pub const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub const VOID: u32 = 0xEC;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const SEEK_HEAD: u32 = 0x114D_9B74;
    pub const SEEK: u32 = 0x4DBB;
    pub const SEEK_ID: u32 = 0x53AB;
    pub const SEEK_POSITION: u32 = 0x53AC;
    pub const INFO: u32 = 0x1549_A966;
    pub const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub const DURATION: u32 = 0x4489;
    pub const MUXING_APP: u32 = 0x4D80;
    pub const WRITING_APP: u32 = 0x5741;
    pub const TRACKS: u32 = 0x1654_AE6B;
    pub const TRACK_ENTRY: u32 = 0xAE;
    pub const TRACK_NUMBER: u32 = 0xD7;
    pub const TRACK_UID: u32 = 0x73C5;
    pub const TRACK_TYPE: u32 = 0x83;
    pub const FLAG_LACING: u32 = 0x9C;
    pub const NAME: u32 = 0x536E;
    pub const LANGUAGE: u32 = 0x22_B59C;
    pub const CODEC_ID: u32 = 0x86;
    pub const CODEC_PRIVATE: u32 = 0x63A2;
    pub const CODEC_DELAY: u32 = 0x56AA;
    pub const SEEK_PRE_ROLL: u32 = 0x56BB;
    pub const DEFAULT_DURATION: u32 = 0x23_E383;
    pub const VIDEO: u32 = 0xE0;
    pub const PIXEL_WIDTH: u32 = 0xB0;
    pub const PIXEL_HEIGHT: u32 = 0xBA;
    pub const AUDIO: u32 = 0xE1;
    pub const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub const CHANNELS: u32 = 0x9F;
    pub const CONTENT_ENCODINGS: u32 = 0x6D80;
    pub const CONTENT_ENCODING: u32 = 0x6240;
    pub const CONTENT_ENCODING_SCOPE: u32 = 0x5032;
    pub const CONTENT_ENCODING_TYPE: u32 = 0x5033;
    pub const CONTENT_COMPRESSION: u32 = 0x5034;
    pub const CONTENT_COMP_ALGO: u32 = 0x4254;
    pub const CONTENT_COMP_SETTINGS: u32 = 0x4255;
    pub const CLUSTER: u32 = 0x1F43_B675;
    pub const TIMESTAMP: u32 = 0xE7;
    pub const SIMPLE_BLOCK: u32 = 0xA3;
    pub const BLOCK_GROUP: u32 = 0xA0;
    pub const BLOCK: u32 = 0xA1;
    pub const BLOCK_DURATION: u32 = 0x9B;
    pub const REFERENCE_BLOCK: u32 = 0xFB;
    pub const DISCARD_PADDING: u32 = 0x75A2;
    pub const CUES: u32 = 0x1C53_BB6B;
    pub const CUE_POINT: u32 = 0xBB;
    pub const CUE_TIME: u32 = 0xB3;
    pub const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub const CUE_TRACK: u32 = 0xF7;
    pub const CUE_CLUSTER_POSITION: u32 = 0xF1;
}

/// The eight bytes that say "size not known yet" (RFC 8794, section 6.2), room for any size later.
pub(super) const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// The header of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub id: u32,
    /// Bytes of its body; `None` when unknown.
    pub size: Option<u64>,
    /// Bytes of the header itself.
    pub length: usize,
}

/// What the beginning of some bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Header(Header),
    /// More bytes are needed: at most 12 in all.
    Incomplete,
    /// No element begins here.
    Invalid,
}

/// Reads an element header: an id of at most 4 bytes, a size of at most 8.
pub(super) fn header(bytes: &[u8]) -> Parsed {
    let Some(&first) = bytes.first() else {
        return Parsed::Incomplete;
    };
    let id_length = first.leading_zeros() as usize + 1;
    if id_length > 4 {
        return Parsed::Invalid;
    }
    let Some(id) = bytes.get(..id_length) else {
        return Parsed::Incomplete;
    };
    let id = id.iter().fold(0u32, |id, &byte| id << 8 | u32::from(byte));
    match vint(bytes.get(id_length..).unwrap_or_default()) {
        Vint::Value {
            value,
            unknown,
            length,
        } => Parsed::Header(Header {
            id,
            size: (!unknown).then_some(value),
            length: id_length + length,
        }),
        Vint::Incomplete => Parsed::Incomplete,
        Vint::Invalid => Parsed::Invalid,
    }
}

/// A variable-size integer (RFC 8794, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vint {
    Value {
        value: u64,
        /// All value bits are set, which in a size means "unknown".
        unknown: bool,
        length: usize,
    },
    Incomplete,
    Invalid,
}

/// Reads a variable-size integer from the beginning of `bytes`.
pub(super) fn vint(bytes: &[u8]) -> Vint {
    let Some(&first) = bytes.first() else {
        return Vint::Incomplete;
    };
    let length = first.leading_zeros() as usize + 1;
    if length > 8 {
        return Vint::Invalid;
    }
    let Some(bytes) = bytes.get(..length) else {
        return Vint::Incomplete;
    };
    let mask = (1u64 << (7 * length)) - 1;
    let value = bytes
        .iter()
        .fold(0u64, |value, &byte| value << 8 | u64::from(byte))
        & mask;
    Vint::Value {
        value,
        unknown: value == mask,
        length,
    }
}

/// The elements inside `body`: id and body of each. Ends early, with `Err`, at bytes that are none.
pub(super) fn children(mut body: &[u8]) -> impl Iterator<Item = Result<(u32, &[u8]), Malformed>> {
    std::iter::from_fn(move || {
        if body.is_empty() {
            return None;
        }
        let child = (|| {
            let Parsed::Header(header) = header(body) else {
                return None;
            };
            let size = usize::try_from(header.size?).ok()?;
            let inside = body.get(header.length..)?;
            let child = inside.get(..size)?;
            body = inside.get(size..)?;
            Some((header.id, child))
        })();
        if child.is_none() {
            body = &[];
        }
        Some(child.ok_or(Malformed))
    })
}

/// Bytes inside an element that are not elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// An unsigned integer element's value; `None` when it is too long to be one.
pub(super) fn uint(body: &[u8]) -> Option<u64> {
    (body.len() <= 8).then(|| {
        body.iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte))
    })
}

/// A signed integer element's value.
pub(super) fn int(body: &[u8]) -> Option<i64> {
    let unused = 64 - 8 * u32::try_from(body.len()).ok()?.min(8);
    let value = uint(body)?;
    Some(if unused == 64 {
        0
    } else {
        (value << unused) as i64 >> unused
    })
}

/// A float element's value.
pub(super) fn float(body: &[u8]) -> Option<f64> {
    match body.len() {
        0 => Some(0.0),
        4 => Some(f32::from_be_bytes(body.try_into().ok()?).into()),
        8 => Some(f64::from_be_bytes(body.try_into().ok()?)),
        _ => None,
    }
}

/// Appends an element id.
pub(super) fn put_id(out: &mut Vec<u8>, id: u32) {
    let unused = id.leading_zeros() as usize / 8;
    out.extend_from_slice(&id.to_be_bytes()[unused..]);
}

/// Appends a size in as few bytes as it takes.
pub(super) fn put_size(out: &mut Vec<u8>, size: u64) {
    // The largest value of each length is left out: it means "unknown".
    let length = (1..8)
        .find(|length| size < (1 << (7 * length)) - 1)
        .unwrap_or(8);
    let marked = size | 1 << (7 * length);
    out.extend_from_slice(&marked.to_be_bytes()[8 - length..]);
}

/// A size in eight bytes, to go where [`UNKNOWN_SIZE`] was.
pub(super) fn size_in_8(size: u64) -> [u8; 8] {
    (size | 1 << 56).to_be_bytes()
}

/// Appends a binary or string element.
pub(super) fn put_bytes(out: &mut Vec<u8>, id: u32, body: &[u8]) {
    put_id(out, id);
    put_size(out, body.len() as u64);
    out.extend_from_slice(body);
}

/// Appends an unsigned integer element.
pub(super) fn put_uint(out: &mut Vec<u8>, id: u32, value: u64) {
    let unused = (value.leading_zeros() as usize / 8).min(7);
    put_bytes(out, id, &value.to_be_bytes()[unused..]);
}

/// Appends a signed integer element.
pub(super) fn put_int(out: &mut Vec<u8>, id: u32, value: i64) {
    let unused = (0..=7)
        .rev()
        .find(|unused| value << (8 * unused) >> (8 * unused) == value);
    put_bytes(out, id, &value.to_be_bytes()[unused.unwrap_or(0)..]);
}

/// Appends a float element of eight bytes.
pub(super) fn put_float(out: &mut Vec<u8>, id: u32, value: f64) {
    put_bytes(out, id, &value.to_be_bytes());
}

/// Appends an element that holds the elements which `inside` appends.
pub(super) fn put_master(out: &mut Vec<u8>, id: u32, inside: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    inside(&mut body);
    put_bytes(out, id, &body);
}

/// Appends a Void element of `total` bytes, header included (2 to 128), to be overwritten later.
pub(super) fn put_void(out: &mut Vec<u8>, total: usize) {
    debug_assert!((2..=128).contains(&total), "a one-byte size");
    put_bytes(out, id::VOID, &vec![0; total.saturating_sub(2)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_leave_the_unknown_pattern_alone() {
        for (size, bytes) in [
            (0, vec![0x80]),
            (126, vec![0xFE]),
            (127, vec![0x40, 0x7F]),
            (16_382, vec![0x7F, 0xFE]),
            (16_383, vec![0x20, 0x3F, 0xFF]),
        ] {
            let mut out = Vec::new();
            put_size(&mut out, size);
            assert_eq!(out, bytes);
        }
        assert!(matches!(
            vint(&UNKNOWN_SIZE),
            Vint::Value {
                unknown: true,
                length: 8,
                ..
            }
        ));
    }

    #[test]
    fn a_header_that_ends_early_asks_for_more() {
        let whole = [0x1F, 0x43, 0xB6, 0x75, 0x01, 0, 0, 0, 0, 0, 1, 0];
        for end in 0..whole.len() {
            assert_eq!(header(&whole[..end]), Parsed::Incomplete, "{end} bytes");
        }
        let expected = Header {
            id: id::CLUSTER,
            size: Some(256),
            length: 12,
        };
        assert_eq!(header(&whole), Parsed::Header(expected));
        assert_eq!(header(&[0x08, 0x80]), Parsed::Invalid);
        assert_eq!(header(&[0xA3, 0x00]), Parsed::Invalid);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn integers_come_back(unsigned: u64, signed: i64, small in -300i64..300) {
            let mut out = Vec::new();
            put_uint(&mut out, id::TIMESTAMP, unsigned);
            put_int(&mut out, id::DISCARD_PADDING, signed);
            put_int(&mut out, id::DISCARD_PADDING, small);
            put_float(&mut out, id::DURATION, 1.5);
            let read: Vec<_> = children(&out).map(Result::unwrap).collect();
            prop_assert_eq!(uint(read[0].1), Some(unsigned));
            prop_assert_eq!(int(read[1].1), Some(signed));
            prop_assert_eq!(int(read[2].1), Some(small));
            prop_assert_eq!(float(read[3].1), Some(1.5));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = header(&bytes);
            let _ = (uint(&bytes), int(&bytes), float(&bytes));
            prop_assert!(children(&bytes).count() <= bytes.len());
        }
    }
}
