//! The meeting: real participants' connections, in one process, that talk, listen and count.

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::client::{self, Link};
use sottovoce::wire::{
    BundleEntries, ControlReader, FromRelay, ParticipantId, Role, RoomHandle, ToRelay, TrackId,
    encode_control, uplink,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::LocalSet;

const TALKERS: usize = 4;
const LISTENERS: usize = 20;
const TRACK: TrackId = TrackId(1);
const PACE: Duration = Duration::from_millis(20);
/// Bytes of a sealed frame of speech.
const FRAME: usize = 160;
/// A frame that is older than this when it comes is of no use to a listener that buffers 60 ms.
const LATE: Duration = Duration::from_millis(60);
/// Frames that come later than this after they were sent count as lost.
const PATIENCE: Duration = Duration::from_secs(1);
/// Newcomers that try to get in while it is counted.
const NEWCOMERS: usize = 5;

struct Tally {
    epoch: Instant,
    window: Option<(Instant, Option<Instant>)>,
    sent: u64,
    late: Vec<Duration>,
}

impl Tally {
    fn counts(&self, sent: Instant) -> bool {
        self.window
            .is_some_and(|(from, until)| sent >= from && until.is_none_or(|until| sent < until))
    }

    fn take(&mut self, frame: &[u8]) {
        let Some(at) = frame.first_chunk::<8>() else {
            return;
        };
        let sent = self.epoch + Duration::from_nanos(u64::from_be_bytes(*at));
        if self.counts(sent) {
            self.late.push(sent.elapsed());
        }
    }
}

type Shared = Rc<RefCell<Tally>>;

/// `--meeting RELAY`: prints one JSON value when everybody is there, and then one for each line that it
/// is given, which has the seconds to count.
pub fn main(relay: &str) -> ExitCode {
    let Ok(relay) = relay.parse::<RelayAddress>() else {
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match LocalSet::new().block_on(&runtime, run(relay)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("meeting: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(relay: RelayAddress) -> Result<(), String> {
    let tally: Shared = Rc::new(RefCell::new(Tally {
        epoch: Instant::now(),
        window: None,
        sent: 0,
        late: Vec::new(),
    }));
    let relay = Rc::new(relay);
    let mut everyone = Vec::new();
    for _ in 0..TALKERS + LISTENERS {
        everyone.push(enter(&relay).await?);
    }
    let talkers: Vec<ParticipantId> = everyone[..TALKERS].iter().map(|(_, you)| *you).collect();
    for (index, (link, you)) in everyone.iter().enumerate() {
        for &participant in talkers.iter().filter(|talker| *talker != you) {
            let track = TRACK;
            send(link, &ToRelay::Subscribe { participant, track }).await?;
        }
        listen(link.clone(), tally.clone());
        if index < TALKERS {
            let phase = PACE * index as u32 / TALKERS as u32;
            tokio::task::spawn_local(talk(link.clone(), phase, tally.clone()));
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("{}", json!("everybody is there"));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let seconds = line.trim().parse().map_err(|_| "no number of seconds")?;
        println!(
            "{}",
            count(&tally, &relay, Duration::from_secs(seconds)).await
        );
    }
    Ok(())
}

async fn count(tally: &Shared, relay: &Rc<RelayAddress>, window: Duration) -> Value {
    let from = Instant::now();
    {
        let mut tally = tally.borrow_mut();
        (tally.sent, tally.window) = (0, Some((from, None)));
        tally.late.clear();
    }
    let newcomers: Vec<_> = (0..NEWCOMERS)
        .map(|number| {
            let relay = relay.clone();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(window / 10 * number as u32).await;
                let began = Instant::now();
                enter(&relay).await.map(|_| began.elapsed())
            })
        })
        .collect();
    tokio::time::sleep(window).await;
    tally.borrow_mut().window = Some((from, Some(Instant::now())));
    tokio::time::sleep(PATIENCE).await;
    let mut inside = Vec::new();
    for newcomer in newcomers {
        if newcomer.is_finished()
            && let Ok(Ok(took)) = newcomer.await
        {
            inside.push(took);
        }
    }
    inside.sort_unstable();
    let mut tally = tally.borrow_mut();
    tally.window = None;
    tally.late.sort_unstable();
    let late = &tally.late;
    let quantile = |q: f64| {
        late.get((late.len().saturating_sub(1) as f64 * q) as usize)
            .map(ms)
    };
    let expected = tally.sent * (TALKERS + LISTENERS - 1) as u64;
    json!({
        "frames": expected,
        "lost": expected.saturating_sub(late.len() as u64),
        "over_60_ms": late.iter().filter(|age| **age > LATE).count(),
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
        "worst_ms": quantile(1.0),
        "newcomers_in": format!("{} of {NEWCOMERS}", inside.len()),
        "slowest_newcomer_ms": inside.last().map(ms),
    })
}

fn ms(time: &Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

async fn enter(relay: &RelayAddress) -> Result<(Rc<Link>, ParticipantId), String> {
    let link = client::connect(relay, None)
        .await
        .map_err(|error| error.to_string())?;
    let hello = ToRelay::Hello {
        version: sottovoce::wire::VERSION,
        room: RoomHandle([1; 32]),
        role: Role::Member,
        pass: None,
    };
    send(&link, &hello).await?;
    let mut reader = ControlReader::<FromRelay>::new();
    loop {
        let bytes = link.recv_control().await.map_err(|_| "no welcome")?;
        let bytes = bytes.ok_or("no welcome")?;
        reader.push(&bytes).map_err(|error| error.to_string())?;
        while let Some(message) = reader.next().map_err(|error| error.to_string())? {
            if let FromRelay::Welcome { you, .. } = message {
                return Ok((Rc::new(link), you));
            }
        }
    }
}

async fn send(link: &Link, message: &ToRelay) -> Result<(), String> {
    let bytes = encode_control(message).map_err(|error| error.to_string())?;
    let sent = link.send_control(bytes).await;
    sent.map_err(|_| String::from("the relay is gone"))
}

fn listen(link: Rc<Link>, tally: Shared) {
    let control = link.clone();
    tokio::task::spawn_local(
        async move { while let Ok(Some(_)) = control.recv_control().await {} },
    );
    tokio::task::spawn_local(async move {
        while let Ok(bundle) = link.recv_datagram().await {
            let mut tally = tally.borrow_mut();
            for entry in BundleEntries::new(bundle).flatten() {
                tally.take(&entry.payload);
            }
        }
    });
}

async fn talk(link: Rc<Link>, phase: Duration, tally: Shared) {
    tokio::time::sleep(phase).await;
    let mut due = tokio::time::interval(PACE);
    loop {
        due.tick().await;
        let now = Instant::now();
        let at = (now - tally.borrow().epoch).as_nanos() as u64;
        let mut frame = vec![0x5a; FRAME];
        frame[..8].copy_from_slice(&at.to_be_bytes());
        if link
            .send_datagram(uplink(TRACK, &Bytes::from(frame)))
            .is_err()
        {
            return;
        }
        let mut tally = tally.borrow_mut();
        if tally.counts(now) {
            tally.sent += 1;
        }
    }
}
