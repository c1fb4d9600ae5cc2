//! Nothing that passes on the network, and nothing that the relay prints with everything turned
//! up, holds a name, the link's secret, a codec's name, or a peer's address or port.

mod support;

use std::process::Command;
use std::time::Duration;

use support::network::{Conditions, Proxy};
use support::{Participant, Relay, fixture, invite, sottovoce, through};

const NAME: &str = "Xanthippe-Quillfeather";

#[test]
fn neither_on_the_network_nor_in_the_relays_output() {
    let relay = Relay::spawn(
        sottovoce()
            .args(["relay", "--json", "--listen", "127.0.0.1:0"])
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full"),
    );
    let proxy = Proxy::recording(relay.port(), 6, Conditions::PERFECT);
    let links = invite(&through(&relay.address, proxy.port), &[]);
    let ada = fixture("vp8-voice.webm");
    let play = ada.to_str().expect("a path");
    // From an address of their own, which the relay must not print either.
    let arguments = |bind| ["--play", play, "--for", "4s", "--bind", bind];
    let participants = [
        Participant::hosts(&links, NAME, &arguments("127.77.3.9:40777")),
        Participant::join(&links.meeting, "Second", &arguments("127.77.3.10:40778")),
    ];
    for participant in participants {
        let (status, summary, events) = participant.finish(Duration::from_secs(30));
        assert!(status.success(), "{events:#?}");
        assert!(!summary.is_null());
    }
    // One without the proxy, so that the relay itself sees a telling address, who fails in many ways.
    let direct = relay.invite();
    let third = Participant::hosts(
        &direct,
        NAME,
        &["--play", play, "--for", "2s", "--bind", "127.77.3.11:40779"],
    );
    std::thread::sleep(Duration::from_millis(1500));
    third.signal("KILL");
    drop(third);
    std::thread::sleep(Duration::from_secs(1));
    relay.signal("TERM");
    let (status, printed) = relay.finish(Duration::from_secs(10));
    assert!(status.success());

    let secret = links.meeting.split_once('#').expect("a fragment").1;
    let sent: Vec<u8> = proxy.tape().concat();
    assert!(
        sent.len() > 100_000,
        "something was sent: {} bytes",
        sent.len()
    );
    let forbidden = [
        NAME, secret, "Second", "OpusHead", "opus", "vp08", "V_VP8", "A_OPUS",
    ];
    for text in forbidden {
        assert!(!finds(&sent, text.as_bytes()), "{text:?} on the network");
        assert!(
            !finds(printed.as_bytes(), text.as_bytes()),
            "{text:?} in the relay's output"
        );
    }
    let raw = data_encoding::BASE64URL_NOPAD
        .decode(secret.as_bytes())
        .expect("base64");
    assert!(
        !finds(&sent, &raw[2..34]),
        "the link's secret on the network"
    );
    for text in ["127.77.3", "40777", "40778", "40779", "240.", "fd00:"] {
        assert!(
            !printed.contains(text),
            "{text:?} in the relay's output: {printed}"
        );
    }
    // Its own life is a line or two at this level; what participants do adds none.
    assert!(
        printed.lines().count() <= 6,
        "the relay says nothing of what participants do: {printed}"
    );
}

/// The check itself can fail: what is looked for is found where it is.
#[test]
fn the_search_finds_what_is_there() {
    assert!(finds(b"xx Xanthippe-Quillfeather yy", NAME.as_bytes()));
    let clear = std::fs::read(fixture("vp8-voice.webm")).expect("the fixture");
    assert!(finds(&clear, b"A_OPUS"));
    let strings = Command::new("grep")
        .args(["-c", "A_OPUS"])
        .arg(fixture("vp8-voice.webm"))
        .output();
    assert!(strings.expect("grep runs").status.success());
}

fn finds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
