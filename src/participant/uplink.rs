//! Pictures on their way out: one stream for each group, each with a task of its own, so that
//! nothing here ever waits for the network, and sound least of all.
//!
//! When the network does not take a group as fast as it comes, the rest of that group is dropped
//! and the next key frame begins afresh: a picture that freezes for a moment, not one that lags
//! ever further behind.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::wire::GroupNumber;

/// How long a frame may wait for the network before the rest of its group is given up. Shorter,
/// and a large key frame never gets through a slow uplink; longer, and pictures lag by it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Groups of a track that may still be on their way when the next one begins.
const FORMER: usize = 1;

/// The connection or the stream is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Where groups can be opened. The carrier's link, or a test's network.
pub(crate) trait Road: Clone + Send + 'static {
    type Group: Group;
    /// Waits while as many streams are open as the relay allows. Of groups that wait for the
    /// network, the one of the highest priority goes first.
    fn open_group(&self, priority: i32) -> impl Future<Output = Result<Self::Group, Gone>> + Send;
}

/// An open group.
pub(crate) trait Group: Send + 'static {
    /// Hands over bytes; waits while the network takes no more.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Gone>> + Send;
    /// Ends the group; what was written still goes out.
    fn finish(self);
    /// Gives up whatever of the group has not arrived.
    fn reset(self);
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// On its way.
    Queued,
    /// Left out: its group did not begin with a key frame, over this connection.
    NoKeyFrame,
    /// Left out: the network is too slow, and its group was given up.
    GivenUp,
}

/// One picture track's way out over one connection.
pub(crate) struct Lane<R: Road> {
    road: R,
    current: Option<Open>,
    former: VecDeque<Open>,
}

/// A group whose task is at work.
struct Open {
    group: GroupNumber,
    /// `None` once its last frame is in, or it was given up.
    feed: Option<mpsc::UnboundedSender<Bytes>>,
    give_up: Option<oneshot::Sender<()>>,
    waiting: Arc<Waiting>,
    task: JoinHandle<()>,
}

/// When the frames were handed over that the network has not taken yet.
#[derive(Default)]
struct Waiting(Mutex<VecDeque<Instant>>);

impl Waiting {
    fn add(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(Instant::now());
    }

    fn taken(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
    }

    fn longest(&self) -> Duration {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.front().map_or(Duration::ZERO, Instant::elapsed)
    }
}

impl<R: Road> Lane<R> {
    pub(crate) fn new(road: R) -> Self {
        Self {
            road,
            current: None,
            former: VecDeque::new(),
        }
    }

    /// Sends a frame of a group. The first frame of a group that is pushed must be its key frame,
    /// and `header` goes before it.
    pub(crate) fn push(
        &mut self,
        group: GroupNumber,
        keyframe: bool,
        header: impl FnOnce() -> Bytes,
        frame: Bytes,
    ) -> Pushed {
        if self.current.as_ref().is_none_or(|open| open.group != group) {
            self.close_current();
            if !keyframe {
                return Pushed::NoKeyFrame;
            }
            let open = Open::begin(self.road.clone(), group);
            open.push(header());
            self.current = Some(open);
        }
        match &mut self.current {
            Some(open) if open.waiting.longest() > PATIENCE => {
                open.give_up();
                Pushed::GivenUp
            }
            Some(open) => open.push(frame),
            None => Pushed::NoKeyFrame,
        }
    }

    /// No more frames for the current group.
    fn close_current(&mut self) {
        self.former.retain(|open| !open.task.is_finished());
        if let Some(mut open) = self.current.take() {
            open.feed = None;
            self.former.push_back(open);
        }
        while self.former.len() > FORMER {
            if let Some(mut oldest) = self.former.pop_front() {
                oldest.give_up();
            }
        }
    }

    /// Ends the last group and waits until the network has taken all groups; the caller bounds the
    /// wait.
    pub(crate) async fn drain(mut self) {
        if let Some(mut open) = self.current.take() {
            open.feed = None;
            self.former.push_back(open);
        }
        for open in self.former {
            let _ = open.task.await;
        }
    }
}

impl Open {
    fn begin<R: Road>(road: R, group: GroupNumber) -> Self {
        let (feed, frames) = mpsc::unbounded_channel();
        let (give_up, given_up) = oneshot::channel();
        let waiting = Arc::new(Waiting::default());
        // The former group's tail before the newer group's key frame: that is the order in which
        // a listener can use them.
        let priority = i32::try_from(group.0).map_or(i32::MIN, |number| -number);
        let task = tokio::spawn(carry(road, priority, frames, given_up, waiting.clone()));
        Self {
            group,
            feed: Some(feed),
            give_up: Some(give_up),
            waiting,
            task,
        }
    }

    fn push(&self, bytes: Bytes) -> Pushed {
        let Some(feed) = &self.feed else {
            return Pushed::GivenUp;
        };
        self.waiting.add();
        match feed.send(bytes) {
            Ok(()) => Pushed::Queued,
            Err(_) => Pushed::GivenUp,
        }
    }

    fn give_up(&mut self) {
        self.feed = None;
        if let Some(give_up) = self.give_up.take() {
            let _ = give_up.send(());
        }
    }
}

/// Carries one group to the network, until it is all there, or given up, also by dropping its lane.
async fn carry<R: Road>(
    road: R,
    priority: i32,
    mut frames: mpsc::UnboundedReceiver<Bytes>,
    mut given_up: oneshot::Receiver<()>,
    waiting: Arc<Waiting>,
) {
    let opened = tokio::select! {
        biased;
        _ = &mut given_up => return,
        opened = road.open_group(priority) => opened,
    };
    let Ok(mut group) = opened else { return };
    loop {
        let next = tokio::select! {
            biased;
            _ = &mut given_up => return group.reset(),
            next = frames.recv() => next,
        };
        let Some(bytes) = next else { break };
        let written = tokio::select! {
            biased;
            _ = &mut given_up => None,
            written = group.write(bytes) => Some(written),
        };
        match written {
            None => return group.reset(),
            Some(Err(Gone)) => return,
            Some(Ok(())) => waiting.taken(),
        }
    }
    group.finish();
}

#[cfg(test)]
mod tests;
