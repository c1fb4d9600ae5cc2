//! Matroska taken apart as its bytes come (RFC 9559): no I/O, no clock.
//!
//! Reads flatly: it goes into the segment, its info, its tracks and its clusters, takes what it
//! knows there and passes over everything else by its size, without keeping it. So clusters and
//! segments of unknown size (live streams) need no special way, and an attachment of a gigabyte
//! costs no memory. What is kept is one element that is not whole yet, at most [`LARGEST`] bytes.

mod event;
mod head;

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::block::{self, Block};
use super::ebml::{self, Header, Parsed, id};
use super::error::{MediaError, MediaWarning};
use crate::wire::limits;

pub(super) use self::event::{Event, RawFrame};
use self::head::Head;

/// Largest frame that is taken, in bytes: sealed, it must fit the wire.
const FRAME: usize = limits::GROUP_FRAME - 1024;
/// Largest element that is kept until it is whole, in bytes: a frame with what surrounds it.
const LARGEST: u64 = limits::GROUP_FRAME as u64 + 4096;
/// Largest element inside a cluster or the head that is believed, in bytes: in a live stream a
/// damaged size must not swallow all that follows.
const MAX_PASSED_OVER: u64 = 256 * 1024 * 1024;

/// Takes bytes in, gives events out.
pub(super) struct Demuxer {
    input: BytesMut,
    /// Bytes of the file before `input`.
    position: u64,
    /// Bytes still to be passed over.
    skip: u64,
    /// Looking for the next cluster, since what is here is not Matroska.
    lost: bool,
    place: Place,
    segment_end: Option<u64>,
    cluster_end: Option<u64>,
    cluster_timestamp: Option<u64>,
    head: Head,
    tracks_told: bool,
    /// Events found and not taken yet.
    ready: VecDeque<Event>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    BeforeSegment,
    Segment,
    /// Behind a segment that says where it ends: nothing should come.
    Behind,
    End,
}

impl Demuxer {
    pub fn new() -> Self {
        Self {
            input: BytesMut::new(),
            position: 0,
            skip: 0,
            lost: false,
            place: Place::Beginning,
            segment_end: None,
            cluster_end: None,
            cluster_timestamp: None,
            head: Head::default(),
            tracks_told: false,
            ready: VecDeque::new(),
        }
    }

    /// Takes the next bytes of the input. Call [`Self::next`] until `None` after each.
    pub fn push(&mut self, bytes: &[u8]) {
        let skipped = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        if self.input.is_empty() {
            self.skip -= skipped as u64;
            self.position += skipped as u64;
            self.input.extend_from_slice(&bytes[skipped..]);
        } else {
            self.input.extend_from_slice(bytes);
        }
    }

    /// The next event; `None` when more bytes are needed.
    pub fn next(&mut self) -> Result<Option<Event>, MediaError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.place == Place::End {
                return Ok(Some(Event::End));
            }
            if !self.step()? {
                return Ok(None);
            }
        }
    }

    /// What is to be said about the input ending here, once [`Self::next`] gives `None`.
    pub fn end_of_input(&self) -> Result<Option<MediaWarning>, MediaError> {
        match self.place {
            Place::Beginning if self.position == 0 && self.input.is_empty() => {
                return Err(MediaError::Empty);
            }
            Place::Beginning => return Err(MediaError::NotMatroska),
            _ if !self.tracks_told => return Err(MediaError::NoTracks),
            _ => {}
        }
        let inside = |end: Option<u64>| end.is_some_and(|end| self.position < end);
        let cut = !self.input.is_empty()
            || self.skip > 0
            || inside(self.segment_end)
            || inside(self.cluster_end);
        // Damage has been told already, and where it ends nobody can say.
        Ok(match self.place {
            Place::Behind if !self.input.is_empty() => Some(MediaWarning::Damaged),
            _ => (cut && !self.lost).then_some(MediaWarning::Truncated),
        })
    }

    /// One element further; false when there are not enough bytes for that.
    fn step(&mut self) -> Result<bool, MediaError> {
        if self.skip > 0 {
            let now = usize::try_from(self.skip)
                .unwrap_or(usize::MAX)
                .min(self.input.len());
            self.consume(now);
            self.skip -= now as u64;
            if self.skip > 0 {
                return Ok(false);
            }
        }
        if self.lost && !self.find_cluster() {
            return Ok(false);
        }
        if self.cluster_end.is_some_and(|end| self.position >= end) {
            self.cluster_end = None;
            self.cluster_timestamp = None;
        }
        if self.segment_end.is_some_and(|end| self.position >= end) {
            self.lost = false;
            self.place = Place::Behind;
            return Ok(self.behind());
        }
        let header = match ebml::header(&self.input) {
            Parsed::Header(header) => header,
            Parsed::Incomplete => return Ok(false),
            Parsed::Invalid => {
                self.damaged()?;
                return Ok(true);
            }
        };
        match self.place {
            Place::Beginning => self.ebml_header(header),
            _ => self.element(header),
        }
    }

    /// What stands behind the segment is not played, and that is told: somebody meant it to be.
    /// False when nothing has come (yet), which is the ordinary end.
    fn behind(&mut self) -> bool {
        let warning = match ebml::header(&self.input) {
            Parsed::Incomplete => return false,
            Parsed::Header(header) => match (header.id, header.size) {
                (id::VOID, Some(size)) => {
                    self.pass_over(header, size);
                    return true;
                }
                (id::EBML | id::SEGMENT, _) => MediaWarning::AnotherFollows,
                _ => MediaWarning::Damaged,
            },
            Parsed::Invalid => MediaWarning::Damaged,
        };
        self.ready.push_back(Event::Warning(warning));
        self.place = Place::End;
        true
    }

    fn consume(&mut self, bytes: usize) -> Bytes {
        self.position += bytes as u64;
        self.input.split_to(bytes).freeze()
    }

    /// The body of an element that is whole; `None` when some of it is still to come.
    fn body(&mut self, header: Header, size: u64) -> Option<Bytes> {
        let size = usize::try_from(size).ok()?;
        if self.input.len() < header.length + size {
            return None;
        }
        self.consume(header.length);
        Some(self.consume(size))
    }

    /// RFC 8794, section 11.2: the first element of the file, and what it says about the rest.
    fn ebml_header(&mut self, header: Header) -> Result<bool, MediaError> {
        let size = header.size.filter(|&size| size <= head::LARGEST);
        let (id::EBML, Some(size)) = (header.id, size) else {
            return Err(MediaError::NotMatroska);
        };
        let Some(body) = self.body(header, size) else {
            return Ok(false);
        };
        if !head::is_matroska(&body) {
            return Err(MediaError::NotMatroska);
        }
        self.place = Place::BeforeSegment;
        Ok(true)
    }

    fn element(&mut self, header: Header) -> Result<bool, MediaError> {
        if self.place == Place::BeforeSegment && !matches!(header.id, id::SEGMENT | id::VOID) {
            return Err(MediaError::NotMatroska);
        }
        if header.id == id::EBML && self.place == Place::Segment {
            self.ready
                .push_back(Event::Warning(MediaWarning::AnotherFollows));
            self.place = Place::End;
            return Ok(true);
        }
        let end = header
            .size
            .map(|size| (self.position + header.length as u64).saturating_add(size));
        let master = matches!(header.id, id::SEGMENT | id::CLUSTER | id::INFO | id::TRACKS);
        let Some(size) = header.size else {
            if !master {
                self.damaged()?;
                return Ok(true);
            }
            return self.enter(header, None);
        };
        let around = self
            .cluster_end
            .filter(|_| header.id != id::CLUSTER)
            .or(self.segment_end);
        // Only what stands directly in the segment (four-byte ids) may be larger than a frame.
        let absurd = header.id <= 0xFF_FFFF && size > MAX_PASSED_OVER;
        if absurd || around.zip(end).is_some_and(|(around, end)| end > around) {
            self.damaged()?;
            return Ok(true);
        }
        match header.id {
            _ if master => self.enter(header, end),
            id::TIMESTAMP_SCALE | id::TRACK_ENTRY if !self.tracks_told && size <= head::LARGEST => {
                let Some(body) = self.body(header, size) else {
                    return Ok(false);
                };
                self.head.take(header.id, &body);
                Ok(true)
            }
            id::TIMESTAMP if size <= 8 => {
                let Some(body) = self.body(header, size) else {
                    return Ok(false);
                };
                self.cluster_timestamp = ebml::uint(&body);
                Ok(true)
            }
            id::SIMPLE_BLOCK | id::BLOCK_GROUP if size <= LARGEST => {
                let Some(body) = self.body(header, size) else {
                    return Ok(false);
                };
                let block = match header.id {
                    id::SIMPLE_BLOCK => block::simple(&body),
                    _ => block::group(&body),
                };
                self.block(block);
                Ok(true)
            }
            id::SIMPLE_BLOCK | id::BLOCK_GROUP => {
                self.ready.push_back(Event::Lost { track: None });
                self.ready
                    .push_back(Event::Warning(MediaWarning::FrameTooLarge));
                self.pass_over(header, size);
                Ok(true)
            }
            _ => {
                self.pass_over(header, size);
                Ok(true)
            }
        }
    }

    fn pass_over(&mut self, header: Header, size: u64) {
        self.consume(header.length);
        self.skip = size;
    }

    /// Goes into an element whose children are read one by one.
    fn enter(&mut self, header: Header, end: Option<u64>) -> Result<bool, MediaError> {
        // Some live writers say 0 where they mean "unknown".
        let end = end.filter(|_| header.size != Some(0));
        match header.id {
            id::SEGMENT if self.place == Place::Segment => {
                self.ready
                    .push_back(Event::Warning(MediaWarning::AnotherFollows));
                self.place = Place::End;
                return Ok(true);
            }
            id::SEGMENT => {
                self.place = Place::Segment;
                self.segment_end = end;
            }
            id::CLUSTER => {
                self.tell_tracks()?;
                self.cluster_end = end;
                self.cluster_timestamp = None;
                self.lost = false;
            }
            _ => {}
        }
        self.consume(header.length);
        Ok(true)
    }

    /// At the first cluster the head is over.
    fn tell_tracks(&mut self) -> Result<(), MediaError> {
        if self.tracks_told {
            return Ok(());
        }
        if self.head.entries.is_empty() {
            return Err(MediaError::NoTracks);
        }
        self.tracks_told = true;
        let entries = std::mem::take(&mut self.head.entries);
        let timestamp_scale_ns = self.head.timestamp_scale_ns;
        self.ready.push_back(Event::Tracks {
            entries,
            timestamp_scale_ns,
        });
        Ok(())
    }

    fn block(&mut self, block: Option<Block>) {
        let (Some(cluster), Some(block)) = (self.cluster_timestamp, block) else {
            self.ready.push_back(Event::Lost { track: None });
            return;
        };
        let ns = |ticks: u64| ticks.saturating_mul(self.head.timestamp_scale_ns);
        let count = block.frames.len();
        for (lace, payload) in block.frames.into_iter().enumerate() {
            if payload.len() > FRAME {
                self.ready
                    .push_back(Event::Warning(MediaWarning::FrameTooLarge));
                self.ready.push_back(Event::Lost {
                    track: Some(block.track),
                });
                continue;
            }
            let last = lace + 1 == count;
            self.ready.push_back(Event::Frame(RawFrame {
                track: block.track,
                timestamp_ns: ns(cluster.saturating_add_signed(block.relative.into())),
                first_of_block: lace == 0,
                keyframe: block.keyframe,
                invisible: block.invisible,
                duration_ns: block.duration.map(|ticks| ns(ticks) / count as u64),
                discard_padding_ns: block.discard_padding_ns.filter(|_| last),
                payload,
            }));
        }
    }

    /// What is here is no Matroska: in the head that is an end, later the next cluster is looked for.
    fn damaged(&mut self) -> Result<(), MediaError> {
        if !self.tracks_told {
            return Err(match self.place {
                Place::Beginning | Place::BeforeSegment => MediaError::NotMatroska,
                _ => MediaError::NoTracks,
            });
        }
        if !self.lost {
            self.ready.push_back(Event::Lost { track: None });
            self.ready.push_back(Event::Warning(MediaWarning::Damaged));
        }
        self.lost = true;
        self.cluster_end = None;
        self.cluster_timestamp = None;
        // The byte that misled is not to mislead again.
        self.consume(1);
        Ok(())
    }

    /// Drops input up to the next cluster's id; false when there is none yet.
    fn find_cluster(&mut self) -> bool {
        let wanted = id::CLUSTER.to_be_bytes();
        match self
            .input
            .windows(wanted.len())
            .position(|window| window == wanted)
        {
            Some(position) => {
                self.position += position as u64;
                self.input.advance(position);
                true
            }
            None => {
                let useless = self.input.len().saturating_sub(wanted.len() - 1);
                self.position += useless as u64;
                self.input.advance(useless);
                false
            }
        }
    }

    /// Bytes that are held for an element that is not whole.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.input.len()
    }
}
