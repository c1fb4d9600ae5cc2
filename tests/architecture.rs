//! The tree is the design: reads the code under `src/` and fails when a folder knows what it must
//! not. Each rule is tried on a snippet that breaks it, so that a rule that sees nothing fails too.

#[path = "architecture/code.rs"]
mod code;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use code::Code;

/// The folders of `src/`, and whom each may use. `main.rs` and `cli/` may use all.
const EDGES: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("quiet", &[]),
    ("airlock", &[]),
    ("carrier", &["airlock", "wire", "quiet"]),
    ("relay", &["wire", "carrier", "quiet"]),
    ("page", &["carrier"]),
    ("meeting", &["wire"]),
    ("stay", &["meeting", "wire"]),
    ("participant", &["meeting", "stay", "carrier", "wire"]),
    ("drill", &["participant", "meeting", "carrier", "wire"]),
    (
        "cli",
        &[
            "airlock",
            "quiet",
            "wire",
            "carrier",
            "relay",
            "page",
            "meeting",
            "stay",
            "participant",
            "drill",
        ],
    ),
];

/// Whom `web/core`, the binding for browsers, may use.
const WEB: &[&str] = &["meeting", "stay", "wire"];

/// What knows JavaScript, and the randomness of browsers, and the one file of `web/core` that may.
const RIM_ONLY: &[&str] = &["wasm_bindgen", "serde_wasm_bindgen", "getrandom"];
const RIM: &str = "rim.rs";

/// Words that only some places may use.
struct Rule {
    /// Paths, as they stand in the code.
    words: &'static [&'static str],
    /// Files and folders that may, under `src/`.
    allowed: &'static [&'static str],
    /// Whether tests inside `src/` may too.
    tests_may: bool,
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        words: &["tracing"],
        allowed: &["quiet/"],
        tests_may: false,
        why: "an event that is not in quiet's closed list could say anything",
    },
    Rule {
        words: &["unsafe"],
        allowed: &["quiet/", "airlock/"],
        tests_may: false,
        why: "unsafe code stays where an auditor looks for it",
    },
    Rule {
        words: &["UdpSocket", "TcpStream", "TcpListener", "UnixDatagram"],
        // The relay's own address towards the world is found by a socket that sends nothing; and an
        // operator has the relay's own port asked whether it answers.
        // The drill is everybody in a meeting of its own.
        allowed: &[
            "airlock/",
            "carrier/client/",
            "carrier/server/open.rs",
            "cli/check/probe.rs",
            "drill/",
            // Unix's, to a service manager.
            "quiet/ready.rs",
        ],
        tests_may: false,
        why: "peers' addresses come out of sockets",
    },
    Rule {
        words: &[
            "SocketAddr",
            "SocketAddrV4",
            "SocketAddrV6",
            "ToSocketAddrs",
            "sockaddr",
        ],
        // A relay's configuration says where to listen.
        allowed: &[
            "airlock/",
            "carrier/",
            "cli/",
            "main.rs",
            "drill/",
            "relay/config.rs",
            "relay/run.rs",
            // A Unix socket's name.
            "quiet/ready.rs",
        ],
        tests_may: false,
        why: "who has no type for an address holds none",
    },
    Rule {
        words: &["IpAddr", "Ipv4Addr", "Ipv6Addr"],
        // A person says which of their own addresses to send from.
        allowed: &[
            "airlock/",
            "carrier/",
            "cli/",
            "main.rs",
            "drill/",
            "relay/config.rs",
            "participant/options.rs",
            "participant/session/dial.rs",
        ],
        tests_may: true,
        why: "who has no type for an address holds none",
    },
    Rule {
        words: &["quinn", "quinn_proto", "rustls", "tokio_rustls", "rcgen"],
        // The drill's strangers go past what a participant of ours can do.
        allowed: &["carrier/", "drill/stranger.rs", "drill/visitor.rs"],
        tests_may: true,
        why: "there is one way to a relay, and one place that knows it",
    },
    Rule {
        words: &[
            "KeyLog",
            "KeyLogFile",
            "SslKeyLogFile",
            "qlog",
            "QlogConfig",
        ],
        allowed: &[],
        tests_may: false,
        why: "keys are written nowhere",
    },
    Rule {
        words: &["tokio"],
        allowed: &[
            // They are no part of the loop.
            "airlock/door.rs",
            "airlock/front.rs",
            "carrier/front.rs",
            "page/",
            "carrier/client/",
            "participant/",
            "drill/",
            "cli/",
            "main.rs",
        ],
        tests_may: true,
        why: "the relay is one loop a core, and the cores of state have no I/O",
    },
    Rule {
        words: &["fs", "File", "OpenOptions"],
        allowed: &[
            // A Unix socket is a file too.
            "airlock/door.rs",
            "carrier/certificate/",
            "participant/",
            "drill/",
            "cli/",
            "main.rs",
        ],
        tests_may: true,
        why: "a relay writes nothing to a disk",
    },
    Rule {
        words: &["Instant::now", "SystemTime::now"],
        allowed: &[
            "carrier/",
            "participant/",
            "drill/",
            "quiet/",
            "cli/",
            "main.rs",
            "airlock/gate.rs",
            "airlock/wait.rs",
            "page/",
            "relay/shard.rs",
            "relay/run.rs",
        ],
        tests_may: true,
        why: "cores without I/O are given the clock",
    },
    Rule {
        words: &["println!", "print!", "eprintln!", "eprint!", "dbg!"],
        allowed: &["cli/", "main.rs"],
        tests_may: true,
        why: "what a process says goes through its own output type",
    },
];

/// What secrets are called in `meeting/`: a field of such a name holds a type that wipes itself.
const SECRETS: &[&str] = &[
    "base",
    "key",
    "link",
    "link_secret",
    "main",
    "reply_key",
    "secret",
    "viewer",
    "way_back",
];

/// Lines of code in a file, comments and blank lines not counted, and in a file of tests.
const LINES: usize = 400;
const TEST_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files under `src/`: path and content.
fn files() -> Vec<(String, String)> {
    files_in(&root())
}

fn files_in(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn is_test(path: &str) -> bool {
    path.split('/')
        .any(|part| part == "tests" || part.ends_with("tests.rs"))
}

fn allowed_edges(path: &str) -> Option<&'static [&'static str]> {
    let (folder, _) = path.split_once('/')?;
    EDGES
        .iter()
        .find(|(name, _)| *name == folder)
        .map(|(_, allowed)| *allowed)
}

/// The folders that `path` uses and may not.
fn wrong_edges(path: &str, text: &str) -> Vec<String> {
    let Some(allowed) = allowed_edges(path) else {
        return Vec::new();
    };
    let own = path.split('/').next().unwrap_or_default();
    Code::new(text)
        .folders(depth(path))
        .into_iter()
        .filter(|used| EDGES.iter().any(|(name, _)| name == used))
        .filter(|used| used != own && !allowed.contains(&used.as_str()))
        .map(|used| format!("{path} uses {used}"))
        .collect()
}

/// How many modules a file lies below the root of the crate.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    if path.ends_with("/mod.rs") {
        parts - 1
    } else {
        parts
    }
}

fn wrong_words(rule: &Rule, path: &str, text: &str) -> Vec<String> {
    if rule.allowed.iter().any(|allowed| path.starts_with(allowed))
        || rule.tests_may && is_test(path)
    {
        return Vec::new();
    }
    let code = Code::new(if rule.tests_may {
        code::without_tests(text)
    } else {
        text
    });
    let found = rule.words.iter().filter(|words| code.has(words));
    found
        .map(|words| format!("{path} uses {words}: {}", rule.why))
        .collect()
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let (lines, most) = match is_test(path) {
        true => (code::lines(text), TEST_LINES),
        false => (code::lines(code::without_tests(text)), LINES),
    };
    (lines > most).then(|| format!("{path} has {lines} lines of code, more than {most}"))
}

/// What a folder's table of contents lacks.
fn wrong_head(path: &str, text: &str) -> Option<String> {
    let head: String = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .collect();
    let lacks = if head.is_empty() {
        "a line that says what it is for"
    } else if path.matches('/').count() > 1 {
        return None;
    } else if !head.contains("may know") {
        "what it may know"
    } else if !head.contains("must never know") {
        "what it must never know"
    } else {
        return None;
    };
    Some(format!("{path} does not say: {lacks}"))
}

/// Secrets that would stay in memory after they are let go.
fn unwiped(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("meeting/") || is_test(path) {
        return Vec::new();
    }
    let code = Code::new(text);
    let plain = SECRETS.iter().flat_map(|name| {
        ["[u8;", "Vec<u8>", "Option<[u8;"].map(|kind| (name, format!("{name}: {kind}")))
    });
    plain
        .filter(|(_, field)| code.has(field))
        .map(|(name, _)| format!("{path} holds {name} in the open"))
        .collect()
}

/// What a file of `web/core` uses and may not.
fn wrong_in_web(path: &str, text: &str) -> Vec<String> {
    let code = Code::new(text);
    let folders = code.folders(depth(path)).into_iter();
    let ours = folders.filter(|used| EDGES.iter().any(|(name, _)| name == used));
    let wrong = ours.filter(|used| !WEB.contains(&used.as_str()));
    let mut wrong: Vec<_> = wrong.map(|used| format!("{path} uses {used}")).collect();
    if path != RIM {
        let rim = RIM_ONLY.iter().filter(|words| code.has(words));
        wrong.extend(rim.map(|words| format!("{path} uses {words}: that is for {RIM}")));
    }
    // No place in it is one that `src/` allows more.
    let inside = format!("web/{path}");
    wrong.extend(
        RULES
            .iter()
            .flat_map(|rule| wrong_words(rule, &inside, text)),
    );
    wrong.extend(too_long(path, text));
    wrong
}

fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn folders_use_only_whom_they_may() {
    none(
        files()
            .iter()
            .flat_map(|(path, text)| wrong_edges(path, text))
            .collect(),
    );
}

#[test]
fn words_stand_only_where_they_may() {
    let files = files();
    let each = RULES
        .iter()
        .flat_map(|rule| files.iter().map(move |file| (rule, file)));
    none(
        each.flat_map(|(rule, (path, text))| wrong_words(rule, path, text))
            .collect(),
    );
}

#[test]
fn the_binding_for_browsers_stands_on_what_has_no_io() {
    let web = root().join("../web/core/src");
    let files = files_in(&web);
    assert!(files.iter().any(|(path, _)| path == RIM), "{RIM} is gone");
    none(
        files
            .iter()
            .flat_map(|(path, text)| wrong_in_web(path, text))
            .collect(),
    );
    for wrong in [
        "use sottovoce::participant::join;",
        "use sottovoce::{wire::To, carrier::Door};",
        "use wasm_bindgen::prelude::*;",
        "fn f() { let now = Instant::now(); }",
        "fn f() { unsafe {} }",
    ] {
        assert_eq!(wrong_in_web("session/new.rs", wrong).len(), 1, "{wrong}");
    }
    let right = "use sottovoce::meeting::Who; use sottovoce::stay::Dial; use crate::links::parse;";
    assert!(wrong_in_web("session/new.rs", right).is_empty());
    assert!(wrong_in_web(RIM, "use wasm_bindgen::prelude::*;").is_empty());
}

#[test]
fn secrets_are_in_types_that_wipe_themselves() {
    let files = files();
    none(
        files
            .iter()
            .flat_map(|(path, text)| unwiped(path, text))
            .collect(),
    );
    for text in [
        "struct Card { beat: Beat, key: [u8; 32] }",
        "enum Said { At { main: [u8; 32] } }",
        "struct S { pub(super) link: Option<[u8; 32]>, }",
    ] {
        assert_eq!(unwiped("meeting/new.rs", text).len(), 1, "{text}");
        assert!(unwiped("meeting/tests/new.rs", text).is_empty());
    }
    let spared = "struct S { key: Zeroizing<[u8; 32]>, main: Passed, sign_key: [u8; 32] }";
    assert!(unwiped("meeting/new.rs", spared).is_empty());
}

#[test]
fn files_are_short_enough_to_be_read() {
    none(
        files()
            .iter()
            .filter_map(|(path, text)| too_long(path, text))
            .collect(),
    );
}

#[test]
fn every_folder_says_what_it_is_for_and_what_it_may_know() {
    let files = files();
    let heads = files.iter().filter(|(path, _)| path.ends_with("/mod.rs"));
    none(
        heads
            .filter_map(|(path, text)| wrong_head(path, text))
            .collect(),
    );
}

#[test]
fn the_folders_are_those_of_the_design() {
    let folders: BTreeSet<_> = files()
        .iter()
        .filter_map(|(path, _)| path.split_once('/').map(|(folder, _)| folder.to_owned()))
        .collect();
    let known = EDGES
        .iter()
        .map(|(name, _)| name.to_string())
        .collect::<BTreeSet<_>>();
    assert!(
        folders.is_subset(&known),
        "a folder without edges: {folders:?}"
    );
    // What is allowed must be there, or a rule outlives a rename and means nothing.
    for allowed in RULES.iter().flat_map(|rule| rule.allowed) {
        assert!(
            root().join(allowed).exists(),
            "{allowed} is allowed something and not there"
        );
    }
}

#[test]
fn a_wrong_edge_is_seen_however_it_is_written() {
    for text in [
        "use crate::meeting::Meeting;",
        "use crate::{wire::TrackId, meeting::Meeting};",
        "use crate::{\n    wire::{TrackId, To},\n    meeting,\n};",
        "fn f() { let m = crate :: meeting::Meeting::new(); }",
        "use sottovoce::meeting;",
        "use super::super::meeting::Meeting;",
        "mod tests { use super::super::super::meeting::Meeting; }",
        "const S: &str = \"//\"; use crate::meeting::Meeting; // \"",
        "const C: char = '\"'; use crate::meeting::Meeting;",
        "fn f<'a>(a: &'a str) -> crate::meeting::Link<'a> {}",
        "const R: &str = r#\"\"#; use crate::meeting::Link;",
        "macro_rules! m { () => { $crate::meeting::f() } }",
    ] {
        assert_eq!(
            wrong_edges("relay/room.rs", text),
            ["relay/room.rs uses meeting"],
            "{text}"
        );
    }
    for text in [
        "use crate::wire::TrackId; use crate::relay::Room; use super::meeting;",
        "/// See [`crate::meeting`].",
        "/* use crate::meeting; /* */ use crate::meeting; */",
        "const S: &str = \"use crate::meeting; \\\" crate::meeting\";",
        "const R: &str = r#\"use crate::meeting; \" crate::meeting\"#;",
    ] {
        assert_eq!(wrong_edges("relay/room.rs", text), [""; 0], "{text}");
    }
    assert!(!wrong_edges("relay/mod.rs", "use super::meeting;").is_empty());
    assert!(!wrong_edges("meeting/state.rs", "use crate::carrier::Peer;").is_empty());
    assert!(!wrong_edges("wire/mod.rs", "use crate::quiet::log;").is_empty());
    assert!(wrong_edges("cli/join.rs", "use sottovoce::meeting;").is_empty());
    assert!(wrong_edges("main.rs", "use sottovoce::meeting;").is_empty());
}

#[test]
fn every_rule_sees_what_breaks_it_and_spares_what_does_not() {
    for rule in RULES {
        for words in rule.words {
            let text = format!("fn f() {{ {words}; }}");
            assert_eq!(wrong_words(rule, "wire/new.rs", &text).len(), 1, "{words}");
            let tests = wrong_words(rule, "wire/tests/new.rs", &text);
            assert_eq!(tests.is_empty(), rule.tests_may, "{words}");
            let inline = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{words}\n}}");
            let inline = wrong_words(rule, "wire/new.rs", &inline);
            assert_eq!(inline.is_empty(), rule.tests_may, "{words}");
            let spared = format!("// {words}\nconst A: &str = \"{words}\"; struct My{words};");
            assert_eq!(
                wrong_words(rule, "wire/new.rs", &spared),
                [""; 0],
                "{words}"
            );
            for allowed in rule.allowed {
                let path = format!("{allowed}new.rs");
                assert_eq!(wrong_words(rule, &path, &text), [""; 0], "{words}");
            }
        }
    }
}

#[test]
fn a_file_that_is_too_long_or_has_no_head_is_seen() {
    let code = |lines| "f();\n// why\n\n".repeat(lines);
    assert!(too_long("wire/new.rs", &code(LINES)).is_none());
    assert!(too_long("wire/new.rs", &code(LINES + 1)).is_some());
    assert!(too_long("wire/tests/new.rs", &code(TEST_LINES)).is_none());
    assert!(too_long("wire/new_tests.rs", &code(TEST_LINES + 1)).is_some());
    let head = "//! For this.\n//!\n//! It may know: a.\n//! It must never know: b.\n";
    assert!(wrong_head("wire/mod.rs", head).is_none());
    assert!(wrong_head("wire/mod.rs", &head.replace("may know", "knows")).is_some());
    assert!(wrong_head("wire/mod.rs", &head.replace("never", "not")).is_some());
    assert!(wrong_head("wire/mod.rs", &format!("mod a;\n{head}")).is_some());
    assert!(wrong_head("wire/tests/mod.rs", "//! Tests.\n").is_none());
    assert!(wrong_head("wire/tests/mod.rs", "mod a;\n").is_some());
}
