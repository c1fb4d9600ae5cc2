//! The network between participants and the relay: each participant reaches it from a canary.
//!
//! A participant speaks from a plain address of loopback to the forwarder, which speaks to the relay
//! from the canary that belongs to it, a port for each of its connections. So a participant moves to another address, is cut off and
//! comes back without knowing how.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{DrillError, thread};

/// How long a thread waits for a packet before it looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// Ports of a canary: more than a participant has connections, with those that it had before.
pub(super) const PORTS: u16 = 16;

/// Runs until it is dropped.
pub(super) struct Forwarder {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    front: UdpSocket,
    /// The relay's addresses, one of each family at most.
    relay: Vec<SocketAddr>,
    state: Mutex<State>,
    stop: AtomicBool,
}

#[derive(Default)]
struct State {
    /// From which canary the participant at a plain address speaks.
    routes: HashMap<IpAddr, SocketAddr>,
    flows: HashMap<SocketAddr, Arc<UdpSocket>>,
    cut_off: HashSet<IpAddr>,
}

impl Forwarder {
    pub(super) fn start(relay: Vec<SocketAddr>) -> Result<Self, DrillError> {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(DrillError::network)?;
        let port = front.local_addr().map_err(DrillError::network)?.port();
        front
            .set_read_timeout(Some(LOOK))
            .map_err(DrillError::network)?;
        let shared = Arc::new(Shared {
            front,
            relay,
            state: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let there = shared.clone();
        let outward = move || there.outward();
        thread().spawn(outward).map_err(DrillError::system)?;
        Ok(Self { port, shared })
    }

    /// Where participants find the relay.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The participant that speaks from `plain` is at `canary` from now on.
    pub(super) fn route(&self, plain: IpAddr, canary: SocketAddr) {
        let mut state = self.shared.state();
        state.routes.insert(plain, canary);
        state.flows.retain(|from, _| from.ip() != plain);
    }

    /// Nothing reaches or leaves the participant, or everything does again.
    pub(super) fn cut_off(&self, plain: IpAddr, yes: bool) {
        let mut state = self.shared.state();
        match yes {
            true => state.cut_off.insert(plain),
            false => state.cut_off.remove(&plain),
        };
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outward(self: &Arc<Self>) {
        let mut packet = [0; 65_536];
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((length, from)) = self.front.recv_from(&mut packet) else {
                continue;
            };
            if let Some(flow) = self.flow(from) {
                let _ = flow.send(packet.get(..length).unwrap_or_default());
            }
        }
    }

    /// The socket that speaks for a connection of a participant.
    fn flow(self: &Arc<Self>, from: SocketAddr) -> Option<Arc<UdpSocket>> {
        let mut state = self.state();
        if state.cut_off.contains(&from.ip()) {
            return None;
        }
        if let Some(flow) = state.flows.get(&from) {
            return Some(flow.clone());
        }
        let canary = *state.routes.get(&from.ip())?;
        let same = |relay: &&SocketAddr| relay.is_ipv4() == canary.is_ipv4();
        let relay = self.relay.iter().find(same)?;
        let ports = (0..PORTS).map(|more| SocketAddr::new(canary.ip(), canary.port() + more));
        let socket = ports.flat_map(UdpSocket::bind).next()?;
        socket.connect(relay).ok()?;
        socket.set_read_timeout(Some(LOOK)).ok()?;
        let socket = Arc::new(socket);
        let (shared, there) = (self.clone(), socket.clone());
        // It waits for the state that this one holds.
        let inward = thread().spawn(move || shared.inward(&there, from));
        inward.ok()?;
        state.flows.insert(from, socket.clone());
        Some(socket)
    }

    fn inward(&self, socket: &Arc<UdpSocket>, to: SocketAddr) {
        let mut packet = [0; 65_536];
        while !self.stop.load(Ordering::Relaxed) {
            let length = socket.recv(&mut packet);
            let state = self.state();
            let current = state.flows.get(&to);
            if !current.is_some_and(|current| Arc::ptr_eq(current, socket)) {
                return;
            }
            let cut_off = state.cut_off.contains(&to.ip());
            drop(state);
            if let Ok(length) = length
                && !cut_off
            {
                let bytes = packet.get(..length).unwrap_or_default();
                let _ = self.front.send_to(bytes, to);
            }
        }
    }
}
