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
        room.told[&of]
            .iter()
            .any(|o| matches!(o, Output::Departed { participant } if *participant == ada))
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
    let got = room.frames(bea, ada);
    assert!(got.len() == sent.len() && got.iter().zip(&sent).all(|(got, sent)| **got == *sent));
    assert!(room.frames(ada, ada).is_empty());
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
    assert!(room.frames(bea, ada).iter().any(|got| **got == large));
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
    let mut ada = Meeting::new(&invite(), 0, presence("Ada"), [5; 32]);
    let mut sealed = Vec::new();
    for connection in 0..2 {
        let id = ParticipantId(7 + connection);
        room.enter(id, ada);
        let before = room.seen.len();
        room.send(id, frame(SOUND, 0, 1, b"the same frame"));
        sealed.push(room.seen[before..].concat());
        assert_eq!(room.frames(bea, id).len(), 1);
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
    meeting.handle(Input::Ended {
        track: SOUND,
        frames: 12,
    });
    let goodbye = meeting.goodbye();
    assert_eq!(goodbye.len(), 1);
    room.run();
    for message in goodbye {
        room.pass(ada, Output::Control(message));
    }
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
