//! Makes a meeting: all of its links, from one draw of randomness.

use zeroize::Zeroizing;

use super::relays::HASHES;
use super::{
    Bundle, COMMITTERS, CommitterLink, CommitterSeed, MeetingLink, RELAYS, RelayRef, TITLE_BYTES,
};
use crate::meeting::secret::{LinkSecret, derive};

/// Why links cannot be made. The caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// No relay at which the meeting could be held.
    #[error("a meeting needs a relay; name one")]
    NoRelay,
    /// More than [`RELAYS`].
    #[error("these are too many relays: a link holds at most {RELAYS}")]
    TooManyRelays,
    /// A relay's host is empty, too long, or has signs that no host has; or too many hashes.
    #[error("a relay's address is not one that a link can hold")]
    BadRelay,
    /// More co-hosts than there are ranks.
    #[error("these are too many co-hosts: a meeting has at most {}", COMMITTERS - 1)]
    TooManyCoHosts,
    /// The title is longer than [`TITLE_BYTES`].
    #[error(
        "the title is too long: at most {TITLE_BYTES} bytes (letters beyond a to z take more than one)"
    )]
    TitleTooLong,
}

/// All links of a new meeting.
pub struct Links {
    /// To give away.
    pub meeting: String,
    /// For the host to keep.
    pub host: String,
    /// For each co-host one, in the order in which they take over.
    pub co_hosts: Vec<String>,
}

impl Links {
    /// Draws a meeting's secrets and makes its links. `random` must be random and never used again.
    ///
    /// # Errors
    /// [`DrawError`].
    pub fn draw(
        relays: Vec<RelayRef>,
        title: &str,
        co_hosts: usize,
        vigil: bool,
        random: [u8; 32],
    ) -> Result<Self, DrawError> {
        let random = Zeroizing::new(random);
        check(&relays)?;
        if co_hosts >= COMMITTERS {
            return Err(DrawError::TooManyCoHosts);
        }
        let seeds: Vec<_> = (0..=co_hosts as u8)
            .map(|rank| CommitterSeed::from_bytes(*derive(&*random, "draw committer", &[&[rank]])))
            .collect();
        let committers = seeds.iter().map(CommitterSeed::keys).collect();
        let bundle = Bundle::new(committers, title, vigil).ok_or(DrawError::TitleTooLong)?;
        let way_back = derive(&*random, "draw way back", &[]);
        let meeting = MeetingLink {
            secret: LinkSecret::from_bytes(*derive(&*random, "draw link", &[])),
            bundle: bundle.hash(),
            relays,
            viewer: vigil.then(|| CommitterLink::viewer(&way_back)),
        };
        let mut keep = seeds.into_iter().zip(0..).map(|(seed, rank)| {
            CommitterLink {
                meeting: meeting.clone(),
                rank,
                seed,
                way_back: LinkSecret::from_bytes(*way_back),
                bundle: bundle.clone(),
            }
            .to_link()
        });
        let host = keep.next().unwrap_or_default();
        let co_hosts = keep.collect();
        Ok(Self {
            meeting: meeting.to_link(),
            host,
            co_hosts,
        })
    }
}

fn check(relays: &[RelayRef]) -> Result<(), DrawError> {
    if relays.is_empty() {
        return Err(DrawError::NoRelay);
    }
    if relays.len() > RELAYS {
        return Err(DrawError::TooManyRelays);
    }
    let is_fine = |relay: &RelayRef| {
        (1..=255).contains(&relay.host.len())
            && relay
                .host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c))
            && relay.hashes.len() <= HASHES
    };
    match relays.iter().all(is_fine) {
        true => Ok(()),
        false => Err(DrawError::BadRelay),
    }
}
