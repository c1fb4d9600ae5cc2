//! Whatever a terminal can do, a person at it reads what happens, and the figures.
//!
//! `script` makes the terminals.

mod support;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::{Participant, Relay, fixture, sottovoce};

const PATIENCE: Duration = Duration::from_secs(20);

/// A participant at a terminal of this many columns, of the kind that `TERM` says.
fn at_a_terminal(link: &str, term: Option<&str>, columns: u32) -> Child {
    let program = sottovoce().get_program().to_owned();
    let program = program.to_str().expect("a path");
    let join = format!("'{program}' join '{link}' --name me --for 3s");
    let line = format!("stty cols {columns} rows 30; {join}");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env_remove("TERM").env_remove("NO_COLOR");
    script.envs(term.map(|term| ("TERM", term)));
    // The terminal stays open; where it ends, the person leaves.
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    script.spawn().expect("script runs")
}

fn said(mut terminal: Child) -> String {
    let _open = terminal.stdin.take();
    let output = terminal.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn sentences_and_figures_reach_every_terminal() {
    let relay = Relay::start();
    let links = relay.invite();
    let link = &links.meeting;
    let name = "Ada, whose name is longer than it should be";
    let file = fixture("vp8-voice.webm");
    let play = file.to_str().expect("a path");
    let mut ada = Participant::hosts(&links, name, &["--play", play, "--loop"]);
    ada.until("connected", PATIENCE);

    let dumb = [Some("dumb"), None].map(|term| at_a_terminal(link, term, 80));
    let narrow = at_a_terminal(link, Some("xterm"), 50);

    for text in dumb.map(said) {
        for part in ["In the meeting, with ", "s in the meeting."] {
            assert!(text.contains(part), "{part:?} is missing in\n{text}");
        }
        assert!(!text.contains('\x1b'), "no codes that it knows: {text}");
    }
    let text = said(narrow);
    assert!(text.contains("In the meeting, with "), "{text}");
    // Before the summary, which has figures too.
    let (live, _) = text.split_once("s in the meeting.").expect("a summary");
    let sees = |kind: &str| {
        let mut lines = live.split(['\r', '\n']);
        lines.any(|line| line.contains(kind) && line.contains("lost, ") && line.contains("kbit/s"))
    };
    assert!(sees("audio ") && sees("video "), "{text}");
}
