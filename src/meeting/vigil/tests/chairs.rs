//! Epochs and chairs change, and nobody who watches notices.

use super::*;

#[test]
fn a_new_epoch_costs_nobody_a_frame() {
    let mut scene = Scene::new(0);
    let viewer = scene.viewer;
    let before = scene.card().2.claim.epoch;
    for name in ["Bea", "Cem", "Dan"] {
        scene.world.join(&scene.meet.guest, name);
        scene.speak(ADA, 100);
    }
    scene.world.seconds(1);
    assert!(scene.card().2.claim.epoch >= before + 3);
    let all: Vec<u64> = (0..300).collect();
    assert_eq!(scene.world.got(viewer, "Ada", SOUND), all);
    assert_eq!(scene.world.got(viewer, "Ada", PICTURE), all);
    assert_eq!(
        scene.world.names(viewer),
        ["Ada", "Bea", "Cem", "Dan", "Host"]
    );
}

/// The card comes later than what is sealed under its key, of which a picture may be of any size.
#[test]
fn media_may_overtake_the_card() {
    let mut scene = Scene::new(0);
    let viewer = scene.viewer;
    scene.speak(ADA, 5);
    let late: Came = Came::default();
    let hold = Rc::clone(&late);
    let (host, _) = scene.place("Host");
    scene.record(move |parcel| match parcel {
        Parcel::GroupFrame(from, PAPERS, group, bytes) if *from == host => {
            let shot = (*from, PAPERS, Some(*group), bytes.clone());
            hold.borrow_mut().push(shot);
            false
        }
        _ => true,
    });
    scene.world.join(&scene.meet.guest, "Bea");
    scene.speak(ADA, 25);
    // The largest group that a relay takes: a key frame of the largest size, and what follows.
    for (number, size) in [
        (30, 4 << 20),
        (31, 3 << 20),
        (32, 500 << 10),
        (33, 300 << 10),
    ] {
        let large = Frame {
            payload: vec![number as u8; size - 100].into(),
            ..frame(PICTURE, number)
        };
        scene.world.send(ADA, large);
    }
    scene.world.run(Duration::from_millis(700));
    scene.record(|_| true);
    let held = std::mem::take(&mut *late.borrow_mut());
    assert!(!held.is_empty());
    assert_eq!(
        scene.world.got(viewer, "Ada", PICTURE),
        (0..5).collect::<Vec<_>>()
    );
    for (from, track, group, bytes) in held {
        scene.give(from, group, track, bytes);
    }
    scene.world.seconds(1);
    let got = scene.world.got(viewer, "Ada", SOUND);
    assert_eq!(got, (0..30).collect::<Vec<_>>());
    let got = scene.world.got(viewer, "Ada", PICTURE);
    assert_eq!(got, (0..34).collect::<Vec<_>>());
}

#[test]
fn when_a_co_host_takes_over_everybody_is_seen_as_before() {
    let mut scene = Scene::new(1);
    let viewer = scene.viewer;
    let co_host = scene.meet.co_hosts[0].clone();
    scene.world.join(&co_host, "Co");
    scene.world.seconds(3);
    scene.world.kill(HOST);
    for _ in 0..35 {
        scene.speak(ADA, 50);
    }
    assert_eq!(scene.card().2.claim.rank, 1);
    let bea = scene.world.join(&scene.meet.guest, "Bea");
    scene.speak(ADA, 150);
    scene.world.seconds(1);
    assert!(scene.world.nodes[bea].inside);
    assert_eq!(scene.world.names(viewer), ["Ada", "Bea", "Co"]);
    let all: Vec<u64> = (0..1900).collect();
    assert_eq!(scene.world.got(viewer, "Ada", SOUND), all);
    assert_eq!(scene.world.got(viewer, "Ada", PICTURE), all);
    let stopped = Notice::Chair(Freshness::Stopped);
    assert!(!scene.told(viewer, &stopped));
}

/// Both halves go on by themselves; the one that is watched is the one that yields, and its epochs are
/// counted anew on the other's line.
#[test]
fn two_halves_of_a_split_vigil_become_one() {
    let mut scene = Scene::new(1);
    let viewer = scene.viewer;
    let co_host = scene.meet.co_hosts[0].clone();
    let co = scene.world.join(&co_host, "Co");
    let bea = scene.world.join(&scene.meet.guest, "Bea");
    scene.world.seconds(5);
    for (index, frames) in [(ADA, 30), (bea, 30)] {
        scene.speak(index, frames);
    }
    for index in [ADA, viewer, co] {
        scene.world.side(index, 1);
    }
    scene.world.seconds(40);
    assert_eq!(scene.card().2.claim.rank, 1);
    assert_eq!(scene.world.names(viewer), ["Ada", "Co"]);
    for name in ["Cem", "Dan", "Eve"] {
        let index = scene.world.join(&scene.meet.guest, name);
        scene.world.side(index, 1);
        scene.world.seconds(6);
    }
    let apart = scene.card().2.claim.epoch;
    for index in [ADA, viewer, co] {
        scene.world.side(index, 0);
    }
    scene.world.seconds(3);
    let together = scene.card().2.claim;
    assert!(together.rank == 0 && together.epoch < apart);
    scene.speak(bea, 50);
    scene.world.seconds(60);
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.world.names(viewer), ["Ada", "Bea", "Co", "Host"]);
    let heard = |from, numbers: std::ops::Range<u64>| {
        let got = scene.world.got(viewer, from, SOUND);
        got[got.len() - 50..].iter().copied().eq(numbers)
    };
    assert!(heard("Bea", 60..110) && heard("Ada", 110..160));
    let told = scene.world.nodes[viewer].told.iter();
    let reports: Vec<_> = told
        .filter_map(|notice| match notice {
            Notice::Signatures { who, report } => Some((*who, *report)),
            _ => None,
        })
        .collect();
    assert_eq!(reports, [], "{:?}", scene.world.nodes[viewer].people);
}

/// A removed co-host has its key still, and so has the link.
#[test]
fn the_card_of_a_removed_co_host_counts_for_nothing() {
    let mut scene = Scene::new(1);
    let viewer = scene.viewer;
    let co_host = scene.meet.co_hosts[0].clone();
    scene.world.join(&co_host, "Co");
    scene.world.seconds(3);
    let who = scene.world.who(HOST, "Co");
    scene.world.command(HOST, Command::Remove(who));
    scene.world.seconds(2);
    assert_eq!(scene.world.names(viewer), ["Ada", "Host"]);
    // It founds a vigil of its own in the same rooms, once the host is gone.
    let mut own = World::new();
    own.now = scene.world.now;
    own.join(&scene.meet.host, "Puppet");
    own.seconds(1);
    own.join(&co_host, "Co");
    own.seconds(3);
    own.kill(0);
    let other = own.watch(&scene.meet.guest);
    let papers = Came::default();
    let heard = Rc::clone(&papers);
    own.passes = Box::new(move |to, parcel| {
        if let (true, Parcel::GroupFrame(from, PAPERS, group, bytes)) = (to == other, parcel) {
            let shot = (*from, PAPERS, Some(*group), bytes.clone());
            heard.borrow_mut().push(shot);
        }
        true
    });
    own.seconds(40);
    assert!(
        own.nodes[other].inside,
        "who knows nothing else is deceived"
    );
    scene.world.kill(HOST);
    scene.world.seconds(40);
    let before = scene.world.names(viewer);
    let shots = papers.borrow().clone();
    let from = shots[0].0;
    let joined = crate::wire::FromRelay::Joined { participant: from };
    let stay = StayId(1);
    scene.world.tell(
        viewer,
        Input::Relay {
            stay,
            message: joined,
        },
    );
    for (from, track, group, bytes) in shots {
        scene.give(from, group, track, bytes);
    }
    scene.world.seconds(5);
    assert_eq!(scene.world.names(viewer), before);
}
