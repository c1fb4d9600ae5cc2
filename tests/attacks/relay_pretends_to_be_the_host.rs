//! The relay, with nothing but the meeting link, makes a host's keys of its own and answers at the
//! door.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use sottovoce::meeting::LinkSecret;
use sottovoce::meeting::Notice;
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::links::Link;
use sottovoce::meeting::lobby::{Door, LobbyBody, Porter, PorterOutput, Status};
use sottovoce::wire::{ParticipantId, To};

use crate::own::{Plain, derive};
use crate::rogue::Line;
use crate::scene::{Meet, another_meet, meet, nobody_is_there, three};
use crate::world::World;

/// A question that is answered: who asks whom, and with what nonce.
#[derive(Clone, Copy)]
struct Asked {
    chair: ParticipantId,
    knocker: ParticipantId,
    nonce: [u8; 16],
}

/// The links of whoever pretends to be the host.
fn false_host() -> Meet {
    another_meet(0, 66)
}

/// Answers for a while at the lobby's door, as this committer; and whether somebody knocked.
fn keep_the_door(world: &mut World, meet: &Meet, change: impl Fn(&mut Door, Asked)) -> bool {
    let false_host = false_host();
    let Link::Committer(own) = &false_host.host else {
        panic!("a host's link");
    };
    let mut line = Line::new(world, meet.link_secret());
    let secret = LinkSecret::from_bytes(meet.link_secret());
    let me = line.id(world);
    let mut porter = Porter::new(own, &secret, me, false, world.now, [5; 32]);
    let mut knocked = false;
    let mut nonces = HashMap::new();
    for _ in 0..500 {
        world.run(std::time::Duration::from_millis(20));
        porter.tick(world.now);
        while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
            if let Some(Plain::Lobby(body)) = line.envelope.open(from, &body) {
                knocked |= matches!(body, LobbyBody::Knock { .. });
                if let LobbyBody::Ask { nonce } = body {
                    nonces.insert(from, nonce);
                }
                porter.handle(world.now, from, body);
            }
        }
        while let Some(said) = porter.poll() {
            if let PorterOutput::Post { to, mut body } = said {
                if let (LobbyBody::Door(door), To::One(knocker)) = (&mut body, to) {
                    let (chair, nonce) = (me, nonces[&knocker]);
                    change(
                        door,
                        Asked {
                            chair,
                            knocker,
                            nonce,
                        },
                    );
                }
                line.post(world, to, &Plain::Lobby(body));
            }
        }
    }
    knocked
}

#[test]
fn nobody_knocks_at_a_door_with_other_keys() {
    let meet = meet(0);
    let mut world = World::new();
    let ada = world.join(&meet.guest, "Ada");
    assert!(!keep_the_door(&mut world, &meet, |_, _| {}));
    assert!(nobody_is_there(&world, ada));
}

/// All that the door says is good by itself: the keys that it shows have signed it, over the bundle that
/// the meeting link names, which whoever has the link knows. Only that the bundle is another one tells.
#[test]
fn nobody_knocks_at_a_door_whose_keys_signed_for_the_hosts_bundle() {
    let meet = meet(0);
    let pinned = meet.guest.meeting().bundle.0;
    let key = SigningKey::from_seed(&derive(&false_host().seed(0), "committer sign", &[]));
    let lobby = derive(&meet.link_secret(), "lobby", &[]);
    let mut world = World::new();
    let ada = world.join(&meet.guest, "Ada");
    let knocked = keep_the_door(&mut world, &meet, |door, asked| {
        let words = postcard::to_allocvec(&door.words).expect("encodes");
        let statement = [
            &b"door 2\0\0"[..],
            &lobby,
            &asked.chair.0.to_be_bytes(),
            &asked.knocker.0.to_be_bytes(),
            &pinned,
            &[door.rank, door.locked.into(), door.known.into()],
            &door.run,
            &asked.nonce,
            &Sha256::digest(words),
        ];
        door.signature = key.sign(&statement.concat()).to_vec();
    });
    assert!(!knocked);
    assert!(nobody_is_there(&world, ada));
}

#[test]
fn nobody_knocks_at_a_door_that_shows_the_hosts_keys_and_signs_with_others() {
    let meet = meet(0);
    let Link::Committer(host) = &meet.host else {
        panic!("a host's link");
    };
    let bundle = host.bundle.to_bytes();
    let mut world = World::new();
    let ada = world.join(&meet.guest, "Ada");
    let knocked = keep_the_door(&mut world, &meet, |door, _| door.bundle.clone_from(&bundle));
    assert!(!knocked);
    assert!(nobody_is_there(&world, ada));
}

#[test]
fn an_honest_answer_to_another_question_is_none() {
    let meet = meet(0);
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(1);
    let lobby = crate::own::room(&meet.link_secret());
    let by_host = |said: &&crate::world::Said| said.by == 0 && said.room == lobby;
    let doors: Vec<_> = world.said.iter().filter(by_host).cloned().collect();
    assert!(!doors.is_empty());
    let at = world.stay(ada, lobby).unwrap();
    let id = world.id((ada, at));
    world.kill(ada);
    world.kill(0);
    // Somebody else comes under Ada's id, and is played what the host said to Ada.
    world.reuse = Some(id);
    let bea = world.join(&meet.guest, "Bea");
    let at = world.stay(bea, lobby).unwrap();
    for said in &doors {
        assert_eq!(said.to, To::One(id));
        world.inject_message(bea, at, said.from, &said.body);
    }
    world.seconds(5);
    let bea_said = world.said.iter().filter(|said| said.by == bea);
    assert!(bea_said.clone().count() > 0);
    assert!(
        bea_said.clone().all(|said| said.to == To::Everyone),
        "it asks and never knocks"
    );
    assert!(
        !world.nodes[bea]
            .told
            .contains(&Notice::Waiting(Status::Waiting))
    );
}

#[test]
fn the_true_host_is_still_let_in_beside_a_false_one() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    assert!(!keep_the_door(&mut world, &meet, |_, _| {}) || world.nodes[cem].inside);
    assert!(world.nodes[cem].inside);
}
