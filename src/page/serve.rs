//! Accepting: whoever comes gets a place, within bounds, and is heard in a task.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};

use super::answer::OnlyTls;
use super::hear::hear;
use super::limits::{ACCEPTED, ACCEPTED_AT_ONCE, BYTES, BYTES_AT_ONCE, HANDSHAKE, PAUSE, PLACES};
use super::line::Line;
use super::pace::Pace;
use crate::carrier::door::WatchedDoor;
use crate::carrier::front::{Greeter, Http, PlainLine, WatchedFront};

/// What all share who are served at a time.
struct House {
    here: Mutex<VecDeque<JoinHandle<()>>>,
    accepted: Pace,
    bytes: Arc<Pace>,
}

impl House {
    fn new() -> Self {
        Self {
            here: Mutex::new(VecDeque::with_capacity(PLACES)),
            accepted: Pace::new(ACCEPTED, ACCEPTED_AT_ONCE),
            bytes: Arc::new(Pace::new(BYTES, BYTES_AT_ONCE)),
        }
    }

    /// Waits until one more may be accepted.
    async fn in_turn(&self) {
        while let Err(later) = self.accepted.take(1) {
            sleep_until(later).await;
        }
    }

    /// Hears one more; whoever came first may have to go.
    fn take_in(&self, visit: impl Future<Output = ()> + Send + 'static) {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.retain(|visit| !visit.is_finished());
        if here.len() >= PLACES
            && let Some(first) = here.pop_front()
        {
            first.abort();
        }
        here.push_back(tokio::spawn(visit));
    }
}

/// Serves the page to whoever comes to one of `fronts`, over TLS, until the process ends. Names that an
/// authority vouches for are `only_tls`.
pub async fn serve(fronts: Vec<WatchedFront>, greeter: Greeter, only_tls: bool) {
    let only_tls = match only_tls {
        true => OnlyTls::Say,
        false => OnlyTls::DoNotSay,
    };
    let (house, greeter) = (Arc::new(House::new()), Arc::new(greeter));
    let mut open = Vec::new();
    for front in fronts {
        let (house, greeter) = (house.clone(), greeter.clone());
        open.push(tokio::spawn(async move {
            loop {
                house.in_turn().await;
                let guest = match front.accept().await {
                    Ok(Some(guest)) => guest,
                    // One too many of its address: it is gone already.
                    Ok(None) => continue,
                    Err(error) => {
                        rest(&error).await;
                        continue;
                    }
                };
                let (bytes, greeter) = (house.bytes.clone(), greeter.clone());
                house.take_in(async move {
                    if let Ok(Some((stream, http))) = timeout(HANDSHAKE, greeter.greet(guest)).await
                    {
                        hear(Line::new(stream, bytes), http, only_tls).await;
                    }
                });
            }
        }));
    }
    for front in open {
        let _ = front.await;
    }
}

/// Serves the page to programs of this machine, without TLS, until the process ends.
///
/// # Errors
/// Never; for whoever waits for it beside other things that can fail.
pub async fn serve_here(door: WatchedDoor) -> io::Result<()> {
    let house = House::new();
    loop {
        house.in_turn().await;
        match door.accept().await {
            Ok(visitor) => {
                let line = Line::new(PlainLine::new(visitor), house.bytes.clone());
                house.take_in(hear(line, Http::One, OnlyTls::DoNotSay));
            }
            Err(error) => rest(&error).await,
        }
    }
}

/// A connection that was gone before it was accepted is nothing; a system that has no descriptor left
/// takes a while.
async fn rest(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        sleep(PAUSE).await;
    }
}
