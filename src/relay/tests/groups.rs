//! Groups: live, late, slow, broken off.

use super::*;
use crate::relay::limits::{FAREWELL, GRACE, LINGER, MERGE};

fn bytes(seed: u8, len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed))
        .collect()
}

#[test]
fn a_newcomer_gets_the_current_group_from_its_start_at_once() {
    let mut relay = Relay::new();
    let (talker, _) = relay.pair();
    let group = bytes(1, 50_000);
    relay.begin(talker, 1, 4);
    for part in group.chunks(1150) {
        relay.data(talker, 1, part);
        relay.pass(Duration::from_millis(3));
    }
    let late = relay.member();
    relay.subscribe(late, talker, VIDEO);
    let streams = relay.streams(late);
    assert_eq!(streams.len(), 1);
    let header = DownlinkGroup {
        sender: talker.id,
        track: VIDEO,
        group: GroupNumber(4),
    };
    assert!(streams[0].header() == header);
    assert_eq!(streams[0].body(), group);
    assert_eq!(streams[0].end, End::Open);
    relay.finish(talker, 1);
    relay.pass_beat();
    assert_eq!(relay.streams(late)[0].end, End::Finished);
    let later = relay.member();
    relay.subscribe(later, talker, VIDEO);
    assert_eq!(
        relay.streams(later)[0].body(),
        group,
        "a finished group is current, too"
    );
}

#[test]
fn groups_go_out_on_the_beat_as_they_come() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    for number in 0..5_u8 {
        let stream = u64::from(number);
        relay.begin(talker, stream, u32::from(number));
        let group = bytes(number, 9000);
        for (part, chunk) in group.chunks(1000).enumerate() {
            relay.data(talker, stream, chunk);
            relay.pass_beat();
            let streams = relay.streams(listener);
            let last = streams.last().unwrap();
            assert_eq!(last.body().len(), (part + 1) * 1000);
        }
        relay.finish(talker, stream);
        relay.pass_beat();
        let streams = relay.streams(listener);
        assert_eq!(streams.len(), usize::from(number) + 1);
        assert_eq!(streams[usize::from(number)].body(), group);
        assert_eq!(streams[usize::from(number)].end, End::Finished);
    }
    assert_eq!(
        relay.rooms.census().group_bytes,
        9000,
        "the current group and no other"
    );
}

#[test]
fn pictures_that_are_groups_of_their_own_all_arrive() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let viewer = relay.viewer();
    relay.subscribe(viewer, talker, VIDEO);
    for number in 0..200_u32 {
        relay.begin(talker, u64::from(number), number);
        relay.data(talker, u64::from(number), &bytes(number as u8, 700));
        relay.finish(talker, u64::from(number));
        relay.pass(Duration::from_millis(8));
    }
    relay.pass(Duration::from_millis(60));
    for who in [listener, viewer] {
        let streams = relay.streams(who);
        assert_eq!(streams.len(), 200);
        let numbers: Vec<_> = streams
            .iter()
            .map(|stream| stream.header().group.0)
            .collect();
        assert!(
            numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "{numbers:?}"
        );
        assert!(streams.iter().all(|stream| stream.end == End::Finished));
        assert!(streams.iter().all(|stream| stream.body().len() == 700));
    }
}

#[test]
fn the_end_of_a_group_may_come_after_the_beginning_of_the_next() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.begin(talker, 1, 1);
    relay.data(talker, 1, &bytes(1, 2000));
    relay.pass_beat();
    relay.begin(talker, 2, 2);
    relay.data(talker, 2, &bytes(2, 2000));
    relay.pass(Duration::from_millis(200));
    relay.data(talker, 1, &bytes(3, 2000));
    relay.finish(talker, 1);
    relay.pass_beat();
    let streams = relay.streams(listener);
    assert_eq!(streams[0].body(), [bytes(1, 2000), bytes(3, 2000)].concat());
    assert_eq!(streams[0].end, End::Finished);
    assert_eq!(streams[1].body().len(), 2000);
    assert!(
        streams[0].priority > streams[1].priority,
        "the older one goes first"
    );
}

#[test]
fn who_falls_behind_is_moved_to_the_newest_group_and_nobody_notices() {
    let mut relay = Relay::new();
    let (talker, slow) = relay.pair();
    let quick = relay.member();
    relay.subscribe(quick, talker, AUDIO);
    relay.subscribe(quick, talker, VIDEO);
    relay.carrier.window.insert(slow.peer, 5_000);
    let mut spoken = 0;
    for number in 0..3_u32 {
        relay.begin(talker, u64::from(number), number);
        for _ in 0..50 {
            relay.data(talker, u64::from(number), &bytes(9, 1000));
            relay.speak(talker, b"audio goes on");
            spoken += 1;
            relay.pass_beat();
        }
        relay.finish(talker, u64::from(number));
    }
    relay.pass(GRACE);
    let ends: Vec<_> = relay
        .streams(slow)
        .iter()
        .map(|stream| stream.end)
        .collect();
    assert_eq!(ends, [End::Reset, End::Reset, End::Open]);
    assert_eq!(
        relay.rooms.census().group_bytes,
        50_000,
        "only the newest is held"
    );
    assert_eq!(relay.heard(slow).len(), spoken);
    let quick_streams = relay.streams(quick);
    assert!(
        quick_streams
            .iter()
            .all(|stream| stream.body().len() == 50_000)
    );
    assert!(
        quick_streams
            .iter()
            .all(|stream| stream.end == End::Finished)
    );
    relay.carrier.window.remove(&slow.peer);
    relay.event(Event::Writable(slow.peer));
    let streams = relay.streams(slow);
    assert_eq!(streams[2].body().len(), 50_000, "at once, from its start");
    assert_eq!(streams[2].end, End::Finished);
}

#[test]
fn a_full_stream_goes_on_where_it_stopped() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let group = bytes(5, 40_000);
    relay.carrier.window.insert(listener.peer, 0);
    relay.begin(talker, 1, 1);
    for part in group.chunks(777) {
        relay.data(talker, 1, part);
        relay.carrier.window.insert(listener.peer, 501);
        relay.pass_beat();
    }
    relay.finish(talker, 1);
    while relay.streams(listener)[0].end == End::Open {
        relay.carrier.window.insert(listener.peer, 4999);
        relay.event(Event::Writable(listener.peer));
    }
    assert_eq!(relay.streams(listener)[0].body(), group);
}

/// QUIC hands up a piece of the packet's own buffer, with its header before it.
#[test]
fn a_group_holds_no_packet() {
    let mut relay = Relay::new();
    let (talker, _listener) = relay.pair();
    relay.begin(talker, 1, 1);
    let packet = Bytes::from(vec![7; 1400]);
    let piece = packet.slice(100..1300);
    relay.event(Event::GroupData(talker.peer, incoming(1), piece));
    relay.pass_beat();
    assert!(packet.is_unique());
}

#[test]
fn bytes_that_come_one_by_one_are_merged_and_none_is_lost() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.begin(talker, 1, 1);
    let group = bytes(5, 5 * MERGE + 3);
    for (at, byte) in group.chunks(1).enumerate() {
        relay.data(talker, 1, byte);
        if at % 100 == 0 {
            relay.carrier.window.insert(listener.peer, 90);
            relay.pass_beat();
        }
    }
    let (_, room) = relay.rooms.rooms.iter().next().unwrap();
    let mut tracks = room.members.iter().flat_map(|(_, member)| &member.tracks);
    let chunks = tracks
        .next()
        .and_then(|track| track.newest())
        .unwrap()
        .body()
        .len();
    assert!(chunks <= 2 * group.len() / MERGE + 1, "{chunks}");
    relay.carrier.window.clear();
    relay.finish(talker, 1);
    relay.pass_beat();
    assert_eq!(relay.streams(listener)[0].body(), group);
    let late = relay.member();
    relay.subscribe(late, talker, VIDEO);
    assert_eq!(relay.streams(late)[0].body(), group);
}

#[test]
fn audio_goes_before_video() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.begin(talker, 1, 1);
    relay.data(talker, 1, &bytes(1, 3000));
    relay.speak(talker, b"first");
    relay.inbox(listener).came.clear();
    relay.pass_beat();
    assert_eq!(relay.inbox(listener).came[0], Came::Audio);
    assert!(relay.inbox(listener).came.contains(&Came::Video));
}

#[test]
fn what_a_sender_finished_arrives_after_it_left_and_the_rest_is_reset() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let slow = relay.member();
    relay.subscribe(slow, talker, VIDEO);
    relay.carrier.window.insert(slow.peer, 100);
    relay.begin(talker, 1, 1);
    relay.data(talker, 1, &bytes(1, 3000));
    relay.finish(talker, 1);
    relay.begin(talker, 2, 2);
    relay.data(talker, 2, &bytes(2, 3000));
    relay.leave(talker);
    relay.pass(LINGER + BEAT);
    let streams = relay.streams(listener);
    assert_eq!(streams[0].body(), bytes(1, 3000));
    assert_eq!(streams[0].end, End::Finished);
    assert_eq!(streams.len(), 1, "a broken group is not even begun");
    relay.carrier.window.insert(slow.peer, 1000);
    relay.event(Event::Writable(slow.peer));
    assert_eq!(relay.streams(slow)[0].end, End::Open);
    relay.pass(FAREWELL);
    assert_eq!(relay.streams(slow)[0].end, End::Reset, "but not for ever");
    assert_eq!(relay.rooms.census().group_bytes, 0);
    assert!(!relay.rooms.busy());
}

#[test]
fn a_group_that_its_sender_resets_is_reset() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.begin(talker, 1, 1);
    relay.data(talker, 1, &bytes(1, 3000));
    relay.pass_beat();
    relay.event(Event::GroupReset(talker.peer, incoming(1)));
    relay.pass_beat();
    assert_eq!(relay.streams(listener)[0].end, End::Reset);
    assert_eq!(relay.rooms.census().group_bytes, 0);
    relay.begin(talker, 2, 2);
    relay.data(talker, 2, &bytes(2, 300));
    relay.pass_beat();
    assert_eq!(relay.streams(listener)[1].body().len(), 300);
}

#[test]
fn a_subscriber_may_stop_one_group_or_all() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.begin(talker, 1, 1);
    relay.data(talker, 1, &bytes(1, 300));
    relay.pass_beat();
    let stream = *relay.inbox(listener).streams.keys().next().unwrap();
    relay.event(Event::GroupStopped(listener.peer, outgoing(stream)));
    relay.data(talker, 1, &bytes(1, 300));
    relay.pass_beat();
    assert_eq!(
        relay.streams(listener).len(),
        1,
        "that group does not come again"
    );
    assert_eq!(relay.streams(listener)[0].end, End::Reset);
    relay.begin(talker, 2, 2);
    relay.data(talker, 2, &bytes(1, 300));
    relay.pass_beat();
    assert_eq!(relay.streams(listener).len(), 2);
    relay.tell(
        listener.peer,
        &ToRelay::Unsubscribe {
            participant: talker.id,
            track: VIDEO,
        },
    );
    assert_eq!(relay.streams(listener)[1].end, End::Reset);
    relay.begin(talker, 3, 3);
    relay.pass_beat();
    assert_eq!(relay.streams(listener).len(), 2);
}

#[test]
fn groups_do_not_go_back() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.begin(talker, 1, 7);
    relay.begin(talker, 2, 7);
    relay.begin(talker, 3, 6);
    relay.data(talker, 3, b"ignored");
    relay.finish(talker, 3);
    relay.begin(talker, 4, 9);
    relay.pass_beat();
    assert!(relay.inbox(talker).stopped == [incoming(2), incoming(3)]);
    let streams = relay.streams(listener);
    let numbers: Vec<_> = streams
        .iter()
        .map(|stream| stream.header().group.0)
        .collect();
    assert_eq!(numbers, [7, 9]);
    assert_eq!(relay.closed(talker.peer), None);
}

#[test]
fn a_header_in_pieces_is_a_header() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.open(talker, 1);
    let header = UplinkGroup {
        track: VIDEO,
        group: GroupNumber(3),
    }
    .encode();
    let all = [&header[..], b"picture"].concat();
    for byte in all.chunks(1) {
        relay.data(talker, 1, byte);
    }
    relay.finish(talker, 1);
    relay.pass_beat();
    assert_eq!(relay.streams(listener)[0].body(), b"picture");
    assert_eq!(relay.streams(listener)[0].header().group, GroupNumber(3));
}

#[test]
fn who_allows_no_more_streams_gets_the_newest_group_later() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    relay.carrier.streams.insert(listener.peer, 0);
    for number in 1..4 {
        relay.begin(talker, u64::from(number), number);
        relay.data(talker, u64::from(number), &bytes(1, 300));
        relay.finish(talker, u64::from(number));
        relay.pass(Duration::from_millis(500));
    }
    assert!(relay.streams(listener).is_empty());
    relay.carrier.streams.remove(&listener.peer);
    relay.event(Event::Writable(listener.peer));
    let streams = relay.streams(listener);
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].header().group, GroupNumber(3));
}

#[test]
fn a_track_is_subscribed_before_it_exists_and_each_track_on_its_own() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    let other = relay.member();
    relay.subscribe(other, talker, TrackId(2));
    relay.begin(talker, 1, 1);
    relay.data(talker, 1, b"x");
    relay.pass_beat();
    assert_eq!(relay.streams(listener).len(), 1);
    assert!(relay.streams(other).is_empty());
    assert!(relay.streams(talker).is_empty());
}
