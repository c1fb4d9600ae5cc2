//! A member, or anybody with the link, knocks as somebody who is inside, to take that one's place or to
//! stand beside it.

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;

use crate::own::Proof;
use crate::rogue::{Wanting, insider};
use crate::scene::{all_is_well, three};

/// The process of Ada, as every member sees it in the tree.
fn run_of(mallory: &crate::rogue::Rogue, name: &str) -> [u8; 16] {
    let mut members = mallory.group.members().filter_map(|member| {
        postcard::from_bytes::<LeafName>(member.credential.serialized_content()).ok()
    });
    members
        .find(|one| one.name == name)
        .expect("in the tree")
        .run
}

#[test]
fn with_its_name_and_process() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let ada = LeafName::member("Ada", run_of(&mallory, "Ada"));
    let tree = world.roster(0);
    let again = Wanting::claiming(ada, 0x55);
    let outcome = again.knock(&mut world, &meet.guest, secret, None, 8);
    assert!(matches!(outcome, Err(Some(Status::Denied))));
    assert_eq!(world.roster(0), tree);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn with_a_proof_that_it_does_not_have() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let tree = world.roster(0);
    let again = Wanting::claiming(LeafName::member("Ada", run_of(&mallory, "Ada")), 0x55);
    // Ada's key stands in the tree; the signature is Mallory's.
    let ada = mallory.leaf("Ada");
    let member = mallory.group.members().find(|one| one.index.u32() == ada);
    let sign_key = member
        .expect("in the tree")
        .signature_key
        .try_into()
        .expect("32 bytes");
    let own: Vec<Proof> = postcard::from_bytes(&mallory.proof(&again.key_package)).expect("own");
    let proof = own
        .into_iter()
        .map(|proof| Proof { sign_key, ..proof })
        .collect::<Vec<_>>();
    let proof = postcard::to_allocvec(&proof).expect("encodes");
    for room in [secret, mallory.line.secret] {
        let outcome = again.knock(&mut world, &meet.guest, room, Some(proof.clone()), 8);
        assert!(matches!(outcome, Err(Some(Status::Denied))));
    }
    assert_eq!(world.roster(0), tree);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn under_a_name_that_is_not_in_its_leaf() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let eve = Wanting::new(LeafName::member("Eve", [3; 16]), 3);
    let outcome = eve.knock_as(&mut world, &meet.guest, secret, None, 8, "Bob");
    assert!(matches!(outcome, Err(Some(Status::Denied))));
    let host = Wanting::new(LeafName::committer("Host", [3; 16], 0), 4);
    let outcome = host.knock(&mut world, &meet.guest, secret, None, 8);
    assert!(
        matches!(outcome, Err(Some(Status::Denied))),
        "a rank that is not proven"
    );
    all_is_well(&mut world, &[0, 1, 2]);
}
