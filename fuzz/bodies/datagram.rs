//! Datagrams of both directions.

use bytes::Bytes;
use sottovoce::wire::limits::{AUDIO_PAYLOAD, DATAGRAM};
use sottovoce::wire::{Bundle, BundleEntries, split_uplink};

/// A datagram to the relay.
pub fn uplink(data: &[u8]) {
    let datagram = Bytes::copy_from_slice(data);
    let Ok((track, payload)) = split_uplink(&datagram) else {
        assert!(data.is_empty() || data.len() > 1 + AUDIO_PAYLOAD);
        return;
    };
    assert_eq!(sottovoce::wire::uplink(track, &payload), datagram);
    let mut bundle = Bundle::new();
    let sender = sottovoce::wire::ParticipantId(7);
    assert!(
        bundle.try_push(sender, track, &payload),
        "what a relay takes, it can pass on"
    );
    let entry = BundleEntries::new(bundle.take()).next();
    let entry = entry.and_then(Result::ok).expect("one entry");
    assert!(entry.sender == sender && entry.track == track && entry.payload == payload);
}

/// A bundle from the relay.
pub fn bundle(data: &[u8]) {
    let mut entries = BundleEntries::new(Bytes::copy_from_slice(data));
    let mut again = Bundle::new();
    let mut whole = true;
    let mut taken = 0;
    for entry in &mut entries {
        let Ok(entry) = entry else {
            whole = false;
            continue;
        };
        assert!(whole, "an entry after the error");
        taken += 6 + entry.payload.len();
        // Payloads over the limit are the relay's fault and harm nobody.
        if entry.payload.len() <= AUDIO_PAYLOAD {
            if !again.try_push(entry.sender, entry.track, &entry.payload) {
                again.take();
                assert!(again.try_push(entry.sender, entry.track, &entry.payload));
            }
            assert!(again.len() <= DATAGRAM);
        }
    }
    assert!(taken <= data.len() && (taken == 0 || !data.is_empty()));
    assert!(entries.next().is_none());
}
