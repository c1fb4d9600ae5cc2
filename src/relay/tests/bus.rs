//! A room that spans two shards, each with a room core of its own.

use std::cell::RefCell;
use std::rc::Rc;

use std::collections::{HashMap, VecDeque};

use super::*;
use crate::relay::bus::{Bus, News, Parcel, ShardId};

/// A bus in memory that also counts what crosses it.
#[derive(Default)]
struct Lines {
    waiting: HashMap<ShardId, VecDeque<Parcel>>,
    datagrams: usize,
}

struct Line {
    me: ShardId,
    others: Vec<ShardId>,
    lines: Rc<RefCell<Lines>>,
}

impl Bus for Line {
    fn me(&self) -> ShardId {
        self.me
    }

    fn others(&self) -> &[ShardId] {
        &self.others
    }

    fn send(&mut self, to: ShardId, parcel: Parcel) {
        let mut lines = self.lines.borrow_mut();
        lines.datagrams += usize::from(matches!(parcel.news, News::Datagram { .. }));
        lines.waiting.entry(to).or_default().push_back(parcel);
    }

    fn receive(&mut self) -> Option<Parcel> {
        self.lines
            .borrow_mut()
            .waiting
            .get_mut(&self.me)?
            .pop_front()
    }
}

struct Shards {
    shards: Vec<Relay<Line>>,
    lines: Rc<RefCell<Lines>>,
}

impl Shards {
    fn new(count: u16) -> Self {
        let lines = Rc::new(RefCell::new(Lines::default()));
        let all: Vec<_> = (0..count).map(ShardId).collect();
        let now = Instant::now();
        let shard = |&me: &ShardId| {
            let others = all.iter().copied().filter(|&other| other != me).collect();
            let line = Line {
                me,
                others,
                lines: Rc::clone(&lines),
            };
            let mut relay = Relay::on(line, Limits::default(), now);
            // Two shards draw different ids: another seed each.
            let seed = [me.0 as u8; 32];
            relay.rooms = Rooms::new(Limits::default(), relay.rooms.bus, seed, now);
            relay
        };
        Self {
            shards: all.iter().map(shard).collect(),
            lines,
        }
    }

    /// Until nothing is on its way.
    fn deliver(&mut self) {
        while self
            .lines
            .borrow()
            .waiting
            .values()
            .any(|waiting| !waiting.is_empty())
        {
            for shard in &mut self.shards {
                shard.rooms.hear(shard.now, &mut shard.carrier);
            }
        }
    }

    fn pass_beat(&mut self) {
        self.deliver();
        for shard in &mut self.shards {
            shard.pass_beat();
        }
        self.deliver();
    }
}

#[test]
fn members_of_both_shards_are_in_one_room() {
    let mut shards = Shards::new(2);
    let here = shards.shards[0].member();
    shards.deliver();
    let there = shards.shards[1].member();
    shards.deliver();
    let joined = |who: Person| FromRelay::Joined {
        participant: who.id,
    };
    assert!(shards.shards[0].control(here)[1..] == [joined(there)]);
    assert!(shards.shards[1].control(there)[1..] == [joined(here)]);
    let third = shards.shards[1].member();
    shards.deliver();
    let FromRelay::Welcome { present, .. } = &shards.shards[1].control(third)[0] else {
        panic!()
    };
    assert!(present.contains(&here.id) && present.contains(&there.id));
    shards.shards[0].control(here);
    shards.shards[1].leave(there);
    shards.pass_beat();
    let left = FromRelay::Left {
        participant: there.id,
    };
    assert!(shards.shards[0].control(here) == [left.clone()]);
    assert!(shards.shards[1].control(third).contains(&left));
    shards.shards[1].leave(third);
    shards.pass_beat();
    assert!(
        shards.shards[0].control(here)
            == [FromRelay::Left {
                participant: third.id
            }]
    );
    assert_eq!(shards.shards[1].rooms.census(), Default::default());
    // A room that comes back on the other shard is joined again.
    let back = shards.shards[1].member();
    shards.deliver();
    assert!(shards.shards[0].control(here) == [joined(back)]);
    assert!(shards.shards[1].control(back)[1..] == [joined(here)]);
}

#[test]
fn messages_cross_to_whom_they_are_for() {
    let mut shards = Shards::new(2);
    let here = shards.shards[0].member();
    let there = shards.shards[1].member();
    let other = shards.shards[1].viewer();
    shards.deliver();
    shards.shards[1].control(there);
    shards.shards[1].control(other);
    shards.shards[0].send(here, To::Everyone, b"all");
    shards.shards[0].send(here, To::One(there.id), b"one");
    shards.deliver();
    let message = |body: &[u8]| FromRelay::Message {
        from: here.id,
        body: body.to_vec(),
    };
    assert!(shards.shards[1].control(there) == [message(b"all"), message(b"one")]);
    assert!(shards.shards[1].control(other) == [message(b"all")]);
}

#[test]
fn a_datagram_crosses_once_however_many_listen() {
    let mut shards = Shards::new(3);
    let talker = shards.shards[0].member();
    let listeners: Vec<_> = (0..20).map(|_| shards.shards[1].member()).collect();
    shards.deliver();
    for &listener in &listeners {
        shards.shards[1].subscribe(listener, talker, AUDIO);
    }
    shards.shards[0].speak(talker, b"hello");
    shards.pass_beat();
    shards.pass_beat();
    for &listener in &listeners {
        assert_eq!(
            shards.shards[1].heard(listener),
            [(talker.id, Bytes::from_static(b"hello"))]
        );
    }
    assert_eq!(
        shards.lines.borrow().datagrams,
        1,
        "and none to the shard without the room"
    );
}

#[test]
fn groups_cross_and_a_newcomer_elsewhere_gets_the_current_one() {
    let mut shards = Shards::new(2);
    let talker = shards.shards[0].member();
    shards.shards[0].begin(talker, 1, 1);
    shards.shards[0].data(talker, 1, &[1; 5000]);
    let there = shards.shards[1].member();
    shards.deliver();
    shards.shards[1].subscribe(there, talker, VIDEO);
    assert_eq!(shards.shards[1].streams(there)[0].body(), [1; 5000]);
    shards.shards[0].data(talker, 1, &[2; 5000]);
    shards.shards[0].finish(talker, 1);
    shards.shards[0].begin(talker, 2, 2);
    shards.pass_beat();
    shards.pass_beat();
    let streams = shards.shards[1].streams(there);
    assert_eq!(streams[0].body().len(), 10_000);
    assert_eq!(streams[0].end, End::Finished);
    assert_eq!(streams[1].header().group, GroupNumber(2));
    shards.shards[0].event(Event::GroupReset(talker.peer, incoming(2)));
    shards.pass_beat();
    assert_eq!(shards.shards[1].streams(there)[1].end, End::Reset);
}

#[test]
fn a_shard_speaks_only_for_its_own_members() {
    let mut shards = Shards::new(3);
    let talker = shards.shards[0].member();
    let listener = shards.shards[1].member();
    shards.shards[2].member();
    shards.deliver();
    shards.shards[1].subscribe(listener, talker, AUDIO);
    let (from, payload) = (talker.id, Bytes::from_static(b"forged"));
    let news = News::Datagram {
        from,
        track: AUDIO,
        payload,
    };
    let forged = Parcel {
        from: ShardId(2),
        room: ROOM,
        news,
    };
    let mut lines = shards.lines.borrow_mut();
    lines
        .waiting
        .entry(ShardId(1))
        .or_default()
        .push_back(forged);
    drop(lines);
    shards.pass_beat();
    assert!(shards.shards[1].heard(listener).is_empty());
}

#[test]
fn two_members_with_one_id_become_one() {
    let mut shards = Shards::new(2);
    let now = shards.shards[1].now;
    let bus = std::mem::replace(&mut shards.shards[1].rooms, {
        let spare = Line {
            me: ShardId(9),
            others: vec![],
            lines: Rc::default(),
        };
        Rooms::new(Limits::default(), spare, [0; 32], now)
    });
    shards.shards[1].rooms = Rooms::new(Limits::default(), bus.bus, [0; 32], now);
    let here = shards.shards[0].member();
    let there = shards.shards[1].member();
    let beside = shards.shards[1].member();
    assert_eq!(here.id, there.id);
    shards.deliver();
    assert_eq!(
        shards.shards[1].closed(there.peer),
        Some(CloseReason::Internal)
    );
    assert_eq!(shards.shards[0].closed(here.peer), None);
    shards.shards[1].subscribe(beside, here, AUDIO);
    shards.shards[0].speak(here, b"still here");
    shards.pass_beat();
    shards.pass_beat();
    assert_eq!(shards.shards[1].heard(beside).len(), 1);
}
