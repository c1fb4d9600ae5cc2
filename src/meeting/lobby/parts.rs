//! A payload that is too large for one answer: sent in parts, put together again.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::limits::{PART, PARTS};

/// Part number `index` of `of`.
#[derive(Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) index: u8,
    pub(super) of: u8,
    pub(super) bytes: Vec<u8>,
}

impl Part {
    /// Cuts out one part; `None` when there is no such part.
    pub(super) fn cut(payload: &[u8], index: u8) -> Option<Self> {
        let of = count(payload)?;
        let bytes = match payload.is_empty() {
            true => &[],
            false => payload.chunks(PART).nth(index.into())?,
        };
        (index < of).then(|| Self {
            index,
            of,
            bytes: bytes.to_vec(),
        })
    }

    pub(super) fn is_within_bounds(&self) -> bool {
        self.index < self.of && usize::from(self.of) <= PARTS && self.bytes.len() <= PART
    }
}

/// How many parts a payload has; `None` when it is larger than all of them.
pub(super) fn count(payload: &[u8]) -> Option<u8> {
    let count = payload.len().div_ceil(PART).max(1);
    u8::try_from(count).ok().filter(|_| count <= PARTS)
}

/// Parts of one payload that have come, in any order.
#[derive(Default)]
pub(super) struct Assembly {
    parts: Vec<Option<Zeroizing<Vec<u8>>>>,
}

impl Assembly {
    /// Takes a part within bounds; gives the whole payload with its last one. A part of a payload of
    /// another length begins a new one.
    pub(super) fn put(&mut self, part: Part) -> Option<Zeroizing<Vec<u8>>> {
        if self.parts.len() != usize::from(part.of) {
            self.parts = vec![None; part.of.into()];
        }
        *self.parts.get_mut(usize::from(part.index))? = Some(Zeroizing::new(part.bytes));
        if self.parts.iter().any(Option::is_none) {
            return None;
        }
        let length = self.parts.iter().flatten().map(|part| part.len()).sum();
        let mut payload = Zeroizing::new(Vec::with_capacity(length));
        for part in self.parts.drain(..).flatten() {
            payload.extend_from_slice(&part);
        }
        Some(payload)
    }
}
