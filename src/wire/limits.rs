//! Bounds on what the vocabulary can carry, each with what hangs on it.

/// Largest payload of one QUIC DATAGRAM, headers of ours included, in bytes. Firefox announces
/// 1,024; a larger one vanishes there without a word.
pub const DATAGRAM: usize = 1024;

/// Bytes that a downlink bundle entry adds to a payload: sender, track, length.
pub const ENTRY_OVERHEAD: usize = 4 + 1 + 2;

/// Tracks of one participant: their numbers are below this. Who asks for others is closed, so
/// that a participant must not ask for whatever another one describes.
pub const TRACKS: u8 = 16;

/// Largest audio payload (sealed) that a participant may send: it must fit a bundle alone.
pub const AUDIO_PAYLOAD: usize = DATAGRAM - ENTRY_OVERHEAD;

/// The sizes that a control message may have on the stream, in bytes, the two-byte prefix not
/// counted. A message is padded to the smallest that holds it, so that its length says little.
pub const SIZE_CLASSES: [usize; 6] = [64, 256, 1024, 4096, 16384, 32768];

/// Largest sealed control body, in bytes: fits the largest class with room for its envelope.
pub const BODY: usize = 32768 - 64;

/// Most members that a `Welcome` can name; a room cannot have more. Five bytes each, at most, in
/// the largest class.
pub const PRESENT: usize = BODY / 5;

/// Largest sealed frame inside a group, in bytes. A 4K key frame stays below it.
pub const GROUP_FRAME: usize = 4 * 1024 * 1024;

const _: () = {
    let largest = SIZE_CLASSES[SIZE_CLASSES.len() - 1];
    assert!(
        largest <= u16::MAX as usize,
        "a size class is two bytes on the wire"
    );
    let mut class = 1;
    while class < SIZE_CLASSES.len() {
        assert!(
            SIZE_CLASSES[class - 1] < SIZE_CLASSES[class],
            "the smallest that fits is taken"
        );
        class += 1;
    }
    // What stands around a body or a list of members: used length 2, variant 1, two numbers of at
    // most 5 each.
    assert!(BODY + 2 + 1 + 5 + 5 <= largest);
    assert!(PRESENT * 5 <= BODY);
    assert!(AUDIO_PAYLOAD <= super::varint::MAX && GROUP_FRAME <= u32::MAX as usize);
};
