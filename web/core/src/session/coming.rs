//! Getting into the rooms, out of them when the relay is lost, and back in; and what comes there.

use std::time::Duration;

use bytes::Bytes;
use sottovoce::meeting::{Input, StayId};
use sottovoce::stay::{self, Dial, WELCOME};
use sottovoce::wire::{BundleEntries, CloseReason, FromRelay};

use super::Session;
use super::line::Line;
use super::stays::{Place, Stay, Unreachable};
use crate::out::{Blob, LossReason, Out, Over};

impl Session {
    /// The connection of this number stands.
    pub fn connected(&mut self, now: Duration, line: u32) {
        self.at(now);
        self.answered(line);
        self.turn();
    }

    /// No connection of this number came about.
    pub fn failed(&mut self, now: Duration, line: u32) {
        self.at(now);
        if let Some(id) = self.dialling(line) {
            self.unreachable(id);
        }
        self.turn();
    }

    /// A connection is over; `code`: what the relay closed it with, if it did.
    pub fn lost(&mut self, now: Duration, line: u32, code: Option<u32>) {
        self.at(now);
        if self.dialling(line).is_some() {
            return self.failed(now, line);
        }
        if let Some(id) = self.stay_on(line) {
            match code.and_then(|code| CloseReason::from_code(code.into())) {
                Some(reason) => self.closed(id, reason),
                None => self.lost_for(id, LossReason::Ended),
            }
        }
        self.turn();
    }

    /// Bytes came on the control stream.
    pub fn control(&mut self, now: Duration, line: u32, bytes: &[u8]) {
        self.at(now);
        let Some(id) = self.stay_on(line) else { return };
        let read = self.stays.with_line(id, |line| {
            line.came(now);
            line.read(bytes)
        });
        let Some((messages, rest)) = read else { return };
        for message in messages {
            // A message may have been the connection's last.
            if self.stay_on(line).is_some() {
                self.message(id, message);
            }
        }
        if let (Err(_), Some(id)) = (rest, self.stay_on(line)) {
            self.out.push_back(Out::Close { line });
            self.lost_for(id, LossReason::Ended);
        }
        self.turn();
    }

    /// A datagram came.
    pub fn datagram(&mut self, now: Duration, line: u32, bytes: Bytes) {
        self.at(now);
        let Some(stay) = self.stay_on(line) else {
            return;
        };
        self.stays.with_line(stay, |line| line.came(now));
        // What is malformed ends it, as the relay's fault.
        for entry in BundleEntries::new(bytes).map_while(Result::ok) {
            self.tell(Input::Datagram {
                stay,
                from: entry.sender,
                track: entry.track,
                payload: entry.payload,
            });
        }
        self.turn();
    }

    /// Bytes came on a unidirectional stream, to which the page gave a number.
    pub fn group(&mut self, now: Duration, line: u32, stream: u32, bytes: Bytes) {
        self.at(now);
        let Some(stay) = self.stay_on(line) else {
            return;
        };
        let came = self.stays.with_line(stay, |line| {
            line.came(now);
            line.group(stream, bytes)
        });
        match came {
            Some(Ok(Some(came))) => {
                for bytes in came.frames {
                    self.tell(Input::GroupFrame {
                        stay,
                        from: came.header.sender,
                        track: came.header.track,
                        group: came.header.group,
                        bytes,
                    });
                }
            }
            Some(Err(_)) => self.out.push_back(Out::Stop { line, stream }),
            Some(Ok(None)) | None => {}
        }
        self.turn();
    }

    /// A unidirectional stream that came has ended, or was reset.
    pub fn group_over(&mut self, now: Duration, line: u32, stream: u32) {
        self.at(now);
        if let Some(stay) = self.stay_on(line) {
            self.stays.with_line(stay, |line| line.group_over(stream));
        }
        self.turn();
    }

    /// The network took what was to be written on a stream: the oldest piece that it had not.
    pub fn wrote(&mut self, now: Duration, line: u32, stream: u32) {
        self.at(now);
        if let Some(stay) = self.stay_on(line) {
            self.stays.with_line(stay, |line| line.wrote(stream));
        }
        if self.leaving.is_some() {
            self.turn();
        }
    }

    /// A stream takes nothing any more: the relay stopped it, or it could not be opened.
    pub fn stopped(&mut self, now: Duration, line: u32, stream: u32) {
        self.at(now);
        if let Some(stay) = self.stay_on(line) {
            self.stays.with_line(stay, |line| line.stopped(stream));
        }
    }

    /// The stay that is connected by this line.
    fn stay_on(&mut self, line: u32) -> Option<StayId> {
        let stay = self.stays.on_line(line)?;
        stay.line().is_some().then_some(stay.id)
    }

    /// The stay for which this line is dialled.
    fn dialling(&mut self, line: u32) -> Option<StayId> {
        let stay = self.stays.on_line(line)?;
        matches!(stay.place, Place::Dialling(..)).then_some(stay.id)
    }

    fn message(&mut self, id: StayId, message: FromRelay) {
        let now = self.now;
        match message {
            FromRelay::Closed { reason } => {
                if let Some(line) = self.stays.get(id).and_then(|stay| stay.number()) {
                    self.out.push_back(Out::Close { line });
                }
                self.closed(id, reason);
            }
            // Its last frames may still be on their way.
            FromRelay::Left { participant } => {
                let left = |line: &mut Line| line.departures.left(now, participant);
                self.stays.with_line(id, left);
            }
            message => {
                if matches!(message, FromRelay::Welcome { .. }) {
                    self.was_welcomed(id);
                }
                self.tell(Input::Relay { stay: id, message });
            }
        }
    }

    /// Those whose last frames are in are gone now.
    pub(super) fn depart(&mut self) {
        let now = self.now;
        let mut departed = Vec::new();
        for stay in self.stays.each() {
            let id = stay.id;
            while let Some(participant) = stay.line().and_then(|line| line.departed(now)) {
                departed.push((id, FromRelay::Left { participant }));
            }
        }
        for (stay, message) in departed {
            self.tell(Input::Relay { stay, message });
        }
    }

    /// The meeting wants to be in one more room. It is sought first at the relay where this participant
    /// is already, or was last: so do the others.
    pub(super) fn enter(&mut self, id: StayId) {
        let lead = self.stays.lead().map(|lead| lead.dial.place());
        let beside = lead.or(self.place);
        let seed = self.jitter.wrapping_add(u64::from(id.0));
        let mut dial = Dial::new(0..self.relays.len(), seed);
        dial.first(beside);
        let mut stay = Stay::new(id, dial);
        stay.begin(self.now);
        self.stays.enter(stay);
    }

    /// From now on it is this stay that counts.
    pub(super) fn main_is(&mut self, id: StayId) {
        let lost = self.stays.lead().and_then(|lead| lead.lost);
        self.stays.set_main(id);
        let joined = self.joined;
        if let (Some(stay), Some(lost)) = (self.stays.get(id).filter(|_| joined), lost) {
            match stay.is_in_the_room() {
                true => self.got_back(),
                false => stay.lost = Some(lost),
            }
        }
        self.got_in();
    }

    /// Begins attempts whose time has come, gives up those that took too long, and asks lines of which
    /// nothing comes.
    pub(super) fn look_after_stays(&mut self) {
        let now = self.now;
        let mut late = Vec::new();
        let mut silent = Vec::new();
        for stay in self.stays.each() {
            match &mut stay.place {
                Place::Waiting(at, next) if now >= *at => {
                    let until = next.patience.map(|patience| now + patience);
                    let line = self.next_line;
                    self.next_line += 1;
                    let Some(relay) = self.relays.get(next.relay) else {
                        continue;
                    };
                    self.out.push_back(Out::Connect {
                        line,
                        authority: relay.authority.clone(),
                        hashes: relay.hashes.iter().cloned().map(Blob).collect(),
                    });
                    stay.place = Place::Dialling(line, until);
                }
                Place::Dialling(line, Some(until)) if now >= *until => {
                    self.out.push_back(Out::Close { line: *line });
                    late.push(stay.id);
                }
                Place::AtTheDoor(line, until) if now >= *until => {
                    self.out.push_back(Out::Close { line: line.number });
                    silent.push(stay.id);
                }
                Place::InTheRoom(line) => {
                    let question = line.silence.knock(now);
                    self.out
                        .extend(question.and_then(|question| line.control(&question)));
                }
                Place::Nowhere
                | Place::Waiting(..)
                | Place::Dialling(..)
                | Place::AtTheDoor(..) => {}
            }
        }
        for stay in late {
            self.unreachable(stay);
        }
        for stay in silent {
            self.lost_for(stay, LossReason::Silence);
        }
    }

    /// A relay of the link answers: asks to be let into the room, unless an earlier relay is to be asked
    /// first.
    fn answered(&mut self, line: u32) {
        let now = self.now;
        let Some(id) = self.dialling(line) else {
            return;
        };
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        if !stay.dial.answered(now) {
            stay.begin(now);
            return self.out.push_back(Out::Close { line });
        }
        stay.place = Place::AtTheDoor(Box::new(Line::new(line, now)), now + WELCOME);
        let relay = stay.dial.place();
        self.tell(Input::Connected { stay: id, relay });
    }

    /// The relay has let this participant into a room.
    fn was_welcomed(&mut self, id: StayId) {
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        stay.place = match std::mem::replace(&mut stay.place, Place::Nowhere) {
            Place::AtTheDoor(line, _) => Place::InTheRoom(line),
            other => other,
        };
        let lost = stay.lost.take();
        self.place = Some(stay.dial.place());
        self.welcomed = true;
        if !self.stays.leads(id) {
            return;
        }
        if lost.is_some() && self.joined {
            self.got_back();
        }
        self.got_in();
    }

    /// In the meeting again, after a loss.
    fn got_back(&mut self) {
        self.people.are_looked_for(self.now);
        self.out.push_back(Out::Reconnected);
    }

    /// In the room that counts, and let into the meeting: may be, or may have been before.
    pub(super) fn got_in(&mut self) {
        if !self.is_in() {
            return;
        }
        if !std::mem::replace(&mut self.joined, true) {
            self.out.push_back(Out::Inside);
        }
        let relay = self.stays.lead().map_or(0, |lead| lead.dial.place());
        if std::mem::replace(&mut self.relay, relay) != relay {
            let (number, of) = (relay + 1, self.relays.len());
            self.out.push_back(Out::OtherRelay { number, of });
        }
    }

    /// The relay closed.
    fn closed(&mut self, id: StayId, reason: CloseReason) {
        match stay::closed(reason, self.joined) {
            None if self.stays.leads(id) => self.end(Over::Closed, Some(reason.code())),
            None | Some(stay::Loss::Ended) => self.lost_for(id, LossReason::Ended),
            Some(stay::Loss::Restarting) => self.lost_for(id, LossReason::Restarting),
            Some(stay::Loss::TooSlow) => self.lost_for(id, LossReason::TooSlow),
        }
    }

    /// A connection is over: back to the relay.
    fn lost_for(&mut self, id: StayId, reason: LossReason) {
        let now = self.now;
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        let line = match std::mem::replace(&mut stay.place, Place::Nowhere) {
            Place::AtTheDoor(line, _) | Place::InTheRoom(line) => line,
            other => {
                stay.place = other;
                return;
            }
        };
        // Not since it is noticed: a relay that dies says nothing.
        stay.lost.get_or_insert((line.heard, reason));
        stay.dial.lost(now, now.saturating_sub(line.since));
        self.tell(Input::Lost { stay: id });
        if self.leaving.is_none() {
            self.dial_again(id, reason);
        }
    }

    /// An attempt to connect to a relay failed.
    fn unreachable(&mut self, id: StayId) {
        let (now, first) = (self.now, !self.welcomed);
        let leads = self.stays.leads(id);
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        stay.place = Place::Nowhere;
        if stay.dial.onward(now, Unreachable) {
            return stay.begin(now);
        }
        let (_, worth_another) = stay.dial.verdict();
        let hopeless = match stay.lost {
            Some(_) => !worth_another,
            None => first,
        };
        let (_, reason) = *stay.lost.get_or_insert((now, LossReason::Ended));
        match (leads, hopeless) {
            (true, true) => self.end(Over::Unreachable, None),
            (_, false) => self.dial_again(id, reason),
            (false, true) => {
                stay.dial.again_after_all(now);
                stay.begin(now);
            }
        }
    }

    /// Tries again: for two minutes, and without end where it is not the stay that counts.
    fn dial_again(&mut self, id: StayId, reason: LossReason) {
        let (now, leads) = (self.now, self.stays.leads(id));
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        match (stay.dial.again(now), leads) {
            (Some(attempt), true) => self.out.push_back(Out::Reconnecting {
                reason,
                attempt: attempt.number,
                wait: attempt.wait.as_secs_f64() * 1000.0,
            }),
            (Some(_), false) => {}
            (None, true) => return self.end(Over::Lost, None),
            (None, false) => stay.dial.again_after_all(now),
        }
        if let Some(stay) = self.stays.get(id) {
            stay.begin(now);
        }
    }
}
