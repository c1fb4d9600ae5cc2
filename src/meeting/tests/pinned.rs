//! The keys, and a frame sealed under them, as `docs/media-format.md` shows them: compared with
//! `tests/golden/media/keys/`, since nothing public gives them away.
//! `tests/media_bytes_are_pinned.rs` pins what is public.

use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::meeting::media::{Opener, Padding, Sealer, TrackKey};
use crate::meeting::{Frame, LinkSecret};
use crate::wire::{GroupNumber, TrackId};

const TRACK: TrackId = TrackId(2);

fn secret() -> LinkSecret {
    LinkSecret::from_bytes(std::array::from_fn(|index| index as u8))
}

fn salt(hex: &str) -> [u8; 16] {
    let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
    bytes.try_into().unwrap()
}

fn media_salt() -> [u8; 16] {
    salt("984f788b7e6a7e75e13bebdc99ad0a51")
}

fn key() -> TrackKey {
    TrackKey::of_link(&secret(), media_salt(), TRACK)
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
    let pinned = std::fs::read_to_string(path).unwrap();
    assert_eq!(HEXLOWER.encode(bytes), pinned.trim_end(), "{name} changed");
}

#[test]
fn keys_are_as_pinned() {
    let envelope = secret().envelope_key(&salt("c7ea397be7c6c24a9ad30f58ae826274"));
    is_pinned("envelope_key", &*envelope);
    let base = secret().media_key(&media_salt(), TRACK.0);
    is_pinned("base_key", &*base);
    let id = secret().media_key_id(&media_salt(), TRACK.0);
    is_pinned("key_id", &id.to_be_bytes()[5..]);
}

#[test]
fn a_sealed_frame_is_as_pinned_and_opens() {
    let mut sealer = Sealer::new(&key()).unwrap();
    let sealed = sealer.seal(&frame(), 0, 1, &frame().payload, Padding::None);
    let sealed = sealed.unwrap();
    is_pinned("sealed_frame", &sealed);
    let mut opener = Opener::new(&key()).unwrap();
    let opened = opener.open(TRACK, GroupNumber(7), &sealed);
    assert!(opened == Ok(Some(frame())));
}
