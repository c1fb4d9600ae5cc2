//! A meeting is recorded from the relay's side, and what was seen is held against
//! `docs/what-the-relay-sees.md`: a field that occurs and is not written there fails, and so does one that is
//! written there and never occurs.

#[path = "the_relay_sees_no_more_than_is_written/fields.rs"]
mod fields;
#[path = "the_relay_sees_no_more_than_is_written/packets.rs"]
mod packets;
#[path = "the_relay_sees_no_more_than_is_written/page.rs"]
mod page;
mod support;
#[path = "the_relay_sees_no_more_than_is_written/tap.rs"]
mod tap;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use fields::Seen;
use page::{listed, numbers};
use sottovoce::wire::limits::SIZE_CLASSES;
use support::network::{Conditions, Proxy};
use support::{Links, Participant, Relay, fixture, invite};
use tap::Tap;

/// The heading of the page's table of what is said to the relay and by it.
const FIELDS: &str = "To and from the relay";

const SOON: Duration = Duration::from_secs(40);

/// A participant with an address of its own.
fn join(link: &str, name: &str, place: u8, arguments: &[&str]) -> Participant {
    let bind = format!("127.77.3.{place}:0");
    let mut all = vec!["--bind", &bind, "--sign", "--for", "120s"];
    all.extend(arguments);
    Participant::typing(link, name, &all)
}

fn admit(host: &mut Participant, name: &str) {
    let knock = host.until_that("knock", SOON, |event| event["name"] == name);
    host.types(&format!("/admit {}", knock["number"]));
}

fn leave(mut participant: Participant) {
    participant.types("/leave");
    let (status, _, events) = participant.finish(SOON);
    assert!(status.success(), "{events:#?}");
}

/// Everything that happens in meetings, once.
fn session(links: &Links, relay: Relay, port: u16) {
    let mut dan = join(&links.meeting, "Dan", 2, &[]);
    dan.until_that("waiting", SOON, |event| event["for"] == "host");
    let mut host = join(&links.host, "Host", 3, &[]);
    host.until("connected", SOON);
    let knock = host.until_that("knock", SOON, |event| event["name"] == "Dan");
    host.types(&format!("/deny {}", knock["number"]));
    let (status, ..) = dan.finish(SOON);
    assert_eq!(status.code(), Some(26));
    let mut cora = join(&links.co_hosts[0], "Cora", 4, &[]);
    cora.until("connected", SOON);
    let file = fixture("vp8-voice.webm");
    let play = ["--play", file.to_str().expect("a path"), "--loop"];
    let mut ada = join(&links.meeting, "Ada", 5, &play[..]);
    admit(&mut host, "Ada");
    ada.until("connected", SOON);
    let mut cem = join(&links.meeting, "Cem", 6, &[]);
    admit(&mut host, "Cem");
    cem.until("connected", SOON);
    cem.types(&"a long word ".repeat(100));
    cora.until("chat", SOON);
    host.types("/mute-all-request");
    cem.until("asked-to-be-quiet", SOON);
    host.types("/remove Cem");
    host.until("link", SOON);
    let (status, ..) = cem.finish(SOON);
    assert_eq!(status.code(), Some(26));
    ada.types("/mute");
    ada.until("answer", SOON);
    // The relay goes, and is back.
    relay.signal("TERM");
    relay.finish(SOON);
    let relay = Relay::with(&["--listen", &format!("127.0.0.1:{port}")]);
    for participant in [&mut host, &mut cora, &mut ada] {
        participant.until("reconnected", SOON);
    }
    ada.types("/unmute");
    // So does the host, without a word.
    host.signal("KILL");
    cora.until_that("chair", SOON, |event| event["held"] == true);
    ada.types("still here");
    cora.until_that("chat", SOON, |event| event["text"] == "still here");
    leave(ada);
    leave(cora);
    drop(relay);
}

#[test]
fn a_whole_session_shows_what_the_page_lists_and_nothing_else() {
    let relay = Relay::start();
    let port = relay.port();
    let wire = Proxy::recording(port, 7, Conditions::PERFECT);
    let tap = Tap::before(wire.port);
    // This relay asks for none; what is shown to one that does is the same.
    let pass = include_str!("golden/pass/word.txt").trim();
    let links = invite(&tap.address, &["--co-host", "1", "--pass", pass]);
    session(&links, relay, port);

    let seen = Seen::of(&tap.connections(), &tap.greetings());
    same(FIELDS, &seen.fields);
    let mut readable = BTreeSet::new();
    for payload in wire.tape() {
        assert!(payload.len() <= 1200, "{}", payload.len());
        packets::readable(&payload, &mut readable);
    }
    same("On every packet", &readable);

    // What the page says of sizes.
    let bodies = numbers(FIELDS, "ToRelay.Send.body");
    assert!(
        seen.bodies.len() > 1 && seen.bodies.is_subset(&bodies),
        "{:?}",
        seen.bodies
    );
    assert_eq!(numbers(FIELDS, "ToRelay.size class"), SIZE_CLASSES.into());
    assert!(seen.pictures.len() > 1 && seen.pictures.iter().all(|size| is_padme(*size)));

    // The source's frames have all one size: muted or not, sizes grow with the counters inside alone.
    let sounds = &seen.sounds;
    assert!(sounds.len() > 1 && sounds.last() < sounds.first().map(|least| least + 16).as_ref());

    // What it says of rooms.
    assert_eq!(
        seen.rooms.len(),
        5,
        "lobby, main, committers', and the two of after the removal"
    );
    let chair: IpAddr = "127.77.3.3".parse().expect("an address");
    assert!(
        seen.rooms.values().all(|from| from.contains(&chair)),
        "the chair is everywhere"
    );
    assert!(
        seen.copies.values().any(|rooms| rooms.len() == 2),
        "the same bytes in two rooms"
    );
    assert!(seen.copies.values().all(|rooms| rooms.len() <= 2));

    // And of what is random: no two connections show the same to prove that they have a pass; one salt for a connection, and no two connections with the same.
    let (nonces, tags): (BTreeSet<_>, BTreeSet<_>) = seen
        .proofs
        .iter()
        .map(|proof| (proof.nonce, proof.tag))
        .unzip();
    assert!(seen.proofs.len() > 5);
    assert_eq!(
        (nonces.len(), tags.len()),
        (seen.proofs.len(), seen.proofs.len())
    );
    let salts = seen.salts.iter().map(BTreeSet::len).sum::<usize>();
    assert!(seen.salts.iter().all(|salts| salts.len() <= 1));
    assert_eq!(
        seen.salts.iter().flatten().collect::<BTreeSet<_>>().len(),
        salts
    );
}

/// Whether a length is one that Padmé pads to (Nikitin et al., PETS 2019, section 4).
fn is_padme(length: usize) -> bool {
    let exponent = length.ilog2();
    length.trailing_zeros() >= exponent.saturating_sub(exponent.ilog2() + 1)
}

fn same(heading: &str, seen: &BTreeSet<String>) {
    let listed = listed(heading);
    let unlisted: Vec<_> = seen.difference(&listed).collect();
    let never: Vec<_> = listed.difference(seen).collect();
    assert!(
        unlisted.is_empty() && never.is_empty(),
        "{heading}: seen and not listed {unlisted:#?}, listed and never seen {never:#?}"
    );
}
