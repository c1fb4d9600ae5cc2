//! Bounds on groups, gone past: how much is held, how much comes, and who pays for it.

use super::bounds::{closed_for, company, company_with};
use super::*;
use crate::relay::limits::*;
use crate::wire::limits::GROUP_FRAME;

/// After so long without groups, [`GROUP_BURST`] is there again.
const REST: Duration = Duration::from_secs(3);

#[test]
fn groups_of_one_track() {
    let (mut relay, talker, listener, offender) = company();
    relay.subscribe(listener, offender, VIDEO);
    for number in 0..UPLOADS as u32 {
        relay.begin(offender, u64::from(number), number);
        relay.data(offender, u64::from(number), &[0; 2000]);
    }
    assert_eq!(relay.rooms.census().group_bytes, GROUPS_PER_TRACK * 2000);
    relay.data(offender, 0, b"to a group that is gone");
    assert!(relay.inbox(offender).stopped == [incoming(0)]);
    assert!(relay.hears(listener, talker));
}

#[test]
fn bytes_of_one_group() {
    let (mut relay, talker, listener, offender) = company();
    relay.begin(offender, 1, 1);
    for _ in 0..GROUP_BYTES / 65536 {
        relay.data(offender, 1, &[0; 65536]);
    }
    assert_eq!(relay.closed(offender.peer), None);
    relay.pass(REST);
    relay.data(offender, 1, &[0]);
    closed_for(&mut relay, offender.peer, CloseReason::TooLarge);
    relay.pass(FAREWELL);
    assert_eq!(relay.rooms.census().group_bytes, 0);
    assert!(relay.hears(listener, talker));
}

/// Sends a group of so many bytes on a stream that has the number of its track.
pub(super) fn fill(relay: &mut Relay, who: Person, track: u8, bytes: usize) {
    relay.open(who, u64::from(track));
    let header = UplinkGroup {
        track: TrackId(track),
        group: GroupNumber(3),
    }
    .encode();
    relay.data(who, u64::from(track), &header);
    let chunk = vec![0; 65536];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(chunk.len());
        relay.data(who, u64::from(track), &chunk[..part]);
        left -= part;
    }
}

#[test]
fn group_bytes_of_one_participant() {
    let (mut relay, talker, listener, offender) = company();
    fill(&mut relay, offender, 1, GROUP_BYTES);
    relay.pass(REST);
    fill(&mut relay, offender, 2, PARTICIPANT_BYTES - GROUP_BYTES);
    relay.pass(REST);
    assert_eq!(relay.closed(offender.peer), None);
    fill(&mut relay, offender, 3, 1);
    closed_for(&mut relay, offender.peer, CloseReason::TooLarge);
    assert!(relay.hears(listener, talker));
}

#[test]
fn group_bytes_of_one_room() {
    let (mut relay, talker, listener, offender) = company();
    fill(&mut relay, talker, 1, 100_000);
    fill(&mut relay, offender, 1, GROUP_BYTES);
    relay.pass(REST);
    fill(&mut relay, offender, 2, 1000);
    for _ in 0..(ROOM_BYTES - GROUP_BYTES) / GROUP_BYTES {
        let helper = relay.member();
        fill(&mut relay, helper, 1, GROUP_BYTES - 20_000);
    }
    assert_eq!(relay.closed(offender.peer), None);
    fill(&mut relay, talker, 2, 300_000);
    assert_eq!(
        relay.closed(talker.peer),
        None,
        "who holds most is closed, not who came last"
    );
    closed_for(&mut relay, offender.peer, CloseReason::TooLarge);
    assert!(relay.hears(listener, talker));
    relay.pass(FAREWELL);
    assert!(relay.rooms.census().group_bytes <= ROOM_BYTES);
}

#[test]
fn group_bytes_of_the_relay() {
    let (mut relay, talker, listener, _) = company_with(Limits {
        group_memory: 16,
        ..Limits::default()
    });
    let offender = relay.enter(RoomHandle([9; 32]), Role::Member);
    fill(&mut relay, offender, 1, GROUP_BYTES);
    relay.pass(REST);
    fill(&mut relay, offender, 2, GROUP_BYTES - 100_000);
    assert_eq!(relay.closed(offender.peer), None);
    fill(&mut relay, talker, 1, 200_000);
    assert_eq!(relay.closed(talker.peer), None);
    closed_for(&mut relay, offender.peer, CloseReason::TooLarge);
    assert!(relay.hears(listener, talker));
}

/// What people who left are still being sent; nobody takes it.
fn leave_behind(relay: &mut Relay, leaver: Person, slow: Person, bytes: usize) {
    relay.subscribe(slow, leaver, VIDEO);
    fill(relay, leaver, VIDEO.0, bytes);
    relay.finish(leaver, u64::from(VIDEO.0));
    relay.leave(leaver);
    relay.pass_beat();
}

#[test]
fn group_bytes_that_leavers_left_in_a_room() {
    let (mut relay, talker, listener, slow) = company();
    relay.carrier.window.insert(slow.peer, 0);
    fill(&mut relay, talker, VIDEO.0, 200_000);
    let quiet = relay.member();
    leave_behind(&mut relay, quiet, slow, 50_000);
    for _ in 0..ROOM_BYTES / GROUP_BYTES {
        let leaver = relay.member();
        leave_behind(&mut relay, leaver, slow, GROUP_BYTES - 20_000);
    }
    let held = relay.rooms.census().group_bytes;
    assert!(held > ROOM_BYTES - 100_000 && held <= ROOM_BYTES, "{held}");
    fill(&mut relay, talker, 2, 300_000);
    assert_eq!(relay.closed(talker.peer), None, "leavers go first");
    let held = relay.rooms.census().group_bytes;
    assert!(
        held > ROOM_BYTES - GROUP_BYTES && held <= ROOM_BYTES,
        "{held}"
    );
    let of_quiet = relay
        .streams(slow)
        .into_iter()
        .filter(|stream| !stream.bytes.is_empty() && stream.header().sender == quiet.id);
    assert!(
        of_quiet
            .map(|stream| stream.end)
            .all(|end| end == End::Open)
    );
    relay.carrier.window.remove(&slow.peer);
    relay.event(Event::Writable(slow.peer));
    let (mut whole, mut reset) = (0, 0);
    for stream in relay.streams(slow) {
        match stream.end {
            End::Finished => whole += 1,
            End::Reset => reset += 1,
            End::Open => {}
        }
    }
    assert_eq!(
        (whole, reset),
        (ROOM_BYTES / GROUP_BYTES, 1),
        "the one holding most"
    );
    assert!(relay.hears(listener, talker));
    relay.finish(talker, 1);
    relay.pass(FAREWELL);
    let streams = relay.streams(listener);
    assert!(streams[0].end == End::Finished && streams[0].body().len() == 200_000);
}

#[test]
fn group_bytes_that_leavers_left_at_the_relay() {
    let (mut relay, talker, listener, _) = company_with(Limits {
        group_memory: 16,
        ..Limits::default()
    });
    let elsewhere = RoomHandle([9; 32]);
    let slow = relay.enter(elsewhere, Role::Member);
    relay.carrier.window.insert(slow.peer, 0);
    for _ in 0..2 {
        let leaver = relay.enter(elsewhere, Role::Member);
        leave_behind(&mut relay, leaver, slow, GROUP_BYTES - 20_000);
    }
    fill(&mut relay, talker, VIDEO.0, 200_000);
    assert_eq!(relay.closed(talker.peer), None, "leavers go first");
    assert_eq!(relay.closed(slow.peer), None);
    let held = relay.rooms.census().group_bytes;
    assert_eq!(held, GROUP_BYTES + 180_000);
    relay.pass(FAREWELL);
    assert_eq!(relay.rooms.census().group_bytes, 200_000);
    assert!(relay.hears(listener, talker));
}

/// Who is closed for holding most has left too: what it finished does not outlast the bound.
#[test]
fn group_bytes_of_who_was_closed_for_them() {
    let (mut relay, talker, listener, slow) = company_with(Limits {
        group_memory: 16,
        ..Limits::default()
    });
    relay.carrier.window.insert(slow.peer, 0);
    fill(&mut relay, talker, VIDEO.0, 200_000);
    let offenders: [Person; 2] = relay.members();
    for offender in offenders {
        relay.subscribe(slow, offender, VIDEO);
        fill(&mut relay, offender, VIDEO.0, GROUP_BYTES - 110_000);
        relay.finish(offender, u64::from(VIDEO.0));
        relay.pass_beat();
    }
    fill(&mut relay, talker, 2, 65_536);
    assert_eq!(relay.closed(talker.peer), None);
    let closed = offenders.map(|offender| relay.closed(offender.peer));
    assert!(closed.contains(&Some(CloseReason::TooLarge)) && closed.contains(&None));
    assert!(relay.rooms.census().group_bytes <= 2 * GROUP_BYTES);
    assert!(relay.hears(listener, talker));
}

/// A group of one picture, on a track of choice.
fn picture(relay: &mut Relay, who: Person, track: u8, group: u32, bytes: &[u8]) {
    let stream = u64::from(group) << 8 | u64::from(track);
    relay.open(who, stream);
    let header = UplinkGroup {
        track: TrackId(track),
        group: GroupNumber(group),
    }
    .encode();
    relay.data(who, stream, &header);
    relay.data(who, stream, bytes);
    relay.finish(who, stream);
}

#[test]
fn the_rate_of_group_bytes() {
    let (mut relay, talker, listener, offender) = company();
    relay.subscribe(listener, offender, VIDEO);
    fill(&mut relay, offender, VIDEO.0, GROUP_BURST as usize);
    assert!(relay.inbox(offender).stopped.is_empty());
    relay.pass_beat();
    relay.data(offender, 1, &[0; 65536]);
    assert!(relay.inbox(offender).stopped == [incoming(1)]);
    assert_eq!(relay.closed(offender.peer), None);
    assert_eq!(
        relay.rooms.census().group_bytes,
        0,
        "nobody can use the rest"
    );
    relay.pass_beat();
    let streams = relay.streams(listener);
    assert!(streams.len() == 1 && streams[0].end == End::Reset);
    relay.pass(Duration::from_secs(1));
    picture(&mut relay, offender, VIDEO.0, 9, &[1; GROUP_RATE as usize]);
    picture(&mut relay, offender, 2, 9, &[1; 200_000]);
    assert_eq!(relay.inbox(offender).stopped.len(), 2);
    relay.pass_beat();
    let streams = relay.streams(listener);
    assert!(
        streams.len() == 2 && streams[1].end == End::Finished,
        "the picture is back"
    );
    assert!(relay.hears(listener, talker));
}

/// Twenty groups of 6 MiB, of which the largest key frame is 4: each in a little over 2 s.
#[test]
fn a_screen_at_the_rate_of_group_bytes_loses_nothing() {
    let mut relay = Relay::new();
    let (talker, listener) = relay.pair();
    for group in 0..20 {
        let stream = u64::from(group);
        relay.begin(talker, stream, group);
        relay.data(talker, stream, &[7; GROUP_FRAME]);
        for _ in 0..60 {
            relay.pass(Duration::from_millis(34));
            let piece = (2 * GROUP_RATE as usize - GROUP_FRAME) / 60;
            relay.data(talker, stream, &vec![7; piece]);
        }
        relay.finish(talker, stream);
    }
    relay.pass_beat();
    assert!(relay.inbox(talker).stopped.is_empty());
    let streams = relay.streams(listener);
    assert_eq!(streams.len(), 20);
    assert!(streams.iter().all(|stream| stream.end == End::Finished));
}

#[test]
fn the_rate_of_groups() {
    let (mut relay, talker, listener, offender) = company();
    for number in 0..GROUPS_BURST {
        picture(&mut relay, offender, VIDEO.0, number, b"picture");
    }
    assert_eq!(relay.closed(offender.peer), None);
    relay.open(offender, 99);
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

/// A stream counts though it never says what it brings.
#[test]
fn the_rate_of_streams_that_are_given_up() {
    let (mut relay, talker, listener, offender) = company();
    for number in 0..=GROUPS_BURST {
        assert_eq!(relay.closed(offender.peer), None);
        relay.open(offender, u64::from(number));
        if relay.closed(offender.peer).is_none() {
            let reset = Event::GroupReset(offender.peer, incoming(u64::from(number)));
            relay.event(reset);
        }
    }
    closed_for(&mut relay, offender.peer, CloseReason::TooMany);
    assert!(relay.hears(listener, talker));
}

#[test]
fn pictures_that_are_groups_of_their_own_on_two_tracks_are_not_too_many() {
    let (mut relay, talker, listener, filming) = company();
    let tracks = [1, 2];
    for track in tracks {
        relay.subscribe(listener, filming, TrackId(track));
    }
    let pictures = 60 * 60;
    for number in 0..pictures {
        // A network that stalls delivers half a second at once.
        if number % 30 == 0 {
            relay.pass(Duration::from_millis(500));
        }
        for track in tracks {
            picture(&mut relay, filming, track, number, b"picture");
        }
        relay.pass(Duration::from_micros(10));
        if number % GROUPS_PER_TRACK as u32 == 0 {
            relay.pass_beat();
        }
    }
    assert_eq!(relay.closed(filming.peer), None);
    assert!(relay.inbox(filming).stopped.is_empty());
    assert!(relay.hears(listener, talker));
}
