//! A drill that a signal ends in the middle takes its processes and its folder with it. And what a
//! drill needs before it can begin, it says.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::signal;

/// The processes whose command lines name this folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("a path");
    let all = std::fs::read_dir("/proc").expect("processes");
    let lines = all.flatten().filter_map(|process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(folder)).collect()
}

/// A folder for temporary files, which users may enter so far.
fn temporary(mode: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let rights = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(folder.path(), rights).expect("its rights");
    folder
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !is() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn neither_processes_nor_a_folder() {
    for name in ["TERM", "INT", "HUP"] {
        let folder = temporary(0o755);
        // Also where nobody else may read what is written: the relay is another user's, and comes up.
        let mut drill = Command::new("sh")
            .args(["-c", "umask 077; exec \"$1\" drill --short", "sh"])
            .arg(env!("CARGO_BIN_EXE_sottovoce"))
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        until("a relay and somebody in its meeting", || {
            let processes = processes_of(folder.path());
            let is = |word: &str| processes.iter().any(|line| line.contains(word));
            is(" relay ") && is(" join ") && is("--play")
        });
        signal(drill.id(), name);
        until("the drill ends", || {
            drill.try_wait().expect("it is ours").is_some()
        });
        let output = drill.wait_with_output().expect("it has ended");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{name}: {said}");
        assert_eq!(processes_of(folder.path()), [""; 0], "{name}");
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

#[test]
fn a_folder_that_is_no_place_for_it_is_named() {
    if !nix::unistd::Uid::effective().is_root() {
        panic!("this test needs root: who else runs no process as another user");
    }
    let folder = temporary(0o700);
    let output = support::sottovoce()
        .args(["drill", "--short"])
        .env("TMPDIR", folder.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(41), "{said}");
    assert!(said.contains("TMPDIR=/var/tmp"), "{said}");
    assert!(
        said.contains(folder.path().to_str().expect("a path")),
        "{said}"
    );
}
