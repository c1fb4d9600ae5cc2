//! One connection to one room, or the way to it.

use std::collections::{HashMap, HashSet};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::DRAIN;
use super::dial::Dial;
use crate::carrier::client::{ConnectError, Link};
use crate::meeting::StayId;
use crate::participant::departures::Departures;
use crate::participant::event::LossReason;
use crate::participant::hearing::Hearing;
use crate::participant::line::{Arrival, Line};
use crate::participant::uplink::Lane;
use crate::wire::{ParticipantId, ToRelay, TrackId};

/// Silence after which the relay is asked whether it is still there. Those who talk are heard each
/// 20 ms.
const QUIET: Duration = Duration::from_secs(1);

/// Since when a relay is lost, and how.
pub(super) type Loss = (Instant, LossReason);

/// Where a stay stands.
pub(super) enum Place {
    /// On the way to the relay; `Some` since when it is lost and how.
    Outside(Option<Loss>),
    /// Connected, and not welcomed yet.
    AtTheDoor { until: Instant, lost: Option<Loss> },
    /// In the room, where so many others were.
    InTheRoom { present: usize },
}

/// What became of a stay.
pub(super) enum Came {
    /// Something came from the relay.
    Arrival(Arrival),
    /// An attempt at a relay ended.
    Dialled(Result<Link, ConnectError>),
}

/// One connection to one room, over all its reconnections.
pub(super) struct Stay {
    pub(super) id: StayId,
    pub(super) dial: Dial,
    pub(super) line: Option<Line>,
    /// What is known of the relay's end of the line, or of the last one.
    pub(super) hearing: Hearing,
    pub(super) place: Place,
    /// Ways out for pictures, over the present connection.
    pub(super) lanes: HashMap<TrackId, Lane<Link>>,
    pub(super) departures: Departures,
    /// What was asked for over the present connection.
    subscribed: HashSet<(ParticipantId, TrackId)>,
    /// When something last came of the others or of the relay's own accord, until it was asked whether
    /// the relay is still there. Not the connection's last word: it answers that question, too.
    unasked: Option<Instant>,
}

impl Stay {
    pub(super) fn new(id: StayId, dial: Dial) -> Self {
        Self {
            id,
            dial,
            line: None,
            hearing: Hearing::new(Instant::now()),
            place: Place::Outside(None),
            lanes: HashMap::new(),
            departures: Departures::default(),
            subscribed: HashSet::new(),
            unasked: None,
        }
    }

    /// Since when the relay is lost, and how, if it is.
    pub(super) fn lost(&self) -> Option<Loss> {
        match &self.place {
            Place::Outside(lost) | Place::AtTheDoor { lost, .. } => *lost,
            Place::InTheRoom { .. } => None,
        }
    }

    /// How many others were in the room when it was entered, if it is in the room.
    pub(super) fn present(&self) -> Option<usize> {
        match self.place {
            Place::InTheRoom { present } => Some(present),
            Place::Outside(_) | Place::AtTheDoor { .. } => None,
        }
    }

    /// The relay has not let this participant in for too long.
    pub(super) fn is_kept_waiting(&self, now: Instant) -> bool {
        matches!(self.place, Place::AtTheDoor { until, .. } if now >= until)
    }

    /// Something came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.unasked = Some(now);
    }

    /// Says something to the relay, if there is one.
    pub(super) fn control(&mut self, message: &ToRelay) {
        match *message {
            ToRelay::Subscribe { participant, track } => {
                self.subscribed.insert((participant, track));
            }
            ToRelay::Unsubscribe { participant, track } => {
                self.subscribed.remove(&(participant, track));
            }
            ToRelay::Hello { .. } | ToRelay::Send { .. } => {}
        }
        if let Some(line) = &self.line {
            line.control(message);
        }
    }

    /// The next one who left and whose last frames are in.
    pub(super) fn departed(&mut self, now: Instant) -> Option<ParticipantId> {
        let gone = self.departures.next(now)?;
        self.subscribed.retain(|(other, _)| *other != gone);
        Some(gone)
    }

    /// Takes a look at what has come from the relay, and what it has answered.
    pub(super) fn look(&mut self, now: Instant) {
        if let Some(line) = &self.line {
            self.hearing.look(now, &line.road().stats());
        }
    }

    /// Nothing has come for a while, where it may be that nobody has anything to say, or that the
    /// relay died and is back without knowing of this connection. Asking once for something that
    /// was asked for already brings out which, sooner than the connection would find out.
    pub(super) fn knock(&mut self, now: Instant) {
        let Some(came) = self.unasked else { return };
        if now.saturating_duration_since(came) < QUIET {
            return;
        }
        self.unasked = None;
        if let (Some((participant, track)), Some(line)) =
            (self.subscribed.iter().next().copied(), &self.line)
        {
            line.control(&ToRelay::Subscribe { participant, track });
        }
    }

    /// The connection is over. Says how long it had held.
    pub(super) fn lose(&mut self, reason: LossReason) -> Duration {
        let held = self.line.take().map_or(Duration::ZERO, |line| line.age());
        self.lanes.clear();
        self.departures = Departures::default();
        self.subscribed.clear();
        self.unasked = None;
        // Not since it is noticed: a relay that dies says nothing.
        let since = (self.hearing.heard(), reason);
        self.place = Place::Outside(Some(self.lost().unwrap_or(since)));
        held
    }

    /// Lets what was sent arrive, and ends the connection.
    pub(super) fn part(self) -> impl Future<Output = ()> + Send {
        let (lanes, line) = (self.lanes, self.line);
        async move {
            let drained = async {
                for lane in lanes.into_values() {
                    lane.drain().await;
                }
            };
            let _ = timeout(DRAIN, drained).await;
            if let Some(line) = line {
                line.close().await;
            }
        }
    }

    /// What comes of it next.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Came> {
        if let Some(line) = &mut self.line
            && let Poll::Ready(arrival) = line.poll(context)
        {
            return Poll::Ready(Came::Arrival(arrival));
        }
        self.dial.poll(context).map(Came::Dialled)
    }
}
