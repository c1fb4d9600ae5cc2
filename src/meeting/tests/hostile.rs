//! A relay that lies, and an insider with the link: what they send is refused and stalls nobody.

use proptest::prelude::*;

use super::super::Rejection;
use super::*;

/// The sealed bytes that `from` sends for a frame, without passing them on.
fn sealed(room: &mut Room, from: ParticipantId, frame: Frame) -> Bytes {
    let meeting = room.meetings.get_mut(&from).unwrap();
    tell(meeting, Input::Send(frame));
    match meeting.poll() {
        Some(Output::Datagram { payload, .. }) => payload,
        Some(Output::GroupFrame { bytes, .. }) => bytes,
        _ => panic!("nothing was sealed"),
    }
}

fn rejection(room: &mut Room, at: ParticipantId, input: Input) -> Option<Rejection> {
    let meeting = room.meetings.get_mut(&at).unwrap();
    tell(meeting, input);
    match meeting.poll() {
        Some(Output::Rejected(rejection)) => Some(rejection),
        _ => None,
    }
}

#[test]
fn each_changed_bit_is_noticed() {
    let mut room = Room::new();
    let (ada, bea) = (room.join("Ada"), room.join("Bea"));
    let good = sealed(&mut room, ada, frame(SOUND, 0, 0, b"frame"));
    for bit in 0..good.len() * 8 {
        let mut bad = good.to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        let input = Input::Datagram {
            stay: STAY,
            from: ada,
            track: SOUND,
            payload: bad.into(),
        };
        assert!(rejection(&mut room, bea, input).is_some(), "bit {bit}");
    }
    let input = Input::Datagram {
        stay: STAY,
        from: ada,
        track: SOUND,
        payload: good,
    };
    assert_eq!(rejection(&mut room, bea, input), None);
}

#[test]
fn a_frame_counts_only_where_and_when_it_belongs() {
    let mut room = Room::new();
    let (ada, bea, cam) = (room.join("Ada"), room.join("Bea"), room.join("Cam"));
    let picture = sealed(&mut room, ada, frame(PICTURE, 4, 0, b"picture"));
    let at = |from, track, group, bytes: &Bytes| Input::GroupFrame {
        stay: STAY,
        from,
        track,
        group: GroupNumber(group),
        bytes: bytes.clone(),
    };
    let refused = |room: &mut Room, input| rejection(room, bea, input);
    assert_eq!(
        refused(&mut room, at(cam, PICTURE, 4, &picture)),
        Some(Rejection::NotAuthentic)
    );
    assert_eq!(
        refused(&mut room, at(ada, PICTURE, 5, &picture)),
        Some(Rejection::NotAuthentic)
    );
    assert_eq!(
        refused(&mut room, at(ada, SOUND, 4, &picture)),
        Some(Rejection::Malformed)
    );
    assert_eq!(
        refused(&mut room, at(ada, TrackId(9), 4, &picture)),
        Some(Rejection::UnknownSender)
    );
    let stranger = at(ParticipantId(1), PICTURE, 4, &picture);
    assert_eq!(refused(&mut room, stranger), Some(Rejection::UnknownSender));
    assert_eq!(refused(&mut room, at(ada, PICTURE, 4, &picture)), None);
    assert_eq!(
        refused(&mut room, at(ada, PICTURE, 4, &picture)),
        Some(Rejection::Replay)
    );
    assert_eq!(
        room.meetings[&bea].rejections()[Rejection::Replay as usize],
        1
    );
}

#[test]
fn a_body_counts_only_from_its_sender_to_its_receiver_once() {
    let mut room = Room::new();
    let (ada, bea, cam) = (room.join("Ada"), room.join("Bea"), room.join("Cam"));
    let meeting = room.meetings.get_mut(&ada).unwrap();
    tell(meeting, of_relay(FromRelay::Joined { participant: cam }));
    let Some(Output::Control {
        message: ToRelay::Send { body, .. },
        ..
    }) = meeting.poll()
    else {
        panic!("an introduction");
    };
    let message = |from| {
        of_relay(FromRelay::Message {
            from,
            body: body.clone(),
        })
    };
    assert_eq!(
        rejection(&mut room, bea, message(ada)),
        Some(Rejection::Misdirected)
    );
    assert_eq!(
        rejection(&mut room, bea, message(cam)),
        Some(Rejection::NotAuthentic)
    );
    assert_eq!(
        rejection(&mut room, bea, message(ParticipantId(3))),
        Some(Rejection::NotAuthentic)
    );
    assert_eq!(
        rejection(&mut room, ada, message(ada)),
        Some(Rejection::NotAuthentic)
    );
    assert_eq!(rejection(&mut room, cam, message(ada)), None);
    assert_eq!(
        rejection(&mut room, cam, message(ada)),
        Some(Rejection::Replay)
    );
}

#[test]
fn a_presence_out_of_bounds_is_refused() {
    let mut room = Room::new();
    let bea = room.join("Bea");
    let mut many = presence("Many");
    let track = many.tracks[0].clone();
    many.tracks = (0..40)
        .map(|n| TrackDescription {
            track: TrackId(n),
            ..track.clone()
        })
        .collect();
    let mut twice = presence("Twice");
    twice.tracks = vec![track.clone(), track];
    for (n, presence) in [presence(&"x".repeat(301)), many, twice]
        .into_iter()
        .enumerate()
    {
        let id = ParticipantId(n as u32);
        room.enter(id, Meeting::new(&invite(), presence, [n as u8 + 90; 32]));
    }
    assert!(room.names(bea).is_empty());
    assert_eq!(
        room.meetings[&bea].rejections()[Rejection::TooLarge as usize],
        3
    );
}

#[test]
fn without_the_link_nothing_opens() {
    let mut room = Room::new();
    let bea = room.join("Bea");
    let mut other = invite();
    other.secret = LinkSecret::from_bytes([43; 32]);
    let spy = ParticipantId(1);
    room.enter(spy, Meeting::new(&other, presence("Spy"), [1; 32]));
    assert!(room.names(bea).is_empty() && room.names(spy).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_bytes_are_refused_and_nothing_breaks(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        from in 99u32..104,
        track in 0u8..4,
        group in 0u32..3,
    ) {
        let mut room = Room::new();
        let (ada, bea) = (room.join("Ada"), room.join("Bea"));
        let (from, track) = (ParticipantId(from), TrackId(track));
        let payload = Bytes::from(bytes.clone());
        let inputs = [
            Input::Datagram { stay: STAY, from, track, payload: payload.clone() },
            Input::GroupFrame { stay: STAY, from, track, group: GroupNumber(group), bytes: payload },
            of_relay(FromRelay::Message { from, body: bytes }),
        ];
        for input in inputs {
            prop_assert!(rejection(&mut room, bea, input).is_some());
        }
        room.send(ada, frame(SOUND, 0, 0, b"still here"));
        prop_assert_eq!(room.frames(bea, "Ada").len(), 1);
    }

    #[test]
    fn any_text_is_a_link_or_not(text in "\\PC{0,200}") {
        prop_assert!(Invite::parse(&text).is_err());
        let link = format!("https://a:1/#{text}");
        prop_assert!(Invite::parse(&link).is_err());
    }
}
