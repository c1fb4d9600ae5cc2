//! Who and what is searched for: drawn anew for each relay, so that nothing old can be found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::DrillError;

/// How long after somebody left its traces may still be there.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// What kind of thing a canary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Where a participant, a guest at the door or a stranger really is.
    Address,
    /// The address that the airlock made up for one.
    StandIn,
    /// What somebody is called.
    Name,
    /// What was said to be read.
    Chat,
    /// Sound and pictures, before they are sealed.
    Payload,
    /// Bytes that were passed on for somebody, sealed or not.
    Passed,
    /// The secret of a link.
    Secret,
    /// What the relay knows a room by.
    Room,
    /// What a stranger's QUIC calls its connections, in the clear in each packet to and from it.
    ConnectionId,
    /// Text that a peer gave as its reason for closing, or as the name of the server.
    PeerText,
    /// What a browser's request says besides what it asks for: where to, whose page it is, which browser.
    Request,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Address,
        Self::StandIn,
        Self::Name,
        Self::Chat,
        Self::Payload,
        Self::Passed,
        Self::Secret,
        Self::Room,
        Self::ConnectionId,
        Self::PeerText,
        Self::Request,
    ];

    /// For a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::Address => "addresses",
            Self::StandIn => "stand-ins",
            Self::Name => "names",
            Self::Chat => "chat",
            Self::Payload => "sound and pictures",
            Self::Passed => "bytes passed on",
            Self::Secret => "link secrets",
            Self::Room => "room handles",
            Self::ConnectionId => "connection ids",
            Self::PeerText => "peers' text",
            Self::Request => "requests",
        }
    }
}

/// Random bytes.
pub(super) fn draw<const N: usize>() -> Result<[u8; N], DrillError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| DrillError::Random)?;
    Ok(bytes)
}

/// Letters and digits at random: `words` of them stand nowhere by chance.
pub(super) fn word() -> Result<String, DrillError> {
    let letters = data_encoding::BASE32_NOPAD.encode(&draw::<10>()?);
    Ok(letters.to_ascii_lowercase())
}

/// An IPv4 address in 127.77.0.0/16, whose text no other begins with, and a port.
pub(super) fn v4() -> Result<SocketAddr, DrillError> {
    let (third, fourth) = (below(155)? as u8, below(155)? as u8);
    let ip = Ipv4Addr::new(127, 77, 100 + third, 100 + fourth);
    Ok((ip, port()?).into())
}

/// An IPv6 address: one of ours where the drill has a network of its own, else `::1`.
pub(super) fn v6(own_network: bool) -> Result<SocketAddr, DrillError> {
    let ip = if own_network {
        let mut octets = [0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for byte in octets.iter_mut().skip(2) {
            // Two digits each, so that its text has one form.
            *byte = 0x10 + below(0xf0)? as u8;
        }
        Ipv6Addr::from(octets)
    } else {
        Ipv6Addr::LOCALHOST
    };
    Ok((ip, port()?).into())
}

/// Below the ports that systems give out by themselves.
fn port() -> Result<u16, DrillError> {
    Ok(10_000 + below(20_000)?)
}

/// A number below `bound`, each as likely as any other.
fn below(bound: u16) -> Result<u16, DrillError> {
    let fair = u16::MAX - u16::MAX % bound;
    loop {
        let number = u16::from_be_bytes(draw()?);
        if number < fair {
            return Ok(number % bound);
        }
    }
}

/// Somebody or something that canaries belong to.
struct Owner {
    what: &'static str,
    gone: Option<Instant>,
}

/// Who is there, and since when no more: what may be found of whom.
#[derive(Default)]
pub(super) struct Register(Mutex<Vec<Owner>>);

/// A number in the register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct Whose(usize);

impl Whose {
    pub(super) fn number(self) -> usize {
        self.0
    }
}

impl Register {
    /// Somebody who is there from now on.
    pub(super) fn enter(&self, what: &'static str) -> Whose {
        let mut owners = self.owners();
        owners.push(Owner { what, gone: None });
        Whose(owners.len() - 1)
    }

    /// It has gone.
    pub(super) fn gone(&self, whose: Whose) {
        self.gone_at(whose, Instant::now());
    }

    /// The relay can know from then on that it has gone.
    pub(super) fn gone_at(&self, whose: Whose, when: Instant) {
        if let Some(owner) = self.owners().get_mut(whose.0) {
            owner.gone.get_or_insert(when);
        }
    }

    /// It is there, or was just now.
    pub(super) fn is_there(&self, whose: Whose) -> bool {
        let owners = self.owners();
        let gone = owners.get(whose.0).and_then(|owner| owner.gone);
        gone.is_none_or(|gone| gone.elapsed() < GRACE)
    }

    pub(super) fn what(&self, whose: Whose) -> &'static str {
        self.owners().get(whose.0).map_or("", |owner| owner.what)
    }

    fn owners(&self) -> std::sync::MutexGuard<'_, Vec<Owner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an address can be told from others by itself, without its port.
pub(super) fn is_unmistakable(ip: IpAddr) -> bool {
    ip != Ipv6Addr::LOCALHOST && ip != IpAddr::from([127, 255, 255, 255])
}
