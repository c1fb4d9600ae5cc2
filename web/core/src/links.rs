//! Links: what a page can tell of one, and making those of a new meeting on the device.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sottovoce::meeting::links::{DrawError, Link, Links};
use sottovoce::meeting::{LinkError, RELAYS, RelayRef};

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// To take part in a meeting.
    Meeting,
    /// To watch a vigil, or to knock as somebody who wants to speak.
    Vigil,
    /// The host's, to keep.
    Host,
    /// A co-host's, to keep.
    CoHost,
}

/// What can be told of a link before anything is sent.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkInfo {
    /// What it is.
    pub kind: LinkKind,
    /// Among those who may hold the meeting; 0 is the host.
    pub rank: Option<u8>,
    /// Whoever has the link to give away can watch and record.
    pub vigil: bool,
    /// What the meeting is called: only links to keep know it.
    pub title: Option<String>,
    /// SHA-256 of the committers' keys, in hexadecimal: what the words of the meeting are made of.
    pub bundle: String,
    /// Where it is held, the first that can be reached.
    pub relays: Vec<RelayInfo>,
    /// The whole link, as it should be kept or passed on.
    pub link: String,
    /// The link to give away: of a link to keep the one that was made with it, else the same.
    pub meeting: String,
}

/// A relay of a link.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct RelayInfo {
    /// `host:port`.
    pub authority: String,
    /// SHA-256 of the certificates that it may show, in hexadecimal; none: an authority vouches for it.
    pub hashes: Vec<String>,
}

/// Why a text is no link that can be used, or a meeting cannot be made. A closed set: the page has the
/// sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum LinkFault {
    /// It has not the form of a link.
    #[error("not-a-link")]
    NotALink,
    /// It is a relay's address.
    #[error("relay-address")]
    RelayAddress,
    /// It was changed or cut off on its way.
    #[error("mangled")]
    Mangled,
    /// It was made by a later version.
    #[error("newer")]
    Newer,
    /// It was made by an earlier version.
    #[error("older")]
    Older,
    /// What is in it does not fit together.
    #[error("contradictory")]
    Contradictory,
    /// A meeting needs at least one relay, and has at most eight, each once.
    #[error("relays")]
    Relays,
    /// This is no relay's address.
    #[error("bad-relay")]
    BadRelay,
    /// An IP address without hashes: nobody could tell the relay from one that poses as it.
    #[error("no-hashes")]
    NoHashes,
    /// More co-hosts than there are ranks.
    #[error("co-hosts")]
    CoHosts,
    /// The title is too long.
    #[error("title")]
    Title,
    /// The link would be too long.
    #[error("too-long")]
    TooLong,
    /// There is no randomness.
    #[error("no-randomness")]
    NoRandomness,
}

impl From<LinkError> for LinkFault {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NotALink => Self::NotALink,
            LinkError::RelayAddress => Self::RelayAddress,
            LinkError::Mangled => Self::Mangled,
            LinkError::Version(_) => Self::Newer,
            LinkError::Older(_) => Self::Older,
            LinkError::Contradictory => Self::Contradictory,
        }
    }
}

impl From<DrawError> for LinkFault {
    fn from(error: DrawError) -> Self {
        match error {
            DrawError::NoRelay | DrawError::TooManyRelays => Self::Relays,
            DrawError::BadRelay => Self::BadRelay,
            DrawError::TooManyCoHosts => Self::CoHosts,
            DrawError::TitleTooLong => Self::Title,
        }
    }
}

/// Reads a link, or the part of one behind its `#`.
///
/// # Errors
/// [`LinkFault`].
pub fn parse(text: &str) -> Result<Link, LinkFault> {
    Ok(match text.contains("://") {
        true => Link::parse(text)?,
        false => Link::parse_fragment(text.trim_start_matches('#'))?,
    })
}

/// What can be told of a link.
///
/// # Errors
/// [`LinkFault`].
pub fn read(text: &str) -> Result<LinkInfo, LinkFault> {
    let link = parse(text)?;
    let meeting = link.meeting();
    let (kind, rank, title) = match &link {
        Link::Meeting(meeting) if meeting.viewer.is_some() => (LinkKind::Vigil, None, None),
        Link::Meeting(_) => (LinkKind::Meeting, None, None),
        Link::Committer(own) => {
            let kind = match own.rank {
                0 => LinkKind::Host,
                _ => LinkKind::CoHost,
            };
            (kind, Some(own.rank), own.bundle.display_title())
        }
    };
    let relay = |relay: &RelayRef| RelayInfo {
        authority: relay.authority(),
        hashes: relay.hashes.iter().map(|hash| hex(hash)).collect(),
    };
    Ok(LinkInfo {
        kind,
        rank,
        vigil: meeting.viewer.is_some(),
        title,
        bundle: hex(&meeting.bundle.0),
        relays: meeting.relays.iter().map(relay).collect(),
        link: match &link {
            Link::Meeting(meeting) => meeting.to_link(),
            Link::Committer(own) => own.to_link(),
        },
        meeting: meeting.to_link(),
    })
}

/// What a new meeting is to be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewMeeting {
    /// Addresses of relays as they print them when they start, the first one first.
    pub relays: Vec<String>,
    /// What it is called.
    pub title: String,
    /// So many who take over when the host is gone.
    pub co_hosts: usize,
    /// One to many: whoever has the link to give away can watch and record.
    pub vigil: bool,
}

/// The links of a new meeting.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingLinks {
    /// To give away.
    pub meeting: String,
    /// For the host to keep.
    pub host: String,
    /// For each co-host one, in the order in which they take over.
    pub co_hosts: Vec<String>,
}

/// Makes the links of a new meeting. Nothing is sent anywhere. `random` must be random and never used
/// again.
///
/// # Errors
/// [`LinkFault`].
pub fn draw(new: &NewMeeting, random: [u8; 32]) -> Result<MeetingLinks, LinkFault> {
    if new.relays.is_empty() || new.relays.len() > RELAYS {
        return Err(LinkFault::Relays);
    }
    let mut relays: Vec<RelayRef> = Vec::new();
    for text in &new.relays {
        let one = relay(text)?;
        if relays
            .iter()
            .any(|other| other.authority() == one.authority())
        {
            return Err(LinkFault::Relays);
        }
        relays.push(one);
    }
    let links = Links::draw(relays, &new.title, new.co_hosts, new.vigil, random)?;
    if Link::parse(&links.host).is_err() {
        return Err(LinkFault::TooLong);
    }
    Ok(MeetingLinks {
        meeting: links.meeting,
        host: links.host,
        co_hosts: links.co_hosts,
    })
}

/// A relay's address as it prints it: `https://host:port/#hash.hash`, or `#authority`.
fn relay(text: &str) -> Result<RelayRef, LinkFault> {
    let text = text.trim();
    let scheme = text
        .get(..8)
        .filter(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let rest = scheme.and(text.get(8..)).ok_or(LinkFault::BadRelay)?;
    let (place, fragment) = match rest.split_once('#') {
        Some((place, fragment)) => (place, Some(fragment)),
        None => (rest, None),
    };
    let place = place.strip_suffix('/').unwrap_or(place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| LinkFault::BadRelay)?)
        }
        _ => (place, 443),
    };
    let host = host.to_ascii_lowercase();
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_ip = bracketed.is_some() || host.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'));
    let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    let is_host = match bracketed {
        Some(inner) => {
            inner.contains(':')
                && inner
                    .bytes()
                    .all(|byte| byte == b':' || byte == b'.' || byte.is_ascii_hexdigit())
        }
        None => host.bytes().all(is_name),
    };
    if port == 0 || host.is_empty() || !is_host {
        return Err(LinkFault::BadRelay);
    }
    let hash = |part: &str| {
        let bytes = Base64UrlUnpadded::decode_vec(part).ok()?;
        <[u8; 32]>::try_from(bytes).ok()
    };
    let hashes: Option<Vec<_>> = match fragment {
        Some("authority") => Some(Vec::new()),
        Some(fragment) if !fragment.is_empty() => fragment.split('.').map(hash).collect(),
        // Authorities vouch for names that somebody wrote by hand.
        _ if !is_ip && host != "localhost" && !host.ends_with(".localhost") => Some(Vec::new()),
        _ => return Err(LinkFault::NoHashes),
    };
    Ok(RelayRef {
        host,
        port,
        hashes: hashes.ok_or(LinkFault::BadRelay)?,
        pass: None,
    })
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes behind [`LinkInfo::bundle`].
pub(crate) fn of_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
