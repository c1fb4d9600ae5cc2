//! What honest people in a room see of each other.

use super::*;
use crate::wire::limits::AUDIO_PAYLOAD;

#[test]
fn everyone_learns_who_is_there() {
    let mut room = Room::new();
    let (ada, bea) = (room.join("Ada"), room.join("Bea"));
    let cam = room.join("Cam");
    assert_eq!(room.names(ada), ["Bea", "Cam"]);
    assert_eq!(room.names(bea), ["Ada", "Cam"]);
    assert_eq!(room.names(cam), ["Ada", "Bea"]);
    room.leave(ada);
    let gone = |of| {
        let ada = room.who(of, "Ada");
        room.told[&of]
            .iter()
            .any(|o| matches!(o, Output::Departed { who } if *who == ada))
    };
    assert!(gone(bea) && gone(cam));
}

#[test]
fn frames_arrive_as_they_were() {
    let mut room = Room::new();
    let (ada, bea) = (room.join("Ada"), room.join("Bea"));
    let sent: Vec<Frame> = (0..40)
        .map(|n| match n % 2 {
            0 => frame(SOUND, 0, n / 2, &vec![n as u8; 60 + n as usize]),
            _ => frame(PICTURE, 3, n / 2, &vec![n as u8; 5000]),
        })
        .collect();
    for frame in &sent {
        room.send(ada, frame.clone());
    }
    let got = room.frames(bea, "Ada");
    assert!(got.len() == sent.len() && got.iter().zip(&sent).all(|(got, sent)| **got == *sent));
    assert!(room.frames(ada, "Ada").is_empty());
}

#[test]
fn a_large_sound_frame_goes_in_pieces_that_fit() {
    let mut room = Room::new();
    let (ada, bea) = (room.join("Ada"), room.join("Bea"));
    let before = room.seen.len();
    let large = frame(SOUND, 0, u64::from(u32::MAX), &[9; 5000]);
    room.send(ada, large.clone());
    assert_eq!(room.seen.len() - before, 6);
    assert!(
        room.seen[before..]
            .iter()
            .all(|bytes| bytes.len() <= AUDIO_PAYLOAD)
    );
    assert!(room.frames(bea, "Ada").iter().any(|got| **got == large));
    room.send(ada, frame(SOUND, 0, 1, &[0; 20_000]));
    assert!(matches!(
        room.told[&ada].last(),
        Some(Output::Rejected(super::super::Rejection::TooLarge))
    ));
}

#[test]
fn who_comes_back_is_heard_again_under_new_keys() {
    let mut room = Room::new();
    let bea = room.join("Bea");
    let mut ada = Meeting::new(&invite(), presence("Ada"), [5; 32]);
    let mut sealed = Vec::new();
    for connection in 0..2 {
        let id = ParticipantId(7 + connection);
        room.enter(id, ada);
        let before = room.seen.len();
        room.send(id, frame(SOUND, 0, 1, b"the same frame"));
        sealed.push(room.seen[before..].concat());
        assert_eq!(room.frames(bea, "Ada").len(), 1 + connection as usize);
        ada = room.meetings.remove(&id).unwrap();
        room.leave(id);
    }
    assert_ne!(sealed[0], sealed[1]);
}

#[test]
fn nothing_readable_reaches_the_relay() {
    let mut room = Room::new();
    let ada = room.join("Xanthippe Quillfeather");
    room.join("Bea");
    room.send(
        ada,
        frame(SOUND, 0, 0, b"a payload that would be known again"),
    );
    room.send(
        ada,
        frame(PICTURE, 0, 0, b"a payload that would be known again"),
    );
    let seen: Vec<u8> = room.seen.concat();
    for canary in [
        &b"Xanthippe"[..],
        b"Quillfeather",
        b"OpusHead",
        b"payload that would",
        &[42; 8],
    ] {
        assert!(!seen.windows(canary.len()).any(|window| window == canary));
    }
    // Bodies have few sizes, whatever the name is.
    let sizes: std::collections::BTreeSet<usize> = room.seen[..2].iter().map(Vec::len).collect();
    assert_eq!(sizes.len(), 1);
}

#[test]
fn the_end_of_a_track_and_a_goodbye_are_told() {
    let mut room = Room::new();
    let (ada, bea) = (room.join("Ada"), room.join("Bea"));
    let meeting = room.meetings.get_mut(&ada).unwrap();
    let ended = Input::Ended {
        track: SOUND,
        frames: 12,
    };
    tell(meeting, ended);
    tell(meeting, Input::Goodbye);
    room.run();
    let told = &room.told[&bea];
    assert!(told.iter().any(|o| matches!(
        o,
        Output::Ended {
            frames: 12,
            track: SOUND,
            ..
        }
    )));
    assert!(told.iter().any(|o| matches!(o, Output::Goodbye { .. })));
}

/// What somebody was told of another, in short.
fn story(room: &Room, of: ParticipantId) -> Vec<String> {
    let told = room.told[&of].iter().filter_map(|output| match output {
        Output::Inside => Some("inside".into()),
        Output::Appeared { who, presence } => Some(format!("{} is {}", who.0, presence.name)),
        Output::Departed { who } => Some(format!("{} departed", who.0)),
        Output::Unheard { who } => Some(format!("{} unheard", who.0)),
        _ => None,
    });
    told.collect()
}

/// Which connections somebody asked for.
fn subscriptions(room: &mut Room, of: ParticipantId) -> Vec<ParticipantId> {
    let asked = std::mem::take(&mut room.asked).into_iter();
    let subscribed = asked.filter_map(|(from, message)| match message {
        ToRelay::Subscribe { participant, .. } if from == of => Some(participant),
        _ => None,
    });
    subscribed.collect()
}

#[test]
fn one_who_comes_back_before_its_ghost_left_is_the_same() {
    let mut room = Room::new();
    let bea = room.join("Bea");
    let ghost = room.join("Ada");
    let listen = Input::Listen {
        who: room.who(bea, "Ada"),
        track: SOUND,
        on: true,
    };
    tell(room.meetings.get_mut(&bea).unwrap(), listen);
    room.run();
    assert_eq!(subscriptions(&mut room, bea), [ghost]);
    let again = room.join("Ada");
    room.send(ghost, frame(SOUND, 0, 0, b"of a ghost"));
    assert!(room.frames(bea, "Ada").is_empty());
    room.leave(ghost);
    room.send(again, frame(SOUND, 0, 0, b"frame"));
    assert_eq!(room.frames(bea, "Ada").len(), 1);
    assert_eq!(
        story(&room, bea),
        ["inside", "0 is Ada", "0 departed", "0 is Ada"]
    );
    assert!(
        subscriptions(&mut room, bea).is_empty(),
        "it departed: to be asked for anew"
    );
}

#[test]
fn what_is_wanted_is_asked_for_again_after_a_loss_of_ones_own() {
    let mut room = Room::new();
    let ada = room.join("Ada");
    let bea = room.join("Bea");
    let listen = Input::Listen {
        who: room.who(bea, "Ada"),
        track: SOUND,
        on: true,
    };
    tell(room.meetings.get_mut(&bea).unwrap(), listen);
    let mut meeting = room.meetings.remove(&bea).unwrap();
    tell(&mut meeting, Input::Lost { stay: STAY });
    tell(&mut meeting, Input::Send(frame(SOUND, 0, 0, b"to nobody")));
    let lost: Vec<Output> = std::iter::from_fn(|| meeting.poll()).collect();
    assert!(matches!(
        &lost[..],
        [Output::Control { .. }, Output::Unheard { who: Who(0) }]
    ));
    room.leave(bea);
    let back = ParticipantId(7);
    room.enter(back, meeting);
    assert_eq!(story(&room, back), ["0 is Ada"], "inside only once");
    assert_eq!(subscriptions(&mut room, back), [ada]);
}
