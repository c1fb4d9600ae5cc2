//! Meeting links: `https://host:port/#...`.
//!
//! The fragment is base64url of: version, secret, relays (each host, port, certificate hashes), and
//! four bytes of a SHA-256 over all of it and over `host:port`. A browser sends a fragment to
//! nobody (RFC 3986, section 3.5). All versions end with that checksum, so that a link that was
//! damaged on its way is told apart from one of a later version.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::secret::LinkSecret;
use crate::wire::RoomHandle;

/// The version of links that this program makes and reads.
const VERSION: u8 = 1;

/// Longest link that is looked at, in bytes.
const LONGEST: usize = 4096;

/// Most relays in a link. More are more to wait for when none answers.
pub const RELAYS: usize = 8;

/// Certificate hashes of each: as many as a relay's own address may hold.
const HASHES: usize = 4;

const CHECKSUM: usize = 4;

/// Where a meeting can be held.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayRef {
    /// A DNS name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// UDP port.
    pub port: u16,
    /// SHA-256 of the certificates that it may show; none when an authority vouches for it.
    pub hashes: Vec<[u8; 32]>,
}

impl RelayRef {
    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// What is in a meeting link. Whoever has it can take part.
///
/// ```
/// use sottovoce::meeting::{Invite, LinkSecret, RelayRef};
/// let relay = RelayRef { host: "192.0.2.1".into(), port: 4433, hashes: vec![[7; 32]] };
/// let invite = Invite::new(LinkSecret::from_bytes([1; 32]), vec![relay]);
/// let link = invite.to_link();
/// assert!(link.starts_with("https://192.0.2.1:4433/#"));
/// assert!(Invite::parse(&link).is_ok());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    /// The secret that everything derives from.
    pub(super) secret: LinkSecret,
    /// The relays, the first one first.
    pub relays: Vec<RelayRef>,
}

/// Why a text is no meeting link that this program can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It has not the form of a link.
    #[error(
        "this is no meeting link. A link begins with https:// and has a long part after a #; \
         copy the whole of it, and put it in quotes"
    )]
    NotALink,
    /// It is the address of a relay.
    #[error(
        "this is a relay's address, not a meeting link. Make a link with `sottovoce invite \
         --relay ADDRESS`, and give that to `join`"
    )]
    RelayAddress,
    /// It was changed or cut off on its way.
    #[error(
        "this link was damaged on its way: something in it is missing or changed. Copy the whole \
         line again, or ask for the link once more"
    )]
    Mangled,
    /// It was made by another version of the program.
    #[error("this link is of version {0}, which this sottovoce does not know; install a newer one")]
    Version(u8),
}

impl Invite {
    /// A meeting with this secret at these relays.
    pub fn new(secret: LinkSecret, relays: Vec<RelayRef>) -> Self {
        Self { secret, relays }
    }

    /// The room's handle at one of the relays; `None` when there is no such relay.
    pub fn room_handle(&self, relay: usize) -> Option<RoomHandle> {
        Some(
            self.secret
                .room_handle(&self.relays.get(relay)?.authority()),
        )
    }

    /// The link.
    pub fn to_link(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.secret.as_bytes());
        let relays = self
            .relays
            .get(..self.relays.len().min(RELAYS))
            .unwrap_or_default();
        bytes.push(relays.len() as u8);
        for relay in relays {
            let hashes = relay
                .hashes
                .get(..relay.hashes.len().min(HASHES))
                .unwrap_or_default();
            bytes.push(relay.host.len().min(255) as u8);
            bytes.extend(relay.host.bytes().take(255));
            bytes.extend_from_slice(&relay.port.to_be_bytes());
            bytes.push(hashes.len() as u8);
            bytes.extend(hashes.iter().flatten());
        }
        let authority = relays.first().map(RelayRef::authority).unwrap_or_default();
        let sum = checksum(&authority, &bytes);
        bytes.extend_from_slice(&sum);
        format!("https://{authority}/#{}", BASE64URL_NOPAD.encode(&bytes))
    }

    /// Reads a link as people paste it: with spaces, line breaks, quotes or angle brackets around
    /// or in it, with what editors and messengers put there unseen, and with a scheme in capitals.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        if text.len() > LONGEST {
            return Err(LinkError::NotALink);
        }
        let text: String = text.chars().filter(|&c| !is_blank(c)).collect();
        let around = |c: char| {
            matches!(
                c,
                '<' | '>' | '"' | '\'' | '`' | '(' | ')' | ',' | '.' | ';'
            )
        };
        let text = text.trim_matches(around);
        let rest = text
            .split_at_checked(SCHEME.len())
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
            .map(|(_, rest)| rest)
            .ok_or(LinkError::NotALink)?;
        let (authority, fragment) = rest.split_once("/#").ok_or(LinkError::NotALink)?;
        if is_relay_fragment(fragment) {
            return Err(LinkError::RelayAddress);
        }
        let bytes = BASE64URL_NOPAD
            .decode(fragment.as_bytes())
            .map_err(|_| LinkError::Mangled)?;
        let length = bytes
            .len()
            .checked_sub(CHECKSUM)
            .ok_or(LinkError::Mangled)?;
        let (content, sum) = bytes.split_at_checked(length).ok_or(LinkError::Mangled)?;
        if sum != checksum(authority, content) {
            return Err(LinkError::Mangled);
        }
        match content.split_first() {
            Some((&VERSION, content)) => {
                let invite = read(content).ok_or(LinkError::Mangled)?;
                let first = invite.relays.first().ok_or(LinkError::Mangled)?;
                if first.authority() != authority {
                    return Err(LinkError::Mangled);
                }
                Ok(invite)
            }
            Some((&version, _)) => Err(LinkError::Version(version)),
            None => Err(LinkError::Mangled),
        }
    }
}

/// What every link begins with, however its letters are written.
const SCHEME: &str = "https://";

/// Shows nothing: white space, a byte order mark, what is put where a line may break.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Certificate hashes with dots between, or the word that an authority vouches: what a relay prints
/// after its #.
fn is_relay_fragment(fragment: &str) -> bool {
    let hash = |part: &str| {
        BASE64URL_NOPAD
            .decode(part.as_bytes())
            .is_ok_and(|bytes| bytes.len() == 32)
    };
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

/// What follows the version; `None` when it does not add up.
fn read(mut bytes: &[u8]) -> Option<Invite> {
    let (secret, rest) = bytes.split_first_chunk::<32>()?;
    let (&count, rest) = rest.split_first()?;
    bytes = rest;
    if usize::from(count) > RELAYS {
        return None;
    }
    let mut relays = Vec::new();
    for _ in 0..count {
        let (&length, rest) = bytes.split_first()?;
        let (host, rest) = rest.split_at_checked(length.into())?;
        let (port, rest) = rest.split_first_chunk::<2>()?;
        let (&hashes, mut rest) = rest.split_first()?;
        if usize::from(hashes) > HASHES {
            return None;
        }
        let mut known = Vec::new();
        for _ in 0..hashes {
            let (hash, after) = rest.split_first_chunk::<32>()?;
            known.push(*hash);
            rest = after;
        }
        let host = std::str::from_utf8(host).ok()?.to_owned();
        relays.push(RelayRef {
            host,
            port: u16::from_be_bytes(*port),
            hashes: known,
        });
        bytes = rest;
    }
    bytes
        .is_empty()
        .then(|| Invite::new(LinkSecret::from_bytes(*secret), relays))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Invite {
        let relays = vec![
            RelayRef {
                host: "127.0.0.1".into(),
                port: 4433,
                hashes: vec![[3; 32], [4; 32]],
            },
            RelayRef {
                host: "[2001:db8::1]".into(),
                port: 443,
                hashes: Vec::new(),
            },
        ];
        Invite::new(LinkSecret::from_bytes([9; 32]), relays)
    }

    #[test]
    fn a_link_comes_back_as_it_went() {
        let link = invite().to_link();
        assert!(Invite::parse(&link).is_ok_and(|parsed| parsed == invite()));
        for around in [
            format!("  <{link}>\n"),
            format!("\"{link}\","),
            link.replace("AA", "A\n A"),
            format!("\u{feff}{link}\r\n"),
            format!("<{link}\u{200b}>\u{2060}\u{feff}"),
            link.replace("https:", "HTTPS:"),
            link.replace("https:", "Https:"),
        ] {
            assert!(
                Invite::parse(&around).is_ok_and(|parsed| parsed == invite()),
                "{around}"
            );
        }
    }

    #[test]
    fn every_change_is_noticed() {
        let link = invite().to_link();
        for place in "https://".len()..link.len() {
            let mut changed = link.clone().into_bytes();
            changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Invite::parse(&changed).is_err(), "changed at {place}");
            let mut cut = link.clone();
            cut.remove(place);
            assert!(Invite::parse(&cut).is_err(), "without {place}");
            let mut more = link.clone();
            more.insert(place, 'q');
            assert!(Invite::parse(&more).is_err(), "with more at {place}");
            assert!(Invite::parse(&link[..place]).is_err(), "cut at {place}");
        }
        let fragment = link.find('#').unwrap() + 1;
        for place in fragment..link.len() - 1 {
            // A hash's length is the one at which a cut link looks like a relay's address.
            let told = match place - fragment + 1 {
                43 => LinkError::RelayAddress,
                _ => LinkError::Mangled,
            };
            assert_eq!(Invite::parse(&link[..=place]).err(), Some(told));
        }
    }

    #[test]
    fn another_version_is_told_from_damage() {
        let authority = "127.0.0.1:4433";
        let mut bytes = vec![2, 1, 2, 3];
        let sum = checksum(authority, &bytes);
        bytes.extend_from_slice(&sum);
        let link = format!("https://{authority}/#{}", BASE64URL_NOPAD.encode(&bytes));
        assert_eq!(Invite::parse(&link).err(), Some(LinkError::Version(2)));
    }

    #[test]
    fn what_is_no_link_is_called_so() {
        assert_eq!(Invite::parse("hello").err(), Some(LinkError::NotALink));
        assert_eq!(
            Invite::parse("https://example.org/").err(),
            Some(LinkError::NotALink)
        );
        let hash = BASE64URL_NOPAD.encode(&[1; 32]);
        let address = format!("https://127.0.0.1:4433/#{hash}.{hash}");
        let vouched = "https://relay.example/#authority";
        for address in [&address, vouched] {
            assert_eq!(Invite::parse(address).err(), Some(LinkError::RelayAddress));
        }
    }

    #[test]
    fn the_room_differs_from_relay_to_relay() {
        let invite = invite();
        assert!(invite.room_handle(0) != invite.room_handle(1));
        assert!(invite.room_handle(2).is_none());
    }
}
