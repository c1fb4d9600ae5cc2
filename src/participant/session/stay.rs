//! One connection to one room, or the way to it.

use std::collections::HashMap;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::DRAIN;
use super::dial::Dial;
use crate::carrier::client::{ConnectError, Link};
use crate::meeting::StayId;
use crate::participant::event::LossReason;
use crate::participant::hearing::Hearing;
use crate::participant::line::{Arrival, Line};
use crate::participant::uplink::Lane;
use crate::stay::{Departures, Silence};
use crate::wire::{ParticipantId, ToRelay, TrackId};

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
    pub(super) departures: Departures<Instant>,
    /// Of the present connection.
    silence: Silence<Instant>,
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
            silence: Silence::default(),
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
        self.silence.heard(now);
    }

    /// Says something to the relay, if there is one.
    pub(super) fn control(&mut self, message: &ToRelay) {
        self.silence.said(message);
        if let Some(line) = &self.line {
            line.control(message);
        }
    }

    /// The next one who left and whose last frames are in.
    pub(super) fn departed(&mut self, now: Instant) -> Option<ParticipantId> {
        let gone = self.departures.next(now)?;
        self.silence.departed(gone);
        Some(gone)
    }

    /// Takes a look at what has come from the relay, and what it has answered.
    pub(super) fn look(&mut self, now: Instant) {
        if let Some(line) = &self.line {
            self.hearing.look(now, &line.road().stats());
        }
    }

    /// Nothing has come for a while: asks whether the relay is still there.
    pub(super) fn knock(&mut self, now: Instant) {
        if let (Some(question), Some(line)) = (self.silence.knock(now), &self.line) {
            line.control(&question);
        }
    }

    /// The connection is over. Says how long it had held.
    pub(super) fn lose(&mut self, reason: LossReason) -> Duration {
        let held = self.line.take().map_or(Duration::ZERO, |line| line.age());
        self.lanes.clear();
        self.departures = Departures::default();
        self.silence = Silence::default();
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
