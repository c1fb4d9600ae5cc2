//! Who is who, over all connections of each.
//!
//! Who loses its relay comes back as another connection, often before the relay has noticed that the
//! first is dead. The tag in its presence says that it is the same one: it takes over from its ghost.

use std::collections::{BTreeSet, HashMap};

use super::events::Who;
use super::limits::REMEMBERED;
use super::track::Presence;
use crate::wire::{ParticipantId, TrackId};

/// All who have shown themselves.
#[derive(Default)]
pub(super) struct Known {
    all: Vec<One>,
    here: HashMap<ParticipantId, Who>,
}

struct One {
    tag: [u8; 16],
    name: String,
    connection: Option<ParticipantId>,
    wishes: BTreeSet<TrackId>,
}

/// Somebody who shows itself.
pub(super) struct Shown {
    pub(super) who: Who,
    /// It had another connection until now.
    pub(super) had_a_ghost: bool,
    /// Tracks to ask for over this connection.
    pub(super) wishes: Vec<TrackId>,
}

impl Known {
    /// The one behind a connection says who it is. `None` when there are too many.
    pub(super) fn shown(&mut self, id: ParticipantId, presence: &Presence) -> Option<Shown> {
        let named = |one: &One| one.tag == presence.tag && one.name == presence.name;
        if let Some((who, one)) = self.at(id) {
            one.tag = presence.tag;
            one.name.clone_from(&presence.name);
            return Some(Shown {
                who,
                had_a_ghost: false,
                wishes: Vec::new(),
            });
        }
        // The name counts too: a tag is known to all in the meeting, and nobody's recording should go on
        // with frames under another name.
        let place = match self.all.iter().position(named) {
            Some(place) => place,
            None if self.all.len() >= REMEMBERED => return None,
            None => {
                self.all.push(One {
                    tag: presence.tag,
                    name: presence.name.clone(),
                    connection: None,
                    wishes: BTreeSet::new(),
                });
                self.all.len() - 1
            }
        };
        let who = Who(u32::try_from(place).ok()?);
        let one = self.all.get_mut(place)?;
        let ghost = one.connection.replace(id);
        if let Some(ghost) = ghost {
            self.here.remove(&ghost);
            one.wishes.clear();
        }
        self.here.insert(id, who);
        Some(Shown {
            who,
            had_a_ghost: ghost.is_some(),
            wishes: one.wishes.iter().copied().collect(),
        })
    }

    /// Whose connection this is; `None` for a ghost's.
    pub(super) fn who(&self, id: ParticipantId) -> Option<Who> {
        self.here.get(&id).copied()
    }

    /// A connection is gone, and with it whose it was, and what was wanted of it.
    pub(super) fn left(&mut self, id: ParticipantId) -> Option<Who> {
        let (who, one) = self.at(id)?;
        one.connection = None;
        one.wishes.clear();
        self.here.remove(&id);
        Some(who)
    }

    /// All connections are gone, but not what was wanted.
    pub(super) fn all_left(&mut self) -> Vec<Who> {
        for one in &mut self.all {
            one.connection = None;
        }
        let mut gone: Vec<Who> = self.here.drain().map(|(_, who)| who).collect();
        gone.sort_unstable();
        gone
    }

    /// A track is wanted, or not any more. Gives the connection to ask over, if there is one.
    pub(super) fn wish(&mut self, who: Who, track: TrackId, on: bool) -> Option<ParticipantId> {
        let one = self.all.get_mut(usize::try_from(who.0).ok()?)?;
        match on {
            true => one.wishes.insert(track),
            false => one.wishes.remove(&track),
        };
        one.connection
    }

    fn at(&mut self, id: ParticipantId) -> Option<(Who, &mut One)> {
        let who = self.who(id)?;
        let one = self.all.get_mut(usize::try_from(who.0).ok()?)?;
        Some((who, one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::tests::presence;

    const FIRST: ParticipantId = ParticipantId(10);
    const SECOND: ParticipantId = ParticipantId(20);
    const TRACK: TrackId = TrackId(1);

    fn show(known: &mut Known, id: ParticipantId, name: &str, tag: u8) -> Option<Shown> {
        let tag = [tag; 16];
        let presence = Presence {
            tag,
            ..presence(name)
        };
        known.shown(id, &presence)
    }

    #[test]
    fn one_who_comes_back_takes_over_from_its_ghost() {
        let mut known = Known::default();
        assert!(!show(&mut known, FIRST, "Ada", 1).unwrap().had_a_ghost);
        assert!(!show(&mut known, FIRST, "Ada", 1).unwrap().had_a_ghost);
        assert_eq!(known.wish(Who(0), TRACK, true), Some(FIRST));
        let back = show(&mut known, SECOND, "Ada", 1).unwrap();
        assert_eq!((back.who, back.had_a_ghost), (Who(0), true));
        assert!(back.wishes.is_empty(), "it departed");
        assert_eq!((known.who(FIRST), known.left(FIRST)), (None, None));
        assert_eq!(known.left(SECOND), Some(Who(0)));
    }

    #[test]
    fn what_was_wanted_outlives_a_loss_of_ones_own() {
        let mut known = Known::default();
        show(&mut known, FIRST, "Ada", 1).unwrap();
        known.wish(Who(0), TRACK, true);
        assert_eq!(known.all_left(), [Who(0)]);
        assert_eq!(known.all_left(), []);
        assert_eq!(show(&mut known, SECOND, "Ada", 1).unwrap().wishes, [TRACK]);
        assert_eq!(known.left(SECOND), Some(Who(0)));
        assert!(show(&mut known, FIRST, "Ada", 1).unwrap().wishes.is_empty());
    }

    #[test]
    fn neither_a_name_nor_a_tag_alone_makes_somebody_the_same() {
        let mut known = Known::default();
        let mut number = 0;
        let mut who = |name, tag| {
            number += 1;
            show(&mut known, ParticipantId(number), name, tag)
                .unwrap()
                .who
        };
        assert_eq!(who("Ada", 1), Who(0));
        assert_eq!(who("Ada", 2), Who(1));
        assert_eq!(who("Mallory", 1), Who(2));
        assert_eq!(who("Ada", 1), Who(0));
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let mut known = Known::default();
        for number in 0..u32::try_from(REMEMBERED).unwrap() {
            let id = ParticipantId(number);
            let shown = show(&mut known, id, &format!("guest {number}"), 0).unwrap();
            assert_eq!(shown.who, Who(number));
            known.left(id);
        }
        assert!(show(&mut known, FIRST, "one more", 0).is_none());
        assert_eq!(show(&mut known, FIRST, "guest 7", 0).unwrap().who, Who(7));
    }
}
