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
    /// [`MediaError::OutputFull`] or [`MediaError::OutputFailed`]. A closed pipe is none.
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
                return Err(MediaError::showing(&error));
            }
        }
        Ok(self.state)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::meeting::{Codec, TrackDescription};
    use crate::participant::media::Source;
    use crate::wire::{GroupNumber, TrackId};

    const SOUND: TrackId = TrackId(0);
    const PICTURE: TrackId = TrackId(1);

    fn presence() -> Presence {
        let description = |track, kind, codec| TrackDescription {
            track,
            kind,
            codec,
            codec_private: Vec::new(),
            codec_delay_ns: 0,
            seek_preroll_ns: 0,
            default_duration_ns: None,
        };
        Presence {
            name: "Ada".into(),
            tracks: vec![
                description(
                    SOUND,
                    TrackKind::Audio {
                        rate: 48_000,
                        channels: 1,
                    },
                    Codec::Opus,
                ),
                description(
                    PICTURE,
                    TrackKind::Video {
                        width: 2,
                        height: 2,
                    },
                    Codec::Vp8,
                ),
            ],
            timestamp_scale_ns: 1_000_000,
            tag: [0; 16],
        }
    }

    fn frame(track: TrackId, number: u64, at_ms: u64, keyframe: bool) -> Frame {
        Frame {
            track,
            group: GroupNumber(0),
            number,
            timestamp_ns: at_ms * 1_000_000,
            keyframe,
            invisible: false,
            duration_ns: None,
            discard_padding_ns: None,
            payload: vec![0x48, number as u8].into(),
        }
    }

    fn found(bytes: &[u8]) -> Vec<(u8, u64)> {
        let mut source = Source::from_reader(io::Cursor::new(bytes.to_vec())).unwrap();
        let mut found = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            found.push((frame.track.0, frame.timestamp_ns / 1_000_000));
        }
        found
    }

    #[test]
    fn it_begins_with_the_first_key_frame_and_each_frame_is_out_at_once() {
        let mut output = Vec::new();
        let now = Instant::now();
        let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
        live.frame(&frame(SOUND, 0, 5000, true), now).unwrap();
        live.frame(&frame(PICTURE, 7, 5000, false), now).unwrap();
        assert!(live.output.is_empty());
        let shown = [
            (frame(PICTURE, 8, 5100, true), (1, 0)),
            (frame(SOUND, 6, 5110, true), (0, 10)),
            (frame(PICTURE, 9, 5200, false), (1, 100)),
            // A minute of silence: past the 16 bits of a cluster.
            (frame(SOUND, 7, 65_100, true), (0, 60_000)),
        ];
        for (count, (frame, _)) in (1..).zip(&shown) {
            assert_eq!(live.frame(frame, now), Ok(LiveState::Open));
            assert_eq!(found(live.output).len(), count);
        }
        // From before the beginning, and after a gap: left out.
        live.frame(&frame(PICTURE, 11, 5400, false), now).unwrap();
        live.frame(&frame(SOUND, 8, 5000, true), now).unwrap();
        let expected: Vec<_> = shown.iter().map(|(_, expected)| *expected).collect();
        assert_eq!(found(&output), expected);
    }

    #[test]
    fn a_picture_that_never_comes_does_not_keep_the_sound() {
        let mut output = Vec::new();
        let start = Instant::now();
        let mut live = LiveWriter::new(&mut output, &presence()).unwrap();
        for number in 0..200 {
            let now = start + Duration::from_millis(20 * number);
            live.frame(&frame(SOUND, number, 20 * number, true), now)
                .unwrap();
        }
        assert_eq!(found(&output).len(), 50);
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_a_clean_end_and_other_errors_are_not() {
        let now = Instant::now();
        let key = frame(PICTURE, 0, 0, true);
        let mut live = LiveWriter::new(Broken(io::ErrorKind::BrokenPipe), &presence()).unwrap();
        assert_eq!(live.frame(&key, now), Ok(LiveState::Closed));
        assert_eq!(
            live.frame(&frame(PICTURE, 1, 40, false), now),
            Ok(LiveState::Closed)
        );
        let mut live = LiveWriter::new(Broken(io::ErrorKind::StorageFull), &presence()).unwrap();
        assert_eq!(live.frame(&key, now), Err(MediaError::OutputFull));
        assert_eq!(live.frame(&key, now), Ok(LiveState::Closed), "told once");
    }
}
