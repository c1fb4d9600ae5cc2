//! Somebody was removed and comes back: by the old link, by showing the leaf that it had, by the new link.

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;
use sottovoce::meeting::{Command, LinkSecret};

use crate::own::room;
use crate::rogue::{Rogue, Wanting, insider};
use crate::scene::{Meet, all_is_well, new_link, three};
use crate::world::World;

fn removed() -> (World, Meet, Rogue) {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let who = world.who(0, "Mallory");
    world.command(0, Command::Remove(who));
    world.seconds(2);
    assert!(!world.roster(0).contains(&"Mallory".to_owned()));
    (world, meet, mallory)
}

#[test]
fn the_old_link_leads_to_an_empty_lobby() {
    let (mut world, meet, _) = removed();
    let again = Wanting::new(LeafName::member("Nobody", [5; 16]), 5);
    let outcome = again.knock(&mut world, &meet.guest, meet.link_secret(), None, 10);
    assert!(matches!(outcome, Err(Some(Status::HostNotHere))));
    assert!(world.in_room(room(&meet.link_secret()), 0).is_empty());
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn the_leaf_that_it_had_opens_no_door() {
    let (mut world, meet, mallory) = removed();
    let again = Wanting::claiming(mallory.name.clone(), 5);
    let proof = mallory.proof(&again.key_package);
    // The chair stays in the old main room for a while, for those who were cut off.
    let line = mallory.line.secret;
    let outcome = again.knock(&mut world, &meet.guest, line, Some(proof.clone()), 8);
    assert!(matches!(outcome, Err(Some(Status::Denied))));
    let outcome = again.knock(&mut world, &meet.guest, meet.link_secret(), Some(proof), 8);
    assert!(matches!(outcome, Err(Some(Status::HostNotHere))));
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn nor_does_the_new_link_for_the_same_process() {
    let (mut world, _, mallory) = removed();
    let link = new_link(&world, 0);
    // It is not for lack of a sign that it is that process.
    let again = Wanting::with_key(mallory.name.clone(), mallory.key.clone(), 5);
    let proof = mallory.proof(&again.key_package);
    let lobby = link.meeting().lobby(0).expect("the relay");
    // Somebody has told it the new link. What is in it is the room's secret.
    let secret = secret_of(&link);
    assert!(room(&secret) == lobby);
    for proof in [None, Some(proof)] {
        let outcome = again.knock(&mut world, &link, secret, proof, 8);
        assert!(matches!(outcome, Err(Some(Status::Denied))));
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

/// The secret in a meeting link: after version and kind.
fn secret_of(link: &sottovoce::meeting::links::Link) -> [u8; 32] {
    let text = link.meeting().to_link();
    let fragment = text.rsplit(['#', '.']).next().expect("a fragment");
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(fragment.as_bytes())
        .expect("a link");
    let secret: [u8; 32] = *bytes[2..].first_chunk().expect("a secret");
    assert!(link.meeting().secret == LinkSecret::from_bytes(secret));
    secret
}
