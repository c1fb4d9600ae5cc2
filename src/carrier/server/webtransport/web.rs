//! A peer that speaks HTTP/3: what its streams say, laid on its connection.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use quinn_proto::crypto::rustls::HandshakeData;
use quinn_proto::{Connection, Dir, ReadError, StreamEvent, StreamId, VarInt, WriteError};

use super::super::super::limits::{
    HTTP_OWN_STREAMS, HTTP_STREAMS, SESSION_FAREWELL, SESSION_WITHIN,
};
use super::super::super::transport::{KEEP_ALIVE, UPLINK_GROUPS};
use super::super::slot::Slot;
use super::super::{Event, IncomingGroup, OutgoingGroup, Peer};
use super::ALPN;
use super::code::Code;
use super::head::put;
use super::http::{CLOSE_SESSION, Ended, Http, Ours, Said};
use super::settings;
use crate::wire::limits::DATAGRAM;

/// Whether HTTP/3 is what a handshake has agreed on.
pub(in super::super) fn is_spoken(quic: &Connection) -> bool {
    let data = quic.crypto_session().handshake_data();
    let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
    data.is_some_and(|data| data.protocol.as_deref() == Some(ALPN))
}

/// The type of a group's stream (draft-ietf-webtrans-http3, section 4.2).
const SESSION_STREAM: u64 = 0x54;

/// Streams to a peer with a session that are HTTP/3's: our control stream, and the session.
pub(in super::super) const STREAMS: usize = 2;

/// What is known of such a peer.
pub(in super::super) struct Web {
    http: Http,
    /// Our own control stream of HTTP/3.
    own: StreamId,
    /// What flow control did not take yet of what we say in HTTP/3.
    waiting: Vec<Waiting>,
    /// Until when there must be a session, or its close may wait.
    until: Instant,
    /// A page cannot keep its connection alive, so we do.
    next_ping: Instant,
    /// The close of its session is on its way.
    says_farewell: bool,
}

struct Waiting {
    id: StreamId,
    bytes: Bytes,
    /// Nothing follows.
    last: bool,
}

/// Why nothing more is heard of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum End {
    /// It ended its session.
    Session,
    /// It does not keep to the protocol.
    Fault(Code),
}

/// What is to be done about a peer from time to time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Due {
    Nothing,
    /// Something waits to be sent.
    Ping,
    /// It has stayed too long without a session.
    Close,
}

impl Web {
    /// A handshake is complete.
    ///
    /// # Errors
    /// The peer allows us no stream.
    pub(in super::super) fn begin(quic: &mut Connection, now: Instant) -> Result<Self, Code> {
        quic.set_max_concurrent_streams(Dir::Bi, HTTP_STREAMS.into());
        quic.set_max_concurrent_streams(Dir::Uni, (UPLINK_GROUPS + HTTP_OWN_STREAMS).into());
        let own = quic.streams().open(Dir::Uni).ok_or(Code::STREAM_CREATION)?;
        // With the number of its session in front.
        let fits = quic.datagrams().max_size() > Some(DATAGRAM);
        let mut web = Self {
            http: Http::new(fits),
            own,
            waiting: Vec::new(),
            until: now + SESSION_WITHIN,
            next_ping: now + KEEP_ALIVE,
            says_farewell: false,
        };
        web.say(quic, own, settings::opening().into(), false);
        Ok(web)
    }

    /// Whether it has a session, and so is known above.
    pub(in super::super) fn has_session(&self) -> bool {
        self.http.session().is_some()
    }

    /// What a datagram brings of the vocabulary's.
    pub(in super::super) fn datagram(&self, bytes: Bytes) -> Result<Option<Bytes>, End> {
        self.http.datagram(bytes).map_err(End::Fault)
    }

    /// A group begins on a stream of ours.
    pub(in super::super) fn begin_group(&mut self, quic: &mut Connection, id: StreamId) {
        let Some(session) = self.http.session() else {
            return;
        };
        let mut head = Vec::with_capacity(4);
        put(&mut head, SESSION_STREAM);
        put(&mut head, VarInt::from(session).into_inner());
        self.say(quic, id, head.into(), false);
    }

    /// Whether a stream has taken all of HTTP/3 that stands in front.
    pub(in super::super) fn is_ready(&mut self, quic: &mut Connection, id: StreamId) -> bool {
        if !self.waiting.is_empty() {
            self.go_on(quic, id);
        }
        self.waiting.iter().all(|waiting| waiting.id != id)
    }

    /// A stream of ours has ended before its time.
    pub(in super::super) fn drop_outgoing(&mut self, id: StreamId) {
        self.waiting.retain(|waiting| waiting.id != id);
    }

    /// Nothing more is heard of a stream of the peer's.
    pub(in super::super) fn drop_incoming(&mut self, id: StreamId) {
        self.http.forget(id);
    }

    /// There will be no session unless there is one.
    pub(in super::super) fn refuse_sessions(&mut self) {
        self.http.refuse_sessions();
    }

    /// About a second has gone by.
    pub(in super::super) fn second(&mut self, quic: &mut Connection, now: Instant) -> Due {
        self.http.refill();
        if !self.has_session() && now >= self.until {
            return Due::Close;
        }
        if now < self.next_ping {
            return Due::Nothing;
        }
        self.next_ping = now + KEEP_ALIVE;
        quic.ping();
        Due::Ping
    }

    /// Ends its session; until when that may wait to be acknowledged.
    pub(in super::super) fn close_session(
        &mut self,
        quic: &mut Connection,
        reason: u32,
        now: Instant,
    ) -> Instant {
        let session = self.http.session();
        self.until = now + SESSION_FAREWELL;
        self.says_farewell = session.is_some();
        if let Some(session) = session {
            // A capsule in a frame DATA: its type has two bytes, its length one, its code four.
            let mut bytes = vec![0x00, 2 + 1 + 4];
            put(&mut bytes, CLOSE_SESSION);
            bytes.push(4);
            bytes.extend_from_slice(&reason.to_be_bytes());
            self.say(quic, session, bytes.into(), true);
        }
        self.until
    }

    /// Whether the connection should live on until the close of its session is acknowledged.
    pub(in super::super) fn waits(&self, now: Instant) -> bool {
        self.says_farewell && now < self.until
    }

    /// Hears on, after the session was closed, whether that has arrived.
    pub(in super::super) fn farewell(&mut self, quic: &mut Connection, event: &StreamEvent) {
        match *event {
            StreamEvent::Writable { id } => self.go_on(quic, id),
            StreamEvent::Finished { id } | StreamEvent::Stopped { id, .. }
                if self.http.session() == Some(id) =>
            {
                self.says_farewell = false;
            }
            _ => {}
        }
    }

    /// What the connection is closed with in the end.
    pub(in super::super) fn close_code(&self) -> Code {
        match self.has_session() {
            true => Code::NO_ERROR,
            // It was not there for long enough to get one.
            false => Code::EXCESSIVE_LOAD,
        }
    }

    fn say(&mut self, quic: &mut Connection, id: StreamId, bytes: Bytes, last: bool) {
        self.waiting.push(Waiting { id, bytes, last });
        self.go_on(quic, id);
    }

    /// Hands on what waits for a stream, as far as it is taken.
    fn go_on(&mut self, quic: &mut Connection, id: StreamId) {
        self.waiting.retain_mut(|waiting| {
            if waiting.id != id {
                return true;
            }
            let mut stream = quic.send_stream(id);
            while !waiting.bytes.is_empty() {
                match stream.write_chunks(std::slice::from_mut(&mut waiting.bytes)) {
                    Ok(_) => {}
                    Err(WriteError::Blocked) => return true,
                    Err(WriteError::Stopped(_) | WriteError::ClosedStream) => return false,
                }
            }
            if waiting.last {
                let _ = stream.finish();
            }
            false
        });
    }

    /// A stream has no use.
    fn turn_down(quic: &mut Connection, id: StreamId, code: Code) {
        let _ = quic.recv_stream(id).stop(code.into());
        if id.dir() == Dir::Bi {
            let _ = quic.send_stream(id).reset(code.into());
        }
    }
}

/// What quinn tells of a stream of a peer that speaks HTTP/3.
pub(in super::super) fn happened(
    slot: &mut Slot,
    peer: Peer,
    event: StreamEvent,
    events: &mut VecDeque<Event>,
) -> Result<(), End> {
    let Some(web) = &mut slot.web else {
        return Ok(());
    };
    match event {
        StreamEvent::Opened { dir } => {
            while let Some(id) = slot.quic.streams().accept(dir) {
                read(slot, peer, id, events)?;
            }
        }
        StreamEvent::Readable { id } => read(slot, peer, id, events)?,
        StreamEvent::Writable { id } if slot.control.is(id) => slot.control.write(&mut slot.quic),
        StreamEvent::Writable { .. } | StreamEvent::Available { dir: Dir::Uni } => {
            if let StreamEvent::Writable { id } = event {
                web.go_on(&mut slot.quic, id);
            }
            let told = matches!(events.back(), Some(Event::Writable(last)) if *last == peer);
            if web.has_session() && !told {
                events.push_back(Event::Writable(peer));
            }
        }
        StreamEvent::Stopped { id, .. } => {
            if id == web.own {
                return Err(End::Fault(Code::CLOSED_CRITICAL_STREAM));
            }
            if web.http.session() == Some(id) {
                return Err(End::Session);
            }
            web.drop_outgoing(id);
            let code = Code::of_stream(0);
            let _ = slot.quic.send_stream(id).reset(code.into());
            if id.dir() == Dir::Uni {
                events.push_back(Event::GroupStopped(peer, OutgoingGroup(id)));
            }
        }
        StreamEvent::Finished { .. } | StreamEvent::Available { .. } => {}
    }
    Ok(())
}

/// Takes all that a stream holds. Flow control bounds how much that is.
fn read(
    slot: &mut Slot,
    peer: Peer,
    id: StreamId,
    events: &mut VecDeque<Event>,
) -> Result<(), End> {
    loop {
        let next = {
            let mut stream = slot.quic.recv_stream(id);
            let Ok(mut chunks) = stream.read(true) else {
                return Ok(());
            };
            let next = chunks.next(usize::MAX);
            // The connection is touched, so what this makes due is sent with the next flush.
            let _ = chunks.finalize();
            next
        };
        match next {
            Ok(Some(chunk)) => take(slot, peer, id, chunk.bytes, events)?,
            Ok(None) => return ended(slot, peer, id, true, events),
            Err(ReadError::Reset(_)) => return ended(slot, peer, id, false, events),
            Err(ReadError::Blocked) => return Ok(()),
        }
    }
}

fn take(
    slot: &mut Slot,
    peer: Peer,
    id: StreamId,
    mut bytes: Bytes,
    events: &mut VecDeque<Event>,
) -> Result<(), End> {
    let Some(web) = &mut slot.web else {
        return Ok(());
    };
    while !bytes.is_empty() {
        match web.http.take(id, &mut bytes).map_err(End::Fault)? {
            Said::Nothing => {}
            Said::Begins(Ours::Group) => {
                events.push_back(Event::GroupOpened(peer, IncomingGroup(id)));
            }
            Said::Begins(Ours::Control) => {
                if slot.control.begin(id) {
                    let _ = slot.quic.send_stream(id).set_priority(i32::MAX);
                    slot.control.write(&mut slot.quic);
                }
            }
            Said::More(Ours::Group, bytes) => {
                events.push_back(Event::GroupData(peer, IncomingGroup(id), bytes));
            }
            Said::More(Ours::Control, bytes) => events.push_back(Event::Control(peer, bytes)),
            Said::Request(answer) => {
                web.say(&mut slot.quic, id, Bytes::from_static(answer), true);
            }
            Said::SessionBegins(answer) => {
                // Its close goes before what waits in groups.
                let _ = slot.quic.send_stream(id).set_priority(i32::MAX);
                web.say(&mut slot.quic, id, Bytes::from_static(answer), false);
                // One with a larger number than fits a byte is refused.
                slot.prefix = u8::try_from(id.index()).ok();
                events.push_back(Event::Connected(peer));
            }
            Said::SessionEnds => return Err(End::Session),
            Said::Useless(code) => {
                Web::turn_down(&mut slot.quic, id, code);
                return Ok(());
            }
        }
    }
    Ok(())
}

fn ended(
    slot: &mut Slot,
    peer: Peer,
    id: StreamId,
    well: bool,
    events: &mut VecDeque<Event>,
) -> Result<(), End> {
    let Some(web) = &mut slot.web else {
        return Ok(());
    };
    match web.http.ended(id, well).map_err(End::Fault)? {
        Ended::Nothing => {}
        Ended::Ours(Ours::Control) => events.push_back(Event::ControlFinished(peer)),
        Ended::Ours(Ours::Group) if well => {
            events.push_back(Event::GroupFinished(peer, IncomingGroup(id)));
        }
        Ended::Ours(Ours::Group) => events.push_back(Event::GroupReset(peer, IncomingGroup(id))),
        Ended::SessionEnds => return Err(End::Session),
        Ended::Useless(code) => Web::turn_down(&mut slot.quic, id, code),
    }
    Ok(())
}
