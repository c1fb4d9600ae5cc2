//! Accepting: whoever comes gets a place, within bounds, and is heard in a task.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};

use super::answer::Way;
use super::hear::hear;
use super::limits::{ACCEPTED, ACCEPTED_AT_ONCE, BYTES, BYTES_AT_ONCE, HANDSHAKE, PAUSE, PLACES};
use super::line::Line;
use super::pace::Pace;
use crate::carrier::door::WatchedDoor;
use crate::carrier::front::{Greeter, Http, PlainLine, WatchedFront};

/// What all share who are served at a time.
struct House {
    here: Mutex<Here>,
    accepted: Pace,
    bytes: Arc<Pace>,
}

/// Who is served, in the order in which they came.
struct Here {
    visits: VecDeque<(u64, JoinHandle<()>)>,
    next: u64,
}

impl House {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            here: Mutex::new(Here {
                visits: VecDeque::with_capacity(PLACES),
                next: 0,
            }),
            accepted: Pace::new(ACCEPTED, ACCEPTED_AT_ONCE),
            bytes: Arc::new(Pace::new(BYTES, BYTES_AT_ONCE)),
        })
    }

    /// Waits until one more may be accepted.
    async fn in_turn(&self) {
        if let Some(later) = self.accepted.take(1) {
            sleep_until(later).await;
        }
    }

    /// Hears one more; whoever came first may have to go.
    fn take_in(self: &Arc<Self>, visit: impl Future<Output = ()> + Send + 'static) {
        let mut here = self.here();
        if here.visits.len() >= PLACES
            && let Some((_, first)) = here.visits.pop_front()
        {
            first.abort();
        }
        let (number, house) = (here.next, self.clone());
        here.next += 1;
        let visit = tokio::spawn(async move {
            visit.await;
            // A task's memory is freed, and so wiped, when nobody holds its handle any more.
            house.here().visits.retain(|(other, _)| *other != number);
        });
        here.visits.push_back((number, visit));
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the page to whoever comes to one of `fronts`, over TLS, until the process ends. `only_tls`: browsers
/// are told never to come to this name without it.
pub async fn serve(fronts: Vec<WatchedFront>, greeter: Greeter, only_tls: bool) {
    let way = match only_tls {
        true => Way::OnlyTls,
        false => Way::Tls,
    };
    let (house, greeter) = (House::new(), Arc::new(greeter));
    let mut open = Vec::new();
    for front in fronts {
        let (house, greeter) = (house.clone(), greeter.clone());
        open.push(tokio::spawn(async move {
            loop {
                let guest = match front.accept().await {
                    Ok(Some(guest)) => guest,
                    // One too many of its address: it is gone already, and took nobody's turn.
                    Ok(None) => continue,
                    Err(error) => {
                        rest(&error).await;
                        continue;
                    }
                };
                house.in_turn().await;
                let (bytes, greeter) = (house.bytes.clone(), greeter.clone());
                house.take_in(async move {
                    if let Ok(Some((stream, http))) = timeout(HANDSHAKE, greeter.greet(guest)).await
                    {
                        hear(Line::new(stream, bytes), http, way).await;
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
                house.take_in(hear(line, Http::One, Way::Here));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_those_who_left_nothing_is_held() {
        let house = House::new();
        let (leave, left) = tokio::sync::oneshot::channel::<()>();
        house.take_in(async {
            let _ = left.await;
        });
        house.take_in(async {});
        tokio::task::yield_now().await;
        assert_eq!(house.here().visits.len(), 1);
        let _ = leave.send(());
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        assert!(house.here().visits.is_empty());
    }
}
