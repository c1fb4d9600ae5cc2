//! The bundle: what a meeting is, as everybody in it must see it. Links pin its hash.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::meeting::display_safe;

/// Most committers: the host and seven co-hosts. Each is 64 bytes of every committer link.
pub const COMMITTERS: usize = 8;

/// Bytes of a title. It is in every committer link and in the answer to every knocker.
pub const TITLE_BYTES: usize = 100;

/// The version of bundles that this program makes and reads.
const VERSION: u8 = 1;

/// Longest bundle, in bytes: version, count, keys, title with its length, vigil.
pub(in crate::meeting) const LONGEST: usize = 2 + 64 * COMMITTERS + 1 + TITLE_BYTES + 1;

/// The public keys of one committer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitterKeys {
    /// Ed25519 (RFC 8032): what it says as a committer is signed by this.
    pub sign: [u8; 32],
    /// X25519, for HPKE (RFC 9180): knocks are sealed to this.
    pub lobby: [u8; 32],
}

/// SHA-256 of a bundle's bytes. It pins the keys of all committers; the words for the meeting derive
/// from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BundleHash(pub [u8; 32]);

/// What a meeting is, fixed when its links are drawn.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    version: u8,
    committers: Vec<CommitterKeys>,
    title: String,
    vigil: bool,
}

impl Bundle {
    /// `None` when something is over its bound, or there is no committer.
    pub(super) fn new(committers: Vec<CommitterKeys>, title: &str, vigil: bool) -> Option<Self> {
        let bundle = Self {
            version: VERSION,
            committers,
            title: title.to_owned(),
            vigil,
        };
        bundle.is_within_bounds().then_some(bundle)
    }

    /// Reads a bundle. There is one way to write each: another one is none, so that no two bundles
    /// that say the same have two hashes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > LONGEST {
            return None;
        }
        let bundle: Self = postcard::from_bytes(bytes).ok()?;
        (bundle.is_within_bounds() && bundle.to_bytes() == bytes).then_some(bundle)
    }

    /// Its bytes, in postcard.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Memory is all that writing can lack.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// What links pin.
    pub fn hash(&self) -> BundleHash {
        BundleHash(Sha256::digest(self.to_bytes()).into())
    }

    /// All committers in the order of their ranks: the host, then the co-hosts.
    pub fn committers(&self) -> &[CommitterKeys] {
        &self.committers
    }

    /// The committer of a rank; 0 is the host.
    pub fn committer(&self, rank: u8) -> Option<&CommitterKeys> {
        self.committers.get(usize::from(rank))
    }

    /// The title, harmless on a screen; `None` when the meeting has none. It is the host's text, at
    /// most [`TITLE_BYTES`] of it.
    pub fn display_title(&self) -> Option<String> {
        (!self.title.trim().is_empty()).then(|| display_safe(&self.title))
    }

    /// Whether the meeting is one to many: who is not a speaker watches.
    pub fn is_vigil(&self) -> bool {
        self.vigil
    }

    fn is_within_bounds(&self) -> bool {
        self.version == VERSION
            && (1..=COMMITTERS).contains(&self.committers.len())
            && self.title.len() <= TITLE_BYTES
    }
}
