//! A link as text: `https://host:port/#` and base64url, as people paste it.
//!
//! All versions end with four bytes of a SHA-256 over the content and over `host:port`, so that a
//! link that was damaged on its way is told apart from one of another version. A browser sends a
//! fragment to nobody (RFC 3986, section 3.5). Before the base64url may stand a *marker*, letters
//! that end with a dot, for people to read.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::LinkError;

/// Longest link that is looked at, in bytes: eight relays with four hashes each, eight committers.
const LONGEST: usize = 8192;

const CHECKSUM: usize = 4;

/// What every link begins with, however its letters are written.
const SCHEME: &str = "https://";

/// A link that came undamaged.
pub(in crate::meeting) struct Unwrapped {
    /// `host:port` of the first relay.
    pub(in crate::meeting) authority: String,
    /// With its dot, or empty.
    pub(in crate::meeting) marker: String,
    /// The version and what follows it.
    pub(in crate::meeting) content: Zeroizing<Vec<u8>>,
}

/// Writes a link.
pub(in crate::meeting) fn wrap(authority: &str, marker: &str, content: &[u8]) -> String {
    let mut bytes = Zeroizing::new(Vec::with_capacity(content.len() + CHECKSUM));
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(&checksum(authority, content));
    let coded = Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes));
    format!("{SCHEME}{authority}/#{marker}{}", *coded)
}

/// Reads a link with spaces, line breaks, quotes or angle brackets around or in it, with what
/// editors and messengers put there unseen, and with a scheme in capitals.
pub(in crate::meeting) fn unwrap(text: &str) -> Result<Unwrapped, LinkError> {
    if text.len() > LONGEST {
        return Err(LinkError::NotALink);
    }
    let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(|&c| !is_blank(c)).collect());
    let around = |c: char| {
        matches!(
            c,
            '<' | '>' | '"' | '\'' | '`' | '(' | ')' | ',' | '.' | ';'
        )
    };
    let rest = text
        .trim_matches(around)
        .split_at_checked(SCHEME.len())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
        .map(|(_, rest)| rest)
        .ok_or(LinkError::NotALink)?;
    let (authority, fragment) = rest.split_once("/#").ok_or(LinkError::NotALink)?;
    if is_relay_fragment(fragment) {
        return Err(LinkError::RelayAddress);
    }
    let (marker, coded) = match fragment.rfind('.') {
        Some(dot) => fragment.split_at_checked(dot + 1).unwrap_or_default(),
        None => ("", fragment),
    };
    let bytes = Base64UrlUnpadded::decode_vec(coded)
        .map(Zeroizing::new)
        .map_err(|_| LinkError::Mangled)?;
    let (content, sum) = bytes
        .split_last_chunk::<CHECKSUM>()
        .ok_or(LinkError::Mangled)?;
    if *sum != checksum(authority, content) || content.is_empty() {
        return Err(LinkError::Mangled);
    }
    Ok(Unwrapped {
        authority: authority.to_owned(),
        marker: marker.to_owned(),
        content: Zeroizing::new(content.to_vec()),
    })
}

/// What a fragment holds, its checksum not looked at.
pub(super) fn content(fragment: &str) -> Option<Zeroizing<Vec<u8>>> {
    if fragment.len() > LONGEST {
        return None;
    }
    let coded: Zeroizing<String> =
        Zeroizing::new(fragment.chars().filter(|&c| !is_blank(c)).collect());
    let coded = match coded.rfind('.') {
        Some(dot) => coded.get(dot + 1..)?,
        None => &coded,
    };
    let bytes = Base64UrlUnpadded::decode_vec(coded).map(Zeroizing::new);
    let mut bytes = bytes.ok()?;
    let length = bytes.len().saturating_sub(CHECKSUM);
    bytes.truncate(length);
    Some(bytes)
}

/// Shows nothing: white space, a byte order mark, what is put where a line may break.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Certificate hashes with dots between, or the word that an authority vouches: what a relay prints
/// after its #.
fn is_relay_fragment(fragment: &str) -> bool {
    let hash =
        |part: &str| Base64UrlUnpadded::decode_vec(part).is_ok_and(|bytes| bytes.len() == 32);
    fragment == "authority" || fragment.split('.').all(hash)
}

fn checksum(authority: &str, content: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    hash.update(b"sottovoce link");
    hash.update((authority.len() as u32).to_be_bytes());
    hash.update(authority.as_bytes());
    hash.update(content);
    let digest = hash.finalize();
    std::array::from_fn(|i| digest[i])
}
