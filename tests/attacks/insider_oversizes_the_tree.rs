//! A member, or somebody who knocks, puts large extensions of its own into the tree.

use openmls::prelude::{
    Capabilities, CredentialType, Extension, ExtensionType, Extensions, KeyPackageBuilder,
    LeafNode, LeafNodeParameters, Lifetime, ProtocolVersion, UnknownExtension,
};
use sottovoce::meeting::Rejection;
use sottovoce::meeting::crypto::SUITE;
use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;
use tls_codec::Serialize as _;

use crate::rogue::{Wanting, credential, insider};
use crate::scene::{all_is_well, refused, three};

fn large(size: usize) -> (Capabilities, Extensions<LeafNode>) {
    let own = 0xf5c1;
    let kinds = [ExtensionType::Unknown(0xf5c0), ExtensionType::Unknown(own)];
    let capabilities = Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&kinds),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    );
    let extension = Extension::Unknown(own, UnknownExtension(vec![7; size]));
    (capabilities, Extensions::single(extension).expect("one"))
}

#[test]
fn by_a_commit() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    for (nth, size) in [16, 20_000].into_iter().enumerate() {
        let (capabilities, extensions) = large(size);
        let leaf = LeafNodeParameters::builder()
            .with_capabilities(capabilities)
            .with_extensions(extensions)
            .build();
        let committed = mallory
            .group
            .self_update(&mallory.provider, &mallory.key, leaf);
        let commit = committed
            .expect("a commit")
            .commit()
            .to_bytes()
            .expect("bytes");
        let store = openmls::prelude::OpenMlsProvider::storage(&mallory.provider);
        mallory.group.clear_pending_commit(store).expect("cleared");
        mallory.post(&mut world, commit);
        for index in 0..3 {
            assert_eq!(refused(&world, index, Rejection::Commit), nth as u64 + 1);
        }
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn by_a_knock() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut eve = Wanting::new(LeafName::member("Eve", [3; 16]), 3);
    let (capabilities, extensions) = large(600);
    let bundle = KeyPackageBuilder::new()
        .leaf_node_capabilities(capabilities)
        .leaf_node_extensions(extensions)
        .key_package_lifetime(Lifetime::init(0, u64::MAX))
        .build(
            SUITE,
            &eve.provider,
            &eve.key,
            credential(&eve.name, &eve.key),
        )
        .expect("a key package");
    eve.key_package = bundle
        .key_package()
        .tls_serialize_detached()
        .expect("bytes");
    let outcome = eve.knock(&mut world, &meet.guest, secret, None, 8);
    assert!(matches!(outcome, Err(Some(Status::Denied))));
    all_is_well(&mut world, &[0, 1, 2]);
}
