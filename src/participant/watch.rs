//! The thread that writes the watched participant's media to standard output, so that a player
//! that pauses holds up nothing else.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use tokio::sync::mpsc;

use super::media::{LiveState, LiveWriter, MediaError};
use crate::meeting::{Frame, Presence};

/// Frames that wait for the player: live means that it should not lag.
const FRAMES: usize = 512;
/// Bytes that wait for the player.
const BYTES: usize = 16 * 1024 * 1024;

enum Order {
    Begin(Presence),
    Frame(Frame, Instant),
}

/// How watching goes.
pub(crate) enum WatchReport {
    /// Who is shown now sends something that the player was not told of when it began.
    LeftOut,
    /// The player closed its end. Nothing more is shown.
    Closed,
    /// It could not be written to. Nothing more is shown.
    Failed(MediaError),
}

/// The thread, as seen from the meeting.
pub(crate) struct Watch {
    orders: SyncSender<Order>,
    waiting: Arc<AtomicUsize>,
    reports: mpsc::UnboundedReceiver<WatchReport>,
    over: bool,
    /// Who is watched from the next frame on; there was no room to say so yet.
    next: Option<Presence>,
}

impl Watch {
    /// Starts writing to `output`, once somebody is there to be watched.
    ///
    /// # Errors
    /// [`MediaError::OutputFailed`] when the system gives no thread.
    pub(crate) fn start(output: impl Write + Send + 'static) -> Result<Self, MediaError> {
        let (orders, to_do) = sync_channel(FRAMES);
        let (report, reports) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = waiting.clone();
        std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || {
                let tell = |told| drop(report.send(told));
                if let Some(end) = work(output, &to_do, &counted, tell) {
                    tell(end);
                }
            })
            .map_err(|error| MediaError::OutputFailed(error.kind()))?;
        Ok(Self {
            orders,
            waiting,
            reports,
            over: false,
            next: None,
        })
    }

    /// From now on this one is watched.
    pub(crate) fn begin(&mut self, presence: &Presence) {
        self.next = Some(presence.clone());
        self.hand_over();
    }

    /// Tells the thread who is watched, if it does not know yet. False when it has no room.
    fn hand_over(&mut self) -> bool {
        let Some(presence) = self.next.take() else {
            return true;
        };
        match self.orders.try_send(Order::Begin(presence)) {
            Err(TrySendError::Full(Order::Begin(presence))) => {
                self.next = Some(presence);
                false
            }
            _ => true,
        }
    }

    /// Shows a frame. False when the player is so far behind that it was left out.
    pub(crate) fn frame(&mut self, frame: &Frame, now: Instant) -> bool {
        let size = frame.payload.len();
        if self.over {
            return true;
        }
        if !self.hand_over() || self.waiting.load(Ordering::Relaxed).saturating_add(size) > BYTES {
            return false;
        }
        self.waiting.fetch_add(size, Ordering::Relaxed);
        let sent = self
            .orders
            .try_send(Order::Frame(frame.clone(), now))
            .is_ok();
        if !sent {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        sent
    }

    /// Waits for something to tell. After nobody watches any more there is nothing.
    pub(crate) async fn report(&mut self) -> WatchReport {
        if !self.over
            && let Some(report) = self.reports.recv().await
        {
            self.over = !matches!(report, WatchReport::LeftOut);
            return report;
        }
        std::future::pending().await
    }

    /// Nothing more will be shown: waits until the player has taken what is there.
    pub(crate) async fn finish(self) {
        drop(self.orders);
        let mut reports = self.reports;
        while reports.recv().await.is_some() {}
    }
}

/// The thread: until nobody writes, or nobody reads.
fn work(
    mut output: impl Write,
    to_do: &Receiver<Order>,
    waiting: &AtomicUsize,
    tell: impl Fn(WatchReport),
) -> Option<WatchReport> {
    let mut live: Option<LiveWriter<_>> = None;
    while let Ok(order) = to_do.recv() {
        match order {
            Order::Begin(presence) => match &mut live {
                Some(live) => {
                    if !live.switch(&presence) {
                        tell(WatchReport::LeftOut);
                    }
                }
                None => live = LiveWriter::new(&mut output, &presence).ok(),
            },
            Order::Frame(frame, now) => {
                waiting.fetch_sub(frame.payload.len(), Ordering::Relaxed);
                match live.as_mut().map(|live| live.frame(&frame, now)) {
                    Some(Ok(LiveState::Closed)) => return Some(WatchReport::Closed),
                    Some(Err(error)) => return Some(WatchReport::Failed(error)),
                    Some(Ok(LiveState::Open)) | None => {}
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::meeting::Codec;
    use crate::participant::samples;
    use crate::wire::TrackId;

    /// A player that takes a number of writes and then closes, or never reads again.
    #[derive(Clone)]
    struct Screen {
        taken: Arc<Mutex<Vec<u8>>>,
        writes: Arc<AtomicUsize>,
        then_closes: bool,
    }

    impl Screen {
        fn new(writes: usize, then_closes: bool) -> Self {
            Self {
                taken: Arc::default(),
                writes: Arc::new(writes.into()),
                then_closes,
            }
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            while self.writes.load(Ordering::SeqCst) == 0 {
                if self.then_closes {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            self.writes.fetch_sub(1, Ordering::SeqCst);
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn presence() -> Presence {
        samples::presence(vec![samples::sound(TrackId(0))])
    }

    fn frame(number: u64, payload: &'static [u8]) -> Frame {
        samples::frame(TrackId(0), number, 20 * number, payload)
    }

    #[tokio::test]
    async fn the_player_gets_what_the_watched_one_sends() {
        let screen = Screen::new(usize::MAX, false);
        let mut watch = Watch::start(screen.clone()).unwrap();
        watch.begin(&presence());
        for number in 0..20 {
            assert!(watch.frame(&frame(number, b"a sound to look for"), Instant::now()));
        }
        watch.finish().await;
        let taken = screen.taken.lock().unwrap();
        let sounds = taken
            .windows(19)
            .filter(|bytes| bytes == b"a sound to look for")
            .count();
        assert_eq!(sounds, 20);
    }

    #[tokio::test]
    async fn a_player_that_closes_ends_it_once() {
        let mut watch = Watch::start(Screen::new(5, true)).unwrap();
        watch.begin(&presence());
        for number in 0..20 {
            watch.frame(&frame(number, b"sound"), Instant::now());
        }
        assert!(matches!(watch.report().await, WatchReport::Closed));
        for number in 20..2000 {
            assert!(
                watch.frame(&frame(number, b"sound"), Instant::now()),
                "no further warning"
            );
        }
        let again = tokio::time::timeout(Duration::from_millis(20), watch.report()).await;
        assert!(again.is_err());
    }

    #[tokio::test]
    async fn a_player_that_pauses_holds_up_nothing() {
        let screen = Screen::new(3, false);
        let mut watch = Watch::start(screen.clone()).unwrap();
        watch.begin(&presence());
        let shown = (0..5000)
            .filter(|number| watch.frame(&frame(*number, b"sound"), Instant::now()))
            .count();
        assert!((FRAMES - 1..5000).contains(&shown), "{shown}");
        screen.writes.store(usize::MAX, Ordering::SeqCst);
        watch.finish().await;
    }

    #[tokio::test]
    async fn who_comes_while_a_player_pauses_is_shown_once_it_goes_on() {
        let screen = Screen::new(3, false);
        let mut watch = Watch::start(screen.clone()).unwrap();
        watch.begin(&presence());
        while watch.frame(&frame(0, b"the first one"), Instant::now()) {}
        watch.begin(&presence());
        assert!(!watch.frame(&frame(1, b"no room"), Instant::now()));
        screen.writes.store(usize::MAX, Ordering::SeqCst);
        let until = Instant::now() + Duration::from_secs(10);
        while !watch.frame(&frame(2, b"the second one"), Instant::now()) {
            assert!(Instant::now() < until);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        watch.finish().await;
        let taken = screen.taken.lock().unwrap();
        let heads = taken.windows(4).filter(|bytes| *bytes == b"webm");
        assert_eq!(heads.count(), 1, "one stream");
        let text = b"the first one";
        let last = taken.windows(text.len()).rposition(|part| part == text);
        let last = last.unwrap() + text.len();
        let is_there = |text: &[u8]| taken[last..].windows(text.len()).any(|part| part == text);
        assert!(is_there(b"the second one") && !is_there(b"no room"));
    }

    #[tokio::test]
    async fn that_somebody_does_not_fit_is_told_and_watching_goes_on() {
        let mut watch = Watch::start(Screen::new(usize::MAX, false)).unwrap();
        watch.begin(&presence());
        watch.frame(&frame(0, b"sound"), Instant::now());
        let mut other = presence();
        other.tracks[0].codec = Codec::Vp8;
        for _ in 0..2 {
            watch.begin(&other);
            let told = tokio::time::timeout(Duration::from_secs(10), watch.report()).await;
            assert!(matches!(told, Ok(WatchReport::LeftOut)));
        }
    }
}
