use proptest::prelude::*;

use super::{cases, parts};
use crate::wire::limits::{BODY, PRESENT, SIZE_CLASSES};
use crate::wire::{
    CloseReason, ControlMessage, ControlReader, FromRelay, ParticipantId, PassProof, Role,
    RoomHandle, To, ToRelay, VERSION, WireError, encode_control, hello_version,
};

const LARGEST: usize = SIZE_CLASSES[SIZE_CLASSES.len() - 1];

fn hello() -> ToRelay {
    ToRelay::Hello {
        version: VERSION,
        room: RoomHandle([9; 32]),
        role: Role::Viewer,
        pass: None,
    }
}

/// A message of class `class` whose used bytes are `used`.
fn stream(class: usize, used: &[u8]) -> Vec<u8> {
    let mut bytes = (class as u16).to_be_bytes().to_vec();
    bytes.extend((used.len() as u16).to_be_bytes());
    bytes.extend(used);
    bytes.resize(2 + class, 0);
    bytes
}

fn read<M: ControlMessage>(bytes: &[u8]) -> Result<Option<M>, WireError> {
    let mut reader = ControlReader::new();
    reader.push(bytes)?;
    reader.next()
}

fn error(bytes: &[u8]) -> Option<WireError> {
    read::<ToRelay>(bytes).err()
}

#[test]
fn a_message_takes_the_smallest_class_that_holds_it() {
    for class in SIZE_CLASSES {
        // Used length 2, variant 1, recipient 1, length of the body 1 to 3.
        let overhead = 2
            + 1
            + 1
            + if class > 1 << 14 {
                3
            } else if class > 130 {
                2
            } else {
                1
            };
        let send = |body: usize| {
            let to = To::Everyone;
            encode_control(&ToRelay::Send {
                to,
                body: vec![1; body],
            })
            .map(|bytes| bytes.len())
        };
        let fits = (class - overhead).min(BODY);
        assert_eq!(send(fits), Ok(2 + class));
        assert_ne!(send(fits + 1), Ok(2 + class));
    }
}

#[test]
fn a_body_of_the_largest_size_passes_and_one_more_byte_does_not() {
    let largest = u32::MAX;
    for body in [BODY, BODY + 1] {
        let up = ToRelay::Send {
            to: To::One(ParticipantId(largest)),
            body: vec![1; body],
        };
        let down = FromRelay::Message {
            from: ParticipantId(largest),
            body: vec![1; body],
        };
        assert_eq!(encode_control(&up).is_ok(), body == BODY);
        assert_eq!(encode_control(&down).is_ok(), body == BODY);
    }
    let mut used = vec![1, 0];
    used.extend([
        0x80 | ((BODY + 1) & 0x7f) as u8,
        0x80 | ((BODY + 1) >> 7 & 0x7f) as u8,
    ]);
    used.push(((BODY + 1) >> 14) as u8);
    used.resize(used.len() + BODY + 1, 1);
    assert_eq!(error(&stream(LARGEST, &used)), Some(WireError::TooLarge));
}

#[test]
fn a_full_room_fits_a_welcome() {
    let welcome = |members| FromRelay::Welcome {
        you: ParticipantId(u32::MAX),
        present: vec![ParticipantId(u32::MAX); members],
    };
    let bytes = encode_control(&welcome(PRESENT)).expect("fits");
    assert!(read(&bytes).is_ok_and(|message| message == Some(welcome(PRESENT))));
    assert_eq!(
        encode_control(&welcome(PRESENT + 1)).err(),
        Some(WireError::TooLarge)
    );
}

#[test]
fn whatever_is_off_is_named() {
    let good = encode_control(&hello()).expect("fits").to_vec();
    assert!(error(&good).is_none());

    let mut class = good.clone();
    class[1] += 1;
    assert_eq!(error(&class), Some(WireError::SizeClass));
    assert_eq!(error(&[0, 0]), Some(WireError::SizeClass));
    assert_eq!(error(&[0x7f, 0xff]), Some(WireError::SizeClass));
    assert_eq!(error(&[0x80, 0]), None, "the largest class");
    assert_eq!(error(&[0x80, 1]), Some(WireError::TooLarge));

    let mut used = good.clone();
    used[2..4].copy_from_slice(&63_u16.to_be_bytes());
    assert_eq!(
        error(&used),
        Some(WireError::Malformed),
        "longer than its class"
    );
    used[2..4].copy_from_slice(&62_u16.to_be_bytes());
    assert_eq!(
        error(&used),
        Some(WireError::Padding),
        "bytes after the message, though zeros"
    );
    used[2..4].copy_from_slice(&1_u16.to_be_bytes());
    assert!(error(&used).is_some(), "the message is in the padding");
    used[2..4].copy_from_slice(&[0, 0]);
    assert!(error(&used).is_some());

    let mut last = good.clone();
    *last.last_mut().expect("not empty") = 1;
    assert_eq!(error(&last), Some(WireError::Padding));

    assert_eq!(
        error(&stream(64, &[4])),
        Some(WireError::Malformed),
        "no such variant"
    );
    assert_eq!(error(&stream(64, &[])), Some(WireError::Malformed));
    let reason = CloseReason::ALL.len() as u8;
    assert!(read::<FromRelay>(&stream(64, &[4, reason - 1])).is_ok());
    assert!(read::<FromRelay>(&stream(64, &[4, reason])).is_err());
}

/// Whoever sees a connection's packets cannot tell whether the relay asks for a pass.
#[test]
fn a_hello_is_as_long_with_a_pass_as_without() {
    let hello = |pass| ToRelay::Hello {
        version: u16::from(u8::MAX),
        room: RoomHandle([255; 32]),
        role: Role::Viewer,
        pass,
    };
    let proof = PassProof {
        nonce: [255; 8],
        tag: [255; 16],
    };
    let [without, with] = [None, Some(proof)].map(|pass| encode_control(&hello(pass)));
    let (without, with) = (without.expect("fits"), with.expect("fits"));
    assert_eq!((without.len(), with.len()), (66, 66));
}

#[test]
fn a_length_that_promises_more_than_there_is_does_not_decode() {
    // A body, then a list of members, of 2^32 - 1.
    let body = stream(64, &[1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(error(&body), Some(WireError::Malformed));
    let present = stream(64, &[0, 7, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(
        read::<FromRelay>(&present).err(),
        Some(WireError::Malformed)
    );
}

#[test]
fn a_reader_holds_one_message_and_what_was_pushed_last() {
    let mut reader = ControlReader::<ToRelay>::new();
    let whole = stream(LARGEST, &[0]);
    assert_eq!(reader.push(&whole[..whole.len() - 1]), Ok(()));
    assert_eq!(reader.push(&whole), Ok(()));
    assert_eq!(reader.push(&[0]), Err(WireError::TooLarge));
}

#[test]
fn an_idle_reader_holds_nothing() {
    let mut reader = ControlReader::<ToRelay>::new();
    let bytes = encode_control(&hello()).expect("fits");
    assert_eq!(reader.push(&bytes), Ok(()));
    assert!(reader.next().is_ok_and(|message| message.is_some()));
    assert_eq!(reader.capacity(), 0);
}

#[test]
fn the_version_is_readable_whatever_follows_it() {
    let version = |used: &[u8]| {
        let mut reader = ControlReader::<ToRelay>::new();
        reader.push(&stream(256, used)).expect("room");
        reader.used().expect("well framed").and_then(hello_version)
    };
    assert_eq!(version(&[0, 2]), Some(2));
    assert_eq!(version(&[0, 0xff, 0xff, 0x03, 1, 2, 3]), Some(u16::MAX));
    assert_eq!(version(&[0, 0xff, 0xff, 0x07]), None, "more than 16 bits");
    assert_eq!(version(&[1, 2, 3]), None, "a message that is no Hello");
    assert_eq!(version(&[0]), None);
    assert_eq!(version(&[]), None);
    let ours = encode_control(&hello()).expect("fits");
    assert_eq!(version(&ours[4..]), Some(VERSION));
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_goes_in_comes_out_however_it_is_cut(
        up in proptest::collection::vec(parts(), 1..5),
        cuts in proptest::collection::vec(1..2000_usize, 1..20),
    ) {
        let sent: Vec<_> = up.iter().map(|parts| (parts.upward(), parts.downward())).collect();
        let mut reader = (ControlReader::<ToRelay>::new(), ControlReader::<FromRelay>::new());
        let mut bytes = (Vec::new(), Vec::new());
        for (up, down) in &sent {
            bytes.0.extend(encode_control(up).expect("fits"));
            bytes.1.extend(encode_control(down).expect("fits"));
        }
        let mut came = (Vec::new(), Vec::new());
        let mut cuts = cuts.iter().cycle();
        while !bytes.0.is_empty() || !bytes.1.is_empty() {
            let cut = *cuts.next().expect("endless");
            let piece = bytes.0.drain(..cut.min(bytes.0.len()));
            prop_assert_eq!(reader.0.push(piece.as_slice()), Ok(()));
            while let Some(message) = reader.0.next().expect("well formed") {
                came.0.push(message);
            }
            drop(piece);
            let piece = bytes.1.drain(..cut.min(bytes.1.len()));
            prop_assert_eq!(reader.1.push(piece.as_slice()), Ok(()));
            while let Some(message) = reader.1.next().expect("well formed") {
                came.1.push(message);
            }
        }
        prop_assert_eq!((came.0.len(), came.1.len()), (sent.len(), sent.len()));
        for (sent, came) in sent.iter().zip(came.0.iter().zip(&came.1)) {
            prop_assert!(sent.0 == *came.0 && sent.1 == *came.1);
        }
    }

    #[test]
    fn any_bytes_give_a_message_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        class in 0..3_usize,
        used in any::<u8>(),
    ) {
        let mut framed = bytes.clone();
        framed.truncate(usize::from(used));
        for stream in [bytes, stream(SIZE_CLASSES[class].max(framed.len() + 2), &framed)] {
            let _ = read::<ToRelay>(&stream);
            let _ = read::<FromRelay>(&stream);
        }
    }

    #[test]
    fn what_decodes_encodes_again_and_decodes_to_the_same(
        used in proptest::collection::vec(prop_oneof![0..6_u8, any::<u8>()], 0..62),
    ) {
        // Numbers have longer forms than the shortest, so that the bytes may differ; what they
        // mean may not.
        if let Ok(Some(message)) = read::<ToRelay>(&stream(64, &used)) {
            let again = encode_control(&message).expect("it was within its limits");
            prop_assert!(read(&again).is_ok_and(|again| again == Some(message)));
        }
        if let Ok(Some(message)) = read::<FromRelay>(&stream(64, &used)) {
            let again = encode_control(&message).expect("it was within its limits");
            prop_assert!(read(&again).is_ok_and(|again| again == Some(message)));
        }
    }
}
