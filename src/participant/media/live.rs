//! Media out to a player that is watching: WebM as a live stream.

mod clock;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use self::clock::Clock;
use super::error::MediaError;
use super::gate::Gate;
use super::mux::{Clusters, Layout};
use crate::meeting::{Codec, Frame, Presence, TrackDescription, TrackKind};
use crate::wire::TrackId;

/// How long sound alone waits for the first key frame of a described picture.
const WAIT_FOR_PICTURE: Duration = Duration::from_secs(3);

/// Nanoseconds of a tick, whatever the sender's own clock ticks. Of frames that come at once each
/// takes a tick, and so is shown that much later than it came: in milliseconds a long group would
/// be seconds late. In finer ones a block's 16 bits, 3 s here, would not reach a sound that is late.
const TICK_NS: u64 = 100_000;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveState {
    /// Go on.
    Open,
    /// The reader closed its end: a clean end, nothing more will be written.
    Closed,
}

/// Writes one participant's frames to a pipe, each at once, as WebM of unknown length; and after
/// that one another's, in the same stream.
///
/// It begins with the first key frame, or, when a picture was announced and none comes within
/// three seconds, or there is only sound, with sound; time begins at 0 there. A frame that cannot be
/// decoded is left out: live output does not wait.
///
/// A player shows frames at the pace of their timestamps, so how far the first is behind, all that
/// follow stay behind. What comes faster than its own pace (a newcomer is given the current group
/// from its beginning) therefore gets timestamps close together, up to what is live; from there on
/// they are as far apart as the sender's. Such timestamps are a tenth of a millisecond apart, since
/// players take no two that are the same; nothing else is shown later than it came.
///
/// Writing blocks when the player does not read. Give it a thread of its own with a short queue,
/// and drop frames when that is full; it goes on with the next key frame.
///
/// ```no_run
/// # use std::time::Instant;
/// # use sottovoce::participant::media::{LiveState, LiveWriter, MediaError};
/// # fn watch(presence: sottovoce::meeting::Presence, frames: Vec<sottovoce::meeting::Frame>)
/// # -> Result<(), MediaError> {
/// let mut live = LiveWriter::new(std::io::stdout().lock(), &presence)?;
/// for frame in &frames {
///     if live.frame(frame, Instant::now())? == LiveState::Closed {
///         break;
///     }
/// }
/// # Ok(()) }
/// ```
pub struct LiveWriter<W: Write> {
    output: W,
    /// What the head of the stream says, once it is written.
    layout: Layout,
    clusters: Clusters,
    buffer: Vec<u8>,
    source: Source,
    /// The latest time of the stream, and when it was written; `None` before its head.
    latest: Option<(u64, Instant)>,
    /// For each track of the stream the first ticks that are free.
    free: BTreeMap<TrackId, u64>,
    state: LiveState,
}

/// Whose frames are written.
struct Source {
    /// Its tracks that can be shown, and which tracks of the stream they become.
    routes: Vec<(TrackId, TrackId)>,
    /// One of them is a picture.
    pictured: bool,
    gate: Gate,
    clock: Clock,
    first_arrival: Option<Instant>,
}

impl Source {
    /// Finds for each track one of its codec in the stream. Returns too whether all have one.
    fn new(presence: &Presence, layout: &Layout) -> (Self, bool) {
        let described = layout_of(presence).tracks;
        let mut routes: Vec<(TrackId, TrackId)> = Vec::new();
        for track in &described {
            let to = layout.tracks.iter().find(|to| {
                replaces(track, to) && !routes.iter().any(|(_, taken)| *taken == to.track)
            });
            routes.extend(to.map(|to| (track.track, to.track)));
        }
        let shown = |track: &&TrackDescription| routes.iter().any(|(from, _)| *from == track.track);
        let source = Self {
            pictured: described.iter().filter(shown).any(is_picture),
            gate: Gate::new(&described),
            clock: Clock::default(),
            first_arrival: None,
            routes,
        };
        let whole = source.routes.len() == described.len();
        (source, whole)
    }
}

fn layout_of(presence: &Presence) -> Layout {
    Layout {
        scale_ns: TICK_NS,
        ..Layout::new(presence)
    }
}

fn is_picture(track: &TrackDescription) -> bool {
    matches!(track.kind, TrackKind::Video { .. })
}

/// Whether a decoder for the one track goes on with the other. Sizes of pictures are in their key
/// frames; how many channels of sound there are is in each frame, but not which they are if there
/// are more than two, nor how much louder to make them.
fn replaces(track: &TrackDescription, before: &TrackDescription) -> bool {
    let same = gain_and_mapping(track) == gain_and_mapping(before);
    track.codec == before.codec && (track.codec != Codec::Opus || same)
}

/// The end of an OpusHead (RFC 7845, section 5.1): the output gain, of 16 bits, and the channel mapping.
/// Without a head there is neither.
fn gain_and_mapping(track: &TrackDescription) -> &[u8] {
    track.codec_private.get(16..).unwrap_or(&[0; 3])
}

impl<W: Write> LiveWriter<W> {
    /// Prepares to write; nothing is written before the first frame.
    ///
    /// # Errors
    ///
    /// [`MediaError::NothingToRecord`] when no track is described.
    pub fn new(output: W, presence: &Presence) -> Result<Self, MediaError> {
        let layout = layout_of(presence);
        if layout.tracks.is_empty() {
            return Err(MediaError::NothingToRecord);
        }
        Ok(Self {
            output,
            source: Source::new(presence, &layout).0,
            layout,
            clusters: Clusters::default(),
            buffer: Vec::new(),
            latest: None,
            free: BTreeMap::new(),
            state: LiveState::Open,
        })
    }

    /// From now on somebody else's frames are written (or the same one's, who was away). The stream
    /// goes on: no player takes a second head well, nor time that begins again. The time in
    /// between is in it, as it was.
    ///
    /// False when a track fits none of those in the head; it is left out.
    pub fn switch(&mut self, presence: &Presence) -> bool {
        if self.latest.is_none() {
            let layout = layout_of(presence);
            if !layout.tracks.is_empty() {
                self.layout = layout;
            }
        }
        let (source, whole) = Source::new(presence, &self.layout);
        self.source = source;
        whole
    }

    /// Writes a frame that came at `now`.
    ///
    /// # Errors
    ///
    /// [`MediaError::OutputFull`] or [`MediaError::OutputFailed`]. A closed pipe is none.
    pub fn frame(&mut self, frame: &Frame, now: Instant) -> Result<LiveState, MediaError> {
        let mut routes = self.source.routes.iter();
        let route = routes.find(|(from, _)| *from == frame.track);
        let (Some(&(_, track)), LiveState::Open) = (route, self.state) else {
            return Ok(self.state);
        };
        self.source.clock.came(frame.timestamp_ns, now);
        if !self.source.gate.admits(frame) || !self.begun(track, now) {
            return Ok(self.state);
        }
        let out_ns = self.source.clock.time(frame.timestamp_ns);
        let ticks = self.take_ticks(track, self.layout.ticks(out_ns));
        let latest = self.latest.map_or(0, |(latest, _)| latest).max(out_ns);
        self.latest = Some((latest, now));
        let frame = Frame {
            track,
            ..frame.clone()
        };
        self.clusters
            .put(&mut self.buffer, &self.layout, &frame, ticks);
        self.write_out()
    }

    /// Whether this source's frames are being written, from this one on if not before. With the
    /// very first one the head of the stream is put into the buffer.
    fn begun(&mut self, track: TrackId, now: Instant) -> bool {
        if self.source.clock.is_begun() {
            return true;
        }
        let picture = self
            .layout
            .track(track)
            .is_some_and(|(_, to)| is_picture(to));
        let first = *self.source.first_arrival.get_or_insert(now);
        let waited = now.saturating_duration_since(first) >= WAIT_FOR_PICTURE;
        if self.source.pictured && !picture && !waited {
            return false;
        }
        let begins_ns = match self.latest {
            Some((latest, at)) => {
                let since = now.saturating_duration_since(at).as_nanos();
                latest.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
            }
            None => {
                self.layout.put_beginning(&mut self.buffer);
                self.layout.put_info(&mut self.buffer, |_| {});
                self.layout.put_tracks(&mut self.buffer);
                0
            }
        };
        self.source.clock.begin(begins_ns, now);
        true
    }

    /// These ticks, or the next that are free: two frames of a track never share a time, and none
    /// goes back.
    fn take_ticks(&mut self, track: TrackId, ticks: u64) -> u64 {
        let free = self.free.entry(track).or_default();
        let taken = ticks.max(*free);
        *free = taken.saturating_add(1);
        taken
    }

    fn write_out(&mut self) -> Result<LiveState, MediaError> {
        let written = self
            .output
            .write_all(&self.buffer)
            .and_then(|()| self.output.flush());
        self.buffer.clear();
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.state = LiveState::Closed,
            Err(error) => {
                self.state = LiveState::Closed;
                return Err(MediaError::showing(&error));
            }
        }
        Ok(self.state)
    }
}

#[cfg(test)]
mod tests;
