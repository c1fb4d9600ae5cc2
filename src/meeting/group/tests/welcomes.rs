//! Welcomes that lead elsewhere.

use openmls::prelude::{
    Extension, ExtensionType, Extensions, ExternalSender, GroupContext,
    RequiredCapabilitiesExtension, UnknownExtension,
};

use super::raw::*;
use super::*;
use GroupRejection as No;

#[track_caller]
fn not_entered(joining: Joining, welcome: &[u8], reason: GroupRejection) {
    assert_eq!(joining.enter(welcome).err(), Some(reason));
}

fn welcome(host: &mut Group, to: &Joining) -> Vec<u8> {
    let raw = Raw {
        merge: true,
        ..Raw::of(vec![add(&package(to).package)])
    };
    raw.by(host).welcome.expect("a welcome")
}

#[test]
fn a_member_welcomes_nobody() {
    let (_, mut members) = meeting(2);
    let new = joining("New", None, 90);
    let welcome = welcome(&mut members[0], &new);
    not_entered(new, &welcome, No::NotTheChair);
}

#[test]
fn a_welcome_is_for_this_meeting_alone() {
    let other = Committers {
        bundle: [8; 32],
        ..committers()
    };
    let name = LeafName::committer("Host", [1; 16], 0);
    let founder = Joining::new(name, Some(&key(0)), other, [1; 32]).unwrap();
    let mut host = Group::found(founder).unwrap();
    let new = joining("New", None, 90);
    let welcome = welcome(&mut host, &new);
    not_entered(new, &welcome, No::WrongMeeting);
}

#[test]
fn a_welcome_leads_to_no_group_with_other_extensions() {
    let meeting = Extension::Unknown(0xf5c0, UnknownExtension(committers().bundle.to_vec()));
    let ours = ExtensionType::Unknown(0xf5c0);
    let required = RequiredCapabilitiesExtension::new(&[ours], &[], &[]);
    let credential = LeafName::member("Out", [0; 16])
        .to_credential(&[5; 32])
        .unwrap();
    let outside = ExternalSender::new(credential.signature_key, credential.credential);
    let other = [
        (vec![], No::WrongMeeting),
        (
            vec![meeting.clone(), Extension::RequiredCapabilities(required)],
            No::UnknownExtension,
        ),
        (
            vec![meeting, Extension::ExternalSenders(vec![outside])],
            No::UnknownExtension,
        ),
    ];
    for (extensions, reason) in other {
        let extensions = Extensions::<GroupContext>::from_vec(extensions).unwrap();
        let mut host = found_with(joining("Host", Some(0), 1), extensions);
        let new = joining("New", None, 90);
        let welcome = welcome(&mut host, &new);
        not_entered(new, &welcome, reason);
    }
}

#[test]
fn a_welcome_leads_to_no_tree_with_a_false_rank() {
    let name = |rank| LeafName::committer("False", [77; 16], rank);
    let strangers = [
        Package::of(name(1), None),
        Package::of(name(1), Some(key(2))),
        Package::of(name(0), Some(key(0))),
    ];
    for stranger in strangers {
        let mut host = host();
        let raw = Raw {
            merge: true,
            ..Raw::of(vec![add(&stranger.build())])
        };
        raw.by(&mut host);
        let new = joining("New", None, 90);
        let welcome = welcome(&mut host, &new);
        not_entered(new, &welcome, No::BadProof);
    }
}

#[test]
fn a_welcome_leads_to_no_tree_with_foreign_leaves() {
    let mut host = host();
    let stranger = Package {
        capabilities: foreign_capabilities(),
        leaf: Extensions::single(foreign_extension(2000)).unwrap(),
        ..Package::member()
    };
    let raw = Raw {
        merge: true,
        ..Raw::of(vec![add(&stranger.build())])
    };
    raw.by(&mut host);
    let new = joining("New", None, 90);
    let welcome = welcome(&mut host, &new);
    not_entered(new, &welcome, No::UnknownExtension);
}

#[test]
fn a_welcome_is_for_one_key_package_alone() {
    let mut host = host();
    let new = joining("New", None, 90);
    let first = welcome(&mut host, &new);
    not_entered(joining("Other", None, 91), &first, No::NotAuthentic);
    let again = joining("New", None, 92);
    not_entered(again, &first, No::NotAuthentic);
    assert!(new.enter(&first).is_ok());
}

#[test]
fn a_welcome_to_a_group_without_its_founders_rank_is_no_welcome() {
    let joining_host = joining("Host", None, 1);
    let mut host = Group::found(joining_host).unwrap();
    let new = joining("New", None, 90);
    let welcome = welcome(&mut host, &new);
    not_entered(new, &welcome, No::NotTheChair);
}

#[test]
fn a_welcome_that_is_cut_or_changed_leads_nowhere() {
    let mut host = host();
    let sent = welcome(&mut host, &joining("New", None, 90));
    for end in (0..sent.len()).step_by(7) {
        assert!(joining("New", None, 90).enter(&sent[..end]).is_err());
    }
    // Its proof is in the encrypted part; what stands before it names the key package and the secrets.
    for at in (0..sent.len()).step_by(5) {
        let mut changed = sent.clone();
        changed[at] ^= 1 << (at % 8);
        let entered = joining("New", None, 90).enter(&changed);
        let reason = entered.err().expect("refused");
        assert!(
            matches!(reason, No::Malformed | No::NotAuthentic),
            "{at}: {reason}"
        );
    }
    let mut long = sent.clone();
    long.push(0);
    not_entered(joining("New", None, 90), &long, No::Malformed);
    let commit = host.commit(Change::default()).unwrap().commit;
    not_entered(joining("New", None, 90), &commit, No::Malformed);
    assert!(joining("New", None, 90).enter(&sent).is_ok());
}
