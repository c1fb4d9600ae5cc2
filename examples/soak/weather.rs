//! A bad network: a UDP proxy that loses and delays, that goes dead for a while, and that speaks to the
//! relay from another port, as a router does that was restarted.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::spawn_local;
use tokio::time::sleep;

/// Of a thousand datagrams so many are lost, each way.
const LOST: u64 = 20;
/// What each takes at least, in milliseconds, and how much more at most.
const DELAY: u64 = 20;
const JITTER: u64 = 10;
/// Each so many seconds the network changes; every third change it is dead for a while instead, longer
/// than a silent peer is remembered.
const CHANGE: u64 = 20;
const DEAD: u64 = 14;

/// The proxy, in front of a relay on loopback.
pub struct Weather {
    port: u16,
    sky: Rc<Sky>,
}

struct Sky {
    relay: SocketAddr,
    front: UdpSocket,
    flows: RefCell<HashMap<SocketAddr, Rc<UdpSocket>>>,
    dead: Cell<bool>,
    clear: Cell<bool>,
    random: Cell<u64>,
    last: Cell<u64>,
}

impl Weather {
    pub async fn start(relay: u16) -> Result<Self, String> {
        let front = UdpSocket::bind("127.0.0.1:0").await;
        let front = front.map_err(|error| error.to_string())?;
        let port = front
            .local_addr()
            .map_err(|error| error.to_string())?
            .port();
        let sky = Rc::new(Sky {
            relay: SocketAddr::from(([127, 0, 0, 1], relay)),
            front,
            flows: RefCell::default(),
            dead: Cell::new(false),
            clear: Cell::new(false),
            random: Cell::new(0x5eed),
            last: Cell::new(0),
        });
        spawn_local(outbound(sky.clone()));
        Ok(Self { port, sky })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// To be called each second.
    pub fn change(&self, since: Duration) {
        let (number, within) = (since.as_secs() / CHANGE, since.as_secs() % CHANGE);
        let dead = number % 3 == 2 && within < DEAD;
        self.sky.dead.set(dead);
        if self.sky.last.replace(number) != number && !dead {
            // Whoever is behind it comes from another port from now on.
            self.sky.flows.borrow_mut().clear();
        }
    }

    /// Nothing is lost any more.
    pub fn clear(&self) {
        self.sky.dead.set(false);
        self.sky.clear.set(true);
    }
}

impl Sky {
    /// splitmix64 (Steele, Lea and Flood 2014).
    fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// How long a datagram takes; `None` when it is lost.
    fn fate(&self) -> Option<Duration> {
        if self.clear.get() {
            return Some(Duration::ZERO);
        }
        let lost = self.dead.get() || self.random() % 1000 < LOST;
        (!lost).then(|| Duration::from_millis(DELAY + self.random() % JITTER))
    }
}

async fn outbound(sky: Rc<Sky>) {
    let mut buffer = vec![0; 2048];
    loop {
        let Ok((length, from)) = sky.front.recv_from(&mut buffer).await else {
            continue;
        };
        let known = sky.flows.borrow().get(&from).cloned();
        let flow = match known {
            Some(flow) => flow,
            None => {
                let Ok(flow) = UdpSocket::bind("127.0.0.1:0").await else {
                    continue;
                };
                let flow = Rc::new(flow);
                sky.flows.borrow_mut().insert(from, flow.clone());
                spawn_local(inbound(sky.clone(), flow.clone(), from));
                flow
            }
        };
        if let Some(delay) = sky.fate() {
            let (bytes, to) = (buffer.get(..length).unwrap_or_default().to_vec(), sky.relay);
            spawn_local(async move {
                sleep(delay).await;
                let _ = flow.send_to(&bytes, to).await;
            });
        }
    }
}

/// Until the participant has another flow, or is silent for long.
async fn inbound(sky: Rc<Sky>, flow: Rc<UdpSocket>, participant: SocketAddr) {
    let mut buffer = vec![0; 2048];
    loop {
        let received = tokio::time::timeout(Duration::from_secs(30), flow.recv_from(&mut buffer));
        let current = {
            let received = received.await;
            let flows = sky.flows.borrow();
            let current = flows
                .get(&participant)
                .is_some_and(|now| Rc::ptr_eq(now, &flow));
            drop(flows);
            match received {
                Ok(Ok((length, _))) => Some((current, length)),
                Ok(Err(_)) => continue,
                Err(_) => None,
            }
        };
        match current {
            None => {
                let mut flows = sky.flows.borrow_mut();
                if flows
                    .get(&participant)
                    .is_some_and(|now| Rc::ptr_eq(now, &flow))
                {
                    flows.remove(&participant);
                }
                return;
            }
            // A mapping that the router forgot.
            Some((false, _)) => return,
            Some((true, length)) => {
                if let Some(delay) = sky.fate() {
                    let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                    let sky = sky.clone();
                    spawn_local(async move {
                        sleep(delay).await;
                        let _ = sky.front.send_to(&bytes, participant).await;
                    });
                }
            }
        }
    }
}
