//! A panic tells its place in the code and nothing that was in memory, and the process is gone at
//! once, without a core file.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use sottovoce::quiet::{self, Format};

const CHILD: &str = "SOTTOVOCE_TEST_CHILD";
const SECRET: &str = "203.0.113.77 said the word";

/// What the child processes do; none of it when run as a test of its own.
#[test]
fn child() {
    let Ok(child) = std::env::var(CHILD) else {
        return;
    };
    let format = if child == "json" {
        Format::Json
    } else {
        Format::Text
    };
    quiet::harden().expect("Linux allows it");
    quiet::install(format).expect("nobody else listens");
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let core: Vec<_> = core.split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"]);
    match child.as_str() {
        "thread" => {
            let thread = std::thread::Builder::new().name(SECRET.into());
            // Joining would tell of a panic that was survived.
            let _ = thread.spawn(|| panic!("{SECRET}")).unwrap().join();
        }
        "dependency" => drop(bytes::Bytes::from_static(SECRET.as_bytes()).slice(7..1000)),
        "library" => drop(SECRET.parse::<u32>().map_err(|_| SECRET).unwrap()),
        _ => panic!("{SECRET}"),
    }
    println!("survived");
}

fn run(child: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(CHILD, child)
        .env("RUST_BACKTRACE", "full")
        .env("RUST_LOG", "trace")
        .output()
        .unwrap()
}

#[test]
fn a_panic_says_where_and_nothing_else_and_aborts() {
    for (child, begins) in [
        ("here", "tests/panic_says_only_where.rs:"),
        ("thread", "tests/panic_says_only_where.rs:"),
        ("library", "tests/panic_says_only_where.rs:"),
        ("dependency", "bytes-1."),
    ] {
        let output = run(child);
        assert_eq!(
            output.status.signal(),
            Some(6),
            "{child} dies by SIGABRT: {output:?}"
        );
        assert!(!output.status.core_dumped(), "{child} left a core file");
        let said = String::from_utf8(output.stderr).unwrap();
        let place = said
            .strip_prefix("sottovoce: stopped by a fault of its own at ")
            .and_then(|rest| rest.strip_suffix("; please report that place\n"))
            .unwrap_or_else(|| panic!("{child}: {said}"));
        let number = place.rsplit_once(':').unwrap().1;
        assert!(
            place.starts_with(begins) && number.parse::<u32>().is_ok(),
            "{place}"
        );
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            !stdout.contains("203.0") && !stdout.contains("survived"),
            "{stdout}"
        );
    }
}

#[test]
fn in_json_it_is_an_event() {
    let output = run("json");
    assert_eq!(output.status.signal(), Some(6));
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["event"], "fault");
    assert_eq!(said["file"], "tests/panic_says_only_where.rs");
    assert!(said["line"].is_u64() && said.as_object().unwrap().len() == 3);
}
