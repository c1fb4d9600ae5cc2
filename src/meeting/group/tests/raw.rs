//! A member that keeps to no rule: everything that openmls lets it do.

use openmls::prelude::{
    Capabilities, Extension, ExtensionType, Extensions, GroupContext, KeyPackageBuilder, LeafNode,
    LeafNodeParameters, Lifetime, MlsGroup, MlsMessageOut, OpenMlsProvider, Proposal,
    UnknownExtension,
};

use super::super::policy;
use super::*;
use crate::meeting::crypto::{Provider, SUITE};

/// An extension that nobody here knows.
pub(super) const FOREIGN: u16 = 0xf00d;

pub(super) fn bytes(message: MlsMessageOut) -> Vec<u8> {
    message.to_bytes().expect("bytes")
}

pub(super) fn foreign_extension(size: usize) -> Extension {
    Extension::Unknown(FOREIGN, UnknownExtension(vec![0x55; size]))
}

/// Those of ours and one more extension.
pub(super) fn foreign_capabilities() -> Capabilities {
    let ours = policy::capabilities();
    let mut extensions = ours.extensions().to_vec();
    extensions.push(ExtensionType::Unknown(FOREIGN));
    Capabilities::new(
        Some(ours.versions()),
        Some(&[SUITE]),
        Some(&extensions),
        Some(&[]),
        Some(ours.credentials()),
    )
}

/// A commit that openmls would make and ours would not.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) proposals: Vec<Proposal>,
    pub(super) leaf: LeafNodeParameters,
    pub(super) without_path: bool,
    pub(super) by_reference: bool,
    /// Whether its sender goes on to the epoch that it makes.
    pub(super) merge: bool,
}

impl Raw {
    pub(super) fn of(proposals: Vec<Proposal>) -> Self {
        Self {
            proposals,
            ..Self::default()
        }
    }

    /// Commits as `group`.
    pub(super) fn by(self, group: &mut Group) -> Posted {
        let key = group.parts().2.clone();
        self.signed(group, &key)
    }

    /// Commits with the secrets of `group`, signed by that key.
    pub(super) fn signed(self, group: &mut Group, key: &SigningKey) -> Posted {
        let (group, provider, _) = group.parts();
        let bundle = group
            .commit_builder()
            .consume_proposal_store(self.by_reference)
            .force_self_update(!self.without_path)
            .add_proposals(self.proposals)
            .leaf_node_parameters(self.leaf)
            .load_psks(provider.storage())
            .expect("keys")
            .build(provider.rand(), provider.crypto(), key, |_| true)
            .expect("a commit")
            .stage_commit(provider)
            .expect("a commit");
        let (commit, welcome, _) = bundle.into_messages();
        match self.merge {
            true => group.merge_pending_commit(provider).expect("merged"),
            false => group
                .clear_pending_commit(provider.storage())
                .expect("forgotten"),
        }
        Posted {
            commit: bytes(commit),
            welcome: welcome.map(bytes),
        }
    }
}

/// A key package that ours would not make.
pub(super) struct Package {
    pub(super) name: LeafName,
    pub(super) prover: Option<SigningKey>,
    pub(super) capabilities: Capabilities,
    pub(super) leaf: Extensions<LeafNode>,
    pub(super) package: Extensions<openmls::prelude::KeyPackage>,
    pub(super) lifetime: Lifetime,
}

impl Package {
    pub(super) fn of(name: LeafName, prover: Option<SigningKey>) -> Self {
        Self {
            name,
            prover,
            capabilities: policy::capabilities(),
            leaf: Extensions::empty(),
            package: Extensions::empty(),
            lifetime: Lifetime::init(0, u64::MAX),
        }
    }

    pub(super) fn member() -> Self {
        Self::of(LeafName::member("New", [77; 16]), None)
    }

    pub(super) fn build(mut self) -> openmls::prelude::KeyPackage {
        let provider = Provider::new([201; 32]);
        let key = SigningKey::from_seed(&[202; 32]);
        if let Some(prover) = self.prover {
            let bundle = committers().bundle;
            self.name.prove(&prover, &key.public(), &bundle);
        }
        let credential = self.name.to_credential(&key.public()).expect("a name");
        let bundle = KeyPackageBuilder::new()
            .leaf_node_capabilities(self.capabilities)
            .leaf_node_extensions(self.leaf)
            .key_package_extensions(self.package)
            .key_package_lifetime(self.lifetime)
            .build(SUITE, &provider, &key, credential)
            .expect("a key package");
        bundle.key_package().clone()
    }
}

/// A proposal to add it, by the way that openmls has for its own storage.
pub(super) fn add(package: &openmls::prelude::KeyPackage) -> Proposal {
    let bytes = serde_json::to_vec(&serde_json::json!({ "key_package": package })).expect("json");
    Proposal::Add(Box::new(serde_json::from_slice(&bytes).expect("an add")))
}

/// A proposal to remove that leaf.
pub(super) fn remove(leaf: LeafId) -> Proposal {
    let json = serde_json::json!({ "removed": leaf.0 });
    Proposal::Remove(Box::new(serde_json::from_value(json).expect("a remove")))
}

/// A group with other extensions than ours.
pub(super) fn found_with(joining: Joining, extensions: Extensions<GroupContext>) -> Group {
    let credential = joining.name.to_credential(&joining.key.public()).unwrap();
    let group = MlsGroup::builder()
        .ciphersuite(SUITE)
        .with_wire_format_policy(policy::config().wire_format_policy())
        .use_ratchet_tree_extension(true)
        .with_capabilities(foreign_capabilities())
        .with_group_context_extensions(extensions)
        .build(&joining.provider, &joining.key, credential)
        .expect("a group");
    Group::new(joining.provider, joining.key, joining.committers, group).expect("its own roster")
}

/// Everything that a refused message must leave as it was.
fn state(group: &Group) -> (u64, [u8; 32], [u8; 32], [u8; 32]) {
    let secret = group.export("test", b"").expect("a secret");
    (group.epoch(), group.tag(), group.roster_hash(), *secret)
}

/// It is refused, for that reason, and nothing has changed.
#[track_caller]
pub(super) fn refuses(group: &mut Group, message: &[u8], reason: GroupRejection) {
    let before = state(group);
    assert_eq!(take(group, message), Err(reason));
    assert!(before == state(group), "something changed");
}

/// What the host does and says next is taken by all, and they agree.
#[track_caller]
pub(super) fn lives_on(host: &mut Group, members: &mut [Group]) {
    let posted = host.commit(Change::default()).expect("a commit");
    let said = host.say(b"on we go").expect("a message");
    let from = host.me();
    for member in members {
        let taken = take(member, &posted.commit);
        assert_eq!(taken, Ok(committed(false)));
        assert!(state(member) == state(host), "they do not agree");
        let bytes = b"on we go".to_vec();
        let epoch = host.epoch();
        assert_eq!(
            take(member, &said),
            Ok(Processed::App { from, epoch, bytes })
        );
    }
}
