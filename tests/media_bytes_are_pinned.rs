//! Links, rooms, and what is sealed from a fixed seed, compared with `tests/golden/media/`, so that a
//! change of format shows in review. The keys in between are pinned in
//! `src/meeting/media/tests/pinned.rs`, and what is in a host's link in `src/meeting/links/tests.rs`.
//! After a change that is meant (and a new version of links, or of `wire`):
//! `SOTTOVOCE_WRITE_GOLDEN=1 cargo test --test media_bytes_are_pinned`, look at the diff, and mend the
//! values at the end of `docs/media-format.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use sottovoce::meeting::hosted::Meeting;
use sottovoce::meeting::links::{BundleHash, Link, MeetingLink};
use sottovoce::meeting::media::{Attest, Opened, ReceiverKeys, SenderKeys};
use sottovoce::meeting::{
    Frame, Input, LinkSecret, Output, Presence, RelayRef, Surface, TrackKind,
};
use sottovoce::wire::{FromRelay, GroupNumber, ParticipantId, ToRelay, TrackId};

const ADA: ParticipantId = ParticipantId(0x0102_0304);
const BEA: ParticipantId = ParticipantId(0xfffe_fdfc);
const SOUND: TrackId = TrackId(1);
const PICTURE: TrackId = TrackId(2);
const EPOCH: u64 = 3;
const LEAF: u32 = 5;
const SALT: [u8; 16] = [
    0x98, 0x4f, 0x78, 0x8b, 0x7e, 0x6a, 0x7e, 0x75, 0xe1, 0x3b, 0xeb, 0xdc, 0x99, 0xad, 0x0a, 0x51,
];

/// 00 01 02 ... 1f.
fn counting() -> [u8; 32] {
    std::array::from_fn(|index| index as u8)
}

/// The link at the end of `docs/media-format.md`.
fn meeting_link() -> MeetingLink {
    let relay = |host: &str, port, hashes| RelayRef {
        host: host.into(),
        port,
        hashes,
        pass: None,
    };
    MeetingLink {
        secret: LinkSecret::from_bytes(counting()),
        bundle: BundleHash([0xbb; 32]),
        relays: vec![
            relay("192.0.2.1", 4433, vec![[0xaa; 32]]),
            relay("relay.example", 443, Vec::new()),
        ],
        viewer: None,
    }
}

fn sound() -> Frame {
    Frame {
        track: SOUND,
        group: GroupNumber(0),
        number: 300,
        timestamp_ns: 6_000_000_000,
        keyframe: true,
        invisible: false,
        duration_ns: None,
        discard_padding_ns: None,
        payload: Bytes::from_static(b"voice"),
    }
}

fn picture() -> Frame {
    Frame {
        track: PICTURE,
        group: GroupNumber(7),
        number: 1,
        timestamp_ns: 20_000_000,
        keyframe: true,
        invisible: true,
        duration_ns: Some(20_000_000),
        discard_padding_ns: Some(-5),
        payload: Bytes::from_static(b"picture"),
    }
}

/// The first body of one who knocks: who holds the door?
fn ask() -> Vec<u8> {
    let presence = Presence {
        name: "Ada".into(),
        tracks: Vec::new(),
        timestamp_scale_ns: 1_000_000,
        tag: [0x5a; 16],
    };
    let link = Link::Meeting(meeting_link());
    let mut ada = Meeting::new(link, presence, false, false, [7; 32]);
    let mut sent = Vec::new();
    for _ in 0..4 {
        while let Some(output) = ada.poll() {
            match output {
                Output::Enter { stay } => {
                    ada.handle(Duration::ZERO, Input::Connected { stay, relay: 0 });
                }
                Output::Control {
                    stay,
                    message: ToRelay::Hello { .. },
                } => {
                    let message = FromRelay::Welcome {
                        you: ADA,
                        present: vec![BEA],
                    };
                    ada.handle(Duration::ZERO, Input::Relay { stay, message });
                }
                Output::Control {
                    message: ToRelay::Send { body, .. },
                    ..
                } => sent.push(body),
                _ => {}
            }
        }
    }
    assert_eq!(sent.len(), 1, "it asks once");
    sent.remove(0)
}

/// In the place of a signature: it shows what was to be signed.
fn digest_twice(bytes: &[u8]) -> [u8; 64] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    std::array::from_fn(|index| digest[index % 32])
}

fn sender() -> SenderKeys {
    let mut keys = SenderKeys::new(SALT);
    keys.sign(true);
    assert!(keys.epoch(EPOCH, &counting(), LEAF));
    keys
}

/// Sound, a picture and what is signed for them, in this order.
fn sealed() -> (Bytes, Bytes, Vec<Attest>) {
    let mut keys = sender();
    let (audio, video) = (
        TrackKind::Audio {
            rate: 48_000,
            channels: 2,
        },
        TrackKind::Video {
            width: 320,
            height: 180,
        },
    );
    let mut seal = |frame: &Frame, kind| keys.seal(Duration::ZERO, frame, kind).expect("sealed");
    let (sound, picture) = (seal(&sound(), audio), seal(&picture(), video));
    let attests = keys.attest(Duration::from_secs(1), digest_twice);
    let [sound, picture] = [sound, picture].map(|mut sealed| sealed.remove(0));
    (sound, picture, attests)
}

fn vocabulary() -> BTreeMap<&'static str, String> {
    let room = |relay| hex(&meeting_link().lobby(relay).expect("a relay").0);
    let (sound, picture, attests) = sealed();
    let attests = postcard::to_allocvec(&attests).expect("small");
    BTreeMap::from([
        ("link", meeting_link().to_link() + "\n"),
        ("room_1", room(0)),
        ("room_2", room(1)),
        ("body_ask", hex(&ask())),
        ("datagram_sound", hex(&sound)),
        ("group_frame_picture", hex(&picture)),
        ("attests", hex(&attests)),
    ])
}

fn writing() -> bool {
    std::env::var_os("SOTTOVOCE_WRITE_GOLDEN").is_some()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/media")
}

fn file(name: &str) -> PathBuf {
    let ending = if name == "link" { "txt" } else { "hex" };
    folder().join(name).with_extension(ending)
}

fn pinned(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|_| panic!("{name} is not pinned"))
}

fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| data_encoding::HEXLOWER.encode(line) + "\n";
    bytes.chunks(32).map(line).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    data_encoding::HEXLOWER
        .decode(digits.as_bytes())
        .expect("hexadecimal digits")
}

#[test]
fn links_rooms_and_what_is_sealed_are_as_pinned() {
    let vocabulary = vocabulary();
    if writing() {
        for (name, text) in &vocabulary {
            std::fs::write(file(name), text).unwrap();
        }
    }
    for (name, text) in &vocabulary {
        assert_eq!(*text, pinned(name), "{name} changed");
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            path.is_dir() || vocabulary.contains_key(name.as_str()),
            "{name} is pinned and nothing makes it"
        );
    }
}

#[test]
fn a_pinned_link_is_read() {
    let read = Link::parse(&pinned("link"));
    assert!(read.is_ok_and(|read| read == Link::Meeting(meeting_link())));
}

/// What another participant of today makes of the pinned bytes is what went in.
#[test]
fn pinned_frames_open_to_what_they_were_made_from() {
    let mut keys = ReceiverKeys::new(LEAF, SALT);
    keys.epoch(Duration::ZERO, EPOCH, &counting());
    for (name, frame) in [
        ("datagram_sound", sound()),
        ("group_frame_picture", picture()),
    ] {
        let bytes = unhex(&pinned(name)).into();
        let opened = keys.open(Duration::ZERO, frame.track, frame.group, &bytes);
        assert!(opened == Ok(Opened::Frame(frame)), "{name}");
    }
}

/// A second implementation is written from the page, not from the files.
#[test]
fn the_page_shows_the_pinned_values() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/media-format.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut shown = vec![pinned("link"), pinned("room_1"), pinned("room_2")];
    for entry in std::fs::read_dir(folder().join("keys")).unwrap() {
        shown.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    assert_eq!(shown.len(), 3 + 4, "all the keys");
    for value in shown {
        let value: String = value.split_whitespace().collect();
        assert!(page.contains(&value), "the page does not show {value}");
    }
}
