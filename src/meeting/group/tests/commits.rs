//! Commits that nobody may make.

use openmls::prelude::{
    Extension, Extensions, ExternalInitProposal, ExternalSender, GroupContext,
    GroupContextExtensionProposal, LeafNodeParameters, Lifetime, OpenMlsProvider,
    PreSharedKeyProposal, Proposal, ProposalOrRefType, Propose,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::raw::*;
use super::*;
use crate::meeting::crypto::SUITE;
use GroupRejection as No;

/// What the host commits is refused by a member, and they go on.
#[track_caller]
fn host_is_refused(raw: impl FnOnce(&mut Group) -> Raw, reason: GroupRejection) {
    let (mut host, mut members) = meeting(2);
    let posted = raw(&mut host).by(&mut host);
    refuses(&mut members[0], &posted.commit, reason);
    refuses(&mut members[1], &posted.commit, reason);
    lives_on(&mut host, &mut members);
}

/// What a member commits is refused by the host and another member, and they go on.
#[track_caller]
fn member_is_refused(raw: impl FnOnce(&mut Group) -> Raw, reason: GroupRejection) {
    let (mut host, mut members) = meeting(2);
    let posted = raw(&mut members[0]).by(&mut members[0]);
    refuses(&mut host, &posted.commit, reason);
    refuses(&mut members[1], &posted.commit, reason);
    lives_on(&mut host, &mut members);
}

#[test]
fn a_member_does_not_commit() {
    member_is_refused(|_| Raw::default(), No::NotTheChair);
}

#[test]
fn a_member_removes_nobody() {
    member_is_refused(|_| Raw::of(vec![remove(LeafId(2))]), No::NotTheChair);
}

#[test]
fn a_member_does_not_remove_the_host() {
    member_is_refused(|_| Raw::of(vec![remove(LeafId(0))]), No::NotTheChair);
}

#[test]
fn a_member_adds_nobody() {
    let package = Package::member().build();
    member_is_refused(|_| Raw::of(vec![add(&package)]), No::NotTheChair);
}

#[test]
fn a_member_that_gives_itself_a_rank_has_changed_its_credential() {
    let claim = |group: &mut Group| renamed(group, LeafName::committer("M0", [10; 16], 2), 2);
    member_is_refused(claim, No::CredentialChanged);
}

#[test]
fn a_co_host_that_does_not_rule_does_not_commit() {
    let (mut host, mut members) = meeting(2);
    let co_host = joining("Co-host", Some(1), 90);
    let add = vec![package(&co_host)];
    let posted = host
        .commit(Change {
            add,
            remove: vec![],
        })
        .unwrap();
    for member in &mut members {
        take(member, &posted.commit).unwrap();
    }
    let mut co_host = co_host.enter(&posted.welcome.unwrap()).unwrap();
    for raw in [Raw::default(), Raw::of(vec![remove(LeafId(0))])] {
        let posted = raw.by(&mut co_host);
        refuses(&mut host, &posted.commit, No::NotTheChair);
        refuses(&mut members[0], &posted.commit, No::NotTheChair);
    }
    members.push(co_host);
    lives_on(&mut host, &mut members);
}

fn psk(group: &mut Group) -> PreSharedKeyId {
    let (_, provider, _) = group.parts();
    let psk = Psk::External(ExternalPsk::new(b"ours".to_vec()));
    let psk = PreSharedKeyId::new(SUITE, provider.rand(), psk).unwrap();
    psk.store(provider, &[3; 32]).unwrap();
    psk
}

#[test]
fn no_commit_brings_a_shared_key() {
    let raw = |group: &mut Group| {
        let proposal = PreSharedKeyProposal::new(psk(group));
        Raw::of(vec![Proposal::PreSharedKey(proposal.into())])
    };
    host_is_refused(raw, No::Psk);
}

#[test]
fn nor_one_that_a_member_has() {
    let (mut host, mut members) = meeting(1);
    let id = psk(&mut host);
    id.store(members[0].parts().1, &[3; 32]).unwrap();
    let proposal = Proposal::PreSharedKey(PreSharedKeyProposal::new(id).into());
    let posted = Raw::of(vec![proposal]).by(&mut host);
    refuses(&mut members[0], &posted.commit, No::Psk);
    lives_on(&mut host, &mut members);
}

#[test]
fn no_commit_changes_the_groups_extensions() {
    let outside = || {
        let credential = LeafName::member("Out", [0; 16]).to_credential(&[5; 32]);
        let credential = credential.unwrap();
        ExternalSender::new(credential.signature_key, credential.credential)
    };
    let senders = Extension::ExternalSenders(vec![outside()]);
    let other: [Extensions<GroupContext>; 2] =
        [Extensions::empty(), Extensions::single(senders).unwrap()];
    for extensions in other {
        let json = serde_json::json!({ "extensions": extensions });
        let proposal: GroupContextExtensionProposal = serde_json::from_value(json).unwrap();
        let proposal = Proposal::GroupContextExtensions(proposal.into());
        host_is_refused(|_| Raw::of(vec![proposal]), No::GroupExtensions);
    }
}

#[test]
fn a_member_does_not_commit_what_is_for_those_outside() {
    let init = ExternalInitProposal::tls_deserialize_exact_bytes(&[2, 1, 2]).unwrap();
    host_is_refused(
        |_| Raw::of(vec![Proposal::ExternalInit(init.into())]),
        No::External,
    );
}

#[test]
fn no_commit_is_of_proposals_by_reference() {
    let (mut host, mut members) = meeting(2);
    let (group, provider, key) = host.parts();
    let by_reference = ProposalOrRefType::Reference;
    let what = Propose::Remove(2);
    group.propose(provider, key, what, by_reference).unwrap();
    let raw = Raw {
        by_reference: true,
        ..Raw::default()
    };
    let posted = raw.by(&mut host);
    let (group, provider, _) = host.parts();
    group.clear_pending_proposals(provider.storage()).unwrap();
    refuses(&mut members[0], &posted.commit, No::Proposal);
    refuses(&mut members[1], &posted.commit, No::Proposal);
    lives_on(&mut host, &mut members);
}

#[test]
fn no_commit_is_without_a_path() {
    let package = Package::member().build();
    let raw = |_: &mut Group| Raw {
        without_path: true,
        ..Raw::of(vec![add(&package)])
    };
    host_is_refused(raw, No::Update);
}

/// With another name in the leaf, and if it has a rank, its proof by that rank's key.
fn renamed(group: &mut Group, mut name: LeafName, prover: u8) -> Raw {
    let sign_key = group.sign_key();
    name.prove(&key(prover), &sign_key, &committers().bundle);
    let credential = name.to_credential(&sign_key).unwrap();
    let leaf = LeafNodeParameters::builder().with_credential_with_key(credential);
    Raw {
        leaf: leaf.build(),
        ..Raw::default()
    }
}

#[test]
fn a_committer_keeps_its_name() {
    let raw = |host: &mut Group| renamed(host, LeafName::committer("M0", [1; 16], 0), 0);
    host_is_refused(raw, No::CredentialChanged);
}

#[test]
fn a_committer_keeps_its_rank() {
    let raw = |host: &mut Group| renamed(host, LeafName::committer("Host", [1; 16], 1), 1);
    host_is_refused(raw, No::CredentialChanged);
    let raw = |host: &mut Group| renamed(host, LeafName::member("Host", [1; 16]), 0);
    host_is_refused(raw, No::CredentialChanged);
}

#[test]
fn a_committer_keeps_its_run() {
    let raw = |host: &mut Group| renamed(host, LeafName::committer("Host", [2; 16], 0), 0);
    host_is_refused(raw, No::CredentialChanged);
}

#[test]
fn a_committer_keeps_its_key() {
    let (mut host, mut members) = meeting(2);
    let new = SigningKey::from_seed(&[33; 32]);
    let mut name = LeafName::committer("Host", [1; 16], 0);
    name.prove(&key(0), &new.public(), &committers().bundle);
    let signer = openmls::prelude::NewSignerBundle {
        signer: &new,
        credential_with_key: name.to_credential(&new.public()).unwrap(),
    };
    let (group, provider, key) = host.parts();
    let built = group
        .commit_builder()
        .load_psks(provider.storage())
        .unwrap()
        .build_with_new_signer(provider.rand(), provider.crypto(), key, signer, |_| true)
        .unwrap()
        .stage_commit(provider)
        .unwrap();
    let commit = bytes(built.into_commit());
    group.clear_pending_commit(provider.storage()).unwrap();
    refuses(&mut members[0], &commit, No::CredentialChanged);
    lives_on(&mut host, &mut members);
}

#[test]
fn a_committers_leaf_gains_no_extensions_and_no_capabilities() {
    let leaf = LeafNodeParameters::builder().with_capabilities(foreign_capabilities());
    let raw = |_: &mut Group| Raw {
        leaf: leaf.build(),
        ..Raw::default()
    };
    host_is_refused(raw, No::UnknownExtension);
    let leaf = LeafNodeParameters::builder()
        .with_capabilities(foreign_capabilities())
        .with_extensions(Extensions::single(foreign_extension(9)).unwrap());
    let raw = |_: &mut Group| Raw {
        leaf: leaf.build(),
        ..Raw::default()
    };
    host_is_refused(raw, No::UnknownExtension);
}

/// Nobody's door takes it, and no member does when a committer adds it all the same.
#[track_caller]
fn stranger_is_refused(stranger: Package, reason: GroupRejection) {
    let stranger = stranger.build();
    let bytes = stranger.tls_serialize_detached().unwrap();
    assert_eq!(KeyPackage::read(&bytes, &committers()).err(), Some(reason));
    host_is_refused(|_| Raw::of(vec![add(&stranger)]), reason);
}

#[test]
fn nobody_has_a_rank_without_its_proof() {
    let name = LeafName::committer("New", [77; 16], 1);
    stranger_is_refused(Package::of(name.clone(), None), No::BadProof);
    stranger_is_refused(Package::of(name.clone(), Some(key(2))), No::BadProof);
    let far = LeafName::committer("New", [77; 16], 3);
    stranger_is_refused(Package::of(far, Some(key(3))), No::BadProof);
    let proven = LeafName {
        proof: Some([[1; 32]; 2]),
        ..LeafName::member("New", [77; 16])
    };
    stranger_is_refused(Package::of(proven, None), No::BadProof);
}

#[test]
fn a_proof_is_for_one_key_alone() {
    let (mut host, mut members) = meeting(2);
    let identity = host.parts().0.credential().unwrap().clone();
    let stolen = postcard::from_bytes(identity.serialized_content()).unwrap();
    let stranger = Package::of(stolen, None).build();
    let posted = Raw::of(vec![add(&stranger)]).by(&mut host);
    refuses(&mut members[0], &posted.commit, No::BadProof);
    lives_on(&mut host, &mut members);
}

#[test]
fn nobody_takes_a_rank_that_is_taken() {
    let name = LeafName::committer("New", [77; 16], 0);
    let stranger = Package::of(name, Some(key(0))).build();
    host_is_refused(|_| Raw::of(vec![add(&stranger)]), No::BadProof);
}

#[test]
fn nobody_comes_in_with_other_capabilities() {
    let stranger = Package {
        capabilities: foreign_capabilities(),
        ..Package::member()
    };
    stranger_is_refused(stranger, No::UnknownExtension);
}

#[test]
fn nobody_comes_in_with_extensions() {
    let stranger = Package {
        capabilities: foreign_capabilities(),
        leaf: Extensions::single(foreign_extension(9)).unwrap(),
        ..Package::member()
    };
    stranger_is_refused(stranger, No::UnknownExtension);
    let stranger = Package {
        capabilities: foreign_capabilities(),
        package: Extensions::single(foreign_extension(9)).unwrap(),
        ..Package::member()
    };
    stranger_is_refused(stranger, No::UnknownExtension);
    let stranger = Package {
        package: Extensions::single(Extension::LastResort(Default::default())).unwrap(),
        ..Package::member()
    };
    stranger_is_refused(stranger, No::UnknownExtension);
}

/// Members whose clocks differ would part over it.
#[test]
fn nobody_comes_in_for_a_time() {
    let stranger = Package {
        lifetime: Lifetime::init(0, 1 << 40),
        ..Package::member()
    };
    stranger_is_refused(stranger, No::UnknownExtension);
}

#[test]
fn nobody_comes_in_with_a_long_name_or_much_baggage() {
    let name = LeafName::member(&"n".repeat(301), [77; 16]);
    stranger_is_refused(Package::of(name, None), No::TooLarge);
    for (size, reason) in [(4096, No::UnknownExtension), (65536, No::TooLarge)] {
        let stranger = Package {
            capabilities: foreign_capabilities(),
            leaf: Extensions::single(foreign_extension(size)).unwrap(),
            ..Package::member()
        };
        let stranger = stranger.build();
        let bytes = stranger.tls_serialize_detached().unwrap();
        let read = KeyPackage::read(&bytes, &committers());
        assert_eq!(read.err(), Some(No::TooLarge));
        host_is_refused(|_| Raw::of(vec![add(&stranger)]), reason);
    }
}

#[test]
fn two_hundred_are_the_most_that_a_commit_makes() {
    let (mut host, mut members) = meeting(199);
    let stranger = Package::member().build();
    let posted = Raw::of(vec![add(&stranger)]).by(&mut host);
    refuses(&mut members[0], &posted.commit, No::TooLarge);
}

/// With all the secrets of the host, but not its key.
#[test]
fn nobody_commits_in_anothers_name() {
    let (mut host, mut members) = meeting(2);
    let eve = members[0].parts().2.clone();
    let posted = Raw::of(vec![remove(LeafId(2))]).signed(&mut host, &eve);
    refuses(&mut members[0], &posted.commit, No::NotAuthentic);
    refuses(&mut members[1], &posted.commit, No::NotAuthentic);
    lives_on(&mut host, &mut members);
}

#[test]
fn a_name_has_one_encoding() {
    let raw = |host: &mut Group| {
        let credential = host.parts().0.credential().unwrap().clone();
        let mut identity = credential.serialized_content().to_vec();
        // The length of the name, in two bytes.
        identity[0] |= 0x80;
        identity.insert(1, 0);
        let credential = openmls::prelude::CredentialWithKey {
            credential: openmls::prelude::BasicCredential::new(identity).into(),
            signature_key: host.sign_key().to_vec().into(),
        };
        let leaf = LeafNodeParameters::builder().with_credential_with_key(credential);
        Raw {
            leaf: leaf.build(),
            ..Raw::default()
        }
    };
    host_is_refused(raw, No::CredentialChanged);
}
