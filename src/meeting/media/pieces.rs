//! Sound frames that are too large for one datagram: sent in pieces, put together again.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::meeting::limits::{INCOMPLETE, PIECE, PIECES};

/// How a payload is cut; `None` when it is larger than all pieces together.
pub(super) fn cut(payload: &Bytes) -> Option<Vec<Bytes>> {
    if payload.len() > PIECE * PIECES {
        return None;
    }
    let count = payload.len().div_ceil(PIECE).max(1);
    let piece = |index: usize| payload.slice(index * PIECE..payload.len().min((index + 1) * PIECE));
    Some((0..count).map(piece).collect())
}

/// Frames that wait for their other pieces. Bounded; the oldest goes first.
#[derive(Default)]
pub(super) struct Assembly {
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    pieces: Vec<Option<Bytes>>,
}

impl Assembly {
    /// Takes a piece; gives the whole payload with its last one.
    pub(super) fn put(&mut self, number: u64, piece: u8, of: u8, bytes: Bytes) -> Option<Bytes> {
        if of == 1 && piece == 0 {
            return Some(bytes);
        }
        let (piece, of) = (usize::from(piece), usize::from(of));
        if piece >= of || of > PIECES {
            return None;
        }
        let place = match self.waiting.iter().position(|frame| frame.number == number) {
            Some(place) => place,
            None => {
                if self.waiting.len() == INCOMPLETE {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(Waiting {
                    number,
                    pieces: vec![None; of],
                });
                self.waiting.len() - 1
            }
        };
        let frame = self.waiting.get_mut(place)?;
        *frame.pieces.get_mut(piece)? = Some(bytes);
        if frame.pieces.iter().any(Option::is_none) {
            return None;
        }
        let whole = self.waiting.remove(place)?;
        let mut payload = BytesMut::new();
        for piece in whole.pieces.into_iter().flatten() {
            payload.extend_from_slice(&piece);
        }
        Some(payload.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_together_in_any_order() {
        let payload = Bytes::from((0..2000u32).map(|n| n as u8).collect::<Vec<_>>());
        let pieces = cut(&payload).unwrap();
        assert_eq!(pieces.len(), 3);
        let mut assembly = Assembly::default();
        assert!(assembly.put(1, 2, 3, pieces[2].clone()).is_none());
        assert!(assembly.put(1, 0, 3, pieces[0].clone()).is_none());
        assert_eq!(assembly.put(1, 1, 3, pieces[1].clone()), Some(payload));
        assert!(assembly.waiting.is_empty());
    }

    #[test]
    fn what_never_completes_is_dropped() {
        let mut assembly = Assembly::default();
        for number in 0..1000 {
            assert!(
                assembly
                    .put(number, 0, 2, Bytes::from_static(b"x"))
                    .is_none()
            );
            assert!(assembly.waiting.len() <= INCOMPLETE);
        }
        assert!(
            assembly.put(1, 9, 2, Bytes::new()).is_none(),
            "no such piece"
        );
        assert!(cut(&Bytes::from(vec![0; PIECE * PIECES + 1])).is_none());
        assert_eq!(cut(&Bytes::new()).unwrap().len(), 1);
    }
}
