//! Media out: one participant's frames as one WebM file.

mod finalise;
mod interleave;
mod store;
mod timeline;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use store::Output;

use self::interleave::{Arrived, Interleave};
use self::store::Store;
use self::timeline::Timeline;
use super::ebml;
use super::error::MediaError;
use super::file_name;
use super::gate::Gate;
use super::length::{self, Gaps};
use super::mux::{Clusters, Layout};
use crate::meeting::{Frame, Presence};

/// How long what is recorded may stay out of the file: what a killed process loses.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// Bytes that are worth a write of their own.
const FLUSH_BYTES: usize = 256 * 1024;

/// Bytes kept free at the head for the index of the file: a SeekHead of three entries.
const SEEK_HEAD: usize = 68;
/// Bytes kept free for the duration: id, size and a float.
const DURATION: usize = 11;
/// Bytes of a cluster's header: id and size.
const CLUSTER_HEADER: u64 = 12;

/// Records one remote participant.
///
/// Frames may come in any order across tracks. Those of a track are expected in order; what comes
/// a second late is still put where it belongs. A frame is written bit for bit as it came, or not
/// at all: of a picture, only what a decoder can show, that is, a key frame and then the frames
/// that follow it without a gap; after a gap the recording takes the picture up again at the next
/// key frame. Time begins at 0 with the first frame, and all tracks keep step.
///
/// The file can be played at any time, also when the process is killed: until [`Self::finish`] it
/// is laid out as a live stream, of which at most about a second is missing; then it gets its
/// duration and an index. It is not renamed at the end.
///
/// When the disk is full the file is finalised as it stands, which takes no space; that is
/// reported once, and later frames are accepted and dropped.
///
/// ```no_run
/// # use std::time::Instant;
/// # use sottovoce::participant::media::{MediaError, Recorder};
/// # fn record(presence: sottovoce::meeting::Presence, frames: Vec<sottovoce::meeting::Frame>)
/// # -> Result<(), MediaError> {
/// let mut recorder = Recorder::create("recordings".as_ref(), &presence)?;
/// for frame in frames {
///     recorder.frame(frame, Instant::now())?;
/// }
/// println!("{} frames in {}", recorder.finish()?.frames, recorder.path().unwrap().display());
/// # Ok(()) }
/// ```
pub struct Recorder<O: Output = File> {
    store: Store<O>,
    path: Option<PathBuf>,
    layout: Layout,
    interleave: Interleave,
    gate: Gate,
    timeline: Timeline,
    clusters: Clusters,
    cues: Vec<Cue>,
    places: Places,
    gaps: Gaps,
    flushed: Option<Instant>,
    ended: bool,
    summary: Summary,
}

/// Where in the file things are that are written over later.
#[derive(Default)]
struct Places {
    segment: u64,
    seek_head: u64,
    info: u64,
    duration: u64,
    tracks: u64,
    /// Clusters that may not be in the file yet, the open one last.
    clusters: Vec<u64>,
}

/// A place to seek to.
struct Cue {
    ticks: u64,
    track: u8,
    cluster: u64,
}

/// What a recording has become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Frames in the file.
    pub frames: u64,
    /// Frames that came and were left out: repeated, too late, or without what they depend on.
    pub left_out: u64,
    /// How long the file plays.
    pub duration: Duration,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Recorder<File> {
    /// Makes a file for a participant in `directory` (which is made, too, when it is not there),
    /// named safely after the name of the participant's choice. Never touches a file that exists.
    ///
    /// # Errors
    ///
    /// [`MediaError::NothingToRecord`], [`MediaError::CannotCreate`], [`MediaError::DiskFull`].
    pub fn create(directory: &Path, presence: &Presence) -> Result<Self, MediaError> {
        if presence.tracks.is_empty() {
            return Err(MediaError::NothingToRecord);
        }
        let (file, path) = file_name::create_recording(directory, &presence.name)?;
        match Self::with(file, Some(path.clone()), presence) {
            Ok(recorder) => Ok(recorder),
            Err(error) => {
                let _ = std::fs::remove_file(path);
                Err(error)
            }
        }
    }
}

impl<O: Output> Recorder<O> {
    /// Records to `output`, which must be empty.
    ///
    /// # Errors
    ///
    /// [`MediaError::NothingToRecord`], [`MediaError::DiskFull`], [`MediaError::WriteFailed`].
    pub fn new(output: O, presence: &Presence) -> Result<Self, MediaError> {
        Self::with(output, None, presence)
    }

    fn with(output: O, path: Option<PathBuf>, presence: &Presence) -> Result<Self, MediaError> {
        let layout = Layout::new(presence);
        if layout.tracks.is_empty() {
            return Err(MediaError::NothingToRecord);
        }
        let mut recorder = Self {
            store: Store::new(output),
            path,
            interleave: Interleave::new(&layout.tracks),
            gate: Gate::new(&layout.tracks),
            layout,
            timeline: Timeline::default(),
            clusters: Clusters::default(),
            cues: Vec::new(),
            places: Places::default(),
            gaps: Gaps::default(),
            flushed: None,
            ended: false,
            summary: Summary::default(),
        };
        recorder.write_head();
        // A full disk is to be known now, not in a second.
        recorder.store.flush().map_err(|error| {
            recorder.ended = true;
            MediaError::writing(&error)
        })?;
        Ok(recorder)
    }

    /// The file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Takes a frame that came at `now`. Cheap, but for a write to the disk now and then.
    ///
    /// # Errors
    ///
    /// [`MediaError::DiskFull`] or [`MediaError::WriteFailed`], once: the recording is then
    /// finalised as far as it got, and what comes later is dropped.
    pub fn frame(&mut self, frame: Frame, now: Instant) -> Result<(), MediaError> {
        if self.ended || !self.interleave.push(frame, now) {
            self.summary.left_out += 1;
            return Ok(());
        }
        self.tick(now)
    }

    /// Writes what has waited long enough. To be called a few times a second while no frame comes.
    ///
    /// # Errors
    ///
    /// As for [`Self::frame`].
    pub fn tick(&mut self, now: Instant) -> Result<(), MediaError> {
        if self.ended {
            return Ok(());
        }
        while let Some(arrived) = self.interleave.pop(now) {
            self.write(arrived);
        }
        let last = *self.flushed.get_or_insert(now);
        let due = now.saturating_duration_since(last) >= FLUSH_EVERY;
        if self.store.buffered() >= FLUSH_BYTES || (due && self.store.buffered() > 0) {
            self.flushed = Some(now);
            self.flush()?;
        }
        Ok(())
    }

    /// The participant was away and is back: the same recording goes on, after a pause as long as
    /// it was away. False when that cannot be, since it sends other tracks now: finish this one
    /// and make another.
    ///
    /// # Errors
    ///
    /// As for [`Self::frame`].
    pub fn resume(&mut self, presence: &Presence, now: Instant) -> Result<bool, MediaError> {
        if Layout::new(presence).tracks != self.layout.tracks {
            return Ok(false);
        }
        while let Some(arrived) = self.interleave.take() {
            self.write(arrived);
        }
        self.interleave.restart();
        self.timeline.resume();
        self.tick(now)?;
        Ok(true)
    }

    /// Writes all that is waiting, the index and the duration. Again: does nothing. A recording
    /// that stayed empty leaves no file.
    ///
    /// # Errors
    ///
    /// As for [`Self::frame`]; the file can be played all the same.
    pub fn finish(&mut self) -> Result<Summary, MediaError> {
        if !self.ended {
            while let Some(arrived) = self.interleave.take() {
                self.write(arrived);
            }
            self.flush()?;
            let finalised = self.finalise();
            self.check(finalised)?;
        }
        Ok(self.summary)
    }

    fn flush(&mut self) -> Result<(), MediaError> {
        let flushed = self.store.flush();
        self.check(flushed)?;
        let in_file = self.places.clusters.len().saturating_sub(1);
        self.places.clusters.drain(..in_file);
        Ok(())
    }

    /// After an error the recording ends with what it has.
    fn check(&mut self, result: io::Result<()>) -> Result<(), MediaError> {
        let Err(error) = result else { return Ok(()) };
        if !self.ended {
            // Best effort: patching takes no space, and the index goes into what is left.
            let _ = self.finalise();
            self.summary.left_out += self.interleave.clear();
        }
        Err(MediaError::writing(&error))
    }

    fn write_head(&mut self) {
        let (layout, places) = (&self.layout, &mut self.places);
        self.store.append(|out| {
            places.segment = layout.put_beginning(out);
            places.seek_head = out.len() as u64;
            ebml::put_void(out, SEEK_HEAD);
            places.info = out.len() as u64;
            layout.put_info(out, |out| ebml::put_void(out, DURATION));
            // It is the last in Info.
            places.duration = out.len() as u64 - DURATION as u64;
            places.tracks = out.len() as u64;
            layout.put_tracks(out);
        });
        self.store.mark(0, 0);
    }

    fn write(&mut self, (frame, arrival): Arrived) {
        if self.timeline.begins_anew(frame.timestamp_ns, arrival) {
            self.gate = Gate::new(&self.layout.tracks);
        }
        if !self.gate.admits(&frame) {
            self.summary.left_out += 1;
            return;
        }
        let Some((_, description)) = self.layout.track(frame.track) else {
            return;
        };
        let length_ns = length::stated_ns(description, frame.duration_ns, &frame.payload)
            .unwrap_or_else(|| self.gaps.guess_ns(frame.track, frame.timestamp_ns));
        let Some(out_ns) = self.timeline.map(frame.timestamp_ns, length_ns, arrival) else {
            self.gate.lost(frame.track);
            self.summary.left_out += 1;
            return;
        };
        let ticks = self.layout.ticks(out_ns);
        if self.clusters.begins(&self.layout, &frame, ticks) {
            self.close_clusters();
            self.places.clusters.push(self.store.position());
        }
        let entry = self
            .store
            .append(|out| self.clusters.put(out, &self.layout, &frame, ticks));
        self.summary.frames += 1;
        self.store.mark(self.timeline.end_ns(), self.summary.frames);
        if let (true, Some(&cluster)) = (entry, self.places.clusters.last()) {
            let track = self
                .layout
                .track(frame.track)
                .map_or(1, |(number, _)| number);
            self.cues.push(Cue {
                ticks,
                track,
                cluster,
            });
        }
    }
}

impl<O: Output> Drop for Recorder<O> {
    /// Best effort; who wants to know how it went calls [`Self::finish`].
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

#[cfg(test)]
mod tests;
