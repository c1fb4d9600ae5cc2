//! A shard's numbers: what they are, and when they are published, which is on a steady grid that
//! knows nothing of what happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::beat::MEMBERS;
use super::bus::Bus;
use super::room::Room;
use super::rooms::{Beat, Rooms};
use crate::carrier::server::{Server, Socket};
use crate::quiet::metrics::{Measure, Metrics, Reading};
use crate::wire::CloseReason;

/// How many connections were ended, by what was wrong. Who leaves, or has to go since the relay
/// stops, is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closes {
    full: u64,
    bounds: u64,
    slow: u64,
    protocol: u64,
}

impl Closes {
    pub(super) fn count(&mut self, reason: CloseReason) {
        match reason {
            CloseReason::RoomFull | CloseReason::RelayFull => self.full += 1,
            CloseReason::TooLarge | CloseReason::TooMany => self.bounds += 1,
            CloseReason::TooSlow => self.slow += 1,
            CloseReason::Version
            | CloseReason::Malformed
            | CloseReason::Unexpected
            | CloseReason::Pass
            | CloseReason::NoHello => self.protocol += 1,
            CloseReason::Done | CloseReason::Restarting | CloseReason::Internal => {}
        }
    }
}

/// When to publish.
struct Moments {
    next: Instant,
    every: Duration,
}

impl Moments {
    /// `chance` says where between two moments it begins: the process may have been started by
    /// whoever came first.
    fn new(now: Instant, every: Duration, chance: [u8; 4]) -> Self {
        let part = f64::from(u32::from_be_bytes(chance)) / f64::from(u32::MAX);
        Self {
            next: now + every.mul_f64(part),
            every,
        }
    }

    /// Whether it is time. However late it is asked, the moments stay where they are.
    fn due(&mut self, now: Instant) -> bool {
        let due = self.next <= now;
        while self.next <= now {
            self.next += self.every;
        }
        due
    }
}

/// Publishes a shard's numbers.
pub(super) struct Meter {
    moments: Moments,
    metrics: Arc<Metrics>,
    late: u64,
}

impl Meter {
    pub(super) fn new(
        metrics: Arc<Metrics>,
        now: Instant,
        every: Duration,
        chance: [u8; 4],
    ) -> Self {
        Self {
            moments: Moments::new(now, every, chance),
            metrics,
            late: 0,
        }
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Instant {
        self.moments.next
    }

    /// Counts a beat; once it is time, publishes how things are.
    pub(super) fn turn<S: Socket, B: Bus>(
        &mut self,
        now: Instant,
        beat: Beat,
        rooms: &Rooms<B>,
        server: &Server<S>,
    ) {
        self.late += u64::from(beat == Beat::Late);
        if self.moments.due(now) {
            let mut reading = Reading::default();
            reading.set(Measure::Late, self.late);
            rooms.read(&mut reading);
            read(server, &mut reading);
            self.metrics.publish(&reading);
        }
    }
}

fn read<S: Socket>(server: &Server<S>, reading: &mut Reading) {
    let counters = server.counters();
    for (measure, exact) in [
        (Measure::Handshakes, server.handshakes() as u64),
        (Measure::Addresses, server.addresses() as u64),
        (Measure::Received, counters.received_bytes),
        (Measure::Sent, counters.sent_bytes),
        (Measure::Dropped, counters.overflowed),
    ] {
        reading.set(measure, exact);
    }
}

impl<B: Bus> Rooms<B> {
    fn read(&self, reading: &mut Reading) {
        let census = self.census();
        let members: usize = self.rooms.iter().map(|(_, room)| local_members(room)).sum();
        let Closes {
            full,
            bounds,
            slow,
            protocol,
        } = self.closes;
        for (measure, exact) in [
            (Measure::Members, members as u64),
            (
                Measure::Viewers,
                census.participants.saturating_sub(members) as u64,
            ),
            (Measure::Rooms, census.rooms as u64),
            (Measure::Connections, census.connected as u64),
            (Measure::GroupMemory, census.group_bytes as u64),
            (Measure::ClosedFull, full),
            (Measure::ClosedBounds, bounds),
            (Measure::ClosedSlow, slow),
            (Measure::ClosedProtocol, protocol),
        ] {
            reading.set(measure, exact);
        }
    }
}

fn local_members(room: &Room) -> usize {
    room.stands.get(MEMBERS).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ROOM, Relay};
    use super::*;
    use crate::wire::{Role, RoomHandle};

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn moments_stay_where_they_were_drawn_however_late_one_is_asked() {
        let start = Instant::now();
        for chance in [[0; 4], [0x80, 0, 0, 0], [0xff; 4]] {
            let mut moments = Moments::new(start, MINUTE, chance);
            let first = moments.next;
            assert!(first >= start && first <= start + MINUTE);
            let mut asked = Vec::new();
            for tenth in 0..6_000 {
                // Asked at odd times, and once not at all for minutes.
                let now = start + Duration::from_millis(tenth * 100 + tenth * tenth % 97);
                if !(2_000..4_000).contains(&tenth) && moments.due(now) {
                    asked.push(now);
                }
                assert_eq!((moments.next - first).as_nanos() % MINUTE.as_nanos(), 0);
            }
            // Ten minutes, of which three or four moments passed unasked and count as one.
            assert!((7..=8).contains(&asked.len()), "{asked:?}");
        }
    }

    #[test]
    fn a_reading_holds_everyone_and_what_was_wrong() {
        let mut relay = Relay::new();
        for room in 0..9 {
            relay.enter(RoomHandle([room; 32]), Role::Member);
        }
        let viewers = [(); 3].map(|()| relay.enter(ROOM, Role::Viewer));
        relay.connect();
        // A viewer has nothing to say.
        relay.speak(viewers[0], b"hello");
        let mut reading = Reading::default();
        relay.rooms.read(&mut reading);
        let mut expected = Reading::default();
        for (measure, exact) in [
            (Measure::Members, 9),
            (Measure::Viewers, 2),
            (Measure::Rooms, 9),
            (Measure::Connections, 12),
            (Measure::ClosedProtocol, 1),
        ] {
            expected.set(measure, exact);
        }
        assert_eq!(reading, expected);
    }

    #[test]
    fn who_just_leaves_is_not_counted() {
        let mut closes = Closes::default();
        for reason in [CloseReason::Done, CloseReason::Restarting] {
            closes.count(reason);
        }
        assert_eq!(closes, Closes::default());
    }
}
