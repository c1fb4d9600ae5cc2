//! Something to play: a WebM file of a second whose sound and pictures are canaries.

/// A master element, an integer, bytes: what a file of Matroska is made of (RFC 8794).
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64 | 1 << 56).to_be_bytes();
    [id, &size, body].concat()
}

fn number(id: &[u8], value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// A file with sound (Opus, 20 ms a frame) and pictures (VP8, ten a second), in each of whose frames
/// the given bytes stand.
pub(super) fn webm(sound: &[u8], picture: &[u8]) -> Vec<u8> {
    let head = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"webm"));
    let info = element(
        &[0x15, 0x49, 0xa9, 0x66],
        &number(&[0x2a, 0xd7, 0xb1], 1_000_000),
    );
    let opus_head = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0";
    let rate = element(&[0xb5], &48_000f64.to_be_bytes());
    let sound_track = [
        number(&[0xd7], 1),
        number(&[0x73, 0xc5], 1),
        number(&[0x83], 2),
        element(&[0x86], b"A_OPUS"),
        element(&[0x63, 0xa2], opus_head),
        element(&[0xe1], &[rate, number(&[0x9f], 1)].concat()),
    ];
    let size = [number(&[0xb0], 32), number(&[0xba], 16)].concat();
    let picture_track = [
        number(&[0xd7], 2),
        number(&[0x73, 0xc5], 2),
        number(&[0x83], 1),
        element(&[0x86], b"V_VP8"),
        element(&[0xe0], &size),
    ];
    let tracks =
        [sound_track.concat(), picture_track.concat()].map(|track| element(&[0xae], &track));
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &tracks.concat());

    let mut cluster = number(&[0xe7], 0);
    for at in (0..1000_u16).step_by(20) {
        // One frame of CELT, 20 ms, one channel; constant length.
        let mut frame = vec![0xf8];
        frame.extend_from_slice(sound);
        frame.resize(160, 0x55);
        cluster.extend(block(1, at, &frame));
        if at % 100 == 0 {
            let mut frame = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a, 32, 0, 16, 0];
            frame.extend_from_slice(picture);
            frame.resize(900, 0x33);
            cluster.extend(block(2, at, &frame));
        }
    }
    let body = [info, tracks, element(&[0x1f, 0x43, 0xb6, 0x75], &cluster)];
    [head, element(&[0x18, 0x53, 0x80, 0x67], &body.concat())].concat()
}

/// A SimpleBlock that is a key frame.
fn block(track: u8, at: u16, frame: &[u8]) -> Vec<u8> {
    let [high, low] = at.to_be_bytes();
    element(
        &[0xa3],
        &[&[0x80 | track, high, low, 0x80][..], frame].concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participant::media::Source;

    #[test]
    fn a_participant_can_play_it() {
        let file = webm(b"this is sound", b"this is a picture");
        let mut source = Source::from_reader(std::io::Cursor::new(file)).unwrap();
        assert_eq!(source.tracks().len(), 2);
        let mut frames = 0;
        while let Some(frame) = source.next_frame().unwrap() {
            let said: &[u8] = match frame.track.0 {
                0 => b"this is sound",
                _ => b"this is a picture",
            };
            assert!(frame.payload.windows(said.len()).any(|part| part == said));
            frames += 1;
        }
        assert_eq!(frames, 60);
        assert!(source.take_warnings().is_empty());
    }
}
