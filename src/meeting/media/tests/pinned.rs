//! The keys of an epoch, and a frame sealed under them, as `docs/media-format.md` shows them: compared
//! with `tests/golden/media/keys/`, since nothing public gives them away. Values that are meant to
//! change: `SOTTOVOCE_WRITE_GOLDEN=1 cargo test --lib pinned`.

use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::meeting::media::schedule::SenderSecret;
use crate::meeting::media::seal::{Again, Opener, Padding, Sealer};
use crate::meeting::{Frame, LinkSecret};
use crate::wire::{GroupNumber, TrackId};

const TRACK: TrackId = TrackId(2);
const EPOCH: u64 = 3;
const LEAF: u32 = 5;

/// 00 01 02 ... 1f.
fn counting() -> [u8; 32] {
    std::array::from_fn(|index| index as u8)
}

fn salt(hex: &str) -> [u8; 16] {
    let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
    bytes.try_into().unwrap()
}

fn sender() -> SenderSecret {
    let salt = salt("984f788b7e6a7e75e13bebdc99ad0a51");
    SenderSecret::new(&counting(), EPOCH, LEAF, salt)
}

fn frame() -> Frame {
    Frame {
        track: TRACK,
        group: GroupNumber(7),
        number: 1,
        timestamp_ns: 20_000_000,
        keyframe: true,
        invisible: false,
        duration_ns: Some(20_000_000),
        discard_padding_ns: Some(-5),
        payload: Bytes::from_static(b"picture"),
    }
}

fn is_pinned(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/media/keys")
        .join(name)
        .with_extension("hex");
    let now = HEXLOWER.encode(bytes);
    if std::env::var_os("SOTTOVOCE_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, now.clone() + "\n").unwrap();
    }
    let pinned = std::fs::read_to_string(path).unwrap();
    assert_eq!(now, pinned.trim_end(), "{name} changed");
}

#[test]
fn keys_are_as_pinned() {
    let envelope = LinkSecret::from_bytes(counting());
    let envelope = envelope.envelope_key(&salt("c7ea397be7c6c24a9ad30f58ae826274"));
    is_pinned("envelope_key", &*envelope);
    let key = sender().track(TRACK);
    is_pinned("base_key", &key.base[..]);
    is_pinned("key_id", &key.id.to_be_bytes()[5..]);
}

#[test]
fn a_sealed_frame_is_as_pinned_and_opens() {
    let mut sealer = Sealer::new(&sender().track(TRACK)).unwrap();
    let sealed = sealer.seal(
        &frame(),
        0,
        1,
        &frame().payload,
        Padding::Padme,
        Again::default(),
    );
    let sealed = sealed.unwrap();
    is_pinned("sealed_frame", &sealed);
    let mut opener = Opener::new(&sender().track(TRACK)).unwrap();
    let piece = opener.unseal(TRACK, GroupNumber(7), &sealed).unwrap();
    assert!(opener.take(piece) == Some(frame()));
}
