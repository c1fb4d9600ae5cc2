//! The head of a file: what it is, its clock and its tracks.

use super::super::ebml::{self, id};
use super::super::tracks::{self, Entry};

/// Largest element of the head that is read, in bytes; larger ones are passed over.
pub(super) const LARGEST: u64 = 64 * 1024;
/// Track entries that are read. The rest is left out.
const ENTRIES: usize = 64;

/// What the head has said so far.
pub(super) struct Head {
    pub entries: Vec<Entry>,
    /// Nanoseconds of a tick.
    pub timestamp_scale_ns: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            timestamp_scale_ns: 1_000_000,
        }
    }
}

impl Head {
    /// Takes the body of a TimestampScale or a TrackEntry.
    pub fn take(&mut self, element: u32, body: &[u8]) {
        if element == id::TIMESTAMP_SCALE {
            let scale = ebml::uint(body).filter(|&scale| scale > 0);
            self.timestamp_scale_ns = scale.unwrap_or(self.timestamp_scale_ns);
        } else if self.entries.len() < ENTRIES {
            self.entries.push(tracks::parse(body));
        }
    }
}

/// Whether an EBML header (RFC 8794, section 11.2) announces what is read here.
pub(super) fn is_matroska(body: &[u8]) -> bool {
    let (mut read_version, mut doc_type) = (1, &b"matroska"[..]);
    let (mut id_length, mut size_length) = (4, 8);
    for child in ebml::children(body) {
        let Ok((child, body)) = child else {
            return false;
        };
        let uint = || ebml::uint(body).unwrap_or(u64::MAX);
        match child {
            id::DOC_TYPE => doc_type = body,
            id::DOC_TYPE_READ_VERSION => read_version = uint(),
            id::EBML_MAX_ID_LENGTH => id_length = uint(),
            id::EBML_MAX_SIZE_LENGTH => size_length = uint(),
            _ => {}
        }
    }
    // A string may be padded with zeros (RFC 8794, section 7.4).
    let doc_type = doc_type.split(|&byte| byte == 0).next().unwrap_or_default();
    matches!(doc_type, b"webm" | b"matroska")
        && read_version <= 4
        && id_length <= 4
        && size_length <= 8
}
