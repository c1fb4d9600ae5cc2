//! Whether this system writes core dumps: where it writes none, a relay that leaves none shows nothing.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::DrillError;
use super::leftovers::Process;
use super::scratch::{NOBODY, Scratch};

/// Lifts the limit of all processes that start from now on, as far as it may be lifted.
pub(super) fn lift_limit(root: bool) {
    let lifted = root && setrlimit(Resource::RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY).is_ok();
    if !lifted && let Ok((_, most)) = getrlimit(Resource::RLIMIT_CORE) {
        // What comes of it is looked at below.
        let _ = setrlimit(Resource::RLIMIT_CORE, most, most);
    }
}

/// Aborts a process of the relay's user that is not hardened, in a folder like the relay's.
pub(super) fn is_written(scratch: &Scratch, root: bool) -> Result<bool, DrillError> {
    let mut command = Command::new(&scratch.program);
    // It waits for its link.
    command
        .args(["join", "-", "--name", "canary"])
        .current_dir(scratch.home(root)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let process = Process::spawn(&mut command)
        .map_err(|error| scratch.not_started(&scratch.program, &error))?;
    let mut child = process.child();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let _ = kill(pid, Signal::SIGABRT);
    let input = child.stdin.take();
    let ended = child.wait();
    drop(input);
    Ok(ended.is_ok_and(|status| status.core_dumped()))
}
