//! A process with ts-mls in it: tests/judges/mls.mjs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sottovoce::meeting::group::{Group, LeafName, Processed};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judges");

pub struct Judge {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The key that its leaf will have, or has.
    pub sign_key: [u8; 32],
}

/// How its leaf is to be.
pub enum Leaf {
    /// As every leaf of a meeting is.
    Ours,
    /// The same, but it says of what it can do what ts-mls says as it comes.
    TheirCapabilities,
    /// The same, but it lives as long as one of ts-mls as it comes.
    TheirLifetime,
}

pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

pub fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("bytes in hexadecimal");
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

impl Judge {
    pub fn new() -> Self {
        let there = Path::new(FOLDER).join("node_modules/ts-mls").exists();
        assert!(there, "ts-mls is not there: run make setup-judges");
        let mut process = Command::new("node")
            .current_dir(FOLDER)
            .args(["--no-warnings", "mls.mjs"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is not there: run make setup-judges");
        let requests = process.stdin.take().expect("its input");
        let answers = BufReader::new(process.stdout.take().expect("its output"));
        let mut judge = Self {
            process,
            requests,
            answers,
            sign_key: [0; 32],
        };
        let answer = judge.does("sign_key", json!({}));
        judge.sign_key = bytes(&answer["sign_key"]).try_into().expect("32 bytes");
        judge
    }

    fn answer(&mut self, operation: &str, mut request: Value) -> Value {
        request["operation"] = operation.into();
        writeln!(self.requests, "{request}").expect("it listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        assert!(!line.is_empty(), "it ended at {operation}");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Something that it can do.
    #[track_caller]
    pub fn does(&mut self, operation: &str, request: Value) -> Value {
        let answer = self.answer(operation, request);
        assert!(answer.get("refused").is_none(), "{operation}: {answer}");
        answer
    }

    /// A message that it must not take.
    #[track_caller]
    pub fn refuses(&mut self, message: &[u8]) {
        let answer = self.answer("take", json!({ "message": hex(message) }));
        assert!(answer.get("refused").is_some(), "it took it: {answer}");
    }

    pub fn key_package(&mut self, name: &LeafName, leaf: Leaf) -> Vec<u8> {
        let identity = postcard::to_allocvec(name).expect("it encodes");
        let (can, lives) = match leaf {
            Leaf::Ours => ("sottovoce", "sottovoce"),
            Leaf::TheirCapabilities => ("ts-mls", "sottovoce"),
            Leaf::TheirLifetime => ("sottovoce", "ts-mls"),
        };
        let request = json!({ "identity": hex(&identity), "can": can, "lives": lives });
        bytes(&self.does("key_package", request)["key_package"])
    }

    pub fn join(&mut self, welcome: &[u8]) {
        self.does("join", json!({ "welcome": hex(welcome) }));
    }

    pub fn say(&mut self, said: &[u8]) -> Vec<u8> {
        bytes(&self.does("say", json!({ "said": hex(said) }))["message"])
    }

    /// What a member says, opened.
    #[track_caller]
    pub fn hears(&mut self, message: &[u8]) -> Vec<u8> {
        bytes(&self.does("take", json!({ "message": hex(message) }))["said"])
    }

    /// A commit that it follows: whether it is out now.
    #[track_caller]
    pub fn follows(&mut self, commit: &[u8]) -> bool {
        let taken = self.does("take", json!({ "message": hex(commit) }));
        taken["removed_me"].as_bool().expect("a commit")
    }

    pub fn export(&mut self, label: &str, context: &[u8]) -> Vec<u8> {
        let request = json!({ "label": label, "context": hex(context) });
        bytes(&self.does("export", request)["secret"])
    }

    /// It is where this member is: epoch, the secrets of it, the tree, and what they say to each other.
    #[track_caller]
    pub fn agrees(&mut self, group: &mut Group) {
        let view = self.does("view", json!({}));
        assert_eq!(view["epoch"].as_u64(), Some(group.epoch()));
        // What `Group::tag` is made of.
        let mut tag = Sha256::new();
        tag.update(b"sottovoce epoch");
        tag.update(bytes(&view["group"]));
        tag.update(bytes(&view["authenticator"]));
        assert_eq!(group.tag(), *tag.finalize(), "epoch authenticator");

        let roster = view["roster"].as_array().expect("a roster");
        assert_eq!(roster.len(), group.roster().len());
        let mut mine = None;
        for (theirs, ours) in roster.iter().zip(group.roster()) {
            assert_eq!(theirs["leaf"].as_u64(), Some(u64::from(ours.leaf.0)));
            assert_eq!(bytes(&theirs["sign_key"]), ours.sign_key);
            let name: LeafName = postcard::from_bytes(&bytes(&theirs["identity"])).expect("a name");
            assert!(name.name == ours.name && name.rank == ours.rank && name.run == ours.run);
            if ours.sign_key == self.sign_key {
                mine = Some(ours.leaf);
            }
        }

        let epoch = group.epoch().to_be_bytes();
        let labels: [(&str, &[u8]); 3] = [
            ("sottovoce media", &epoch),
            ("sottovoce main", &[]),
            ("sottovoce link", &[]),
        ];
        for (label, context) in labels {
            let ours = group.export(label, context).expect("a secret");
            assert_eq!(self.export(label, context), *ours, "{label}");
        }

        let to_it = group.say(b"to ts-mls").expect("a message");
        assert_eq!(self.hears(&to_it), b"to ts-mls");
        let from_it = self.say(b"from ts-mls");
        let heard = group.process(&from_it, |_| false).expect("a message");
        let said = Processed::App {
            from: mine.expect("it is in our roster"),
            epoch: group.epoch(),
            bytes: b"from ts-mls".to_vec(),
        };
        assert_eq!(heard, said);
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
