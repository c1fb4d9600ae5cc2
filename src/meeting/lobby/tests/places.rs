//! More knock than there are places.

use super::super::limits::{SHOWN, WAITING};
use super::*;

/// A full lobby whose guests have been there for longer than anybody keeps a place for sure.
fn full() -> Lobby {
    let mut lobby = Lobby::with(&[]);
    let (meeting, ..) = links(1);
    for place in 0..WAITING {
        lobby.guest(&meeting, knock(&format!("flood {place}")));
    }
    lobby.run(SHOWN + seconds(10));
    assert_eq!(lobby.numbers().len(), WAITING);
    lobby
}

fn waits(lobby: &mut Lobby, name: &str) -> bool {
    lobby.porter().waiting().any(|waiting| waiting.name == name)
}

#[test]
fn who_comes_to_a_full_lobby_is_given_the_place_of_another() {
    let mut lobby = full();
    let (meeting, ..) = links(1);
    let before = lobby.numbers();
    let ana = lobby.guest(&meeting, knock("Ana"));
    while !waits(&mut lobby, "Ana") {
        assert!(lobby.now < seconds(1032), "at once");
        lobby.run(Duration::from_millis(50));
    }
    lobby.collect();
    assert_eq!(lobby.status(ana), Status::Waiting);
    let after = lobby.numbers();
    let gone: Vec<u32> = before.into_iter().filter(|n| !after.contains(n)).collect();
    let [gone] = gone[..] else {
        panic!("one has gone: {gone:?}");
    };
    let told = |event: &PorterOutput| matches!(event, PorterOutput::Withdrawn(n) if *n == gone);
    assert!(lobby.events.iter().any(told), "the chair is told");
    let told_waiting = |guest: &Guest| guest.told.statuses.last() == Some(&Status::Waiting);
    assert!(lobby.guests.iter().all(told_waiting), "nobody else is");
    // It finds out by itself, and knocks again.
    for _ in 0..18 {
        lobby.run(seconds(1));
        assert!(waits(&mut lobby, "Ana"), "she is not gone yet");
        assert!(lobby.numbers().len() <= WAITING);
    }
    assert!(lobby.numbers().last() > after.last());
}

/// With many more connections than there are places, each of which knocks whenever it can.
#[test]
fn a_flood_holds_no_place_for_long_and_an_honest_one_holds_it_for_a_while() {
    let mut lobby = full();
    let (meeting, ..) = links(1);
    for place in 0..2 * WAITING {
        lobby.guest(&meeting, knock(&format!("more {place}")));
    }
    lobby.run(seconds(30));
    lobby.guest(&meeting, knock("Ana"));
    let (mut came, mut stayed) = (0, 0);
    for _ in 0..3 * 60 {
        lobby.run(seconds(1));
        match waits(&mut lobby, "Ana") {
            true => stayed += 1,
            false if stayed == 0 => came += 1,
            false => break,
        }
    }
    assert!(came <= 60, "shown within a minute");
    assert!(Duration::from_secs(stayed + 1) >= SHOWN);
}

#[test]
fn those_with_whom_the_person_is_busy_keep_their_places() {
    let mut lobby = full();
    let (meeting, ..) = links(1);
    let mut spared = lobby.numbers();
    let goes = spared.remove(7);
    lobby.porter().spare(spared.clone());
    lobby.guest(&meeting, knock("Ana"));
    lobby.guest(&meeting, knock("Bea"));
    lobby.run(seconds(1));
    assert!(!lobby.numbers().contains(&goes));
    assert!(spared.iter().all(|one| lobby.numbers().contains(one)));
    let there = ["Ana", "Bea"].map(|name| waits(&mut lobby, name));
    assert!(there[0] != there[1], "one place was to be had");
}

/// A place is of a connection: it does not last longer by knocking under one name after another.
#[test]
fn a_new_name_makes_no_place_last() {
    let mut lobby = full();
    let since: Vec<Duration> = lobby.porter().waiting.iter().map(|one| one.since).collect();
    let id = lobby.guests[5].id;
    let (meeting, ..) = links(1);
    let mut other = knock("flood 5");
    other.key_package.push(0);
    let mut knocker = Knocker::new(&meeting, other, [99; 32]).unwrap();
    // Its attempts go on from those before.
    for _ in 0..3 {
        knocker.enter(lobby.now, id);
        while let Some(KnockerOutput::Post { to, body }) = knocker.poll() {
            lobby.deliver((id, to, body));
        }
        lobby.guests[5].knocker = knocker;
        lobby.run(Duration::from_millis(200));
        knocker = std::mem::replace(
            &mut lobby.guests[5].knocker,
            Knocker::new(&meeting, knock("flood 5"), [98; 32]).unwrap(),
        );
    }
    let of = |lobby: &mut Lobby| {
        let mut waiting = lobby.porter().waiting.iter();
        waiting
            .find(|one| one.participant == id)
            .map(|one| (one.number, one.since))
    };
    let (number, at) = of(&mut lobby).unwrap();
    assert!(number > WAITING as u32, "it knocked as another");
    assert!(since.contains(&at), "and has its place since it came");
}
