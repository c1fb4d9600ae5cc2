//! Groups that nobody could want: without an end, without a beginning, of tracks that are none.

use std::time::Duration;

use quinn::VarInt;
use sottovoce::wire::limits::TRACKS;
use sottovoce::wire::{CloseReason, GroupNumber, Role, TrackId, UplinkGroup, uplink};
use tokio::time::timeout;

use super::meeting::Meeting;
use super::peer::{Peer, Windows, run};

fn header(track: u8, group: u32) -> Vec<u8> {
    let (track, group) = (TrackId(track), GroupNumber(group));
    UplinkGroup { track, group }.encode().to_vec()
}

async fn member(meeting: &Meeting) -> Peer {
    let mut peer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
    peer.enter(meeting.room(), Role::Member).await;
    peer
}

/// Thirty peers with as many open streams as a peer may have, half a header or a few KiB in each:
/// about 100 KiB for each peer, were it held whole; 16 MiB leaves room for the connections.
#[test]
fn streams_that_never_end() {
    let meeting = Meeting::begin();
    run(async {
        let mut peers = Vec::new();
        for number in 0..30_u8 {
            let peer = member(&meeting).await;
            let mut streams = Vec::new();
            while let Ok(stream) =
                timeout(Duration::from_millis(100), peer.connection.open_uni()).await
            {
                streams.push(stream.expect("the connection stands"));
                assert!(streams.len() < 100, "streams of one peer have no bound");
            }
            for (track, stream) in streams.iter_mut().enumerate() {
                let mut bytes = header(track as u8, 0);
                if number % 2 == 0 {
                    bytes.truncate(3);
                } else {
                    bytes.resize(12 * 1024, 7);
                }
                stream.write_all(&bytes).await.expect("it is taken");
            }
            peers.push((peer, streams));
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(
            peers.iter().all(|(peer, _)| peer.is_there()),
            "slow is allowed"
        );
    });
    meeting.ends_unharmed(16 * 1024);
}

/// One group may have 8 MiB, and a participant's groups 16 MiB. Five offenders at once, who would
/// go on for ever: 80 MiB by the limits, twice that with all that surrounds a byte on its way.
#[test]
fn groups_without_end() {
    let meeting = Meeting::begin();
    run(async {
        let mut peers = Vec::new();
        for _ in 0..5 {
            peers.push(member(&meeting).await);
        }
        let floods: Vec<_> = peers
            .into_iter()
            .map(|peer| {
                tokio::spawn(async move {
                    let mut stream = peer.connection.open_uni().await.expect("a stream");
                    let mut written = stream.write_all(&header(1, 0)).await;
                    let mut sent = 0;
                    while written.is_ok() && sent < 64 * 1024 * 1024 {
                        written = stream.write_all(&[9; 16 * 1024]).await;
                        sent += 16 * 1024;
                        // 3 MiB a second, each.
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    peer.closes_for(CloseReason::TooLarge, "a group without end")
                        .await;
                })
            })
            .collect();
        for flood in floods {
            flood.await.expect("closed as it should be");
        }
    });
    meeting.ends_unharmed(160 * 1024);
}

/// A thousand streams one after the other, half of them given up after their first bytes: what is
/// given up, and what was followed by a newer group, is let go. 8 MiB is what a few connections take
/// anyway. Then as many as the connection takes, which are too many.
#[test]
fn streams_that_are_given_up_at_once() {
    let meeting = Meeting::begin();
    run(async {
        let peer = member(&meeting).await;
        for group in 0..1000 {
            // At most 166 a second; 200 are allowed.
            tokio::time::sleep(Duration::from_millis(6)).await;
            let mut stream = peer.connection.open_uni().await.expect("a stream");
            let mut bytes = header((group % 16) as u8, group);
            bytes.resize(2000, 1);
            stream.write_all(&bytes).await.expect("it is taken");
            if group % 2 == 0 {
                let _ = stream.reset(VarInt::from_u32(0));
            } else {
                let _ = stream.finish();
            }
        }
        assert!(peer.is_there());
        for group in 1000.. {
            let Ok(mut stream) = peer.connection.open_uni().await else {
                break;
            };
            if stream.write_all(&header(1, group)).await.is_err() {
                break;
            }
            let _ = stream.finish();
        }
        peer.closes_for(CloseReason::TooMany, "groups").await;
    });
    meeting.ends_unharmed(8 * 1024);
}

#[test]
fn media_that_cannot_be() {
    let meeting = Meeting::begin();
    run(async {
        for (what, bytes, end, reason) in [
            (
                "a track over the last",
                header(TRACKS, 0),
                false,
                CloseReason::TooMany,
            ),
            (
                "another kind of stream",
                vec![2; 6],
                false,
                CloseReason::Malformed,
            ),
            (
                "half a header and the end",
                vec![1, 0, 0],
                true,
                CloseReason::Malformed,
            ),
        ] {
            let peer = member(&meeting).await;
            let mut stream = peer.connection.open_uni().await.expect("a stream");
            stream.write_all(&bytes).await.expect("it is taken");
            if end {
                stream.finish().expect("it is open");
            }
            peer.closes_for(reason, what).await;
            drop(stream);
        }
        for (what, datagram, reason) in [
            (
                "an empty datagram",
                Default::default(),
                CloseReason::Malformed,
            ),
            (
                "sound of a track over the last",
                uplink(TrackId(TRACKS), b"sound"),
                CloseReason::TooMany,
            ),
        ] {
            let peer = member(&meeting).await;
            peer.connection.send_datagram(datagram).expect("it fits");
            peer.closes_for(reason, what).await;
        }
    });
    meeting.ends_unharmed(8 * 1024);
}
