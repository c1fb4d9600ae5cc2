//! Media in: a WebM or Matroska file or pipe as track descriptions and frames.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::PathBuf;

use super::demux::{Demuxer, Event, RawFrame};
use super::error::{MediaError, MediaWarning};
use super::length;
use super::pace::Seam;
use super::tracks::Entry;
use crate::meeting::{Frame, TrackDescription, TrackKind};
use crate::wire::GroupNumber;

/// Bytes that are asked of the operating system at once; a pipe gives what it has.
const CHUNK: usize = 64 * 1024;

/// Where media comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or anything with a path that can be read: also a named pipe.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// Media being read. Blocks while its input has nothing: give it a thread of its own.
///
/// Of each kind the first track that a meeting can carry is taken: the first sound, the first
/// picture. Others are named in [`Self::take_warnings`]. Frames come in file order, a picture's
/// from its first key frame on; each key frame begins a group. Reading keeps one frame in memory,
/// not the file, and gives a frame out as soon as its block is whole.
///
/// ```no_run
/// use sottovoce::participant::media::{Input, Source};
///
/// let mut source = Source::open(&Input::File("voice.webm".into()))?;
/// println!("{} tracks", source.tracks().len());
/// while let Some(frame) = source.next_frame()? {
///     println!("{} ns: {} bytes", frame.timestamp_ns, frame.payload.len());
/// }
/// for warning in source.take_warnings() {
///     println!("{warning}");
/// }
/// # Ok::<(), sottovoce::participant::media::MediaError>(())
/// ```
pub struct Source {
    reader: Reader,
    demuxer: Demuxer,
    chunk: Box<[u8]>,
    state: State,
    timestamp_scale_ns: u64,
    descriptions: Vec<TrackDescription>,
    tracks: Vec<Track>,
    warnings: Vec<MediaWarning>,
    seam: Seam,
}

enum Reader {
    /// Can be played again.
    File(File),
    Pipe(Box<dyn Read + Send>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
}

/// A track that is sent.
struct Track {
    /// Its number in the file.
    number: u64,
    description: TrackDescription,
    stripped: Vec<u8>,
    /// Frames given out.
    count: u64,
    /// The group of the frames that come now; `None` while no key frame has come (again).
    group: Option<GroupNumber>,
    next_group: u32,
    /// Where the next frame of a laced block begins, after the block's timestamp.
    lace_ns: u64,
}

impl Source {
    /// Opens an input and reads up to its first cluster, where its tracks are known.
    ///
    /// # Errors
    ///
    /// Everything in [`MediaError`] that concerns reading: the file is missing or not readable,
    /// the input is empty or not Matroska, or has no track with a codec that a meeting carries.
    pub fn open(input: &Input) -> Result<Self, MediaError> {
        let reader = match input {
            Input::Stdin => Reader::Pipe(Box::new(std::io::stdin())),
            Input::File(path) => {
                let file = File::open(path).map_err(|error| MediaError::reading(&error))?;
                let kind = file
                    .metadata()
                    .map_err(|error| MediaError::reading(&error))?;
                match () {
                    () if kind.is_dir() => return Err(MediaError::IsDirectory),
                    () if kind.is_file() => Reader::File(file),
                    () => Reader::Pipe(Box::new(file)),
                }
            }
        };
        Self::from(reader)
    }

    /// Like [`Self::open`], from anything that can be read. It cannot be played again.
    ///
    /// # Errors
    ///
    /// As for [`Self::open`].
    pub fn from_reader(reader: impl Read + Send + 'static) -> Result<Self, MediaError> {
        Self::from(Reader::Pipe(Box::new(reader)))
    }

    fn from(reader: Reader) -> Result<Self, MediaError> {
        let mut source = Self {
            reader,
            demuxer: Demuxer::new(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            state: State::Open,
            timestamp_scale_ns: 0,
            descriptions: Vec::new(),
            tracks: Vec::new(),
            warnings: Vec::new(),
            seam: Seam::default(),
        };
        source.read_head()?;
        Ok(source)
    }

    /// The tracks that are sent, in the order of the file.
    pub fn tracks(&self) -> &[TrackDescription] {
        &self.descriptions
    }

    /// Nanoseconds for each tick of the file's timestamps.
    pub fn timestamp_scale_ns(&self) -> u64 {
        self.timestamp_scale_ns
    }

    /// The input is a pipe: it may be live, and it cannot be played again.
    pub fn is_pipe(&self) -> bool {
        matches!(self.reader, Reader::Pipe(_))
    }

    /// What there is to say to a person, since the last call. Ask after [`Self::open`] and again
    /// at the end.
    pub fn take_warnings(&mut self) -> Vec<MediaWarning> {
        std::mem::take(&mut self.warnings)
    }

    /// The next frame; `None` at the end of the input. An input that is cut off in the middle
    /// ends with [`MediaWarning::Truncated`], not with an error.
    ///
    /// # Errors
    ///
    /// [`MediaError::ReadFailed`] when the operating system gives up.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        while self.state == State::Open {
            match self.event()? {
                Some(Event::Frame(raw)) => {
                    if let Some(frame) = self.frame(raw) {
                        return Ok(Some(frame));
                    }
                }
                Some(Event::Lost { track }) => self.lost(track),
                Some(Event::Warning(warning)) => self.warn(warning),
                Some(Event::Tracks { .. }) => {}
                Some(Event::End) | None => self.state = State::Ended,
            }
        }
        Ok(None)
    }

    /// Begins again from the start of the file: timestamps, groups and frame numbers go on where
    /// they were.
    ///
    /// # Errors
    ///
    /// [`MediaError::CannotLoop`] for a pipe, and what [`Self::open`] says when the file is
    /// another one by now.
    pub fn rewind(&mut self) -> Result<(), MediaError> {
        let Reader::File(file) = &mut self.reader else {
            return Err(MediaError::CannotLoop);
        };
        file.rewind().map_err(|error| MediaError::reading(&error))?;
        self.demuxer = Demuxer::new();
        self.state = State::Open;
        self.seam.again(self.timestamp_scale_ns);
        for track in &mut self.tracks {
            track.group = None;
        }
        loop {
            match self.event()? {
                Some(Event::Tracks { entries, .. }) => {
                    let same = |track: &Track| {
                        entries.iter().any(|entry| {
                            entry.number == track.number
                                && entry.description.as_ref() == Some(&track.description)
                        })
                    };
                    return match self.tracks.iter().all(same) {
                        true => Ok(()),
                        false => Err(MediaError::NoTracks),
                    };
                }
                Some(Event::End) | None => return Err(MediaError::NoTracks),
                Some(_) => {}
            }
        }
    }

    fn read_head(&mut self) -> Result<(), MediaError> {
        loop {
            match self.event()? {
                Some(Event::Tracks {
                    entries,
                    timestamp_scale_ns,
                }) => {
                    self.timestamp_scale_ns = timestamp_scale_ns;
                    return self.choose(entries);
                }
                Some(Event::Warning(warning)) => self.warn(warning),
                Some(Event::End) | None => return Err(MediaError::NoTracks),
                Some(_) => {}
            }
        }
    }

    /// The first sound and the first picture that a meeting carries.
    fn choose(&mut self, entries: Vec<Entry>) -> Result<(), MediaError> {
        let mut found = Vec::new();
        for entry in entries {
            found.push(entry.codec_id.clone());
            let Some(description) = entry.description else {
                self.warn(MediaWarning::CodecLeftOut {
                    codec: entry.codec_id,
                });
                continue;
            };
            if self
                .tracks
                .iter()
                .any(|track| track.description.track == description.track)
            {
                self.warn(MediaWarning::TrackLeftOut {
                    codec: entry.codec_id,
                });
                continue;
            }
            self.tracks.push(Track {
                number: entry.number,
                description,
                stripped: entry.stripped,
                count: 0,
                group: None,
                next_group: 0,
                lace_ns: 0,
            });
        }
        if self.tracks.is_empty() {
            found.truncate(8);
            return Err(MediaError::CodecNotSupported {
                found: found.join(", "),
            });
        }
        self.descriptions = self
            .tracks
            .iter()
            .map(|track| track.description.clone())
            .collect();
        Ok(())
    }

    /// The next event, reading as much as it takes; `None` at the end of the input.
    fn event(&mut self) -> Result<Option<Event>, MediaError> {
        loop {
            if let Some(event) = self.demuxer.next()? {
                return Ok(Some(event));
            }
            let read = match &mut self.reader {
                Reader::File(file) => file.read(&mut self.chunk),
                Reader::Pipe(pipe) => pipe.read(&mut self.chunk),
            };
            match read {
                Ok(0) => {
                    if let Some(warning) = self.demuxer.end_of_input()? {
                        self.warn(warning);
                    }
                    return Ok(None);
                }
                Ok(count) => self.demuxer.push(&self.chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(MediaError::reading(&error)),
            }
        }
    }

    fn frame(&mut self, raw: RawFrame) -> Option<Frame> {
        let track = self
            .tracks
            .iter_mut()
            .find(|track| track.number == raw.track)?;
        let payload = match &track.stripped[..] {
            [] => raw.payload,
            stripped => [stripped, &raw.payload].concat().into(),
        };
        let description = &track.description;
        let length_ns = length::stated_ns(description, raw.duration_ns, &payload);
        if raw.first_of_block {
            track.lace_ns = 0;
        }
        let file_ns = raw.timestamp_ns.saturating_add(track.lace_ns);
        track.lace_ns = track.lace_ns.saturating_add(length_ns.unwrap_or(0));

        let group = match description.kind {
            TrackKind::Audio { .. } => GroupNumber(0),
            TrackKind::Video { .. } => {
                if raw.keyframe {
                    track.group = Some(GroupNumber(track.next_group));
                    track.next_group = track.next_group.saturating_add(1);
                }
                track.group?
            }
        };
        let number = track.count;
        track.count += 1;
        Some(Frame {
            track: description.track,
            group,
            number,
            timestamp_ns: self.seam.map(description.track, file_ns, length_ns),
            keyframe: raw.keyframe,
            invisible: raw.invisible,
            duration_ns: raw.duration_ns,
            discard_padding_ns: raw.discard_padding_ns,
            payload,
        })
    }

    /// Frames that depend on a lost one are not sent: pictures wait for their next key frame.
    fn lost(&mut self, number: Option<u64>) {
        for track in &mut self.tracks {
            if number.is_none_or(|number| number == track.number) {
                track.group = None;
            }
        }
    }

    /// Each thing is said once.
    fn warn(&mut self, warning: MediaWarning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

#[cfg(test)]
mod tests;
