//! The network between participants and the relay: each participant reaches it from a canary.
//!
//! A participant speaks from a port of 127.0.0.1 to the forwarder, which speaks to the relay from
//! the canary that belongs to that port. So a participant moves to another address, is cut off and
//! comes back without knowing how.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::DrillError;

/// How long a thread waits for a packet before it looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

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
    /// From which canary the participant behind a port speaks.
    routes: HashMap<u16, SocketAddr>,
    flows: HashMap<u16, Arc<UdpSocket>>,
    cut_off: HashSet<u16>,
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
        std::thread::spawn(move || there.outward());
        Ok(Self { port, shared })
    }

    /// Where participants find the relay.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The participant that speaks from `port` is at `canary` from now on.
    pub(super) fn route(&self, port: u16, canary: SocketAddr) {
        let mut state = self.shared.state();
        state.routes.insert(port, canary);
        state.flows.remove(&port);
    }

    /// Nothing reaches or leaves the participant, or everything does again.
    pub(super) fn cut_off(&self, port: u16, yes: bool) {
        let mut state = self.shared.state();
        match yes {
            true => state.cut_off.insert(port),
            false => state.cut_off.remove(&port),
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

    /// The socket that speaks for a participant.
    fn flow(self: &Arc<Self>, from: SocketAddr) -> Option<Arc<UdpSocket>> {
        let mut state = self.state();
        if state.cut_off.contains(&from.port()) {
            return None;
        }
        if let Some(flow) = state.flows.get(&from.port()) {
            return Some(flow.clone());
        }
        let canary = *state.routes.get(&from.port())?;
        let same = |relay: &&SocketAddr| relay.is_ipv4() == canary.is_ipv4();
        let relay = self.relay.iter().find(same)?;
        let socket = UdpSocket::bind(canary).ok()?;
        socket.connect(relay).ok()?;
        socket.set_read_timeout(Some(LOOK)).ok()?;
        let socket = Arc::new(socket);
        state.flows.insert(from.port(), socket.clone());
        drop(state);
        let (shared, there) = (self.clone(), socket.clone());
        std::thread::spawn(move || shared.inward(&there, from));
        Some(socket)
    }

    fn inward(&self, socket: &Arc<UdpSocket>, to: SocketAddr) {
        let mut packet = [0; 65_536];
        while !self.stop.load(Ordering::Relaxed) {
            let length = socket.recv(&mut packet);
            let state = self.state();
            let current = state.flows.get(&to.port());
            if !current.is_some_and(|current| Arc::ptr_eq(current, socket)) {
                return;
            }
            let cut_off = state.cut_off.contains(&to.port());
            drop(state);
            if let Ok(length) = length
                && !cut_off
            {
                let _ = self
                    .front
                    .send_to(packet.get(..length).unwrap_or_default(), to);
            }
        }
    }
}
