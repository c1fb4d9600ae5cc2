use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::cases;
use crate::wire::limits::GROUP_FRAME;
use crate::wire::{
    DownlinkGroup, GroupFrames, GroupNumber, ParticipantId, TrackId, UplinkGroup, WireError,
    encode_group_frame,
};

#[test]
fn a_header_that_is_cut_or_of_another_kind_is_refused() {
    let up = UplinkGroup {
        track: TrackId(2),
        group: GroupNumber(7),
    };
    let down = DownlinkGroup {
        sender: ParticipantId(5),
        track: TrackId(2),
        group: GroupNumber(7),
    };
    let (up, down) = (up.encode(), down.encode());
    assert_eq!(
        (up.len(), down.len()),
        (UplinkGroup::LEN, DownlinkGroup::LEN)
    );
    for end in 0..up.len() {
        assert_eq!(UplinkGroup::decode(&up[..end]), Err(WireError::Truncated));
    }
    for end in 0..down.len() {
        assert_eq!(
            DownlinkGroup::decode(&down[..end]),
            Err(WireError::Truncated)
        );
    }
    assert_eq!(UplinkGroup::decode(&[2; 6]), Err(WireError::Malformed));
    assert_eq!(DownlinkGroup::decode(&[2; 10]), Err(WireError::Malformed));
}

#[test]
fn a_frame_in_one_piece_is_not_copied() {
    let mut bytes = BytesMut::new();
    for frame in [&b"one"[..], b"", b"three"] {
        bytes.extend_from_slice(&encode_group_frame(frame).expect("small"));
    }
    let bytes = bytes.freeze();
    let mut frames = GroupFrames::new();
    frames.push(bytes.clone());
    assert!(frames.is_incomplete());
    for start in [4, 4 + 3 + 4, 4 + 3 + 4 + 4] {
        let frame = frames.next().expect("well formed").expect("whole");
        assert_eq!(frame.as_ptr(), bytes[start..].as_ptr());
    }
    assert_eq!(frames.next(), Ok(None));
    assert!(!frames.is_incomplete());
}

#[test]
fn a_frame_over_its_limit_is_refused_by_its_length_alone() {
    assert!(encode_group_frame(&vec![0; GROUP_FRAME]).is_ok());
    let over = encode_group_frame(&vec![0; GROUP_FRAME + 1]);
    assert_eq!(over.err(), Some(WireError::TooLarge));
    for pieces in [4, 1] {
        let mut frames = GroupFrames::new();
        let mut last = Ok(None);
        for piece in (GROUP_FRAME as u32 + 1).to_be_bytes().chunks(pieces) {
            frames.push(Bytes::copy_from_slice(piece));
            last = frames.next();
        }
        assert_eq!(last, Err(WireError::TooLarge));
        assert_eq!(frames.next(), Err(WireError::TooLarge));
    }
}

#[test]
fn a_length_alone_allocates_nothing_to_speak_of() {
    let mut frames = GroupFrames::new();
    frames.push(Bytes::copy_from_slice(&(GROUP_FRAME as u32).to_be_bytes()));
    assert_eq!(frames.next(), Ok(None));
    frames.push(Bytes::from_static(&[1; 100]));
    assert_eq!(frames.next(), Ok(None));
    assert!(frames.capacity() < 512, "{} bytes", frames.capacity());
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_goes_in_comes_out_however_it_is_cut(
        sent in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..12),
        cuts in proptest::collection::vec(1..400_usize, 1..12),
        drained in any::<bool>(),
    ) {
        let mut bytes = BytesMut::new();
        for frame in &sent {
            bytes.extend_from_slice(&encode_group_frame(frame).expect("small"));
        }
        let mut frames = GroupFrames::new();
        let mut came = Vec::new();
        let mut cuts = cuts.iter().cycle();
        while !bytes.is_empty() {
            let cut = *cuts.next().expect("endless");
            frames.push(bytes.split_to(cut.min(bytes.len())).freeze());
            while drained && let Some(frame) = frames.next().expect("well formed") {
                came.push(frame);
            }
        }
        while let Some(frame) = frames.next().expect("well formed") {
            came.push(frame);
        }
        prop_assert!(!frames.is_incomplete());
        prop_assert_eq!(came, sent);
    }

    #[test]
    fn headers_come_back(sender in any::<u32>(), track in any::<u8>(), group in any::<u32>()) {
        let (sender, track, group) = (ParticipantId(sender), TrackId(track), GroupNumber(group));
        let up = UplinkGroup { track, group };
        let down = DownlinkGroup { sender, track, group };
        prop_assert_eq!(UplinkGroup::decode(&up.encode()), Ok(up));
        prop_assert_eq!(DownlinkGroup::decode(&down.encode()), Ok(down));
    }

    #[test]
    fn any_bytes_give_frames_or_an_error(
        bytes in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..600),
        cut in 1..50_usize,
    ) {
        let _ = UplinkGroup::decode(&bytes);
        let _ = DownlinkGroup::decode(&bytes);
        let mut frames = GroupFrames::new();
        let mut returned = 0;
        'pieces: for piece in bytes.chunks(cut) {
            frames.push(Bytes::copy_from_slice(piece));
            loop {
                match frames.next() {
                    Ok(Some(frame)) => returned += 4 + frame.len(),
                    Ok(None) => break,
                    Err(_) => break 'pieces,
                }
            }
        }
        prop_assert!(returned <= bytes.len());
    }
}
