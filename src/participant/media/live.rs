//! Media out to a player that is watching: WebM as a live stream.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use super::error::MediaError;
use super::gate::Gate;
use super::mux::{Clusters, Layout};
use crate::meeting::{Frame, Presence, TrackKind};

/// How long sound alone waits for the first key frame of a described picture.
const WAIT_FOR_PICTURE: Duration = Duration::from_secs(3);

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveState {
    /// Go on.
    Open,
    /// The reader closed its end: a clean end, nothing more will be written.
    Closed,
}

/// Writes one participant's frames to a pipe, each at once, as WebM of unknown length.
///
/// It begins with the first key frame, or, when a picture was announced and none comes within
/// three seconds, or there is only sound, with sound; time begins at 0 there. A frame that cannot be
/// decoded or that comes too late is left out: live output does not wait.
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
    layout: Layout,
    gate: Gate,
    clusters: Clusters,
    buffer: Vec<u8>,
    /// The timestamp that became 0.
    base_ns: Option<u64>,
    first_arrival: Option<Instant>,
    state: LiveState,
}

impl<W: Write> LiveWriter<W> {
    /// Prepares to write; nothing is written before the first frame.
    ///
    /// # Errors
    ///
    /// [`MediaError::NothingToRecord`] when no track is described.
    pub fn new(output: W, presence: &Presence) -> Result<Self, MediaError> {
        let layout = Layout::new(presence);
        if layout.tracks.is_empty() {
            return Err(MediaError::NothingToRecord);
        }
        Ok(Self {
            output,
            gate: Gate::new(&layout.tracks),
            layout,
            clusters: Clusters::default(),
            buffer: Vec::new(),
            base_ns: None,
            first_arrival: None,
            state: LiveState::Open,
        })
    }

    /// Writes a frame that came at `now`.
    ///
    /// # Errors
    ///
    /// [`MediaError::DiskFull`] or [`MediaError::WriteFailed`]. A closed pipe is none.
    pub fn frame(&mut self, frame: &Frame, now: Instant) -> Result<LiveState, MediaError> {
        if self.state == LiveState::Closed || !self.gate.admits(frame) {
            return Ok(self.state);
        }
        let Some(base_ns) = self.base(frame, now) else {
            return Ok(self.state);
        };
        let Some(out_ns) = frame.timestamp_ns.checked_sub(base_ns) else {
            self.gate.lost(frame.track);
            return Ok(self.state);
        };
        let ticks = self.layout.ticks(out_ns);
        self.clusters
            .put(&mut self.buffer, &self.layout, frame, ticks);
        self.write_out()
    }

    /// The timestamp that is 0; `None` while the beginning is still to come. With it the head of
    /// the stream is put into the buffer.
    fn base(&mut self, frame: &Frame, now: Instant) -> Option<u64> {
        if self.base_ns.is_some() {
            return self.base_ns;
        }
        let (_, track) = self.layout.track(frame.track)?;
        let picture = matches!(track.kind, TrackKind::Video { .. });
        let first = *self.first_arrival.get_or_insert(now);
        let waited = now.saturating_duration_since(first) >= WAIT_FOR_PICTURE;
        if self.layout.has_video() && !picture && !waited {
            return None;
        }
        self.layout.put_beginning(&mut self.buffer);
        self.layout.put_info(&mut self.buffer, |_| {});
        self.layout.put_tracks(&mut self.buffer);
        self.base_ns = Some(frame.timestamp_ns);
        self.base_ns
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
                return Err(MediaError::writing(&error));
            }
        }
        Ok(self.state)
    }
}
