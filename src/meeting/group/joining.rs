//! The way in: a key package, and the welcome that answers it.

use openmls::prelude::{
    Extensions, KeyPackageBuilder, KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider,
    ProtocolVersion, StagedWelcome,
};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::leaf::{Committers, LeafId, LeafName, Member};
use super::policy;
use super::reason::stranger;
use super::rejection::GroupRejection;
use super::state::Group;
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::crypto::{Provider, SUITE};

/// Longest key package that is looked at, in bytes; one with the longest name has under 800.
const LONGEST: usize = 2048;

/// Longest welcome that is looked at, in bytes: one for 200 members, all with the longest of names, has
/// about 100,000.
const LONGEST_WELCOME: usize = 256 * 1024;

/// Somebody's key package, checked.
#[derive(Clone)]
pub struct KeyPackage {
    pub(super) package: openmls::prelude::KeyPackage,
    member: Member,
}

impl KeyPackage {
    /// Reads a stranger's.
    ///
    /// # Errors
    /// [`GroupRejection`].
    pub fn read(bytes: &[u8], committers: &Committers) -> Result<Self, GroupRejection> {
        if bytes.len() > LONGEST {
            return Err(GroupRejection::TooLarge);
        }
        let package = KeyPackageIn::tls_deserialize_exact_bytes(bytes)
            .map_err(|_| GroupRejection::Malformed)?;
        let checker = Provider::new([0; 32]);
        let package = package
            .validate(checker.crypto(), ProtocolVersion::Mls10)
            .map_err(|error| stranger(&error))?;
        if package.ciphersuite() != SUITE {
            return Err(GroupRejection::UnknownExtension);
        }
        policy::check_package(&package)?;
        let leaf = package.leaf_node();
        let key = leaf.signature_key().as_slice();
        let member = committers.member(LeafId(u32::MAX), leaf.credential(), key)?;
        Ok(Self { package, member })
    }

    /// Who it is of. Its leaf is not known before it is in a tree.
    pub fn member(&self) -> &Member {
        &self.member
    }
}

/// Fresh keys of somebody who wants to become a member.
pub struct Joining {
    pub(super) provider: Provider,
    pub(super) key: SigningKey,
    pub(super) committers: Committers,
    pub(super) name: LeafName,
    key_package: Vec<u8>,
    /// Bit n: a welcome by the committer of rank n leads nowhere.
    refused: u8,
}

impl Joining {
    /// Draws the keys. `committer`: the key that proves the rank in `name`. `seed` must be random and
    /// never used again.
    ///
    /// # Errors
    /// [`GroupRejection::Internal`].
    pub fn new(
        name: LeafName,
        committer: Option<&SigningKey>,
        committers: Committers,
        seed: [u8; 32],
    ) -> Result<Self, GroupRejection> {
        let provider = Provider::new(seed);
        let key = SigningKey::from_seed(&provider.random().array());
        Self::with(provider, key, name, committer, committers)
    }

    /// The same for a leaf with this key for signatures, which must be in no tree.
    ///
    /// # Errors
    /// [`GroupRejection::Internal`].
    pub fn with_key(
        key: SigningKey,
        name: LeafName,
        committer: Option<&SigningKey>,
        committers: Committers,
        seed: [u8; 32],
    ) -> Result<Self, GroupRejection> {
        Self::with(Provider::new(seed), key, name, committer, committers)
    }

    fn with(
        provider: Provider,
        key: SigningKey,
        mut name: LeafName,
        committer: Option<&SigningKey>,
        committers: Committers,
    ) -> Result<Self, GroupRejection> {
        if let Some(committer) = committer {
            name.prove(committer, &key.public(), &committers.bundle);
        }
        let credential = name.to_credential(&key.public())?;
        let bundle = KeyPackageBuilder::new()
            .leaf_node_capabilities(policy::capabilities())
            .key_package_extensions(Extensions::empty())
            .key_package_lifetime(policy::lifetime())
            .build(SUITE, &provider, &key, credential)
            .map_err(|_| GroupRejection::Internal)?;
        let key_package = bundle
            .key_package()
            .tls_serialize_detached()
            .map_err(|_| GroupRejection::Internal)?;
        Ok(Self {
            provider,
            key,
            committers,
            name,
            key_package,
            refused: 0,
        })
    }

    /// Learns who the committers are. Nobody who is none of them has to know before.
    pub fn meet(&mut self, committers: Committers) {
        if committers.bundle == self.committers.bundle {
            self.committers = committers;
        }
    }

    /// Who they are, as far as it is known.
    pub fn committers(&self) -> &Committers {
        &self.committers
    }

    /// These committers were removed (bit n: rank n): no welcome by them is taken.
    pub fn refuse(&mut self, ranks: u8) {
        self.refused = ranks;
    }

    /// What to knock with.
    pub fn key_package(&self) -> &[u8] {
        &self.key_package
    }

    /// Enters the group that a welcome leads to.
    ///
    /// # Errors
    /// [`GroupRejection`]; then these keys are of no use any more.
    pub fn enter(self, welcome: &[u8]) -> Result<Group, GroupRejection> {
        if welcome.len() > LONGEST_WELCOME {
            return Err(GroupRejection::TooLarge);
        }
        let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome)
            .map_err(|_| GroupRejection::Malformed)?;
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
            return Err(GroupRejection::Malformed);
        };
        let staged = StagedWelcome::build_from_welcome(&self.provider, &policy::config(), welcome)
            .map_err(|_| GroupRejection::NotAuthentic)?
            .skip_lifetime_validation()
            .build()
            .map_err(|_| GroupRejection::NotAuthentic)?;
        policy::check_context(staged.group_context(), &self.committers)?;
        let refused = self.refused;
        let sender = LeafId(staged.welcome_sender_index().u32());
        let group = staged
            .into_group(&self.provider)
            .map_err(|_| GroupRejection::NotAuthentic)?;
        for (_, leaf) in group.treesync().full_leaves() {
            policy::check_leaf(leaf)?;
        }
        let group = Group::new(self.provider, self.key, self.committers, group)?;
        // Only a committer welcomes, and no removed one.
        let may = |rank| refused & 1_u8.checked_shl(u32::from(rank)).unwrap_or(0) == 0;
        let by_committer = |member: &Member| member.leaf == sender && member.rank.is_some_and(may);
        match group.roster().iter().any(by_committer) {
            true => Ok(group),
            false => Err(GroupRejection::NotTheChair),
        }
    }
}
