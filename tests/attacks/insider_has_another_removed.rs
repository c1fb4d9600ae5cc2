//! Somebody comes in under the process of one who is away, as every member sees it in the tree, and is
//! removed under it: so that the other is kept out, as one who was removed.

use sottovoce::meeting::Command;
use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;

use crate::rogue::{Rogue, Wanting, insider};
use crate::scene::{all_is_well, three};

/// The process of somebody inside.
fn run_of(mallory: &Rogue, name: &str) -> [u8; 16] {
    let leaves = mallory.group.members();
    let mut names = leaves.filter_map(|leaf| {
        postcard::from_bytes::<LeafName>(leaf.credential.serialized_content()).ok()
    });
    let found = names.find(|one| one.name == name);
    found.expect("in the tree").run
}

/// Who is away for too long leaves the tree: then nobody inside has that process.
#[test]
fn under_its_process() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let ada = run_of(&mallory, "Ada");
    world.side(1, 1);
    world.seconds(100);
    assert!(!world.roster(0).contains(&"Ada".to_owned()), "away");
    let eve = Wanting::claiming(LeafName::member("Eve", ada), 0x44);
    // With the signature of a member that is another process; with none at all.
    for proof in [Some(mallory.proof(&eve.key_package)), None] {
        match eve.knock(&mut world, &meet.guest, secret, proof, 8) {
            Err(status) => assert_eq!(status, Some(Status::Denied)),
            // What the attack would come to.
            Ok(_) => {
                world.seconds(2);
                let who = world.who(0, "Eve");
                world.command(0, Command::Remove(who));
                world.seconds(5);
                break;
            }
        }
    }
    world.side(1, 0);
    world.seconds(60);
    assert_eq!(world.nodes[1].over, None, "nobody removed her");
    assert!(world.roster(0).contains(&"Ada".to_owned()), "back");
    all_is_well(&mut world, &[0, 1, 2]);
}
