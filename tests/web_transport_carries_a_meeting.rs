//! Who comes by WebTransport, as browsers do, and who comes by raw QUIC are in the same meeting and
//! notice nothing of each other's carrier; whoever asks for a page is answered as by a plain site; and
//! nothing of a request stays with the relay.

#[path = "web_transport_carries_a_meeting/browser.rs"]
mod browser;
#[path = "web_transport_carries_a_meeting/native.rs"]
mod native;
mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use browser::{Browser, request, visit};
use bytes::Bytes;
use native::Native;
use sottovoce::wire::{
    BundleEntries, CloseReason, DownlinkGroup, FromRelay, GroupNumber, ParticipantId, Role,
    RoomHandle, To, ToRelay, TrackId, UplinkGroup, VERSION, uplink,
};
use support::Relay;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
const ROOM: RoomHandle = RoomHandle([7; 32]);
const SOUND: TrackId = TrackId(0);
const PICTURE: TrackId = TrackId(1);

fn run(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async { timeout(6 * PATIENCE, scenario).await.expect("in time") });
}

fn hello(version: u16) -> ToRelay {
    ToRelay::Hello {
        version,
        room: ROOM,
        role: Role::Member,
        pass: None,
    }
}

fn subscriptions(participant: ParticipantId) -> [ToRelay; 2] {
    [SOUND, PICTURE].map(|track| ToRelay::Subscribe { participant, track })
}

/// Tells another that all is subscribed to.
fn ready(participant: ParticipantId) -> ToRelay {
    ToRelay::Send {
        to: To::One(participant),
        body: b"ready".to_vec(),
    }
}

fn is_ready(message: Option<FromRelay>, sender: ParticipantId) -> bool {
    matches!(message, Some(FromRelay::Message { from, body }) if from == sender && body == b"ready")
}

/// A picture that takes many packets.
fn picture(seed: u8) -> Bytes {
    let bytes = (0..300_000_u32).map(|at| (at.wrapping_mul(31) >> 3) as u8 ^ seed);
    bytes.collect::<Vec<u8>>().into()
}

fn group_header(number: u32) -> Bytes {
    let group = GroupNumber(number);
    let track = PICTURE;
    UplinkGroup { track, group }.encode()
}

/// A bundle with one frame in it, of this sender.
fn is_frame(bundle: Bytes, of: ParticipantId, sealed: &[u8]) -> bool {
    let mut entries = BundleEntries::new(bundle).flatten();
    let entry = entries.next().expect("a frame");
    assert!(entries.next().is_none());
    entry.sender == of && entry.track == SOUND && entry.payload == sealed
}

/// A group of this sender, as it was sent.
fn is_group(bytes: &[u8], of: ParticipantId, number: u32, picture: &[u8]) -> bool {
    let header = DownlinkGroup::decode(bytes).expect("a header");
    header.sender == of
        && header.track == PICTURE
        && header.group == GroupNumber(number)
        && bytes[DownlinkGroup::LEN..] == *picture
}

#[test]
fn a_browser_and_a_native_participant_hear_and_see_each_other() {
    let relay = Relay::start();
    run(async {
        let mut ada = Native::connect(&relay.address).await;
        ada.say(&hello(VERSION)).await;
        let Some(FromRelay::Welcome { you: ada_id, .. }) = ada.next().await else {
            panic!("no welcome");
        };
        let mut bo = Browser::begin(visit(&relay.address).await, "/").await;
        bo.say(&hello(VERSION)).await;
        let Some(FromRelay::Welcome {
            you: bo_id,
            present,
        }) = bo.next().await
        else {
            panic!("no welcome");
        };
        assert_eq!(present, [ada_id]);
        let joined = ada.next().await;
        assert!(matches!(joined, Some(FromRelay::Joined { participant }) if participant == bo_id));
        for message in subscriptions(bo_id).into_iter().chain([ready(bo_id)]) {
            ada.say(&message).await;
        }
        for message in subscriptions(ada_id).into_iter().chain([ready(ada_id)]) {
            bo.say(&message).await;
        }
        assert!(is_ready(bo.next().await, ada_id));
        assert!(is_ready(ada.next().await, bo_id));

        // The largest frame that there is, and a small one.
        for sealed in [&[7; 1017][..], b"hm"] {
            ada.link.send_datagram(uplink(SOUND, sealed)).unwrap();
            assert!(is_frame(bo.datagram().await, ada_id, sealed));
            bo.send_datagram(&uplink(SOUND, sealed));
            let heard = ada.link.recv_datagram().await.unwrap();
            assert!(is_frame(heard, bo_id, sealed));
        }
        for number in 0..5 {
            let mut group = ada.link.open_group(0).await.unwrap();
            group.write(group_header(number)).await.unwrap();
            let sent = picture(number as u8);
            group.write(sent.clone()).await.unwrap();
            group.finish();
            assert!(is_group(&bo.group().await, ada_id, number, &sent));

            let sent = picture(!number as u8);
            bo.send_group(&[group_header(number), sent.clone()].concat())
                .await;
            assert!(is_group(&ada.group().await, bo_id, number, &sent));
        }
        bo.leave().await;
        let left = ada.next().await;
        assert!(matches!(left, Some(FromRelay::Left { participant }) if participant == bo_id));
    });
}

#[test]
fn a_browser_is_told_why_its_session_ends() {
    let relay = Relay::start();
    run(async {
        let again = [hello(VERSION), hello(VERSION)];
        let other = [hello(VERSION + 1)];
        let early = [ready(ParticipantId(1))];
        for (messages, reason) in [
            (&again[..], CloseReason::Unexpected),
            (&other[..], CloseReason::Version),
            (&early[..], CloseReason::Unexpected),
        ] {
            let mut browser = Browser::begin(visit(&relay.address).await, "/").await;
            for message in messages {
                browser.say(message).await;
            }
            let mut told = None;
            while let Some(message) = browser.next().await {
                if let FromRelay::Closed { reason } = message {
                    told = Some(reason);
                }
            }
            assert_eq!(told, Some(reason));
            assert_eq!(browser.closed().await, Some(reason.code()));
        }
    });
}

#[test]
fn whoever_asks_for_a_page_is_answered_as_by_a_plain_site() {
    let relay = Relay::start();
    run(async {
        let visitor = visit(&relay.address).await;
        for path in ["/", "/index.html", "/admin"] {
            // HEADERS: `:status: 404`, `content-length: 0`. No reset.
            let answer = visitor.get(&request(path)).await.expect("no reset");
            assert_eq!(answer, b"\x01\x04\x00\x00\xdb\xc4");
        }
        // Whoever looked around may come in.
        let mut browser = Browser::begin(visitor, "/").await;
        browser.say(&hello(VERSION)).await;
        let welcome = browser.next().await;
        assert!(matches!(welcome, Some(FromRelay::Welcome { .. })));
    });
}

/// How often a text stands in the memory of a process; `None` where that may not be looked at.
fn in_memory(pid: u32, text: &[u8]) -> Option<usize> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap_or(0));
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        // Some mappings cannot be read; those have nothing of ours.
        if memory.read_exact_at(&mut bytes, start).is_ok() {
            found += bytes.windows(text.len()).filter(|at| *at == text).count();
        }
    }
    Some(found)
}

#[test]
fn nothing_of_a_request_stays_in_memory() {
    const PATH: &str = "/whoever-reads-this-knows-where-i-was";
    let relay = Relay::start();
    run(async {
        let visitor = visit(&relay.address).await;
        visitor.get(&request(PATH)).await.expect("no reset");
        let mut browser = Browser::begin(visitor, PATH).await;
        browser.say(&hello(VERSION)).await;
        assert!(browser.next().await.is_some());
        // What it says over and over is there, so that looking can find something.
        let Some(room) = in_memory(relay.pid(), &ROOM.0) else {
            println!("not looked: reading the relay's memory takes root");
            return;
        };
        assert!(room > 0);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let pieces = [&PATH[..16], &PATH[20..]];
        let agent = &browser::AGENT[..16];
        for text in pieces.into_iter().chain([agent]) {
            assert_eq!(in_memory(relay.pid(), text.as_bytes()), Some(0), "{text}");
        }
    });
}
