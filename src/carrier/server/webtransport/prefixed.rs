//! Bundles with a session's number in front.
//!
//! All who take the same take the same bytes, and a datagram of WebTransport's has one byte more than
//! QUIC's. So one more copy of each bundle is made in a beat, for all browsers together.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

/// Copies that are looked through. Whoever stands next to another in a room most often takes the same.
const KEPT: usize = 16;

/// The last copies of one flush.
#[derive(Default)]
pub(in super::super) struct Prefixed {
    copies: VecDeque<Copy>,
}

struct Copy {
    number: u8,
    /// Held, so that nothing else comes to lie where it lies.
    bundle: Bytes,
    copy: Bytes,
}

impl Prefixed {
    /// `bundle` with `number` in front.
    pub(in super::super) fn with(&mut self, number: u8, bundle: Bytes) -> Bytes {
        let is = |copy: &&Copy| {
            (copy.number, copy.bundle.as_ptr(), copy.bundle.len())
                == (number, bundle.as_ptr(), bundle.len())
        };
        if let Some(found) = self.copies.iter().rev().find(is) {
            return found.copy.clone();
        }
        let mut bytes = BytesMut::with_capacity(1 + bundle.len());
        bytes.put_u8(number);
        bytes.put_slice(&bundle);
        let copy = bytes.freeze();
        if self.copies.len() >= KEPT {
            self.copies.pop_front();
        }
        self.copies.push_back(Copy {
            number,
            bundle,
            copy: copy.clone(),
        });
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_copy_serves_all_who_take_the_same() {
        let mut prefixed = Prefixed::default();
        let bundle = Bytes::from(b"voices".to_vec());
        let copy = prefixed.with(0, bundle.clone());
        assert_eq!(&copy[..], b"\0voices");
        assert_eq!(prefixed.with(0, bundle.clone()).as_ptr(), copy.as_ptr());
        assert_eq!(&prefixed.with(2, bundle.clone())[..], b"\x02voices");
        assert_eq!(&prefixed.with(0, bundle.slice(..5))[..], b"\0voice");
        // As many others as are kept: then it is made again.
        for other in 0..KEPT as u8 {
            let other = Bytes::from(vec![other]);
            assert_eq!(prefixed.with(0, other.clone())[1..], other);
        }
        assert_eq!(&prefixed.with(0, bundle)[..], b"\0voices");
        assert_eq!(prefixed.copies.len(), KEPT);
    }
}
