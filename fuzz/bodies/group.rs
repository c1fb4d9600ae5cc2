//! Groups.

use bytes::Bytes;
use sottovoce::wire::limits::GROUP_FRAME;
use sottovoce::wire::{DownlinkGroup, GroupFrames, UplinkGroup, WireError, encode_group_frame};

use super::pieces;

/// The headers of both directions.
pub fn group_headers(data: &[u8]) {
    match UplinkGroup::decode(data) {
        Ok(header) => assert_eq!(header.encode(), data[..UplinkGroup::LEN]),
        Err(error) => assert!(error != WireError::Truncated || data.len() < UplinkGroup::LEN),
    }
    match DownlinkGroup::decode(data) {
        Ok(header) => assert_eq!(header.encode(), data[..DownlinkGroup::LEN]),
        Err(error) => assert!(error != WireError::Truncated || data.len() < DownlinkGroup::LEN),
    }
}

/// What comes after the header.
pub fn group_frames(data: &[u8]) {
    let mut stream = Vec::new();
    let mut frames = GroupFrames::new();
    for piece in pieces(data) {
        frames.push(Bytes::copy_from_slice(piece));
        loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    assert!(frame.len() <= GROUP_FRAME);
                    stream.extend(encode_group_frame(&frame).expect("within its limit"));
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error, WireError::TooLarge);
                    assert_eq!(frames.next(), Err(error), "an error that went away");
                    return;
                }
            }
        }
    }
    let came = data.get(1..).unwrap_or(&[]);
    assert!(came.starts_with(&stream), "frames that were never sent");
    assert_eq!(frames.is_incomplete(), stream.len() < came.len());
}
