//! Newcomers: who is answered, who must show an address first, who takes too long.

use std::time::Duration;

use bytes::Bytes;
use quinn_proto::{Connection, ConnectionHandle, Incoming, Transmit};

use super::super::super::limits::{HANDSHAKE, HANDSHAKES, TURN_HANDSHAKES};
use super::super::outgoing::Control;
use super::super::slot::{PathChange, Slot, Stage};
use super::{Connections, departure};
use crate::airlock::StandIn;
use crate::wire::CloseReason;

/// How often handshakes that take too long are looked for.
const SWEEP: Duration = Duration::from_secs(1);

impl Connections {
    pub(super) fn reply(&mut self, to: StandIn, transmit: &Transmit) {
        let bytes = self
            .scratch
            .get(..transmit.size)
            .unwrap_or_default()
            .to_vec();
        self.replies.push(departure(to, transmit, bytes));
    }

    /// A first packet: answered, asked to prove its address, refused, or left alone.
    pub(super) fn admit(&mut self, from: StandIn, incoming: Incoming) {
        if self.handshakes >= HANDSHAKES {
            self.endpoint.ignore(incoming);
            return;
        }
        self.scratch.clear();
        if self.closing_down || self.endpoint.open_connections() >= self.most {
            let transmit = self.endpoint.refuse(incoming, &mut self.scratch);
            self.reply(from, &transmit);
            return;
        }
        let busy = self.begun >= TURN_HANDSHAKES;
        if (busy || self.handshakes >= self.retry_from) && incoming.may_retry() {
            if let Ok(transmit) = self.endpoint.retry(incoming, &mut self.scratch) {
                self.reply(from, &transmit);
            }
            return;
        }
        if busy {
            // It comes again.
            self.endpoint.ignore(incoming);
            return;
        }
        self.begun += 1;
        let shown = incoming.remote_address_validated();
        match self
            .endpoint
            .accept(incoming, self.now, &mut self.scratch, None)
        {
            Ok((handle, quic)) => {
                self.insert(handle, quic, from);
                if shown {
                    // It came with the token of a Retry: a flood must not push it out.
                    self.paths.push(PathChange::Proved(from));
                }
            }
            Err(error) => {
                if let Some(transmit) = error.response {
                    self.reply(from, &transmit);
                }
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
        self.paths.push(PathChange::Claimed(path));
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
                control,
                room: 0,
                thorough: false,
                touched: false,
            }));
        }
        self.touch(index);
    }

    /// Ends handshakes that take too long; looks once a second. To be called when everything that
    /// connections had to say was heard. The reason given is seen by nobody: before the handshake
    /// is done quinn hides it (RFC 9000, section 10.2.3).
    pub(in super::super) fn sweep(&mut self) {
        if self.handshakes == 0 || self.now < self.next_sweep {
            return;
        }
        self.next_sweep = self.now + SWEEP;
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            if matches!(slot.stage, Stage::Handshake { until } if until <= self.now) {
                slot.stage = Stage::Ended;
                self.handshakes -= 1;
                slot.quic
                    .close(self.now, CloseReason::NoHello.code().into(), Bytes::new());
                self.touch(index);
            }
        }
    }
}
