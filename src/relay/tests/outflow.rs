//! What the relay sends to one room: bounded, and no other room notices.

use super::bounds::closed_for;
use super::*;
use crate::relay::limits::{BODIES_BURST, CATCH_UPS_BURST};
use crate::relay::post::framed;
use crate::wire::limits::{AUDIO_PAYLOAD, BODY};

const RATE: usize = 200_000;
/// Nobody's id.
const PARTICIPANT_GONE: ParticipantId = ParticipantId(0);
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

/// Whoever floods is closed; the others are heard, what they say arrives, and sound goes on.
#[test]
fn words_past_the_rate_close_whoever_floods() {
    let mut hall = hall(5);
    let [quiet, other] = [hall.crowd[0], hall.crowd[1]];
    hall.relay.subscribe(other, quiet, AUDIO);
    for flooder in [hall.loud, hall.crowd[4]] {
        let mut sent = 0;
        while hall.relay.closed(flooder.peer).is_none() {
            assert!(sent < 4 * RATE, "{sent}");
            sent += BODY * 5;
            hall.relay.send(flooder, To::Everyone, &[1; BODY]);
        }
        closed_for(&mut hall.relay, flooder.peer, CloseReason::TooMany);
        hall.relay.control(other);
        hall.relay.send(quiet, To::Everyone, b"peace");
        assert_eq!(hall.relay.closed(quiet.peer), None);
        let (from, body) = (quiet.id, b"peace".to_vec());
        let heard = hall.relay.control(other);
        assert!(heard.contains(&FromRelay::Message { from, body }));
        assert!(hall.relay.hears(other, quiet));
    }
    hall.others_talk();
}

/// Whoever comes anew for each flood has no more to say than what is left over.
#[test]
fn words_of_ever_new_flooders_leave_the_others_theirs() {
    let mut hall = hall(5);
    let [quiet, other] = [hall.crowd[0], hall.crowd[1]];
    hall.relay.subscribe(other, quiet, AUDIO);
    for beat in 0..500 {
        let flooder = hall.relay.member();
        while hall.relay.closed(flooder.peer).is_none() {
            hall.relay.send(flooder, To::Everyone, &[1; 3000]);
        }
        closed_for(&mut hall.relay, flooder.peer, CloseReason::TooMany);
        if beat % 50 == 0 {
            hall.relay.send(quiet, To::Everyone, &[2; 900]);
            assert_eq!(hall.relay.closed(quiet.peer), None);
        }
        assert!(hall.relay.hears(other, quiet), "{beat}");
    }
}

/// A message is sent in the size of its class: that is what it costs.
#[test]
fn words_cost_what_is_sent_of_them() {
    let mut hall = hall(1);
    let mut sent = 0;
    while hall.relay.closed(hall.loud.peer).is_none() {
        hall.relay
            .send(hall.loud, To::One(PARTICIPANT_GONE), &[1; 1025]);
        sent += 1;
    }
    assert_eq!(sent - 1, BODIES_BURST as usize / 4096);
    let sent = |length| {
        let (from, body) = (ParticipantId(u32::MAX), vec![1; length]);
        let message = encode_control(&FromRelay::Message { from, body });
        message.map_or(usize::MAX, |message| message.len())
    };
    for length in (1..=BODY).filter(|length| length % 64 < 2 || length % 64 > 48) {
        // Numbers in a message are shorter where they are small.
        let (least, most, prefix) = (sent(length), sent(length + 2), 2);
        assert!(
            (least..=most).contains(&(prefix + framed(length))),
            "{length}"
        );
    }
}

#[test]
fn whoever_comes_is_given_what_is_there() {
    let mut hall = hall(1);
    hall.relay.begin(hall.loud, 1, 1);
    let part = vec![9; 9000];
    hall.relay.data(hall.loud, 1, &part);
    hall.relay.pass_beat();
    let late: Vec<_> = (0..20).map(|_| hall.relay.member()).collect();
    for &who in &late {
        hall.relay.subscribe(who, hall.loud, VIDEO);
    }
    for who in late {
        let bytes: usize = hall.relay.streams(who).iter().map(|s| s.body().len()).sum();
        assert_eq!(bytes, part.len());
    }
    hall.others_talk();
}

/// A picture that many watch, ten seconds of it, a key frame each second, while `attack` goes on each
/// beat. All of it arrives, and whoever came in the end sees the next key frame.
fn a_picture_goes_on_under(mut attack: impl FnMut(&mut Hall)) {
    let mut hall = hall(20);
    hall.relay.pass(Duration::from_secs(1));
    for beat in 0..500 {
        let stream = beat / 50;
        if beat % 50 == 0 {
            hall.relay.begin(hall.loud, stream, stream as u32);
            hall.relay.data(hall.loud, stream, &[9; 3000]);
        }
        hall.relay.data(hall.loud, stream, &[9; 60]);
        if beat % 50 == 49 {
            hall.relay.finish(hall.loud, stream);
        }
        attack(&mut hall);
        hall.others_talk();
        assert!(hall.relay.inbox(hall.loud).stopped.is_empty(), "{beat}");
    }
    assert_eq!(hall.seen(), 10 * (3000 + 50 * 60) * 20);
    let late = hall.relay.member();
    hall.relay.subscribe(late, hall.loud, VIDEO);
    hall.relay.begin(hall.loud, 10, 10);
    hall.relay.data(hall.loud, 10, b"a key frame");
    hall.relay.pass_beat();
    let streams = hall.relay.streams(late);
    let newest = streams.last().expect("it sees nothing");
    assert_eq!(newest.body(), b"a key frame");
}

#[test]
fn asking_again_and_again_ends_no_picture_of_others() {
    let mut viewer = None;
    a_picture_goes_on_under(|hall| {
        let viewer = *viewer.get_or_insert_with(|| hall.relay.viewer());
        for _ in 0..30 {
            hall.relay.subscribe(viewer, hall.loud, VIDEO);
            let (participant, track) = (hall.loud.id, VIDEO);
            let back = ToRelay::Unsubscribe { participant, track };
            hall.relay.tell(viewer.peer, &back);
        }
        hall.relay.inbox(viewer).streams.clear();
    });
}

#[test]
fn who_asks_too_often_waits_for_the_next_key_frame() {
    let mut hall = hall(1);
    hall.relay.begin(hall.loud, 1, 1);
    hall.relay.data(hall.loud, 1, b"a key frame");
    let viewers = [(); 2].map(|()| hall.relay.viewer());
    let (participant, track) = (hall.loud.id, VIDEO);
    for _ in 0..CATCH_UPS_BURST {
        hall.relay.subscribe(viewers[0], hall.loud, VIDEO);
        let back = ToRelay::Unsubscribe { participant, track };
        hall.relay.tell(viewers[0].peer, &back);
    }
    let begun = hall.relay.streams(viewers[0]).len();
    assert_eq!(begun, CATCH_UPS_BURST as usize);
    for who in viewers {
        hall.relay.subscribe(who, hall.loud, VIDEO);
    }
    assert_eq!(hall.relay.streams(viewers[0]).len(), begun);
    assert_eq!(hall.relay.streams(viewers[1])[0].body(), b"a key frame");
    hall.relay.finish(hall.loud, 1);
    hall.relay.begin(hall.loud, 2, 2);
    hall.relay.data(hall.loud, 2, b"the next");
    hall.relay.pass(3 * BEAT);
    for who in viewers {
        assert_eq!(hall.relay.streams(who).last().unwrap().body(), b"the next");
    }
}

#[test]
fn coming_again_and_again_ends_no_picture_of_others() {
    a_picture_goes_on_under(|hall| {
        for _ in 0..10 {
            let viewer = hall.relay.viewer();
            hall.relay.subscribe(viewer, hall.loud, VIDEO);
            hall.relay.leave(viewer);
        }
    });
}

/// By the defaults nobody takes a whole relay from one address: neither its places nor its rooms.
#[test]
fn one_address_cannot_take_a_relay() {
    let limits = Limits::default();
    assert!(limits.connections_per_address * 4 <= limits.participants);
    assert!(limits.connections_per_address * 2 <= limits.rooms);
}
