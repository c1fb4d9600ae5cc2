//! Standard error, without ever waiting for whoever reads it.

#![allow(unsafe_code)]

use std::io::{self, Write};
use std::os::fd::AsRawFd;

/// Writes a line in one piece, so that those of several threads don't mix. When nobody takes it
/// (a pipe that is full), or the write fails, it is lost: there is nobody to tell.
pub(super) fn write(line: &str) {
    let mut stderr = io::stderr().lock();
    let mut ready = libc::pollfd {
        fd: stderr.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: `ready` is one valid pollfd, and lives on; a timeout of 0 returns at once.
    let waiting = unsafe { libc::poll(&mut ready, 1, 0) };
    if waiting == 1 && ready.revents & libc::POLLOUT != 0 {
        let _ = stderr.write_all(line.as_bytes());
    }
}
