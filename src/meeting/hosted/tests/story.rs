//! What people do.

use super::super::Place;
use super::super::plain::{Plain, Said};
use super::world::{Parcel, World};
use super::*;
use crate::meeting::events::Input;
use crate::meeting::secret::{LinkSecret, Passed};
use crate::wire::{FromRelay, ParticipantId};

/// A host and two guests, all inside.
fn three() -> (World, Meet) {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    world.join(&meet.guest, "Ada");
    world.join(&meet.guest, "Bea");
    world.seconds(3);
    (world, meet)
}

#[test]
fn who_is_admitted_sees_and_hears_everyone() {
    let (mut world, _) = three();
    for (index, others) in [["Ada", "Bea"], ["Bea", "Host"], ["Ada", "Host"]]
        .iter()
        .enumerate()
    {
        assert!(world.nodes[index].inside, "{index}");
        assert_eq!(world.names(index), *others);
    }
    for number in 0..20 {
        world.send(1, frame(SOUND, number));
        world.send(1, frame(PICTURE, number));
    }
    let all: Vec<u64> = (0..20).collect();
    for listener in [0, 2] {
        assert_eq!(world.got(listener, "Ada", SOUND), all);
        assert_eq!(world.got(listener, "Ada", PICTURE), all);
    }
}

#[test]
fn who_knocks_waits_until_the_host_decides() {
    let meet = meet(0);
    let mut world = World::new();
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(4);
    assert!(
        world.nodes[ada]
            .told
            .contains(&Notice::Waiting(Status::HostNotHere))
    );
    let host = world.join_as(&meet.host, "Host", false, false);
    world.seconds(8);
    assert!(
        world.nodes[ada]
            .told
            .contains(&Notice::Waiting(Status::Waiting))
    );
    assert!(!world.nodes[ada].inside);
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(3);
    let knocks: Vec<(u32, String)> = world.nodes[host]
        .told
        .iter()
        .filter_map(|notice| match notice {
            Notice::Knocking { number, name } => Some((*number, name.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(knocks.len(), 2, "{:?}", knocks);
    let number = |name: &str| knocks.iter().find(|(_, one)| one == name).unwrap().0;
    world.command(host, Command::Admit(number("Bea")));
    world.command(host, Command::Deny(number("Ada")));
    world.seconds(3);
    assert_eq!(world.nodes[ada].over, Some(Ending::Denied));
    assert!(world.nodes[bea].inside);
    assert_eq!(world.names(bea), ["Host"]);
    assert!(
        world.nodes[ada].people.is_empty(),
        "who was denied learned of nobody"
    );
}

#[test]
fn another_track_is_announced_and_carried_and_one_that_was_taken_back_is_not() {
    let (mut world, _) = three();
    let screen = TrackId(3);
    let (who, on) = (world.who(0, "Ada"), true);
    world.tell(
        0,
        Input::Listen {
            who,
            track: screen,
            on,
        },
    );
    let shown = |number| Frame {
        track: screen,
        ..frame(PICTURE, number)
    };
    world.send(1, shown(0));
    let without = presence("Ada").tracks;
    let mut with = without.clone();
    with.push(TrackDescription {
        track: screen,
        screen: true,
        ..without[1].clone()
    });
    world.tell(1, Input::Tracks(with));
    world.send(1, shown(10));
    assert_eq!(world.got(0, "Ada", screen), [10]);
    world.tell(1, Input::Tracks(without.clone()));
    world.send(1, shown(20));
    assert_eq!(world.got(0, "Ada", screen), [10]);
    world.send(1, frame(SOUND, 7));
    assert_eq!(world.got(0, "Ada", SOUND), [7]);
    assert_eq!(world.names(0), ["Ada", "Bea"], "nobody came or went");
    // One number twice says nothing.
    let rejected = world.nodes[1].rejected;
    world.tell(1, Input::Tracks([without.clone(), without].concat()));
    assert_eq!(world.nodes[1].rejected, rejected + 1);
}

#[test]
fn a_locked_meeting_admits_nobody_until_it_is_unlocked() {
    let (mut world, meet) = three();
    world.command(0, Command::Lock(true));
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(5);
    assert!(!world.nodes[cem].inside);
    assert!(
        world.nodes[cem]
            .told
            .contains(&Notice::Waiting(Status::Locked))
    );
    world.command(0, Command::Lock(false));
    world.seconds(5);
    assert!(world.nodes[cem].inside);
}

#[test]
fn who_comes_in_the_midst_of_a_group_has_it_from_its_beginning() {
    let (mut world, meet) = three();
    let send = |world: &mut World, numbers: std::ops::Range<u64>| {
        for number in numbers {
            let mut picture = frame(PICTURE, number);
            picture.group = GroupNumber(3);
            picture.keyframe = number == 0;
            world.send(1, picture);
        }
    };
    send(&mut world, 0..5);
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    send(&mut world, 5..8);
    world.seconds(1);
    // Whoever comes so soon waits for the next key frame, and whoever comes much later is not shown what
    // went long before.
    for wait in [0, 12] {
        world.seconds(wait);
        let late = world.join(&meet.guest, "Late");
        world.seconds(3);
        assert!(world.nodes[late].inside && world.nodes[late].frames.is_empty());
    }
    // What went before a pause, or before the end of a track, is not shown to who comes after it.
    world.tell(1, Input::Paused);
    let dan = world.join(&meet.guest, "Dan");
    world.seconds(3);
    assert!(world.nodes[dan].inside && world.nodes[dan].frames.is_empty());
    for listener in [0, 2, cem] {
        let frames = world.nodes[listener].frames.iter();
        let pictures = frames.filter(|(_, frame)| frame.track == PICTURE);
        let seen: Vec<_> = pictures.map(|(_, one)| (one.group.0, one.number)).collect();
        let all: Vec<_> = (0..8).map(|number| (3, number)).collect();
        assert_eq!(seen, all, "{listener}");
    }
}

/// Ada begins group `group` with one picture of so many bytes.
fn begins(world: &mut World, group: u64, bytes: usize) {
    let mut picture = frame(PICTURE, 10 * group);
    picture.payload = vec![7; bytes].into();
    world.send(1, picture);
}

/// How many pictures somebody has.
fn pictures(world: &World, index: usize) -> usize {
    let frames = world.nodes[index].frames.iter();
    frames.filter(|(_, one)| one.track == PICTURE).count()
}

#[test]
fn a_large_group_is_not_begun_again_for_who_comes() {
    for (bytes, seen) in [(500 * 1024, 1), (600 * 1024, 0)] {
        let (mut world, meet) = three();
        begins(&mut world, 0, bytes);
        let cem = world.join(&meet.guest, "Cem");
        world.seconds(3);
        assert!(world.nodes[cem].inside);
        assert_eq!(pictures(&world, cem), seen, "{bytes}");
        begins(&mut world, 1, bytes);
        assert_eq!(pictures(&world, cem), seen + 1, "{bytes}");
    }
}

#[test]
fn who_comes_in_anew_costs_no_group_that_is_begun_again_and_its_own_groups_are_taken() {
    let meet = meet(1);
    let mut world = World::new();
    let host = world.join(&meet.host, "Host");
    world.seconds(1);
    world.join(&meet.guest, "Ada");
    let co = world.join(&meet.co_hosts[0], "Cohost");
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(3);
    // Two groups of Ada's are begun again.
    for (group, name) in ["Cem", "Dan"].iter().enumerate() {
        begins(&mut world, group as u64, 1000);
        let late = world.join(&meet.guest, name);
        world.seconds(12);
        assert_eq!(pictures(&world, late), 1);
    }
    // The co-host's half yields to the host's, so that Ada is taken in anew: all its connections last.
    for index in [host, bea] {
        world.side(index, 1);
    }
    world.seconds(40);
    assert!(world.nodes[co].told.contains(&Notice::InTheChair(true)));
    let eve = world.join(&meet.guest, "Eve");
    let fay = world.join(&meet.guest, "Fay");
    world.side(fay, 1);
    world.seconds(6);
    assert!(world.nodes[eve].inside && world.nodes[fay].inside);
    world.kill(eve);
    for index in [host, bea, fay] {
        world.side(index, 0);
    }
    let salt = world.nodes[1].meeting.look().unwrap().salt;
    // Bea's group is under way when those of the other half come in anew.
    let mut picture = frame(PICTURE, 0);
    let wait = std::time::Duration::from_secs(1);
    let again = (0..60).any(|group| {
        (picture.group, picture.number) = (GroupNumber(group), u64::from(group));
        world.send(bea, picture.clone());
        world.run(wait);
        world.nodes[1].meeting.look().unwrap().salt != salt
    });
    assert!(again, "Ada was not taken in anew");
    assert_eq!(world.newest_group(bea, PICTURE), Some(picture.group));
    world.seconds(20);
    assert_eq!(
        world.names(1),
        ["Bea", "Cem", "Cohost", "Dan", "Fay", "Host"]
    );
    let others = [host, bea, co];
    let before = others.map(|index| pictures(&world, index));
    begins(&mut world, 2, 1000);
    let after = others.map(|index| pictures(&world, index));
    assert_eq!(after, before.map(|count| count + 1));
}

#[test]
fn who_comes_after_the_end_of_a_track_is_shown_nothing_of_it() {
    let (mut world, meet) = three();
    for number in 0..5 {
        world.send(1, frame(PICTURE, number));
    }
    let (track, frames) = (PICTURE, 5);
    world.tell(1, Input::Ended { track, frames });
    world.settle();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    assert!(world.nodes[cem].inside && world.nodes[cem].frames.is_empty());
    assert_eq!(world.got(2, "Ada", PICTURE), [0, 1, 2, 3, 4]);
}

#[test]
fn who_is_removed_hears_nothing_more_and_nobody_else_misses_anything() {
    let (mut world, meet) = three();
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(3);
    for number in 0..15 {
        world.send(1, frame(SOUND, number));
        world.send(1, frame(PICTURE, number));
    }
    let before = world.nodes[cem].frames.len();
    assert_eq!(before, 30);
    let who = world.who(0, "Cem");
    world.command(0, Command::Remove(who));
    for number in 15..115 {
        world.send(1, frame(SOUND, number));
        world.send(1, frame(PICTURE, number));
        world.run(std::time::Duration::from_millis(20));
    }
    assert_eq!(world.nodes[cem].over, Some(Ending::Removed));
    assert_eq!(world.nodes[cem].frames.len(), before);
    let all: Vec<u64> = (0..115).collect();
    for listener in [0, 2] {
        assert_eq!(world.got(listener, "Ada", SOUND), all);
        assert_eq!(world.got(listener, "Ada", PICTURE), all);
        assert!(!world.names(listener).contains(&"Cem".to_owned()));
    }
    // The old link leads nowhere; the new one does.
    let again = world.join(&meet.guest, "Cem");
    world.seconds(10);
    assert!(!world.nodes[again].inside);
    let link = world.nodes[0]
        .told
        .iter()
        .rev()
        .find_map(|notice| match notice {
            Notice::Link(link) => Some(link.clone()),
            _ => None,
        });
    let late = world.join(&Link::parse(&link.unwrap()).unwrap(), "Dan");
    world.seconds(8);
    assert!(world.nodes[late].inside);
    assert_eq!(world.names(late), ["Ada", "Bea", "Host"]);
}

/// Everyone has moved after a removal; then Ada is cut off until she gives up, and meanwhile the host's
/// process goes on, or ends and founds the meeting anew, where its link leads.
#[test]
fn who_has_heard_of_a_move_finds_back_after_it_gave_up() {
    for anew in [false, true] {
        let (mut world, meet) = three();
        let who = world.who(0, "Bea");
        world.command(0, Command::Remove(who));
        world.seconds(5);
        world.side(1, 1);
        if anew {
            world.kill(0);
        }
        world.seconds(140);
        let host = match anew {
            true => world.join(&meet.host, "Host"),
            false => 0,
        };
        world.side(1, 0);
        world.seconds(30);
        assert_eq!(world.names(host), ["Ada"], "{anew}");
        assert_eq!(world.names(1), ["Host"], "{anew}");
        let told = world.nodes[1].told.iter();
        let waits = told.filter(|one| **one == Notice::Waiting(Status::HostNotHere));
        assert!(waits.count() <= 1, "it is said once");
    }
}

#[test]
fn what_is_said_is_read_once_and_in_order() {
    let (mut world, _) = three();
    for text in ["one", "two", "three"] {
        world.command(1, Command::Say(text.into()));
    }
    world.seconds(1);
    for reader in [0, 2] {
        let who = world.who(reader, "Ada");
        let chat = |text: &str| Notice::Chat {
            who,
            text: text.into(),
        };
        let told = &world.nodes[reader].told;
        let said: Vec<&Notice> = told
            .iter()
            .filter(|one| matches!(one, Notice::Chat { .. }))
            .collect();
        assert!(said == [&chat("one"), &chat("two"), &chat("three")]);
    }
}

#[test]
fn who_loses_its_connections_comes_back_as_the_same() {
    let (mut world, _) = three();
    let ada = world.who(2, "Ada");
    for number in 0..5 {
        world.send(1, frame(SOUND, number));
    }
    world.reconnect(1);
    world.seconds(2);
    assert_eq!(world.who(2, "Ada"), ada);
    assert_eq!(world.names(1), ["Bea", "Host"]);
    for number in 5..10 {
        world.send(1, frame(SOUND, number));
    }
    let all: Vec<u64> = (0..10).collect();
    assert_eq!(world.got(2, "Ada", SOUND), all);
}

#[test]
fn the_host_reconnects_and_goes_on() {
    let (mut world, meet) = three();
    world.reconnect(0);
    world.seconds(3);
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(6);
    assert!(world.nodes[cem].inside);
    assert_eq!(world.names(cem), ["Ada", "Bea", "Host"]);
}

#[test]
fn the_co_host_takes_over_and_the_host_takes_the_chair_back() {
    let (mut world, meet) = three();
    let co = world.join(&meet.co_hosts[0], "Cohost");
    world.seconds(6);
    assert!(world.nodes[co].inside);
    world.kill(0);
    world.seconds(30);
    assert!(world.nodes[co].told.contains(&Notice::InTheChair(true)));
    let dan = world.join(&meet.guest, "Dan");
    world.seconds(6);
    assert!(world.nodes[dan].inside, "the co-host admits");
    let again = world.join(&meet.host, "Host");
    world.seconds(40);
    assert!(world.nodes[again].inside);
    assert!(world.nodes[again].told.contains(&Notice::InTheChair(true)));
    let chairs = world.nodes[co].told.iter();
    let mut chairs = chairs.filter(|one| matches!(one, Notice::InTheChair(_)));
    assert!(chairs.next_back() == Some(&Notice::InTheChair(false)));
    assert_eq!(world.names(again), ["Ada", "Bea", "Cohost", "Dan"]);
}

#[test]
fn a_held_back_chair_is_noticed() {
    let (mut world, _) = three();
    world.kill(0);
    world.seconds(18);
    assert!(
        world.nodes[1]
            .told
            .contains(&Notice::Chair(Freshness::Stale))
    );
    assert!(
        !world.nodes[1]
            .told
            .contains(&Notice::Chair(Freshness::Stopped))
    );
    world.seconds(50);
    assert!(
        world.nodes[1]
            .told
            .contains(&Notice::Chair(Freshness::Stopped))
    );
    world.nodes[2].frames.clear();
    world.send(1, frame(SOUND, 0));
    assert!(world.nodes[2].frames.is_empty(), "nothing is sent any more");
}

#[test]
fn two_halves_of_a_split_meeting_become_one() {
    let meet = meet(1);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let co = world.join(&meet.co_hosts[0], "Cohost");
    let ada = world.join(&meet.guest, "Ada");
    let bea = world.join(&meet.guest, "Bea");
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(6);
    assert_eq!(world.names(0), ["Ada", "Bea", "Cem", "Cohost"]);
    for index in [co, ada, cem] {
        world.side(index, 1);
    }
    world.seconds(40);
    assert!(world.nodes[co].told.contains(&Notice::InTheChair(true)));
    // Both halves go on by themselves, and the co-host's removes somebody.
    let who = world.who(co, "Cem");
    world.command(co, Command::Remove(who));
    world.seconds(5);
    assert_eq!(world.nodes[cem].over, Some(Ending::Removed));
    for index in [co, ada] {
        world.side(index, 0);
    }
    world.seconds(60);
    assert_eq!(world.names(0), ["Ada", "Bea", "Cohost"]);
    assert_eq!(world.names(ada), ["Bea", "Cohost", "Host"]);
    world.send(ada, frame(SOUND, 0));
    assert_eq!(world.got(bea, "Ada", SOUND), [0]);
    assert_eq!(world.got(0, "Ada", SOUND), [0]);
}

/// The co-host has only the commit, sent again, and nothing of what was said after it. Then the host is gone.
#[test]
fn who_was_removed_is_known_by_the_commit_alone() {
    let meet = meet(2);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let first = world.join(&meet.co_hosts[0], "First");
    let second = world.join(&meet.co_hosts[1], "Second");
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(6);
    let who = world.who(0, "Ada");
    for index in [first, ada] {
        world.side(index, 1);
    }
    world.passes = Box::new(move |to, parcel| {
        let said = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        to != second || !said
    });
    world.command(0, Command::Remove(who));
    world.seconds(1);
    world.passes = Box::new(|_, _| true);
    world.seconds(10);
    world.kill(0);
    world.seconds(32);
    for index in [first, second] {
        let told = &world.nodes[index].told;
        assert!(told.contains(&Notice::InTheChair(true)), "{index}");
    }
    assert_eq!(world.names(first), ["Ada"]);
    for index in [first, ada] {
        world.side(index, 0);
    }
    world.seconds(30);
    assert_eq!(world.nodes[ada].over, Some(Ending::Removed));
    assert_eq!(world.names(first), ["Second"]);
}

#[test]
fn one_who_missed_a_commit_is_sent_it_again() {
    let (mut world, meet) = three();
    let mut dropped = 0;
    world.passes = Box::new(move |to, parcel| {
        let commit = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        if to == 2 && commit && dropped < 6 {
            dropped += 1;
            return false;
        }
        true
    });
    let cem = world.join(&meet.guest, "Cem");
    world.seconds(20);
    assert!(world.nodes[cem].inside);
    assert_eq!(world.names(2), ["Ada", "Cem", "Host"]);
}

#[test]
fn a_number_that_nobody_has_lets_in_nobody_who_gets_it() {
    let meet = meet(0);
    let mut world = World::new();
    let host = world.join_as(&meet.host, "Host", false, false);
    world.seconds(2);
    for number in 0..10 {
        world.command(host, Command::Admit(number));
    }
    let ada = world.join(&meet.guest, "Ada");
    world.seconds(5);
    assert!(!world.nodes[ada].inside);
    // The door is another one after the host's connection was lost, and numbers go on.
    world.reconnect(host);
    world.seconds(10);
    let told = world.nodes[host].told.iter();
    let numbers: Vec<u32> = told
        .filter_map(|notice| match notice {
            Notice::Knocking { number, .. } => Some(*number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert!(
        world.nodes[host]
            .told
            .contains(&Notice::KnockGone { number: 1 })
    );
    world.command(host, Command::Admit(1));
    world.seconds(2);
    assert!(!world.nodes[ada].inside);
    world.command(host, Command::Admit(2));
    world.seconds(2);
    assert!(world.nodes[ada].inside);
    assert!(
        world.nodes[host]
            .told
            .contains(&Notice::KnockGone { number: 2 })
    );
}

#[test]
fn members_follow_a_co_host_however_long_the_host_is_away() {
    let (mut world, meet) = three();
    let co = world.join(&meet.co_hosts[0], "Cohost");
    world.seconds(6);
    world.kill(0);
    world.seconds(200);
    let dan = world.join(&meet.guest, "Dan");
    world.seconds(6);
    assert!(world.nodes[dan].inside);
    for index in [1, 2, co, dan] {
        let looks = [co, index].map(|one| world.nodes[one].meeting.look().unwrap());
        assert_eq!(looks[0].tag, looks[1].tag, "{index}");
        assert!(
            !world.nodes[index]
                .told
                .contains(&Notice::Chair(Freshness::Stopped))
        );
    }
    assert_eq!(world.names(dan), ["Ada", "Bea", "Cohost"]);
}

/// The chair says in the rooms that are left where the others are. What comes of that an epoch late may lead
/// to rooms that somebody knows who was removed since.
#[test]
fn where_the_others_were_an_epoch_ago_leads_nobody_back() {
    let old = || Passed::from(&LinkSecret::from_bytes([9; 32]));
    let at = Said::At {
        main: old(),
        link: old(),
    };
    let at = postcard::to_allocvec(&at).unwrap();
    for late in [false, true] {
        let (mut world, _) = three();
        let Place::Inside(host) = &mut world.nodes[0].meeting.place else {
            panic!("the host is inside");
        };
        let sealed = host.group.say(&at).unwrap();
        if late {
            let who = world.who(0, "Bea");
            world.command(0, Command::Remove(who));
            world.seconds(1);
        }
        let stay = world.nodes[1].main.unwrap();
        let before = world.nodes[1].meeting.lobby().cloned();
        let ada: &mut Meeting = &mut world.nodes[1].meeting;
        let Place::Inside(inside) = &mut ada.place else {
            panic!("Ada is inside");
        };
        inside.heard(stay, ParticipantId(0), Plain::Mls(sealed), &mut ada.core);
        assert_eq!(world.nodes[1].meeting.lobby() == before.as_ref(), late);
    }
}
