//! A relay's address as people pass it on: `https://host:port/#hash.hash`.
//!
//! The fragment holds the SHA-256 of each certificate that the relay may show, in base64url
//! without padding, or the word `authority`: an authority that the participant's machine trusts
//! vouches for the relay. The word is there so that an address that lost its hashes can be told
//! apart. A browser never sends a fragment anywhere (RFC 3986, 3.5).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use rustls::pki_types::ServerName;

use super::certificate::CertificateHash;

/// The port of an address that names none, as for every `https` address.
const DEFAULT_PORT: u16 = 443;

/// Most hashes in an address: this window's and the next one's, and as many again for a relay
/// that moves to another identity. More make a link that does not fit where links are pasted.
const MOST_HASHES: usize = 4;

/// What stands for the hashes of a relay that has none because an authority vouches for it.
const AUTHORITY: &str = "authority";

/// Longest address that is looked at, in bytes: a host name of 253, four hashes, and room to spare.
const LONGEST: usize = 1024;

/// Where a relay is and by which certificates it is known.
///
/// Has neither `Debug` nor `Display`: an address is shown on purpose ([`Self::to_url`]) or not
/// at all.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayAddress {
    host: Host,
    port: u16,
    hashes: Vec<CertificateHash>,
    says_authority: bool,
}

/// The machine in a [`RelayAddress`].
#[derive(Clone, PartialEq, Eq)]
pub enum Host {
    /// A DNS name, in lower case, without a dot at its end.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, which stands in brackets in the written form.
    V6(Ipv6Addr),
}

/// Why a text is no relay address. Whoever typed or pasted it can put it right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with `https://`.
    #[error("a relay's address begins with https:// (like https://relay.example/); copy it again")]
    NotHttps,
    /// Longer than any address is.
    #[error("this is too long for a relay's address; copy it again, and nothing around it")]
    TooLong,
    /// There is no host, or what stands there is neither a name nor an IP address.
    #[error(
        "the relay's address has no proper host: write a name (international ones as xn--...), \
         an IPv4 address, or an IPv6 address in brackets"
    )]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the port in the relay's address must be a number from 1 to 65535")]
    Port,
    /// A user, a path or a query, none of which a relay's address has.
    #[error("a relay's address has nothing but host, port and what follows the #; copy it again")]
    Extra,
    /// What follows the `#` is no list of certificate hashes.
    #[error(
        "the part of the relay's address after the # is damaged; copy the address again as a whole"
    )]
    Hashes,
}

impl RelayAddress {
    /// Builds an address from its parts; `host` as in the written form (IPv6 with or without
    /// brackets). Without hashes it says that an authority vouches for the relay.
    ///
    /// # Errors
    /// [`AddressError`] when the host is no name or address, the port is 0, or there are more
    /// hashes than an address may have.
    pub fn new(host: &str, port: u16, hashes: Vec<CertificateHash>) -> Result<Self, AddressError> {
        if port == 0 {
            return Err(AddressError::Port);
        }
        if hashes.len() > MOST_HASHES {
            return Err(AddressError::Hashes);
        }
        let host = match host.parse() {
            Ok(address) => Host::V6(address),
            Err(_) => Host::parse(host)?,
        };
        let says_authority = hashes.is_empty();
        Ok(Self {
            host,
            port,
            hashes,
            says_authority,
        })
    }

    /// The machine.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// SHA-256 hashes of the certificates that the relay may show; none means that an authority
    /// trusted by this machine must vouch for it.
    pub fn hashes(&self) -> &[CertificateHash] {
        &self.hashes
    }

    /// Whether it says that an authority vouches for the relay. Without hashes and without this, it
    /// was written by hand, or lost what stood after its `#`.
    pub fn says_authority(&self) -> bool {
        self.says_authority
    }

    /// The written form, which [`str::parse`] takes back. Port 443 is left out.
    pub fn to_url(&self) -> String {
        let mut url = format!("https://{}", self.host.to_text());
        if self.port != DEFAULT_PORT {
            url.push_str(&format!(":{}", self.port));
        }
        url.push('/');
        for (position, hash) in self.hashes.iter().enumerate() {
            url.push(if position == 0 { '#' } else { '.' });
            BASE64URL_NOPAD.encode_append(hash.as_bytes(), &mut url);
        }
        if self.says_authority {
            url.push('#');
            url.push_str(AUTHORITY);
        }
        url
    }
}

impl FromStr for RelayAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(AddressError::TooLong);
        }
        let rest = match text.split_at_checked("https://".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https://") => rest,
            _ => return Err(AddressError::NotHttps),
        };
        let (place, fragment) = match rest.split_once('#') {
            Some((place, fragment)) => (place, Some(fragment)),
            None => (rest, None),
        };
        let authority = match place.split_once('/') {
            Some((authority, "")) => authority,
            Some(_) => return Err(AddressError::Extra),
            None => place,
        };
        if authority.contains(['@', '?', '\\']) {
            return Err(AddressError::Extra);
        }
        let (host, port) = split_port(authority)?;
        let says_authority = fragment == Some(AUTHORITY);
        let hashes = match fragment {
            None | Some(AUTHORITY) => Vec::new(),
            Some(fragment) => parse_hashes(fragment)?,
        };
        Ok(Self {
            host: Host::parse(host)?,
            port,
            hashes,
            says_authority,
        })
    }
}

impl Host {
    /// The written form; an IPv6 address in brackets.
    pub fn to_text(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::V4(address) => address.to_string(),
            Self::V6(address) => format!("[{address}]"),
        }
    }

    fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(AddressError::Host)?;
            return inner.parse().map(Self::V6).map_err(|_| AddressError::Host);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::V4(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        // A name whose last label is a number is a misspelt IPv4 address (RFC 1123, 2.1); some
        // resolvers would take 127.1 or 0x7f000001 for one.
        let last = name.rsplit('.').next().unwrap_or(name);
        let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        if number {
            return Err(AddressError::Host);
        }
        match ServerName::try_from(name) {
            Ok(ServerName::DnsName(_)) => Ok(Self::Name(name.to_ascii_lowercase())),
            _ => Err(AddressError::Host),
        }
    }
}

/// Parts `host:port`, minding the colons inside an IPv6 address's brackets.
fn split_port(authority: &str) -> Result<(&str, u16), AddressError> {
    let host_end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_end);
    let Some(digits) = port.strip_prefix(':') else {
        return if port.is_empty() {
            Ok((host, DEFAULT_PORT))
        } else {
            Err(AddressError::Host)
        };
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AddressError::Port);
    }
    match digits.parse() {
        Ok(port) if port > 0 => Ok((host, port)),
        _ => Err(AddressError::Port),
    }
}

fn parse_hashes(fragment: &str) -> Result<Vec<CertificateHash>, AddressError> {
    let mut hashes = Vec::with_capacity(2);
    for text in fragment.split('.') {
        if hashes.len() == MOST_HASHES {
            return Err(AddressError::Hashes);
        }
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or(AddressError::Hashes)?;
        hashes.push(CertificateHash::new(bytes));
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests;
