//! The relay, with nothing but the meeting link, makes a host's keys of its own and answers at the
//! door.

use sottovoce::meeting::LinkSecret;
use sottovoce::meeting::Notice;
use sottovoce::meeting::links::Link;
use sottovoce::meeting::lobby::{Door, LobbyBody, Porter, PorterOutput, Status};
use sottovoce::wire::To;

use crate::own::Plain;
use crate::rogue::Line;
use crate::scene::{Meet, another_meet, meet, nobody_is_there, three};
use crate::world::World;

/// Answers for a while at the lobby's door, as this committer; and whether somebody knocked.
fn keep_the_door(world: &mut World, meet: &Meet, change: impl Fn(&mut Door)) -> bool {
    let false_host = another_meet(0, 66);
    let Link::Committer(own) = &false_host.host else {
        panic!("a host's link");
    };
    let mut line = Line::new(world, meet.link_secret());
    let secret = LinkSecret::from_bytes(meet.link_secret());
    let me = line.id(world);
    let mut porter = Porter::new(own, &secret, me, false, world.now, [5; 32]);
    let mut knocked = false;
    for _ in 0..500 {
        world.run(std::time::Duration::from_millis(20));
        porter.tick(world.now);
        while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
            if let Some(Plain::Lobby(body)) = line.envelope.open(from, &body) {
                knocked |= matches!(body, LobbyBody::Knock { .. });
                porter.handle(world.now, from, body);
            }
        }
        while let Some(said) = porter.poll() {
            if let PorterOutput::Post { to, mut body } = said {
                if let LobbyBody::Door(door) = &mut body {
                    change(door);
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
    assert!(!keep_the_door(&mut world, &meet, |_| {}));
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
    let knocked = keep_the_door(&mut world, &meet, |door| door.bundle.clone_from(&bundle));
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
    assert!(!keep_the_door(&mut world, &meet, |_| {}) || world.nodes[cem].inside);
    assert!(world.nodes[cem].inside);
}
