//! `make` says what it installs before it does, and `make install` puts the program and its service
//! where they belong, so that the one starts the other.

mod support;

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use support::sottovoce;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("write");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// On a machine of made-up commands, where this user is root and ffmpeg is missing.
#[test]
fn packages_are_named_before_they_are_installed() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let place = |name: &str| folder.path().join(name);
    for tool in ["sort", "tr", "mktemp", "tail", "rm", "cp"] {
        let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
        let found = found
            .iter()
            .find(|path| path.exists())
            .expect("a usual tool");
        symlink(found, place(tool)).expect("a link");
    }
    script(&place("cargo"), "");
    script(&place("id"), "echo 0");
    let (said, before) = (place("said"), place("before"));
    let copy = format!("cp {} {}", said.display(), before.display());
    script(&place("apt-get"), &copy);
    let status = Command::new(Path::new(ROOT).join("scripts/need.sh"))
        .arg("media")
        .env("PATH", folder.path())
        .stdout(File::create(&said).expect("a file"))
        .status()
        .expect("it runs");
    assert!(status.success());
    let before = fs::read_to_string(before).expect("apt-get was called");
    for words in ["You are root", "apt-get install", "ffmpeg"] {
        assert!(before.contains(words), "{words:?} is not in: {before}");
    }
}

fn make_install(binary: &str, folder: &Path) -> Output {
    Command::new("make")
        .current_dir(ROOT)
        .args(["--no-print-directory", "install", "PREFIX=/opt/quiet"])
        .arg(format!("BIN={binary}"))
        .arg(format!("DESTDIR={}", folder.display()))
        .output()
        .expect("make runs")
}

#[test]
fn the_installed_service_starts_the_installed_program() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let made = make_install(env!("CARGO_BIN_EXE_sottovoce"), folder.path());
    assert!(made.status.success(), "{made:?}");
    let prefix = folder.path().join("opt/quiet");
    let unit = prefix.join("lib/systemd/system/sottovoce.service");
    let unit = fs::read_to_string(unit).expect("the unit");
    let mut starts = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart="));
    let mut words = starts.next().expect("a command").split(' ');
    assert_eq!(words.next(), Some("/opt/quiet/bin/sottovoce"));

    // As the README has it made.
    let config = folder.path().join("relay.toml");
    let printed = sottovoce()
        .args(["relay", "--listen", "127.0.0.1:4498", "--print-config"])
        .output()
        .expect("it runs");
    fs::write(&config, printed.stdout).expect("write");
    let config = config.to_str().expect("a path");
    let words = words.map(|word| match word {
        "/etc/sottovoce/relay.toml" => config,
        word => word,
    });
    let output = Command::new(prefix.join("bin/sottovoce"))
        .args(words)
        .arg("--print-config")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("127.0.0.1:4498"));
}

/// At each stop systemd tells, as a notice or less, how much the service had worked and sent.
#[test]
fn the_journal_keeps_what_the_relay_says_and_not_how_much_it_was_used() {
    let unit = Path::new(ROOT).join("deploy/sottovoce.service");
    let unit = fs::read_to_string(unit).expect("the unit");
    // From the gravest on (RFC 5424, section 6.2.1).
    let levels = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ];
    let level = |name: &str| {
        let value = unit.lines().find_map(|line| line.strip_prefix(name));
        let value = value.unwrap_or_else(|| panic!("{name} is not set"));
        levels.iter().position(|level| *level == value)
    };
    let (kept, said) = (level("LogLevelMax="), level("SyslogLevel="));
    assert!(said.is_some() && said <= kept, "its own lines are kept");
    assert!(kept < level_of(&levels, "notice"), "no others are");
    for counted in ["CPU", "IO", "IP", "Memory", "Tasks"] {
        let line = format!("{counted}Accounting=no");
        assert!(unit.lines().any(|has| has == line), "{line}");
    }
}

fn level_of(levels: &[&str], name: &str) -> Option<usize> {
    levels.iter().position(|level| *level == name)
}

/// `sudo` has a PATH of its own, where a user's Rust is not.
#[test]
fn what_runs_as_root_takes_what_was_built_where_there_is_no_rust() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let make = |task: &str, binary: &Path| {
        let mut command = Command::new("make");
        command
            .current_dir(ROOT)
            .args(["--no-print-directory", task]);
        command.args(["CARGO=/nowhere/cargo", &format!("BIN={}", binary.display())]);
        command.output().expect("make runs")
    };
    let binary = folder.path().join("sottovoce");
    for task in ["drill", "soak", "install"] {
        let output = make(task, &binary);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("run `make build` first"), "{task}: {said}");
    }
    script(&binary, "echo it runs: $*");
    let output = make("drill", &binary);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"it runs: drill\n");
}

#[test]
fn what_is_not_built_is_not_installed() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let output = make_install("/nowhere/sottovoce", folder.path());
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("run `make build` first"), "{said}");
    let left = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 0);
}
