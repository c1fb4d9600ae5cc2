//! Playing: a thread reads the source, and frames come out of here when they are due.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::media::{Input, MediaError, MediaWarning, Pace, Source};
use crate::meeting::{Frame, TrackDescription};

/// Frames read ahead of their time: enough to ride out a slow disk, little enough that a live
/// pipe is not delayed by them.
const AHEAD: usize = 64;

/// What comes out of the source.
pub(crate) enum Played {
    /// A frame that is due now.
    Frame(Frame),
    /// Something to tell.
    Warning(MediaWarning),
    /// There is nothing more.
    End,
    /// It cannot be read any further; nothing more comes.
    Failed(MediaError),
}

/// A source that is being played.
pub(crate) struct Player {
    /// What the source holds.
    pub(crate) tracks: Vec<TrackDescription>,
    /// Nanoseconds for each tick of its timestamps.
    pub(crate) timestamp_scale_ns: u64,
    coming: mpsc::Receiver<Read>,
    pace: Pace,
    /// Read, but not due yet.
    next: Option<(Frame, Instant)>,
    over: bool,
}

impl Player {
    /// Opens a source and reads its head, which for a pipe can take as long as whoever fills it.
    ///
    /// # Errors
    /// What the source says.
    pub(crate) async fn open(input: Input, again: bool) -> Result<Self, MediaError> {
        let (opened, open) = oneshot::channel();
        let (out, coming) = mpsc::channel(AHEAD);
        // Not one of tokio's threads: the process may end while this one waits for a pipe.
        std::thread::Builder::new()
            .name("source".into())
            .spawn(move || read(&input, again, opened, &out))
            .map_err(|error| MediaError::ReadFailed(error.kind()))?;
        match open.await {
            Ok(Ok((tracks, timestamp_scale_ns))) => Ok(Self {
                tracks,
                timestamp_scale_ns,
                coming,
                pace: Pace::new(),
                next: None,
                over: false,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(MediaError::ReadFailed(std::io::ErrorKind::Other)),
        }
    }

    /// The next thing, when it is due. Nothing is lost when the future is dropped. After the end
    /// it waits for ever.
    pub(crate) async fn next(&mut self) -> Played {
        loop {
            if self.over {
                std::future::pending::<()>().await;
            }
            if let Some((_, due)) = &self.next {
                tokio::time::sleep_until((*due).into()).await;
                if let Some((frame, _)) = self.next.take() {
                    return Played::Frame(frame);
                }
            }
            match self.coming.recv().await {
                Some(Read::Frame(frame, came)) => {
                    let now = came.unwrap_or_else(Instant::now);
                    let due = self.pace.due(frame.timestamp_ns, now);
                    self.next = Some((frame, due));
                }
                Some(Read::Other(warning @ Played::Warning(_))) => return warning,
                Some(Read::Other(last)) => {
                    self.over = true;
                    return last;
                }
                None => {
                    self.over = true;
                    return Played::End;
                }
            }
        }
    }
}

/// What the thread has read.
enum Read {
    /// A frame, and when it came if it came through a pipe: what is live is due by when it came,
    /// however long this participant took to get into the room.
    Frame(Frame, Option<Instant>),
    Other(Played),
}

type Head = (Vec<TrackDescription>, u64);

/// The thread: reads until the end, or until nobody listens any more.
fn read(
    input: &Input,
    again: bool,
    opened: oneshot::Sender<Result<Head, MediaError>>,
    out: &mpsc::Sender<Read>,
) {
    let mut source = match Source::open(input) {
        Ok(source) if again && source.is_pipe() => {
            let _ = opened.send(Err(MediaError::CannotLoop));
            return;
        }
        Ok(source) => source,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    let head = (source.tracks().to_vec(), source.timestamp_scale_ns());
    if opened.send(Ok(head)).is_err() {
        return;
    }
    let last = loop {
        match pass(&mut source, out) {
            Err(Stop::Nobody) => return,
            Err(Stop::Failed(error)) => break Played::Failed(error),
            // A file without a single frame would be played again and again in no time.
            Ok(0) => break Played::End,
            Ok(_) if !again => break Played::End,
            Ok(_) => {
                if let Err(error) = source.rewind() {
                    break Played::Failed(error);
                }
            }
        }
    };
    let _ = out.blocking_send(Read::Other(last));
}

enum Stop {
    Nobody,
    Failed(MediaError),
}

/// Plays the source through once; says how many frames it had.
fn pass(source: &mut Source, out: &mpsc::Sender<Read>) -> Result<u64, Stop> {
    let mut frames = 0;
    loop {
        let frame = source.next_frame();
        for warning in source.take_warnings() {
            out.blocking_send(Read::Other(Played::Warning(warning)))
                .map_err(|_| Stop::Nobody)?;
        }
        match frame {
            Ok(Some(frame)) => {
                let came = source.is_pipe().then(Instant::now);
                out.blocking_send(Read::Frame(frame, came))
                    .map_err(|_| Stop::Nobody)?;
                frames += 1;
            }
            Ok(None) => return Ok(frames),
            Err(error) => return Err(Stop::Failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    fn voice() -> Input {
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        Input::File(fixtures.join("vp8-voice.webm"))
    }

    fn read_all() -> Vec<Frame> {
        let mut source = Source::open(&voice()).unwrap();
        std::iter::from_fn(|| source.next_frame().unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_comes_out_whole_and_at_its_own_pace() {
        let frames = read_all();
        let mut player = Player::open(voice(), false).await.unwrap();
        assert_eq!(player.tracks.len(), 2);
        let start = tokio::time::Instant::now();
        for frame in &frames {
            match player.next().await {
                Played::Frame(played) => assert!(played == *frame),
                _ => panic!("not a frame"),
            }
        }
        assert!(matches!(player.next().await, Played::End));
        let last = frames.iter().map(|frame| frame.timestamp_ns).max().unwrap();
        let length = Duration::from_nanos(last - frames[0].timestamp_ns);
        let played = start.elapsed();
        let off = played.max(length) - played.min(length);
        assert!(
            off < Duration::from_millis(250),
            "{length:?} were played in {played:?}"
        );
        let more = tokio::time::timeout(Duration::from_secs(60), player.next()).await;
        assert!(more.is_err(), "after the end there is nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn again_and_again_is_one_long_film() {
        let once = read_all().len();
        let mut player = Player::open(voice(), true).await.unwrap();
        let mut next = std::collections::HashMap::new();
        for _ in 0..once * 3 {
            let Played::Frame(frame) = player.next().await else {
                panic!("not a frame")
            };
            let number = next.entry(frame.track).or_insert(0);
            assert_eq!(frame.number, *number);
            *number += 1;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_is_not_lost_when_something_else_comes_first() {
        let frames = read_all();
        let mut player = Player::open(voice(), false).await.unwrap();
        let mut played = Vec::new();
        while played.len() < frames.len() {
            tokio::select! {
                biased;
                next = player.next() => match next {
                    Played::Frame(frame) => played.push(frame),
                    _ => panic!("not a frame"),
                },
                () = tokio::time::sleep(Duration::from_millis(3)) => {}
            }
        }
        assert!(played == frames);
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_said() {
        let missing = Player::open(Input::File("/nowhere/film.webm".into()), false).await;
        assert_eq!(missing.err(), Some(MediaError::FileMissing));
    }
}
