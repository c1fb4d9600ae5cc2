//! What peers' streams bring: one control stream, and groups.

use std::collections::VecDeque;

use quinn_proto::{Dir, ReadError, StreamEvent, StreamId};

use super::slot::Slot;
use super::{Event, IncomingGroup, OutgoingGroup, Peer};

/// What quinn tells of a stream, of either direction.
pub(super) fn happened(
    slot: &mut Slot,
    peer: Peer,
    event: StreamEvent,
    events: &mut VecDeque<Event>,
) {
    match event {
        StreamEvent::Opened { dir } => opened(slot, peer, dir, events),
        StreamEvent::Readable { id } => read(slot, peer, id, events),
        StreamEvent::Writable { id } if slot.control.is(id) => slot.control.write(&mut slot.quic),
        StreamEvent::Writable { .. } | StreamEvent::Available { dir: Dir::Uni } => {
            if !matches!(events.back(), Some(Event::Writable(last)) if *last == peer) {
                events.push_back(Event::Writable(peer));
            }
        }
        StreamEvent::Stopped { id, .. } => {
            let _ = slot.quic.send_stream(id).reset(0u32.into());
            if !slot.control.is(id) {
                events.push_back(Event::GroupStopped(peer, OutgoingGroup(id)));
            }
        }
        StreamEvent::Finished { .. } | StreamEvent::Available { .. } => {}
    }
}

/// The peer opened streams.
fn opened(slot: &mut Slot, peer: Peer, dir: Dir, events: &mut VecDeque<Event>) {
    while let Some(id) = slot.quic.streams().accept(dir) {
        match dir {
            // Flow control lets a peer open one of these at a time; a second one, after the first
            // has ended, is no control stream.
            Dir::Bi if slot.control.begin(id) => {
                let _ = slot.quic.send_stream(id).set_priority(i32::MAX);
                slot.control.write(&mut slot.quic);
            }
            Dir::Bi => {
                let _ = slot.quic.recv_stream(id).stop(0u32.into());
                let _ = slot.quic.send_stream(id).reset(0u32.into());
                continue;
            }
            Dir::Uni => events.push_back(Event::GroupOpened(peer, IncomingGroup(id))),
        }
        read(slot, peer, id, events);
    }
}

/// Takes all that a stream holds. Flow control bounds how much that is.
fn read(slot: &mut Slot, peer: Peer, id: StreamId, events: &mut VecDeque<Event>) {
    let is_control = slot.control.is(id);
    let mut stream = slot.quic.recv_stream(id);
    let Ok(mut chunks) = stream.read(true) else {
        return;
    };
    loop {
        match chunks.next(usize::MAX) {
            Ok(Some(chunk)) if is_control => events.push_back(Event::Control(peer, chunk.bytes)),
            Ok(Some(chunk)) => {
                events.push_back(Event::GroupData(peer, IncomingGroup(id), chunk.bytes));
            }
            Ok(None) if is_control => {
                events.push_back(Event::ControlFinished(peer));
                break;
            }
            Ok(None) => {
                events.push_back(Event::GroupFinished(peer, IncomingGroup(id)));
                break;
            }
            Err(ReadError::Blocked) => break,
            Err(ReadError::Reset(_)) if is_control => {
                events.push_back(Event::ControlFinished(peer));
                break;
            }
            Err(ReadError::Reset(_)) => {
                events.push_back(Event::GroupReset(peer, IncomingGroup(id)));
                break;
            }
        }
    }
    // The connection is touched, so what this makes due is sent with the next flush.
    let _ = chunks.finalize();
}
