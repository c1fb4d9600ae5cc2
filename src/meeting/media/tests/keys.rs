//! What opens, and what does not.

use hkdf::Hkdf;
use sframe::CipherSuite;
use sframe::frame::EncryptedFrameView;
use sframe::key::DecryptionKey;
use sha2::Sha256;

use super::*;
use crate::wire::limits::{AUDIO_PAYLOAD, GROUP_FRAME};

#[test]
fn frames_come_out_as_they_went_in() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    for (number, size) in (0..).zip([0, 1, 2, 159, 160, 1000, 65_537, 1_000_000]) {
        let payload: Vec<u8> = (0..size).map(|n: u32| (n * 7) as u8).collect();
        let frame = frame(PICTURE, number, &payload);
        let sealed = sender.seal(at(0), &frame, VIDEO).unwrap();
        assert_eq!(sealed.len(), 1);
        let opened = receiver.open(at(0), PICTURE, frame.group, &sealed[0]);
        assert!(opened == Ok(Opened::Frame(frame)), "{size} bytes");
    }
    for (number, size) in (0..).zip([0, 1, 60, 900, 901, 14_400]) {
        let frame = frame(SOUND, number, &vec![number as u8; size]);
        let mut opened = Vec::new();
        for piece in sender.seal(at(0), &frame, AUDIO).unwrap() {
            assert!(piece.len() <= AUDIO_PAYLOAD);
            opened.push(hear(&mut receiver, at(0), &piece));
        }
        let last = opened.pop().unwrap();
        assert!(last == Ok(Opened::Frame(frame)), "{size} bytes");
        assert!(opened.iter().all(|opened| is(opened, Ok(Opened::Piece))));
    }
}

#[test]
fn sizes_of_pictures_are_classes_and_sizes_of_sound_are_the_sources() {
    let mut sender = sender(1);
    let mut size = |length: usize| {
        let mut frame = frame(PICTURE, 1, &vec![1; length]);
        frame.number = 1000;
        sender.seal(at(0), &frame, VIDEO).unwrap()[0].len() as i64
    };
    // The counter in SFrame's header takes a byte or two, which says how many came before.
    let sizes: std::collections::BTreeSet<_> = (100_000..100_500).map(|n| size(n) & !3).collect();
    assert!(sizes.len() <= 3, "{sizes:?}");
    let mut sender = super::sender(1);
    let mut size = |length| {
        sender
            .seal(at(0), &frame(SOUND, 1, &vec![1; length]), AUDIO)
            .unwrap()[0]
            .len()
    };
    assert_eq!(size(60) + 1, size(61));
}

#[test]
fn the_largest_picture_is_sealed_and_larger_ones_are_refused() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    let largest = GROUP_FRAME - 100;
    let frame = |size| super::frame(PICTURE, 1, &vec![7; size]);
    let sealed = sender.seal(at(0), &frame(largest), VIDEO).unwrap();
    assert!(sealed[0].len() <= GROUP_FRAME);
    let opened = receiver.open(at(0), PICTURE, GroupNumber(7), &sealed[0]);
    assert!(opened == Ok(Opened::Frame(frame(largest))));
    for size in [GROUP_FRAME - 20, GROUP_FRAME, GROUP_FRAME + 1] {
        let sealed = sender.seal(at(0), &frame(size), VIDEO);
        assert_eq!(sealed, Err(Rejection::TooLarge));
    }
    let sound = super::frame(SOUND, 1, &[0; 14_401]);
    assert_eq!(sender.seal(at(0), &sound, AUDIO), Err(Rejection::TooLarge));
}

#[test]
fn a_frame_opens_in_its_own_place_alone() {
    let mut sender = sender(1);
    let sealed = sound(&mut sender, at(0), 0);
    let refused = |mut receiver: ReceiverKeys, track, group| {
        let opened = receiver.open(at(0), track, GroupNumber(group), &sealed);
        !matches!(opened, Ok(Opened::Frame(_) | Opened::Piece))
    };
    assert!(!refused(receiver(1), SOUND, 0), "its own place");
    assert!(refused(receiver(1), PICTURE, 0), "another track");
    assert!(refused(receiver(1), SOUND, 1), "another group");
    assert!(refused(receiver(2), SOUND, 0), "another epoch");
    let other = |leaf, salt, epoch, base: &[u8; 32]| {
        let mut receiver = ReceiverKeys::new(leaf, salt);
        receiver.epoch(at(0), epoch, base);
        receiver
    };
    let base = base(1);
    assert!(!refused(other(LEAF, SALT, 1, &base), SOUND, 0));
    assert!(
        refused(other(LEAF + 1, SALT, 1, &base), SOUND, 0),
        "another leaf"
    );
    assert!(
        refused(other(LEAF, [1; 16], 1, &base), SOUND, 0),
        "another salt"
    );
    assert!(
        refused(other(LEAF, SALT, 2, &base), SOUND, 0),
        "another number of the epoch"
    );
    assert!(
        refused(other(LEAF, SALT, 1, &[9; 32]), SOUND, 0),
        "another meeting"
    );
    assert!(refused(receiver(1), TrackId(16), 0), "no such track");
}

#[test]
fn the_key_alone_does_not_hold_a_frame_in_its_place() {
    // The same key id and key, so that nothing but what is authenticated besides tells them apart.
    let mut sender = sender(1);
    let sealed = sound(&mut sender, at(0), 0);
    let opened = receiver(1).open(at(0), SOUND, GroupNumber(1), &sealed);
    assert!(is(&opened, Err(Rejection::NotAuthentic)));
}

#[test]
fn every_changed_bit_is_refused() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    let sealed = sound(&mut sender, at(0), 0);
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = hear(&mut receiver, at(0), &changed.into());
        assert!(
            !is_frame(&opened) && opened != Ok(Opened::Piece),
            "bit {bit}"
        );
    }
    assert!(
        is_frame(&hear(&mut receiver, at(0), &sealed)),
        "and none did harm"
    );
}

#[test]
fn a_second_copy_is_refused_and_does_no_harm() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    for number in 0..100 {
        let sealed = sound(&mut sender, at(number), number);
        assert!(is_frame(&hear(&mut receiver, at(number), &sealed)));
        let again = hear(&mut receiver, at(number), &sealed);
        assert!(is(&again, Err(Rejection::Replay)));
    }
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    let frame = frame(PICTURE, 1, &[7; 1000]);
    let track = super::super::schedule::SenderSecret::new(&base(1), 1, LEAF, SALT).track(PICTURE);
    let key = super::super::cipher::SealKey::new(&track.base[..], track.id).unwrap();
    // number, time, flags, duration, discard padding, piece, pieces, again, begun again, length,
    // payload, padding
    let mut plain = vec![1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 2, 9, 9, 0, 0];
    let mut context = *b"frame 2\x02................\0\0\0\x07";
    context[8..24].copy_from_slice(&SALT);
    let seal = |counter, plain: &[u8]| {
        let mut begun = key.begin(counter, plain.len()).unwrap();
        begun.extend_from_slice(plain);
        key.seal(counter, begun, &context).unwrap()
    };
    let mut receiver = receiver(1);
    let sealed = seal(0, &plain);
    let opened = receiver.open(at(0), PICTURE, frame.group, &sealed);
    assert!(matches!(opened, Ok(Opened::Frame(frame)) if frame.payload[..] == [9, 9]));
    plain[14] = 1;
    let sealed = seal(1, &plain);
    let opened = receiver.open(at(0), PICTURE, frame.group, &sealed);
    assert!(is(&opened, Err(Rejection::Malformed)));
    // Says that it is longer than it is.
    plain[8] = 5;
    let sealed = seal(2, &plain);
    let opened = receiver.open(at(0), PICTURE, frame.group, &sealed);
    assert!(is(&opened, Err(Rejection::Malformed)));
}

/// The schedule written a second time, from `docs/media-format.md`.
#[test]
fn keys_are_those_of_the_page() {
    fn derive<const N: usize>(key: &[u8], label: &str, context: &[&[u8]]) -> [u8; N] {
        let mut info = Vec::new();
        for part in [label.as_bytes()].iter().chain(context) {
            info.extend((part.len() as u32).to_be_bytes());
            info.extend(*part);
        }
        let mut out = [0; N];
        let hkdf = Hkdf::<Sha256>::new(Some(b"sottovoce 1"), key);
        hkdf.expand(&info, &mut out).unwrap();
        out
    }
    let context: [&[u8]; 3] = [&3u64.to_be_bytes(), &LEAF.to_be_bytes(), &SALT];
    let sender_secret: [u8; 32] = derive(&base(3), "media sender", &context);
    let track_key: [u8; 32] = derive(&sender_secret, "media track", &[&[1]]);
    let [a, b, c] = derive(&sender_secret, "media track id", &[&[1]]);
    let id = u64::from(u32::from_be_bytes([0, a, b, c]));

    let sealed = sound(&mut sender(3), at(0), 1);
    let mut aad = *b"frame 2\x01................\0\0\0\0";
    aad[8..24].copy_from_slice(&SALT);
    let view = EncryptedFrameView::try_with_meta_data(&sealed, &aad).unwrap();
    assert_eq!(view.header().key_id(), id);
    let key = DecryptionKey::derive_from(CipherSuite::AesGcm128Sha256, id, track_key).unwrap();
    let plain = view.decrypt(&key).unwrap();
    assert!(
        plain
            .payload()
            .ends_with(b"\x00\x00\x00\x00\x00\x01\x00\x00\x05sound")
    );
}
