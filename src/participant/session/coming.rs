//! Getting into the rooms, out of them when the relay is lost, and back in.

use std::time::Instant;

use super::dial::{self, Dial};
use super::stay::{Came, Loss, Place};
use super::{ROLL_CALL, Session};
use crate::carrier::client::{ConnectError, Link, LostReason};
use crate::meeting::{Input, StayId};
use crate::participant::error::JoinError;
use crate::participant::event::{Event, LossReason, milliseconds};
use crate::participant::hearing::Hearing;
use crate::participant::line::Line;
use crate::participant::warning::Warning;
use crate::stay::{Failure, WELCOME};

impl Session {
    /// The meeting wants to be in one more room. It is sought first at the relay where this participant
    /// is already, or was last: so do the others.
    pub(super) fn enter(&mut self, id: StayId) {
        let lead = self.stays.lead().map(|lead| lead.dial.place());
        let beside = lead.or(self.place);
        // A port is taken by the first.
        let bind = match beside {
            None => self.options.bind,
            Some(_) => self.options.bind.map(|(address, _)| (address, 0)),
        };
        let seed = self.seed.wrapping_add(u64::from(id.0));
        let mut dial = Dial::new(self.known.clone(), bind, seed);
        dial.first(beside);
        self.stays.enter(id, dial);
    }

    /// From now on it is this stay that counts.
    pub(super) fn main_is(&mut self, now: Instant, id: StayId) {
        let lost = self.stays.lead().and_then(|lead| lead.lost());
        self.stays.set_main(id);
        let Some(stay) = self.stays.get(id).filter(|_| self.joined.is_some()) else {
            return self.got_in(now);
        };
        match (&mut stay.place, lost) {
            (Place::InTheRoom { .. }, Some(lost)) => self.got_back(now, lost),
            (Place::Outside(own) | Place::AtTheDoor { lost: own, .. }, Some(lost)) => {
                *own = Some(lost);
            }
            (_, None) => {}
        }
        self.got_in(now);
    }

    /// Something became of a stay.
    pub(super) fn came(&mut self, now: Instant, id: StayId, came: Came) -> Result<(), JoinError> {
        match came {
            Came::Arrival(arrival) => self.arrival(now, id, arrival),
            Came::Dialled(Ok(link)) => {
                self.answered(now, id, link);
                Ok(())
            }
            Came::Dialled(Err(error)) => self.failed(now, id, error),
        }
    }

    /// A relay of the link answers: asks to be let into the room, unless an earlier relay is to be asked
    /// first.
    fn answered(&mut self, now: Instant, id: StayId, link: Link) {
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        if !stay.dial.answered(now) {
            return;
        }
        stay.place = Place::AtTheDoor {
            until: now + WELCOME,
            lost: stay.lost(),
        };
        stay.line = Some(Line::new(link));
        stay.hearing = Hearing::new(now);
        let relay = stay.dial.place();
        self.tell(now, Input::Connected { stay: id, relay });
    }

    /// The relay has let this participant into a room.
    pub(super) fn welcomed(&mut self, now: Instant, id: StayId, present: usize) {
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        let lost = stay.lost();
        stay.place = Place::InTheRoom { present };
        self.place = Some(stay.dial.place());
        self.welcomed = true;
        if !self.stays.leads(id) {
            return;
        }
        if let (Some(_), Some(lost)) = (self.joined, lost) {
            self.got_back(now, lost);
        }
        self.got_in(now);
    }

    /// In the meeting again, after a loss.
    fn got_back(&mut self, now: Instant, (since, _): Loss) {
        self.reconnections += 1;
        if let Some((until, _)) = &mut self.missing {
            *until = now + ROLL_CALL;
        }
        let after_ms = milliseconds(now.saturating_duration_since(since));
        self.output.event(&Event::Reconnected { after_ms });
    }

    /// In the room that counts, and let into the meeting: may be, or may have been before.
    pub(super) fn got_in(&mut self, now: Instant) {
        let Some(lead) = self.stays.lead().filter(|_| self.inside) else {
            return;
        };
        let Some(present) = lead.present() else {
            return;
        };
        let relay = lead.dial.place();
        if self.joined.is_none() {
            self.joined = Some(now);
            self.output.event(&Event::Connected { present });
        }
        if std::mem::replace(&mut self.relay, relay) != relay {
            let (number, of) = (relay + 1, self.relays);
            self.output
                .event(&Warning::OtherRelay { number, of }.event());
        }
        self.welcome_player(now, present);
    }

    /// Whether this participant is in the meeting, and has a connection to it.
    pub(super) fn is_in_the_meeting(&self) -> bool {
        let lead = self.stays.lead().filter(|_| self.inside);
        lead.is_some_and(|lead| lead.present().is_some())
    }

    /// Takes a look at what has come from the relays, and what they have answered.
    pub(super) fn look_at_the_lines(&mut self, now: Instant) {
        for stay in self.stays.each() {
            stay.look(now);
        }
        let lead = self.stays.lead();
        let answered = lead.and_then(|lead| lead.hearing.answered());
        self.answered_until(answered);
        for stay in self.stays.each() {
            self.chats.answered(stay.id, stay.hearing.answered());
        }
    }

    /// The relay was still there when what was sent up to then came to it.
    pub(super) fn answered_until(&mut self, until: Option<Instant>) {
        let Some(until) = until else { return };
        for (_, sent) in self.sent.values_mut() {
            sent.answered(until);
        }
    }

    /// A connection is over: back to the relay, if that makes sense.
    pub(super) fn lost(
        &mut self,
        now: Instant,
        id: StayId,
        reason: LostReason,
    ) -> Result<(), JoinError> {
        let was_in = self.joined.is_some();
        let reason = match dial::lost(reason, was_in) {
            Err(error) if self.stays.leads(id) => return Err(error),
            told => told.unwrap_or(LossReason::Ended),
        };
        self.lost_for(now, id, reason)
    }

    pub(super) fn lost_for(
        &mut self,
        now: Instant,
        id: StayId,
        reason: LossReason,
    ) -> Result<(), JoinError> {
        self.look_at_the_lines(now);
        if self.stays.leads(id) {
            self.unanswered();
        }
        let unsure = self.chats.lost(id);
        if !unsure.is_empty() {
            self.output.event(&Warning::ChatUnsure(unsure).event());
        }
        let Some(stay) = self.stays.get(id) else {
            return Ok(());
        };
        let held = stay.lose(reason);
        stay.dial.lost(now, held);
        self.tell(now, Input::Lost { stay: id });
        match self.leaving {
            Some(_) => Ok(()),
            None => self.dial_again(now, id, reason),
        }
    }

    /// An attempt to connect to a relay failed.
    fn failed(&mut self, now: Instant, id: StayId, error: ConnectError) -> Result<(), JoinError> {
        let (leads, first) = (self.stays.leads(id), !self.welcomed);
        let Some(stay) = self.stays.get(id) else {
            return Ok(());
        };
        let lost = stay.lost().map(|(_, reason)| reason);
        let number = stay.dial.place() + 1;
        let onward = stay.dial.onward(now, error);
        // In an outage relays fail again and again; that one is not what it should be is new.
        let new = onward && lost.is_none() || !error.worth_another();
        if leads && self.relays > 1 && new {
            let of = self.relays;
            let passed = Warning::RelayPassed { number, of, error };
            self.output.event(&passed.event());
        }
        if onward {
            return Ok(());
        }
        let (error, worth_another) = stay.dial.verdict();
        let hopeless = match lost {
            Some(_) => !worth_another,
            None => first,
        };
        let reason = lost.unwrap_or(LossReason::Ended);
        if lost.is_none() {
            stay.place = Place::Outside(Some((now, reason)));
        }
        match (leads, hopeless) {
            (true, true) => Err(error.into()),
            (_, false) => self.dial_again(now, id, reason),
            (false, true) => {
                stay.dial.again_after_all(now);
                Ok(())
            }
        }
    }

    /// Tries again: for two minutes, and without end where it is not the stay that counts.
    fn dial_again(
        &mut self,
        now: Instant,
        id: StayId,
        reason: LossReason,
    ) -> Result<(), JoinError> {
        let leads = self.stays.leads(id);
        let Some(stay) = self.stays.get(id) else {
            return Ok(());
        };
        match (stay.dial.again(now), leads) {
            (Some(attempt), true) => self.output.event(&Event::Reconnecting {
                reason,
                attempt: attempt.number,
                wait_ms: milliseconds(attempt.wait),
            }),
            (Some(_), false) => {}
            (None, true) => return Err(JoinError::Lost),
            (None, false) => stay.dial.again_after_all(now),
        }
        Ok(())
    }
}
