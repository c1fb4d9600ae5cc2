//! Ctrl-C, and the other ways in which a system asks a program to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::participant::error::JoinError;

/// The signals that ask this program to end.
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// A file that may not grow (`ulimit -f`) ends a program unless it listens: listening, it gets
    /// an error from the write, and completes its recordings as on a full disk.
    _too_large: Signal,
}

impl Interrupts {
    pub(super) fn new() -> Result<Self, JoinError> {
        let listen = |kind| signal(kind).map_err(|error| JoinError::system(&error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            _too_large: listen(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    /// Waits for the next one. None is lost when the future is dropped.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
