//! Participants by the hundred: real connections that speak the relay's vocabulary, send sound and
//! pictures without meaning, and come and go all the time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::client::{Link, connect};
use sottovoce::wire::{
    CloseReason, ControlReader, FromRelay, GroupNumber, ParticipantId, Role, RoomHandle, ToRelay,
    TrackId, UplinkGroup, VERSION, encode_control, encode_group_frame, uplink,
};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{interval, sleep, timeout};

/// People of one room: the first two of each talk, the third shows something, the last two watch.
const ROOM: usize = 10;
/// Every so many is behind the bad network.
const BEHIND: usize = 10;
/// How long somebody stays, in seconds: at least, and how much longer at most.
const STAYS: (u64, u64) = (10, 40);
const SOUND: TrackId = TrackId(0);
const PICTURE: TrackId = TrackId(1);
const PACE: Duration = Duration::from_millis(20);
const SOUND_BYTES: usize = 120;
const PICTURE_PACE: Duration = Duration::from_millis(100);
const PICTURE_BYTES: usize = 4_000;
/// Pictures of one group.
const GROUP: u32 = 20;
/// As a participant does (`src/participant/backoff.rs`).
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// Who has not heard anything for longer was not hearing before a restart.
const FRESH: Duration = Duration::from_millis(500);

/// Everyone.
pub struct Crowd {
    places: Vec<Rc<Place>>,
    tasks: Vec<JoinHandle<()>>,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Nobody leaves by choice.
    held: Cell<bool>,
    over: Cell<bool>,
    random: Cell<u64>,
    counts: Cell<Counts>,
}

/// Sums over all.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub entered: u64,
    pub lost: u64,
    pub heard: u64,
}

/// A place in a room, that one after the other takes.
struct Place {
    number: usize,
    relay: RelayAddress,
    here: Cell<bool>,
    heard: Cell<Option<Instant>>,
    /// Whether it was hearing when a restart began, and for how long it heard nothing since.
    witness: Cell<bool>,
    gap: Cell<Duration>,
    link: RefCell<Option<Link>>,
}

impl Crowd {
    pub fn gather(
        count: usize,
        relay: Result<RelayAddress, String>,
        weather: u16,
    ) -> Result<Self, String> {
        let relay = relay?;
        let behind = RelayAddress::new("127.0.0.1", weather, relay.hashes().to_vec());
        let behind = behind.map_err(|error| error.to_string())?;
        let shared = Rc::<Shared>::default();
        let places: Vec<_> = (0..count)
            .map(|number| {
                let relay = match number % BEHIND == BEHIND / 2 {
                    true => behind.clone(),
                    false => relay.clone(),
                };
                Rc::new(Place {
                    number,
                    relay,
                    here: Cell::default(),
                    heard: Cell::default(),
                    witness: Cell::default(),
                    gap: Cell::default(),
                    link: RefCell::default(),
                })
            })
            .collect();
        let tasks = places
            .iter()
            .map(|place| spawn_local(life(place.clone(), shared.clone())));
        Ok(Self {
            tasks: tasks.collect(),
            places,
            shared,
        })
    }

    /// How many could be.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// How many are in their rooms.
    pub fn here(&self) -> usize {
        self.places.iter().filter(|place| place.here.get()).count()
    }

    pub fn counts(&self) -> Counts {
        self.shared.counts.get()
    }

    /// A restart begins: from now on nobody leaves by choice.
    pub fn hold(&self) {
        self.shared.held.set(true);
        for place in &self.places {
            let heard = place.heard.get();
            place
                .witness
                .set(heard.is_some_and(|heard| heard.elapsed() < FRESH));
            place.gap.set(Duration::ZERO);
        }
    }

    /// Whether all who were hearing have heard something since the relay was `ready` again.
    pub fn all_back(&self, ready: Instant) -> bool {
        let mut witnesses = self.places.iter().filter(|place| place.witness.get());
        witnesses.all(|place| place.heard.get() > Some(ready))
    }

    /// The restart is over: for how long each heard nothing, shortest first.
    pub fn release(&self) -> Vec<Duration> {
        self.shared.held.set(false);
        let gap = |place: &Rc<Place>| {
            let heard = place.heard.get().filter(|_| place.witness.take())?;
            // Who still hears nothing has not heard anything for so long.
            Some(place.gap.get().max(heard.elapsed()))
        };
        let mut gaps: Vec<_> = self.places.iter().filter_map(gap).collect();
        gaps.sort_unstable();
        gaps
    }

    /// All say goodbye.
    pub async fn scatter(&mut self) {
        self.shared.over.set(true);
        for place in &self.places {
            let link = place.link.take();
            if let Some(link) = link {
                spawn_local(async move {
                    link.close(CloseReason::Done).await;
                });
            }
        }
        for task in self.tasks.drain(..) {
            task.abort();
        }
        sleep(Duration::from_secs(4)).await;
    }
}

impl Shared {
    /// splitmix64 (Steele, Lea and Flood 2014).
    fn random(&self, below: u64) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        add(&mut counts);
        self.counts.set(counts);
    }
}

/// One after the other takes the place, until all is over.
async fn life(place: Rc<Place>, shared: Rc<Shared>) {
    sleep(Duration::from_millis(shared.random(8_000))).await;
    let (mut wait, mut patience) = (FIRST_WAIT, FIRST_PATIENCE);
    while !shared.over.get() {
        let entered = timeout(patience, enter(&place)).await;
        let Some((link, reader)) = entered.ok().flatten() else {
            shared.count(|counts| counts.lost += 1);
            sleep(wait / 2 + wait.mul_f64(shared.random(50) as f64 / 100.0)).await;
            (wait, patience) = (
                (wait * 2).min(LONGEST_WAIT),
                (patience * 2).min(Duration::from_secs(8)),
            );
            continue;
        };
        (wait, patience) = (FIRST_WAIT, FIRST_PATIENCE);
        shared.count(|counts| counts.entered += 1);
        *place.link.borrow_mut() = Some(link.clone());
        place.here.set(true);
        let stay = Duration::from_secs(STAYS.0 + shared.random(STAYS.1));
        let left = stay_in(&place, &shared, &link, reader, stay).await;
        place.here.set(false);
        place.link.take();
        match left {
            // It says goodbye, or is just gone.
            Left::Leaves if shared.random(4) > 0 => {
                link.close(CloseReason::Done).await;
            }
            Left::Leaves => {}
            Left::Lost => {
                shared.count(|counts| counts.lost += 1);
                sleep(wait / 2 + wait.mul_f64(shared.random(50) as f64 / 100.0)).await;
            }
        }
    }
}

enum Left {
    Leaves,
    Lost,
}

type Reader = ControlReader<FromRelay>;

async fn enter(place: &Place) -> Option<(Link, Reader)> {
    let link = connect(&place.relay, None).await.ok()?;
    let hello = ToRelay::Hello {
        version: VERSION,
        room: RoomHandle([(place.number / ROOM) as u8; 32]),
        role: match place.number % ROOM {
            8.. => Role::Viewer,
            _ => Role::Member,
        },
        pass: None,
    };
    link.send_control(encode_control(&hello).ok()?).await.ok()?;
    let mut reader = Reader::new();
    loop {
        reader.push(&link.recv_control().await.ok()??).ok()?;
        match reader.next().ok()? {
            Some(FromRelay::Welcome { present, .. }) => {
                for participant in present {
                    subscribe(&link, participant).await?;
                }
                return Some((link, reader));
            }
            Some(_) => return None,
            None => {}
        }
    }
}

async fn subscribe(link: &Link, participant: ParticipantId) -> Option<()> {
    for track in [SOUND, PICTURE] {
        let message = ToRelay::Subscribe { participant, track };
        link.send_control(encode_control(&message).ok()?)
            .await
            .ok()?;
    }
    Some(())
}

/// Talks and listens until it is time to go, or the relay is gone.
async fn stay_in(
    place: &Rc<Place>,
    shared: &Rc<Shared>,
    link: &Link,
    reader: Reader,
    stay: Duration,
) -> Left {
    let role = place.number % ROOM;
    let leaves = async {
        sleep(stay).await;
        while shared.held.get() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = leaves => Left::Leaves,
        _ = control(link, reader) => Left::Lost,
        () = listen(place, shared, link) => Left::Lost,
        () = watch(link) => Left::Lost,
        () = talk(link), if role < 2 => Left::Lost,
        _ = show(link), if role == 2 => Left::Lost,
    }
}

async fn control(link: &Link, mut reader: Reader) -> Option<()> {
    loop {
        while let Some(message) = reader.next().ok()? {
            match message {
                FromRelay::Joined { participant } => subscribe(link, participant).await?,
                FromRelay::Closed { .. } => return None,
                _ => {}
            }
        }
        reader.push(&link.recv_control().await.ok()??).ok()?;
    }
}

async fn listen(place: &Place, shared: &Shared, link: &Link) {
    while link.recv_datagram().await.is_ok() {
        shared.count(|counts| counts.heard += 1);
        let now = Instant::now();
        if let Some(last) = place.heard.replace(Some(now)) {
            place.gap.set(place.gap.get().max(now - last));
        }
    }
}

async fn watch(link: &Link) {
    while let Ok(mut group) = link.accept_group().await {
        spawn_local(async move { while let Ok(Some(_)) = group.read().await {} });
    }
}

async fn talk(link: &Link) {
    let mut pace = interval(PACE);
    let sound = uplink(SOUND, &[0x5a; SOUND_BYTES]);
    while link.send_datagram(sound.clone()).is_ok() {
        pace.tick().await;
    }
}

async fn show(link: &Link) -> Option<()> {
    let mut pace = interval(PICTURE_PACE);
    let picture: Bytes = encode_group_frame(&[0x5a; PICTURE_BYTES]).ok()?;
    for number in 0.. {
        let mut group = link.open_group(0).await.ok()?;
        let head = UplinkGroup {
            track: PICTURE,
            group: GroupNumber(number),
        };
        group.write(head.encode()).await.ok()?;
        for _ in 0..GROUP {
            pace.tick().await;
            group.write(picture.clone()).await.ok()?;
        }
        group.finish();
    }
    None
}
