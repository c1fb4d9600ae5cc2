//! What scenarios share: a real relay process, real participants, a bad network, a scratch folder.
//!
//! Everything listens on loopback, and everything that was started is ended by pid when it goes
//! out of scope.
#![allow(dead_code)]

pub mod anyone;
pub mod browser;
pub mod network;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program under test.
pub fn sottovoce() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sottovoce"))
}

/// A fixture's path.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A relay process.
pub struct Relay {
    child: Child,
    /// What it prints as its address.
    pub address: String,
    output: Receiver<String>,
}

impl Relay {
    /// On a free port of loopback, without configuration.
    pub fn start() -> Self {
        Self::with(&["--listen", "127.0.0.1:0"])
    }

    /// With these arguments besides `--json`.
    pub fn with(arguments: &[&str]) -> Self {
        Self::spawn(sottovoce().args(["relay", "--json"]).args(arguments))
    }

    /// Any relay command that prints its ready line as JSON.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the relay starts");
        let output = lines(vec![
            Box::new(child.stdout.take().expect("its output")),
            Box::new(child.stderr.take().expect("its errors")),
        ]);
        let mut relay = Self {
            child,
            address: String::new(),
            output,
        };
        relay.address = relay.announced("ready");
        relay
    }

    /// Waits for this event, and gives the address in it.
    pub fn announced(&self, event: &str) -> String {
        let mut seen = String::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .output
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("the relay says no `{event}`; it said: {seen}"));
            seen.push_str(&line);
            if let Ok(value) = serde_json::from_str::<Value>(&line)
                && value["event"] == event
            {
                return value["address"].as_str().expect("an address").to_owned();
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        let authority = self.address.trim_start_matches("https://");
        let authority = authority.split('/').next().unwrap_or_default();
        authority
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port")
    }

    /// The links of a new meeting at it.
    pub fn invite(&self) -> Links {
        invite(&self.address, &[])
    }

    /// Sends a signal (`TERM`, `INT`, `HUP`, `KILL`).
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for its end: the status and everything that it printed after its ready line.
    pub fn finish(mut self, within: Duration) -> (ExitStatus, String) {
        let status = wait(&mut self.child, within).expect("the relay ends in time");
        let printed = self.output.iter().collect();
        (status, printed)
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    /// The most resident memory that it ever had, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.memory_kib("VmHWM:")
    }

    fn memory_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("the relay runs");
        let line = status
            .lines()
            .find(|line| line.starts_with(field))
            .expect("the field is there");
        line.split_whitespace()
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a number")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The links of a meeting.
pub struct Links {
    pub meeting: String,
    pub host: String,
    pub co_hosts: Vec<String>,
}

/// The links of a new meeting at `address`.
pub fn invite(address: &str, arguments: &[&str]) -> Links {
    let output = sottovoce()
        .args(["invite", "--json", "--relay", address])
        .args(arguments)
        .output()
        .expect("invite runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a link").to_owned();
    Links {
        meeting: text(&value["meeting_link"]),
        host: text(&value["host_link"]),
        co_hosts: value["co_host_links"]
            .as_array()
            .expect("links")
            .iter()
            .map(text)
            .collect(),
    }
}

/// A participant process that prints events as JSON.
pub struct Participant {
    child: Child,
    output: Receiver<String>,
    /// All events so far, in order.
    pub events: Vec<Value>,
}

impl Participant {
    /// Joins with these arguments besides link, name and `--json`.
    pub fn join<S: AsRef<std::ffi::OsStr>>(link: &str, name: &str, arguments: &[S]) -> Self {
        Self::with_input(link, name, arguments, Stdio::null())
    }

    /// The same by the host's link, and whoever knocks is let in.
    pub fn hosts<S: AsRef<std::ffi::OsStr>>(links: &Links, name: &str, arguments: &[S]) -> Self {
        let mut all: Vec<&std::ffi::OsStr> = vec!["--admit".as_ref(), "all".as_ref()];
        all.extend(arguments.iter().map(AsRef::as_ref));
        Self::join(&links.host, name, &all)
    }

    /// The same as [`join`](Self::join), and commands can be [typed](Self::types).
    pub fn typing<S: AsRef<std::ffi::OsStr>>(link: &str, name: &str, arguments: &[S]) -> Self {
        let mut all = vec![std::ffi::OsStr::new("--commands")];
        all.extend(arguments.iter().map(AsRef::as_ref));
        Self::with_input(link, name, &all, Stdio::piped())
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        input
            .write_all(format!("{line}\n").as_bytes())
            .expect("it reads");
    }

    fn with_input<S: AsRef<std::ffi::OsStr>>(
        link: &str,
        name: &str,
        arguments: &[S],
        input: Stdio,
    ) -> Self {
        let mut child = sottovoce()
            .args(["join", link, "--name", name, "--json"])
            .args(arguments)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the participant starts");
        let output = lines(vec![
            Box::new(child.stdout.take().expect("its output")),
            Box::new(child.stderr.take().expect("its errors")),
        ]);
        Self {
            child,
            output,
            events: Vec::new(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the next event of this kind and returns it.
    pub fn until(&mut self, event: &str, within: Duration) -> Value {
        self.until_that(event, within, |_| true)
    }

    /// Waits for the next event of this kind for which `is` holds.
    pub fn until_that(
        &mut self,
        event: &str,
        within: Duration,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(line) => {
                    let Ok(value) = serde_json::from_str::<Value>(&line) else {
                        continue;
                    };
                    self.events.push(value.clone());
                    if value["event"] == event && is(&value) {
                        return value;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no {event:?} within {within:?}; events: {:#?}", self.events)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("ended without {event:?}; events: {:#?}", self.events)
                }
            }
        }
    }

    /// Waits for its end: the status and its closing summary.
    pub fn finish(mut self, within: Duration) -> (ExitStatus, Value, Vec<Value>) {
        let status = wait(&mut self.child, within).expect("the participant ends in time");
        let mut events = std::mem::take(&mut self.events);
        let mut rest = String::new();
        for line in self.output.iter() {
            match serde_json::from_str::<Value>(&line) {
                Ok(value) => events.push(value),
                Err(_) => rest.push_str(&line),
            }
        }
        let summary = events
            .iter()
            .rev()
            .find(|event| event["event"] == "summary")
            .cloned()
            .unwrap_or(Value::Null);
        assert!(
            !summary.is_null() || !status.success(),
            "no summary; it said: {rest}"
        );
        (status, summary, events)
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that the test started.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success(), "no signal {name} to the child");
}

fn wait(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("wait") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// The lines of some streams as they come.
fn lines(streams: Vec<Box<dyn Read + Send>>) -> Receiver<String> {
    let (sender, receiver) = channel();
    for stream in streams {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                if sender
                    .send(String::from_utf8_lossy(&line).into_owned())
                    .is_err()
                {
                    return;
                }
                line.clear();
            }
        });
    }
    receiver
}

/// Replaces host and port of a relay's address, so that participants go through a [`network::Proxy`].
pub fn through(address: &str, port: u16) -> String {
    let (_, fragment) = address.split_once('#').expect("hashes");
    format!("https://127.0.0.1:{port}/#{fragment}")
}

/// One frame in ffmpeg's eyes: stream, timestamp, duration, size, digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub stream: usize,
    pub pts: i64,
    pub duration: i64,
    pub size: u64,
    pub digest: String,
}

/// `ffmpeg -i FILE -map 0 -c copy -f framemd5 -`.
pub fn framemd5(file: &Path) -> Vec<Seen> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0", "-c", "copy", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg runs; `make test` installs it");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "ffmpeg finds fault with {}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            Seen {
                stream: fields[0].parse().expect("stream"),
                pts: fields[2].parse().expect("pts"),
                duration: fields[3].parse().expect("duration"),
                size: fields[4].parse().expect("size"),
                digest: fields[5].to_owned(),
            }
        })
        .collect()
}

/// What ffprobe says: a value of the container or a stream, for example `format=duration`.
pub fn probe(file: &Path, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            entries,
            "-of",
            "default=nw=1:nk=1",
        ])
        .arg(file)
        .output()
        .expect("ffprobe runs; `make test` installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
