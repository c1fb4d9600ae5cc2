//! The terminal that commands are typed at: read without waiting, and left as it was found.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::termios::{InputFlags, LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How the terminal was, as long as it is otherwise.
static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Pasted texts are marked as such; the cursor is hidden, because a cell that is turned round
/// stands for it.
const BEGIN: &[u8] = b"\x1b[?2004h\x1b[?25l";
const END: &[u8] = b"\x1b[?2004l\x1b[?25h";

/// What comes from a terminal.
pub(super) enum Arrived {
    /// So many bytes.
    Bytes(usize),
    /// The program was stopped and goes on: the screen may show something else now.
    Back,
    /// It is at its end, or gone.
    End,
}

/// A terminal.
pub(super) struct Terminal {
    file: File,
    /// The same, to be waited for. To the system a terminal is read like a pipe.
    keys: Receiver,
    continued: Signal,
    editing: bool,
}

impl Terminal {
    /// The terminal that is standard input; `editing`: each key comes at once, and the terminal
    /// shows nothing of itself. Fails too when another program has it.
    pub(super) fn open(editing: bool) -> io::Result<Self> {
        // Opened anew, because others who have the same one open must not find it changed to
        // return at once. The second is for the user of another's terminal (`su`).
        let open = |path| {
            let mut options = OpenOptions::new();
            options.read(true).write(true);
            options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC);
            options.open(path)
        };
        let file = open("/proc/self/fd/0").or_else(|_| open("/dev/tty"))?;
        if !is_ours(&file) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let terminal = Self {
            keys: Receiver::from_file_unchecked(file.try_clone()?)?,
            file,
            continued: signal(SignalKind::from_raw(libc::SIGCONT))?,
            editing,
        };
        terminal.begin()?;
        Ok(terminal)
    }

    /// Waits for more. Nothing is lost when the future is dropped.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> Arrived {
        loop {
            // Who reads from a terminal that another program has is stopped.
            let ours = is_ours(&self.file);
            let ready = tokio::select! {
                _ = self.continued.recv() => {
                    // Without it keys come as lines, which is still something.
                    let _ = self.begin();
                    return Arrived::Back;
                }
                ready = self.keys.readable(), if ours => ready,
            };
            if ready.is_err() {
                return Arrived::End;
            }
            if !is_ours(&self.file) {
                continue;
            }
            match self.keys.try_read(buffer) {
                Ok(0) => return Arrived::End,
                Ok(length) => return Arrived::Bytes(length),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => {}
                    _ => return Arrived::End,
                },
            }
        }
    }

    /// Sets the terminal to editing, unless another program has it.
    fn begin(&self) -> io::Result<()> {
        let mut file = &self.file;
        if !self.editing || !is_ours(file) {
            return Ok(());
        }
        let mut before = before();
        let mut mode = match &*before {
            Some((_, mode)) => mode.clone(),
            None => {
                let mode = tcgetattr(file)?;
                *before = Some((file.try_clone()?, mode.clone()));
                mode
            }
        };
        // Ctrl-C and ctrl-Z stay signals: they work whatever the program is busy with.
        mode.local_flags
            .remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN);
        mode.input_flags.remove(InputFlags::IXON);
        tcsetattr(file, SetArg::TCSADRAIN, &mode)?;
        file.write_all(BEGIN)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.editing {
            restore();
        }
    }
}

/// Whether this program is the one that the terminal obeys; so too where there are no others.
fn is_ours(file: &File) -> bool {
    match tcgetpgrp(file) {
        Ok(group) => group == getpgrp(),
        Err(_) => true,
    }
}

fn before() -> MutexGuard<'static, Option<(File, Termios)>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the terminal as it was before a [`Console`](super::Console) edited lines at it; does
/// nothing when none does. Dropping the console does the same: this is for ends that drop nothing,
/// like a fault. It never waits for a lock.
pub fn restore() {
    let before = match BEFORE.try_lock() {
        Ok(mut before) => before.take(),
        Err(_) => None,
    };
    let Some((mut file, mode)) = before else {
        return;
    };
    // In the background it is the shell's, which has put it in order; touching it would stop us.
    if is_ours(&file) {
        // Nobody is left to be told when the terminal is gone.
        let _ = tcsetattr(&file, SetArg::TCSANOW, &mode);
        let _ = file.write_all(END);
    }
}
