//! A co-host was removed and still has its link: it answers whoever asks in the committers' room, or in the
//! lobby that was left, who holds the door, before the chair does.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sottovoce::meeting::links::Link;
use sottovoce::meeting::lobby::{LobbyBody, Porter, PorterOutput};
use sottovoce::meeting::{Command, LinkSecret, NoWords, Notice};
use sottovoce::wire::FromRelay;

use crate::own::{Plain, derive, room};
use crate::rogue::Line;
use crate::scene::{Meet, all_is_well, knocks, meet};
use crate::world::{Parcel, World};

use super::removed_takes_a_co_hosts_place::removed;

/// For so many seconds the first co-host answers in the committers' room. What others say to `victim`, who
/// comes there by `begins`, is 300 ms late. Whether somebody knocked at its door.
fn answers_first(
    world: &mut World,
    meet: &Meet,
    victim: usize,
    begins: impl FnOnce(&mut World),
    seconds: u64,
) -> bool {
    let Link::Committer(own) = &meet.co_hosts[0] else {
        panic!("a co-host's link");
    };
    let secret = derive(&meet.way_back(), "committers' room", &[]);
    let mut line = Line::new(world, secret);
    let me = line.id(world);
    let mut porter = Porter::new(
        own,
        &LinkSecret::from_bytes(secret),
        me,
        false,
        world.now,
        [5; 32],
    );
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = kept.clone();
    world.passes = Box::new(move |to, at, parcel| match parcel {
        Parcel::Control(FromRelay::Message { from, .. }) if to == victim && *from != me => {
            keep.borrow_mut().push((at, parcel.clone()));
            false
        }
        _ => true,
    });
    begins(world);
    let mut knocked = false;
    let mut late = Vec::new();
    for turn in 0..seconds * 50 {
        world.run(Duration::from_millis(20));
        porter.tick(world.now);
        while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
            if let Some(Plain::Lobby(body)) = line.envelope.open(from, &body) {
                knocked |= matches!(body, LobbyBody::Knock { .. });
                porter.handle(world.now, from, body);
            }
        }
        while let Some(said) = porter.poll() {
            if let PorterOutput::Post { to, body } = said {
                line.post(world, to, &Plain::Lobby(body));
            }
        }
        late.extend(kept.borrow_mut().drain(..).map(|one| (turn, one)));
        let due = late.extract_if(.., |one: &mut (u64, _)| turn >= one.0 + 15);
        for (_, (at, parcel)) in due.collect::<Vec<_>>() {
            world.inject(victim, at, parcel);
        }
    }
    world.passes = Box::new(|_, _, _| true);
    knocked
}

#[test]
fn a_host_that_starts_anew_does_not_knock_there() {
    let (mut world, meet) = removed();
    world.kill(0);
    world.seconds(35);
    let host = world.nodes.len();
    let begins = |world: &mut World| {
        world.join(&meet.host, "Host");
    };
    assert!(!answers_first(&mut world, &meet, host, begins, 10));
    world.seconds(10);
    assert!(world.nodes[host].inside);
    all_is_well(&mut world, &[host, 2, 3]);
}

/// Whether words are shown on a screen that stand still.
fn has_words(world: &World, index: usize) -> bool {
    let told = world.nodes[index].told.iter().rev();
    let mut words = told.filter_map(|notice| match notice {
        Notice::Compare { number: None, .. } => Some(true),
        Notice::NoWords {
            number: None,
            why: NoWords::Elsewhere,
        } => Some(false),
        _ => None,
    });
    words.next().unwrap_or(false)
}

/// The chair compares words with whoever knocked last.
fn compare(world: &mut World, chair: usize) {
    let (number, _) = knocks(world, chair).pop().expect("somebody knocks");
    world.command(chair, Command::Compare(number));
    world.seconds(1);
}

/// Whoever waits in the newer lobby does so there, however silent the chair is, and its words are for that.
#[test]
fn who_was_never_inside_is_not_led_back_to_the_lobby_that_was_left() {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    world.join(&meet.co_hosts[0], "First");
    world.seconds(4);
    world.command(0, Command::AdmitAll(false));
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(3);
    compare(&mut world, 0);
    assert!(has_words(&world, ada));
    let who = world.who(0, "First");
    world.command(0, Command::Remove(who));
    world.seconds(5);
    let left = room(&meet.link_secret());
    assert_eq!(
        world.stay(ada, left),
        None,
        "she was told of the newer lobby"
    );
    world.kill(0);
    for _ in 0..60 {
        world.seconds(1);
        assert_eq!(world.stay(ada, left), None);
    }
    assert!(has_words(&world, ada));
}

/// Whoever was inside tries both lobbies, and has no words in the one that were shown in the other.
#[test]
fn who_was_inside_brings_no_words_to_the_lobby_that_was_left() {
    let (mut world, meet) = removed();
    world.command(2, Command::AdmitAll(false));
    world.side(3, 1);
    world.seconds(140);
    world.kill(0);
    world.seconds(35);
    assert!(world.nodes[2].told.contains(&Notice::InTheChair(true)));
    world.side(3, 0);
    world.seconds(25);
    compare(&mut world, 2);
    assert!(has_words(&world, 3));
    world.kill(2);
    let left = room(&meet.link_secret());
    let mut there = false;
    for _ in 0..60 {
        world.seconds(1);
        there |= world.stay(3, left).is_some();
        assert!(!there || !has_words(&world, 3));
    }
    assert!(there);
}
