//! Who receives what: one bit for each track of each member of a room.

use crate::wire::TrackId;

use super::limits::TRACKS;

/// A member's number within its room: its place in a table, used again after it has left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct MemberIndex(pub(super) u32);

/// One track of one member of a room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Source {
    /// Whose.
    pub(super) member: MemberIndex,
    /// Which; below [`TRACKS`].
    pub(super) track: TrackId,
}

const BITS: u32 = u64::BITS;

impl Source {
    /// The word of a [`Selection`] in which its bit lies, and the bit.
    pub(super) fn bit(self) -> (usize, u64) {
        let bit = self.member.0 * u32::from(TRACKS) + u32::from(self.track.0 % TRACKS);
        ((bit / BITS) as usize, 1 << (bit % BITS))
    }
}

/// What one participant is subscribed to. Two bytes for each member of the room, as far as the
/// last one that it takes something of.
#[derive(Clone, Default)]
pub(super) struct Selection {
    pub(super) words: Vec<u64>,
    count: u32,
}

impl Selection {
    /// How many subscriptions there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn contains(&self, source: Source) -> bool {
        let (word, bit) = source.bit();
        self.word(word) & bit != 0
    }

    /// The bits of one word; none past the end.
    pub(super) fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    /// `true` when it is new.
    pub(super) fn insert(&mut self, source: Source) -> bool {
        let (word, bit) = source.bit();
        if self.words.len() <= word {
            self.words.reserve_exact(word + 1 - self.words.len());
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u32::from(fresh);
        fresh
    }

    /// `true` when it was there.
    pub(super) fn remove(&mut self, source: Source) -> bool {
        let (word, bit) = source.bit();
        let there = self.word(word) & bit != 0;
        if there {
            self.words[word] &= !bit;
            self.count -= 1;
        }
        there
    }

    /// Takes back everything of one member, so that the next with its number starts from nothing.
    pub(super) fn forget(&mut self, member: MemberIndex) {
        let (word, lowest) = Source {
            member,
            track: TrackId(0),
        }
        .bit();
        let all = lowest * ((1 << TRACKS) - 1);
        if let Some(bits) = self.words.get_mut(word) {
            self.count -= (*bits & all).count_ones();
            *bits &= !all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(member: u32, track: u8) -> Source {
        Source {
            member: MemberIndex(member),
            track: TrackId(track),
        }
    }

    #[test]
    fn a_selection_holds_what_was_put_in_and_nothing_else() {
        let mut selection = Selection::default();
        assert!(selection.insert(source(5, 15)));
        assert!(!selection.insert(source(5, 15)));
        for member in 0..12 {
            for track in 0..TRACKS {
                let expected = (member, track) == (5, 15);
                assert_eq!(selection.contains(source(member, track)), expected);
            }
        }
        assert!(!selection.remove(source(5, 14)));
        assert!(selection.remove(source(5, 15)));
        assert_eq!(selection.count(), 0);
    }

    #[test]
    fn forgetting_a_member_leaves_its_neighbours() {
        let mut selection = Selection::default();
        for member in 0..9 {
            for track in 0..TRACKS {
                selection.insert(source(member, track));
            }
        }
        selection.forget(MemberIndex(3));
        selection.forget(MemberIndex(4));
        selection.forget(MemberIndex(400));
        assert_eq!(selection.count(), 7 * u32::from(TRACKS));
        for member in 0..9 {
            for track in 0..TRACKS {
                let expected = member != 3 && member != 4;
                assert_eq!(selection.contains(source(member, track)), expected);
            }
        }
    }
}
