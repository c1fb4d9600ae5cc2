//! A carrier without a network: writes down what everyone was sent.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::*;
use crate::relay::outlet::{OutgoingGroup, Outlet, SendError};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum End {
    Open,
    Finished,
    Reset,
}

/// A stream as its receiver sees it.
pub(in super::super) struct Stream {
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
    pub(super) priority: i32,
}

impl Stream {
    pub(super) fn header(&self) -> DownlinkGroup {
        DownlinkGroup::decode(&self.bytes).expect("a stream without a header")
    }

    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(DownlinkGroup::LEN..).unwrap_or(&[])
    }
}

/// What came, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Came {
    Control,
    Audio,
    Video,
}

/// What one participant was sent.
#[derive(Default)]
pub(in super::super) struct Inbox {
    pub(super) control: VecDeque<FromRelay>,
    pub(super) bundles: Vec<Bytes>,
    pub(super) frames: Vec<(ParticipantId, TrackId, Bytes)>,
    pub(super) streams: BTreeMap<u64, Stream>,
    pub(super) came: Vec<Came>,
    pub(super) closed: Option<CloseReason>,
    pub(super) stopped: Vec<IncomingGroup>,
    /// May send groups at full speed.
    pub(super) wide: bool,
}

/// A carrier without a network.
#[derive(Default)]
pub(in super::super) struct Carrier {
    pub(super) inboxes: HashMap<Peer, Inbox>,
    /// Who takes no control messages any more.
    pub(super) deaf: Vec<Peer>,
    /// How many more group bytes someone takes; without an entry, all.
    pub(super) window: HashMap<Peer, usize>,
    /// How many more streams someone allows; without an entry, all.
    pub(super) streams: HashMap<Peer, usize>,
    opened: u64,
}

impl Carrier {
    fn inbox(&mut self, peer: Peer) -> &mut Inbox {
        let inbox = self.inboxes.entry(peer).or_default();
        assert_eq!(
            inbox.closed, None,
            "something is sent to a closed connection"
        );
        inbox
    }

    fn stream(&mut self, peer: Peer, stream: OutgoingGroup) -> &mut Stream {
        let stream = self.inbox(peer).streams.get_mut(&stream_number(stream));
        let stream = stream.expect("a stream that was never opened");
        assert_eq!(stream.end, End::Open, "a stream that has ended is used");
        stream
    }
}

impl Outlet for Carrier {
    fn send_control(&mut self, to: Peer, message: Bytes) -> Result<(), SendError> {
        if self.deaf.contains(&to) {
            return Err(SendError::Overflow);
        }
        let mut reader = ControlReader::new();
        reader.push(&message).unwrap();
        let message = reader.next().unwrap().expect("half a control message");
        let inbox = self.inbox(to);
        inbox.control.push_back(message);
        inbox.came.push(Came::Control);
        Ok(())
    }

    fn send_datagram(&mut self, to: Peer, bundle: Bytes) -> Result<(), SendError> {
        assert!(bundle.len() <= crate::wire::limits::DATAGRAM);
        let inbox = self.inbox(to);
        for entry in BundleEntries::new(bundle.clone()) {
            let entry = entry.expect("a bundle that does not decode");
            inbox
                .frames
                .push((entry.sender, entry.track, entry.payload));
        }
        inbox.bundles.push(bundle);
        inbox.came.push(Came::Audio);
        Ok(())
    }

    fn widen(&mut self, peer: Peer) {
        self.inbox(peer).wide = true;
    }

    fn open_group(&mut self, to: Peer, priority: i32) -> Option<OutgoingGroup> {
        if let Some(left) = self.streams.get_mut(&to) {
            *left = left.checked_sub(1)?;
        }
        let number = self.opened;
        self.opened += 1;
        let stream = Stream {
            bytes: Vec::new(),
            end: End::Open,
            priority,
        };
        self.inbox(to).streams.insert(number, stream);
        Some(outgoing(number))
    }

    fn write_group(&mut self, to: Peer, group: OutgoingGroup, chunks: &mut [Bytes]) -> usize {
        let mut left = self.window.get(&to).copied().unwrap_or(usize::MAX);
        let mut taken = 0;
        for chunk in chunks {
            let part = chunk.split_to(chunk.len().min(left));
            left -= part.len();
            taken += part.len();
            self.stream(to, group).bytes.extend_from_slice(&part);
        }
        if let Some(window) = self.window.get_mut(&to) {
            *window = left;
        }
        if taken > 0 {
            self.inbox(to).came.push(Came::Video);
        }
        taken
    }

    fn finish_group(&mut self, to: Peer, group: OutgoingGroup) {
        self.stream(to, group).end = End::Finished;
    }

    fn reset_group(&mut self, to: Peer, group: OutgoingGroup) {
        self.stream(to, group).end = End::Reset;
    }

    fn stop_incoming(&mut self, from: Peer, group: IncomingGroup) {
        self.inbox(from).stopped.push(group);
    }

    fn close(&mut self, peer: Peer, reason: CloseReason) {
        self.inbox(peer).closed = Some(reason);
    }
}
