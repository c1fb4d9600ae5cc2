//! A relay under watch: started as an operator starts it, and everything that it says is kept.

use std::ffi::OsString;
use std::io::{BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::DrillError;
use super::scratch::{NOBODY, Scratch};
use crate::carrier::address::RelayAddress;

/// How long a relay may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a relay is started.
pub(super) struct Start<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) root: bool,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// A stream of its output, as far as it has come.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

/// A relay process.
pub(super) struct RelayProcess {
    child: Child,
    stdout: Said,
    stderr: Said,
    /// Its working folder, home, and place for temporary files.
    pub(super) home: PathBuf,
    /// The addresses that it listens on: IPv4, then IPv6 if it does.
    pub(super) address: RelayAddress,
}

impl RelayProcess {
    pub(super) fn start(start: &Start<'_>) -> Result<Self, DrillError> {
        let home = start.scratch.home(start.root)?;
        let mut command = Command::new(&start.scratch.relay);
        command
            .arg("relay")
            .args(&start.arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &home)
            .env("TMPDIR", &home)
            .envs(start.environment.iter().cloned())
            .current_dir(&home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if start.root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command
            .spawn()
            .map_err(|error| DrillError::Program(start.scratch.relay.clone(), error.kind()))?;
        let (stdout, stderr) = (Said::default(), Said::default());
        if let Some(stream) = child.stdout.take() {
            stdout.listen(stream);
        }
        if let Some(stream) = child.stderr.take() {
            stderr.listen(stream);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = ready(&stdout.bytes()) {
                return Ok(Self {
                    child,
                    stdout,
                    stderr,
                    home,
                    address,
                });
            }
            let ended = child
                .try_wait()
                .map_err(|error| DrillError::System(error.kind()))?;
            if ended.is_some() || Instant::now() > until {
                let _ = child.kill();
                let _ = child.wait();
                let said = [stdout.bytes(), stderr.bytes()].concat();
                return Err(DrillError::NoRelay(String::from_utf8_lossy(&said).into()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output and standard error.
    pub(super) fn said(&self) -> [Vec<u8>; 2] {
        [self.stdout.bytes(), self.stderr.bytes()]
    }

    /// Sends a signal and waits for the end. Whether it left a core dump.
    pub(super) fn end(&mut self, signal: Signal) -> Result<bool, DrillError> {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap_or(i32::MAX));
        let _ = kill(pid, signal);
        let until = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    // What was said last is still in the pipes.
                    std::thread::sleep(Duration::from_millis(100));
                    return Ok(status.core_dumped());
                }
                Ok(None) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => {
                    return Err(DrillError::Story(
                        "the relay did not end when it was told to",
                    ));
                }
            }
        }
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    fn listen(&self, stream: impl Read + Send + 'static) {
        let said = self.clone();
        std::thread::spawn(move || {
            let (mut stream, mut chunk) = (BufReader::new(stream), [0; 4096]);
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                let heard = chunk.get(..length).unwrap_or_default();
                said.lock().extend_from_slice(heard);
            }
        });
    }

    fn bytes(&self) -> Vec<u8> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address in the line that says that the relay is ready.
fn ready(said: &[u8]) -> Option<RelayAddress> {
    let text = String::from_utf8_lossy(said);
    text.lines().find_map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        let ready = value.get("event")? == "ready";
        ready.then(|| value.get("address")?.as_str()?.parse().ok())?
    })
}
