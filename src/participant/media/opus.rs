//! What has to be known of Opus packets (RFC 6716, section 3): how long one lasts, and how to write one
//! of silence that looks like another from outside.

use bytes::Bytes;

use crate::meeting::{Codec, TrackDescription};

/// Most microseconds of a packet.
const LONGEST: u64 = 120_000;

/// CELT's frames, fullband: microseconds, and the number that stands for them (section 3.1).
const CELT: [(u64, u8); 4] = [(20_000, 31), (10_000, 30), (5_000, 29), (2_500, 28)];

/// A frame of CELT, of any length, whose first bit says that it is silent (section 4.3).
const SILENT: [u8; 2] = [0xFF, 0xFE];

/// The packet goes on for so long, in nanoseconds; `None` for bytes that are no packet.
pub(super) fn lasts_ns(packet: &[u8]) -> Option<u64> {
    let toc = *packet.first()?;
    let microseconds = match toc >> 3 {
        config @ 0..=11 => [10_000, 20_000, 40_000, 60_000][usize::from(config % 4)],
        config @ 12..=15 => [10_000, 20_000][usize::from(config % 2)],
        config => [2_500, 5_000, 10_000, 20_000][usize::from(config % 4)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3F),
    };
    let total = microseconds * frames;
    (1..=LONGEST).contains(&total).then_some(total * 1000)
}

/// Whether packets of this track can be [replaced](silence): those of several streams
/// (RFC 7845, section 5.1.1) have more than one packet inside.
pub(in crate::participant) fn is_one_stream(track: &TrackDescription) -> bool {
    /// Where OpusHead says how its channels are mapped.
    const MAPPING: usize = 18;
    track.codec == Codec::Opus && track.codec_private.get(MAPPING) == Some(&0)
}

/// A packet of silence that lasts as long as `packet` and has as many bytes; `None` when `packet` is none.
///
/// Fullband CELT frames in a packet of code 3 (section 3.2.5), filled with its padding, which has to be
/// zeros. One that is too small for that holds frames of no bytes, which a decoder fills by itself
/// (section 3.2.1), and one of a single byte holds nothing anyway.
pub(in crate::participant) fn silence(packet: &[u8]) -> Option<Bytes> {
    const HEAD: usize = 2;
    const PADDED: u8 = 0x40;
    let lasts = lasts_ns(packet)? / 1000;
    let (each, config) = CELT.into_iter().find(|(each, _)| lasts % each == 0)?;
    let count = u8::try_from(lasts / each).ok()?;
    let toc = config << 3 | packet.first()? & 4 | 3;
    let Some(room) = packet.len().checked_sub(HEAD) else {
        return Some(Bytes::copy_from_slice(packet));
    };
    let frames = SILENT.repeat(usize::from(count));
    let frames = if frames.len() <= room {
        &frames[..]
    } else {
        &[]
    };
    let padding = room - frames.len();
    let mut silent = Vec::with_capacity(packet.len());
    silent.extend([toc, count]);
    if let Some(beyond) = padding.checked_sub(1) {
        // Of the padding's bytes the first ones say how many follow: 255 stands for 254 and another one.
        silent[1] |= PADDED;
        silent.resize(HEAD + beyond / 255, 255);
        silent.push((beyond % 255) as u8);
    }
    silent.extend_from_slice(frames);
    silent.resize(packet.len(), 0);
    Some(silent.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_the_table_of_the_rfc() {
        assert_eq!(lasts_ns(&[]), None);
        assert_eq!(lasts_ns(&[0x48]), Some(20_000_000), "SILK wideband 20 ms");
        assert_eq!(lasts_ns(&[0x18]), Some(60_000_000), "SILK narrowband 60 ms");
        assert_eq!(lasts_ns(&[0x78]), Some(20_000_000), "hybrid fullband 20 ms");
        assert_eq!(lasts_ns(&[0xE0]), Some(2_500_000), "CELT fullband 2.5 ms");
        assert_eq!(lasts_ns(&[0xF9]), Some(40_000_000), "two frames of 20 ms");
        assert_eq!(
            lasts_ns(&[0xFB, 3]),
            Some(60_000_000),
            "three frames of 20 ms"
        );
        assert_eq!(lasts_ns(&[0xFB]), None);
        assert_eq!(lasts_ns(&[0xFB, 0]), None);
        assert_eq!(lasts_ns(&[0xFB, 63]), None, "over 120 ms");
    }

    /// The frames of a packet of code 3, by section 3.2.5 and its requirements R1, R6 and R7 (section 3.4).
    fn frames(packet: &[u8]) -> Vec<&[u8]> {
        assert_eq!(packet[0] & 3, 3);
        let (count, mut rest) = (usize::from(packet[1] & 0x3F), &packet[2..]);
        assert_eq!(packet[1] & 0x80, 0, "all of one size");
        assert!(count >= 1);
        let mut padding = 0;
        let mut more = packet[1] & 0x40 != 0;
        while more {
            let (first, after) = rest.split_first().expect("a length");
            (more, rest) = (*first == 255, after);
            padding += usize::from(*first) - usize::from(more);
        }
        let (data, zeros) = rest.split_at(rest.len() - padding);
        assert!(zeros.iter().all(|byte| *byte == 0));
        assert_eq!(data.len() % count, 0, "R6");
        let each = data.len() / count;
        (0..count).map(|at| &data[at * each..][..each]).collect()
    }

    #[test]
    fn silence_is_as_long_and_as_large_as_what_it_stands_for() {
        for config in 0..32u8 {
            for stereo in [0, 4] {
                for code in 0..4 {
                    for count in 1..=48 {
                        for length in [2, 3, 4, 5, 6, 60, 98, 99, 256, 257, 258, 259, 600, 1275] {
                            let mut packet = vec![0xA5; length];
                            packet[..2].copy_from_slice(&[config << 3 | stereo | code, count]);
                            let Some(lasts) = lasts_ns(&packet) else {
                                assert!(silence(&packet).is_none());
                                continue;
                            };
                            let silent = silence(&packet).expect("silence");
                            assert_eq!(silent.len(), length);
                            assert_eq!(lasts_ns(&silent), Some(lasts));
                            assert_eq!(silent[0] & 4, stereo);
                            let frames = frames(&silent);
                            let enough = length >= 2 + 2 * frames.len();
                            let expected = if enough { &SILENT[..] } else { &[] };
                            assert!(frames.iter().all(|frame| *frame == expected));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_holds_nothing_stays_and_what_is_no_packet_is_refused() {
        assert_eq!(silence(&[0x48]).as_deref(), Some(&[0x48][..]));
        assert_eq!(silence(&[]), None);
        assert_eq!(silence(&[0xFB, 0, 1, 2]), None);
        assert_eq!(
            silence(&[0x78, 1, 2, 3]).as_deref(),
            Some(&[0xFB, 1, 0xFF, 0xFE][..])
        );
    }
}
