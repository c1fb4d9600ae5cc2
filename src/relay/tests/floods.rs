//! Random floods: a crowd fills the memory, leaves, comes back, shouts. What is held stays within its
//! bounds, and two who just talk notice nothing.

use super::soak::{Dice, seeds};
use super::*;
use crate::relay::limits::*;

const ELSEWHERE: RoomHandle = RoomHandle([9; 32]);

/// Who floods at a time.
const CROWD: usize = 60;

struct Flood {
    relay: Relay,
    dice: Dice,
    most: usize,
    talker: Person,
    listener: Person,
    /// One in each room who asks for all there is and takes it or does not.
    takers: [Person; 2],
    crowd: Vec<Person>,
    next: u32,
    /// The largest that was held at a time.
    fullest: usize,
    closed: usize,
}

impl Flood {
    fn new(seed: u64, group_memory: usize) -> Self {
        let limits = Limits {
            group_memory,
            room_bytes_per_second: 1 << 40,
            ..Limits::default()
        };
        let mut relay = Relay::with(limits);
        let (talker, listener) = relay.pair();
        let takers = [relay.member(), relay.enter(ELSEWHERE, Role::Viewer)];
        Self {
            relay,
            dice: Dice(seed),
            most: group_memory * 1024 * 1024,
            talker,
            listener,
            takers,
            crowd: Vec::new(),
            next: 0,
            fullest: 0,
            closed: 0,
        }
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn enter(&mut self) {
        let room = self.dice.roll(3) / 2;
        let one = self.relay.enter([ROOM, ELSEWHERE][room], Role::Member);
        for track in 0..4 {
            self.relay.subscribe(self.takers[room], one, TrackId(track));
        }
        self.crowd.push(one);
    }

    fn begin(&mut self, who: Person, track: u8) -> u64 {
        let number = self.number();
        let (stream, group) = (u64::from(number), GroupNumber(number));
        let track = TrackId(track);
        self.relay.open(who, stream);
        self.relay
            .data(who, stream, &UplinkGroup { track, group }.encode());
        stream
    }

    /// A group as large as may be; its end comes, or not.
    fn pour(&mut self, who: Person) {
        let track = 1 + self.dice.roll(3) as u8;
        let stream = self.begin(who, track);
        let pieces = 8 + self.dice.roll(GROUP_BYTES / 65536);
        for _ in 0..pieces {
            self.relay.data(who, stream, &[1; 65536]);
            self.hold();
        }
        if self.dice.roll(4) > 0 {
            self.relay.finish(who, stream);
        }
    }

    /// More streams than anyone may open.
    fn storm(&mut self, who: Person) {
        for _ in 0..=GROUPS_BURST {
            let stream = self.begin(who, 1);
            self.relay.finish(who, stream);
        }
    }

    fn shout(&mut self, who: Person) {
        for _ in 0..SENDER_DATAGRAMS {
            self.relay.speak(who, &[2; 1000]);
        }
    }

    fn gone(&mut self, at: usize) {
        let who = self.crowd.swap_remove(at);
        self.relay.leave(who);
        self.relay.carrier.inboxes.remove(&who.peer);
        self.relay.free.push(who.peer.index());
    }

    fn step(&mut self) {
        let choice = self.dice.roll(100);
        if self.crowd.len() < 3 || (choice < 20 && self.crowd.len() < CROWD) {
            self.enter();
        }
        let at = self.dice.roll(self.crowd.len());
        let who = self.crowd[at];
        match choice {
            20..56 => self.pour(who),
            56..65 => {
                self.pour(who);
                self.gone(at);
            }
            65..66 => self.storm(who),
            66..80 => (0..5).for_each(|_| {
                let at = self.dice.roll(self.crowd.len());
                self.shout(self.crowd[at]);
            }),
            80..85 => {
                let taker = self.takers[self.dice.roll(2)];
                if self.relay.carrier.window.remove(&taker.peer).is_none() {
                    self.relay.carrier.window.insert(taker.peer, 0);
                }
                self.relay.event(Event::Writable(taker.peer));
            }
            85.. => self.talk(),
            _ => {}
        }
        self.hold();
        let before = self.crowd.len();
        let (carrier, free) = (&mut self.relay.carrier, &mut self.relay.free);
        self.crowd.retain(|who| {
            let closed = carrier
                .inboxes
                .get(&who.peer)
                .and_then(|inbox| inbox.closed);
            if closed.is_some() {
                carrier.inboxes.remove(&who.peer);
                free.push(who.peer.index());
            }
            closed.is_none()
        });
        self.closed += before - self.crowd.len();
    }

    /// The two who just talk: a picture and a word each beat.
    fn talk(&mut self) {
        for _ in 0..1 + self.dice.roll(5) {
            let (talker, listener) = (self.talker, self.listener);
            let stream = self.begin(talker, VIDEO.0);
            self.relay.data(talker, stream, &stream.to_be_bytes());
            self.relay.finish(talker, stream);
            assert!(self.relay.hears(listener, talker), "a word is lost");
            let streams = std::mem::take(&mut self.relay.inbox(listener).streams);
            let [seen] = streams.values().collect::<Vec<_>>()[..] else {
                panic!("a picture is lost");
            };
            assert_eq!(seen.end, End::Finished);
            assert_eq!(seen.body(), stream.to_be_bytes());
            for taker in self.takers {
                let inbox = self.relay.inbox(taker);
                let bytes: usize = inbox.bundles.drain(..).map(|bundle| bundle.len()).sum();
                assert!(bytes <= LISTENER_BYTES, "{bytes}");
                inbox.streams.retain(|_, stream| stream.end == End::Open);
                (inbox.frames, inbox.came) = Default::default();
            }
        }
    }

    /// What must hold after each event.
    fn hold(&mut self) {
        let rooms = &self.relay.rooms;
        let held = rooms.census().group_bytes;
        assert!(held <= self.most, "the relay holds {held}");
        let mut sum = 0;
        for (_, room) in &rooms.rooms {
            assert!(room.held <= ROOM_BYTES, "a room holds {}", room.held);
            let members = room.members.iter().map(|(_, member)| member.held);
            assert_eq!(members.sum::<usize>(), room.held);
            sum += room.held;
        }
        assert_eq!(sum, held);
        self.fullest = self.fullest.max(held);
        for who in [self.talker, self.listener].iter().chain(&self.takers) {
            assert_eq!(self.relay.closed(who.peer), None, "who does no harm stays");
        }
    }

    fn end(mut self) {
        for at in (0..self.crowd.len()).rev() {
            self.gone(at);
        }
        self.relay.pass(FAREWELL + BEAT);
        assert!(self.relay.rooms.census().group_bytes < 1024);
        assert!(
            self.fullest > self.most.min(ROOM_BYTES) - 65536,
            "it was never full"
        );
        assert!(self.closed > 10, "only {} were closed", self.closed);
    }
}

#[test]
fn random_floods_stay_within_the_bounds() {
    for seed in seeds(4) {
        // By turns the relay's bound and a room's is the one that is met.
        let mut flood = Flood::new(seed, if seed % 2 == 0 { 16 } else { 512 });
        for _ in 0..1500 {
            flood.step();
        }
        flood.end();
    }
}
