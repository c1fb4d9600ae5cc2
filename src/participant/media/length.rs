//! How long a frame lasts.

use crate::meeting::{Codec, TrackDescription};
use crate::wire::TrackId;

/// What is known for certain, in nanoseconds: the container's word for the frame or for all frames
/// of its track, else the codec's.
pub(super) fn stated_ns(
    track: &TrackDescription,
    duration_ns: Option<u64>,
    payload: &[u8],
) -> Option<u64> {
    let opus = || {
        (track.codec == Codec::Opus)
            .then(|| opus_ns(payload))
            .flatten()
    };
    duration_ns.or(track.default_duration_ns).or_else(opus)
}

/// Guesses what is not stated: as long as the time since the track's frame before.
#[derive(Clone, Default)]
pub(super) struct Gaps {
    last_ns: Vec<(TrackId, u64)>,
}

impl Gaps {
    /// The guess for the frame at `now_ns`.
    pub fn guess_ns(&mut self, track: TrackId, now_ns: u64) -> u64 {
        match self.last_ns.iter_mut().find(|last| last.0 == track) {
            Some((_, last)) => now_ns.saturating_sub(std::mem::replace(last, now_ns)),
            None => {
                self.last_ns.push((track, now_ns));
                0
            }
        }
    }
}

/// The duration of an Opus packet (RFC 6716, section 3.1) in nanoseconds; `None` for bytes that
/// are none.
fn opus_ns(packet: &[u8]) -> Option<u64> {
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
    (1..=120_000).contains(&total).then_some(total * 1000)
}

#[cfg(test)]
mod tests {
    use super::opus_ns;

    #[test]
    fn durations_follow_the_table_of_the_rfc() {
        assert_eq!(opus_ns(&[]), None);
        assert_eq!(opus_ns(&[0x48]), Some(20_000_000), "SILK wideband 20 ms");
        assert_eq!(opus_ns(&[0x18]), Some(60_000_000), "SILK narrowband 60 ms");
        assert_eq!(opus_ns(&[0x78]), Some(20_000_000), "hybrid fullband 20 ms");
        assert_eq!(opus_ns(&[0xE0]), Some(2_500_000), "CELT fullband 2.5 ms");
        assert_eq!(opus_ns(&[0xF9]), Some(40_000_000), "two frames of 20 ms");
        assert_eq!(
            opus_ns(&[0xFB, 3]),
            Some(60_000_000),
            "three frames of 20 ms"
        );
        assert_eq!(opus_ns(&[0xFB]), None);
        assert_eq!(opus_ns(&[0xFB, 0]), None);
        assert_eq!(opus_ns(&[0xFB, 63]), None, "over 120 ms");
    }
}
