//! The chair and one who knocks compare two words.

use std::cell::Cell;
use std::rc::Rc;

use super::super::Place;
use super::super::comparing::context;
use super::world::{Parcel, World};
use super::*;
use crate::meeting::events::{Input, NoWords, Rejection};
use crate::meeting::verify::{Language, SasMessage, SasWords};
use crate::wire::FromRelay;

const HOST: usize = 0;
const ADA: usize = 1;

/// A host, and Ada, who waits as number 1.
fn at_the_door() -> (World, Meet) {
    let meet = meet(1);
    let mut world = World::new();
    world.join_as(&meet.host, "Host", false, false);
    world.seconds(1);
    world.join(&meet.guest, "Ada");
    world.seconds(1);
    assert_eq!(knocks(&world, HOST), [1]);
    (world, meet)
}

/// The numbers of those who knocked.
fn knocks(world: &World, index: usize) -> Vec<u32> {
    let told = world.nodes[index].told.iter();
    let numbers = told.filter_map(|notice| match notice {
        Notice::Knocking { number, .. } => Some(*number),
        _ => None,
    });
    numbers.collect()
}

/// All words that a screen showed, and for whom.
fn shown(world: &World, index: usize) -> Vec<(Option<u32>, SasWords)> {
    let told = world.nodes[index].told.iter();
    let words = told.filter_map(|notice| match notice {
        Notice::Compare { number, words } => Some((*number, *words)),
        _ => None,
    });
    words.collect()
}

/// The two words that a screen showed last.
fn words(world: &World, index: usize) -> [&'static str; 2] {
    let (_, words) = *shown(world, index).last().expect("words");
    words.words(Language::English)
}

fn no_words(world: &World, index: usize) -> Vec<(Option<u32>, NoWords)> {
    let told = world.nodes[index].told.iter();
    let whys = told.filter_map(|notice| match notice {
        Notice::NoWords { number, why } => Some((*number, *why)),
        _ => None,
    });
    whys.collect()
}

fn refused(world: &World, index: usize, why: Rejection) -> u64 {
    world.nodes[index].meeting.rejections()[why as usize]
}

/// A knocker of its own making says this.
fn knocker_says(world: &mut World, index: usize, bytes: &[u8]) {
    let Place::Outside(outside) = &mut world.nodes[index].meeting.place else {
        panic!("{index} is outside");
    };
    assert!(outside.knocker.sas(bytes));
    world.tell(index, Input::Tick);
    world.settle();
}

/// A chair of its own making says this to number 1.
fn chair_says(world: &mut World, bytes: &[u8]) {
    let Place::Inside(inside) = &mut world.nodes[HOST].meeting.place else {
        panic!("the host is inside");
    };
    let ruling = inside.ruling.as_mut().expect("the chair");
    let lobby = ruling.lobby.expect("a lobby");
    assert!(ruling.doors.get_mut(&lobby).expect("a door").sas(1, bytes));
    world.tell(HOST, Input::Tick);
    world.settle();
}

/// From now on as many messages to that participant are lost as the cell says.
fn loses(world: &mut World, index: usize) -> Rc<Cell<u32>> {
    let left = Rc::new(Cell::new(0));
    let count = left.clone();
    world.passes = Box::new(move |to, parcel| {
        let message = matches!(parcel, Parcel::Control(FromRelay::Message { .. }));
        let lost = to == index && message && count.get() > 0;
        count.set(count.get() - u32::from(lost));
        !lost
    });
    left
}

#[test]
fn both_see_the_same_words_and_then_she_is_admitted() {
    let (mut world, _) = at_the_door();
    world.command(HOST, Command::Same(1));
    assert_eq!(no_words(&world, HOST), [(Some(1), NoWords::NotYet)]);
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    assert_eq!(words(&world, HOST), words(&world, ADA));
    assert!(matches!(shown(&world, HOST)[..], [(Some(1), _)]));
    assert!(matches!(shown(&world, ADA)[..], [(None, _)]));
    let compared = Notice::Compared { number: 1 };
    assert!(!world.nodes[HOST].told.contains(&compared));
    world.command(HOST, Command::Same(1));
    assert!(world.nodes[HOST].told.contains(&compared));
    assert!(!world.nodes[ADA].inside, "that is not to admit her");
    world.command(HOST, Command::Admit(1));
    world.seconds(2);
    assert!(world.nodes[ADA].inside);
}

#[test]
fn who_has_other_words_is_denied_at_once() {
    let (mut world, _) = at_the_door();
    world.command(HOST, Command::Different(1));
    world.seconds(1);
    assert_eq!(world.nodes[ADA].over, None, "there were no words yet");
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    world.command(HOST, Command::Different(1));
    assert_eq!(world.nodes[ADA].over, Some(Ending::Denied));
    let gone = Notice::KnockGone { number: 1 };
    assert!(world.nodes[HOST].told.contains(&gone));
    world.command(HOST, Command::Admit(1));
    world.seconds(2);
    assert!(!world.nodes[ADA].inside);
}

#[test]
fn the_words_are_about_this_meeting_this_lobby_and_this_key_package() {
    let (world, meet) = at_the_door();
    let theirs = another_meet(0, 66);
    let other = Meeting::new(theirs.guest.clone(), presence("Ada"), false, false, [1; 32]);
    let (host, ada) = (
        &world.nodes[HOST].meeting.core,
        &world.nodes[ADA].meeting.core,
    );
    let (lobby, another) = (&meet.guest.meeting().secret, &theirs.guest.meeting().secret);
    let about = context(host, lobby, b"key package");
    assert!(about == context(ada, lobby, b"key package"));
    assert!(about != context(ada, lobby, b"another"));
    assert!(about != context(ada, another, b"key package"));
    assert!(about != context(&other.core, lobby, b"key package"));
}

#[test]
fn only_the_chair_begins() {
    let (mut world, meet) = at_the_door();
    world.command(HOST, Command::Admit(1));
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(2);
    assert!(world.nodes[ADA].inside);
    for command in [Command::Compare(2), Command::Same(2), Command::Different(2)] {
        let before = refused(&world, ADA, Rejection::NotAllowed);
        world.command(ADA, command.clone());
        assert_eq!(refused(&world, ADA, Rejection::NotAllowed), before + 1);
        let before = refused(&world, bea, Rejection::NotAllowed);
        world.command(bea, command);
        assert_eq!(refused(&world, bea, Rejection::NotAllowed), before + 1);
    }
    world.command(HOST, Command::Compare(7));
    assert_eq!(refused(&world, HOST, Rejection::UnknownSender), 1);
    world.seconds(2);
    for index in [HOST, ADA, bea] {
        assert!(shown(&world, index).is_empty());
    }
    assert_eq!(world.nodes[bea].over, None);
}

#[test]
fn somebody_between_them_shows_each_other_words() {
    // Ada was given a link to a meeting of the one between, who knocks in her name.
    let (mut world, _) = at_the_door();
    let theirs = another_meet(0, 66);
    let mole = world.join_as(&theirs.host, "Host", false, false);
    world.seconds(1);
    let ada = world.join(&theirs.guest, "Ada");
    world.seconds(1);
    world.command(mole, Command::Compare(1));
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    assert_eq!(words(&world, ada), words(&world, mole));
    assert_ne!(words(&world, ada), words(&world, HOST));
    // What the one between has taken on one side counts for nothing on the other.
    world.command(HOST, Command::Different(1));
    assert_eq!(world.nodes[ADA].over, Some(Ending::Denied));
}

#[test]
fn a_co_host_that_takes_over_begins_anew() {
    let (mut world, meet) = at_the_door();
    let co = world.join_as(&meet.co_hosts[0], "Cohost", false, false);
    world.seconds(2);
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    let before = words(&world, ADA);
    world.kill(HOST);
    world.seconds(40);
    assert!(world.nodes[co].told.contains(&Notice::InTheChair(true)));
    assert_eq!(no_words(&world, ADA), [(None, NoWords::Elsewhere)]);
    let number = *knocks(&world, co).last().expect("she knocks there");
    world.command(co, Command::Same(number));
    assert_eq!(no_words(&world, co), [(Some(number), NoWords::NotYet)]);
    world.command(co, Command::Compare(number));
    world.seconds(1);
    assert_eq!(words(&world, co), words(&world, ADA));
    assert_ne!(words(&world, ADA), before);
    world.command(co, Command::Same(number));
    world.command(co, Command::Admit(number));
    world.seconds(2);
    assert!(world.nodes[ADA].inside);
}

/// Ada at the door, and Bea inside, to be removed.
fn with_somebody_to_remove() -> (World, Meet) {
    let (mut world, meet) = at_the_door();
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(1);
    world.command(HOST, Command::Admit(2));
    world.seconds(2);
    assert!(world.nodes[bea].inside);
    (world, meet)
}

fn remove_bea(world: &mut World) {
    let who = world.who(HOST, "Bea");
    world.command(HOST, Command::Remove(who));
    world.seconds(6);
}

fn compared(world: &World) -> Vec<u32> {
    let told = world.nodes[HOST].told.iter();
    let numbers = told.filter_map(|notice| match notice {
        Notice::Compared { number } => Some(*number),
        _ => None,
    });
    numbers.collect()
}

#[test]
fn a_new_lobby_ends_what_is_under_way() {
    let (mut world, _) = with_somebody_to_remove();
    let lost = loses(&mut world, HOST);
    // Her nonce.
    lost.set(1);
    world.command(HOST, Command::Compare(1));
    remove_bea(&mut world);
    let number = *knocks(&world, HOST).last().unwrap();
    assert_ne!(number, 1);
    world.command(HOST, Command::Same(number));
    assert!(compared(&world).is_empty());
    world.command(HOST, Command::Compare(number));
    world.seconds(1);
    assert_eq!(words(&world, HOST), words(&world, ADA));
}

#[test]
fn words_that_are_shown_can_be_judged_after_a_removal() {
    let (mut world, _) = with_somebody_to_remove();
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    remove_bea(&mut world);
    assert_eq!(no_words(&world, ADA), []);
    let number = *knocks(&world, HOST).last().unwrap();
    world.command(HOST, Command::Same(1));
    assert!(compared(&world).is_empty(), "nobody has that number");
    world.command(HOST, Command::Same(number));
    assert_eq!(compared(&world), [number]);
    // Nor are there more tries for it.
    for left in [true, true, false] {
        let before = shown(&world, HOST).len();
        world.command(HOST, Command::Compare(number));
        world.seconds(1);
        assert_eq!(shown(&world, HOST).len() > before, left);
    }
    assert_eq!(words(&world, HOST), words(&world, ADA));
}

#[test]
fn that_the_words_are_the_same_outlasts_a_removal() {
    let (mut world, _) = with_somebody_to_remove();
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    world.command(HOST, Command::Same(1));
    remove_bea(&mut world);
    let number = *knocks(&world, HOST).last().unwrap();
    assert_ne!(number, 1);
    assert_eq!(compared(&world), [1, number]);
    assert_eq!(no_words(&world, ADA), []);
    // It is hers alone: not of one who has her name, nor of her when she comes anew.
    let link = world.nodes[HOST]
        .told
        .iter()
        .rev()
        .find_map(|notice| match notice {
            Notice::Link(link) => Link::parse(link).ok(),
            _ => None,
        });
    world.join(&link.expect("the new link"), "Ada");
    world.reconnect(ADA);
    world.seconds(3);
    assert_eq!(compared(&world), [1, number]);
    assert_eq!(no_words(&world, ADA), [(None, NoWords::Elsewhere)]);
}

#[test]
fn a_knocker_that_connects_anew_is_another_number() {
    let (mut world, _) = at_the_door();
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    world.command(HOST, Command::Same(1));
    world.reconnect(ADA);
    world.seconds(3);
    assert_eq!(no_words(&world, ADA), [(None, NoWords::Elsewhere)]);
    assert_eq!(knocks(&world, HOST), [1, 2]);
    world.command(HOST, Command::Same(2));
    assert_eq!(no_words(&world, HOST), [(Some(2), NoWords::NotYet)]);
}

#[test]
fn what_is_lost_is_waited_for_and_no_longer_than_that() {
    let (mut world, _) = at_the_door();
    // The commitment.
    let lost = loses(&mut world, ADA);
    lost.set(1);
    world.command(HOST, Command::Compare(1));
    world.command(HOST, Command::Compare(1));
    assert_eq!(lost.get(), 0);
    assert_eq!(no_words(&world, HOST), [(Some(1), NoWords::NotYet)]);
    world.seconds(59);
    assert_eq!(no_words(&world, HOST).len(), 1);
    world.seconds(2);
    assert_eq!(no_words(&world, HOST)[1..], [(Some(1), NoWords::NoAnswer)]);
    // The answer.
    let lost = loses(&mut world, HOST);
    lost.set(1);
    world.command(HOST, Command::Compare(1));
    assert_eq!(lost.get(), 0);
    world.seconds(31);
    assert_eq!(no_words(&world, ADA), [(None, NoWords::NoAnswer)]);
    world.seconds(30);
    assert_eq!(no_words(&world, HOST)[2..], [(Some(1), NoWords::NoAnswer)]);
    assert!(shown(&world, HOST).is_empty() && shown(&world, ADA).is_empty());
    // The third and last try, by the host's count.
    world.command(HOST, Command::Compare(1));
    world.seconds(1);
    assert_eq!(words(&world, HOST), words(&world, ADA));
    assert_eq!(shown(&world, HOST)[0].1.attempt(), 3);
    assert_eq!(shown(&world, ADA)[0].1.attempt(), 2);
    world.command(HOST, Command::Compare(1));
    assert_eq!(no_words(&world, HOST)[3..], [(Some(1), NoWords::UsedUp)]);
    world.command(HOST, Command::Same(1));
    let compared = Notice::Compared { number: 1 };
    assert!(world.nodes[HOST].told.contains(&compared), "they are shown");
}

#[test]
fn a_flood_of_answers_is_counted_and_stops_nobody() {
    let (mut world, meet) = at_the_door();
    let due = SasMessage::KnockerNonce([1; 32]).to_bytes();
    let long = [&due[..], &[0]].concat();
    let others = [
        SasMessage::HostNonce([1; 32]).to_bytes(),
        SasMessage::Commit([1; 32]).to_bytes(),
        Vec::new(),
        vec![0xff; 512],
    ];
    for number in 0..300 {
        let bytes = others.iter().chain([&due, &long]).nth(number % 6);
        knocker_says(&mut world, ADA, bytes.unwrap());
    }
    world.seconds(30);
    assert_eq!(refused(&world, HOST, Rejection::Unexpected), 300);
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(2);
    world.command(HOST, Command::Compare(2));
    world.command(HOST, Command::Admit(2));
    world.seconds(2);
    assert!(world.nodes[bea].inside);
    assert_eq!(words(&world, HOST), words(&world, bea));
    // While one is due, whatever else comes ends the try.
    for (number, (bytes, why)) in [
        (&others[0], Rejection::Unexpected),
        (&others[2], Rejection::Malformed),
        (&long, Rejection::Malformed),
    ]
    .into_iter()
    .enumerate()
    {
        // Her own answer comes too late.
        let lost = loses(&mut world, ADA);
        lost.set(1);
        world.command(HOST, Command::Compare(1));
        let before = refused(&world, HOST, why);
        knocker_says(&mut world, ADA, bytes);
        assert_eq!(refused(&world, HOST, why), before + 1);
        knocker_says(&mut world, ADA, &due);
        let ends = no_words(&world, HOST);
        assert_eq!(ends.len(), number + 1);
        assert_eq!(ends[number], (Some(1), NoWords::Disorder));
    }
    assert_eq!(shown(&world, HOST).len(), 1, "no words with Ada");
}

#[test]
fn what_comes_after_the_words_changes_nothing() {
    let (mut world, _) = at_the_door();
    world.command(HOST, Command::Compare(1));
    knocker_says(
        &mut world,
        ADA,
        &SasMessage::KnockerNonce([1; 32]).to_bytes(),
    );
    chair_says(&mut world, &SasMessage::HostNonce([1; 32]).to_bytes());
    chair_says(&mut world, b"");
    assert_eq!(refused(&world, HOST, Rejection::Unexpected), 1);
    assert_eq!(refused(&world, ADA, Rejection::Unexpected), 1);
    assert_eq!(refused(&world, ADA, Rejection::Malformed), 1);
    assert!(no_words(&world, HOST).is_empty() && no_words(&world, ADA).is_empty());
    world.command(HOST, Command::Same(1));
    assert!(
        world.nodes[HOST]
            .told
            .contains(&Notice::Compared { number: 1 })
    );
}

#[test]
fn a_knocker_answers_three_times_and_one_at_a_time() {
    let (mut world, _) = at_the_door();
    let commit = SasMessage::Commit([9; 32]).to_bytes();
    chair_says(&mut world, &SasMessage::HostNonce([1; 32]).to_bytes());
    assert!(no_words(&world, ADA).is_empty(), "nothing was under way");
    // A second one ends the first; a nonce that was not committed to ends the third.
    chair_says(&mut world, &commit);
    chair_says(&mut world, &commit);
    chair_says(&mut world, &commit);
    chair_says(&mut world, &SasMessage::HostNonce([1; 32]).to_bytes());
    assert_eq!(refused(&world, ADA, Rejection::BadProof), 1);
    chair_says(&mut world, &commit);
    world.seconds(31);
    let ends = no_words(&world, ADA);
    let whys = [NoWords::Disorder, NoWords::Broken, NoWords::NoAnswer];
    assert_eq!(ends, whys.map(|why| (None, why)));
    // Each answer came at a chair that had asked for none.
    assert_eq!(refused(&world, HOST, Rejection::Unexpected), 3);
    for _ in 0..10 {
        chair_says(&mut world, &commit);
    }
    assert_eq!(refused(&world, HOST, Rejection::Unexpected), 3);
    assert_eq!(no_words(&world, ADA)[3..], [(None, NoWords::UsedUp)]);
    assert_eq!(refused(&world, ADA, Rejection::NotAllowed), 1);
    assert_eq!(refused(&world, ADA, Rejection::Unexpected), 11);
    // Nor when it knocks again by the same link.
    world.reconnect(ADA);
    world.seconds(3);
    world.command(HOST, Command::Compare(2));
    world.seconds(1);
    assert!(shown(&world, HOST).is_empty() && shown(&world, ADA).is_empty());
    world.command(HOST, Command::Admit(2));
    world.seconds(2);
    assert!(world.nodes[ADA].inside, "that is for the host to decide");
}
