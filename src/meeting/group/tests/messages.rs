//! Messages that are no private commits or words of a member: forged, replayed, cut, of another kind.

use openmls::prelude::{
    CustomProposal, Extensions, ExternalProposal, GroupContext, JoinProposal, LeafNodeIndex,
    LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider,
    PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProposalOrRefType, Propose, SenderExtensionIndex,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_memory_storage::MemoryStorage;
use proptest::prelude::{ProptestConfig, any, proptest};
use tls_codec::DeserializeBytes as _;

use super::super::policy;
use super::raw::*;
use super::*;
use crate::meeting::crypto::{Provider, SUITE};
use GroupRejection as No;

/// What it takes from the host and from a member is refused by all others, and they go on.
#[track_caller]
fn refused_by_all(make: impl Fn(&mut Group) -> Vec<u8>, reason: GroupRejection) {
    let (mut host, mut members) = meeting(3);
    let by_host = make(&mut host);
    let by_member = make(&mut members[0]);
    for member in &mut members[1..] {
        refuses(member, &by_host, reason);
        refuses(member, &by_member, reason);
    }
    refuses(&mut host, &by_member, reason);
    refuses(&mut members[0], &by_host, reason);
    lives_on(&mut host, &mut members);
}

fn propose(group: &mut Group, what: Propose) -> Vec<u8> {
    let (group, provider, key) = group.parts();
    let by_reference = ProposalOrRefType::Reference;
    let proposed = group.propose(provider, key, what, by_reference);
    let (message, _) = proposed.expect("a proposal");
    let sent = bytes(message);
    group.clear_pending_proposals(provider.storage()).unwrap();
    sent
}

/// One of every kind that openmls makes.
fn kinds(group: &mut Group) -> Vec<Propose> {
    let package = Package::member().build();
    let psk = Psk::External(ExternalPsk::new(b"ours".to_vec()));
    let psk = PreSharedKeyId::new(SUITE, group.parts().1.rand(), psk).unwrap();
    psk.store(group.parts().1, &[3; 32]).unwrap();
    let credential = group.parts().0.credential().unwrap().clone();
    vec![
        Propose::Add(package),
        Propose::Update(LeafNodeParameters::default()),
        Propose::Remove(3),
        Propose::RemoveCredential(credential),
        Propose::PreSharedKey(psk),
        Propose::GroupContextExtensions(Extensions::<GroupContext>::empty()),
        Propose::Custom(CustomProposal::new(0xf0f0, vec![1, 2, 3])),
    ]
}

#[test]
fn no_proposal_stands_by_itself() {
    for kind in 0..7 {
        let make = |group: &mut Group| {
            let proposal = kinds(group).swap_remove(kind);
            propose(group, proposal)
        };
        refused_by_all(make, No::Proposal);
    }
}

#[test]
fn nobody_leaves_by_a_proposal() {
    let make = |group: &mut Group| {
        let (group, provider, key) = group.parts();
        let sent = bytes(group.leave_group(provider, key).unwrap());
        group.clear_pending_proposals(provider.storage()).unwrap();
        sent
    };
    refused_by_all(make, No::Proposal);
}

/// In the clear from now on.
fn in_the_clear(group: &mut Group) {
    let (group, provider, _) = group.parts();
    let config = openmls::prelude::MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build();
    group
        .set_configuration(provider.storage(), &config)
        .unwrap();
}

fn sealed_again(group: &mut Group) {
    let (group, provider, _) = group.parts();
    let config = policy::config();
    group
        .set_configuration(provider.storage(), &config)
        .unwrap();
}

#[test]
fn no_proposal_and_no_commit_is_public() {
    for kind in 0..7 {
        let make = |group: &mut Group| {
            in_the_clear(group);
            let proposal = kinds(group).swap_remove(kind);
            let sent = propose(group, proposal);
            sealed_again(group);
            sent
        };
        refused_by_all(make, No::NotPrivate);
    }
    let make = |group: &mut Group| {
        in_the_clear(group);
        let posted = Raw::default().by(group);
        sealed_again(group);
        posted.commit
    };
    refused_by_all(make, No::NotPrivate);
}

#[test]
fn nobody_speaks_in_public() {
    let make = |group: &mut Group| {
        let id = group.parts().0.group_id().as_slice().to_vec();
        let (epoch, leaf) = (group.epoch(), group.me());
        let mut said = vec![0, 1, 0, 1, id.len() as u8];
        said.extend(id);
        said.extend(epoch.to_be_bytes());
        said.push(1);
        said.extend(leaf.0.to_be_bytes());
        said.extend([0, 1, 2, b'h', b'i', 0x40, 64]);
        said.extend(group.key_signs(&said));
        said.push(32);
        said.extend([0; 32]);
        assert!(MlsMessageIn::tls_deserialize_exact_bytes(&said).is_ok());
        said
    };
    refused_by_all(make, No::NotPrivate);
}

impl Group {
    fn key_signs(&mut self, bytes: &[u8]) -> [u8; 64] {
        self.parts().2.sign(bytes)
    }
}

#[test]
fn nobody_comes_in_from_outside_by_a_commit() {
    let make = |group: &mut Group| {
        let (group, provider, key) = group.parts();
        let info = group
            .export_group_info(provider.crypto(), key, true)
            .unwrap();
        let info = MlsMessageIn::tls_deserialize_exact_bytes(&bytes(info)).unwrap();
        let MlsMessageBodyIn::GroupInfo(info) = info.extract() else {
            panic!("no group info");
        };
        let outside = Provider::new([44; 32]);
        let new = SigningKey::from_seed(&[45; 32]);
        let name = LeafName::member("Out", [4; 16]);
        let credential = name.to_credential(&new.public()).unwrap();
        let leaf = LeafNodeParameters::builder().with_capabilities(policy::capabilities());
        let (_, bundle) = MlsGroup::external_commit_builder()
            .skip_lifetime_validation()
            .with_config(policy::config())
            .build_group(&outside, info, credential)
            .unwrap()
            .leaf_node_parameters(leaf.build())
            .load_psks(outside.storage())
            .unwrap()
            .build(outside.rand(), outside.crypto(), &new, |_| true)
            .unwrap()
            .finalize(&outside)
            .unwrap();
        bytes(bundle.into_commit())
    };
    refused_by_all(make, No::NotPrivate);
}

#[test]
fn nobody_proposes_from_outside() {
    let join = |group: &mut Group| {
        let (group, _, _) = group.parts();
        let new = Package::member().build();
        let key = SigningKey::from_seed(&[202; 32]);
        let (id, epoch) = (group.group_id().clone(), group.epoch());
        bytes(JoinProposal::new::<MemoryStorage>(new, id, epoch, &key).unwrap())
    };
    refused_by_all(join, No::NotPrivate);
    let key = SigningKey::from_seed(&[45; 32]);
    let remove = |group: &mut Group| {
        let (group, _, _) = group.parts();
        let (id, epoch) = (group.group_id().clone(), group.epoch());
        let (who, by) = (LeafNodeIndex::new(3), SenderExtensionIndex::new(0));
        bytes(ExternalProposal::new_remove::<Provider>(who, id, epoch, &key, by).unwrap())
    };
    refused_by_all(remove, No::NotPrivate);
    let add = |group: &mut Group| {
        let (group, _, _) = group.parts();
        let (id, epoch) = (group.group_id().clone(), group.epoch());
        let (new, by) = (Package::member().build(), SenderExtensionIndex::new(0));
        bytes(ExternalProposal::new_add::<Provider>(new, id, epoch, &key, by).unwrap())
    };
    refused_by_all(add, No::NotPrivate);
}

/// With all the secrets of the one that it is said to be from, but not its key.
#[test]
fn nobody_speaks_in_anothers_name() {
    let eve = SigningKey::from_seed(&[46; 32]);
    let make = |group: &mut Group| {
        let (group, provider, _) = group.parts();
        bytes(group.create_message(provider, &eve, b"it was me").unwrap())
    };
    refused_by_all(make, No::NotAuthentic);
    let make = |group: &mut Group| Raw::default().signed(group, &eve).commit;
    refused_by_all(make, No::NotAuthentic);
}

#[test]
fn what_was_heard_is_not_heard_again() {
    let (mut host, mut members) = meeting(2);
    let said = host.say(b"once").unwrap();
    take(&mut members[0], &said).unwrap();
    refuses(&mut members[0], &said, No::Replay);
    let posted = host.commit(Change::default()).unwrap();
    for member in &mut members {
        take(member, &posted.commit).unwrap();
    }
    refuses(&mut members[0], &said, No::Replay);
    refuses(&mut members[0], &posted.commit, No::OldEpoch);
    lives_on(&mut host, &mut members);
    refuses(&mut members[0], &said, No::OldEpoch);
    refuses(&mut members[1], &said, No::OldEpoch);
    refuses(&mut members[0], &posted.commit, No::OldEpoch);
}

#[test]
fn what_was_refused_is_refused_again() {
    let (mut host, mut members) = meeting(2);
    let posted = Raw::default().by(&mut members[0]);
    for _ in 0..3 {
        assert!(take(&mut host, &posted.commit).is_err());
    }
    let posted = Raw::of(vec![remove(LeafId(2))]).by(&mut members[0]);
    refuses(&mut host, &posted.commit, No::NotTheChair);
    lives_on(&mut host, &mut members);
    refuses(&mut host, &posted.commit, No::OldEpoch);
}

#[test]
fn an_echo_of_ones_own_is_a_replay() {
    let (mut host, mut members) = meeting(2);
    let said = members[0].say(b"echo").unwrap();
    refuses(&mut members[0], &said, No::Replay);
    let by_host = host.say(b"echo").unwrap();
    refuses(&mut host, &by_host, No::Replay);
    let posted = host.commit(Change::default()).unwrap();
    refuses(&mut host, &posted.commit, No::OldEpoch);
    refuses(&mut host, &by_host, No::Replay);
    for member in &mut members {
        take(member, &posted.commit).unwrap();
    }
    refuses(&mut members[0], &said, No::Replay);
    lives_on(&mut host, &mut members);
    let posted = Raw::default().by(&mut members[0]);
    refuses(&mut members[0], &posted.commit, No::Replay);
    lives_on(&mut host, &mut members);
}

#[test]
fn no_epoch_is_skipped() {
    let (mut host, mut members) = meeting(2);
    let lost = host.commit(Change::default()).unwrap();
    let next = host.commit(Change::default()).unwrap();
    let said = host.say(b"later").unwrap();
    refuses(&mut members[0], &next.commit, No::FutureEpoch);
    refuses(&mut members[0], &said, No::FutureEpoch);
    for member in &mut members {
        take(member, &lost.commit).unwrap();
        take(member, &next.commit).unwrap();
        take(member, &said).unwrap();
    }
    lives_on(&mut host, &mut members);
}

#[test]
fn another_groups_messages_are_not_ours() {
    let (mut host, mut members) = meeting(2);
    let founder = joining("Host", Some(0), 3);
    let mut other = Group::found(founder).unwrap();
    for _ in 0..2 {
        let said = other.say(b"elsewhere").unwrap();
        refuses(&mut members[0], &said, No::WrongGroup);
        let posted = other.commit(Change::default()).unwrap();
        refuses(&mut members[0], &posted.commit, No::WrongGroup);
    }
    lives_on(&mut host, &mut members);
}

#[test]
fn a_welcome_is_no_message_of_a_group() {
    let (mut host, mut members) = meeting(2);
    let new = Package::member().build();
    let welcome = Raw::of(vec![add(&new)]).by(&mut host).welcome.unwrap();
    refuses(&mut members[0], &welcome, No::NotPrivate);
    lives_on(&mut host, &mut members);
}

/// Version, kind, length of the group's id, the id, epoch, content.
const ID: usize = 5;

#[test]
fn no_bit_of_a_message_can_be_another() {
    let (mut host, mut members) = meeting(2);
    let said = host.say(b"x").unwrap();
    let id = usize::from(said[ID - 1]);
    for bit in 0..said.len() * 8 {
        let (at, mut changed) = (bit / 8, said.clone());
        changed[at] ^= 1 << (bit % 8);
        let before = (
            members[0].epoch(),
            members[0].tag(),
            members[0].roster_hash(),
        );
        let reason = take(&mut members[0], &changed).expect_err("refused");
        let right = match at.saturating_sub(ID + id) {
            _ if at < 2 => reason == No::Malformed,
            _ if at < 4 => matches!(reason, No::Malformed | No::NotPrivate),
            _ if at < ID => matches!(reason, No::Malformed | No::WrongGroup),
            _ if at < ID + id => reason == No::WrongGroup,
            0..8 => matches!(reason, No::FutureEpoch | No::OldEpoch),
            8 => matches!(reason, No::Malformed | No::Proposal | No::NotAuthentic),
            _ => matches!(reason, No::Malformed | No::NotAuthentic),
        };
        assert!(right, "bit {bit} of {}: {reason}", said.len());
        let after = (
            members[0].epoch(),
            members[0].tag(),
            members[0].roster_hash(),
        );
        assert!(before == after);
    }
    take(&mut members[0], &said).unwrap();
    take(&mut members[1], &said).unwrap();
    lives_on(&mut host, &mut members);
}

#[test]
fn no_message_is_shorter_or_longer() {
    let (mut host, mut members) = meeting(2);
    let said = host.say(b"x").unwrap();
    let posted = host.commit(Change::default()).unwrap();
    for whole in [&said, &posted.commit] {
        for end in 0..whole.len() {
            refuses(&mut members[0], &whole[..end], No::Malformed);
        }
        let mut long = whole.clone();
        long.push(0);
        refuses(&mut members[0], &long, No::Malformed);
        long.resize(70_000, 0);
        refuses(&mut members[0], &long, No::TooLarge);
    }
    let long = host.say(&[0; 40_000]).unwrap();
    refuses(&mut members[0], &long, No::TooLarge);
    for member in &mut members {
        take(member, &said).unwrap();
        take(member, &posted.commit).unwrap();
    }
    lives_on(&mut host, &mut members);
}

/// An insider may say as much as it likes; what is lost of it is its own.
#[test]
fn one_that_runs_far_ahead_stops_nobody_else() {
    let (mut host, mut members) = meeting(2);
    let mut last = Vec::new();
    for _ in 0..4200 {
        last = members[0].say(b"").unwrap();
    }
    let before = (host.epoch(), host.tag());
    assert!(take(&mut host, &last).is_err());
    assert!(before == (host.epoch(), host.tag()));
    lives_on(&mut host, &mut members);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_bytes_are_refused(noise: Vec<u8>, at: proptest::sample::Index, body in any::<bool>()) {
        let (mut host, mut members) = meeting(1);
        let said = host.say(b"x").unwrap();
        let mut bytes = noise;
        if body {
            let mut changed = said.clone();
            changed.truncate(at.index(said.len()));
            changed.extend(&bytes);
            bytes = changed;
        }
        let before = (members[0].epoch(), members[0].tag(), members[0].roster_hash());
        assert!(bytes == said || take(&mut members[0], &bytes).is_err());
        assert!(before == (members[0].epoch(), members[0].tag(), members[0].roster_hash()));
        take(&mut members[0], &said).unwrap();
        assert!(KeyPackage::read(&bytes, &committers()).is_err());
        assert!(joining("New", None, 90).enter(&bytes).is_err());
    }
}
