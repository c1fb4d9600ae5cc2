//! A relay-only build holds no end-to-end cryptography: none of its crates is compiled for it, and
//! none of their names, or of ours, stands in the program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// What only those have who are in a meeting: parts of crates' names.
const CRATES: &[&str] = &["openmls", "sframe", "hpke"];

/// How our own folder for it stands in symbols, our HPKE with it.
const OURS: &str = "9sottovoce7meeting";

/// What must not stand in the program. rustls has types named after HPKE, for TLS, so there the
/// crates count and not the word; and HTTP/2 says "out of bounds", then "frame size".
const WORDS: &[&str] = &[
    "openmls",
    "6sframe",
    "SFrame 1.0",
    "hpke_rs",
    "hpke-rs",
    OURS,
];

/// What cargo made for a relay alone.
struct Alone {
    program: PathBuf,
    /// Names of the libraries, and the features of each.
    parts: Vec<(String, Vec<String>)>,
}

/// Built once for all tests here, in a folder of its own: the other tests run the whole program.
fn alone() -> &'static Alone {
    static ALONE: OnceLock<Alone> = OnceLock::new();
    ALONE.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--locked", "--offline", "--no-default-features"])
            .args(["--features", "relay", "--bin", "sottovoce"])
            // The page is for browsers, who have keys; the relay hands it out and runs none of it.
            .env("SOTTOVOCE_PAGE", "")
            // Nobody waits for what it does, only for the compiler.
            .args(["--config", "profile.dev.opt-level = 0"])
            .args(["--config", "profile.dev.package.'*'.opt-level = 0"])
            .arg("--message-format=json-render-diagnostics")
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("relay-alone"))
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "it does not build: {said}");
        let (mut program, mut parts) = (None, Vec::new());
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let message: Value = serde_json::from_str(line).expect("JSON");
            if message["reason"] != "compiler-artifact" {
                continue;
            }
            if let Some(path) = message["executable"].as_str() {
                program = Some(PathBuf::from(path));
            }
            let features = message["features"].as_array().expect("features");
            let features = features.iter().filter_map(Value::as_str);
            let name = message["target"]["name"].as_str().expect("a name");
            parts.push((name.to_owned(), features.map(str::to_owned).collect()));
        }
        let program = program.expect("a program");
        Alone { program, parts }
    })
}

/// Where `word` first stands in a file, and a little of what is around it.
fn found(path: &Path, word: &str) -> Option<String> {
    let bytes = std::fs::read(path).expect("the program can be read");
    let at = bytes
        .windows(word.len())
        .position(|part| part == word.as_bytes())?;
    let around = &bytes[at.saturating_sub(60)..(at + 60).min(bytes.len())];
    Some(String::from_utf8_lossy(around).into_owned())
}

fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    let mut command = Command::new(&alone().program);
    command.args(arguments).output().expect("it runs")
}

#[test]
fn none_of_the_crates_is_compiled_for_it() {
    let parts = &alone().parts;
    for (name, features) in parts {
        let name = name.replace('-', "_");
        assert!(!CRATES.iter().any(|part| name.contains(part)), "{name}");
        if name == "sottovoce" {
            assert!(features.contains(&"relay".into()), "{features:?}");
            assert!(!features.contains(&"meeting".into()), "{features:?}");
        }
    }
    // Whoever looks sees what is there.
    for name in ["sottovoce", "quinn_proto"] {
        assert!(parts.iter().any(|(part, _)| part == name), "{name}");
    }
}

#[test]
fn nothing_of_them_stands_in_the_program() {
    for word in WORDS {
        let around = found(&alone().program, word);
        assert!(around.is_none(), "{word}: {around:?}");
    }
    // In symbols of the same program with the same tools, as long as these are not stripped.
    assert!(found(&alone().program, "9sottovoce5relay").is_some());
    let whole = Path::new(env!("CARGO_BIN_EXE_sottovoce"));
    for word in ["6sframe", "SFrame 1.0", "7openmls", OURS] {
        assert!(found(whole, word).is_some(), "{word} is not in the whole");
    }
}

#[test]
fn it_is_a_relay_and_says_what_it_lacks() {
    let help = run(&["help"]);
    let help = String::from_utf8_lossy(&help.stdout);
    assert!(help.contains("  relay "), "{help}");
    assert!(
        !help.contains("  join ") && !help.contains("  invite "),
        "{help}"
    );
    let configuration = run(&["relay", "--print-config"]);
    assert!(configuration.status.success());
    for arguments in [
        &["join", "link", "--name", "Ada"][..],
        &["invite", "--relay", "https://relay.example/"],
        &["help", "join"],
    ] {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("was built as a relay only"), "{said}");
    }
}
