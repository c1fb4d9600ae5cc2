//! Nobody who takes the relay finds who met: the drill, whole, against the program under test.

mod support;

use serde_json::Value;
use support::sottovoce;

#[test]
fn the_drill_finds_nothing() {
    if !nix::unistd::Uid::effective().is_root() {
        panic!("this test needs root: it looks into a process's memory");
    }
    let output = sottovoce()
        .args(["drill", "--json"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{said}", output.status);
    let rows: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let summary = rows.last().expect("a summary");
    assert_eq!(summary["clean"], true);
    assert!(
        summary["found"]
            .as_object()
            .expect("kinds")
            .values()
            .all(|count| *count == 0)
    );
    // Browsers were there, in the meeting and beside it.
    let story = summary["story"].to_string();
    for of in ["one came by WebTransport", "a browser asked for a page"] {
        assert!(story.contains(of), "{story}");
    }
    // It looked where it says, at people who were there.
    for (phase, place) in [
        ("running", "memory"),
        ("running", "neighbour"),
        ("running", "sockets"),
        ("left", "memory"),
        ("left", "files"),
        ("terminated", "output"),
        ("aborted", "core"),
        ("killed", "files"),
    ] {
        for run in ["as it comes", "turned up"] {
            let is =
                |row: &&Value| row["run"] == run && row["phase"] == phase && row["place"] == place;
            assert!(rows.iter().any(|row| is(&row)), "{run} {phase} {place}");
        }
    }
    for place in ["metrics", "health"] {
        let asked = |row: &&Value| row["run"] == "turned up" && row["place"] == place;
        let rows: Vec<&Value> = rows.iter().filter(asked).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["verdict"] == "clean"));
    }
    // It knew by what names the airlock spoke of those who were there, and looked for these as well.
    for run in ["as it comes", "turned up"] {
        for phase in ["running", "left"] {
            let stand_ins = rows.iter().find(|row| {
                row["run"] == run
                    && row["phase"] == phase
                    && row["place"] == "memory"
                    && row["kind"] == "stand-in"
            });
            let known = stand_ins.and_then(|row| row["canaries"].as_u64());
            assert!(known > Some(20), "{run} {phase}: {stand_ins:?}");
        }
    }
    let airlock = rows.iter().find(|row| {
        row["phase"] == "running" && row["place"] == "memory" && row["kind"] == "address"
    });
    assert!(
        airlock.is_some_and(|row| row["found"].as_u64() > Some(4)),
        "{said}"
    );
}
