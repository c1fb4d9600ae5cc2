//! What people do.

use super::*;

fn to(end: u64) -> Vec<u64> {
    (0..end).collect()
}

#[test]
fn who_watches_sees_all_and_is_seen_by_nobody() {
    let mut scene = Scene::new(0);
    let viewer = scene.viewer;
    assert!(scene.told(viewer, &Notice::Vigil { speaks: false }));
    assert!(scene.told(viewer, &Notice::Title("Commemoration".into())));
    assert!(scene.told(ADA, &Notice::Vigil { speaks: true }));
    assert_eq!(scene.world.names(viewer), ["Ada", "Host"]);
    scene.speak(ADA, 60);
    scene.world.seconds(1);
    for listener in [viewer, HOST] {
        assert_eq!(scene.world.got(listener, "Ada", SOUND), to(60));
        assert_eq!(scene.world.got(listener, "Ada", PICTURE), to(60));
    }
    assert_eq!(scene.world.names(HOST), ["Ada"]);
    assert_eq!(scene.world.names(ADA), ["Host"]);
    for index in [HOST, ADA] {
        let roster = scene.world.nodes[index].meeting.look().unwrap().roster;
        assert_eq!(roster.len(), 2);
    }
}

#[test]
fn who_comes_first_waits_for_the_host() {
    let meet = vigil(0);
    let mut world = World::new();
    let viewer = world.watch(&meet.guest);
    world.seconds(5);
    let waits = Notice::Waiting(Status::HostNotHere);
    assert!(world.nodes[viewer].told.contains(&waits));
    assert!(!world.nodes[viewer].inside);
    world.join(&meet.host, "Host");
    world.seconds(1);
    assert!(world.nodes[viewer].inside);
    assert_eq!(world.names(viewer), ["Host"]);
}

/// A relay gives who comes later the current group, and with it come the signatures over it.
#[test]
fn who_comes_in_the_midst_of_a_picture_sees_it_from_its_beginning() {
    let mut scene = Scene::new(0);
    for number in 0..400 {
        let long = Frame {
            group: GroupNumber(0),
            keyframe: number == 0,
            ..frame(PICTURE, number)
        };
        scene.world.send(ADA, long);
        scene.world.run(Duration::from_millis(20));
    }
    // The chair's papers come last: whose the signatures are is not known before.
    let (host, _) = scene.place("Host");
    let held = Came::default();
    let hold = Rc::clone(&held);
    let late = scene.world.nodes.len();
    scene.viewer = late;
    scene.record(move |parcel| match parcel {
        Parcel::GroupFrame(from, PAPERS, group, bytes) if *from == host => {
            let shot = (*from, PAPERS, Some(*group), bytes.clone());
            hold.borrow_mut().push(shot);
            false
        }
        _ => true,
    });
    assert_eq!(scene.world.watch(&scene.meet.guest), late);
    scene.world.settle();
    scene.record(|_| true);
    for (from, track, group, bytes) in held.borrow().clone() {
        scene.give(from, group, track, bytes);
    }
    let got = scene.world.got(late, "Ada", PICTURE);
    assert!(got.len() > 370, "at once, and in order: {got:?}");
    assert_eq!(got, to(got.len() as u64));
    scene.world.seconds(2);
    assert_eq!(scene.world.got(late, "Ada", PICTURE), to(400));
    let unsigned = |notice: &Notice| matches!(notice, Notice::Signatures { .. });
    assert!(!scene.world.nodes[late].told.iter().any(unsigned));
}

#[test]
fn who_is_removed_is_shown_no_more_and_nobody_misses_anything() {
    let mut scene = Scene::new(0);
    let cem = scene.world.join(&scene.meet.guest, "Cem");
    scene.world.seconds(3);
    let viewer = scene.viewer;
    assert_eq!(scene.world.names(viewer), ["Ada", "Cem", "Host"]);
    scene.speak(ADA, 30);
    let who = scene.world.who(HOST, "Cem");
    let (at, _) = scene.place("Cem");
    let mut keys = scene.keys_of("Cem");
    scene.world.command(HOST, Command::Remove(who));
    scene.speak(ADA, 100);
    scene.world.seconds(1);
    assert_eq!(scene.world.names(viewer), ["Ada", "Host"]);
    assert_eq!(scene.world.got(viewer, "Ada", SOUND), to(130));
    assert_eq!(scene.world.got(viewer, "Ada", PICTURE), to(130));
    assert!(scene.world.nodes[cem].over.is_some());
    // It sends on, as before and with what the link gives it.
    let (_, _, card) = scene.card();
    for newer in [false, true] {
        if newer {
            keys.epoch(card.claim.epoch, card.key.as_bytes(), 2);
        }
        let sealed = keys.seal(scene.world.now, &forged(0), AUDIO).unwrap();
        scene.give(at, None, SOUND, sealed[0].clone());
    }
    scene.world.seconds(3);
    assert_eq!(scene.shown(b"what"), 0);
    // The old link still watches, and who is to speak needs the new one.
    let late = scene.world.watch(&scene.meet.guest);
    scene.world.seconds(2);
    assert_eq!(scene.world.names(late), ["Ada", "Host"]);
    let back = scene.world.join(&scene.meet.guest, "Cem");
    scene.world.seconds(8);
    assert!(!scene.world.nodes[back].inside);
}

#[test]
fn whoever_loses_the_relay_comes_back_as_the_same() {
    let mut scene = Scene::new(0);
    let viewer = scene.viewer;
    scene.speak(ADA, 20);
    let who = scene.world.who(viewer, "Ada");
    scene.world.reconnect(viewer);
    scene.world.seconds(1);
    scene.speak(ADA, 20);
    scene.world.reconnect(ADA);
    scene.world.seconds(1);
    scene.speak(ADA, 40);
    scene.world.seconds(2);
    assert_eq!(scene.world.who(viewer, "Ada"), who);
    let got = scene.world.got(viewer, "Ada", SOUND);
    assert_eq!(got[got.len() - 40..], (40..80).collect::<Vec<_>>());
    assert_eq!(scene.world.names(viewer), ["Ada", "Host"]);
}

#[test]
fn when_the_chair_is_not_heard_people_are_warned_and_then_nothing_is_shown() {
    let mut scene = Scene::new(0);
    let viewer = scene.viewer;
    scene.speak(ADA, 10);
    let (host, _) = scene.place("Host");
    scene.record(
        move |parcel| !matches!(parcel, Parcel::GroupFrame(from, PAPERS, ..) if *from == host),
    );
    scene.world.seconds(22);
    assert!(scene.told(viewer, &Notice::Chair(Freshness::Stale)));
    let before = scene.shown(b"frame");
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.shown(b"frame"), before + 100, "as yet it goes on");
    scene.world.seconds(40);
    assert!(scene.told(viewer, &Notice::Chair(Freshness::Stopped)));
    let before = scene.shown(b"frame");
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.shown(b"frame"), before);
    scene.record(|_| true);
    scene.world.seconds(6);
    assert!(scene.told(viewer, &Notice::Chair(Freshness::Well)));
    let before = scene.shown(b"frame");
    scene.speak(ADA, 50);
    scene.world.seconds(1);
    assert_eq!(scene.shown(b"frame"), before + 100);
}

/// What Ada signed with the leaf that it had is nobody's once it has another: publishing that on would use
/// up the patience of all who read its papers.
#[test]
fn who_is_taken_in_anew_is_believed_at_once() {
    let mut scene = Scene::new(1);
    let viewer = scene.viewer;
    let co_host = scene.meet.co_hosts[0].clone();
    let co = scene.world.join(&co_host, "Co");
    scene.world.seconds(5);
    // One group of pictures for so long that many signatures over it are kept.
    for number in 0..300 {
        let long = Frame {
            group: GroupNumber(0),
            keyframe: number == 0,
            ..frame(PICTURE, number)
        };
        scene.world.send(ADA, long);
        scene.world.run(Duration::from_millis(100));
    }
    let leaf = |scene: &Scene| scene.world.nodes[ADA].meeting.look().unwrap().me;
    let key = |scene: &Scene| {
        let look = scene.world.nodes[HOST].meeting.look().unwrap();
        let ada = look.roster.into_iter().find(|one| one.name == "Ada");
        ada.map(|one| (one.leaf, one.sign_key))
    };
    let before = (leaf(&scene), key(&scene));
    for index in [ADA, viewer, co] {
        scene.world.side(index, 1);
    }
    let bea = scene.world.join(&scene.meet.guest, "Bea");
    scene.world.seconds(40);
    let cem = scene.world.join(&scene.meet.guest, "Cem");
    scene.world.side(cem, 1);
    scene.world.seconds(6);
    for index in [ADA, viewer, co] {
        scene.world.side(index, 0);
    }
    scene.world.seconds(60);
    assert_ne!(
        (leaf(&scene), key(&scene)),
        before,
        "it has another leaf or key"
    );
    assert_eq!(scene.world.names(viewer), ["Ada", "Bea", "Co", "Host"]);
    let refused = scene.world.nodes[viewer].rejected;
    for _ in 0..4 {
        scene.speak(ADA, 50);
        scene.world.seconds(4);
    }
    assert_eq!(
        scene.world.nodes[viewer].rejected, refused,
        "nothing is nobody's"
    );
    for listener in [viewer, bea] {
        assert_eq!(
            scene.world.got(listener, "Ada", SOUND),
            to(200),
            "{listener}"
        );
    }
}
