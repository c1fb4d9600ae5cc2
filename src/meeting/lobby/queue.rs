//! What waits to be served when a flood comes: bounded, one place each, newcomers first.

use std::time::Duration;

use crate::wire::ParticipantId;

/// How often something may be done, and how much of it at once.
pub(super) struct Bucket {
    every: Duration,
    burst: u32,
    tokens: u32,
    /// Since when the next token is growing.
    since: Duration,
}

impl Bucket {
    pub(super) fn new((a_second, burst): (u32, u32), now: Duration) -> Self {
        Self {
            every: Duration::from_secs(1) / a_second.max(1),
            burst,
            tokens: burst,
            since: now,
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let grown = now.saturating_sub(self.since).as_nanos() / self.every.as_nanos().max(1);
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        self.since = match self.tokens.saturating_add(grown) {
            full if full >= self.burst => now.max(self.since),
            _ => self.since.saturating_add(self.every.saturating_mul(grown)),
        };
        self.tokens = self.tokens.saturating_add(grown).min(self.burst);
        let taken = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        taken
    }

    /// When there is one.
    pub(super) fn next(&self) -> Duration {
        match self.tokens {
            0 => self.since.saturating_add(self.every),
            _ => self.since,
        }
    }
}

struct Place<T> {
    who: ParticipantId,
    /// How often they were served before.
    served: u32,
    what: T,
}

/// One place for each participant. Who was served least comes first: whoever floods under few ids
/// waits behind everybody else.
pub(super) struct FairQueue<T> {
    places: Vec<Place<T>>,
    bound: usize,
}

impl<T> FairQueue<T> {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            places: Vec::new(),
            bound,
        }
    }

    /// Takes a place, or puts something else into the one that is held. `false` when something was
    /// dropped for it, or it was dropped itself.
    pub(super) fn push(&mut self, who: ParticipantId, served: u32, what: T) -> bool {
        if let Some(place) = self.places.iter_mut().find(|place| place.who == who) {
            place.what = what;
            return true;
        }
        let full = self.places.len() >= self.bound;
        if full {
            // The last of those who were served most.
            let most =
                (0..self.places.len()).max_by_key(|&at| self.places.get(at).map(|p| p.served));
            match most.filter(|&at| self.places.get(at).is_some_and(|p| p.served > served)) {
                Some(at) => drop(self.places.remove(at)),
                None => return false,
            }
        }
        self.places.push(Place { who, served, what });
        !full
    }

    pub(super) fn pop(&mut self) -> Option<(ParticipantId, T)> {
        let first =
            (0..self.places.len()).min_by_key(|&at| self.places.get(at).map(|p| p.served))?;
        let place = self.places.remove(first);
        Some((place.who, place.what))
    }

    pub(super) fn forget(&mut self, who: ParticipantId) {
        self.places.retain(|place| place.who != who);
    }

    pub(super) fn holds(&self, who: ParticipantId) -> bool {
        self.places.iter().any(|place| place.who == who)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}
