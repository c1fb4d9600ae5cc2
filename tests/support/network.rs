//! A bad network: a UDP proxy in this process that loses, delays and reorders, from a seed, and
//! that can change the port from which it speaks to the relay, as a router that restarts does.

use std::collections::{BinaryHeap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the network does to each datagram, each way.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// Of a thousand datagrams so many are lost.
    pub loss_permille: u64,
    /// Each datagram takes this long.
    pub delay: Duration,
    /// And up to this much longer.
    pub jitter: Duration,
}

impl Conditions {
    /// Everything passes at once.
    pub const PERFECT: Self = Self {
        loss_permille: 0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
    };
}

/// A proxy that runs until it goes out of scope.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    relay: SocketAddr,
    conditions: Mutex<Conditions>,
    random: Mutex<u64>,
    stop: AtomicBool,
    blocked: AtomicBool,
    deaf: AtomicBool,
    /// Raised by [`Proxy::roam`]: flows of an older age get a new socket.
    age: AtomicU64,
    /// Every payload that passed, when it is to be kept.
    tape: Option<Mutex<Vec<Vec<u8>>>>,
    pub passed: AtomicU64,
    pub lost: AtomicU64,
}

impl Shared {
    /// splitmix64 (Steele, Lea and Flood 2014): seeded, so that a failure can be had again.
    fn random(&self) -> u64 {
        let mut state = self.random.lock().expect("lock");
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// When a datagram that comes now is passed on; `None` when it is lost.
    fn fate(&self, bytes: &[u8]) -> Option<Instant> {
        let conditions = *self.conditions.lock().expect("lock");
        if self.blocked.load(Ordering::Relaxed) || self.random() % 1000 < conditions.loss_permille {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.passed.fetch_add(1, Ordering::Relaxed);
        if let Some(tape) = &self.tape {
            tape.lock().expect("lock").push(bytes.to_vec());
        }
        let jitter = conditions.jitter.as_micros() as u64;
        let more = if jitter == 0 {
            0
        } else {
            self.random() % jitter
        };
        Some(Instant::now() + conditions.delay + Duration::from_micros(more))
    }
}

/// A datagram under way.
struct UnderWay {
    due: Instant,
    number: u64,
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl PartialEq for UnderWay {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for UnderWay {}
impl PartialOrd for UnderWay {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for UnderWay {
    /// The earliest is the greatest: `BinaryHeap` gives the greatest first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl Proxy {
    /// In front of a relay on 127.0.0.1. The seed is printed, so that a failing run can be had again.
    pub fn start(relay_port: u16, seed: u64, conditions: Conditions) -> Self {
        Self::begin(relay_port, seed, conditions, false)
    }

    /// The same, and every payload that passes is kept for [`Proxy::tape`].
    pub fn recording(relay_port: u16, seed: u64, conditions: Conditions) -> Self {
        Self::begin(relay_port, seed, conditions, true)
    }

    fn begin(relay_port: u16, seed: u64, conditions: Conditions, keep: bool) -> Self {
        println!("network seed {seed}, {conditions:?}");
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("bind"));
        front
            .set_read_timeout(Some(Duration::from_millis(1)))
            .expect("timeout");
        let port = front.local_addr().expect("address").port();
        let shared = Arc::new(Shared {
            relay: SocketAddr::from(([127, 0, 0, 1], relay_port)),
            conditions: Mutex::new(conditions),
            random: Mutex::new(seed),
            stop: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            age: AtomicU64::new(0),
            tape: keep.then(|| Mutex::new(Vec::new())),
            passed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        let here = shared.clone();
        std::thread::spawn(move || run(&here, &front));
        Self { port, shared }
    }

    /// From now on the relay sees all participants behind this proxy come from other ports.
    pub fn roam(&self) {
        self.shared.age.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets nothing through any more, or everything again.
    pub fn block(&self, blocked: bool) {
        self.shared.blocked.store(blocked, Ordering::Relaxed);
    }

    /// Lets nothing through to the participants any more, who can still be heard: they acknowledge
    /// nothing, since nothing reaches them.
    pub fn deafen(&self) {
        self.shared.deaf.store(true, Ordering::Relaxed);
    }

    /// Changes the weather.
    pub fn set(&self, conditions: Conditions) {
        *self.shared.conditions.lock().expect("lock") = conditions;
    }

    /// Datagrams that were passed on, and that were lost.
    pub fn counts(&self) -> (u64, u64) {
        (
            self.shared.passed.load(Ordering::Relaxed),
            self.shared.lost.load(Ordering::Relaxed),
        )
    }

    /// Every payload that passed.
    pub fn tape(&self) -> Vec<Vec<u8>> {
        self.shared
            .tape
            .as_ref()
            .expect("a recording proxy")
            .lock()
            .expect("lock")
            .clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn run(shared: &Shared, front: &Arc<UdpSocket>) {
    let mut flows: HashMap<SocketAddr, (u64, Arc<UdpSocket>)> = HashMap::new();
    // A socket that was left by roaming takes nothing more, as a mapping that a router forgot.
    let mut under_way = BinaryHeap::new();
    let mut buffer = vec![0u8; 65536];
    let mut number = 0;
    let mut enqueue =
        |heap: &mut BinaryHeap<UnderWay>, socket: &Arc<UdpSocket>, to, bytes: &[u8]| {
            if let Some(due) = shared.fate(bytes) {
                number += 1;
                let socket = socket.clone();
                heap.push(UnderWay {
                    due,
                    number,
                    socket,
                    to,
                    bytes: bytes.to_vec(),
                });
            }
        };
    while !shared.stop.load(Ordering::Relaxed) {
        let age = shared.age.load(Ordering::Relaxed);
        // The first read waits for at most a millisecond; the rest take what is there.
        while let Ok((length, from)) = front.recv_from(&mut buffer) {
            let flow = flows.get(&from).filter(|(flow_age, _)| *flow_age == age);
            let socket = match flow {
                Some((_, socket)) => socket.clone(),
                None => {
                    let socket = UdpSocket::bind("127.0.0.1:0").expect("bind");
                    socket.set_nonblocking(true).expect("nonblocking");
                    let socket = Arc::new(socket);
                    flows.insert(from, (age, socket.clone()));
                    socket
                }
            };
            enqueue(&mut under_way, &socket, shared.relay, &buffer[..length]);
            if under_way
                .peek()
                .is_some_and(|next: &UnderWay| next.due <= Instant::now())
            {
                break;
            }
        }
        for (participant, (_, socket)) in &flows {
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if from == shared.relay && !shared.deaf.load(Ordering::Relaxed) {
                    enqueue(&mut under_way, front, *participant, &buffer[..length]);
                }
            }
        }
        while under_way
            .peek()
            .is_some_and(|next| next.due <= Instant::now())
        {
            if let Some(next) = under_way.pop() {
                // A full buffer is a loss like any other.
                let _ = next.socket.send_to(&next.bytes, next.to);
            }
        }
    }
}
