//! One connection to a relay: bytes that come become what the meeting is told, and what it says becomes
//! bytes.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sottovoce::stay::{Departures, Silence};
use sottovoce::wire::{
    ControlReader, DownlinkGroup, FromRelay, GroupFrames, GroupNumber, ParticipantId, ToRelay,
    TrackId, UplinkGroup, encode_control, encode_group_frame, uplink,
};

use super::lane::{Lane, Pushed};
use crate::out::{Blob, Out};

/// Groups that come at a time. A relay sends one for each track that is asked for, and those that end.
const GROUPS: usize = 2048;

/// See the module.
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) since: Duration,
    /// When something last came.
    pub(super) heard: Duration,
    pub(super) departures: Departures<Duration>,
    pub(super) silence: Silence<Duration>,
    reader: ControlReader<FromRelay>,
    groups: HashMap<u32, Group>,
    lanes: HashMap<TrackId, Lane>,
    next_stream: u32,
}

/// A group that comes.
#[derive(Default)]
struct Group {
    head: BytesMut,
    header: Option<DownlinkGroup>,
    frames: GroupFrames,
}

/// What came out of a group's bytes.
pub(super) struct Came {
    pub(super) header: DownlinkGroup,
    pub(super) frames: Vec<Bytes>,
}

/// What came is nothing that a relay sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Line {
    pub(super) fn new(number: u32, now: Duration) -> Self {
        Self {
            number,
            since: now,
            heard: now,
            departures: Departures::default(),
            silence: Silence::default(),
            reader: ControlReader::new(),
            groups: HashMap::new(),
            lanes: HashMap::new(),
            next_stream: 0,
        }
    }

    pub(super) fn came(&mut self, now: Duration) {
        self.heard = now;
        self.silence.heard(now);
    }

    /// Control messages that are complete with these bytes, and whether what follows them is none.
    pub(super) fn read(&mut self, bytes: &[u8]) -> (Vec<FromRelay>, Result<(), Malformed>) {
        let mut messages = Vec::new();
        if self.reader.push(bytes).is_err() {
            return (messages, Err(Malformed));
        }
        loop {
            match self.reader.next() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return (messages, Ok(())),
                Err(_) => return (messages, Err(Malformed)),
            }
        }
    }

    /// Bytes of a group. What is malformed is given up, as the relay's fault, and nothing else suffers.
    pub(super) fn group(&mut self, stream: u32, bytes: Bytes) -> Result<Option<Came>, Malformed> {
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&stream) {
            return Err(Malformed);
        }
        let group = self.groups.entry(stream).or_default();
        let begins = group.header.is_none();
        let came = group.push(bytes);
        if let (true, Some(header)) = (begins, group.header) {
            self.departures.group_opened(header.sender);
        }
        if came.is_err() {
            self.group_over(stream);
        }
        came
    }

    /// A group has come whole, or was cut off.
    pub(super) fn group_over(&mut self, stream: u32) {
        if let Some(header) = self.groups.remove(&stream).and_then(|group| group.header) {
            self.departures.group_closed(header.sender);
        }
    }

    /// Somebody left and its last frames are in.
    pub(super) fn departed(&mut self, now: Duration) -> Option<ParticipantId> {
        let gone = self.departures.next(now)?;
        self.silence.departed(gone);
        Some(gone)
    }

    /// A message to the relay.
    pub(super) fn control(&mut self, message: &ToRelay) -> Option<Out> {
        self.silence.said(message);
        // Only a message of ours that is over the limits does not encode, and `meeting` makes none.
        let bytes = Blob(encode_control(message).ok()?);
        let line = self.number;
        Some(Out::Control { line, bytes })
    }

    /// A sealed piece of sound.
    pub(super) fn datagram(&self, track: TrackId, payload: &[u8]) -> Out {
        Out::Datagram {
            line: self.number,
            bytes: Blob(uplink(track, payload)),
        }
    }

    /// A sealed picture.
    pub(super) fn picture(
        &mut self,
        now: Duration,
        (track, group): (TrackId, GroupNumber),
        first: bool,
        sealed: &[u8],
        out: &mut VecDeque<Out>,
    ) -> Pushed {
        let Ok(framed) = encode_group_frame(sealed) else {
            return Pushed::LeftOut;
        };
        let header = UplinkGroup { track, group }.encode();
        let place = (self.number, &mut self.next_stream);
        let lane = self.lanes.entry(track).or_default();
        lane.push(now, place, (group, first), &header, framed, out)
    }

    /// The network took a piece of this stream.
    pub(super) fn wrote(&mut self, stream: u32) {
        for lane in self.lanes.values_mut() {
            lane.wrote(stream);
        }
    }

    /// The relay does not take this stream any more.
    pub(super) fn stopped(&mut self, stream: u32) {
        for lane in self.lanes.values_mut() {
            lane.stopped(stream);
        }
    }

    /// Ends a track's last group, or all of them.
    pub(super) fn finish_lanes(&mut self, track: Option<TrackId>, out: &mut VecDeque<Out>) {
        let lanes = self.lanes.iter_mut();
        for (_, lane) in lanes.filter(|(own, _)| track.is_none_or(|track| track == **own)) {
            lane.finish(self.number, out);
        }
    }

    pub(super) fn has_unwritten(&self) -> bool {
        self.lanes.values().any(Lane::has_unwritten)
    }

    /// When there is something to look after.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let (departures, silence) = (self.departures.deadline(), self.silence.deadline());
        departures.into_iter().chain(silence).min()
    }
}

impl Group {
    fn push(&mut self, bytes: Bytes) -> Result<Option<Came>, Malformed> {
        let header = match self.header {
            Some(header) => {
                self.frames.push(bytes);
                header
            }
            None => {
                self.head.extend_from_slice(&bytes);
                if self.head.len() < DownlinkGroup::LEN {
                    return Ok(None);
                }
                let mut body = std::mem::take(&mut self.head).freeze();
                let header = body.split_to(DownlinkGroup::LEN);
                let header = DownlinkGroup::decode(&header).map_err(|_| Malformed)?;
                self.frames.push(body);
                *self.header.insert(header)
            }
        };
        let mut frames = Vec::new();
        while let Some(frame) = self.frames.next().map_err(|_| Malformed)? {
            frames.push(frame);
        }
        Ok(Some(Came { header, frames }))
    }
}
