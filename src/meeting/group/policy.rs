//! What a group of ours is made of, and what it takes from others.

use openmls::prelude::{
    Capabilities, CredentialType, Extension, ExtensionType, Extensions, GroupContext, KeyPackage,
    LeafNode, Lifetime, MlsGroupJoinConfig, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, Proposal,
    ProtocolVersion, Sender, SenderRatchetConfiguration, StagedCommit, UnknownExtension,
};

use super::leaf::{Committers, LeafId, Member};
use super::rejection::GroupRejection;
use super::state::MEMBERS;
use crate::meeting::crypto::SUITE;

/// Private use (RFC 9420, section 17.3): holds the hash of the committers' bundle.
const MEETING: u16 = 0xf5c0;

/// What is said in a group is padded to a multiple of so many bytes; the room's envelope has classes
/// of its own.
pub(super) const PADDING: usize = 64;

/// By how many messages a sender may be ahead of what was heard of it in an epoch. Who is cut off for less
/// than the two minutes after which it leaves misses as many: a sender signs twice a second for each of
/// its tracks, and answers everybody who asks where it is one by one.
pub const FORWARD: u32 = 4096;

/// How many of those that were passed over may still come.
const LATE: u32 = 64;

/// What a commit would change, for whoever decides whether its sender may.
pub struct ChangeSeen<'a> {
    /// Who commits.
    pub committer: &'a Member,
    /// Whom it adds. Their leaves are not known yet.
    pub added: &'a [Member],
    /// Whom it removes.
    pub removed: &'a [Member],
}

/// How messages are sent and taken.
pub(super) fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        // What was said just before a commit arrives after it.
        .max_past_epochs(1)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(LATE, FORWARD))
        .build()
}

/// What every leaf can do, and must say that it can.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[ExtensionType::Unknown(MEETING)]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// What the group is bound to.
pub(super) fn meeting(bundle: &[u8; 32]) -> Result<Extensions<GroupContext>, GroupRejection> {
    let extension = Extension::Unknown(MEETING, UnknownExtension(bundle.to_vec()));
    Extensions::single(extension).map_err(|_| GroupRejection::Internal)
}

/// Whether a group that a welcome leads to is this meeting's and nothing else.
pub(super) fn check_context(
    context: &GroupContext,
    committers: &Committers,
) -> Result<(), GroupRejection> {
    let extensions = context.extensions();
    let bundle = extensions
        .unknown(MEETING)
        .map(|extension| &extension.0[..]);
    if bundle != Some(&committers.bundle[..]) {
        return Err(GroupRejection::WrongMeeting);
    }
    match extensions.iter().count() == 1 && context.ciphersuite() == SUITE {
        true => Ok(()),
        false => Err(GroupRejection::UnknownExtension),
    }
}

/// Whether a leaf is no more than ours are.
pub(super) fn check_leaf(leaf: &LeafNode) -> Result<(), GroupRejection> {
    let same = *leaf.capabilities() == capabilities();
    match same && leaf.extensions().iter().next().is_none() {
        true => Ok(()),
        false => Err(GroupRejection::UnknownExtension),
    }
}

/// Whether a key package is no more than ours are. It lives as long as any: members whose clocks
/// differ would part over one that ends.
pub(super) fn check_package(package: &KeyPackage) -> Result<(), GroupRejection> {
    let plain = package.extensions().iter().next().is_none();
    match plain && *package.life_time() == lifetime() {
        true => check_leaf(package.leaf_node()),
        false => Err(GroupRejection::UnknownExtension),
    }
}

/// Keys live as long as a meeting; the time of day is nobody's business.
pub(super) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// Whether these can be the members of one group.
pub(super) fn check_roster(roster: &[Member]) -> Result<(), GroupRejection> {
    if roster.len() > MEMBERS {
        return Err(GroupRejection::TooLarge);
    }
    let mut ranks: Vec<u8> = roster.iter().filter_map(|member| member.rank).collect();
    ranks.sort_unstable();
    match ranks.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(GroupRejection::BadProof),
        false => Ok(()),
    }
}

/// Whether a commit of a member is one that a group of ours takes. Its keys and signatures have been
/// checked; whether `committer` may commit is for `may` to say.
pub(super) fn check_commit(
    staged: &StagedCommit,
    committer: &Member,
    roster: &[Member],
    committers: &Committers,
    may: impl Fn(&ChangeSeen<'_>) -> bool,
) -> Result<(), GroupRejection> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for queued in staged.queued_proposals() {
        if !matches!(queued.sender(), Sender::Member(leaf) if leaf.u32() == committer.leaf.0) {
            return Err(GroupRejection::External);
        }
        match queued.proposal() {
            Proposal::Add(add) => {
                let package = add.key_package();
                check_package(package)?;
                let leaf = package.leaf_node();
                // Where it will be is not said; nothing here needs it.
                let at = LeafId(u32::MAX);
                let key = leaf.signature_key().as_slice();
                added.push(committers.member(at, leaf.credential(), key)?);
            }
            Proposal::Remove(remove) => {
                let leaf = LeafId(remove.removed().u32());
                let member = roster.iter().find(|member| member.leaf == leaf);
                removed.push(member.ok_or(GroupRejection::Malformed)?.clone());
            }
            Proposal::ReInit(_) => return Err(GroupRejection::ReInit),
            Proposal::PreSharedKey(_) => return Err(GroupRejection::Psk),
            Proposal::Update(_) => return Err(GroupRejection::Update),
            Proposal::GroupContextExtensions(_) => return Err(GroupRejection::GroupExtensions),
            Proposal::ExternalInit(_) => return Err(GroupRejection::External),
            _ => return Err(GroupRejection::UnknownProposal),
        }
    }
    let path = staged
        .update_path_leaf_node()
        .ok_or(GroupRejection::Update)?;
    let key = path.signature_key().as_slice();
    let same = committers.member(committer.leaf, path.credential(), key);
    if same.as_ref() != Ok(committer) {
        return Err(GroupRejection::CredentialChanged);
    }
    check_leaf(path)?;
    let stays = |member: &&Member| !removed.contains(member);
    let next: Vec<Member> = roster.iter().filter(stays).chain(&added).cloned().collect();
    check_roster(&next)?;
    let change = ChangeSeen {
        committer,
        added: &added,
        removed: &removed,
    };
    match may(&change) {
        true => Ok(()),
        false => Err(GroupRejection::NotTheChair),
    }
}

/// Everybody in the tree.
pub(super) fn roster(
    members: impl Iterator<Item = openmls::prelude::Member>,
    committers: &Committers,
) -> Result<Vec<Member>, GroupRejection> {
    let read = |member: openmls::prelude::Member| {
        let leaf = LeafId(member.index.u32());
        committers.member(leaf, &member.credential, &member.signature_key)
    };
    members.map(read).collect()
}
