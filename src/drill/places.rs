//! Every place but memory where a process can leave something, as bytes to search.

use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::report::Place;
use super::scratch::NOBODY;

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

    /// A file; `None` when there is none.
    fn read(place: Place, path: &Path) -> Option<Self> {
        let bytes = fs::File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(LARGEST).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let bytes = match bytes {
            Ok(bytes) => Ok(bytes),
            // The thread or descriptor has gone, or the kernel has no such file.
            Err(error) if gone(&error) => return None,
            Err(error) => Err(format!("{} ({})", path.display(), error.kind())),
        };
        Some(Self {
            place,
            what: path.display().to_string(),
            bytes,
        })
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
        let Ok(text) = fs::read_to_string(root.join("net").join(table)) else {
            continue;
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

/// The relay's home with all that is in it, and what its user has written elsewhere since.
pub(super) fn files(home: &Path, root: bool, since: SystemTime) -> Vec<Found> {
    let mut all = Vec::new();
    walk(home, &|_| true, &mut |path, _| {
        all.push(Found::new(
            Place::Files,
            "a file's name",
            path.display().to_string().into(),
        ));
        all.extend(Found::read(Place::Files, path));
    });
    if root {
        for folder in ["/tmp", "/var/tmp", "/dev/shm", "/run/lock"] {
            walk(Path::new(folder), &may_write, &mut |path, kind| {
                let new = kind.modified().is_ok_and(|at| at >= since);
                if kind.uid() == NOBODY && new && !path.starts_with(home) {
                    all.extend(Found::read(Place::Files, path));
                }
            });
        }
    }
    all
}

/// Whether the relay's user can have put something there.
fn may_write(folder: &fs::Metadata) -> bool {
    folder.uid() == NOBODY || folder.mode() & 0o002 != 0
}

/// Visits all regular files below a folder, in such folders as `enter` says.
fn walk(
    folder: &Path,
    enter: &dyn Fn(&fs::Metadata) -> bool,
    visit: &mut dyn FnMut(&Path, &fs::Metadata),
) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(kind) = fs::symlink_metadata(&path) else {
            continue;
        };
        if kind.is_dir() && enter(&kind) {
            walk(&path, enter, visit);
        } else if kind.is_file() {
            visit(&path, &kind);
        }
    }
}

/// What an HTTP endpoint of the relay answers; `None` where nothing listens.
pub(super) fn http(place: Place, at: SocketAddr, path: &str) -> Option<Found> {
    let patience = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&at, patience).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    let asked = stream
        .set_read_timeout(Some(patience))
        .and_then(|()| stream.write_all(request.as_bytes()));
    let mut bytes = Vec::new();
    let answer = asked.and_then(|()| stream.take(LARGEST).read_to_end(&mut bytes));
    Some(Found {
        place,
        what: path.to_owned(),
        bytes: match (answer, bytes.is_empty()) {
            (_, false) => Ok(bytes),
            (Ok(_), true) => Err(format!("{path} answers nothing")),
            (Err(error), true) => Err(format!("{path} ({})", error.kind())),
        },
    })
}
