//! Links of versions 2 and 3. Their content, before base64url:
//!
//! version, kind (0 meeting, 1 committer, 2 vigil), link secret (32), hash of the bundle (32),
//! relays; a committer's besides: rank (1), seed (32), way back (32), the bundle to the end; a vigil's
//! besides: the viewer key (32), which committers derive from the way back. A link of version 3 has the key
//! of a pass for at least one of its relays; one without any is of version 2, which older programs read.
//! `text.rs` says what stands around it.

use zeroize::Zeroizing;

use super::text::{content, unwrap, wrap};
use super::{Bundle, BundleHash, CommitterSeed, LinkError, RelayRef, read_relays, write_relays};
use crate::meeting::secret::{LinkSecret, derive};
use crate::wire::RoomHandle;

/// Without a pass, and with one.
const PLAIN: u8 = 2;
const PASSES: u8 = 3;

const MEETING: u8 = 0;
const COMMITTER: u8 = 1;
const VIGIL: u8 = 2;

/// What everyone who is invited has. Whoever has it can knock, and learns nothing else by it.
#[derive(Clone, PartialEq, Eq)]
pub struct MeetingLink {
    /// The room secret of the lobby.
    pub secret: LinkSecret,
    /// Pins the keys of the committers.
    pub bundle: BundleHash,
    /// Where the meeting can be held, the first relay first; at least one.
    pub relays: Vec<RelayRef>,
    /// Of a vigil: the viewer key, which is the room secret of the stage. Whoever has it can watch.
    pub viewer: Option<LinkSecret>,
}

/// What the host, or one co-host, keeps. Whoever has it admits and removes.
#[derive(Clone, PartialEq, Eq)]
pub struct CommitterLink {
    /// The meeting link that belongs to it.
    pub meeting: MeetingLink,
    /// 0 the host, then the co-hosts in the order in which they take over.
    pub rank: u8,
    /// The keys of this committer come out of it.
    pub seed: CommitterSeed,
    pub(super) way_back: LinkSecret,
    /// What [`MeetingLink::bundle`] is the hash of.
    pub bundle: Bundle,
}

/// Either kind of link.
#[derive(Clone, PartialEq, Eq)]
pub enum Link {
    /// To take part.
    Meeting(MeetingLink),
    /// To hold the meeting.
    Committer(Box<CommitterLink>),
}

impl Link {
    /// Reads a link as people paste it: with spaces, line breaks, quotes or angle brackets around
    /// or in it, with what editors and messengers put there unseen, and with a scheme in capitals.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let unwrapped = unwrap(text)?;
        let (version, content) = match unwrapped.content.split_first() {
            Some((&version @ PLAIN..=PASSES, content)) => (version, content),
            Some((&version, _)) if version < PLAIN => return Err(LinkError::Older(version)),
            Some((&version, _)) => return Err(LinkError::Version(version)),
            None => return Err(LinkError::Mangled),
        };
        let link = read(content, version).ok_or(LinkError::Contradictory)?;
        // There is one way to write each link.
        if link.meeting().version() != version {
            return Err(LinkError::Contradictory);
        }
        let first = link.meeting().relays.first();
        if first.is_none_or(|first| first.authority() != unwrapped.authority) {
            return Err(LinkError::Contradictory);
        }
        // The checksum does not reach the marker.
        if link.marker() != unwrapped.marker {
            return Err(LinkError::Mangled);
        }
        Ok(link)
    }

    /// Reads the part of a link behind its `#`, where what stood before it is not the first relay's
    /// address: a page may come from anywhere.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse_fragment(text: &str) -> Result<Self, LinkError> {
        let authority = content(text).and_then(|content| {
            let relays = content.get(2 + 32 + 32..)?;
            let (relays, _) = read_relays(relays, content.first() == Some(&PASSES))?;
            Some(relays.first()?.authority())
        });
        // Without one it is no link of a version that is known here.
        let authority = authority.unwrap_or_default();
        let whole = Zeroizing::new(format!("https://{authority}/#{text}"));
        Self::parse(&whole)
    }

    /// What is in both kinds.
    pub fn meeting(&self) -> &MeetingLink {
        match self {
            Self::Meeting(meeting) => meeting,
            Self::Committer(committer) => &committer.meeting,
        }
    }

    fn marker(&self) -> String {
        match self {
            Self::Meeting(_) => String::new(),
            Self::Committer(committer) => committer.marker(),
        }
    }
}

impl MeetingLink {
    /// The same meeting at the next link secret.
    pub fn with_secret(&self, secret: LinkSecret) -> Self {
        Self {
            secret,
            bundle: self.bundle,
            relays: self.relays.clone(),
            viewer: self.viewer.clone(),
        }
    }

    /// The link.
    pub fn to_link(&self) -> String {
        let Some(viewer) = &self.viewer else {
            return wrap(&self.authority(), "", &self.content(MEETING));
        };
        let mut bytes = self.content(VIGIL);
        bytes.extend_from_slice(viewer.as_bytes());
        wrap(&self.authority(), "", &bytes)
    }

    /// The lobby's handle at one of the relays; `None` when there is no such relay.
    pub fn lobby(&self, relay: usize) -> Option<RoomHandle> {
        let relay = self.relays.get(relay)?;
        Some(self.secret.room_handle(&relay.authority()))
    }

    fn authority(&self) -> String {
        let first = self.relays.first();
        first.map(RelayRef::authority).unwrap_or_default()
    }

    fn version(&self) -> u8 {
        match self.relays.iter().any(|relay| relay.pass.is_some()) {
            true => PASSES,
            false => PLAIN,
        }
    }

    fn content(&self, kind: u8) -> Zeroizing<Vec<u8>> {
        let version = self.version();
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        bytes.extend_from_slice(&[version, kind]);
        bytes.extend_from_slice(self.secret.as_bytes());
        bytes.extend_from_slice(&self.bundle.0);
        write_relays(&mut bytes, &self.relays, version == PASSES);
        bytes
    }
}

impl CommitterLink {
    /// The link.
    pub fn to_link(&self) -> String {
        let mut bytes = self.meeting.content(COMMITTER);
        bytes.push(self.rank);
        bytes.extend_from_slice(self.seed.as_bytes());
        bytes.extend_from_slice(self.way_back.as_bytes());
        bytes.extend_from_slice(&self.bundle.to_bytes());
        wrap(&self.meeting.authority(), &self.marker(), &bytes)
    }

    /// The room secret of the committers' room. It stays the same as long as the meeting does, so
    /// that an old committer link always finds back.
    pub fn committers_room(&self) -> LinkSecret {
        LinkSecret::from_bytes(*derive(self.way_back.as_bytes(), "committers' room", &[]))
    }

    /// The viewer key of a meeting with this way back.
    pub(super) fn viewer(way_back: &[u8; 32]) -> LinkSecret {
        LinkSecret::from_bytes(*derive(way_back, "viewer", &[]))
    }

    /// Tells people which link this is, wherever they have put it.
    fn marker(&self) -> String {
        match self.rank {
            0 => "HOST-KEEP-SECRET.".to_owned(),
            rank => format!("COHOST-{rank}-KEEP-SECRET."),
        }
    }
}

/// What follows the version; `None` when it does not fit together.
fn read(bytes: &[u8], version: u8) -> Option<Link> {
    let (&kind, rest) = bytes.split_first()?;
    let (secret, rest) = rest.split_first_chunk::<32>()?;
    let (bundle, rest) = rest.split_first_chunk::<32>()?;
    let (relays, rest) = read_relays(rest, version == PASSES)?;
    let mut meeting = MeetingLink {
        secret: LinkSecret::from_bytes(*secret),
        bundle: BundleHash(*bundle),
        relays,
        viewer: None,
    };
    match kind {
        MEETING => rest.is_empty().then_some(Link::Meeting(meeting)),
        VIGIL => {
            meeting.viewer = Some(LinkSecret::from_bytes(rest.try_into().ok()?));
            Some(Link::Meeting(meeting))
        }
        COMMITTER => {
            let (&rank, rest) = rest.split_first()?;
            let (seed, rest) = rest.split_first_chunk::<32>()?;
            let (way_back, rest) = rest.split_first_chunk::<32>()?;
            let bundle = Bundle::from_bytes(rest)?;
            let seed = CommitterSeed::from_bytes(*seed);
            meeting.viewer = bundle.is_vigil().then(|| CommitterLink::viewer(way_back));
            let fits =
                bundle.hash() == meeting.bundle && bundle.committer(rank) == Some(&seed.keys());
            fits.then(|| {
                Link::Committer(Box::new(CommitterLink {
                    meeting,
                    rank,
                    seed,
                    way_back: LinkSecret::from_bytes(*way_back),
                    bundle,
                }))
            })
        }
        _ => None,
    }
}
