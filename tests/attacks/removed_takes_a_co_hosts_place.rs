//! A co-host was removed and still has its link: it comes back through the committers' room, commits,
//! beats as if it were next in line, or tells the chair whom else to put out.

use sottovoce::meeting::chair::{Claim, Runs};
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::{Command, Ending, Notice, Rejection};
use sottovoce::wire::{FromRelay, To};

use crate::own::{Plain, Told, derive, room};
use crate::rogue::Line;
use crate::scene::{Meet, all_is_well, meet, refused};
use crate::world::{Parcel, World};

/// A host, two co-hosts and Ada; the first co-host is removed.
pub fn removed() -> (World, Meet) {
    let meet = meet(2);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let first = world.join(&meet.co_hosts[0], "First");
    world.join(&meet.co_hosts[1], "Second");
    world.join(&meet.guest, "Ada");
    world.seconds(6);
    let who = world.who(0, "First");
    world.command(0, Command::Remove(who));
    world.seconds(5);
    assert_eq!(world.nodes[first].over, Some(Ending::Removed));
    all_is_well(&mut world, &[0, 2, 3]);
    (world, meet)
}

fn in_committers_room(world: &mut World, meet: &Meet) -> Line {
    let secret = derive(&meet.way_back(), "committers' room", &[]);
    Line::new(world, secret)
}

#[test]
fn its_link_does_not_let_it_in_again() {
    let (mut world, meet) = removed();
    let again = world.join(&meet.co_hosts[0], "First");
    world.seconds(15);
    assert!(!world.nodes[again].inside);
    assert_eq!(world.roster(0), ["Host", "Second", "Ada"]);
    // Nor when the other co-host holds the chair.
    world.kill(0);
    world.seconds(35);
    assert!(world.nodes[2].told.contains(&Notice::InTheChair(true)));
    let again = world.join(&meet.co_hosts[0], "First");
    world.seconds(15);
    assert!(!world.nodes[again].inside);
    assert!(!world.roster(2).contains(&"First".to_owned()));
}

/// The host that removed it starts anew and remembers nothing; whoever ruled meanwhile may not remove that
/// co-host by itself, and passes on what the host signed.
#[test]
fn its_link_does_not_let_it_in_when_the_host_has_started_anew() {
    for delay in [0, 2, 20] {
        let (mut world, meet) = removed();
        world.kill(0);
        world.seconds(35);
        assert!(world.nodes[2].told.contains(&Notice::InTheChair(true)));
        let host = world.join(&meet.host, "Host");
        world.seconds(delay);
        let again = world.join(&meet.co_hosts[0], "First");
        world.seconds(20);
        assert!(world.nodes[host].told.contains(&Notice::InTheChair(true)));
        assert!(!world.nodes[again].inside, "after {delay} s");
        assert_eq!(world.roster(host), ["Host", "Second", "Ada"]);
        all_is_well(&mut world, &[host, 2, 3]);
    }
}

#[test]
fn its_beats_keep_nobody_from_taking_over() {
    let (mut world, meet) = removed();
    let mut line = in_committers_room(&mut world, &meet);
    let key = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    world.kill(0);
    for count in 1..60 {
        let claim = Claim {
            run: [0; 16],
            rank: 1,
            seq: count / 5,
            count,
            epoch: 1 << 30,
            tag: [1; 32],
            roster: [1; 32],
            locked: false,
            removed: 0,
            before: [0; 32],
        };
        let beat = claim.sign(|bytes| key.sign(bytes));
        line.post(&mut world, To::Everyone, &Plain::Beat(beat));
        world.seconds(1);
    }
    assert!(
        world.nodes[2].told.contains(&Notice::InTheChair(true)),
        "the second one"
    );
    all_is_well(&mut world, &[2, 3]);
}

#[test]
fn it_cannot_have_others_put_out() {
    let (mut world, meet) = removed();
    let mut line = in_committers_room(&mut world, &meet);
    world.seconds(6);
    // The process that holds the chair says its run in each beat, which all committers can read.
    let mut runs = Vec::new();
    while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
        if let Some(Plain::Beat(beat)) = line.envelope.open(from, &body) {
            runs.extend(beat.open(|_, _, _| true).map(|claim| claim.run));
        }
    }
    let run = *runs.last().expect("the chair beats");
    let me = line.id(&world).0;
    let mut outcasts = Runs::default();
    outcasts.add([1; 16]);
    // Signed well by one who was removed; badly for one who was not.
    let key = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    for rank in [1, 2] {
        let bytes = outcasts.signed_bytes(rank, me, &run);
        let told = Told::new(outcasts.clone(), rank, &key, &bytes);
        let before = refused(&world, 0, Rejection::NotAuthentic);
        line.post(&mut world, To::Everyone, &Plain::Outcasts(told));
        assert_eq!(refused(&world, 0, Rejection::NotAuthentic), before + 1);
    }
    world.seconds(3);
    while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
        let said = line.envelope.open(from, &body);
        assert!(
            !matches!(said, Some(Plain::Here { .. })),
            "it is not told where the meeting is"
        );
    }
    all_is_well(&mut world, &[0, 2, 3]);
}

/// The other co-host held the chair of another part of the meeting, and has to yield. The relay keeps it
/// from the chair; who was removed answers in the chair's place.
#[test]
fn it_cannot_lead_another_part_of_the_meeting_away() {
    let (mut world, meet) = removed();
    world.side(2, 1);
    world.side(3, 1);
    world.join(&meet.guest, "Bea");
    world.seconds(40);
    assert!(world.nodes[2].told.contains(&Notice::InTheChair(true)));
    let who = world.who(2, "Ada");
    world.command(2, Command::Remove(who));
    world.seconds(3);
    world.side(2, 0);
    let committers = room(&derive(&meet.way_back(), "committers' room", &[]));
    let stay = world.stay(2, committers).expect("in the committers' room");
    let second = world.id((2, stay));
    world.passes = Box::new(move |to, _, parcel| {
        let of_second =
            matches!(parcel, Parcel::Control(FromRelay::Message { from, .. }) if *from == second);
        to != 0 || !of_second
    });
    let mut line = in_committers_room(&mut world, &meet);
    let me = line.id(&world);
    let mut heard = None;
    for _ in 0..20 {
        world.seconds(1);
        while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
            if let Some(Plain::Outcasts(told)) = line.envelope.open(from, &body) {
                heard = Some(told.outcasts);
            }
        }
        if heard.is_some() {
            break;
        }
    }
    let outcasts = heard.expect("it says whom it removed");
    let main = [9; 32];
    // Its own rank, its own key for the host's rank, and the host's, which it does not have.
    for (rank, seed, follows) in [(1, 1, false), (0, 1, false), (0, 0, true)] {
        let key = SigningKey::from_seed(&derive(&meet.seed(seed), "committer sign", &[]));
        let bytes = outcasts.answer_bytes(rank, me.0, second.0, &main);
        let told = Told::new(outcasts.clone(), rank, &key, &bytes);
        line.post(&mut world, To::Everyone, &Plain::Here { main, told });
        assert_eq!(world.stay(2, room(&main)).is_some(), follows);
    }
}
