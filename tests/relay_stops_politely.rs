//! SIGTERM, SIGINT and a closed terminal: the relay tells everyone that it restarts, waits at most three seconds for
//! that to arrive, and ends with 0; whoever comes meanwhile is refused.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use support::{Participant, Relay};

fn stops(signal: &str) {
    // Whoever runs the tests may have had them ignore a closed terminal (`nohup`).
    let program = env!("CARGO_BIN_EXE_sottovoce");
    let arguments = [
        "--default-signal=HUP",
        program,
        "relay",
        "--json",
        "--listen",
        "127.0.0.1:0",
    ];
    let relay = Relay::spawn(Command::new("env").args(arguments));
    let link = relay.invite();
    let mut participants: Vec<Participant> = (0..3)
        .map(|_| Participant::join(&link, "Ada", &[] as &[&str]))
        .collect();
    for participant in &mut participants {
        participant.until("connected", Duration::from_secs(10));
    }
    let asked = Instant::now();
    relay.signal(signal);
    for participant in &mut participants {
        let event = participant.until("reconnecting", Duration::from_secs(3));
        assert_eq!(event["reason"], "restarting", "{event}");
    }
    let (status, printed) = relay.finish(Duration::from_secs(5));
    assert!(status.success(), "{status}");
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "it took {:?}",
        asked.elapsed()
    );
    assert_eq!(printed, "", "a relay ends in silence");
}

#[test]
fn on_sigterm() {
    stops("TERM");
}

#[test]
fn on_sigint() {
    stops("INT");
}

#[test]
fn when_its_terminal_is_closed() {
    stops("HUP");
}
