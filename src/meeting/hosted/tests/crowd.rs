//! Meetings of 200: what it takes until everyone is in, and what it costs the relay.

use super::world::{Parcel, World};
use super::*;
use crate::meeting::events::{Input, Who};
use crate::meeting::group::MEMBERS;
use crate::meeting::media::{Opened, ReceiverKeys};
use crate::wire::FromRelay;

/// All are in one group, and everyone has heard everyone say where it is.
fn together(world: &World) -> bool {
    let first = world.nodes[0].meeting.look();
    world.nodes.iter().all(|node| {
        let same = |look: Look| first.as_ref().is_some_and(|one| one.tag == look.tag);
        node.people.len() == world.nodes.len() - 1 && node.meeting.look().is_some_and(same)
    })
}

/// Lets time pass until they are; says how much.
fn until_together(world: &mut World, most: u64) -> Duration {
    let began = world.now;
    while !together(world) {
        let inside = world.nodes.iter().filter(|node| node.inside).count();
        let of = world.nodes.len();
        assert!(
            world.now < began + Duration::from_secs(most),
            "{inside} of {of}"
        );
        world.run(Duration::from_millis(100));
    }
    world.now - began
}

fn founded() -> (World, Meet) {
    let (mut world, meet) = (World::new(), meet(0));
    world.join_as(&meet.host, "host", false, false);
    world.seconds(1);
    (world, meet)
}

/// Everyone is in the one tree, and says where it is to each other once: whoever came later to all who are
/// there, and each of these to it alone. Little else may grow with the square.
fn check(world: &World, what: &str, took: Duration) {
    let look = world.nodes[0].meeting.look().expect("inside");
    let members = world.nodes.len();
    assert_eq!(look.roster.len(), members);
    let traffic = world.traffic;
    println!("{what}: {took:?}, {traffic:?}");
    assert!(traffic.sent < members * members * 2 / 3);
    for node in &world.nodes {
        let rejections: u64 = node.meeting.rejections().iter().sum();
        assert!(
            rejections < members as u64,
            "{:?}",
            node.meeting.rejections()
        );
    }
}

/// A hundred, since each commit is work for everyone; `CROWD=200` does it with as many as there can be.
fn members() -> usize {
    let members = std::env::var("CROWD").ok();
    members.map_or(100, |members| members.parse().expect("a number"))
}

#[test]
fn many_come_one_after_another() {
    let members = members();
    let (mut world, meet) = founded();
    let began = world.now;
    for number in 1..members {
        world.join(&meet.guest, &format!("guest {number}"));
        world.run(Duration::from_millis(500));
        let number = knocking(&world);
        world.command(0, Command::Admit(number));
        until_together(&mut world, 10);
    }
    check(&world, "one after another", world.now - began);
}

#[test]
fn a_hundred_and_ninety_nine_knock_at_once() {
    let (mut world, meet) = founded();
    for number in 1..MEMBERS {
        world.join(&meet.guest, &format!("guest {number}"));
    }
    world.seconds(10);
    assert!(world.names(0).is_empty());
    world.tell(0, Input::Command(Command::AdmitAll(true)));
    let took = until_together(&mut world, 60);
    check(&world, "at once", took);
}

/// A meeting of so many guests, the last of whom waits; and its number at the door.
fn one_waits(guests: usize) -> (World, Meet, u32) {
    let (mut world, meet) = founded();
    world.command(0, Command::AdmitAll(true));
    for number in 1..guests {
        world.join(&meet.guest, &format!("guest {number}"));
    }
    until_together(&mut world, 30);
    world.command(0, Command::AdmitAll(false));
    world.join(&meet.guest, &format!("guest {guests}"));
    world.seconds(1);
    let number = knocking(&world);
    (world, meet, number)
}

/// Who knocked last.
fn knocking(world: &World) -> u32 {
    let told = world.nodes[0].told.iter().rev();
    let number = told.clone().find_map(|notice| match notice {
        Notice::Knocking { number, .. } => Some(*number),
        _ => None,
    });
    number.expect("a knock")
}

fn epoch(world: &World) -> u64 {
    world.nodes[0].meeting.look().expect("inside").epoch
}

#[test]
fn a_relay_that_restarts_in_mid_commit_costs_nobody_its_place() {
    let (mut world, _, number) = one_waits(30);
    let (before, sent) = (epoch(&world), world.traffic.sent);
    // The commit is made, and neither it nor the welcome reaches anybody.
    world.passes = Box::new(|_, _| false);
    world.command(0, Command::Admit(number));
    world.run(Duration::from_millis(100));
    assert_eq!(epoch(&world), before + 1);
    world.passes = Box::new(|_, _| true);
    world.restart();
    until_together(&mut world, 20);
    // It goes out again for all at once.
    let sent = world.traffic.sent - sent;
    assert!(sent < 2 * 30 * 30, "{sent} bodies");
}

#[test]
fn a_welcome_that_comes_late_leads_to_where_the_others_are() {
    let (mut world, meet, number) = one_waits(5);
    let late = world.nodes.len() - 1;
    world.passes = Box::new(move |to, _| to != late);
    world.command(0, Command::Admit(number));
    world.command(0, Command::AdmitAll(true));
    for number in 6..10 {
        world.join(&meet.guest, &format!("guest {number}"));
        world.seconds(4);
    }
    let before = epoch(&world);
    assert!(!world.nodes[late].inside);
    world.passes = Box::new(|_, _| true);
    until_together(&mut world, 20);
    assert_eq!(
        epoch(&world),
        before,
        "by the welcome that it was given then"
    );
}

#[test]
fn two_knocks_in_one_beat_are_both_let_in() {
    let (mut world, meet, number) = one_waits(3);
    world.join(&meet.guest, "guest 4");
    world.seconds(1);
    let before = epoch(&world);
    for number in [number, knocking(&world)] {
        world.tell(0, Input::Command(Command::Admit(number)));
    }
    until_together(&mut world, 5);
    assert!(epoch(&world) <= before + 2);
}

/// Both halves of a meeting have gone on for themselves, and all of the one come into the other at once;
/// the welcomes are lost again and again, so that each wants one of its own.
#[test]
fn beats_go_before_the_welcomes_of_many_who_come_again() {
    let (mut world, meet) = (World::new(), meet(1));
    world.join_as(&meet.host, "host", false, true);
    world.seconds(1);
    let co_host = world.join(&meet.co_hosts[0], "co-host");
    let stays = world.join(&meet.guest, "stays");
    for number in 0..60 {
        world.join(
            &meet.guest,
            &format!("{number}, {}", "long name ".repeat(25)),
        );
    }
    until_together(&mut world, 60);
    let away: Vec<usize> = (co_host..world.nodes.len())
        .filter(|one| *one != stays)
        .collect();
    for one in &away {
        world.side(*one, 1);
    }
    world.seconds(30);
    // Each half makes a commit.
    let (gone, newcomer) = (away[1], world.join(&meet.guest, "newcomer"));
    world.tell(gone, Input::Goodbye);
    world.settle();
    world.kill(gone);
    world.seconds(10);
    for one in &away {
        world.side(*one, 0);
    }
    let there = [0, stays, newcomer];
    world.passes = Box::new(move |to, parcel| {
        let part = |body: &[u8]| body.len() > 15_000;
        let message =
            matches!(parcel, Parcel::Control(FromRelay::Message { body, .. }) if part(body));
        there.contains(&to) || !message
    });
    // What may be said at once has been said, and the host goes on writing.
    for _ in 0..38 {
        world.command(0, Command::Say("x".repeat(4000)));
    }
    let mut latest = Duration::ZERO;
    for round in 0..450 {
        if round % 10 == 0 {
            world.command(0, Command::Say("x".repeat(4000)));
        }
        world.run(Duration::from_millis(100));
        let heard = world.nodes[stays].meeting.look().expect("inside").heard;
        latest = latest.max(world.now - heard.expect("a chair"));
    }
    println!("the latest beat: {latest:?}, {:?}", world.traffic);
    // One is due each 5 s.
    assert!(latest < Duration::from_secs(6), "{latest:?}");
    world.passes = Box::new(|_, _| true);
    let tag = |world: &World, one: usize| world.nodes[one].meeting.look().map(|look| look.tag);
    world.seconds(60);
    for one in away.iter().filter(|one| **one != gone) {
        assert_eq!(tag(&world, *one), tag(&world, 0), "{one} is back");
    }
}

/// Whether what was sealed under a sender's keys opens with those that `look` has of it.
fn opens(look: &Look, sender: &Look, now: Duration, sealed: &[u8]) -> bool {
    let mut keys = ReceiverKeys::new(sender.me.0, sender.salt);
    keys.epoch(now, look.epoch, &look.base);
    let opened = keys.open(now, SOUND, GroupNumber(0), &sealed.to_vec().into());
    matches!(opened, Ok(Opened::Frame(_)))
}

#[test]
fn one_of_a_crowd_is_removed_and_nobody_else_misses_anything() {
    const SPEAKERS: [usize; 2] = [0, 1];
    const REMOVED: usize = 7;
    let members = members();
    let (mut world, meet) = founded();
    world.tell(0, Input::Command(Command::AdmitAll(true)));
    for number in 1..members {
        world.join(&meet.guest, &format!("guest {number}"));
    }
    until_together(&mut world, 60);
    let rooms: Vec<_> = world.nodes.iter().map(|node| node.main).collect();
    let stolen = world.nodes[REMOVED].meeting.look().expect("inside");
    let who = world.who(0, &format!("guest {REMOVED}"));
    let before = world.traffic;
    // When each heard each speaker last, and the longest that it did not.
    let mut heard = vec![[world.now; 2]; members];
    let mut gaps = vec![[Duration::ZERO; 2]; members];
    let mut read: Vec<usize> = world.nodes.iter().map(|node| node.frames.len()).collect();
    let mut sealed = 0;
    for number in 0..500_u64 {
        if number == 50 {
            world.command(0, Command::Remove(who));
            assert_eq!(world.nodes[REMOVED].over, Some(Ending::Removed));
            sealed = world.sound.len();
            read[REMOVED] = world.nodes[REMOVED].frames.len();
        }
        for speaker in SPEAKERS {
            world.send(speaker, frame(SOUND, number));
        }
        world.run(Duration::from_millis(20));
        for (index, node) in world.nodes.iter().enumerate() {
            for (_, frame) in &node.frames[read[index]..] {
                assert!(index != REMOVED || number < 50, "it hears nothing more");
                assert_eq!(frame.number, number, "at once, and once");
            }
            for (speaker, at) in heard[index].iter_mut().enumerate() {
                let name = &node.people;
                let from = |(who, _): &&(Who, Frame)| {
                    name.get(who)
                        .is_some_and(|name| *name == called(SPEAKERS[speaker]))
                };
                if node.frames[read[index]..].iter().any(|one| from(&one)) {
                    gaps[index][speaker] = gaps[index][speaker].max(world.now - *at);
                    *at = world.now;
                }
            }
            read[index] = node.frames.len();
        }
    }
    let others = (0..members).filter(|one| *one != REMOVED);
    let mut longest = Duration::ZERO;
    for index in others {
        let node = &world.nodes[index];
        assert_eq!(node.people.len(), members - 2, "{index} sees all others");
        assert_ne!(node.main, rooms[index], "{index} is in the new room");
        for speaker in [0, 1] {
            if SPEAKERS[speaker] != index {
                let since = world.now - heard[index][speaker];
                longest = longest.max(gaps[index][speaker]).max(since);
            }
        }
    }
    let (now, after) = (world.now, world.traffic);
    println!("removed from {members}: {longest:?} at most, {before:?}, {after:?}");
    assert!(longest < Duration::from_millis(200), "{longest:?}");
    let looks = SPEAKERS.map(|one| world.nodes[one].meeting.look().expect("inside"));
    for (speaker, sealed) in &world.sound[sealed..] {
        let sender = &looks[*speaker];
        assert!(opens(&looks[0], sender, now, sealed), "a member's keys do");
        assert!(!opens(&stolen, sender, now, sealed), "stolen keys do not");
    }
}

fn called(index: usize) -> String {
    match index {
        0 => "host".to_owned(),
        guest => format!("guest {guest}"),
    }
}
