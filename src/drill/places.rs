//! Every place but memory where a process can leave something, as bytes to search.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::report::Place;

/// Bytes of one file that are searched.
const LARGEST: u64 = 64 << 20;

/// What was read at a place; `Err` with the reason when it could not be.
pub(super) struct Found {
    pub(super) place: Place,
    /// What exactly, for the details of a row.
    pub(super) what: String,
    pub(super) bytes: Result<Vec<u8>, String>,
}

impl Found {
    pub(super) fn new(place: Place, what: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            place,
            what: what.into(),
            bytes: Ok(bytes),
        }
    }

    /// A file; nothing when there is none. Of one that is too large its beginning, and that.
    fn read(place: Place, path: &Path) -> Vec<Self> {
        let bytes = fs::File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(LARGEST + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let what = path.display().to_string();
        match bytes {
            Ok(bytes) => {
                let rest = bytes.len() as u64 > LARGEST;
                let rest = rest.then(|| Self {
                    place,
                    what: what.clone(),
                    bytes: Err(format!("{what} is larger than what is read")),
                });
                let read = Self::new(place, what, bytes);
                [read].into_iter().chain(rest).collect()
            }
            // The thread or descriptor has gone, or the kernel has no such file.
            Err(error) if gone(&error) => Vec::new(),
            Err(error) => vec![failed(place, &what, &error)],
        }
    }
}

fn gone(error: &std::io::Error) -> bool {
    // ESRCH, and EINVAL of files that a kernel has and does not fill.
    error.kind() == ErrorKind::NotFound || matches!(error.raw_os_error(), Some(3 | 22))
}

/// Files of `/proc/PID` that say something about the process as a whole.
const PROCESS: [&str; 20] = [
    "auxv",
    "autogroup",
    "cgroup",
    "comm",
    "io",
    "limits",
    "loginuid",
    "maps",
    "mountinfo",
    "numa_maps",
    "personality",
    "sched",
    "schedstat",
    "sessionid",
    "smaps",
    "stat",
    "statm",
    "status",
    "syscall",
    "wchan",
];

/// All that `/proc` says of a process.
pub(super) fn process(pid: u32) -> Vec<Found> {
    let root = PathBuf::from(format!("/proc/{pid}"));
    let mut all = Vec::new();
    all.extend(Found::read(Place::Environment, &root.join("environ")));
    all.extend(Found::read(Place::CommandLine, &root.join("cmdline")));
    for name in PROCESS {
        all.extend(Found::read(Place::Process, &root.join(name)));
    }
    match fs::read_dir(root.join("task")) {
        Ok(tasks) => {
            for task in tasks.flatten() {
                for name in ["comm", "status"] {
                    all.extend(Found::read(Place::Threads, &task.path().join(name)));
                }
                all.extend(children(&task.path()));
            }
        }
        Err(error) => all.push(failed(Place::Threads, "task", &error)),
    }
    match fs::read_dir(root.join("fd")) {
        Ok(descriptors) => {
            for descriptor in descriptors.flatten() {
                let path = descriptor.path();
                let Ok(target) = fs::read_link(&path) else {
                    continue;
                };
                let name = target.display().to_string();
                all.push(Found::new(Place::Process, "fd", name.into_bytes()));
                let regular = fs::metadata(&path).is_ok_and(|kind| kind.is_file());
                if regular {
                    all.extend(Found::read(Place::Files, &path));
                }
            }
        }
        Err(error) => all.push(failed(Place::Process, "fd", &error)),
    }
    all
}

/// Processes that a thread has started: into these nobody looks.
fn children(task: &Path) -> Option<Found> {
    let why = match fs::read_to_string(task.join("children")) {
        Ok(children) if children.trim().is_empty() => return None,
        Ok(children) => format!("processes of its own: {}", children.trim()),
        Err(_) if !task.exists() => return None,
        Err(error) => format!("children ({})", error.kind()),
    };
    Some(Found {
        place: Place::Process,
        what: "children".into(),
        bytes: Err(why),
    })
}

fn failed(place: Place, what: &str, error: &std::io::Error) -> Found {
    Found {
        place,
        what: what.to_owned(),
        bytes: Err(format!("{what} ({})", error.kind())),
    }
}

/// The rows of the kernel's socket tables that are of the process.
pub(super) fn sockets(pid: u32) -> Vec<Found> {
    let root = PathBuf::from(format!("/proc/{pid}"));
    let own: HashSet<String> = match fs::read_dir(root.join("fd")) {
        Ok(descriptors) => {
            let targets = descriptors
                .flatten()
                .filter_map(|fd| fs::read_link(fd.path()).ok());
            let inode = |target: PathBuf| {
                let target = target.to_str()?.strip_prefix("socket:[")?;
                Some(target.strip_suffix(']')?.to_owned())
            };
            targets.filter_map(inode).collect()
        }
        Err(error) => return vec![failed(Place::Sockets, "fd", &error)],
    };
    let mut all = Vec::new();
    for table in [
        "udp", "udp6", "udplite", "tcp", "tcp6", "raw", "raw6", "unix", "packet",
    ] {
        let text = match fs::read_to_string(root.join("net").join(table)) {
            Ok(text) => text,
            // A kernel may lack a protocol; UDP it has, where a relay runs.
            Err(error) if error.kind() == ErrorKind::NotFound && table != "udp" => continue,
            Err(error) => {
                all.push(failed(Place::Sockets, table, &error));
                continue;
            }
        };
        let is_own = |line: &&str| line.split_whitespace().any(|field| own.contains(field));
        let rows: Vec<&str> = text.lines().filter(is_own).collect();
        all.push(Found::new(
            Place::Sockets,
            table,
            rows.join("\n").into_bytes(),
        ));
    }
    if let Ok(output) = std::process::Command::new("ss").args(["-anp"]).output() {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let own = format!("pid={pid},");
        let rows: Vec<&str> = text.lines().filter(|line| line.contains(&own)).collect();
        all.push(Found::new(
            Place::Sockets,
            "ss",
            rows.join("\n").into_bytes(),
        ));
    }
    all
}

/// Where every user may leave something.
const SHARED: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run/lock"];

/// Whose traces are looked for in the file system.
pub(super) struct Traces<'a> {
    /// The relay's own folder: all that is in it.
    pub(super) home: &'a Path,
    /// As whom it runs, and since when: what that user has made or changed elsewhere.
    pub(super) uid: u32,
    pub(super) since: SystemTime,
    /// Folders of the drill's own, which are passed over.
    pub(super) own: &'a [&'a Path],
}

impl Traces<'_> {
    /// Everything that has a name: names are searched too.
    pub(super) fn find(&self) -> Vec<Found> {
        let mut all = Vec::new();
        self.walk(self.home, &|_| true, &mut all);
        for folder in SHARED {
            let new = |kind: &Metadata| kind.uid() == self.uid && changed_at(kind) >= self.since;
            self.walk(Path::new(folder), &new, &mut all);
        }
        all
    }

    /// Goes through a folder, and those in it in which the relay can have put something.
    fn walk(&self, folder: &Path, is_wanted: &dyn Fn(&Metadata) -> bool, all: &mut Vec<Found>) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if gone(&error) => return,
            Err(error) => {
                all.push(failed(Place::Files, &folder.display().to_string(), &error));
                return;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(kind) = fs::symlink_metadata(&path) else {
                continue;
            };
            if self.own.contains(&path.as_path()) {
                continue;
            }
            if is_wanted(&kind) {
                let name = path.display().to_string();
                all.push(Found::new(Place::Files, "a name", name.into_bytes()));
                if kind.is_file() {
                    all.extend(Found::read(Place::Files, &path));
                }
                if let Ok(target) = fs::read_link(&path) {
                    let target = target.display().to_string();
                    all.push(Found::new(Place::Files, "a link", target.into_bytes()));
                }
            }
            if kind.is_dir() && (kind.uid() == self.uid || kind.mode() & 0o002 != 0) {
                self.walk(&path, is_wanted, all);
            }
        }
    }
}

/// When a file or folder was last changed: its owner cannot set this back.
pub(super) fn changed_at(kind: &Metadata) -> SystemTime {
    let seconds = u64::try_from(kind.ctime()).unwrap_or_default();
    let part = u32::try_from(kind.ctime_nsec()).unwrap_or_default();
    UNIX_EPOCH + Duration::new(seconds, part)
}

/// What an HTTP endpoint of the relay answers.
pub(super) fn http(place: Place, at: SocketAddr, path: &str) -> Found {
    let patience = Duration::from_secs(5);
    let mut stream = match TcpStream::connect_timeout(&at, patience) {
        Ok(stream) => stream,
        Err(error) => {
            let mut failed = failed(place, path, &error);
            failed.bytes = Err(format!("nobody answers at {at}"));
            return failed;
        }
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    let asked = stream
        .set_read_timeout(Some(patience))
        .and_then(|()| stream.write_all(request.as_bytes()));
    let mut bytes = Vec::new();
    let answer = asked.and_then(|()| stream.take(LARGEST).read_to_end(&mut bytes));
    Found {
        place,
        what: path.to_owned(),
        bytes: match (answer, bytes.is_empty()) {
            (_, false) => Ok(bytes),
            (Ok(_), true) => Err(format!("{path} answers nothing")),
            (Err(error), true) => Err(format!("{path} ({})", error.kind())),
        },
    }
}
