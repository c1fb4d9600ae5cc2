//! The group as one member holds it.

use openmls::prelude::{
    ContentType, LeafNodeIndex, MlsGroup, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider,
    ProcessedMessageContent, ProtocolMessage, Sender,
};
use sha2::{Digest, Sha256};
use tls_codec::DeserializeBytes as _;
use zeroize::Zeroizing;

use super::joining::{Joining, KeyPackage};
use super::leaf::{Committers, LeafId, Member};
use super::policy::{self, ChangeSeen};
use super::reason::reason;
use super::rejection::GroupRejection;
use crate::meeting::crypto::sign::{SigningKey, verify};
use crate::meeting::crypto::{Provider, SUITE};

/// Most members of a group.
pub const MEMBERS: usize = 200;

/// Longest message that is sent or looked at, in bytes: a body's bound, less what the room's envelope
/// adds. A commit that adds sixteen among 200 members, all with the longest of names, fits.
pub(super) const LONGEST: usize = crate::wire::limits::BODY - 128;

/// What sealing adds to something that is said, at most: header, signature, padding, tags.
const AROUND: usize = 512;

/// What a commit is to change.
#[derive(Default)]
pub struct Change {
    /// Whom to take in.
    pub add: Vec<KeyPackage>,
    /// Whom to put out.
    pub remove: Vec<LeafId>,
}

/// Why a commit removes whom it removes. It stands in the message's authenticated data
/// (RFC 9420, section 6.3.1): who is removed by it can read it, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// They are put out, for good.
    #[default]
    PutOut,
    /// They went, were out of reach for long, or come in again with another leaf.
    Gone,
}

impl Why {
    fn to_bytes(self) -> &'static [u8] {
        match self {
            Self::PutOut => &[],
            Self::Gone => b"gone",
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, GroupRejection> {
        let both = [Self::PutOut, Self::Gone];
        let mut both = both.into_iter();
        let why = both.find(|why| why.to_bytes() == bytes);
        why.ok_or(GroupRejection::Malformed)
    }
}

/// What a commit of one's own gives to send.
pub struct Posted {
    /// For everyone who was a member before.
    pub commit: Vec<u8>,
    /// For everyone who was added: one for all.
    pub welcome: Option<Vec<u8>>,
}

/// What a message was.
#[derive(Debug, PartialEq, Eq)]
pub enum Processed {
    /// A commit: there is a new epoch.
    Commit {
        /// This member is none any more.
        removed_me: bool,
        /// Why it removed whom it removed.
        why: Why,
    },
    /// Something that a member said.
    App {
        /// Who.
        from: LeafId,
        /// In which epoch: this one, or the one before.
        epoch: u64,
        /// What.
        bytes: Vec<u8>,
    },
}

/// A group, as one member holds it.
pub struct Group {
    provider: Provider,
    key: SigningKey,
    committers: Committers,
    group: MlsGroup,
    /// Of this epoch. Reading it out of the tree means checking signatures.
    roster: Vec<Member>,
}

impl Group {
    pub(super) fn new(
        provider: Provider,
        key: SigningKey,
        committers: Committers,
        group: MlsGroup,
    ) -> Result<Self, GroupRejection> {
        let roster = policy::roster(group.members(), &committers)?;
        policy::check_roster(&roster)?;
        Ok(Self {
            provider,
            key,
            committers,
            group,
            roster,
        })
    }

    /// Founds a group of one.
    ///
    /// # Errors
    /// [`GroupRejection::Internal`].
    pub fn found(joining: Joining) -> Result<Self, GroupRejection> {
        let Joining {
            provider,
            key,
            committers,
            name,
            ..
        } = joining;
        let credential = name.to_credential(&key.public())?;
        let config = policy::config();
        let group = MlsGroup::builder()
            .ciphersuite(SUITE)
            .with_wire_format_policy(config.wire_format_policy())
            .padding_size(config.padding_size())
            .max_past_epochs(1)
            .number_of_resumption_psks(0)
            .use_ratchet_tree_extension(true)
            .sender_ratchet_configuration(*config.sender_ratchet_configuration())
            .lifetime(policy::lifetime())
            .with_capabilities(policy::capabilities())
            .with_group_context_extensions(policy::meeting(&committers.bundle)?)
            .build(&provider, &key, credential)
            .map_err(|_| GroupRejection::Internal)?;
        Self::new(provider, key, committers, group)
    }

    /// What a member that keeps to no rule has at hand.
    #[cfg(test)]
    pub(super) fn parts(&mut self) -> (&mut MlsGroup, &Provider, &SigningKey) {
        (&mut self.group, &self.provider, &self.key)
    }

    /// This member's leaf.
    pub fn me(&self) -> LeafId {
        LeafId(self.group.own_leaf_index().u32())
    }

    /// How many commits there have been.
    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    /// Which group it is, and which of the ways that it could have gone to this epoch: the same at two
    /// members only if they have the same secrets. Says nothing about these.
    pub fn tag(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"sottovoce epoch");
        hash.update(self.group.group_id().as_slice());
        hash.update(self.group.epoch_authenticator().as_slice());
        hash.finalize().into()
    }

    /// A hash over who is in the tree.
    pub fn roster_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"sottovoce roster");
        for member in self.group.members() {
            hash.update(member.index.u32().to_be_bytes());
            hash.update(Sha256::digest(member.credential.serialized_content()));
            hash.update(&member.signature_key);
        }
        hash.finalize().into()
    }

    /// Everybody in the tree, in the order of their leaves.
    pub fn roster(&self) -> &[Member] {
        &self.roster
    }

    fn read_roster(&mut self) -> Result<(), GroupRejection> {
        self.roster = policy::roster(self.group.members(), &self.committers)?;
        Ok(())
    }

    /// The meeting's committers.
    pub fn committers(&self) -> &Committers {
        &self.committers
    }

    /// A secret that members of this epoch have and nobody else (RFC 9420, section 8.5).
    ///
    /// # Errors
    /// [`GroupRejection::Internal`].
    pub fn export(
        &self,
        label: &str,
        context: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, GroupRejection> {
        let crypto = self.provider.crypto();
        let secret = self.group.export_secret(crypto, label, context, 32);
        let secret = Zeroizing::new(secret.map_err(|_| GroupRejection::Internal)?);
        let mut out = Zeroizing::new([0; 32]);
        out.copy_from_slice(secret.get(..32).ok_or(GroupRejection::Internal)?);
        Ok(out)
    }

    /// This leaf's signature, for one purpose only.
    pub fn sign(&self, purpose: &str, bytes: &[u8]) -> [u8; 64] {
        Self::sign_with(&self.key, purpose, bytes)
    }

    /// The same, with the key of a leaf that one had.
    pub fn sign_with(key: &SigningKey, purpose: &str, bytes: &[u8]) -> [u8; 64] {
        key.sign(&for_purpose(purpose, bytes))
    }

    /// The key of this leaf, for [`Self::sign_with`] once it is gone.
    pub fn leaf_key(&self) -> SigningKey {
        self.key.clone()
    }

    /// Whether that was signed by the leaf with this key.
    pub fn verify(key: &[u8; 32], purpose: &str, bytes: &[u8], signature: &[u8; 64]) -> bool {
        verify(key, &for_purpose(purpose, bytes), signature)
    }

    /// This leaf's key for signatures.
    pub fn sign_key(&self) -> [u8; 32] {
        self.key.public()
    }

    /// Says something to all members.
    ///
    /// # Errors
    /// [`GroupRejection::TooLarge`]; [`GroupRejection::Internal`]: this member was removed.
    pub fn say(&mut self, bytes: &[u8]) -> Result<Vec<u8>, GroupRejection> {
        if bytes.len() > LONGEST - AROUND {
            return Err(GroupRejection::TooLarge);
        }
        let message = self
            .group
            .create_message(&self.provider, &self.key, bytes)
            .map_err(|_| GroupRejection::Internal)?;
        message.to_bytes().map_err(|_| GroupRejection::Internal)
    }

    /// Changes who is a member, here at once: who calls this rules, and what it did is so.
    ///
    /// # Errors
    /// [`GroupRejection`]; then nothing has changed. [`GroupRejection::TooLarge`]: too many at once for
    /// one message, or for a group.
    pub fn commit(&mut self, change: Change) -> Result<Posted, GroupRejection> {
        self.commit_for(Why::PutOut, change)
    }

    /// The same, and says why those go who go.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_for(&mut self, why: Why, change: Change) -> Result<Posted, GroupRejection> {
        let mut next = self.roster.clone();
        next.retain(|member| !change.remove.contains(&member.leaf));
        next.extend(change.add.iter().map(|package| package.member().clone()));
        policy::check_roster(&next)?;
        let remove = change.remove.iter().map(|leaf| LeafNodeIndex::new(leaf.0));
        let add = change.add.into_iter().map(|package| package.package);
        let crypto = self.provider.crypto();
        self.group.set_aad(why.to_bytes().to_vec());
        let committed = self
            .group
            .commit_builder()
            .force_self_update(true)
            .propose_removals(remove)
            .propose_adds(add)
            .load_psks(self.provider.storage())
            .and_then(|builder| builder.build(self.provider.rand(), crypto, &self.key, |_| true));
        let Ok(committed) = committed else {
            self.group.set_aad(Vec::new());
            return Err(GroupRejection::Malformed);
        };
        let staged = committed
            .stage_commit(&self.provider)
            .map_err(|_| GroupRejection::Internal)?;
        let (commit, welcome, _) = staged.into_messages();
        let bytes = |message: openmls::prelude::MlsMessageOut| {
            message.to_bytes().map_err(|_| GroupRejection::Internal)
        };
        let posted = Posted {
            commit: bytes(commit)?,
            welcome: welcome.map(bytes).transpose()?,
        };
        // Asked before it is so: nobody else would take it, and the chair would be alone.
        if posted.commit.len() > LONGEST {
            self.group
                .clear_pending_commit(self.provider.storage())
                .map_err(|_| GroupRejection::Internal)?;
            return Err(GroupRejection::TooLarge);
        }
        self.group
            .merge_pending_commit(&self.provider)
            .map_err(|_| GroupRejection::Internal)?;
        self.read_roster()?;
        Ok(posted)
    }

    /// Takes a message. `may` says whether a commit is one that its sender may make.
    ///
    /// # Errors
    /// [`GroupRejection`]; then nothing has changed.
    pub fn process(
        &mut self,
        bytes: &[u8],
        may: impl Fn(&ChangeSeen<'_>) -> bool,
    ) -> Result<Processed, GroupRejection> {
        let message = self.read(bytes)?;
        let (epoch, content) = (message.epoch(), message.content_type());
        let past = epoch < self.group.epoch();
        if epoch > self.group.epoch() {
            return Err(GroupRejection::FutureEpoch);
        }
        match content {
            ContentType::Application => {}
            ContentType::Proposal => return Err(GroupRejection::Proposal),
            ContentType::Commit if past => return Err(GroupRejection::OldEpoch),
            ContentType::Commit => {}
        }
        let processed = self
            .group
            .process_message(&self.provider, message)
            .map_err(|error| reason(&error, past))?;
        let Sender::Member(leaf) = *processed.sender() else {
            return Err(GroupRejection::External);
        };
        let from = LeafId(leaf.u32());
        let credential = processed.credential().clone();
        let why = Why::read(processed.aad());
        let sender = self.roster.iter().find(|member| member.leaf == from);
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(said) => {
                // Said in the epoch before, by somebody who is not there any more: the leaf may be
                // another's now.
                let said_by = self.committers.member(
                    from,
                    &credential,
                    &sender.map_or([0; 32], |one| one.sign_key),
                );
                if sender.is_none() || said_by.as_ref().ok() != sender {
                    return Err(GroupRejection::OldEpoch);
                }
                Ok(Processed::App {
                    from,
                    epoch: epoch.as_u64(),
                    bytes: said.into_bytes(),
                })
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let (committer, why) = (sender.ok_or(GroupRejection::External)?, why?);
                policy::check_commit(&staged, committer, &self.roster, &self.committers, may)?;
                let removed_me = staged.self_removed();
                self.group
                    .merge_staged_commit(&self.provider, *staged)
                    .map_err(|_| GroupRejection::Internal)?;
                self.read_roster()?;
                Ok(Processed::Commit { removed_me, why })
            }
            ProcessedMessageContent::OwnPrivateMessage
            | ProcessedMessageContent::OwnPendingCommit => Err(GroupRejection::Replay),
            ProcessedMessageContent::ProposalMessage(_)
            | ProcessedMessageContent::ExternalJoinProposalMessage(_) => {
                Err(GroupRejection::Proposal)
            }
        }
    }

    /// The same, and the key of a message that says it is far ahead of what was heard of its sender is
    /// derived over at most `reach` others. So many of them as were derived in vain are taken from
    /// `reach`: everybody in the group can make a message say that, and it shows only at the end.
    ///
    /// # Errors
    /// As [`Self::process`]; [`GroupRejection::TooFar`].
    pub fn process_within(
        &mut self,
        reach: &mut u32,
        bytes: &[u8],
        may: impl Fn(&ChangeSeen<'_>) -> bool,
    ) -> Result<Processed, GroupRejection> {
        self.provider.bound_ratchets(*reach);
        let processed = self.process(bytes, may);
        let left = self.provider.bound_ratchets(u32::MAX);
        if processed.is_err() {
            *reach = left;
        }
        processed
    }

    /// How many keys wait to be used.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.provider.storage().count()
    }

    fn read(&self, bytes: &[u8]) -> Result<ProtocolMessage, GroupRejection> {
        if bytes.len() > LONGEST {
            return Err(GroupRejection::TooLarge);
        }
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes)
            .map_err(|_| GroupRejection::Malformed)?;
        // Asked here and not left to openmls, which takes public messages of senders from outside
        // whatever its policy says.
        let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
            return Err(GroupRejection::NotPrivate);
        };
        let message = ProtocolMessage::from(message);
        match message.group_id() == self.group.group_id() {
            true => Ok(message),
            false => Err(GroupRejection::WrongGroup),
        }
    }
}

/// Apart for each purpose, so that a signature for one is none for another, nor one of MLS
/// (whose labels begin otherwise: RFC 9420, section 5.1.2).
fn for_purpose(purpose: &str, bytes: &[u8]) -> Vec<u8> {
    [b"sottovoce leaf ", purpose.as_bytes(), &[0], bytes].concat()
}
