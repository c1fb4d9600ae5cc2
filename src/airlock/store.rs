//! Fixed places for what must never be copied or left behind.

use std::ops::{Index, IndexMut};

use zeroize::Zeroize;

/// Items in chunks that never move: growing adds a chunk, so no copy of an item
/// is left in freed memory. An item is wiped when it is taken out.
pub(super) struct Store<T: Default + Zeroize> {
    chunks: Vec<Box<[T]>>,
    free: Vec<u32>,
    bound: usize,
}

/// Items in a chunk: small enough for a meeting of ten, few enough chunks for 10,000.
const CHUNK: usize = 64;

impl<T: Default + Zeroize> Store<T> {
    /// An empty store of at most `bound` items.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            bound: bound.min(u32::MAX as usize / 2),
        }
    }

    /// A place with a blank item; `None` when the store is full.
    pub(super) fn take(&mut self) -> Option<u32> {
        if self.free.is_empty() {
            let start = self.chunks.len() * CHUNK;
            let end = (start + CHUNK).min(self.bound);
            if start >= end {
                return None;
            }
            self.chunks
                .push((start..end).map(|_| T::default()).collect());
            self.free.extend((start as u32..end as u32).rev());
        }
        self.free.pop()
    }

    /// Wipes the item and takes its place back.
    pub(super) fn give_back(&mut self, place: u32) {
        self[place].zeroize();
        self.free.push(place);
    }

    /// The item, if such a place exists.
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.chunks
            .get(place as usize / CHUNK)?
            .get(place as usize % CHUNK)
    }

    /// All chunks.
    #[cfg(test)]
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[T]> {
        self.chunks.iter().map(|chunk| &chunk[..])
    }
}

impl<T: Default + Zeroize> Index<u32> for Store<T> {
    type Output = T;
    fn index(&self, place: u32) -> &T {
        &self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }
}

impl<T: Default + Zeroize> IndexMut<u32> for Store<T> {
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }
}

impl<T: Default + Zeroize> Drop for Store<T> {
    fn drop(&mut self) {
        self.chunks
            .iter_mut()
            .flat_map(|chunk| chunk.iter_mut())
            .for_each(Zeroize::zeroize);
    }
}
