//! Peers that ask for everything and take nothing: what the relay holds for each has a bound, and
//! who is truly gone is let go.

use std::collections::HashSet;
use std::time::Duration;

use sottovoce::wire::{
    CloseReason, FromRelay, GroupNumber, ParticipantId, Role, To, ToRelay, TrackId, UplinkGroup,
    uplink,
};
use tokio::time::timeout;

use super::meeting::Meeting;
use super::peer::{Peer, Windows, run};
use crate::support::network::{Conditions, Proxy};

/// Peers at a time.
const CROWD: usize = 20;

/// Of what they do not take, each has at most 512 KiB waiting, and all wait for the same bytes: the
/// newest groups of the loudest, a few MiB. With 40 KiB for each connection, and twice all that.
/// What the loudest says in the time that this takes would not fit.
const BOUND_KIB: u64 = 12 * 1024;

/// Sends 2 MiB a second for as long as it is let, in groups of 1 MiB.
async fn shout(loud: &Peer) {
    for group in 0.. {
        let (track, group) = (TrackId(3), GroupNumber(group));
        let mut stream = loud.connection.open_uni().await.expect("a stream");
        let header = UplinkGroup { track, group }.encode();
        stream.write_all(&header).await.expect("it is taken");
        for _ in 0..64 {
            let piece = vec![5; 16 * 1024];
            stream.write_all(&piece).await.expect("it is taken");
            tokio::time::sleep(Duration::from_millis(8)).await;
        }
        stream.finish().expect("it is open");
    }
}

/// Members who ask for all that the meeting has.
async fn crowd(meeting: &Meeting, port: u16, windows: Windows) -> (Vec<Peer>, Vec<ParticipantId>) {
    let (mut peers, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..CROWD {
        let mut peer = Peer::connect(port, windows).await;
        let entered = peer.enter(meeting.room(), Role::Member).await;
        peer.subscribe_to_all(&entered.present).await;
        ids.push(entered.you);
        peers.push(peer);
    }
    (peers, ids)
}

/// Who reads no group and no datagram stays, and is sent no more than it takes.
#[test]
fn who_subscribes_and_never_reads() {
    let meeting = Meeting::begin();
    run(async {
        let mut loud = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        loud.enter(meeting.room(), Role::Member).await;
        let (peers, _) = crowd(&meeting, meeting.relay.port(), Windows::Narrow).await;
        let _ = timeout(Duration::from_secs(10), shout(&loud)).await;
        assert!(peers.iter().all(Peer::is_there), "nobody was closed for it");
        let got = peers[0].connection.stats().frame_rx;
        assert!(got.stream > 0, "pictures came as far as the window goes");
    });
    meeting.ends_unharmed(BOUND_KIB);
}

/// Who does not take control messages is closed: they cannot be left out.
#[test]
fn who_never_reads_control_messages() {
    let meeting = Meeting::begin();
    run(async {
        let port = meeting.relay.port();
        let mut deaf = Peer::connect(port, Windows::Narrow).await;
        let you = deaf.enter(meeting.room(), Role::Member).await.you;
        let mut sender = Peer::connect(port, Windows::Usual).await;
        sender.enter(meeting.room(), Role::Member).await;
        for _ in 0..30 {
            let (to, body) = (To::One(you), vec![1; 16_000]);
            sender.say(&ToRelay::Send { to, body }).await;
        }
        deaf.ends_with(CloseReason::TooSlow, "unread messages")
            .await;
        let left = timeout(Duration::from_secs(10), async {
            while let Some(message) = sender.next().await {
                if matches!(message, FromRelay::Left { participant } if participant == you) {
                    return true;
                }
            }
            false
        });
        assert!(left.await.expect("in time"), "the others are told");
        assert!(sender.is_there(), "who wrote to it did no harm");
    });
    // 480 KiB were sent to it, of which 256 may wait.
    meeting.ends_unharmed(4 * 1024);
}

/// Nothing of them arrives any more, as of a machine whose plug was pulled.
#[test]
fn who_vanishes_without_a_word() {
    gone_for_good(|proxy| proxy.block(true));
}

/// They go on talking and acknowledge nothing, since nothing reaches them.
#[test]
fn who_talks_and_never_acknowledges() {
    gone_for_good(Proxy::deafen);
}

fn gone_for_good(how: impl FnOnce(&Proxy)) {
    let meeting = Meeting::begin();
    let proxy = Proxy::start(meeting.relay.port(), 11, Conditions::PERFECT);
    run(async {
        let mut witness = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        witness.enter(meeting.room(), Role::Member).await;
        let mut loud = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        loud.enter(meeting.room(), Role::Member).await;
        let (peers, ids) = crowd(&meeting, proxy.port, Windows::Usual).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        how(&proxy);
        let talk = async {
            loop {
                for peer in &peers {
                    let _ = peer.connection.send_datagram(uplink(TrackId(15), &[0; 80]));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let mut missing: HashSet<_> = ids.into_iter().collect();
        let leave = async {
            while !missing.is_empty() {
                if let Some(FromRelay::Left { participant }) = witness.next().await {
                    missing.remove(&participant);
                }
            }
        };
        let both = async {
            tokio::select! {
                () = talk => {}
                () = shout(&loud) => {}
                () = leave => {}
            }
        };
        timeout(Duration::from_secs(40), both)
            .await
            .expect("the relay lets them go");
    });
    meeting.ends_unharmed(BOUND_KIB);
}
