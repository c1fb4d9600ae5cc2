//! Who loses its place when more knock than there are places: whoever has the link and many connections
//! can fill the lobby, but not hold it.

use std::time::Duration;

use super::limits::{SHOWN, WAITING};
use super::porter::{Porter, PorterOutput};

impl Porter {
    /// Whether there is a place: a free one, or that of somebody who has had it for [`SHOWN`]. Who, is
    /// drawn: no conduct of those who wait makes the draw miss them. That one is told nothing, and finds
    /// when it asks again that its knock is not here.
    pub(super) fn makes_room(&mut self, now: Duration) -> bool {
        if self.waiting.len() < WAITING {
            return true;
        }
        let waiting = self.waiting.iter().enumerate();
        let may_go = waiting.filter(|(_, waiter)| {
            now >= waiter.since.saturating_add(SHOWN) && !self.spared.contains(&waiter.number)
        });
        let may_go: Vec<usize> = may_go.map(|(at, _)| at).collect();
        let drawn = u128::from_be_bytes(self.draws.salt()).checked_rem(may_go.len() as u128);
        let at = drawn.and_then(|drawn| may_go.get(usize::try_from(drawn).ok()?));
        let Some(at) = at else {
            return false;
        };
        let gone = self.waiting.remove(*at);
        self.out.push_back(PorterOutput::Withdrawn(gone.number));
        true
    }

    /// Nobody else is given the places of these, until it is said anew: the person at the screen is busy
    /// with them.
    pub fn spare(&mut self, numbers: Vec<u32>) {
        self.spared = numbers;
    }
}
