//! Meeting links: `https://host:port/#...`.
//!
//! The fragment is base64url of: version, secret, relays (each host, port, certificate hashes), and
//! four bytes of a SHA-256 over all of it and over `host:port`.

use super::links::text::{unwrap, wrap};
use super::links::{LinkError, RelayRef, read_relays, write_relays};
use super::secret::LinkSecret;
use crate::wire::RoomHandle;

/// The version of links that this program makes and reads.
const VERSION: u8 = 1;

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
        write_relays(&mut bytes, &self.relays);
        let first = self.relays.first();
        wrap(
            &first.map(RelayRef::authority).unwrap_or_default(),
            "",
            &bytes,
        )
    }

    /// Reads a link as people paste it: with spaces, line breaks, quotes or angle brackets around
    /// or in it, with what editors and messengers put there unseen, and with a scheme in capitals.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let unwrapped = unwrap(text)?;
        match unwrapped.content.split_first() {
            Some((&VERSION, content)) => {
                let invite = read(content).ok_or(LinkError::Mangled)?;
                let first = invite.relays.first().ok_or(LinkError::Mangled)?;
                if first.authority() != unwrapped.authority || !unwrapped.marker.is_empty() {
                    return Err(LinkError::Mangled);
                }
                Ok(invite)
            }
            Some((&version, _)) => Err(LinkError::Version(version)),
            None => Err(LinkError::Mangled),
        }
    }
}

/// What follows the version; `None` when it does not add up.
fn read(bytes: &[u8]) -> Option<Invite> {
    let (secret, rest) = bytes.split_first_chunk::<32>()?;
    let (relays, rest) = read_relays(rest)?;
    rest.is_empty()
        .then(|| Invite::new(LinkSecret::from_bytes(*secret), relays))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

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
        let link = wrap(authority, "", &[2, 1, 2, 3]);
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
