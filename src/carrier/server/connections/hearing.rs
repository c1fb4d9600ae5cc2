//! What connections have to say, and what becomes of them then.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use quinn_proto::{ConnectionHandle, VarInt};

use super::super::slot::{PathChange, Slot, Stage};
use super::super::webtransport::{self, Code, End, Web};
use super::super::{Event, Peer, incoming};
use super::Connections;
use crate::airlock::StandIn;
use crate::wire::{CloseReason, limits::DATAGRAM};

impl Connections {
    /// Takes what touched connections have to say; they stay touched for the flush.
    pub(in super::super) fn pump(&mut self) {
        let mut at = 0;
        while let Some(&index) = self.touched.get(at) {
            at += 1;
            self.hear(index);
            self.settle(index);
        }
    }

    /// Takes what one connection has to say.
    pub(super) fn hear(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        let peer = Peer {
            index: index as u32,
            generation: self.generations[index],
        };
        while let Some(event) = slot.quic.poll() {
            match event {
                quinn_proto::Event::Connected => {
                    self.handshakes -= 1;
                    match open(slot, self.closing_down, self.now) {
                        Ok(()) => {
                            slot.stage = Stage::Open;
                            slot.room = slot.quic.datagrams().send_buffer_space();
                            self.open += 1;
                            self.webs += usize::from(slot.web.is_some());
                            let at = slot.path;
                            self.paths.push(PathChange::Proved { peer, at });
                            if slot.web.is_none() {
                                self.events.push_back(Event::Connected(peer));
                            }
                        }
                        Err(code) => {
                            slot.stage = Stage::Ended;
                            slot.quic.close(self.now, code, Bytes::new());
                        }
                    }
                }
                quinn_proto::Event::ConnectionLost { .. } => match slot.stage {
                    Stage::Handshake { .. } => {
                        self.handshakes -= 1;
                        slot.stage = Stage::Ended;
                    }
                    Stage::Open => {
                        self.open -= 1;
                        slot.stage = Stage::Ended;
                        if slot.is_known() {
                            self.events.push_back(Event::Closed(peer));
                        }
                    }
                    Stage::Closing(_) | Stage::Ended => slot.stage = Stage::Ended,
                },
                quinn_proto::Event::DatagramReceived if slot.stage == Stage::Open => {
                    if let Err(end) = datagrams(slot, peer, &mut self.events) {
                        self.open -= 1;
                        part(slot, peer, end, self.now, &mut self.events);
                    }
                }
                quinn_proto::Event::Stream(event) if slot.stage == Stage::Open => {
                    if slot.web.is_none() {
                        incoming::happened(slot, peer, event, &mut self.events);
                        continue;
                    }
                    let heard = webtransport::happened(slot, peer, event, &mut self.events);
                    if let Err(end) = heard {
                        self.open -= 1;
                        part(slot, peer, end, self.now, &mut self.events);
                    }
                }
                quinn_proto::Event::Stream(event) => {
                    if let (Stage::Closing(_), Some(web)) = (slot.stage, &mut slot.web) {
                        web.farewell(&mut slot.quic, &event);
                    }
                }
                _ => {}
            }
        }
        if slot.stage == Stage::Open {
            let path = StandIn::from_quic(slot.quic.remote_address());
            if path != slot.path {
                self.paths.push(PathChange::Moved {
                    from: slot.path,
                    to: path,
                });
                slot.path = path;
                slot.route = None;
            }
        }
    }

    /// Passes on what a connection tells the endpoint, notes its deadline, and lets go of it once
    /// it is drained.
    pub(in super::super) fn settle(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        let handle = ConnectionHandle(index);
        let (mut drained, mut fed) = (false, false);
        while let Some(event) = slot.quic.poll_endpoint_events() {
            drained |= event.is_drained();
            if let Some(event) = self.endpoint.handle_event(handle, event) {
                slot.quic.handle_event(event);
                fed = true;
            }
        }
        if drained {
            self.webs -= usize::from(slot.web.is_some());
            let (from, berth) = (slot.path, slot.berth.take());
            self.paths.push(PathChange::Gone { from, berth });
            self.deadlines.set(index, None);
            self.slots[index] = None;
            self.held.forget(index);
            self.generations[index] = self.generations[index].wrapping_add(1);
            if self.is_empty() && !self.waits() {
                self.begin_anew();
            }
        } else {
            let deadline = slot.quic.poll_timeout();
            self.deadlines.set(index, deadline);
            if fed {
                self.touch(index);
            }
        }
    }
}

/// A handshake is complete.
///
/// # Errors
/// What the connection ends with, when it has no use.
fn open(slot: &mut Slot, closing_down: bool, now: Instant) -> Result<(), VarInt> {
    if webtransport::is_spoken(&slot.quic) {
        if closing_down {
            return Err(Code::NO_ERROR.into());
        }
        slot.web = Some(Box::new(Web::begin(&mut slot.quic, now)?));
        return Ok(());
    }
    // Of those who speak HTTP/3 only who wants a session has to take datagrams.
    if slot.quic.datagrams().max_size() < Some(DATAGRAM) {
        return Err(CloseReason::Unexpected.code().into());
    }
    match closing_down {
        true => Err(CloseReason::Restarting.code().into()),
        false => Ok(()),
    }
}

fn datagrams(slot: &mut Slot, peer: Peer, events: &mut VecDeque<Event>) -> Result<(), End> {
    while let Some(bytes) = slot.quic.datagrams().recv() {
        let ours = match &slot.web {
            Some(web) => web.datagram(bytes)?,
            None => Some(bytes),
        };
        events.extend(ours.map(|bytes| Event::Datagram(peer, bytes)));
    }
    Ok(())
}

/// Lets go of a peer that speaks HTTP/3.
fn part(slot: &mut Slot, peer: Peer, end: End, now: Instant, events: &mut VecDeque<Event>) {
    let (code, known) = match end {
        End::Session => (Code::NO_ERROR, true),
        End::Fault(code) => (code, slot.is_known()),
    };
    slot.stage = Stage::Ended;
    slot.quic.close(now, code.into(), Bytes::new());
    if known {
        events.push_back(Event::Closed(peer));
    }
}
