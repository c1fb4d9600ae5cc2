//! What another process of the same user can see of a process: nothing, if it is hardened.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::ptrace;
use nix::unistd::Pid;

use super::scratch::{NOBODY, Scratch};

/// Tries to look into a process, and says by what means it could. It is run as the relay's user.
pub fn probe(pid: u32) -> Vec<&'static str> {
    let mut ways = Vec::new();
    for (name, way) in [
        ("mem", "its memory can be opened"),
        ("maps", "its memory map can be read"),
        ("environ", "its environment can be read"),
    ] {
        let read = File::open(format!("/proc/{pid}/{name}")).and_then(|mut file| match name {
            // At address 0 there is nothing; that it opens is enough.
            "mem" => Ok(1),
            _ => file.read(&mut [0; 64]),
        });
        if read.is_ok_and(|length| length > 0) {
            ways.push(way);
        }
    }
    let process = i32::try_from(pid).map(Pid::from_raw);
    if process.is_ok_and(|process| ptrace::seize(process, ptrace::Options::empty()).is_ok()) {
        // It goes on as before, and is let go when this process ends.
        ways.push("it can be traced");
    }
    ways
}

/// What a process of the relay's user says that [`probe`] could do; `None` when it says nothing.
pub(super) fn neighbour(scratch: &Scratch, root: bool, pid: u32) -> Option<Vec<String>> {
    let mut command = Command::new(&scratch.program);
    command.args(["drill", "--probe", &pid.to_string()]);
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let ways = said.lines().map(str::to_owned).collect();
    output.status.success().then_some(ways)
}
