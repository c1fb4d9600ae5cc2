//! Beside the crowd, a meeting of real participants, end to end: the program itself, which plays, opens
//! what the other sends, and comes back by its own rules.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use std::cell::{Cell, RefCell};

use serde_json::Value;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::sleep;

const PLAYED: [&str; 2] = [
    "tests/fixtures/vp8-voice.webm",
    "tests/fixtures/vp9-voice.webm",
];
/// How often a trace is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long a meeting may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two who play and listen.
pub struct Meeting {
    people: Vec<Rc<Person>>,
    tasks: Vec<JoinHandle<()>>,
}

struct Person {
    process: RefCell<Child>,
    /// When it opened a frame of the other last.
    opened: Cell<Option<Instant>>,
    /// For how long it opened nothing at most, since a restart began.
    gap: Cell<Duration>,
}

impl Meeting {
    pub async fn begin(program: &Path, relay: &str, folder: &Path) -> Result<Self, String> {
        let invited = Command::new(program)
            .args(["invite", "--json", "--relay", relay])
            .output()
            .map_err(|error| error.to_string())?;
        let invited: Value = serde_json::from_slice(&invited.stdout).map_err(|e| e.to_string())?;
        let link = |name: &str| invited[name].as_str().ok_or("no link");
        let mut meeting = Self {
            people: Vec::new(),
            tasks: Vec::new(),
        };
        for (number, link) in [link("host_link")?, link("meeting_link")?]
            .into_iter()
            .enumerate()
        {
            let trace = folder.join(format!("trace-{number}"));
            let admits: &[&str] = if number == 0 {
                &["--admit", "all"]
            } else {
                &[]
            };
            let child = Command::new(program)
                .args(["join", link, "--name", "Soak", "--json", "--loop", "--play"])
                .arg(PLAYED.get(number).copied().unwrap_or_default())
                .args(admits)
                .arg("--trace")
                .arg(&trace)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| error.to_string())?;
            let person = Rc::new(Person {
                process: child.into(),
                opened: Cell::default(),
                gap: Cell::default(),
            });
            meeting
                .tasks
                .push(spawn_local(follow(person.clone(), trace)));
            meeting.people.push(person);
            // The host first.
            sleep(Duration::from_secs(2)).await;
        }
        let until = Instant::now() + PATIENCE;
        while meeting
            .people
            .iter()
            .any(|person| person.opened.get().is_none())
        {
            if Instant::now() > until {
                return Err("the real meeting does not begin".into());
            }
            sleep(LOOK).await;
        }
        Ok(meeting)
    }

    /// A restart begins.
    pub fn hold(&self) {
        self.people
            .iter()
            .for_each(|person| person.gap.set(Duration::ZERO));
    }

    /// Whether both have opened something since the relay was `ready` again.
    pub fn all_back(&self, ready: Instant) -> bool {
        self.people
            .iter()
            .all(|person| person.opened.get() > Some(ready))
    }

    /// The restart is over: for how long one opened nothing at most.
    pub fn release(&self) -> Duration {
        let silent = |opened: Instant| opened.elapsed();
        let gap = |person: &Rc<Person>| {
            let now = person.opened.get().map_or(Duration::MAX, silent);
            person.gap.get().max(now)
        };
        self.people.iter().map(gap).max().unwrap_or(Duration::MAX)
    }

    /// Both leave.
    pub async fn end(&mut self) -> Result<(), String> {
        for person in self.people.iter().rev() {
            let pid = person.process.borrow().id().to_string();
            let sent = Command::new("kill").args(["-INT", &pid]).status();
            sent.map_err(|error| error.to_string())?;
            let until = Instant::now() + PATIENCE;
            let ended = || person.process.borrow_mut().try_wait().ok().flatten();
            let mut status = ended();
            while status.is_none() && Instant::now() < until {
                sleep(LOOK).await;
                status = ended();
            }
            match status {
                Some(status) if status.success() => {}
                Some(status) => return Err(format!("a real participant ended with {status}")),
                None => return Err("a real participant does not end".into()),
            }
        }
        self.tasks.iter().for_each(JoinHandle::abort);
        Ok(())
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let process = self.process.get_mut();
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Notes when a trace gets longer by frames of the other.
async fn follow(person: Rc<Person>, trace: PathBuf) {
    let mut file = None;
    let mut text = String::new();
    loop {
        sleep(LOOK).await;
        if file.is_none() {
            file = File::open(&trace).ok();
        }
        let Some(file) = &mut file else { continue };
        text.clear();
        if file.read_to_string(&mut text).is_err() || !text.contains("\"from\":") {
            continue;
        }
        let now = Instant::now();
        if let Some(last) = person.opened.replace(Some(now)) {
            person.gap.set(person.gap.get().max(now - last));
        }
    }
}
