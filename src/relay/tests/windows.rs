//! Groups over a real carrier whose peers take little at a time: what a window cuts in the middle goes on
//! when the carrier says that there is room, and nothing else would make it go on.

use quinn_proto::VarInt;

use super::*;
use crate::carrier::server::tests::client::{End as Ended, config, usual};
use crate::carrier::server::tests::net::{Net, RELAY};
use crate::carrier::server::tests::web::{CONNECT, ask, browser};
use crate::relay::groups::{Track, View};
use crate::relay::subscription::{MemberIndex, Source};

const SENDER: ParticipantId = ParticipantId(7);

/// A track of two groups that is being watched from the first.
struct Watched {
    track: Track,
    view: View,
}

impl Watched {
    fn begin(id: u8, now: Instant) -> Self {
        let track = TrackId(id);
        let member = MemberIndex(0);
        let mut watched = Self {
            track: Track::new(track),
            view: View::from_first(Source { member, track }),
        };
        for number in [0, 1].map(GroupNumber) {
            watched.track.begin(SENDER, number, now).unwrap();
            for part in picture(id, number).chunks(1150) {
                let part = Bytes::copy_from_slice(part);
                watched.track.extend(number, part).unwrap();
            }
            watched.track.finish(number);
        }
        watched
    }

    /// All that is to arrive.
    fn streams(&self) -> [Vec<u8>; 2] {
        [0, 1].map(|number| {
            let (track, group) = (self.track.id(), GroupNumber(number));
            let sender = SENDER;
            let header = DownlinkGroup {
                sender,
                track,
                group,
            };
            [&header.encode()[..], &picture(track.0, group)].concat()
        })
    }
}

fn picture(track: u8, group: GroupNumber) -> Vec<u8> {
    let seed = track.wrapping_mul(16) + group.0 as u8;
    (0..60_000_u32)
        .map(|at| (at.wrapping_mul(31) >> 2) as u8 ^ seed)
        .collect()
}

/// Who takes so many bytes at a time on its connection and on each stream gets all of them.
fn gets_all(in_a_browser: bool, connection: u32, stream: u32) {
    let mut net = Net::new(1);
    let (mut transport, tls) = if in_a_browser { browser() } else { usual() };
    transport
        .receive_window(VarInt::from_u32(connection))
        .stream_receive_window(VarInt::from_u32(stream));
    let client = net.client_with(config(transport, tls), RELAY);
    net.until("a handshake", |net| net.clients[client].seen.connected);
    if in_a_browser {
        ask(&mut net, client, CONNECT);
    }
    let peer = net.joined(client);
    let mut tracks = [1, 2].map(|id| Watched::begin(id, net.now));
    let (mut told, mut scratch) = (usize::MAX, Vec::new());
    let end = net.now + Duration::from_secs(60);
    loop {
        let writable = net.heard(peer).writable;
        if writable != told {
            told = writable;
            for Watched { track, view } in &mut tracks {
                view.pump(peer, track, &mut net.server, &mut scratch);
            }
            net.turn();
        }
        if !net.step(end) {
            break;
        }
    }
    assert!(told > 10, "cut again and again");
    let head: &[u8] = if in_a_browser { b"\x40\x54\x00" } else { b"" };
    let seen = &net.clients[client].seen.groups;
    for expected in tracks.iter().flat_map(Watched::streams) {
        let expected = ([head, &expected].concat(), Ended::Finished);
        assert!(
            seen.values().any(|stream| *stream == expected),
            "{in_a_browser} {connection} {stream}"
        );
    }
}

#[test]
fn what_a_window_cuts_in_the_middle_goes_on() {
    for in_a_browser in [false, true] {
        // The connection's is the narrower, the stream's, and neither.
        for (connection, stream) in [(7_001, 100_000), (100_000, 3_001), (5_000, 5_000)] {
            gets_all(in_a_browser, connection, stream);
        }
    }
}
