//! What a drill would leave behind if it ended now: processes and folders. They go with it, also
//! where a signal ends it.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Of all drills of this process: a signal ends them all.
static LEFTOVERS: Mutex<Leftovers> = Mutex::new(Leftovers {
    over: false,
    processes: Vec::new(),
    folders: Vec::new(),
});

struct Leftovers {
    /// A signal has come, and nothing starts any more.
    over: bool,
    processes: Vec<Weak<Mutex<Child>>>,
    folders: Vec<PathBuf>,
}

/// A process of the drill's. It is killed when this is dropped.
pub(super) struct Process(Arc<Mutex<Child>>);

impl Process {
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut leftovers = lock(&LEFTOVERS);
        if leftovers.over {
            return Err(ErrorKind::Interrupted.into());
        }
        let child = Arc::new(Mutex::new(begin(command)?));
        leftovers.processes.retain(|one| one.strong_count() > 0);
        leftovers.processes.push(Arc::downgrade(&child));
        Ok(Self(child))
    }

    pub(super) fn child(&self) -> MutexGuard<'_, Child> {
        lock(&self.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.0);
    }
}

/// A child that another thread has just forked holds the file open for writing that was copied a moment
/// ago, until it becomes another program: then it is busy, and soon is not.
fn begin(command: &mut Command) -> io::Result<Child> {
    for _ in 0..100 {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            begun => return begun,
        }
    }
    command.spawn()
}

/// A folder of the drill's. It is removed when this is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// One that every user may enter.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        let mut leftovers = lock(&LEFTOVERS);
        if leftovers.over {
            return Err(ErrorKind::Interrupted.into());
        }
        fs::create_dir(&path)?;
        leftovers.folders.push(path.clone());
        let folder = Self(path);
        drop(leftovers);
        // Whatever the umask says.
        fs::set_permissions(&folder.0, Permissions::from_mode(0o755))?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.0);
        lock(&LEFTOVERS).folders.retain(|folder| *folder != self.0);
    }
}

/// Ends all processes and removes all folders. No drill of this process goes on after it.
pub(super) fn clear() {
    let mut leftovers = lock(&LEFTOVERS);
    leftovers.over = true;
    let processes = std::mem::take(&mut leftovers.processes);
    let folders = std::mem::take(&mut leftovers.folders);
    drop(leftovers);
    for process in processes.iter().filter_map(Weak::upgrade) {
        end(&process);
    }
    folders.iter().for_each(|folder| remove(folder));
}

/// Also one that stands still.
fn end(child: &Mutex<Child>) {
    let mut child = lock(child);
    let _ = child.kill();
    let _ = child.wait();
}

/// What cannot be removed holds canaries alone.
fn remove(folder: &Path) {
    for _ in 0..20 {
        match fs::remove_dir_all(folder) {
            // Somebody was still writing.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(20));
            }
            _ => return,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that would end this program and that it can hear. Where they are listened to, they do
/// not end it.
pub(super) struct Interrupts([Signal; 7]);

impl Interrupts {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::quit())?,
            signal(SignalKind::alarm())?,
            signal(SignalKind::user_defined1())?,
            signal(SignalKind::user_defined2())?,
        ]))
    }

    pub(super) async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let mut any = self.0.iter_mut();
            match any.any(|signal| signal.poll_recv(context).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}
