//! Blocks (RFC 9559, section 10): the frames inside, however they are laced.

use bytes::Bytes;

use super::ebml::{self, Vint, id};

/// A block, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The track's number in its file.
    pub track: u64,
    /// Ticks since the timestamp of its cluster.
    pub relative: i16,
    /// A decoder can begin here.
    pub keyframe: bool,
    /// Decoded but not shown.
    pub invisible: bool,
    /// Of all its frames, in ticks.
    pub duration: Option<u64>,
    pub discard_padding_ns: Option<i64>,
    /// At least one; slices of the body that they came in.
    pub frames: Vec<Bytes>,
}

const KEYFRAME: u8 = 0x80;
const INVISIBLE: u8 = 0x08;
const LACING: u8 = 0x06;

/// Reads the body of a SimpleBlock. `None` when malformed.
pub(super) fn simple(body: &Bytes) -> Option<Block> {
    let Vint::Value {
        value: track,
        length,
        ..
    } = ebml::vint(body)
    else {
        return None;
    };
    let &[high, low, flags] = body.get(length..length + 3)? else {
        return None;
    };
    let data = body.slice(length + 3..);
    Some(Block {
        track,
        relative: i16::from_be_bytes([high, low]),
        keyframe: flags & KEYFRAME != 0,
        invisible: flags & INVISIBLE != 0,
        duration: None,
        discard_padding_ns: None,
        frames: match flags & LACING {
            0 => vec![data],
            lacing => unlace(&data, lacing)?,
        },
    })
}

/// Reads the body of a BlockGroup: the block, and what stands around it. `None` when malformed.
pub(super) fn group(body: &Bytes) -> Option<Block> {
    let (mut block, mut duration, mut padding, mut keyframe) = (None, None, None, true);
    for (child, body) in ebml::children(body).flatten() {
        match child {
            id::BLOCK => block = Some(body),
            id::BLOCK_DURATION => duration = ebml::uint(body),
            id::DISCARD_PADDING => padding = ebml::int(body),
            id::REFERENCE_BLOCK => keyframe = false,
            _ => {}
        }
    }
    let block = simple(&body.slice_ref(block?))?;
    Some(Block {
        keyframe,
        duration,
        discard_padding_ns: padding,
        ..block
    })
}

/// Splits laced frames. All sizes but the last are written down; the last frame is the rest.
fn unlace(data: &Bytes, lacing: u8) -> Option<Vec<Bytes>> {
    let (&count_less_one, mut rest) = data.split_first()?;
    let sized = usize::from(count_less_one);
    let mut sizes = Vec::with_capacity(sized);
    match lacing {
        0x02 => {
            for _ in 0..sized {
                sizes.push(xiph_size(&mut rest)?);
            }
        }
        0x06 => {
            for _ in 0..sized {
                let size = ebml_size(&mut rest, sizes.last().copied())?;
                sizes.push(size);
            }
        }
        _ => {
            let each = rest.len() / (sized + 1);
            if each * (sized + 1) != rest.len() {
                return None;
            }
            sizes.resize(sized, each);
        }
    }
    let mut frames = Vec::with_capacity(sized + 1);
    for size in sizes {
        let frame = rest.get(..size)?;
        rest = &rest[size..];
        frames.push(data.slice_ref(frame));
    }
    frames.push(data.slice_ref(rest));
    Some(frames)
}

/// A run of 255s and one smaller byte, added up.
fn xiph_size(rest: &mut &[u8]) -> Option<usize> {
    let mut size = 0usize;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        size += usize::from(byte);
        if byte != 255 {
            return Some(size);
        }
    }
}

/// The first size as it is, each other as the difference to the one before, half the range added.
fn ebml_size(rest: &mut &[u8], before: Option<usize>) -> Option<usize> {
    let Vint::Value { value, length, .. } = ebml::vint(rest) else {
        return None;
    };
    *rest = rest.get(length..)?;
    let value = i64::try_from(value).ok()?;
    let size = match before {
        None => value,
        Some(before) => {
            let half = (1i64 << (7 * length - 1)) - 1;
            i64::try_from(before).ok()?.checked_add(value - half)?
        }
    };
    usize::try_from(size).ok()
}

/// A frame to write as a block.
pub(super) struct OutgoingBlock<'a> {
    /// The track's number in the file, 1 to 126.
    pub track: u8,
    /// Ticks since the timestamp of its cluster.
    pub relative: i16,
    pub keyframe: bool,
    pub invisible: bool,
    /// In ticks.
    pub duration: Option<u64>,
    /// In nanoseconds.
    pub discard_padding_ns: Option<i64>,
    /// Ticks from this frame back to the one that it depends on; needed when it is no key frame.
    pub reference: i64,
    pub payload: &'a [u8],
}

impl OutgoingBlock<'_> {
    /// Appends a SimpleBlock, or a BlockGroup when the frame has what only that can say.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let invisible = if self.invisible { INVISIBLE } else { 0 };
        if self.duration.is_none() && self.discard_padding_ns.is_none() {
            let keyframe = if self.keyframe { KEYFRAME } else { 0 };
            self.put_block(out, id::SIMPLE_BLOCK, keyframe | invisible);
            return;
        }
        ebml::put_master(out, id::BLOCK_GROUP, |out| {
            self.put_block(out, id::BLOCK, invisible);
            if let Some(duration) = self.duration {
                ebml::put_uint(out, id::BLOCK_DURATION, duration);
            }
            if !self.keyframe {
                ebml::put_int(out, id::REFERENCE_BLOCK, self.reference);
            }
            if let Some(padding) = self.discard_padding_ns {
                ebml::put_int(out, id::DISCARD_PADDING, padding);
            }
        });
    }

    fn put_block(&self, out: &mut Vec<u8>, id: u32, flags: u8) {
        ebml::put_id(out, id);
        ebml::put_size(out, 4 + self.payload.len() as u64);
        out.push(0x80 | self.track);
        out.extend_from_slice(&self.relative.to_be_bytes());
        out.push(flags);
        out.extend_from_slice(self.payload);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames_of(block: &[u8]) -> Option<Vec<Vec<u8>>> {
        let block = simple(&Bytes::copy_from_slice(block))?;
        Some(block.frames.iter().map(|frame| frame.to_vec()).collect())
    }

    #[test]
    fn each_lacing_comes_apart() {
        let plain = [0x81, 0xFF, 0xFE, 0x88, 1, 2, 3];
        let expected = Block {
            track: 1,
            relative: -2,
            keyframe: true,
            invisible: true,
            duration: None,
            discard_padding_ns: None,
            frames: vec![Bytes::from_static(&[1, 2, 3])],
        };
        assert_eq!(simple(&Bytes::copy_from_slice(&plain)), Some(expected));

        let xiph = [0x81, 0, 0, 0x02, 2, 1, 2, 10, 20, 21, 30, 31];
        assert_eq!(
            frames_of(&xiph).unwrap(),
            [vec![10], vec![20, 21], vec![30, 31]]
        );

        let fixed = [0x81, 0, 0, 0x04, 1, 10, 11, 20, 21];
        assert_eq!(frames_of(&fixed).unwrap(), [vec![10, 11], vec![20, 21]]);

        // Sizes 3, then 3 - 2 = 1 (-2 + 63 = 61), then the rest.
        let ebml = [0x81, 0, 0, 0x06, 2, 0x83, 0x80 | 61, 10, 11, 12, 20, 30, 31];
        assert_eq!(
            frames_of(&ebml).unwrap(),
            [vec![10, 11, 12], vec![20], vec![30, 31]]
        );
    }

    #[test]
    fn xiph_sizes_past_255_add_up() {
        let mut block = vec![0x81, 0, 0, 0x02, 1, 255, 45];
        block.extend([7; 300]);
        block.extend([8; 5]);
        assert_eq!(frames_of(&block).unwrap(), [vec![7; 300], vec![8; 5]]);
    }

    #[test]
    fn malformed_blocks_are_none() {
        for block in [
            &[][..],
            &[0x81],
            &[0x81, 0, 0],
            &[0x81, 0, 0, 0x02],
            &[0x81, 0, 0, 0x02, 1, 255],
            &[0x81, 0, 0, 0x02, 1, 9, 1],
            &[0x81, 0, 0, 0x04, 1, 1, 2, 3],
            &[0x81, 0, 0, 0x06, 2, 0x81, 0x80, 1],
        ] {
            assert_eq!(frames_of(block), None, "{block:x?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_are_taken_apart_without_panic(
            body in proptest::collection::vec(any::<u8>(), 0..600),
        ) {
            if let Some(frames) = frames_of(&body) {
                prop_assert!(frames.iter().map(Vec::len).sum::<usize>() < body.len());
            }
        }

        #[test]
        fn what_is_put_is_read(
            relative: i16, keyframe: bool, invisible: bool, duration: Option<u64>,
            discard_padding_ns: Option<i64>,
            payload in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut out = Vec::new();
            let block = OutgoingBlock {
                track: 2, relative, keyframe, invisible, duration, discard_padding_ns,
                reference: -1, payload: &payload,
            };
            block.put(&mut out);
            let (element, body) = ebml::children(&out).next().unwrap().unwrap();
            let body = Bytes::copy_from_slice(body);
            let read = if element == id::SIMPLE_BLOCK { simple(&body) } else { group(&body) };
            let frames = vec![payload.into()];
            let expected = Block {
                track: 2, relative, keyframe, invisible, duration, discard_padding_ns, frames,
            };
            prop_assert_eq!(read, Some(expected));
        }
    }
}
