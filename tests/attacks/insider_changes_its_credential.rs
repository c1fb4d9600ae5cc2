//! A member gives its own leaf another's name: by a commit, by a proposal, and by being taken in anew.

use openmls::prelude::{LeafNodeParameters, OpenMlsProvider};
use sottovoce::meeting::Rejection;
use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;

use crate::rogue::{Wanting, credential, insider};
use crate::scene::{all_is_well, refused, three};

#[test]
fn by_a_commit_or_a_proposal() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let ada = credential(&LeafName::member("Ada", mallory.name.run), &mallory.key);
    let leaf = LeafNodeParameters::builder()
        .with_credential_with_key(ada)
        .build();
    let (provider, key) = (&mallory.provider, &mallory.key);
    let proposed = mallory
        .group
        .propose_self_update(provider, key, leaf.clone());
    let proposal = proposed.expect("a proposal").0.to_bytes().expect("bytes");
    let store = mallory.provider.storage();
    mallory
        .group
        .clear_pending_proposals(store)
        .expect("cleared");
    let committed = mallory
        .group
        .self_update(&mallory.provider, &mallory.key, leaf);
    let commit = committed
        .expect("a commit")
        .commit()
        .to_bytes()
        .expect("bytes");
    mallory.post(&mut world, proposal);
    mallory.post(&mut world, commit);
    for index in 0..3 {
        assert_eq!(
            refused(&world, index, Rejection::External),
            1,
            "the proposal"
        );
        assert_eq!(refused(&world, index, Rejection::Commit), 1, "the commit");
    }
    let tree = world.roster(2);
    assert_eq!(tree.iter().filter(|name| *name == "Ada").count(), 1);
    assert!(tree.contains(&"Mallory".to_owned()));
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn by_being_taken_in_anew() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    // It shows that it has its own leaf, and asks for one with Ada's name. So does one that shows its
    // name and says that it is Ada's process.
    for (name, run) in [("Ada", mallory.name.run), ("Mallory", [0x44; 16])] {
        let again = Wanting::claiming(LeafName::member(name, run), 0x55);
        let proof = mallory.proof(&again.key_package);
        let line = mallory.line.secret;
        let outcome = again.knock(&mut world, &meet.guest, line, Some(proof), 8);
        assert!(matches!(outcome, Err(Some(Status::Denied))), "{name}");
    }
    let tree = world.roster(2);
    assert_eq!(tree, ["Host", "Ada", "Bea", "Mallory"]);
    // With its own name it may come.
    let again = Wanting::claiming(mallory.name.clone(), 0x56);
    let proof = mallory.proof(&again.key_package);
    let line = mallory.line.secret;
    let outcome = again.knock(&mut world, &meet.guest, line, Some(proof), 8);
    assert!(outcome.is_ok());
    all_is_well(&mut world, &[0, 1, 2]);
}
