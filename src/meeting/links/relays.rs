//! The relays in a link: for each its host, port and certificate hashes, and a key where it asks for a
//! pass.

use super::pass::{Pass, PassKey};
use crate::wire::{PassProof, RoomHandle};

/// Most relays in a link. More are more to wait for when none answers.
pub const RELAYS: usize = 8;

/// Certificate hashes of each: as many as a relay's own address may hold.
pub(super) const HASHES: usize = 4;

/// Where a meeting can be held.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayRef {
    /// A DNS name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// UDP port.
    pub port: u16,
    /// SHA-256 of the certificates that it may show; none when an authority vouches for it.
    pub hashes: Vec<[u8; 32]>,
    /// For a relay that serves only those who have its pass.
    pub pass: Option<PassKey>,
}

impl RelayRef {
    /// The same relay, for those who have its pass.
    pub fn with_pass(mut self, pass: &Pass) -> Self {
        self.pass = Some(pass.key(&self.authority()));
        self
    }

    /// What a `Hello` for this room shows to the relay, where it asks for a pass. `nonce` gives a new
    /// random one.
    pub(in crate::meeting) fn proof(
        &self,
        room: &RoomHandle,
        nonce: impl FnOnce() -> [u8; 8],
    ) -> Option<PassProof> {
        let key = self.pass.as_ref()?;
        Some(key.prove(room, nonce()))
    }

    /// `host:port`, the port always written.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Appends the relays; what is over a bound is left out. `passes`: with a place for the key of each.
pub(super) fn write_relays(bytes: &mut Vec<u8>, relays: &[RelayRef], passes: bool) {
    let relays = relays.get(..relays.len().min(RELAYS)).unwrap_or_default();
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
        if passes {
            bytes.push(relay.pass.is_some().into());
            bytes.extend(relay.pass.iter().flat_map(PassKey::as_bytes));
        }
    }
}

/// The relays, and what follows them; `None` when it does not add up.
pub(super) fn read_relays(bytes: &[u8], passes: bool) -> Option<(Vec<RelayRef>, &[u8])> {
    let (&count, mut bytes) = bytes.split_first()?;
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
        let (pass, rest) = match passes {
            true => read_pass(rest)?,
            false => (None, rest),
        };
        let host = std::str::from_utf8(host).ok()?.to_owned();
        relays.push(RelayRef {
            host,
            port: u16::from_be_bytes(*port),
            hashes: known,
            pass,
        });
        bytes = rest;
    }
    Some((relays, bytes))
}

/// Whether there is a key, and the key.
fn read_pass(bytes: &[u8]) -> Option<(Option<PassKey>, &[u8])> {
    match bytes.split_first()? {
        (0, rest) => Some((None, rest)),
        (1, rest) => {
            let (key, rest) = rest.split_first_chunk::<{ PassKey::LENGTH }>()?;
            Some((Some(PassKey::from_bytes(*key)), rest))
        }
        _ => None,
    }
}
