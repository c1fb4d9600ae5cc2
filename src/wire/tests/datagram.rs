use bytes::Bytes;
use proptest::prelude::*;

use super::cases;
use crate::wire::limits::{AUDIO_PAYLOAD, DATAGRAM, ENTRY_OVERHEAD};
use crate::wire::{Bundle, BundleEntries, ParticipantId, TrackId, WireError, split_uplink, uplink};

#[test]
fn the_largest_payload_fills_a_bundle_alone() {
    let mut bundle = Bundle::new();
    assert!(!bundle.try_push(ParticipantId(1), TrackId(1), &[0; AUDIO_PAYLOAD + 1]));
    assert!(bundle.is_empty());
    assert!(bundle.try_push(ParticipantId(1), TrackId(1), &[0; AUDIO_PAYLOAD]));
    assert_eq!(bundle.len(), DATAGRAM);
    assert!(!bundle.try_push(ParticipantId(1), TrackId(1), &[]));
    assert_eq!(bundle.take().len(), DATAGRAM);
    assert!(bundle.is_empty());

    let datagram = uplink(TrackId(3), &[0; AUDIO_PAYLOAD]);
    assert!(split_uplink(&datagram).is_ok());
    let datagram = uplink(TrackId(3), &[0; AUDIO_PAYLOAD + 1]);
    assert_eq!(split_uplink(&datagram).err(), Some(WireError::TooLarge));
    assert_eq!(
        split_uplink(&Bytes::new()).err(),
        Some(WireError::Truncated)
    );
}

#[test]
fn payloads_are_slices_of_what_came() {
    let datagram = uplink(TrackId(3), b"sealed");
    let (_, payload) = split_uplink(&datagram).expect("well formed");
    assert_eq!(payload.as_ptr(), datagram[1..].as_ptr());

    let mut bundle = Bundle::new();
    assert!(bundle.try_push(ParticipantId(1), TrackId(1), b"sealed"));
    let bundle = bundle.take();
    let entry = BundleEntries::new(bundle.clone())
        .next()
        .expect("one")
        .expect("well formed");
    assert_eq!(entry.payload.as_ptr(), bundle[6..].as_ptr());
}

#[test]
fn a_bundle_that_ends_too_early_gives_what_is_whole_then_one_error() {
    let mut bundle = Bundle::new();
    assert!(bundle.try_push(ParticipantId(1), TrackId(1), &[1; 100]));
    let first = bundle.len();
    assert!(bundle.try_push(ParticipantId(2), TrackId(1), &[2; 100]));
    let bundle = bundle.take();
    for end in first + 1..bundle.len() {
        let mut entries = BundleEntries::new(bundle.slice(..end));
        assert!(entries.next().is_some_and(|entry| entry.is_ok()));
        assert_eq!(
            entries.next().map(|entry| entry.err()),
            Some(Some(WireError::Truncated))
        );
        assert!(entries.next().is_none());
    }
    assert_eq!(BundleEntries::new(bundle.slice(..first)).count(), 1);
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_goes_in_comes_out(
        frames in proptest::collection::vec(
            (any::<u32>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..20),
    ) {
        let mut bundle = Bundle::new();
        let mut pushed = Vec::new();
        for (sender, track, payload) in &frames {
            let before = bundle.len();
            if bundle.try_push(ParticipantId(*sender), TrackId(*track), payload) {
                prop_assert_eq!(bundle.len(), before + Bundle::entry_len(payload.len()));
                prop_assert!(bundle.len() <= before + ENTRY_OVERHEAD + payload.len());
                pushed.push((*sender, *track, payload.clone()));
            } else {
                prop_assert_eq!(bundle.len(), before);
                prop_assert!(before + Bundle::entry_len(payload.len()) > DATAGRAM);
            }
            let (came, rest) = split_uplink(&uplink(TrackId(*track), payload)).expect("well formed");
            prop_assert_eq!((came.0, &rest[..]), (*track, &payload[..]));
        }
        let came: Vec<_> = BundleEntries::new(bundle.take())
            .map(|entry| entry.expect("well formed"))
            .map(|entry| (entry.sender.0, entry.track.0, entry.payload.to_vec()))
            .collect();
        prop_assert_eq!(came, pushed);
    }

    #[test]
    fn any_bytes_give_entries_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
        let bytes = Bytes::from(bytes);
        let mut taken = 0;
        for entry in BundleEntries::new(bytes.clone()).flatten() {
            taken += 6 + entry.payload.len();
        }
        prop_assert!(taken <= bytes.len());
        if let Ok((_, payload)) = split_uplink(&bytes) {
            prop_assert_eq!(payload.len() + 1, bytes.len());
        }
    }
}
