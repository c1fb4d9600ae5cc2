//! The meeting link, the rooms, and what is sealed from a fixed seed, compared with
//! `tests/golden/media/`, so that a change of format shows in review. The keys in between are
//! pinned in `src/meeting/tests/pinned.rs`. After a change that is meant (and a new version of
//! links, or of `wire`): `SOTTOVOCE_WRITE_GOLDEN=1 cargo test --test media_bytes_are_pinned`, look
//! at the diff, and mend the values at the end of `docs/media-format.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use sottovoce::meeting::{
    Codec, Frame, Input, Invite, LinkSecret, Meeting, Output, Presence, RelayRef, StayId, Surface,
    TrackDescription, TrackKind, Who,
};
use sottovoce::wire::{FromRelay, GroupNumber, ParticipantId, ToRelay, TrackId};

const ADA: ParticipantId = ParticipantId(0x0102_0304);
const BEA: ParticipantId = ParticipantId(0xfffe_fdfc);
const STAY: StayId = StayId(0);
const SOUND: TrackId = TrackId(1);
const PICTURE: TrackId = TrackId(2);

/// The invite at the end of `docs/media-format.md`.
fn invite() -> Invite {
    let relay = |host: &str, port, hashes| RelayRef {
        host: host.into(),
        port,
        hashes,
    };
    Invite::new(
        LinkSecret::from_bytes(std::array::from_fn(|index| index as u8)),
        vec![
            relay("192.0.2.1", 4433, vec![[0xaa; 32]]),
            relay("relay.example", 443, Vec::new()),
        ],
    )
}

fn presence(name: &str) -> Presence {
    let sound = TrackDescription {
        track: SOUND,
        kind: TrackKind::Audio {
            rate: 48_000,
            channels: 2,
        },
        codec: Codec::Opus,
        codec_private: b"OpusHead".to_vec(),
        codec_delay_ns: 6_500_000,
        seek_preroll_ns: 80_000_000,
        default_duration_ns: Some(20_000_000),
    };
    let picture = TrackDescription {
        track: PICTURE,
        kind: TrackKind::Video {
            width: 320,
            height: 180,
        },
        codec: Codec::Vp9,
        codec_private: Vec::new(),
        codec_delay_ns: 0,
        seek_preroll_ns: 0,
        default_duration_ns: None,
    };
    Presence {
        name: name.into(),
        tracks: vec![sound, picture],
        timestamp_scale_ns: 1_000_000,
        tag: [0x5a; 16],
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

/// A meeting whose salts come from this seed.
fn meeting(name: &str, seed: u8) -> Meeting {
    Meeting::new(&invite(), presence(name), [seed; 32])
}

/// The bytes of the one thing that the meeting sends next.
fn sent(meeting: &mut Meeting) -> Vec<u8> {
    let sealed = |said| match said {
        Output::Control {
            message: ToRelay::Send { body, .. },
            ..
        } => Some(body),
        Output::Datagram { payload, .. } => Some(payload.to_vec()),
        Output::GroupFrame { bytes, .. } => Some(bytes.to_vec()),
        _ => None,
    };
    let sent = std::iter::from_fn(|| meeting.poll()).find_map(sealed);
    sent.expect("something is sent")
}

/// Whatever happens in such a meeting, it is never asked when.
fn tell(meeting: &mut Meeting, input: Input) {
    meeting.handle(Duration::ZERO, input);
}

fn of_relay(message: FromRelay) -> Input {
    let stay = STAY;
    Input::Relay { stay, message }
}

/// All that Ada sends in a short meeting, in its order.
fn sealed() -> Vec<(&'static str, Vec<u8>)> {
    let mut ada = meeting("Ada", 7);
    let mut all = Vec::new();
    let welcome = FromRelay::Welcome {
        you: ADA,
        present: vec![BEA],
    };
    tell(&mut ada, of_relay(welcome));
    all.push(("body_1_presence_to_everyone", sent(&mut ada)));
    tell(&mut ada, of_relay(FromRelay::Joined { participant: BEA }));
    all.push(("body_2_presence_to_one", sent(&mut ada)));
    tell(&mut ada, Input::Send(sound()));
    all.push(("datagram_sound", sent(&mut ada)));
    tell(&mut ada, Input::Send(picture()));
    all.push(("group_frame_picture", sent(&mut ada)));
    let ended = Input::Ended {
        track: SOUND,
        frames: 301,
    };
    tell(&mut ada, ended);
    all.push(("body_3_ended", sent(&mut ada)));
    tell(&mut ada, Input::Goodbye);
    all.push(("body_4_goodbye", sent(&mut ada)));
    all
}

fn vocabulary() -> BTreeMap<&'static str, String> {
    let room = |relay| hex(&invite().room_handle(relay).expect("a relay").0);
    let mut all = BTreeMap::from([
        ("link", invite().to_link() + "\n"),
        ("room_1", room(0)),
        ("room_2", room(1)),
    ]);
    all.extend(sealed().iter().map(|(name, bytes)| (*name, hex(bytes))));
    all
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
    if writing() {
        return;
    }
    let read = Invite::parse(&pinned("link"));
    assert!(read.is_ok_and(|read| read == invite()));
}

/// What another participant of today makes of the pinned bytes is what went in.
#[test]
fn pinned_bytes_open_to_what_they_were_made_from() {
    if writing() {
        return;
    }
    let mut bea = meeting("Bea", 8);
    let welcome = FromRelay::Welcome {
        you: BEA,
        present: vec![ADA],
    };
    tell(&mut bea, of_relay(welcome));
    sent(&mut bea);
    for (name, _) in sealed() {
        let bytes = unhex(&pinned(name));
        let input = match name {
            "datagram_sound" => Input::Datagram {
                stay: STAY,
                from: ADA,
                track: SOUND,
                payload: bytes.into(),
            },
            "group_frame_picture" => Input::GroupFrame {
                stay: STAY,
                from: ADA,
                track: PICTURE,
                group: picture().group,
                bytes: bytes.into(),
            },
            _ => of_relay(FromRelay::Message {
                from: ADA,
                body: bytes,
            }),
        };
        tell(&mut bea, input);
        let as_it_was = match bea.poll() {
            Some(Output::Appeared { presence: came, .. }) => came == presence("Ada"),
            Some(Output::Frame { frame, .. }) => frame == sound() || frame == picture(),
            Some(Output::Ended { track, frames, .. }) => (track, frames) == (SOUND, 301),
            Some(Output::Goodbye { who }) => who == Who(0),
            _ => false,
        };
        assert!(as_it_was, "{name}");
        assert!(bea.poll().is_none(), "{name}");
    }
}

/// A second implementation is written from the page, not from the files.
#[test]
fn the_page_shows_the_pinned_values() {
    if writing() {
        return;
    }
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
