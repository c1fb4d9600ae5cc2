//! An open-addressing hash index: from a hash to a place in a [`Store`](super::store::Store).

use zeroize::Zeroize;

/// Maps hashes to places, with linear probing and at most half of the slots used.
///
/// A slot holds 32 bits of the keyed hash and the place; never a key, so
/// addresses are nowhere but in the store. A removed slot is zero at once (the
/// slots after it move up; there are no tombstones), and growing wipes what it
/// leaves.
pub(super) struct Index {
    slots: Vec<u64>,
    used: usize,
}

const FIRST: usize = 64;

impl Index {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![0; FIRST],
            used: 0,
        }
    }

    /// The place under `hash` that `same` recognises.
    pub(super) fn find(&self, hash: u64, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let mut at = self.home(tag);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot >> 32 == u64::from(tag) && same(place(slot)) {
                return Some(place(slot));
            }
            at = self.after(at);
        }
    }

    /// Adds a place; the caller has made sure that it is not there.
    pub(super) fn insert(&mut self, hash: u64, place: u32) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.put(u64::from(tag(hash)) << 32 | u64::from(place + 1));
        self.used += 1;
    }

    /// Removes the place, if it is there, and leaves nothing of it.
    pub(super) fn remove(&mut self, hash: u64, wanted: u32) {
        let mut hole = self.home(tag(hash));
        loop {
            let slot = self.slots[hole];
            if slot == 0 {
                return;
            }
            if place(slot) == wanted {
                break;
            }
            hole = self.after(hole);
        }
        self.used -= 1;
        // Move up every later slot of the run that may live at the hole.
        let mask = self.slots.len() - 1;
        let mut next = hole;
        loop {
            next = self.after(next);
            let slot = self.slots[next];
            if slot == 0 {
                break;
            }
            let home = self.home((slot >> 32) as u32);
            let distance_of_slot = next.wrapping_sub(home) & mask;
            let distance_of_hole = next.wrapping_sub(hole) & mask;
            if distance_of_slot >= distance_of_hole {
                self.slots[hole] = slot;
                hole = next;
            }
        }
        self.slots[hole] = 0;
    }

    fn grow(&mut self) {
        let doubled = vec![0; self.slots.len() * 2];
        let mut old = std::mem::replace(&mut self.slots, doubled);
        old.iter()
            .filter(|slot| **slot != 0)
            .for_each(|slot| self.put(*slot));
        old.zeroize();
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home((slot >> 32) as u32);
        while self.slots[at] != 0 {
            at = self.after(at);
        }
        self.slots[at] = slot;
    }

    fn home(&self, tag: u32) -> usize {
        tag as usize & (self.slots.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// All of its memory.
    #[cfg(test)]
    pub(super) fn slots(&self) -> &[u64] {
        &self.slots
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.slots.zeroize();
    }
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn place(slot: u64) -> u32 {
    (slot as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn behaves_like_a_map_under_collisions() {
        // Few distinct tags and neighbouring ones, so that runs overlap and wrap.
        for seed in 0..20u64 {
            let mut random = seed;
            let mut roll = || {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                random >> 33
            };
            let mut index = Index::new();
            let mut map = HashMap::new();
            for _ in 0..4000 {
                let place = (roll() % 300) as u32;
                let hash = (u64::from(place) % 7 + 60) << 32;
                if map.remove(&place).is_some() {
                    index.remove(hash, place);
                } else {
                    map.insert(place, hash);
                    index.insert(hash, place);
                }
                let probe = (roll() % 300) as u32;
                let found = index.find((u64::from(probe) % 7 + 60) << 32, |at| at == probe);
                assert_eq!(found.is_some(), map.contains_key(&probe), "seed {seed}");
            }
            for (place, hash) in map {
                index.remove(hash, place);
            }
            assert!(index.slots().iter().all(|slot| *slot == 0), "seed {seed}");
        }
    }
}
