//! One thread, its connections and its rooms: receive a batch, let the connections take it, let the
//! rooms act, send a batch.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::bus::Bus;
use super::limits::{DRAIN, INPUT_PACE, LIVELY, MUCH_INPUT_PACE};
use super::meter::Meter;
use super::outlet::{IncomingGroup, OutgoingGroup, Outlet, Peer, SendError};
use super::rooms::{Beat, Rooms};
use super::strain::Strain;
use crate::carrier::server::{Input, Server, Socket};
use crate::quiet::{self, Drain, Event};
use crate::wire::CloseReason;

impl<S: Socket> Outlet for Server<S> {
    fn send_control(&mut self, to: Peer, message: Bytes) -> Result<(), SendError> {
        Server::send_control(self, to, message)
    }

    fn send_datagram(&mut self, to: Peer, bundle: Bytes) -> Result<(), SendError> {
        Server::send_datagram(self, to, bundle)
    }

    fn widen(&mut self, peer: Peer) {
        Server::widen(self, peer);
    }

    fn open_group(&mut self, to: Peer, priority: i32) -> Option<OutgoingGroup> {
        Server::open_group(self, to, priority)
    }

    fn write_group(&mut self, to: Peer, group: OutgoingGroup, chunks: &mut [Bytes]) -> usize {
        Server::write_group(self, to, group, chunks)
    }

    fn finish_group(&mut self, to: Peer, group: OutgoingGroup) {
        Server::finish_group(self, to, group);
    }

    fn reset_group(&mut self, to: Peer, group: OutgoingGroup) {
        Server::reset_group(self, to, group);
    }

    fn stop_incoming(&mut self, from: Peer, group: IncomingGroup) {
        Server::stop_incoming(self, from, group);
    }

    fn close(&mut self, peer: Peer, reason: CloseReason) {
        if reason == CloseReason::RelayFull {
            quiet::log(Event::Full);
        }
        Server::close(self, peer, reason);
    }
}

/// Runs until told to stop.
pub(super) struct Shard<S: Socket, B> {
    pub(super) server: Server<S>,
    pub(super) rooms: Rooms<B>,
    /// Readable when `stop` may have changed.
    pub(super) waker: UnixStream,
    pub(super) stop: Arc<AtomicBool>,
    /// Where somebody wants numbers.
    pub(super) meter: Option<Meter>,
}

/// What a shard knows from one turn to the next.
#[derive(Default)]
struct Course {
    /// When it ends at the latest, once it was told to.
    stopping: Option<Instant>,
    strain: Strain,
    /// Until when media is expected.
    lively: Option<Instant>,
}

/// What comes after a turn.
enum Next {
    /// Another: there is more to receive.
    Turn,
    /// Sleep; with a pace, no longer than that, and whatever comes in.
    Sleep(Option<Duration>),
    End(Drain),
}

impl<S: Socket, B: Bus> Shard<S, B> {
    /// The loop. After the stop everyone is told [`CloseReason::Restarting`], and what is still on
    /// its way has [`DRAIN`] to arrive.
    pub(super) fn run(mut self) -> Drain {
        let mut course = Course::default();
        loop {
            let now = Instant::now();
            match self.turn(now, &mut course) {
                Next::Turn => {}
                Next::Sleep(pace) => self.sleep(now, course.stopping, pace),
                Next::End(drain) => return drain,
            }
        }
    }

    /// Takes what came in and sends what is due. A frame of its own on the stack, whatever the compiler
    /// would rather do: what lies in the loop's own frame is never wiped.
    #[inline(never)]
    fn turn(&mut self, now: Instant, course: &mut Course) -> Next {
        let input = self.server.turn(now);
        while let Some(event) = self.server.next_event() {
            self.rooms.handle(now, event, &mut self.server);
        }
        self.rooms.hear(now, &mut self.server);
        let beat = self.rooms.beat(now, &mut self.server);
        if beat != Beat::NotYet {
            course.lively = Some(now + LIVELY);
        }
        if let Some(late_percent) = course.strain.count(beat) {
            quiet::log(Event::Overloaded {
                shard: 0,
                late_percent,
            });
        }
        if let Some(meter) = &mut self.meter {
            meter.turn(now, beat, &self.rooms, &self.server);
        }
        if course.stopping.is_none() && self.stop.load(Ordering::Acquire) {
            course.stopping = Some(now + DRAIN);
            self.server.shutdown();
            self.rooms
                .close_all(now, CloseReason::Restarting, &mut self.server);
        }
        self.server.flush(now);
        if let Some(until) = course.stopping {
            if self.server.drained() {
                return Next::End(Drain::Complete);
            }
            if now >= until {
                return Next::End(Drain::Partial);
            }
        }
        let lively = course.lively.is_some_and(|until| now < until);
        match input {
            Input::More => Next::Turn,
            Input::Much => Next::Sleep(lively.then_some(MUCH_INPUT_PACE)),
            Input::Little => Next::Sleep(lively.then_some(INPUT_PACE)),
        }
    }

    /// Sleeps; where there is a `pace`, until then or the next beat, whatever comes in.
    fn sleep(&mut self, now: Instant, stopping: Option<Instant>, pace: Option<Duration>) {
        // Copies of stand-ins and room handles that a turn left on the stack would stay there for as
        // long as nobody comes. While media flows they are written over by the next.
        if pace.is_none() {
            quiet::wipe_stack();
        }
        if let Some(pace) = pace
            && !self.server.blocked()
        {
            // What comes now waits for the beat anyway: look at the sockets a few times a beat
            // rather than for each packet. Timers can wait so long too.
            let until = self.rooms.after(now).min(now + pace);
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        } else {
            let meter = self.meter.as_ref().map(Meter::deadline);
            let due = [
                self.rooms.deadline(),
                self.server.deadline(),
                stopping,
                meter,
            ];
            let until = due.into_iter().flatten().min();
            let woken = self.server.wait(until, Some(self.waker.as_fd()));
            if woken.waker {
                let mut bytes = [0; 16];
                // It is non-blocking; how much was in it does not matter.
                let _ = self.waker.read(&mut bytes);
            }
        }
    }
}
