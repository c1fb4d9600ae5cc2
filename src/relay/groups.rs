//! Groups of a track as the relay holds them, and how far each subscriber has got.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::wire::{DownlinkGroup, GroupNumber, ParticipantId, TrackId};

use super::limits::{GRACE, GROUPS_PER_TRACK, LINGER, MERGE, WRITE_CHUNKS};
use super::outlet::{OutgoingGroup, Outlet, Peer};
use super::subscription::Source;

/// One group: the bytes that go to every subscriber, the downlink header first.
pub(super) struct Group {
    number: GroupNumber,
    chunks: Vec<Bytes>,
    bytes: usize,
    finished: bool,
    /// Since when there is a newer one.
    superseded: Option<Instant>,
    /// How many cursors are on it.
    readers: Cell<u32>,
}

impl Group {
    fn new(sender: ParticipantId, track: TrackId, number: GroupNumber) -> Self {
        let header = DownlinkGroup {
            sender,
            track,
            group: number,
        }
        .encode();
        Self {
            number,
            chunks: vec![header],
            bytes: 0,
            finished: false,
            superseded: None,
            readers: Cell::new(0),
        }
    }

    pub(super) fn number(&self) -> GroupNumber {
        self.number
    }

    pub(super) fn finished(&self) -> bool {
        self.finished
    }

    /// The sender's bytes, without our header.
    pub(super) fn body(&self) -> &[Bytes] {
        &self.chunks[1..]
    }

    /// Adds a copy of bytes; small neighbours become one, so that the array stays short. They came as a
    /// part of a packet's buffer, whose header must not be held with them. A cursor in the last chunk
    /// stays right.
    fn push(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        let body = self.chunks.len() > 1;
        match self.chunks.last_mut() {
            Some(last) if body && last.len() + bytes.len() <= MERGE => {
                let mut merged = BytesMut::with_capacity(last.len() + bytes.len());
                merged.extend_from_slice(last);
                merged.extend_from_slice(&bytes);
                *last = merged.freeze();
            }
            _ => self.chunks.push(Bytes::copy_from_slice(&bytes)),
        }
    }
}

/// One track of a member, as far as it has groups.
pub(super) struct Track {
    id: TrackId,
    newest: Option<GroupNumber>,
    /// In the order of their numbers. The last is the current one; those before it are there for
    /// those who are about to finish them.
    groups: VecDeque<Group>,
}

impl Track {
    pub(super) fn new(id: TrackId) -> Self {
        Self {
            id,
            newest: None,
            groups: VecDeque::new(),
        }
    }

    pub(super) fn id(&self) -> TrackId {
        self.id
    }

    /// The current group.
    pub(super) fn newest(&self) -> Option<&Group> {
        self.groups.back()
    }

    fn group(&self, number: GroupNumber) -> Option<&Group> {
        self.groups
            .iter()
            .rev()
            .find(|group| group.number == number)
    }

    /// Begins a group. `None` when it is not newer than all before; otherwise the bytes that were
    /// let go to make room.
    pub(super) fn begin(
        &mut self,
        sender: ParticipantId,
        number: GroupNumber,
        now: Instant,
    ) -> Option<usize> {
        if self.newest.is_some_and(|newest| newest >= number) {
            return None;
        }
        self.newest = Some(number);
        if let Some(last) = self.groups.back_mut() {
            last.superseded = Some(now);
        }
        let mut freed = 0;
        if self.groups.len() == GROUPS_PER_TRACK {
            freed = self.groups.pop_front().map_or(0, |group| group.bytes);
        }
        self.groups.push_back(Group::new(sender, self.id, number));
        Some(freed)
    }

    /// Adds to a group; the bytes that it holds now, or `None` when it is not there any more.
    pub(super) fn extend(&mut self, number: GroupNumber, bytes: Bytes) -> Option<usize> {
        let group = self
            .groups
            .iter_mut()
            .rev()
            .find(|group| group.number == number)?;
        if !group.finished && !bytes.is_empty() {
            group.push(bytes);
        }
        Some(group.bytes)
    }

    /// All of a group is there.
    pub(super) fn finish(&mut self, number: GroupNumber) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.number == number) {
            group.finished = true;
        }
    }

    /// Drops a group that will never be whole; the bytes that it held.
    pub(super) fn cut(&mut self, number: GroupNumber) -> usize {
        self.retain(|group| group.number != number)
    }

    /// Drops all that are not whole; the bytes that they held.
    pub(super) fn cut_unfinished(&mut self) -> usize {
        self.retain(|group| group.finished)
    }

    /// Drops what was followed by a newer group for long enough; the bytes that it held.
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        self.retain(|group| {
            let Some(since) = group.superseded else {
                return true;
            };
            let age = now.saturating_duration_since(since);
            let needed = group.readers.get() > 0 || !group.finished;
            age < LINGER || (needed && age < GRACE)
        })
    }

    fn retain(&mut self, mut keep: impl FnMut(&Group) -> bool) -> usize {
        let mut freed = 0;
        self.groups.retain(|group| {
            let kept = keep(group);
            freed += if kept { 0 } else { group.bytes };
            kept
        });
        freed
    }

    /// Whether time alone will let go of something.
    pub(super) fn ages(&self) -> bool {
        self.groups.iter().any(|group| group.superseded.is_some())
    }

    /// Whether someone has yet to take the end of something.
    pub(super) fn is_read(&self) -> bool {
        self.groups.iter().any(|group| group.readers.get() > 0)
    }
}

/// A subscriber's place in one group.
struct Cursor {
    number: GroupNumber,
    stream: OutgoingGroup,
    priority: i32,
    chunk: usize,
    /// Bytes of that chunk that were taken. Stays at its end until there is a next one, since the
    /// last chunk may grow.
    offset: usize,
}

enum Progress {
    Finished,
    Waiting,
}

impl Cursor {
    /// Writes as much as the stream takes, and adds it to `sent`.
    fn write<O: Outlet>(
        &mut self,
        peer: Peer,
        group: &Group,
        outlet: &mut O,
        scratch: &mut Vec<Bytes>,
        sent: &mut usize,
    ) -> Progress {
        loop {
            scratch.clear();
            let mut offset = self.offset;
            for chunk in group.chunks.iter().skip(self.chunk).take(WRITE_CHUNKS) {
                if offset < chunk.len() {
                    scratch.push(chunk.slice(offset..));
                }
                offset = 0;
            }
            let offered: usize = scratch.iter().map(Bytes::len).sum();
            if offered == 0 {
                break;
            }
            let taken = outlet.write_group(peer, self.stream, scratch);
            self.advance(group, taken);
            *sent += taken;
            // quinn tells when there is room again only to who was refused altogether.
            if taken == 0 {
                return Progress::Waiting;
            }
        }
        scratch.clear();
        if group.finished {
            outlet.finish_group(peer, self.stream);
            return Progress::Finished;
        }
        Progress::Waiting
    }

    fn advance(&mut self, group: &Group, taken: usize) {
        self.offset += taken;
        while let Some(chunk) = group.chunks.get(self.chunk)
            && self.offset >= chunk.len()
            && self.chunk + 1 < group.chunks.len()
        {
            self.offset -= chunk.len();
            self.chunk += 1;
        }
    }
}

/// One subscription to a track that has groups.
pub(super) struct View {
    source: Source,
    /// The newest group that was begun for this subscriber.
    started: Option<GroupNumber>,
    /// Whether it begins with the oldest group that is there.
    from_first: bool,
    cursors: Vec<Cursor>,
}

impl View {
    /// Of a track that goes on: begins with its current group.
    pub(super) fn from_newest(source: Source) -> Self {
        Self {
            source,
            started: None,
            from_first: false,
            cursors: Vec::new(),
        }
    }

    /// Of a track that goes on: begins with the next group.
    pub(super) fn from_next(source: Source, track: &Track) -> Self {
        Self {
            started: track.newest,
            ..Self::from_newest(source)
        }
    }

    /// Of a track that begins.
    pub(super) fn from_first(source: Source) -> Self {
        Self {
            from_first: true,
            ..Self::from_newest(source)
        }
    }

    pub(super) fn source(&self) -> Source {
        self.source
    }

    /// Begins what is new and goes on with what was begun. A group that the track has let go is
    /// reset: that is how a subscriber who is behind gets to the newest. Returns the bytes taken.
    pub(super) fn pump<O: Outlet>(
        &mut self,
        peer: Peer,
        track: &Track,
        outlet: &mut O,
        scratch: &mut Vec<Bytes>,
    ) -> usize {
        let mut sent = 0;
        self.cursors.retain(|cursor| {
            let there = track.group(cursor.number).is_some();
            if !there {
                outlet.reset_group(peer, cursor.stream);
            }
            there
        });
        self.begin(peer, track, outlet);
        self.cursors.retain_mut(|cursor| {
            let Some(group) = track.group(cursor.number) else {
                return false;
            };
            match cursor.write(peer, group, outlet, scratch, &mut sent) {
                Progress::Waiting => true,
                Progress::Finished => {
                    group.readers.update(|readers| readers.saturating_sub(1));
                    false
                }
            }
        });
        sent
    }

    /// Opens a stream for each group that is new to the subscriber; for the newest alone, when
    /// the subscriber itself is new. An older group goes first, so that it ends.
    fn begin<O: Outlet>(&mut self, peer: Peer, track: &Track, outlet: &mut O) {
        let from = match self.started {
            Some(started) => track
                .groups
                .partition_point(|group| group.number <= started),
            None if self.from_first => 0,
            None => track.groups.len().saturating_sub(1),
        };
        for group in track.groups.range(from..) {
            let lowest = self.cursors.iter().map(|cursor| cursor.priority).min();
            let priority = lowest.map_or(0, |lowest| lowest.saturating_sub(1));
            let Some(stream) = outlet.open_group(peer, priority) else {
                return;
            };
            group.readers.update(|readers| readers + 1);
            self.started = Some(group.number);
            let number = group.number;
            self.cursors.push(Cursor {
                number,
                stream,
                priority,
                chunk: 0,
                offset: 0,
            });
        }
    }

    /// The subscriber wants no more of one stream. `true` when it was one of these.
    pub(super) fn stop(&mut self, stream: OutgoingGroup, track: Option<&Track>) -> bool {
        let Some(at) = self
            .cursors
            .iter()
            .position(|cursor| cursor.stream == stream)
        else {
            return false;
        };
        let cursor = self.cursors.swap_remove(at);
        Self::unread(track, cursor.number);
        true
    }

    /// Ends all of its streams in the middle.
    pub(super) fn end<O: Outlet>(self, peer: Peer, track: Option<&Track>, outlet: &mut O) {
        for cursor in self.cursors {
            outlet.reset_group(peer, cursor.stream);
            Self::unread(track, cursor.number);
        }
    }

    fn unread(track: Option<&Track>, number: GroupNumber) {
        if let Some(group) = track.and_then(|track| track.group(number)) {
            group.readers.update(|readers| readers.saturating_sub(1));
        }
    }
}
