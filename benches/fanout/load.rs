//! The load: real participants' connections, in one process, that talk, listen and measure.

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use sottovoce::carrier::address::RelayAddress;
use sottovoce::wire::{
    BundleEntries, ControlReader, DownlinkGroup, FromRelay, GroupFrames, GroupNumber,
    ParticipantId, Role, RoomHandle, ToRelay, TrackId, UplinkGroup, encode_control,
    encode_group_frame, uplink,
};
use tokio::task::{JoinSet, LocalSet};

use crate::case::{AUDIO, Case, GROUP, Media, PACE, PICTURE, PICTURE_PACE};
use crate::process::{cpu_of, rss_of};
use crate::way::{Carrier, Way, Writer};

const TRACK: TrackId = TrackId(1);
/// Talked before anything is counted: caches, windows and round-trip times settle.
const WARM_UP: Duration = Duration::from_secs(2);
/// How many participants come in at once.
const AT_ONCE: usize = 16;

/// What the participants count, in the window in which it counts.
struct Tally {
    epoch: Instant,
    /// Frames sent from here on count, while `open`.
    from: Option<Instant>,
    until: Option<Instant>,
    sent: u64,
    received: u64,
    bytes: u64,
    late_us: Vec<u32>,
}

impl Tally {
    fn counts(&self, sent: Instant) -> bool {
        self.from.is_some_and(|from| sent >= from) && self.until.is_none_or(|until| sent < until)
    }

    /// A frame that says when it was sent.
    fn frame(&self, size: usize) -> Bytes {
        let mut frame = vec![0x5a; size];
        let at = self.epoch.elapsed().as_nanos() as u64;
        frame[..8].copy_from_slice(&at.to_be_bytes());
        frame.into()
    }

    fn take(&mut self, frame: &[u8]) {
        let Some(at) = frame.first_chunk::<8>() else {
            return;
        };
        let sent = self.epoch + Duration::from_nanos(u64::from_be_bytes(*at));
        if self.counts(sent) {
            self.received += 1;
            self.bytes += frame.len() as u64;
            self.late_us
                .push(sent.elapsed().as_micros().min(u32::MAX.into()) as u32);
        }
    }
}

type Shared = Rc<RefCell<Tally>>;

/// `--load CASE CARRIER SECONDS RELAY PID`: prints one JSON object.
pub fn main(name: &str, carrier: &str, seconds: &str, relay: &str, pid: &str) -> ExitCode {
    let (Some(case), Some(carrier), Ok(seconds), Ok(relay), Ok(pid)) = (
        Case::named(name),
        Carrier::named(carrier),
        seconds.parse(),
        relay.parse::<RelayAddress>(),
        pid.parse::<u32>(),
    ) else {
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let window = Duration::from_secs(seconds);
    match LocalSet::new().block_on(&runtime, run(case, carrier, window, relay, pid)) {
        Ok(value) => {
            println!("{value}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(
    case: &'static Case,
    carrier: Carrier,
    window: Duration,
    relay: RelayAddress,
    pid: u32,
) -> Result<Value, String> {
    let tally: Shared = Rc::new(RefCell::new(Tally {
        epoch: Instant::now(),
        from: None,
        until: None,
        sent: 0,
        received: 0,
        bytes: 0,
        late_us: Vec::new(),
    }));
    let relay = Rc::new(relay);
    // One participant comes and goes, so that what every relay needs once is not counted.
    drop(enter(&relay, carrier, room(u8::MAX), Role::Member).await?);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let empty = rss_of(pid).ok_or("the relay is gone")?;

    let mut talkers = Vec::new();
    for _ in 0..case.talkers {
        talkers.push(enter(&relay, carrier, room(0), Role::Member).await?);
    }
    let sources: Rc<Vec<ParticipantId>> = Rc::new(talkers.iter().map(|t| t.you).collect());
    let role = if case.viewers {
        Role::Viewer
    } else {
        Role::Member
    };
    let mut coming = JoinSet::new();
    let mut here = Vec::new();
    for index in 0..case.listeners {
        let relay = relay.clone();
        // Those who are idle sit in rooms of ten.
        let room = room(if case.talkers == 0 {
            (index / 10) as u8
        } else {
            0
        });
        coming.spawn_local(async move { enter(&relay, carrier, room, role).await });
        if coming.len() >= AT_ONCE {
            here.extend(joined(&mut coming).await?);
        }
    }
    while !coming.is_empty() {
        here.extend(joined(&mut coming).await?);
    }
    for mut participant in here {
        participant.subscribe(&sources).await?;
        participant.listen(&tally);
    }
    for (index, mut talker) in talkers.into_iter().enumerate() {
        talker.subscribe(&sources).await?;
        let phase = PACE * index as u32 / case.talkers as u32;
        talker.talk(case, phase, window, &tally);
        talker.listen(&tally);
    }

    tokio::time::sleep(WARM_UP).await;
    let cpu = cpu_of(pid).ok_or("the relay is gone")?;
    tally.borrow_mut().from = Some(Instant::now());
    tokio::time::sleep(window).await;
    tally.borrow_mut().until = Some(Instant::now());
    let used = cpu_of(pid).ok_or("the relay is gone")? - cpu;
    let rss = rss_of(pid).ok_or("the relay is gone")?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let mut tally = tally.borrow_mut();
    let hearers = if case.talkers == 0 {
        0
    } else {
        case.listeners + case.talkers - 1
    };
    let expected = tally.sent * hearers as u64;
    tally.late_us.sort_unstable();
    let quantile = |q: f64| {
        let index = (tally.late_us.len().saturating_sub(1) as f64 * q) as usize;
        tally.late_us.get(index).map(|us| f64::from(*us) / 1000.0)
    };
    let used_us = used.as_secs_f64() * 1e6;
    let participants = (case.talkers + case.listeners) as f64;
    let mut value = json!({
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
        "delivered": if expected == 0 { 1.0 } else { tally.received as f64 / expected as f64 },
        "rss_kib_per_participant": rss.saturating_sub(empty) as f64 / participants,
        "us_per_participant_s": used_us / participants / window.as_secs_f64(),
    });
    if tally.received > 0 {
        value["us_per_frame"] = json!(used_us / tally.received as f64);
        value["us_per_mb"] = json!(used_us / (tally.bytes as f64 / 1e6));
    }
    Ok(value)
}

fn room(number: u8) -> RoomHandle {
    RoomHandle([number; 32])
}

async fn joined(
    coming: &mut JoinSet<Result<Participant, String>>,
) -> Result<Vec<Participant>, String> {
    match coming.join_next().await {
        Some(done) => Ok(vec![done.map_err(|error| error.to_string())??]),
        None => Ok(Vec::new()),
    }
}

struct Participant {
    way: Rc<Way>,
    you: ParticipantId,
}

async fn enter(
    relay: &RelayAddress,
    carrier: Carrier,
    room: RoomHandle,
    role: Role,
) -> Result<Participant, String> {
    let way = Way::connect(relay, carrier).await?;
    let hello = ToRelay::Hello {
        version: sottovoce::wire::VERSION,
        room,
        role,
        pass: None,
    };
    send(&way, &hello).await?;
    let mut reader = ControlReader::<FromRelay>::new();
    loop {
        let bytes = way.recv_control().await.ok_or("no welcome")?;
        reader.push(&bytes).map_err(|error| error.to_string())?;
        while let Some(message) = reader.next().map_err(|error| error.to_string())? {
            if let FromRelay::Welcome { you, .. } = message {
                return Ok(Participant {
                    way: Rc::new(way),
                    you,
                });
            }
        }
    }
}

async fn send(way: &Way, message: &ToRelay) -> Result<(), String> {
    let bytes = encode_control(message).map_err(|error| error.to_string())?;
    match way.send_control(bytes).await {
        true => Ok(()),
        false => Err("the relay is gone".into()),
    }
}

impl Participant {
    async fn subscribe(&mut self, sources: &[ParticipantId]) -> Result<(), String> {
        for participant in sources.iter().filter(|id| **id != self.you) {
            send(
                &self.way,
                &ToRelay::Subscribe {
                    participant: *participant,
                    track: TRACK,
                },
            )
            .await?;
        }
        Ok(())
    }

    fn listen(&self, tally: &Shared) {
        let (way, count) = (self.way.clone(), tally.clone());
        tokio::task::spawn_local(async move {
            while let Some(bundle) = way.recv_datagram().await {
                let mut tally = count.borrow_mut();
                for entry in BundleEntries::new(bundle).flatten() {
                    tally.take(&entry.payload);
                }
            }
        });
        let (way, count) = (self.way.clone(), tally.clone());
        tokio::task::spawn_local(async move {
            while let Some(mut group) = way.accept_group().await {
                let count = count.clone();
                tokio::task::spawn_local(async move {
                    let mut header = BytesMut::new();
                    let mut frames = GroupFrames::new();
                    while let Some(mut chunk) = group.read().await {
                        if header.len() < DownlinkGroup::LEN {
                            let rest = DownlinkGroup::LEN - header.len();
                            header.extend_from_slice(&chunk.split_to(rest.min(chunk.len())));
                        }
                        frames.push(chunk);
                        while let Ok(Some(frame)) = frames.next() {
                            count.borrow_mut().take(&frame);
                        }
                    }
                });
            }
        });
        let way = self.way.clone();
        tokio::task::spawn_local(async move { while way.recv_control().await.is_some() {} });
    }

    fn talk(&self, case: &Case, phase: Duration, window: Duration, tally: &Shared) {
        let (media, beat) = (case.media, case.beat());
        let (way, tally) = (self.way.clone(), tally.clone());
        tokio::task::spawn_local(async move {
            tokio::time::sleep(phase).await;
            let pace = if media == Media::Video {
                PICTURE_PACE
            } else {
                PACE
            };
            // How long a frame waits for the beat depends on where between two beats a talker
            // speaks. Each walks once through all places in the time that counts.
            let frames = window.as_secs_f64() / pace.as_secs_f64();
            let pace = pace + beat.div_f64(frames);
            let mut due = tokio::time::interval(pace);
            let mut group = None;
            for number in 0u64.. {
                due.tick().await;
                if media == Media::Audio {
                    let frame = tally.borrow().frame(AUDIO);
                    if !way.send_datagram(uplink(TRACK, &frame)) {
                        return;
                    }
                } else {
                    let frame = tally.borrow().frame(PICTURE);
                    if number % GROUP == 0 {
                        let Some(mut writer) = way.open_group().await else {
                            return;
                        };
                        let head = UplinkGroup {
                            track: TRACK,
                            group: GroupNumber((number / GROUP) as u32),
                        };
                        if !writer.write(head.encode()).await {
                            return;
                        }
                        if let Some(old) = group.replace(writer) {
                            Writer::finish(old);
                        }
                    }
                    let Some(writer) = &mut group else { return };
                    let Ok(frame) = encode_group_frame(&frame) else {
                        return;
                    };
                    if !writer.write(frame).await {
                        return;
                    }
                }
                let mut tally = tally.borrow_mut();
                if tally.counts(Instant::now()) {
                    tally.sent += 1;
                }
            }
        });
    }
}
