//! Without root a drill sees less, and says so: it is no pass, and no alarm either.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

/// Whoever this is, it is not root, nor whom another drill has its relay run as: that one would look
/// into what this one writes.
const SOMEBODY: &str = "65533";

#[test]
fn without_root_it_is_no_pass() {
    if !nix::unistd::Uid::effective().is_root() {
        panic!("this test needs root: it becomes somebody who is not");
    }
    // Of its own, where the other user may go.
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    std::fs::copy(env!("CARGO_BIN_EXE_sottovoce"), &program).expect("a copy");
    for (path, mode) in [(folder.path(), 0o777), (&*program, 0o755)] {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, rights).expect("its rights");
    }
    let output = Command::new("prlimit")
        .args([
            "--core=0:0",
            "setpriv",
            "--reuid",
            SOMEBODY,
            "--regid",
            SOMEBODY,
        ])
        .arg("--clear-groups")
        .arg(&program)
        .args(["drill", "--short", "--json"])
        .env("TMPDIR", folder.path())
        .current_dir("/")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(41), "{told}\n{said}");
    assert!(told.contains("run it as root"), "{told}");
    let rows: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(rows.iter().all(|row| row["verdict"] != "found"), "{said}");
    let verdict = |phase: &str, place: &str| {
        let row = rows
            .iter()
            .find(|row| row["phase"] == phase && row["place"] == place);
        row.unwrap_or_else(|| panic!("no row {phase} {place}"))["verdict"].clone()
    };
    // Where it could look it did.
    assert_eq!(verdict("left", "output"), "clean");
    assert_eq!(verdict("left", "files"), "clean");
    for place in ["memory", "environment"] {
        assert!(verdict("left", place)["not-looked"].is_string(), "{place}");
    }
    // Where no core dump can be written none is missed.
    assert!(
        verdict("aborted", "core")["not-there"].is_string(),
        "{said}"
    );
}
