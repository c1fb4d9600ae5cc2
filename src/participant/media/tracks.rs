//! Track entries (RFC 9559, section 5.1.4) in and out.

use super::ebml::{self, id};
use crate::meeting::{Codec, TrackDescription, TrackKind};
use crate::wire::TrackId;

/// Bytes of `CodecPrivate` that are taken: OpusHead has 19, av1C a few dozen. A description
/// travels in a control message, which is bounded.
const CODEC_PRIVATE: usize = 4096;

/// The track number that a meeting knows the sound of an input by.
pub(super) const AUDIO: TrackId = TrackId(0);
/// The track number that a meeting knows the picture of an input by.
pub(super) const VIDEO: TrackId = TrackId(1);

/// A track entry, read.
#[derive(Clone)]
pub(super) struct Entry {
    /// The track's number in its file.
    pub number: u64,
    /// The codec id, fit to be shown.
    pub codec_id: String,
    /// What a meeting needs to know of it; `None` when it cannot carry the track.
    pub description: Option<TrackDescription>,
    /// What header stripping took from the beginning of each frame.
    pub stripped: Vec<u8>,
}

#[derive(Default)]
struct Fields<'a> {
    number: u64,
    codec_id: &'a [u8],
    codec_private: &'a [u8],
    codec_delay_ns: u64,
    seek_preroll_ns: u64,
    default_duration_ns: u64,
    rate: f64,
    channels: u64,
    width: u64,
    height: u64,
    encoding: Encoding<'a>,
}

#[derive(Default)]
enum Encoding<'a> {
    #[default]
    Plain,
    /// The same bytes were taken from the beginning of every frame.
    Stripped(&'a [u8]),
    /// Compressed or encrypted in a way that is not read here.
    Other,
}

/// Reads the body of a TrackEntry. Malformed parts are passed over: what is missing shows.
pub(super) fn parse(body: &[u8]) -> Entry {
    let mut fields = Fields {
        rate: 8000.0,
        channels: 1,
        ..Fields::default()
    };
    for (child, body) in ebml::children(body).flatten() {
        let uint = || ebml::uint(body).unwrap_or(0);
        match child {
            id::TRACK_NUMBER => fields.number = uint(),
            id::CODEC_ID => fields.codec_id = body,
            id::CODEC_PRIVATE => fields.codec_private = body,
            id::CODEC_DELAY => fields.codec_delay_ns = uint(),
            id::SEEK_PRE_ROLL => fields.seek_preroll_ns = uint(),
            id::DEFAULT_DURATION => fields.default_duration_ns = uint(),
            id::AUDIO | id::VIDEO => shape(&mut fields, body),
            id::CONTENT_ENCODINGS => fields.encoding = encoding(body),
            _ => {}
        }
    }
    let description = describe(&fields);
    let stripped = match fields.encoding {
        Encoding::Stripped(bytes) => bytes.to_vec(),
        Encoding::Plain | Encoding::Other => Vec::new(),
    };
    Entry {
        number: fields.number,
        codec_id: shown(fields.codec_id),
        description,
        stripped,
    }
}

fn shape(fields: &mut Fields<'_>, body: &[u8]) {
    for (child, body) in ebml::children(body).flatten() {
        match child {
            id::SAMPLING_FREQUENCY => fields.rate = ebml::float(body).unwrap_or(0.0),
            id::CHANNELS => fields.channels = ebml::uint(body).unwrap_or(0),
            id::PIXEL_WIDTH => fields.width = ebml::uint(body).unwrap_or(0),
            id::PIXEL_HEIGHT => fields.height = ebml::uint(body).unwrap_or(0),
            _ => {}
        }
    }
}

/// Section 5.1.4.1.31 and on. One encoding, of the frames, by header stripping, is read.
fn encoding(body: &[u8]) -> Encoding<'_> {
    const FRAMES: u64 = 1;
    const COMPRESSION: u64 = 0;
    const HEADER_STRIPPING: u64 = 3;
    let mut encodings = ebml::children(body)
        .flatten()
        .filter(|e| e.0 == id::CONTENT_ENCODING);
    let (Some((_, encoding)), None) = (encodings.next(), encodings.next()) else {
        return Encoding::Other;
    };
    let (mut scope, mut kind, mut algorithm, mut settings) = (FRAMES, COMPRESSION, 0, &[][..]);
    for (child, body) in ebml::children(encoding).flatten() {
        match child {
            id::CONTENT_ENCODING_SCOPE => scope = ebml::uint(body).unwrap_or(u64::MAX),
            id::CONTENT_ENCODING_TYPE => kind = ebml::uint(body).unwrap_or(u64::MAX),
            id::CONTENT_COMPRESSION => {
                for (child, body) in ebml::children(body).flatten() {
                    match child {
                        id::CONTENT_COMP_ALGO => algorithm = ebml::uint(body).unwrap_or(u64::MAX),
                        id::CONTENT_COMP_SETTINGS => settings = body,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if (scope, kind, algorithm) == (FRAMES, COMPRESSION, HEADER_STRIPPING) {
        Encoding::Stripped(settings)
    } else {
        Encoding::Other
    }
}

fn describe(fields: &Fields<'_>) -> Option<TrackDescription> {
    if matches!(fields.encoding, Encoding::Other) || fields.codec_private.len() > CODEC_PRIVATE {
        return None;
    }
    let codec = match fields.codec_id {
        b"A_OPUS" => Codec::Opus,
        b"V_VP8" => Codec::Vp8,
        b"V_VP9" => Codec::Vp9,
        b"V_AV1" => Codec::Av1,
        _ => return None,
    };
    let (track, kind) = match codec {
        Codec::Opus => {
            // A float-to-integer cast saturates, and makes 0 of what is no number.
            let kind = TrackKind::Audio {
                rate: fields.rate as u32,
                channels: u8::try_from(fields.channels).ok()?,
            };
            (AUDIO, kind)
        }
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 => {
            let kind = TrackKind::Video {
                width: u32::try_from(fields.width).ok()?,
                height: u32::try_from(fields.height).ok()?,
            };
            (VIDEO, kind)
        }
    };
    Some(TrackDescription {
        track,
        kind,
        codec,
        codec_private: fields.codec_private.to_vec(),
        codec_delay_ns: fields.codec_delay_ns,
        seek_preroll_ns: fields.seek_preroll_ns,
        default_duration_ns: Some(fields.default_duration_ns).filter(|&duration| duration > 0),
        screen: false,
    })
}

/// A codec id as it may be shown: a file can claim anything.
fn shown(codec_id: &[u8]) -> String {
    let text: String = codec_id
        .iter()
        .take(32)
        .map(|&byte| char::from(byte))
        .filter(|c| c.is_ascii_alphanumeric() || "_/.-".contains(*c))
        .collect();
    if text.is_empty() {
        "no name".into()
    } else {
        text
    }
}

/// Appends the TrackEntry of `description` as track `number` of a file.
pub(super) fn put(out: &mut Vec<u8>, number: u8, description: &TrackDescription) {
    let codec_id: &[u8] = match description.codec {
        Codec::Opus => b"A_OPUS",
        Codec::Vp8 => b"V_VP8",
        Codec::Vp9 => b"V_VP9",
        Codec::Av1 => b"V_AV1",
    };
    ebml::put_master(out, id::TRACK_ENTRY, |out| {
        ebml::put_uint(out, id::TRACK_NUMBER, number.into());
        // A random one, as is usual, would tell recordings apart that need not be.
        ebml::put_uint(out, id::TRACK_UID, number.into());
        ebml::put_uint(out, id::FLAG_LACING, 0);
        if description.screen {
            ebml::put_bytes(out, id::NAME, b"screen");
        }
        ebml::put_bytes(out, id::LANGUAGE, b"und");
        ebml::put_bytes(out, id::CODEC_ID, codec_id);
        if !description.codec_private.is_empty() {
            ebml::put_bytes(out, id::CODEC_PRIVATE, &description.codec_private);
        }
        for (id, value) in [
            (id::CODEC_DELAY, description.codec_delay_ns),
            (id::SEEK_PRE_ROLL, description.seek_preroll_ns),
            (
                id::DEFAULT_DURATION,
                description.default_duration_ns.unwrap_or(0),
            ),
        ] {
            if value > 0 {
                ebml::put_uint(out, id, value);
            }
        }
        match description.kind {
            TrackKind::Audio { rate, channels } => {
                ebml::put_uint(out, id::TRACK_TYPE, 2);
                ebml::put_master(out, id::AUDIO, |out| {
                    ebml::put_float(out, id::SAMPLING_FREQUENCY, f64::from(rate.max(1)));
                    ebml::put_uint(out, id::CHANNELS, channels.max(1).into());
                });
            }
            TrackKind::Video { width, height } => {
                ebml::put_uint(out, id::TRACK_TYPE, 1);
                ebml::put_master(out, id::VIDEO, |out| {
                    ebml::put_uint(out, id::PIXEL_WIDTH, width.max(1).into());
                    ebml::put_uint(out, id::PIXEL_HEIGHT, height.max(1).into());
                });
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opus() -> TrackDescription {
        TrackDescription {
            track: AUDIO,
            kind: TrackKind::Audio {
                rate: 48_000,
                channels: 2,
            },
            codec: Codec::Opus,
            codec_private: b"OpusHead and so on".to_vec(),
            codec_delay_ns: 6_500_000,
            seek_preroll_ns: 80_000_000,
            default_duration_ns: None,
            screen: false,
        }
    }

    fn vp9() -> TrackDescription {
        TrackDescription {
            track: VIDEO,
            kind: TrackKind::Video {
                width: 320,
                height: 180,
            },
            codec: Codec::Vp9,
            codec_private: Vec::new(),
            codec_delay_ns: 0,
            seek_preroll_ns: 0,
            default_duration_ns: Some(40_000_000),
            screen: false,
        }
    }

    fn entry_with(extra: impl FnOnce(&mut Vec<u8>)) -> Entry {
        let mut out = Vec::new();
        put(&mut out, 3, &opus());
        let mut body = ebml::children(&out).next().unwrap().unwrap().1.to_vec();
        extra(&mut body);
        parse(&body)
    }

    fn compression(out: &mut Vec<u8>, algorithm: u64, settings: &[u8]) {
        ebml::put_master(out, id::CONTENT_ENCODINGS, |out| {
            ebml::put_master(out, id::CONTENT_ENCODING, |out| {
                ebml::put_master(out, id::CONTENT_COMPRESSION, |out| {
                    ebml::put_uint(out, id::CONTENT_COMP_ALGO, algorithm);
                    ebml::put_bytes(out, id::CONTENT_COMP_SETTINGS, settings);
                });
            });
        });
    }

    #[test]
    fn a_description_comes_back_whole() {
        for description in [opus(), vp9()] {
            let mut out = Vec::new();
            put(&mut out, 5, &description);
            let entry = parse(ebml::children(&out).next().unwrap().unwrap().1);
            assert_eq!(entry.number, 5);
            assert_eq!(entry.description, Some(description));
        }
    }

    #[test]
    fn header_stripping_is_read_and_other_encodings_are_refused() {
        let stripped = entry_with(|out| compression(out, 3, &[0x48, 0x49]));
        assert_eq!(stripped.stripped, [0x48, 0x49]);
        assert!(stripped.description.is_some());
        let zlib = entry_with(|out| compression(out, 0, &[]));
        assert!(zlib.description.is_none());
        assert_eq!(zlib.codec_id, "A_OPUS");
    }

    #[test]
    fn a_codec_id_is_made_fit_to_be_shown() {
        assert_eq!(shown(b"V_MPEG4/ISO/AVC"), "V_MPEG4/ISO/AVC");
        assert_eq!(shown(b"\x1b[31mA\n\xff"), "31mA");
        assert_eq!(shown(b""), "no name");
        assert_eq!(shown(&[b'x'; 5000]).len(), 32);
    }

    #[test]
    fn a_codec_private_too_large_for_a_control_message_is_refused() {
        let entry = entry_with(|out| ebml::put_bytes(out, id::CODEC_PRIVATE, &[0; 4097]));
        assert!(entry.description.is_none());
    }
}
