//! All connections that the meeting wants, at once.

use std::collections::VecDeque;
use std::time::Duration;

use sottovoce::meeting::StayId;
use sottovoce::stay::{Dial, Failure, Try};

use super::line::Line;
use crate::out::{LossReason, Out};

/// No connection to a relay came about. A browser does not say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreachable;

impl Failure for Unreachable {
    fn passes_on(self) -> bool {
        true
    }

    fn worth_another(self) -> bool {
        true
    }

    fn or_more_telling(self, _: Self) -> Self {
        self
    }
}

/// Since when a relay is lost, and how.
pub(super) type Loss = (Duration, LossReason);

/// Where a stay stands.
pub(super) enum Place {
    /// Nothing is tried.
    Nowhere,
    /// An attempt is made then.
    Waiting(Duration, Try),
    /// It is made on this line; given up at some time, if the page does not know sooner.
    Dialling(u32, Option<Duration>),
    /// Connected, and not welcomed yet.
    AtTheDoor(Box<Line>, Duration),
    /// In the room.
    InTheRoom(Box<Line>),
}

/// One connection to one room, over all its reconnections.
pub(super) struct Stay {
    pub(super) id: StayId,
    pub(super) dial: Dial<Duration, Unreachable>,
    pub(super) place: Place,
    pub(super) lost: Option<Loss>,
}

impl Stay {
    pub(super) fn new(id: StayId, dial: Dial<Duration, Unreachable>) -> Self {
        Self {
            id,
            dial,
            place: Place::Nowhere,
            lost: None,
        }
    }

    pub(super) fn line(&mut self) -> Option<&mut Line> {
        match &mut self.place {
            Place::AtTheDoor(line, _) | Place::InTheRoom(line) => Some(line),
            Place::Nowhere | Place::Waiting(..) | Place::Dialling(..) => None,
        }
    }

    fn has_line(&self) -> bool {
        matches!(self.place, Place::AtTheDoor(..) | Place::InTheRoom(_))
    }

    pub(super) fn is_in_the_room(&self) -> bool {
        matches!(self.place, Place::InTheRoom(_))
    }

    /// The number of the connection, or of the attempt at one.
    pub(super) fn number(&self) -> Option<u32> {
        match &self.place {
            Place::AtTheDoor(line, _) | Place::InTheRoom(line) => Some(line.number),
            Place::Dialling(line, _) => Some(*line),
            Place::Nowhere | Place::Waiting(..) => None,
        }
    }

    /// Begins what is to be tried next, if anything is.
    pub(super) fn begin(&mut self, now: Duration) {
        if let Some(next) = self.dial.begun() {
            self.place = Place::Waiting(now + next.wait, next);
        }
    }

    pub(super) fn finish_lanes(&mut self, out: &mut VecDeque<Out>) {
        if let Some(line) = self.line() {
            line.finish_lanes(None, out);
        }
    }

    fn close(&mut self, out: &mut VecDeque<Out>) {
        self.finish_lanes(out);
        out.extend(self.number().map(|line| Out::Close { line }));
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.place {
            Place::Nowhere => None,
            Place::Waiting(at, _) => Some(*at),
            Place::Dialling(_, until) => *until,
            Place::AtTheDoor(line, until) => line.deadline().into_iter().chain([*until]).min(),
            Place::InTheRoom(line) => line.deadline(),
        }
    }
}

/// All stays that the meeting wants.
#[derive(Default)]
pub(super) struct Stays {
    all: Vec<Stay>,
    main: Option<StayId>,
    /// The one that counted and was left while no relay was reached.
    way_back: Option<Stay>,
}

impl Stays {
    /// One more is wanted.
    pub(super) fn enter(&mut self, stay: Stay) {
        if self.get(stay.id).is_none() {
            self.all.push(stay);
            self.go_on();
        }
    }

    /// One is not wanted any more.
    pub(super) fn leave(&mut self, id: StayId, out: &mut VecDeque<Out>) {
        let led = self.leads(id);
        let Some(place) = self.all.iter().position(|stay| stay.id == id) else {
            return;
        };
        let mut stay = self.all.remove(place);
        if led && stay.lost.is_some() && !stay.has_line() {
            self.way_back = Some(stay);
            self.go_on();
        } else {
            stay.close(out);
        }
    }

    /// A meeting that begins anew without a relay has lost it since it did, and not since then: the one
    /// that counts now goes on with the attempts of the one before.
    fn go_on(&mut self) {
        if self.any_connected() {
            self.way_back = None;
        }
        let lead = self.lead().map(|lead| lead.id);
        let Some(lead) = lead.and_then(|id| self.get(id)).map(|lead| lead.id) else {
            return;
        };
        if let (Some(way_back), Some(lead)) = (self.way_back.take(), self.get(lead)) {
            let id = lead.id;
            *lead = Stay { id, ..way_back };
        }
    }

    /// The main one from now on.
    pub(super) fn set_main(&mut self, id: StayId) {
        self.main = Some(id);
    }

    /// The one whose loss is this participant's loss of the meeting.
    pub(super) fn lead(&self) -> Option<&Stay> {
        let main = self.all.iter().find(|stay| Some(stay.id) == self.main);
        main.or(self.all.first())
    }

    /// Whether this is that one.
    pub(super) fn leads(&self, id: StayId) -> bool {
        self.lead().is_some_and(|lead| lead.id == id)
    }

    /// The one of this number.
    pub(super) fn get(&mut self, id: StayId) -> Option<&mut Stay> {
        self.all.iter_mut().find(|stay| stay.id == id)
    }

    /// The one whose connection, or attempt at one, this is.
    pub(super) fn on_line(&mut self, line: u32) -> Option<&mut Stay> {
        self.all.iter_mut().find(|stay| stay.number() == Some(line))
    }

    /// Does something with a stay's connection, if it has one.
    pub(super) fn with_line<T>(
        &mut self,
        id: StayId,
        work: impl FnOnce(&mut Line) -> T,
    ) -> Option<T> {
        Some(work(self.get(id)?.line()?))
    }

    /// All of them.
    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut Stay> {
        self.all.iter_mut()
    }

    /// Whether any has a connection.
    pub(super) fn any_connected(&self) -> bool {
        self.all.iter().any(Stay::has_line)
    }

    /// Whether the network has still to take something.
    pub(super) fn has_unwritten(&mut self) -> bool {
        let mut lines = self.all.iter_mut().filter_map(Stay::line);
        lines.any(|line| line.has_unwritten())
    }

    /// Leaves them all.
    pub(super) fn leave_all(&mut self, out: &mut VecDeque<Out>) {
        for mut stay in self.all.drain(..).chain(self.way_back.take()) {
            stay.close(out);
        }
    }

    /// When there is something to look after.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.all.iter().filter_map(Stay::deadline).min()
    }
}
