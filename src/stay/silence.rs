//! Nothing has come for a while, where it may be that nobody has anything to say, or that the relay
//! died and is back without knowing of this connection. Asking once for something that was asked for
//! already brings out which, sooner than the connection would find out.

use std::collections::HashSet;
use std::time::Duration;

use super::Moment;
use crate::wire::{ParticipantId, ToRelay, TrackId};

/// Silence after which the relay is asked whether it is still there. Those who talk are heard each
/// 20 ms.
const QUIET: Duration = Duration::from_secs(1);

/// What was asked for over a connection, and since when nothing came.
pub struct Silence<T> {
    subscribed: HashSet<(ParticipantId, TrackId)>,
    /// When something last came of the others or of the relay's own accord, until it was asked whether
    /// the relay is still there. Not the connection's last word: it answers that question, too.
    unasked: Option<T>,
}

impl<T> Default for Silence<T> {
    fn default() -> Self {
        Self {
            subscribed: HashSet::new(),
            unasked: None,
        }
    }
}

impl<T: Moment> Silence<T> {
    /// Something came.
    pub fn heard(&mut self, now: T) {
        self.unasked = Some(now);
    }

    /// Something is said to the relay.
    pub fn said(&mut self, message: &ToRelay) {
        match *message {
            ToRelay::Subscribe { participant, track } => {
                self.subscribed.insert((participant, track));
            }
            ToRelay::Unsubscribe { participant, track } => {
                self.subscribed.remove(&(participant, track));
            }
            ToRelay::Hello { .. } | ToRelay::Send { .. } => {}
        }
    }

    /// Somebody has left.
    pub fn departed(&mut self, gone: ParticipantId) {
        self.subscribed.retain(|(other, _)| *other != gone);
    }

    /// What to say to the relay by now, to see whether it is there.
    pub fn knock(&mut self, now: T) -> Option<ToRelay> {
        let came = self.unasked?;
        if now.since(came) < QUIET {
            return None;
        }
        self.unasked = None;
        let (participant, track) = self.subscribed.iter().next().copied()?;
        Some(ToRelay::Subscribe { participant, track })
    }

    /// When [`Self::knock`] has something.
    pub fn deadline(&self) -> Option<T> {
        self.unasked.map(|came| came + QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_once_after_each_silence_for_what_it_still_wants() {
        let (ada, track) = (ParticipantId(1), TrackId(2));
        let wish = ToRelay::Subscribe {
            participant: ada,
            track,
        };
        let mut silence = Silence::default();
        silence.said(&wish);
        silence.heard(Duration::ZERO);
        assert!(silence.knock(QUIET / 2).is_none());
        assert_eq!(silence.deadline(), Some(QUIET));
        assert!(silence.knock(QUIET) == Some(wish));
        assert!(silence.knock(QUIET * 3).is_none(), "once");
        silence.heard(QUIET * 3);
        silence.departed(ada);
        assert!(silence.knock(QUIET * 9).is_none(), "nobody is left");
    }
}
