//! A folder of the drill's own: the relay's program, its home, and what is played to it.

use std::fs;
use std::io::{Error, ErrorKind, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::DrillError;
use super::canary::word;
use super::leftovers::Folder;

/// Whom the relay runs as where the drill is root: a user who owns nothing ("nobody" everywhere).
pub(super) const NOBODY: u32 = 65_534;

/// What the kernel says to a process that may not become another user.
const EPERM: i32 = 1;

/// Removed when it is dropped.
pub(super) struct Scratch {
    root: Folder,
    /// The relay's program: a copy that any user may run.
    pub(super) relay: PathBuf,
    /// The program that participants and probes run.
    pub(super) program: PathBuf,
}

impl Scratch {
    pub(super) fn new(relay: &Path, program: &Path) -> Result<Self, DrillError> {
        let temporary = std::env::temp_dir();
        let root = temporary.join(format!("sottovoce-drill-{}", word()?));
        let root = Folder::make(root).map_err(|error| match is_full(&error) {
            true => DrillError::Scratch(error.kind()),
            false => DrillError::Place(temporary, error.kind()),
        })?;
        let scratch = Self {
            relay: root.path().join("relay"),
            program: root.path().join("sottovoce"),
            root,
        };
        copy(relay, &scratch.relay)?;
        copy(program, &scratch.program)?;
        Ok(scratch)
    }

    pub(super) fn folder(&self) -> &Path {
        self.root.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A home for a relay, where it may write.
    pub(super) fn home(&self, root: bool) -> Result<PathBuf, DrillError> {
        let home = self.file(&format!("home-{}", word()?));
        fs::create_dir(&home).map_err(|error| DrillError::Scratch(error.kind()))?;
        if root {
            let given = chown(&home, Some(NOBODY), Some(NOBODY));
            given.map_err(|error| match is_full(&error) {
                true => DrillError::Scratch(error.kind()),
                false => DrillError::Capability,
            })?;
        }
        Ok(home)
    }

    /// Why a program in it was not started.
    pub(super) fn not_started(&self, program: &Path, error: &Error) -> DrillError {
        match (error.kind(), error.raw_os_error()) {
            (ErrorKind::Interrupted, _) => DrillError::Interrupted,
            (_, Some(EPERM)) => DrillError::Capability,
            (ErrorKind::PermissionDenied, _) => {
                let place = self.root.path().parent().unwrap_or(self.root.path());
                DrillError::Place(place.to_owned(), error.kind())
            }
            (kind, _) => DrillError::Program(program.to_owned(), kind),
        }
    }

    /// A file that everybody may read.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, DrillError> {
        let path = self.file(name);
        let written = fs::write(&path, bytes)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)));
        written.map_err(|error| DrillError::Scratch(error.kind()))?;
        Ok(path)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), DrillError> {
    let copied = is_program(from)
        .and_then(|()| fs::copy(from, to))
        .and_then(|_| fs::set_permissions(to, fs::Permissions::from_mode(0o755)));
    copied.map_err(|error| match is_full(&error) {
        true => DrillError::Scratch(error.kind()),
        false => DrillError::Program(from.to_owned(), error.kind()),
    })
}

/// Whether it begins as a program or a script does. Of anything else, execvp(3) makes a shell's input.
fn is_program(file: &Path) -> Result<(), Error> {
    let mut begin = Vec::new();
    fs::File::open(file)?.take(4).read_to_end(&mut begin)?;
    match begin.starts_with(b"\x7fELF") || begin.starts_with(b"#!") {
        true => Ok(()),
        false => Err(ErrorKind::InvalidData.into()),
    }
}

fn is_full(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}
