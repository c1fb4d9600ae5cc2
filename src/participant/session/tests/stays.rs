//! Several stays at once, as a meeting may want them: here it wants what the test says.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};

use super::super::Session;
use super::super::interrupt::Interrupts;
use super::super::stay::Came;
use super::*;
use crate::carrier::client::ConnectError;
use crate::meeting::{
    Ending, Freshness, Input as Told, Notice, Output as Said, Presence, StayId, Surface, TrackKind,
};
use crate::participant::console::{Command, Typed};
use crate::participant::event::{Kind, LossReason};
use crate::wire::{FromRelay, GroupNumber, Role, RoomHandle, To, ToRelay, TrackId, VERSION};

const FIRST: StayId = StayId(1);
const SECOND: StayId = StayId(2);
const THIRD: StayId = StayId(3);

/// A meeting in the test's hand.
#[derive(Clone, Default)]
struct Hand(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    to_say: VecDeque<Said>,
    /// What happened to stays, in order.
    heard: Vec<String>,
    ticks: usize,
    /// The deadline stays in the past.
    late: bool,
    /// When it was last told something.
    now: Duration,
    tracks: HashMap<TrackId, TrackKind>,
    /// Where frames are sent: sound at once, pictures from their next group on.
    ways: Vec<StayId>,
    groups: HashMap<TrackId, (GroupNumber, Vec<StayId>)>,
    /// Which stay to leave just behind which picture.
    part: Option<(StayId, u64)>,
    /// Which frames came, by stay.
    came: HashMap<StayId, BTreeSet<(TrackId, u64)>>,
}

impl Inner {
    fn control(&mut self, stay: StayId, message: ToRelay) {
        self.to_say.push_back(Said::Control { stay, message });
    }

    fn send(&mut self, frame: Frame) {
        let Frame { track, group, .. } = frame;
        let mut sealed = BytesMut::new();
        sealed.put_u64(frame.number);
        sealed.put(frame.payload);
        let payload = sealed.freeze();
        let ways = self.ways.clone();
        if matches!(self.tracks[&track], TrackKind::Audio { .. }) {
            self.to_say.extend(ways.into_iter().map(|stay| {
                let payload = payload.clone();
                Said::Datagram {
                    stay,
                    track,
                    payload,
                }
            }));
            return;
        }
        let begun = self.groups.entry(track).or_insert((group, ways.clone()));
        if begun.0 != group {
            *begun = (group, ways);
        }
        let frames = begun.1.iter().map(|stay| Said::GroupFrame {
            stay: *stay,
            track,
            group,
            first: frame.keyframe,
            bytes: payload.clone(),
        });
        self.to_say.extend(frames);
        if let Some((stay, _)) = self.part.take_if(|(_, last)| *last == frame.number) {
            self.ways.retain(|way| *way != stay);
            begun.1.retain(|way| *way != stay);
            self.to_say.push_back(Said::Leave { stay });
        }
    }

    fn came(&mut self, stay: StayId, track: TrackId, bytes: &Bytes) {
        let number = u64::from_be_bytes(*bytes.first_chunk().unwrap());
        self.came.entry(stay).or_default().insert((track, number));
    }
}

impl Surface for Hand {
    fn handle(&mut self, now: Duration, input: Told) {
        let mut inner = self.0.lock().unwrap();
        assert!(inner.now <= now, "the clock never goes back");
        inner.now = now;
        match input {
            Told::Tick => inner.ticks += 1,
            Told::Connected { stay, .. } => inner.control(
                stay,
                ToRelay::Hello {
                    version: VERSION,
                    room: room(stay),
                    role: Role::Member,
                    pass: None,
                },
            ),
            Told::Lost { stay } => inner.heard.push(format!("{} lost", stay.0)),
            Told::Relay { stay, message } => match message {
                FromRelay::Welcome { .. } => inner.heard.push(format!("{} entered", stay.0)),
                FromRelay::Message { .. } => inner.heard.push(format!("{} message", stay.0)),
                FromRelay::Joined { participant } => {
                    for track in (0..8).map(TrackId) {
                        inner.control(stay, ToRelay::Subscribe { participant, track });
                    }
                }
                FromRelay::Left { .. } | FromRelay::Closed { .. } => {}
            },
            Told::Datagram {
                stay,
                track,
                payload,
                ..
            } => inner.came(stay, track, &payload),
            Told::GroupFrame {
                stay, track, bytes, ..
            } => inner.came(stay, track, &bytes),
            Told::Send(frame) => inner.send(frame),
            Told::Goodbye => {
                for stay in inner.ways.clone() {
                    let (to, body) = (To::Everyone, vec![7; 64]);
                    inner.control(stay, ToRelay::Send { to, body });
                }
            }
            Told::Command(_)
            | Told::Paused
            | Told::Tracks(_)
            | Told::Show(_)
            | Told::Ended { .. }
            | Told::Listen { .. } => {}
        }
    }

    fn poll(&mut self) -> Option<Said> {
        self.0.lock().unwrap().to_say.pop_front()
    }

    fn deadline(&self) -> Option<Duration> {
        let inner = self.0.lock().unwrap();
        match inner.late {
            true => Some(Duration::ZERO),
            false => Some(inner.now + Duration::from_millis(5)),
        }
    }
}

impl Hand {
    /// A meeting that says this at once.
    fn saying(said: impl IntoIterator<Item = Said>) -> Self {
        let hand = Self::default();
        hand.say(said);
        hand
    }

    fn say(&self, said: impl IntoIterator<Item = Said>) {
        self.0.lock().unwrap().to_say.extend(said);
    }

    fn send_on(&self, ways: &[StayId]) {
        self.0.lock().unwrap().ways = ways.to_vec();
    }

    fn heard(&self, what: &str) -> usize {
        let inner = self.0.lock().unwrap();
        inner.heard.iter().filter(|heard| *heard == what).count()
    }

    async fn until(&self, what: impl Fn(&Inner) -> bool) {
        let waiting = async {
            while !what(&self.0.lock().unwrap()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        assert!(came.is_ok(), "{:?}", self.0.lock().unwrap().heard);
    }

    async fn until_heard(&self, what: &str, times: usize) {
        let heard = |inner: &Inner| inner.heard.iter().filter(|heard| *heard == what).count();
        self.until(|inner| heard(inner) >= times).await;
    }

    async fn session(&self, options: JoinOptions, output: Output) -> Result<Session, JoinError> {
        let hand = self.clone();
        Session::prepare_for(options, output, move |_, presence: Presence, _| {
            let tracks = presence.tracks.iter();
            hand.0.lock().unwrap().tracks = tracks.map(|track| (track.track, track.kind)).collect();
            Box::new(hand)
        })
        .await
    }

    /// A participant of this meeting, on a thread of its own.
    fn spawn(
        &self,
        options: JoinOptions,
    ) -> (Page, std::thread::JoinHandle<Result<Summary, JoinError>>) {
        let page = Page::default();
        let (hand, output) = (self.clone(), Output::json(page.clone()));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut interrupts = Interrupts::new()?;
                let mut session = hand.session(options, output).await?;
                let ended = session.run(&mut interrupts).await;
                session.finish(ended, &mut interrupts).await
            })
        });
        (page, thread)
    }
}

fn room(stay: StayId) -> RoomHandle {
    RoomHandle([u8::try_from(stay.0).unwrap(); 32])
}

fn enter(stay: StayId) -> Said {
    Said::Enter { stay }
}

#[tokio::test]
async fn the_loss_of_the_main_stay_is_told_and_that_of_another_is_mended_quietly() {
    let relay = Relay::start(0).await;
    let hand = Hand::saying([enter(FIRST), Said::Main(FIRST), enter(SECOND)]);
    let (page, thread) = hand.spawn(options(&relay.link(), "Ada"));
    hand.until_heard("1 entered", 1).await;
    hand.until_heard("2 entered", 1).await;
    hand.say([Said::Inside]);
    page.until("connected").await;
    // With the main stay this would be the end.
    relay.drop_room(room(SECOND), CloseReason::Version);
    hand.until_heard("2 entered", 2).await;
    assert_eq!((hand.heard("2 lost"), hand.heard("1 lost")), (1, 0));
    assert_eq!(page.names(), ["connected"]);
    relay.drop_room(room(FIRST), CloseReason::TooSlow);
    page.until("reconnected").await;
    hand.until_heard("1 entered", 2).await;
    assert_eq!((hand.heard("2 lost"), hand.heard("1 lost")), (1, 1));
    hand.say([Said::Over(Ending::Removed)]);
    let error = ended(thread).await.unwrap_err();
    assert!(matches!(error, JoinError::Over(Ending::Removed)), "{error}");
    let story = ["connected", "reconnecting", "reconnected", "summary"];
    assert_eq!(page.names(), story);
}

#[tokio::test]
async fn another_stay_becomes_the_main_one_and_not_a_frame_is_missing() {
    let relay = Relay::start(0).await;
    let listener = Hand::saying([enter(FIRST), enter(SECOND), Said::Inside]);
    let (_, listening) = listener.spawn(options(&relay.link(), "Listener"));
    listener.until_heard("1 entered", 1).await;
    listener.until_heard("2 entered", 1).await;

    let hand = Hand::saying([enter(FIRST), Said::Main(FIRST)]);
    hand.send_on(&[FIRST]);
    let mut playing = options(&relay.link(), "Ada");
    playing.play = Some(Input::File(fixture("vp8-voice.webm")));
    let (page, thread) = hand.spawn(playing);
    hand.until_heard("1 entered", 1).await;
    hand.say([Said::Inside]);
    let came = |stay, least: usize| {
        let enough = move |inner: &Inner| inner.came.get(&stay).is_some_and(|c| c.len() >= least);
        listener.until(enough)
    };
    came(FIRST, 20).await;
    hand.say([enter(SECOND)]);
    hand.until_heard("2 entered", 1).await;
    // The listener's subscriptions are on their way.
    tokio::time::sleep(Duration::from_millis(200)).await;
    hand.send_on(&[FIRST, SECOND]);
    came(SECOND, 10).await;
    hand.say([Said::Main(SECOND)]);
    hand.send_on(&[SECOND]);
    let moved = |inner: &Inner| inner.groups.values().all(|(_, ways)| *ways == [SECOND]);
    hand.until(moved).await;
    hand.say([Said::Leave { stay: FIRST }]);
    let summary = ended(thread).await.unwrap();
    listener.say([Said::Over(Ending::Removed)]);
    ended(listening).await.unwrap_err();

    assert_eq!((hand.heard("1 lost"), summary.reconnections), (0, 0));
    assert!(!page.names().contains(&"warning".into()));
    let came = std::mem::take(&mut listener.0.lock().unwrap().came);
    let both: HashSet<_> = came[&FIRST].intersection(&came[&SECOND]).collect();
    assert!(!both.is_empty() && came[&FIRST].len() > both.len());
    for sent in &summary.sent.tracks {
        let track = TrackId(sent.track);
        let numbers = came.values().flatten().filter(|(of, _)| *of == track);
        let numbers: BTreeSet<u64> = numbers.map(|(_, number)| *number).collect();
        assert_eq!((sent.unsent, numbers.len() as u64), (0, sent.frames));
        assert_eq!(numbers.last().map(|last| last + 1), Some(sent.frames));
    }
}

#[tokio::test]
async fn what_was_sent_on_a_stay_still_arrives_when_it_is_left() {
    let relay = Relay::start(0).await;
    let listener = Hand::saying([enter(FIRST), Said::Inside]);
    let (_, listening) = listener.spawn(options(&relay.link(), "Listener"));
    listener.until_heard("1 entered", 1).await;
    let hand = Hand::saying([enter(FIRST), enter(SECOND), Said::Main(SECOND)]);
    hand.send_on(&[FIRST, SECOND]);
    hand.0.lock().unwrap().part = Some((FIRST, 30));
    let mut playing = options(&relay.link(), "Ada");
    playing.play = Some(Input::File(fixture("vp8-voice.webm")));
    playing.stay = Some(Duration::from_secs(3));
    let (_, thread) = hand.spawn(playing);
    hand.until_heard("1 entered", 1).await;
    hand.until_heard("2 entered", 1).await;
    hand.say([Said::Inside]);
    let summary = ended(thread).await.unwrap();
    listener.say([Said::Over(Ending::Removed)]);
    ended(listening).await.unwrap_err();
    let mut tracks = summary.sent.tracks.iter();
    let video = tracks.find(|track| track.kind == Kind::Video).unwrap();
    assert!(video.frames > 31 && video.unsent == 0);
    let came = std::mem::take(&mut listener.0.lock().unwrap().came);
    let pictures = came[&FIRST].iter().filter(|(of, _)| of.0 == video.track);
    assert!(pictures.map(|(_, number)| *number).eq(0..=30));
}

#[tokio::test]
async fn nothing_is_played_and_no_time_counts_before_the_meeting_lets_in() {
    let relay = Relay::start(0).await;
    let hand = Hand::saying([
        enter(FIRST),
        Said::Told(Notice::Waiting(crate::meeting::lobby::Status::Waiting)),
    ]);
    hand.send_on(&[FIRST]);
    let mut playing = options(&relay.link(), "Ada");
    playing.play = Some(Input::File(fixture("vp8-voice.webm")));
    playing.stay = Some(Duration::from_millis(600));
    let (page, thread) = hand.spawn(playing);
    hand.until_heard("1 entered", 1).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(page.names(), ["waiting"]);
    let let_in = Instant::now();
    hand.say([Said::Inside]);
    let summary = ended(thread).await.unwrap();
    assert!(let_in.elapsed() >= Duration::from_millis(600));
    assert_eq!(page.names(), ["waiting", "connected", "summary"]);
    let of = |summary: &Summary| (summary.sent.audio_frames, summary.sent.tracks[0].unsent);
    assert!(of(&summary).0 > 5, "{:?}", of(&summary));
    assert!(summary.duration_ms < 5000, "{}", summary.duration_ms);
}

#[tokio::test]
async fn who_stops_waiting_was_never_in_the_meeting() {
    let relay = Relay::start(0).await;
    let hand = Hand::saying([
        enter(FIRST),
        Said::Told(Notice::Waiting(crate::meeting::lobby::Status::Waiting)),
    ]);
    let page = Page::default();
    let output = Output::json(page.clone());
    let session = hand.session(options(&relay.link(), "Ada"), output).await;
    let mut session = session.ok().unwrap();
    session.said(Instant::now());
    while hand.heard("1 entered") == 0 {
        let (stay, came) = session.stays.next().await;
        session.came(Instant::now(), stay, came).unwrap();
    }
    session.leave(Instant::now());
    let mut interrupts = Interrupts::new().unwrap();
    session.run(&mut interrupts).await.unwrap();
    let error = session.finish(Ok(()), &mut interrupts).await.unwrap_err();
    assert!(matches!(error, JoinError::NotJoined), "{error}");
    assert_eq!(page.names(), ["waiting"]);
}

#[tokio::test]
async fn goodbye_is_said_on_all_stays() {
    let relay = Relay::start(0).await;
    let both = || [enter(FIRST), enter(SECOND)];
    let listener = Hand::saying(both());
    let (_, listening) = listener.spawn(options(&relay.link(), "Listener"));
    let hand = Hand::saying(both());
    hand.send_on(&[FIRST, SECOND]);
    let (_, thread) = hand.spawn(options(&relay.link(), "Ada"));
    for hand in [&listener, &hand] {
        hand.until_heard("1 entered", 1).await;
        hand.until_heard("2 entered", 1).await;
    }
    hand.say([Said::Over(Ending::Removed)]);
    ended(thread).await.unwrap_err();
    listener.until_heard("1 message", 1).await;
    listener.until_heard("2 message", 1).await;
    listener.say([Said::Over(Ending::Removed)]);
    ended(listening).await.unwrap_err();
}

#[tokio::test]
async fn a_deadline_that_has_passed_is_kept_without_haste() {
    let relay = Relay::start(0).await;
    let hand = Hand::saying([enter(FIRST), Said::Inside]);
    hand.0.lock().unwrap().late = true;
    let mut short = options(&relay.link(), "Ada");
    short.stay = Some(Duration::from_millis(300));
    let begun = Instant::now();
    ended(hand.spawn(short).1).await.unwrap();
    let most = begun.elapsed().as_millis() / 10 + 2;
    let ticks = hand.0.lock().unwrap().ticks;
    assert!(ticks > 5 && (ticks as u128) < most, "{ticks} of {most}");
}

/// The meeting hears nobody for two minutes, since there is no relay, and begins anew: that is no reason
/// to look for the relay for two minutes more, nor to forget since when it is gone.
#[tokio::test]
async fn a_meeting_that_begins_anew_without_a_relay_ends_like_any_other() {
    for beside in [false, true] {
        let relay = Relay::start(0).await;
        let hand = Hand::saying([enter(FIRST), Said::Main(FIRST), Said::Inside]);
        if beside {
            hand.say([enter(THIRD)]);
        }
        let mut session = entered(&hand, &relay, if beside { 2 } else { 1 }).await;
        let lost = Instant::now();
        session.lost_for(lost, FIRST, LossReason::Silence).unwrap();
        if beside {
            session.lost_for(lost, THIRD, LossReason::Silence).unwrap();
        }
        let since = session.stays.lead().and_then(|lead| lead.lost());
        assert!(since.is_some());
        hand.say([Said::Leave { stay: FIRST }, enter(SECOND)]);
        session.said(Instant::now());
        let lead = session.stays.lead().unwrap();
        let (id, still) = (lead.id, lead.lost());
        assert_eq!(still, since);
        let failed = || Came::Dialled(Err(ConnectError::Unreachable));
        let soon = lost + Duration::from_secs(60);
        assert!(session.came(soon, id, failed()).is_ok());
        let late = lost + Duration::from_secs(121);
        let ended = session.came(late, id, failed());
        assert!(matches!(ended, Err(JoinError::Lost)), "{ended:?}");
    }
}

/// With a relay there is all the time to look for the host.
#[tokio::test]
async fn a_meeting_that_begins_anew_at_a_relay_has_lost_nothing() {
    let relay = Relay::start(0).await;
    let hand = Hand::saying([enter(FIRST), Said::Main(FIRST), Said::Inside]);
    let mut session = entered(&hand, &relay, 1).await;
    hand.say([Said::Leave { stay: FIRST }, enter(SECOND)]);
    session.said(Instant::now());
    let lead = session.stays.lead().unwrap();
    assert_eq!((lead.id, lead.lost()), (SECOND, None));
    while hand.heard("2 entered") == 0 {
        let (stay, came) = session.stays.next().await;
        session.came(Instant::now(), stay, came).unwrap();
    }
}

/// A participant whose loop does not run, in so many rooms.
async fn entered(hand: &Hand, relay: &Relay, rooms: usize) -> Session {
    let output = Output::json(Page::default());
    let session = hand.session(options(&relay.link(), "Ada"), output).await;
    let mut session = session.ok().unwrap();
    session.said(Instant::now());
    let entered = || hand.heard("1 entered") + hand.heard("3 entered");
    while entered() < rooms {
        let (stay, came) = session.stays.next().await;
        session.came(Instant::now(), stay, came).unwrap();
    }
    session
}

#[tokio::test]
async fn text_is_not_sent_while_the_host_is_not_heard() {
    let relay = Relay::start(0).await;
    let said = |freshness| Said::Told(Notice::Chair(freshness));
    let hand = Hand::saying([Said::Inside, said(Freshness::Stopped)]);
    let page = Page::default();
    let output = Output::json(page.clone());
    let mut session = hand
        .session(options(&relay.link(), "Ada"), output)
        .await
        .unwrap();
    let mut answer = |said: Option<Said>| {
        hand.say(said);
        session.said(Instant::now());
        let text = Command::Say("something".into());
        session.typed(Instant::now(), Typed::Command(text));
        page.events().last().unwrap()["text"].to_string()
    };
    assert!(answer(None).contains("not been heard for a minute"));
    // It is heard again, but here no relay was reached.
    assert!(answer(Some(said(Freshness::Well))).contains("relay is not reached"));
}
