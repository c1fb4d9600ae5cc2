//! The bytes of every message and header, compared with `tests/golden/wire/*.hex`, so that a
//! change of format shows in review. After a change that is meant (and a new `wire::VERSION`):
//! `SOTTOVOCE_WRITE_GOLDEN=1 cargo test --test wire_bytes_are_pinned`, and look at the diff.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sottovoce::wire::{
    Bundle, BundleEntries, CloseReason, ControlMessage, ControlReader, DownlinkGroup, FromRelay,
    GroupFrames, GroupNumber, ParticipantId, PassProof, Role, RoomHandle, To, ToRelay, TrackId,
    UplinkGroup, VERSION, encode_control, encode_group_frame, split_uplink, uplink,
};

const ALICE: ParticipantId = ParticipantId(0x0102_0304);
const BOB: ParticipantId = ParticipantId(0xfffe_fdfc);
const TRACK: TrackId = TrackId(3);

fn to_relay() -> Vec<ToRelay> {
    let room = RoomHandle(std::array::from_fn(|index| index as u8));
    let hello = |role, pass| ToRelay::Hello {
        version: VERSION,
        room,
        role,
        pass,
    };
    let proof = PassProof {
        nonce: [0xa0; 8],
        tag: [0xb0; 16],
    };
    vec![
        hello(Role::Member, None),
        hello(Role::Viewer, None),
        hello(Role::Member, Some(proof)),
        ToRelay::Send {
            to: To::Everyone,
            body: b"sealed".to_vec(),
        },
        ToRelay::Send {
            to: To::One(BOB),
            body: vec![0xaa; 100],
        },
        ToRelay::Subscribe {
            participant: ALICE,
            track: TRACK,
        },
        ToRelay::Unsubscribe {
            participant: ALICE,
            track: TRACK,
        },
    ]
}

/// A name for each message; a new variant does not compile until it has one, and then its bytes
/// are missed below.
fn name_up(message: &ToRelay) -> &'static str {
    match message {
        ToRelay::Hello { pass: Some(_), .. } => "hello_pass",
        ToRelay::Hello {
            role: Role::Member, ..
        } => "hello_member",
        ToRelay::Hello {
            role: Role::Viewer, ..
        } => "hello_viewer",
        ToRelay::Send {
            to: To::Everyone, ..
        } => "send_everyone",
        ToRelay::Send { to: To::One(_), .. } => "send_one",
        ToRelay::Subscribe { .. } => "subscribe",
        ToRelay::Unsubscribe { .. } => "unsubscribe",
    }
}

fn from_relay() -> Vec<FromRelay> {
    let mut messages = vec![
        FromRelay::Welcome {
            you: ALICE,
            present: vec![],
        },
        FromRelay::Welcome {
            you: ALICE,
            present: vec![BOB, ParticipantId(7)],
        },
        FromRelay::Joined { participant: BOB },
        FromRelay::Left { participant: BOB },
        FromRelay::Message {
            from: BOB,
            body: b"sealed".to_vec(),
        },
    ];
    messages.extend(CloseReason::ALL.map(|reason| FromRelay::Closed { reason }));
    messages
}

fn name_down(message: &FromRelay) -> String {
    match message {
        FromRelay::Welcome { present, .. } if present.is_empty() => "welcome_alone".into(),
        FromRelay::Welcome { .. } => "welcome".into(),
        FromRelay::Joined { .. } => "joined".into(),
        FromRelay::Left { .. } => "left".into(),
        FromRelay::Message { .. } => "message".into(),
        FromRelay::Closed { reason } => format!("closed_{:02}_{reason:?}", reason.code()),
    }
}

fn up_group() -> UplinkGroup {
    UplinkGroup {
        track: TRACK,
        group: GroupNumber(0x0a0b_0c0d),
    }
}

fn down_group() -> DownlinkGroup {
    DownlinkGroup {
        sender: ALICE,
        track: TRACK,
        group: GroupNumber(0x0a0b_0c0d),
    }
}

fn bundle() -> Bundle {
    let mut bundle = Bundle::new();
    assert!(bundle.try_push(ALICE, TRACK, b"short"));
    assert!(bundle.try_push(BOB, TrackId(0), &[0xbb; 64]));
    bundle
}

/// All that is pinned, by name.
fn vocabulary() -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut pin = |name: String, bytes: &[u8]| {
        assert!(
            all.insert(name, bytes.to_vec()).is_none(),
            "two of one name"
        );
    };
    for message in to_relay() {
        pin(
            format!("to_relay_{}", name_up(&message)),
            &encode_control(&message).unwrap(),
        );
    }
    for message in from_relay() {
        pin(
            format!("from_relay_{}", name_down(&message)),
            &encode_control(&message).unwrap(),
        );
    }
    pin("datagram_uplink".into(), &uplink(TRACK, b"sealed"));
    pin("datagram_bundle".into(), &bundle().take());
    pin("group_uplink".into(), &up_group().encode());
    pin("group_downlink".into(), &down_group().encode());
    pin(
        "group_frame".into(),
        &encode_group_frame(b"sealed").unwrap(),
    );
    all
}

fn writing() -> bool {
    std::env::var_os("SOTTOVOCE_WRITE_GOLDEN").is_some()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/wire")
}

fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| {
        line.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    bytes.chunks(32).map(|bytes| line(bytes) + "\n").collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let digit = |byte: u8| (byte as char).to_digit(16).expect("a hexadecimal digit") as u8;
    digits
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

#[test]
fn the_bytes_of_every_message_are_as_pinned() {
    let vocabulary = vocabulary();
    if writing() {
        for (name, bytes) in &vocabulary {
            std::fs::write(folder().join(name).with_extension("hex"), hex(bytes)).unwrap();
        }
    }
    for (name, bytes) in &vocabulary {
        let pinned = std::fs::read_to_string(folder().join(name).with_extension("hex"));
        let pinned = pinned.unwrap_or_else(|_| panic!("{name} is not pinned"));
        assert_eq!(hex(bytes), pinned, "the bytes of {name} changed");
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            vocabulary.contains_key(&name),
            "{name} is pinned and not in the vocabulary"
        );
    }
}

#[test]
fn pinned_bytes_decode_to_what_they_were_made_from() {
    if writing() {
        return;
    }
    let pinned = |name: &str| {
        let path = folder().join(name).with_extension("hex");
        unhex(&std::fs::read_to_string(path).unwrap())
    };
    for message in to_relay() {
        let bytes = pinned(&format!("to_relay_{}", name_up(&message)));
        assert!(
            decode::<ToRelay>(&bytes) == message,
            "{}",
            name_up(&message)
        );
    }
    for message in from_relay() {
        let bytes = pinned(&format!("from_relay_{}", name_down(&message)));
        assert!(
            decode::<FromRelay>(&bytes) == message,
            "{}",
            name_down(&message)
        );
    }
    let datagram = pinned("datagram_uplink").into();
    assert_eq!(split_uplink(&datagram), Ok((TRACK, b"sealed"[..].into())));
    let entries: Vec<_> = BundleEntries::new(pinned("datagram_bundle").into())
        .map(Result::unwrap)
        .map(|entry| (entry.sender, entry.track, entry.payload.to_vec()))
        .collect();
    let second = (BOB, TrackId(0), vec![0xbb; 64]);
    assert_eq!(entries, [(ALICE, TRACK, b"short".to_vec()), second]);
    assert_eq!(UplinkGroup::decode(&pinned("group_uplink")), Ok(up_group()));
    assert_eq!(
        DownlinkGroup::decode(&pinned("group_downlink")),
        Ok(down_group())
    );
    let mut frames = GroupFrames::new();
    frames.push(pinned("group_frame").into());
    assert_eq!(frames.next(), Ok(Some(b"sealed"[..].into())));
}

fn decode<M: ControlMessage>(bytes: &[u8]) -> M {
    let mut reader = ControlReader::new();
    reader.push(bytes).unwrap();
    reader.next().unwrap().unwrap()
}
