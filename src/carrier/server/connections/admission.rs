//! Newcomers: who is answered, who must show an address first, who takes too long.

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::{Connection, ConnectionHandle, Incoming, Transmit};

use super::super::super::limits::{HANDSHAKE, HANDSHAKES, TURN_HANDSHAKES, WAITING};
use super::super::outgoing::Control;
use super::super::slot::{Slot, Stage};
use super::super::webtransport::{Code, Due};
use super::{Connections, departure};
use crate::airlock::{Airlock, Allowance, Socket, StandIn};
use crate::wire::CloseReason;

/// How often handshakes that take too long are looked for.
const SWEEP: Duration = Duration::from_secs(1);

impl Connections {
    /// Sends an answer that belongs to no connection. Its buffer goes with it: one that was kept would
    /// keep the answer.
    pub(super) fn reply(&mut self, to: StandIn, transmit: &Transmit, mut answer: Vec<u8>) {
        answer.truncate(transmit.size);
        self.replies.push(departure(to, transmit, answer));
    }

    /// Those who wait, and whose first packets came with the last batch: who has shown its address goes
    /// first. Of these, who is one too many for this turn waits for the next: a crowd that comes back at
    /// once, left to its own timers, would knock together again, each time twice as late.
    pub(in super::super) fn newcomers<S: Socket>(&mut self, airlock: &mut Airlock<S>) {
        // Taken and freed, since a list that is emptied keeps the bytes of its stand-ins.
        let waiting = std::mem::take(&mut self.waiting);
        let waited = !waiting.is_empty();
        for (from, incoming) in waiting
            .into_iter()
            .chain(std::mem::take(&mut self.newcomers))
        {
            let shown = incoming.remote_address_validated();
            if shown && self.begun >= TURN_HANDSHAKES && self.waiting.len() < WAITING {
                self.waiting.push_back((from, incoming));
                continue;
            }
            let allowance = airlock.may_begin(from, shown);
            let Some(index) = self.admit(from, incoming, allowance) else {
                continue;
            };
            airlock.begin(from, shown);
            if shown {
                // It came with the token of a Retry: a flood must not push it out.
                airlock.prove(from);
                if let Some(slot) = self.slot(index) {
                    slot.berth = airlock.berth(from);
                }
            }
        }
        if waited && !self.waits() && self.is_empty() {
            self.begin_anew();
        }
    }

    /// A first packet: answered, asked to prove its address, refused, or left alone. The
    /// connection, when a handshake has begun.
    fn admit(&mut self, from: StandIn, incoming: Incoming, allowance: Allowance) -> Option<usize> {
        if self.handshakes >= HANDSHAKES {
            self.endpoint.ignore(incoming);
            return None;
        }
        let mut answer = Vec::new();
        let full = self.closing_down || self.endpoint.open_connections() >= self.most;
        let shown = incoming.remote_address_validated();
        if full || (shown && allowance == Allowance::No) {
            let transmit = self.endpoint.refuse(incoming, &mut answer);
            self.reply(from, &transmit, answer);
            return None;
        }
        let busy = self.begun >= TURN_HANDSHAKES;
        let ask = busy || self.handshakes >= self.retry_from || allowance == Allowance::ProveFirst;
        if ask && incoming.may_retry() {
            if let Ok(transmit) = self.endpoint.retry(incoming, &mut answer) {
                self.reply(from, &transmit, answer);
            }
            return None;
        }
        if busy || allowance != Allowance::Yes || !self.door.begins(self.now) {
            // It comes again.
            self.endpoint.ignore(incoming);
            return None;
        }
        self.begun += 1;
        match self.endpoint.accept(incoming, self.now, &mut answer, None) {
            Ok((handle, quic)) => {
                self.insert(handle, quic, from);
                Some(handle.0)
            }
            Err(error) => {
                if let Some(transmit) = error.response {
                    self.reply(from, &transmit, answer);
                }
                None
            }
        }
    }

    fn insert(&mut self, handle: ConnectionHandle, quic: Connection, path: StandIn) {
        let index = handle.0;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, || None);
            self.generations.resize(index + 1, 0);
        }
        self.handshakes += 1;
        let stage = Stage::Handshake {
            until: self.now + HANDSHAKE,
        };
        let control = Control::default();
        if let Some(place) = self.slots.get_mut(index) {
            *place = Some(Box::new(Slot {
                quic,
                stage,
                path,
                route: None,
                berth: None,
                control,
                web: None,
                prefix: None,
                room: 0,
                thorough: false,
                touched: false,
            }));
        }
        self.touch(index);
    }

    /// Ends handshakes that take too long, and those who speak HTTP/3 and want no session for too long;
    /// looks once a second. To be called when everything that connections had to say was heard. The
    /// reason given for a handshake is seen by nobody: before it is done quinn hides it (RFC 9000,
    /// section 10.2.3).
    pub(in super::super) fn sweep(&mut self) {
        if !self.sweeps() || self.now < self.next_sweep {
            return;
        }
        self.next_sweep = self.now + SWEEP;
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            let code = match (slot.stage, &mut slot.web) {
                (Stage::Handshake { until }, _) if until <= self.now => {
                    self.handshakes -= 1;
                    CloseReason::NoHello.code().into()
                }
                (Stage::Open, Some(web)) => match web.second(&mut slot.quic, self.now) {
                    Due::Nothing => continue,
                    Due::Ping => {
                        self.touch(index);
                        continue;
                    }
                    Due::Close => {
                        self.open -= 1;
                        Code::NO_ERROR.into()
                    }
                },
                // Its last words have waited for long enough, perhaps.
                (Stage::Closing(_), Some(_)) => {
                    self.touch(index);
                    continue;
                }
                _ => continue,
            };
            slot.stage = Stage::Ended;
            slot.quic.close(self.now, code, Bytes::new());
            self.touch(index);
        }
    }
}
