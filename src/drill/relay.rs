//! A relay under watch: started as an operator starts it, and everything that it says is kept.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::leftovers::Process;
use super::places::{Found, changed_at};
use super::report::Place;
use super::scratch::{NOBODY, Scratch};
use super::{DrillError, thread};
use crate::carrier::address::RelayAddress;

/// How long a relay may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long what a relay said last may be on its way.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How a relay is started.
pub(super) struct Start<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) root: bool,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// A process of its program, and what that says.
struct Heard {
    process: Process,
    stdout: Said,
    stderr: Said,
}

/// A stream of its output, as far as it has come, and who listens to it.
struct Said(Arc<Mutex<Vec<u8>>>, JoinHandle<()>);

/// A relay process.
pub(super) struct RelayProcess {
    heard: Heard,
    /// Its working folder, home, and place for temporary files.
    pub(super) home: PathBuf,
    /// When the home was made.
    made: Option<SystemTime>,
    /// The addresses that it listens on: IPv4, then IPv6 if it does.
    pub(super) address: RelayAddress,
    /// It has ended, and others hold its output still.
    unheard: bool,
}

/// What a relay prints when it is asked for its configuration.
pub(super) fn printed_config(start: &Start<'_>) -> Result<String, DrillError> {
    let heard = Heard::start(start, &start.scratch.home(start.root)?)?;
    match heard.ended()? {
        Some(status) if status.success() && heard.is_whole() => {
            Ok(String::from_utf8_lossy(&heard.stdout.bytes()).into_owned())
        }
        _ => Err(heard.no_relay()),
    }
}

impl Heard {
    fn start(start: &Start<'_>, home: &Path) -> Result<Self, DrillError> {
        let scratch = start.scratch;
        let mut command = Command::new(&scratch.relay);
        command
            .arg("relay")
            .args(&start.arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", home)
            .env("TMPDIR", home)
            .envs(start.environment.iter().cloned())
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if start.root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let process = Process::spawn(&mut command)
            .map_err(|error| scratch.not_started(&scratch.relay, &error))?;
        let (stdout, stderr) = {
            let mut child = process.child();
            (child.stdout.take(), child.stderr.take())
        };
        Ok(Self {
            process,
            stdout: Said::listen(stdout)?,
            stderr: Said::listen(stderr)?,
        })
    }

    /// Waits for its end; `None` when it goes on.
    fn ended(&self) -> Result<Option<ExitStatus>, DrillError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = self.has_ended()?;
            if ended.is_some() || Instant::now() > until {
                return Ok(ended);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn has_ended(&self) -> Result<Option<ExitStatus>, DrillError> {
        let ended = self.process.child().try_wait();
        ended.map_err(DrillError::system)
    }

    /// Whether all was heard that one who has ended said. What it said last is still in the pipes.
    fn is_whole(&self) -> bool {
        let until = Instant::now() + LAST_WORDS;
        [&self.stdout, &self.stderr].iter().all(|said| {
            while !said.1.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            said.1.is_finished()
        })
    }

    fn no_relay(self) -> DrillError {
        let Self {
            process,
            stdout,
            stderr,
        } = self;
        drop(process);
        let said = [stdout.bytes(), stderr.bytes()].concat();
        match String::from_utf8_lossy(&said).trim() {
            "" => DrillError::NoRelay("nothing".into()),
            said => DrillError::NoRelay(said.into()),
        }
    }
}

impl RelayProcess {
    pub(super) fn start(start: &Start<'_>) -> Result<Self, DrillError> {
        let home = start.scratch.home(start.root)?;
        let made = changed(&home);
        let heard = Heard::start(start, &home)?;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = ready(&heard.stdout.bytes()) {
                return Ok(Self {
                    heard,
                    home,
                    made,
                    address,
                    unheard: false,
                });
            }
            let ended = heard.has_ended()?;
            if ended.is_some() {
                heard.is_whole();
            }
            if ended.is_some() || Instant::now() > until {
                return Err(heard.no_relay());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.heard.process.child().id()
    }

    /// Standard output and standard error.
    pub(super) fn said(&self) -> Vec<Found> {
        let said = |what, said: &Said| Found::new(Place::Output, what, said.bytes());
        let rest = self.unheard.then(|| Found {
            place: Place::Output,
            what: String::new(),
            bytes: Err("it does not end with the relay: others hold it".into()),
        });
        let found = [
            said("standard output", &self.heard.stdout),
            said("standard error", &self.heard.stderr),
        ];
        found.into_iter().chain(rest).collect()
    }

    /// Whether something was made, removed or given another name in its home, even if nothing is left.
    pub(super) fn home_was_used(&self) -> bool {
        self.made.is_none() || changed(&self.home) != self.made
    }

    /// Sends a signal and waits for the end.
    pub(super) fn end(&mut self, signal: Signal) -> Result<End, DrillError> {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap_or(i32::MAX));
        let _ = kill(pid, signal);
        let Some(status) = self.heard.ended()? else {
            return Err(DrillError::Story(
                "the relay did not end when it was told to",
            ));
        };
        self.unheard = !self.heard.is_whole();
        let asked = status.success() || status.signal() == Some(signal as i32);
        Ok(End {
            dumped: status.core_dumped(),
            badly: (!asked).then(|| format!("it did not end as it was told to: {status}")),
        })
    }
}

/// How a relay ended.
pub(super) struct End {
    /// Whether it left a core dump.
    pub(super) dumped: bool,
    /// By a fault of its own, such as a system call that its filter forbids: how.
    pub(super) badly: Option<String>,
}

/// When a folder itself was last changed.
fn changed(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder).ok().map(|kind| changed_at(&kind))
}

impl Said {
    fn listen(stream: Option<impl Read + Send + 'static>) -> Result<Self, DrillError> {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        let listener = thread().spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.extend_from_slice(chunk.get(..length).unwrap_or_default());
            }
        });
        Ok(Self(said, listener.map_err(DrillError::system)?))
    }

    fn bytes(&self) -> Vec<u8> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
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
