//! Getting into the room, out of it when the relay is lost, and back in.

use std::time::{Duration, Instant};

use super::{Place, ROLL_CALL, Session, WELCOME, dial};
use crate::carrier::client::{ConnectError, Link, LinkStats, LostReason};
use crate::participant::departures::Departures;
use crate::participant::error::JoinError;
use crate::participant::event::{Event, LossReason, milliseconds};
use crate::participant::hearing::Hearing;
use crate::participant::line::Line;
use crate::participant::warning::Warning;

impl Session {
    /// A relay of the link answers: takes it, unless an earlier one is to be asked first.
    pub(super) fn answered(&mut self, now: Instant, link: Link) {
        if self.dial.answered(now) {
            self.connected(now, link);
        }
    }

    /// The handshake is done: asks to be let into the room.
    pub(super) fn connected(&mut self, now: Instant, link: Link) {
        let lost = match std::mem::replace(&mut self.place, Place::Inside) {
            Place::Outside(lost) | Place::AtTheDoor { lost, .. } => lost,
            Place::Inside => None,
        };
        self.place = Place::AtTheDoor {
            until: now + WELCOME,
            lost,
        };
        let line = Line::new(link);
        self.meeting.move_to(self.dial.place());
        line.control(&self.meeting.hello());
        self.line = Some(line);
        self.hearing = Hearing::new(now);
    }

    /// The relay has let this participant in.
    pub(super) fn welcomed(&mut self, now: Instant, present: usize) {
        let Place::AtTheDoor { lost, .. } = std::mem::replace(&mut self.place, Place::Inside)
        else {
            return;
        };
        match (self.joined, lost) {
            (Some(_), Some((since, _))) => {
                self.reconnections += 1;
                if let Some((until, _)) = &mut self.missing {
                    *until = now + ROLL_CALL;
                }
                let after_ms = milliseconds(now.saturating_duration_since(since));
                self.output.event(&Event::Reconnected { after_ms });
            }
            _ => {
                self.joined = Some(now);
                self.output.event(&Event::Connected { present });
            }
        }
        let relay = self.dial.place();
        if std::mem::replace(&mut self.relay, relay) != relay {
            let (number, of) = (relay + 1, self.relays);
            self.output
                .event(&Warning::OtherRelay { number, of }.event());
        }
        self.welcome_player(now, present);
    }

    /// Takes a look at what has come from the relay, and what it has answered.
    pub(super) fn look_at_the_line(&mut self, now: Instant) {
        if let Some(line) = &self.line {
            let stats = line.road().stats();
            self.look(now, &stats);
        }
    }

    /// Takes that look at a line which is somewhere else.
    pub(super) fn look(&mut self, now: Instant, stats: &LinkStats) {
        self.hearing.look(now, stats);
        if let Some(until) = self.hearing.answered() {
            for (_, sent) in self.sent.values_mut() {
                sent.answered(until);
            }
        }
    }

    /// The connection is over: back to the relay, if that makes sense.
    pub(super) fn lost(&mut self, now: Instant, reason: LostReason) -> Result<(), JoinError> {
        let was_in = self.joined.is_some();
        self.lost_for(now, dial::lost(reason, was_in)?)
    }

    pub(super) fn lost_for(&mut self, now: Instant, reason: LossReason) -> Result<(), JoinError> {
        self.look_at_the_line(now);
        self.unanswered();
        let held = self.line.take().map_or(Duration::ZERO, |line| line.age());
        self.lanes.clear();
        self.departures = Departures::default();
        self.subscribed.clear();
        self.goodbyes.clear();
        let mut gone = self.people.all_departed(now);
        let (_, missing) = self.missing.get_or_insert((now, Vec::new()));
        missing.append(&mut gone);
        let earlier = self.place.lost();
        // Not since it is noticed: a relay that dies says nothing.
        let since = (self.hearing.heard(), reason);
        self.place = Place::Outside(Some(earlier.unwrap_or(since)));
        if self.leaving.is_some() {
            return Ok(());
        }
        self.dial.lost(now, held);
        self.dial_again(now, reason)
    }

    /// An attempt to connect to a relay failed.
    pub(super) fn failed(&mut self, now: Instant, error: ConnectError) -> Result<(), JoinError> {
        let lost = match &self.place {
            Place::Outside(lost) => lost.map(|(_, reason)| reason),
            Place::AtTheDoor { .. } | Place::Inside => None,
        };
        let number = self.dial.place() + 1;
        let onward = self.dial.onward(now, error);
        // In an outage relays fail again and again; that one is not what it should be is new.
        if self.relays > 1 && (onward && lost.is_none() || !dial::worth_another(&error)) {
            let of = self.relays;
            let passed = Warning::RelayPassed { number, of, error };
            self.output.event(&passed.event());
        }
        if onward {
            return Ok(());
        }
        match (lost, self.dial.verdict()) {
            (Some(reason), (_, true)) => self.dial_again(now, reason),
            (_, (error, _)) => Err(error.into()),
        }
    }

    fn dial_again(&mut self, now: Instant, reason: LossReason) -> Result<(), JoinError> {
        let attempt = self.dial.again(now).ok_or(JoinError::Lost)?;
        self.output.event(&Event::Reconnecting {
            reason,
            attempt: attempt.number,
            wait_ms: milliseconds(attempt.wait),
        });
        Ok(())
    }
}
