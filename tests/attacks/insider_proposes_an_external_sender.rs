//! A member makes the group take proposals of somebody outside (RFC 9420, section 12.1.8).

use openmls::prelude::{
    BasicCredential, Extension, ExtensionType, Extensions, ExternalSender, GroupContext,
    RequiredCapabilitiesExtension, UnknownExtension,
};
use sottovoce::meeting::Rejection;
use sottovoce::meeting::crypto::sign::SigningKey;

use crate::rogue::{Rogue, insider};
use crate::scene::{all_is_well, refused, three};

/// What the group has, and a sender from outside.
fn extensions(mallory: &Rogue) -> Extensions<GroupContext> {
    let outside = SigningKey::from_seed(&[1; 32]).public().to_vec();
    let sender = ExternalSender::new(outside.into(), BasicCredential::new(b"x".into()).into());
    let own = mallory
        .group
        .extensions()
        .unknown(0xf5c0)
        .expect("the meeting's");
    let own = Extension::Unknown(0xf5c0, UnknownExtension(own.0.clone()));
    let required = RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(0xf5c0)], &[], &[]);
    let all = vec![
        own,
        Extension::RequiredCapabilities(required),
        Extension::ExternalSenders(vec![sender]),
    ];
    Extensions::from_vec(all).expect("extensions")
}

#[test]
fn as_a_proposal() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let wanted = extensions(&mallory);
    let (provider, key) = (&mallory.provider, &mallory.key);
    let proposed = mallory
        .group
        .propose_group_context_extensions(provider, wanted, key);
    let proposal = proposed.expect("a proposal").0.to_bytes().expect("bytes");
    let before = [0, 1, 2].map(|one| refused(&world, one, Rejection::External));
    mallory.post(&mut world, proposal);
    let after = [0, 1, 2].map(|one| refused(&world, one, Rejection::External));
    assert_eq!(after, before.map(|count| count + 1));
    // Nothing of it is kept for the next commit.
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    all_is_well(&mut world, &[0, 1, 2, cem]);
}

#[test]
fn as_a_commit() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let wanted = extensions(&mallory);
    let (provider, key) = (&mallory.provider, &mallory.key);
    let committed = mallory
        .group
        .update_group_context_extensions(provider, wanted, key);
    let commit = committed.expect("a commit").0.to_bytes().expect("bytes");
    mallory.post(&mut world, commit);
    for index in 0..3 {
        assert_eq!(refused(&world, index, Rejection::Commit), 1, "{index}");
    }
    all_is_well(&mut world, &[0, 1, 2]);
}
