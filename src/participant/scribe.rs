//! The thread that writes recordings, so that a slow disk holds up nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::media::{MediaError, Recorder};
use crate::meeting::{Frame, Presence, Who};

/// Bytes of frames that wait for the disk: some seconds of a large meeting. Beyond that frames are
/// left out, but never the word of who came or left: without it somebody would not be recorded at
/// all. How often a peer can say it, the relay bounds.
const BYTES: usize = 64 * 1024 * 1024;
/// What a frame takes while it waits, besides its payload.
const OVERHEAD: usize = 256;
/// How often recordings are looked after while nothing comes.
const TICK: Duration = Duration::from_millis(200);

enum Order {
    /// Somebody whose frames are to be recorded appeared, came back, or changed its tracks.
    Person(Who, Presence),
    Frame(Who, Frame, Instant),
    /// Somebody left for good.
    Finish(Who),
}

/// What became of a recording.
pub(crate) enum Report {
    /// A file was made for somebody.
    Began(Who, PathBuf),
    /// A file is complete, with this many frames.
    Done(Who, PathBuf, u64),
    /// A recording ended early, or could not be begun (no file then).
    Broken(Who, Option<PathBuf>, MediaError),
}

/// The thread, as seen from the meeting.
pub(crate) struct Scribe {
    orders: Sender<Order>,
    waiting: Arc<AtomicUsize>,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Scribe {
    /// Starts recording into `folder`, which is made if need be.
    ///
    /// # Errors
    /// [`MediaError::CannotCreate`], also when nothing can be written there,
    /// [`MediaError::NotAFolder`].
    pub(crate) fn start(folder: PathBuf) -> Result<Self, MediaError> {
        let cannot = |error| MediaError::creating(&error);
        std::fs::create_dir_all(&folder).map_err(cannot)?;
        takes_files(&folder).map_err(cannot)?;
        let (orders, to_do) = channel();
        let (done, reports) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let desk = Desk {
            folder,
            done,
            waiting: waiting.clone(),
            people: HashMap::new(),
        };
        std::thread::Builder::new()
            .name("recordings".into())
            .spawn(move || desk.work(&to_do))
            .map_err(cannot)?;
        Ok(Self {
            orders,
            waiting,
            reports,
        })
    }

    /// Somebody appeared, came back, or sends other tracks now.
    pub(crate) fn person(&self, who: Who, presence: &Presence) {
        let _ = self.orders.send(Order::Person(who, presence.clone()));
    }

    /// Records a frame. False when the disk is so far behind that it was left out.
    pub(crate) fn frame(&self, who: Who, frame: &Frame, now: Instant) -> bool {
        let size = frame.payload.len() + OVERHEAD;
        if self.waiting.load(Ordering::Relaxed).saturating_add(size) > BYTES {
            return false;
        }
        self.waiting.fetch_add(size, Ordering::Relaxed);
        let sent = self
            .orders
            .send(Order::Frame(who, frame.clone(), now))
            .is_ok();
        if !sent {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        sent
    }

    /// Somebody left for good: its recording is complete.
    pub(crate) fn finish(&self, who: Who) {
        let _ = self.orders.send(Order::Finish(who));
    }

    /// The next report. None is lost when the future is dropped.
    pub(crate) async fn report(&mut self) -> Option<Report> {
        self.reports.recv().await
    }

    /// Nothing more will be recorded; what remains are the last reports, until there are none.
    pub(crate) fn close(self) -> mpsc::UnboundedReceiver<Report> {
        self.reports
    }
}

/// The thread's side.
struct Desk {
    folder: PathBuf,
    done: mpsc::UnboundedSender<Report>,
    waiting: Arc<AtomicUsize>,
    people: HashMap<Who, Recording>,
}

struct Recording {
    presence: Presence,
    state: State,
}

enum State {
    /// No frame has come: no file yet.
    Empty,
    Open(Box<Recorder>),
    /// It broke; what comes later is dropped.
    Broken,
}

impl Desk {
    fn work(mut self, to_do: &Receiver<Order>) {
        let mut ticked = Instant::now();
        loop {
            match to_do.recv_timeout(TICK) {
                Ok(Order::Person(who, presence)) => self.person(who, presence),
                Ok(Order::Frame(who, frame, now)) => {
                    self.waiting
                        .fetch_sub(frame.payload.len() + OVERHEAD, Ordering::Relaxed);
                    self.frame(who, frame, now);
                }
                Ok(Order::Finish(who)) => {
                    if let Some(recording) = self.people.remove(&who) {
                        self.finish(who, recording);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                self.tick(ticked);
            }
        }
        for (who, recording) in std::mem::take(&mut self.people) {
            self.finish(who, recording);
        }
    }

    fn person(&mut self, who: Who, presence: Presence) {
        let Some(mut recording) = self.people.remove(&who) else {
            self.people.insert(
                who,
                Recording {
                    presence,
                    state: State::Empty,
                },
            );
            return;
        };
        let same = match &mut recording.state {
            State::Open(recorder) => recorder.resume(&presence, Instant::now()),
            State::Empty | State::Broken => Ok(true),
        };
        match same {
            Ok(true) => recording.presence = presence,
            Ok(false) => {
                self.finish(who, recording);
                recording = Recording {
                    presence,
                    state: State::Empty,
                };
            }
            Err(error) => self.broke(who, &mut recording, error),
        }
        self.people.insert(who, recording);
    }

    fn frame(&mut self, who: Who, frame: Frame, now: Instant) {
        let Some(mut recording) = self.people.remove(&who) else {
            return;
        };
        if let State::Empty = recording.state {
            recording.state = match Recorder::create(&self.folder, &recording.presence) {
                Ok(recorder) => {
                    self.report(Report::Began(who, path(&recorder)));
                    State::Open(Box::new(recorder))
                }
                Err(error) => {
                    self.report(Report::Broken(who, None, error));
                    State::Broken
                }
            };
        }
        if let State::Open(recorder) = &mut recording.state
            && let Err(error) = recorder.frame(frame, now)
        {
            self.broke(who, &mut recording, error);
        }
        self.people.insert(who, recording);
    }

    fn tick(&mut self, now: Instant) {
        let mut broken = Vec::new();
        for (who, recording) in &mut self.people {
            if let State::Open(recorder) = &mut recording.state
                && let Err(error) = recorder.tick(now)
            {
                broken.push((*who, error));
            }
        }
        for (who, error) in broken {
            if let Some(mut recording) = self.people.remove(&who) {
                self.broke(who, &mut recording, error);
                self.people.insert(who, recording);
            }
        }
    }

    fn broke(&self, who: Who, recording: &mut Recording, error: MediaError) {
        if let State::Open(recorder) = std::mem::replace(&mut recording.state, State::Broken) {
            self.report(Report::Broken(who, Some(path(&recorder)), error));
        }
    }

    fn finish(&self, who: Who, recording: Recording) {
        let State::Open(mut recorder) = recording.state else {
            return;
        };
        let report = match recorder.finish() {
            Ok(summary) => Report::Done(who, path(&recorder), summary.frames),
            Err(error) => Report::Broken(who, Some(path(&recorder)), error),
        };
        self.report(report);
    }

    fn report(&self, report: Report) {
        // Nobody listens when the meeting ended in a hurry; the files are finished all the same.
        let _ = self.done.send(report);
    }
}

/// Makes a file in the folder and takes it away again: a disk that can only be read, or a folder of
/// somebody else's, is better known now than when the first one speaks. Permissions do not tell.
fn takes_files(folder: &Path) -> std::io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let name = format!(".sottovoce-{}", data_encoding::HEXLOWER.encode(&random));
    let probe = folder.join(name);
    // New: nothing that is there is opened, and no link is followed.
    File::create_new(&probe)?;
    std::fs::remove_file(&probe)
}

fn path(recorder: &Recorder) -> PathBuf {
    recorder.path().map(Path::to_path_buf).unwrap_or_default()
}

#[cfg(test)]
mod tests;
