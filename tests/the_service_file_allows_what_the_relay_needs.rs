//! The service file forbids nearly everything, and nothing that the relay does: each system call of a
//! real run is in its filter, and systemd itself finds no fault with it.
//!
//! Where `systemd-analyze` or `strace` is missing (`make test` installs both) the test says so.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::browser::{ask, connect, request};
use support::{Participant, Relay, fixture, sottovoce};

/// How exposed a service may be, in tenths: peers are at 68 to 93.
const EXPOSURE: &str = "15";

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

/// All values of a setting, in order.
fn settings(unit: &str, key: &str) -> Vec<String> {
    let unit = fs::read_to_string(deploy(unit)).expect("the unit");
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
    unit.lines().filter_map(value).collect()
}

/// The service has this setting once, so.
fn has(key: &str, value: &str) {
    unit_has("sottovoce.service", key, value);
}

fn unit_has(unit: &str, key: &str, value: &str) {
    assert_eq!(settings(unit, key), [value], "{key} of {unit}");
}

fn is_there(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok();
    if !there {
        eprintln!("{tool} is not installed: what it would show was not looked at");
    }
    there
}

/// systemd's own lists of system calls, by name.
fn sets() -> BTreeMap<String, Vec<String>> {
    let output = Command::new("systemd-analyze")
        .arg("syscall-filter")
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        match line.strip_prefix("    ") {
            Some(call) => sets.entry(name.clone()).or_default().push(call.to_owned()),
            None => name = line.to_owned(),
        }
    }
    sets
}

fn expand(sets: &BTreeMap<String, Vec<String>>, name: &str, calls: &mut BTreeSet<String>) {
    match name.starts_with('@') {
        true => {
            let set = sets.get(name).unwrap_or_else(|| panic!("no set {name}"));
            set.iter().for_each(|name| expand(sets, name, calls));
        }
        false => drop(calls.insert(name.to_owned())),
    }
}

/// What the filter allows: lists add up, and those behind `~` are taken away (systemd.exec(5)).
fn allowed() -> BTreeSet<String> {
    let sets = sets();
    let mut allowed = BTreeSet::new();
    expand(&sets, "@default", &mut allowed);
    for line in settings("sottovoce.service", "SystemCallFilter") {
        let mut calls = BTreeSet::new();
        let names = line.trim_start_matches('~').split(' ');
        names.for_each(|name| expand(&sets, name, &mut calls));
        match line.starts_with('~') {
            true => allowed.retain(|call| !calls.contains(call)),
            false => allowed.extend(calls),
        }
    }
    allowed
}

/// A certificate, its key, numbers at a socket: what a configuration can have the relay ask for.
fn configured(folder: &Path) -> PathBuf {
    let path = |name: &str| folder.join(name);
    certificate(folder, "relay");
    let text = format!(
        "listen = [\"127.0.0.1:0\"]\ncertificate = {:?}\nkey = {:?}\n[metrics]\nlisten = \"unix:{}\"\n",
        path("chain.pem"),
        path("key.pem"),
        path("metrics").display()
    );
    fs::write(path("relay.toml"), text).expect("a configuration");
    path("relay.toml")
}

fn certificate(folder: &Path, name: &str) {
    for (ending, to) in [("pem", "chain.pem"), ("key", "key.pem")] {
        let from = fixture(&format!("authority/{name}.{ending}"));
        fs::copy(from, folder.join(to)).expect("a copy");
    }
}

/// The names of all system calls of a relay's life: it starts as the service does, has a meeting,
/// tells its numbers, reads its files again, and stops.
fn used(folder: &Path) -> BTreeSet<String> {
    let trace = folder.join("trace");
    let manager = UnixDatagram::bind(folder.join("notify")).expect("a socket");
    manager
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time-out");
    let relay = Relay::spawn(
        Command::new("strace")
            .args([
                "--follow-forks",
                "--quiet=all",
                "--interruptible=never",
                "-o",
            ])
            .arg(&trace)
            .arg(sottovoce().get_program())
            .args(["relay", "--json", "--identity"])
            .arg(folder.join("identity"))
            .arg("--config")
            .arg(configured(folder))
            .env("NOTIFY_SOCKET", folder.join("notify")),
    );
    let mut word = [0; 64];
    let length = manager.recv(&mut word).expect("a word to the manager");
    assert!(word[..length].starts_with(b"READY=1"));

    let of_strace = fs::read_to_string(format!("/proc/{0}/task/{0}/children", relay.pid()));
    let traced = of_strace.expect("its child").trim().parse().expect("a pid");
    // One that is known by its hash, so that the relay says that it has it.
    certificate(folder, "own");
    support::signal(traced, "HUP");
    let address = relay.announced("address");
    let links = support::invite(&address, &[]);
    let mut host = Participant::hosts(&links, "Host", &["--for", "3s"]);
    host.until("connected", Duration::from_secs(20));
    drop(host);
    let mut line = UnixStream::connect(folder.join("metrics")).expect("it listens");
    line.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it is asked");
    let mut told = String::new();
    line.read_to_string(&mut told).expect("an answer");
    assert!(told.starts_with("HTTP/1.1 200 OK"), "{told}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let at = ([127, 0, 0, 1], relay.port()).into();
        let stream = connect("127.0.0.1", at, "relay.invalid", "http/1.1").await;
        let answer = ask(&mut stream.expect("TLS"), &request("GET", "/", "")).await;
        assert_eq!(answer.expect("an answer").status, 200);
    });
    support::signal(traced, "TERM");
    let (status, said) = relay.finish(Duration::from_secs(20));
    assert!(status.success(), "{status}: {said}");

    let text = fs::read_to_string(trace).expect("the trace");
    text.lines().filter_map(call).collect()
}

/// The call in a line like `1234  openat(AT_FDCWD, ...`; half a call (`<... resumed>`), a signal or an
/// end is none.
fn call(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(' ')?;
    let (name, _) = rest.trim_start().split_once('(')?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

#[test]
fn every_system_call_of_a_relays_life_is_in_the_filter() {
    if !is_there("systemd-analyze") || !is_there("strace") {
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (used, allowed) = (used(folder.path()), allowed());
    for call in [
        "execve",
        "sendmmsg",
        "recvmmsg",
        "setpriority",
        "accept4",
        "exit_group",
    ] {
        assert!(used.contains(call), "the trace lacks {call}: {used:?}");
    }
    let denied: Vec<_> = used.difference(&allowed).collect();
    assert!(
        denied.is_empty(),
        "the service file does not allow {denied:?}"
    );
    // A filter that is none would allow them too.
    for call in ["ptrace", "mount", "bpf", "setuid", "sethostname", "reboot"] {
        assert!(!allowed.contains(call), "{call} is allowed");
    }
}

#[test]
fn systemd_finds_little_exposed_and_nothing_wrong() {
    if !is_there("systemd-analyze") {
        return;
    }
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={EXPOSURE}"))
        .arg(deploy("sottovoce.service"))
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "too exposed: {text}");
    assert!(text.contains("Overall exposure level"), "{text}");

    // The installed program is not there, so the one under test stands for it.
    let folder = tempfile::tempdir().expect("a scratch folder");
    let names = [
        "sottovoce.service",
        "sottovoce.socket",
        "sottovoce-identity.service",
    ];
    for name in names {
        let unit = fs::read_to_string(deploy(name)).expect("the unit");
        let unit = unit.replace("/usr/local/bin/sottovoce", env!("CARGO_BIN_EXE_sottovoce"));
        fs::write(folder.path().join(name), unit).expect("write");
    }
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(names.map(|name| folder.path().join(name)))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<_> = said
        .lines()
        .filter(|line| line.contains("sottovoce"))
        .collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn what_the_relay_asks_for_at_its_start_is_granted() {
    has("Type", "notify");
    has("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX");
    has("LimitMEMLOCK", "infinity");
    has("MemorySwapMax", "0");
    has("LimitCORE", "0");
    has("RuntimeDirectory", "sottovoce");
    // It has no folder on a disk.
    let folders = settings("sottovoce.service", "StateDirectory");
    assert!(folders.is_empty(), "{folders:?}");
}

/// What comes by a socket of systemd's is accounted to the socket's unit (systemd.resource-control(5)),
/// and summed up in the journal when that ends, as a notice at most.
#[test]
fn no_unit_has_its_traffic_counted_or_told() {
    for unit in ["sottovoce.service", "sottovoce.socket"] {
        unit_has(unit, "LogLevelMax", "warning");
        for counted in ["CPU", "IO", "IP", "Memory", "Tasks"] {
            unit_has(unit, &format!("{counted}Accounting"), "no");
        }
    }
}

/// What systemd binds, the configuration that is delivered says as well.
#[test]
fn the_port_is_one_in_every_file() {
    let sockets = settings("sottovoce.socket", "ListenDatagram");
    assert_eq!(sockets.len(), 2);
    assert_eq!(settings("sottovoce.socket", "BindIPv6Only"), ["ipv6-only"]);
    let output = sottovoce()
        .args(["relay", "--print-config", "--config"])
        .arg(deploy("relay.toml"))
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("text");
    let listen = format!("listen = {sockets:?}");
    assert!(printed.contains(&listen), "{listen} is not in: {printed}");

    let command = settings("sottovoce.service", "ExecStart").remove(0);
    let named = command.rsplit_once("${CREDENTIALS_DIRECTORY}/");
    let (_, name) = named.expect("the identity is a credential");
    let credential = settings("sottovoce.service", "LoadCredential").remove(0);
    let (id, file) = credential.split_once(':').expect("a name and a file");
    assert_eq!(id, name);
    let made = settings("sottovoce-identity.service", "ConditionPathExists");
    assert_eq!(made, [format!("!{file}")]);
}

/// On newer systems it is this user's by an access list, which looks like a group's right.
#[test]
fn an_identity_that_systemd_hands_over_is_taken() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let identity = folder.path().join("identity");
    fs::write(&identity, [7; 32]).expect("write");
    let mode = fs::Permissions::from_mode(0o440);
    fs::set_permissions(&identity, mode).expect("a mode");
    let relay = |given: &Path| {
        let mut command = sottovoce();
        command.args(["relay", "--json", "--listen", "127.0.0.1:0", "--identity"]);
        command.arg(&identity).env("CREDENTIALS_DIRECTORY", given);
        command
    };
    drop(Relay::spawn(&mut relay(folder.path())));
    let refused = relay(Path::new("/run")).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(12), "{refused:?}");
}
