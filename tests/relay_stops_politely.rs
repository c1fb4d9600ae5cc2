//! SIGTERM, SIGINT and a closed terminal: the relay tells everyone that it restarts, waits a second and
//! a half at most for that to arrive, and ends with 0; whoever comes meanwhile is refused.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use support::{Participant, Relay, sottovoce};

fn three_in(relay: &Relay) -> Vec<Participant> {
    let links = relay.invite();
    let nothing = &[] as &[&str];
    let join = |_| Participant::join(&links.meeting, "Ada", nothing);
    let mut participants = vec![Participant::hosts(&links, "Ada", nothing)];
    participants.extend((0..2).map(join));
    for participant in &mut participants {
        participant.until("connected", Duration::from_secs(10));
    }
    participants
}

fn are_told(participants: &mut [Participant]) {
    for participant in participants {
        let event = participant.until("reconnecting", Duration::from_secs(3));
        assert_eq!(event["reason"], "restarting", "{event}");
    }
}

fn stops(relay: Relay, signal: &str) {
    let mut participants = three_in(&relay);
    let asked = Instant::now();
    relay.signal(signal);
    are_told(&mut participants);
    let (status, printed) = relay.finish(Duration::from_secs(5));
    assert!(status.success(), "{status}");
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "it took {:?}",
        asked.elapsed()
    );
    assert_eq!(printed, "", "a relay ends in silence");
}

#[test]
fn on_sigterm() {
    stops(Relay::start(), "TERM");
}

#[test]
fn on_sigint() {
    stops(Relay::start(), "INT");
}

fn program() -> String {
    let program = sottovoce().get_program().to_owned();
    program.into_string().expect("a path")
}

/// `script` makes the terminal, which is gone with it.
#[test]
fn when_its_terminal_is_closed() {
    // Whoever runs the tests may have had them ignore the signal.
    let relay = format!(
        "exec env --default-signal=HUP '{}' relay --json --listen 127.0.0.1:0",
        program()
    );
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &relay, "/dev/null"]);
    let terminal = Relay::spawn(&mut terminal);
    let mut participants = three_in(&terminal);
    terminal.signal("KILL");
    are_told(&mut participants);
}

/// A service's `reload`, where there is nothing to read again, must not end it.
#[test]
fn not_on_a_hang_up_where_there_is_no_terminal() {
    let program = program();
    let relay = [&program[..], "relay", "--json", "--listen", "127.0.0.1:0"];
    let mut alone = Command::new("setsid");
    let relay = Relay::spawn(alone.args(["env", "--default-signal=HUP"]).args(relay));
    relay.signal("HUP");
    stops(relay, "TERM");
}
