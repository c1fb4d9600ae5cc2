//! A participant of the canary meeting: a process of its own, as people run it.

use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::leftovers::Process;
use super::{DrillError, thread};

/// How long anything in the meeting may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A running `sottovoce join`.
pub(super) struct Person {
    process: Process,
    input: Option<ChildStdin>,
    events: Receiver<Value>,
}

impl Person {
    /// Joins from `plain`, an address of loopback, and plays `media` if there is some.
    pub(super) fn join(
        program: &Path,
        link: &str,
        name: &str,
        plain: IpAddr,
        media: Option<&Path>,
    ) -> Result<Self, DrillError> {
        let mut command = Command::new(program);
        command
            .args(["join", "-", "--json", "--commands", "--name", name])
            .args(["--bind", &plain.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(media) = media {
            command.arg("--play").arg(media).arg("--loop");
        }
        let failed = |error: std::io::Error| DrillError::Program(program.into(), error.kind());
        let process = Process::spawn(&mut command).map_err(failed)?;
        let (sender, events) = channel();
        let output = process.child().stdout.take();
        if let Some(output) = output {
            let listener = thread().spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if let Ok(value) = serde_json::from_str(&line)
                        && sender.send(value).is_err()
                    {
                        return;
                    }
                }
            });
            listener.map_err(DrillError::system)?;
        }
        let input = process.child().stdin.take();
        let mut person = Self {
            process,
            input,
            events,
        };
        person.types(link);
        Ok(person)
    }

    /// Types a line.
    pub(super) fn types(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            // Who is gone does not read; the events will tell.
            let _ = input.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// Waits for an event for which `is` holds.
    pub(super) fn until(
        &mut self,
        event: &str,
        what: &'static str,
        is: impl Fn(&Value) -> bool,
    ) -> Result<Value, DrillError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let value = self
                .events
                .recv_timeout(left)
                .map_err(|_| DrillError::Story(what))?;
            if value.get("event").is_some_and(|name| name == event) && is(&value) {
                return Ok(value);
            }
        }
    }

    /// Leaves as a person does.
    pub(super) fn leave(&mut self) -> Result<(), DrillError> {
        self.types("/leave");
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if matches!(self.process.child().try_wait(), Ok(Some(_))) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(DrillError::Story(
            "a participant did not leave when it was told to",
        ))
    }

    /// Its machine loses power.
    pub(super) fn crash(self) {
        drop(self.process);
    }
}
