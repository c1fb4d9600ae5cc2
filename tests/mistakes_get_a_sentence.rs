//! What goes wrong is said in a sentence with a remedy, and has an exit code of its own.

#[path = "mistakes_get_a_sentence/addresses.rs"]
mod addresses;
#[path = "mistakes_get_a_sentence/configuration.rs"]
mod configuration;
#[path = "mistakes_get_a_sentence/programs.rs"]
mod programs;
mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use support::{Participant, Relay, fixture, sottovoce};

/// Runs to its end, which must come within half a minute.
fn run(command: &mut Command) -> Output {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().expect("wait").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("it does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().expect("output")
}

/// It ends with this code, and says something that holds these words.
fn fails(command: &mut Command, code: i32, words: &[&str]) {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "it said: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn join(link: &str) -> Command {
    let mut command = sottovoce();
    command.args(["join", link, "--name", "Ada", "--for", "1s"]);
    command
}

/// A link to a new meeting at `address`.
fn invite(address: &str) -> String {
    support::invite(address, &[]).meeting
}

/// A made-up relay where nobody listens.
fn deaf_address() -> String {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
    let port = socket.local_addr().expect("address").port();
    format!("https://127.0.0.1:{port}/#{}", "A".repeat(43))
}

#[test]
fn a_mangled_link() {
    let link = invite(&deaf_address());
    let last = link.len() - 1;
    let other = if link.ends_with('A') { 'B' } else { 'A' };
    for mangled in [
        link[..last].to_string(),
        format!("{}{other}", &link[..last]),
        link.replacen("/#", "/#x", 1),
    ] {
        fails(&mut join(&mangled), 20, &["link"]);
    }
    fails(&mut join("hello"), 20, &["link"]);
}

/// Made as a later program would: another first byte, and a checksum that is right.
#[test]
fn a_link_of_another_version() {
    let link = invite(&deaf_address());
    let (front, fragment) = link.split_once("/#").expect("a fragment");
    let authority = front.trim_start_matches("https://");
    let mut bytes = BASE64URL_NOPAD
        .decode(fragment.as_bytes())
        .expect("base64url");
    bytes.truncate(bytes.len() - 4);
    let linked = |bytes: &[u8]| {
        let mut hash = Sha256::new();
        hash.update(b"sottovoce link");
        hash.update((authority.len() as u32).to_be_bytes());
        hash.update(authority);
        hash.update(bytes);
        let sum = &hash.finalize()[..4];
        format!(
            "{front}/#{}",
            BASE64URL_NOPAD.encode(&[bytes, sum].concat())
        )
    };
    assert_eq!(linked(&bytes), link, "the checksum is made as it should be");
    bytes[0] = 7;
    fails(&mut join(&linked(&bytes)), 21, &["version 7", "newer"]);
}

#[test]
fn nobody_at_the_relays_address() {
    fails(
        &mut join(&invite(&deaf_address())),
        22,
        &["does not answer", "UDP port"],
    );
}

#[test]
fn another_relay_than_the_link_names() {
    let relay = Relay::start();
    let (front, _) = relay.address.split_once('#').expect("hashes");
    let link = invite(&format!("{front}#{}", "A".repeat(43)));
    fails(
        &mut join(&link),
        23,
        &["not the relay the link names", "fresh link"],
    );
}

#[test]
fn a_port_that_is_taken() {
    let relay = Relay::start();
    let listen = format!("127.0.0.1:{}", relay.port());
    fails(
        sottovoce().args(["relay", "--listen", &listen]),
        11,
        &[&listen, "another"],
    );
}

#[test]
fn a_port_that_needs_permission() {
    // As an ordinary user: root may use every port, so it is given up where the test runs as root.
    let folder = tempfile::tempdir().expect("a scratch folder");
    let me = Command::new("id").arg("-u").output().expect("id runs");
    let mut command = if me.stdout.starts_with(b"0\n") {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=-all",
        ]);
        command.arg(readable_copy(folder.path()).as_os_str());
        command
    } else {
        sottovoce()
    };
    let lowest = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let lowest: u16 = lowest.expect("a limit").trim().parse().expect("a number");
    assert!(
        lowest > 443,
        "this machine lets everybody use port 443: nothing to test"
    );
    fails(
        command.args(["relay", "--listen", "127.0.0.1:443"]),
        11,
        &["127.0.0.1:443", "1024"],
    );
}

/// The program where every user can run it; the build folder may be root's own.
fn readable_copy(folder: &Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let everyone = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, everyone).expect("a mode");
    let copy = folder.join("sottovoce");
    std::fs::copy(env!("CARGO_BIN_EXE_sottovoce"), &copy).expect("a copy");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    copy
}

/// What the others would see of it is bounded, so a name is, too.
#[test]
fn a_name_that_is_none_or_too_long() {
    let link = invite(&deaf_address());
    for name in ["", "   ", &"x".repeat(300), &"\u{1f600}".repeat(65)] {
        let mut command = sottovoce();
        command.args(["join", &link, "--name", name, "--for", "1s"]);
        fails(&mut command, 2, &["letters", "--name"]);
    }
}

/// What an option asks for that the link does not give is not passed over in silence.
#[test]
fn an_option_that_means_nothing_with_the_link() {
    let links = support::invite(&deaf_address(), &[]);
    let vigil = support::invite(&deaf_address(), &["--vigil"]);
    for (link, option, words) in [
        (&links.meeting, &["--admit", "all"][..], ["--admit", "host"]),
        (&vigil.meeting, &["--admit", "all"], ["--admit", "host"]),
        (&links.meeting, &["--speak"], ["--speak", "vigil"]),
        (&links.host, &["--speak"], ["--speak", "vigil"]),
    ] {
        fails(join(link).args(option), 2, &words);
    }
    // There they mean something, and nobody answers.
    fails(join(&links.host).args(["--admit", "all"]), 22, &[]);
    fails(join(&vigil.meeting).arg("--speak"), 22, &[]);
}

#[test]
fn an_identity_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("identity");
    std::fs::write(&file, [7; 32]).expect("write");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let path = file.to_str().expect("a path");
    let mut command = sottovoce();
    command.args(["relay", "--listen", "127.0.0.1:0", "--identity", path]);
    fails(&mut command, 12, &[path, "chmod 600"]);
}

#[test]
fn what_cannot_be_played() {
    let relay = Relay::start();
    let link = relay.invite().host;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let play = |path: &Path| {
        let mut command = join(&link);
        command.arg("--play").arg(path);
        command
    };
    fails(
        &mut play(Path::new("/nowhere/film.webm")),
        30,
        &["/nowhere/film.webm"],
    );
    let text = folder.path().join("text.webm");
    std::fs::write(&text, "this is no film\n".repeat(100)).expect("write");
    fails(&mut play(&text), 30, &["WebM"]);
    let vorbis = folder.path().join("vorbis.webm");
    let made = Command::new("ffmpeg")
        .args([
            "-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-ac", "2", "-c:a", "vorbis",
        ])
        .args(["-strict", "-2"])
        .arg(&vorbis)
        .status()
        .expect("ffmpeg runs");
    assert!(made.success());
    fails(&mut play(&vorbis), 30, &["ffmpeg", "opus"]);
}

#[test]
fn a_file_that_ends_in_the_middle_is_played_as_far_as_it_goes() {
    let relay = Relay::start();
    let link = relay.invite().host;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let whole = std::fs::read(fixture("vp8-voice.webm")).expect("the fixture");
    let half = folder.path().join("half.webm");
    std::fs::write(&half, &whole[..whole.len() / 2]).expect("write");
    let player = Participant::join(&link, "Ada", &["--play", half.to_str().expect("a path")]);
    let (status, summary, events) = player.finish(Duration::from_secs(40));
    assert_eq!(status.code(), Some(30), "scripts are told: {events:#?}");
    assert_eq!(summary["sent"]["damaged"], true, "{summary:#}");
    let warned = events
        .iter()
        .any(|e| e["event"] == "warning" && e["warning"] == "truncated");
    assert!(warned, "{events:#?}");
}

#[test]
fn exit_codes_are_documented() {
    let output = run(sottovoce().args(["help", "exit-codes"]));
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    for code in [
        "0", "2", "10", "11", "12", "20", "21", "22", "23", "24", "25", "30", "31", "130",
    ] {
        assert!(
            text.lines()
                .any(|line| line.split_whitespace().next() == Some(code)),
            "{code} is not in {text}"
        );
    }
    fails(sottovoce().arg("--nonsense"), 2, &["--nonsense"]);
}

#[test]
fn a_local_address_that_is_not_here() {
    let link = invite(&deaf_address());
    fails(
        join(&link).args(["--bind", "192.0.2.7"]),
        11,
        &["this machine"],
    );
}

/// What the system's libraries say is for programmers ("entity already exists").
#[test]
fn files_that_are_in_the_way_or_not_there() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "text").expect("write");
    let place = |path: &str| {
        let path = folder.path().join(path);
        path.to_str().expect("a path").to_owned()
    };
    let link = invite(&deaf_address());
    let identity = |path: &str| {
        let mut command = sottovoce();
        command.args([
            "relay",
            "--listen",
            "127.0.0.1:0",
            "--identity",
            &place(path),
        ]);
        command
    };
    let joins = |option: &str, path: &str| {
        let mut command = join(&link);
        command.args([option, &place(path)]);
        command
    };
    let config = |path: &str| {
        let mut command = sottovoce();
        command.args(["relay", "--config", &place(path)]);
        command
    };
    for (mut command, code, words) in [
        (
            joins("--record", "file"),
            31,
            ["a file is in the way", "free"],
        ),
        (
            joins("--record", "file/in"),
            31,
            ["a file is in the way", "free"],
        ),
        (
            joins("--record", "/sys"),
            31,
            ["no recording can be made", "give --record another"],
        ),
        (
            joins("--trace", ""),
            31,
            ["it is a folder", "another place"],
        ),
        (
            identity("none/identity"),
            12,
            ["folder does not exist", "make it"],
        ),
        (
            identity("file/identity"),
            12,
            ["a file and no folder", "another place"],
        ),
        (identity(""), 12, ["no regular file", "another one"]),
        (config(""), 10, ["it is a folder", "check the path"]),
        (
            config("none"),
            10,
            ["nothing of this name", "check the path"],
        ),
    ] {
        let library = [" entity", "a directory", "os error", "Kind"];
        let output = run(&mut command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        for word in words {
            assert!(said.contains(word), "{word:?} is not in: {said}");
        }
        for word in library {
            assert!(!said.contains(word), "{word:?} is in: {said}");
        }
    }
}
