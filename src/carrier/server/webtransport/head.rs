//! The integers that stand in front of things.

use bytes::Buf;
use quinn_proto::VarInt;
use quinn_proto::coding::Codec;

/// Up to two integers (RFC 9000, section 16), collected however their bytes are cut.
#[derive(Default)]
pub(super) struct Head {
    bytes: [u8; 2 * LONGEST],
    held: usize,
}

/// Bytes of the longest integer.
const LONGEST: usize = 8;

impl Head {
    /// Takes what the first one lacks; it stays.
    pub(super) fn first(&mut self, from: &mut impl Buf) -> Option<u64> {
        self.collect::<1>(from).map(|[first]| first)
    }

    /// Takes what both lack; then the head is empty again.
    pub(super) fn both(&mut self, from: &mut impl Buf) -> Option<[u64; 2]> {
        let both = self.collect(from)?;
        self.held = 0;
        Some(both)
    }

    /// Whether it has a part of what is asked for.
    pub(super) fn is_begun(&self) -> bool {
        self.held > 0
    }

    fn collect<const N: usize>(&mut self, from: &mut impl Buf) -> Option<[u64; N]> {
        loop {
            let mut held = self.bytes.get(..self.held)?;
            if let Some(numbers) = numbers(&mut held) {
                return Some(numbers);
            }
            let free = self.bytes.get_mut(self.held)?;
            if !from.has_remaining() {
                return None;
            }
            *free = from.get_u8();
            self.held += 1;
        }
    }
}

/// Integers, one after the other; `None` when they are cut off.
pub(super) fn numbers<const N: usize>(from: &mut impl Buf) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = VarInt::decode(from).ok()?.into_inner();
    }
    Some(numbers)
}

/// Appends an integer, which must be below 2^62.
pub(super) fn put(into: &mut Vec<u8>, number: u64) {
    VarInt::from_u64(number).unwrap_or(VarInt::MAX).encode(into);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9000, appendix A.1.
    const VECTORS: [(&[u8], u64); 4] = [
        (
            &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            151_288_809_941_952_652,
        ),
        (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
        (&[0x7b, 0xbd], 15_293),
        (&[0x25], 37),
    ];

    #[test]
    fn two_integers_come_out_however_they_are_cut() {
        for (first, one) in VECTORS {
            for (second, two) in VECTORS {
                let bytes = [first, second, b"rest"].concat();
                for cut in 0..first.len() + second.len() {
                    let mut head = Head::default();
                    let (mut begin, mut end) = bytes.split_at(cut);
                    assert_eq!(head.both(&mut begin), None);
                    assert_eq!(head.is_begun(), cut > 0);
                    assert_eq!(head.both(&mut end), Some([one, two]));
                    assert!(end == b"rest" && !head.is_begun());
                }
            }
        }
    }

    #[test]
    fn the_first_stays_for_the_second() {
        let mut head = Head::default();
        let mut bytes = &[0x7b, 0xbd, 0x25][..];
        assert_eq!(head.first(&mut bytes), Some(15_293));
        assert_eq!(bytes, [0x25]);
        assert_eq!(head.first(&mut bytes), Some(15_293));
        assert_eq!(head.both(&mut bytes), Some([15_293, 37]));
    }

    #[test]
    fn what_is_put_is_as_short_as_can_be() {
        for (bytes, number) in VECTORS {
            let mut written = Vec::new();
            put(&mut written, number);
            assert_eq!(written, bytes);
        }
    }
}
