//! What the relay sends to one room: bounded, and no other room notices.

use super::bounds::closed_for;
use super::*;
use crate::relay::limits::GROUP_BYTES;
use crate::wire::limits::{AUDIO_PAYLOAD, BODY};

const RATE: usize = 200_000;
const OTHER: RoomHandle = RoomHandle([9; 32]);

/// A relay that sends little to a room, a room with someone who is heard and seen by so many, and
/// two who talk in another.
struct Hall {
    relay: Relay,
    loud: Person,
    crowd: Vec<Person>,
    elsewhere: (Person, Person),
}

fn hall(listeners: usize) -> Hall {
    let mut relay = Relay::with(Limits {
        room_bytes_per_second: RATE,
        ..Limits::default()
    });
    let loud = relay.member();
    let crowd: Vec<_> = (0..listeners).map(|_| relay.member()).collect();
    for &who in &crowd {
        relay.subscribe(who, loud, AUDIO);
        relay.subscribe(who, loud, VIDEO);
    }
    let [talker, listener] = [(); 2].map(|()| relay.enter(OTHER, Role::Member));
    relay.subscribe(listener, talker, AUDIO);
    Hall {
        relay,
        loud,
        crowd,
        elsewhere: (talker, listener),
    }
}

impl Hall {
    /// Bytes of sound that reached the crowd.
    fn heard(&mut self) -> usize {
        let (relay, crowd) = (&mut self.relay, &self.crowd);
        let frames = crowd.iter().flat_map(|&who| relay.heard(who));
        frames.map(|(_, payload)| payload.len()).sum()
    }

    /// Bytes of pictures that reached the crowd.
    fn seen(&mut self) -> usize {
        let (relay, crowd) = (&mut self.relay, &self.crowd);
        let mut bytes = 0;
        for &who in crowd {
            bytes += relay
                .streams(who)
                .iter()
                .map(|stream| stream.body().len())
                .sum::<usize>();
        }
        bytes
    }

    /// Whether nobody in the other room notices anything.
    fn others_talk(&mut self) {
        let (talker, listener) = self.elsewhere;
        assert!(self.relay.hears(listener, talker));
    }

    /// Sound of so many bytes each beat, for so many seconds.
    fn shout(&mut self, bytes: usize, seconds: usize) {
        for _ in 0..seconds * 50 {
            let mut left = bytes;
            while left > 0 {
                let part = left.min(AUDIO_PAYLOAD);
                self.relay.speak(self.loud, &vec![7; part]);
                left -= part;
            }
            self.others_talk();
        }
    }
}

#[test]
fn sound_past_the_rate_is_lost_and_nobody_is_closed() {
    let mut hall = hall(20);
    // 20 listeners, 2 kB in each beat: ten times the rate.
    hall.shout(2000, 10);
    let heard = hall.heard();
    let most = 12 * RATE + 2 * 20 * 2000;
    assert!(heard <= most && heard > most * 8 / 10, "{heard} of {most}");
    assert_eq!(hall.relay.closed(hall.loud.peer), None);
    // Whoever becomes quieter is heard again.
    hall.relay.pass(Duration::from_secs(1));
    hall.heard();
    hall.shout(100, 5);
    assert_eq!(hall.heard(), 5 * 50 * 100 * 20);
}

#[test]
fn what_nobody_listens_to_costs_nothing() {
    let mut hall = hall(20);
    let alone = hall.relay.member();
    let full = vec![7; 1000];
    for _ in 0..500 {
        (0..3).for_each(|_| hall.relay.speak(alone, &full));
        hall.relay.speak(hall.loud, &[7; 80]);
        hall.relay.pass_beat();
    }
    assert_eq!(hall.heard(), 500 * 80 * 20);
}

/// The pictures end; the voice beside them stays whole.
#[test]
fn pictures_give_way_before_sound() {
    let mut hall = hall(20);
    let mut stream = 0;
    for beat in 0..500 {
        // A key frame each second, as a camera makes them whatever becomes of them.
        if beat % 50 == 0 {
            stream += 1;
            hall.relay.begin(hall.loud, stream, stream as u32);
        }
        hall.relay.data(hall.loud, stream, &[9; 4000]);
        hall.relay.speak(hall.loud, &[7; 80]);
        hall.others_talk();
    }
    let (seen, heard) = (hall.seen(), hall.heard());
    assert_eq!(heard, 500 * 80 * 20, "each frame of the voice");
    let most = 12 * RATE;
    assert!(seen < most && seen > 300_000, "{seen} of {most}");
    assert_eq!(hall.relay.closed(hall.loud.peer), None);
}

#[test]
fn words_past_the_rate_close_whoever_sends_them() {
    let mut hall = hall(5);
    let quiet = hall.crowd[0];
    let mut sent = 0;
    while hall.relay.closed(hall.loud.peer).is_none() {
        assert!(sent < 4 * RATE, "{sent}");
        sent += BODY * 5;
        hall.relay.send(hall.loud, To::Everyone, &[1; BODY]);
    }
    closed_for(&mut hall.relay, hall.loud.peer, CloseReason::TooMany);
    hall.others_talk();
    assert_eq!(hall.relay.closed(quiet.peer), None);
    hall.relay.pass(Duration::from_secs(4));
    hall.relay.send(quiet, To::Everyone, b"peace");
    assert_eq!(hall.relay.closed(quiet.peer), None);
}

#[test]
fn whoever_comes_is_given_what_is_there() {
    let mut hall = hall(1);
    hall.relay.begin(hall.loud, 1, 1);
    let part = vec![9; 100_000];
    hall.relay.data(hall.loud, 1, &part);
    hall.relay.pass_beat();
    let late: Vec<_> = (0..20).map(|_| hall.relay.member()).collect();
    for &who in &late {
        hall.relay.subscribe(who, hall.loud, VIDEO);
    }
    hall.relay.pass_beat();
    for who in late {
        let bytes: usize = hall.relay.streams(who).iter().map(|s| s.body().len()).sum();
        assert_eq!(bytes, part.len(), "a debt is the room's, not a newcomer's");
    }
    assert!(part.len() < GROUP_BYTES);
    hall.others_talk();
}

/// By the defaults nobody takes a whole relay from one address: neither its places nor its rooms.
#[test]
fn one_address_cannot_take_a_relay() {
    let limits = Limits::default();
    assert!(limits.connections_per_address * 4 <= limits.participants);
    assert!(limits.connections_per_address * 2 <= limits.rooms);
}
