//! What connections have to say, and what becomes of them then.

use bytes::Bytes;
use quinn_proto::ConnectionHandle;

use super::super::incoming;
use super::super::slot::{PathChange, Stage};
use super::super::{Event, Peer};
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
                    let fits = slot
                        .quic
                        .datagrams()
                        .max_size()
                        .is_some_and(|max| max >= DATAGRAM);
                    if self.closing_down || !fits {
                        slot.stage = Stage::Ended;
                        let reason = if fits {
                            CloseReason::Restarting
                        } else {
                            CloseReason::Unexpected
                        };
                        slot.quic
                            .close(self.now, reason.code().into(), Bytes::new());
                    } else {
                        slot.stage = Stage::Open;
                        slot.room = slot.quic.datagrams().send_buffer_space();
                        self.open += 1;
                        let at = slot.path;
                        self.paths.push(PathChange::Proved { peer, at });
                        self.events.push_back(Event::Connected(peer));
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
                        self.events.push_back(Event::Closed(peer));
                    }
                    Stage::Closing(_) | Stage::Ended => slot.stage = Stage::Ended,
                },
                quinn_proto::Event::DatagramReceived if slot.stage == Stage::Open => {
                    while let Some(bytes) = slot.quic.datagrams().recv() {
                        self.events.push_back(Event::Datagram(peer, bytes));
                    }
                }
                quinn_proto::Event::Stream(event) if slot.stage == Stage::Open => {
                    incoming::happened(slot, peer, event, &mut self.events);
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
