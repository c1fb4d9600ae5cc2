//! Programs are told of a failure, too: by the exit code, and with `--json` by one more event.

use serde_json::Value;

use super::*;

/// Its last JSON line on one of its two outputs, which tells the code and the sentence that people
/// get on standard error, where that is not for JSON alone.
fn tells_programs(command: &mut Command, code: i32, on_stdout: bool) {
    let output = run(command);
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(code), "{stdout}\n{stderr}");
    let (told, other) = match on_stdout {
        true => (&stdout, &stderr),
        false => (&stderr, &stdout),
    };
    let events = |text: &str| -> Vec<Value> {
        let events = text.lines().filter_map(|l| serde_json::from_str(l).ok());
        events.filter(|e: &Value| e["event"] == "error").collect()
    };
    let [error] = &events(told)[..] else {
        panic!("not one error: {stdout}\n{stderr}")
    };
    assert!(events(other).is_empty(), "{other}");
    assert_eq!(error["code"], code);
    let message = error["message"].as_str().expect("a sentence");
    let for_people = stderr.contains(&format!("sottovoce: {message}\n"));
    assert_eq!(for_people, on_stdout, "{stderr}");
    // With media on standard output all that stands on standard error is for programs.
    let an_object = |line: &str| serde_json::from_str::<Value>(line).is_ok();
    assert!(on_stdout || stderr.lines().all(an_object), "{stderr}");
}

#[test]
fn json_has_an_event_for_what_failed() {
    tells_programs(join("hello").arg("--json"), 20, true);
    tells_programs(join(&invite(&deaf_address())).arg("--json"), 22, true);
    let mut invited = sottovoce();
    invited.args(["invite", "--json", "--relay", "nowhere"]);
    tells_programs(&mut invited, 20, true);
    let mut relay = sottovoce();
    relay.args(["relay", "--json", "--config", "/nowhere/x.toml"]);
    tells_programs(&mut relay, 10, true);
}

/// A command that was not understood, as far as it can be.
#[test]
fn json_has_an_event_for_wrong_arguments() {
    let wrong = |arguments: &[&str], on_stdout: bool, words: &str| {
        let output = run(sottovoce().args(arguments));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let (told, other) = match on_stdout {
            true => (&output.stdout, &output.stderr),
            false => (&output.stderr, &output.stdout),
        };
        let event = String::from_utf8_lossy(told).into_owned();
        let event = event.lines().next().unwrap_or_default();
        let event: Value = serde_json::from_str(event).expect("an event");
        assert_eq!(
            (&event["event"], &event["code"]),
            (&"error".into(), &2.into())
        );
        let message = event["message"].as_str().expect("a sentence");
        assert!(message.starts_with(words), "{message}");
        assert!(!String::from_utf8_lossy(other).contains("\"event\""));
        let people = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(people.contains("error: "), on_stdout, "{people}");
    };
    wrong(
        &["join", "x", "--json"],
        true,
        "the following required arguments were not provided: --name <NAME>",
    );
    wrong(
        &["join", "x", "--name", "Ada", "--json", "--for", "long"],
        true,
        "invalid value 'long' for '--for <TIME>': write a time",
    );
    wrong(
        &["join", "x", "--json", "--watch=Bea"],
        false,
        "the following required",
    );
    for arguments in [&["join", "x"][..], &["join", "x", "--", "--json"]] {
        assert!(run(sottovoce().args(arguments)).stdout.is_empty());
    }
}

#[test]
fn media_on_standard_output_stays_free_of_it() {
    let mut command = join("hello");
    command.args(["--json", "--watch", "Bea"]);
    tells_programs(&mut command, 20, false);
}

#[test]
fn people_who_ask_for_no_json_get_none() {
    let output = run(&mut join("hello"));
    assert!(output.stdout.is_empty());
}

#[test]
fn one_that_is_stopped_before_it_is_in_the_meeting_did_not_do_what_was_asked() {
    let deaf = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
    let port = deaf.local_addr().expect("address").port();
    let link = invite(&format!("https://127.0.0.1:{port}/#{}", "A".repeat(43)));
    let participant = Participant::join(&link, "Ada", &[] as &[&str]);
    // Its first packet: it listens for signals by now.
    deaf.set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    deaf.recv_from(&mut [0; 2048]).expect("it knocks");
    participant.signal("INT");
    let (status, _, events) = participant.finish(Duration::from_secs(3));
    assert_eq!(status.code(), Some(130), "{events:#?}");
}
