//! A folder of the drill's own: the relay's program, its home, and what is played to it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::DrillError;
use super::canary::word;

/// Whom the relay runs as where the drill is root: a user who owns nothing ("nobody" everywhere).
pub(super) const NOBODY: u32 = 65_534;

/// Removed when it is dropped.
pub(super) struct Scratch {
    root: PathBuf,
    /// The relay's program: a copy that any user may run.
    pub(super) relay: PathBuf,
    /// The program that participants and probes run.
    pub(super) program: PathBuf,
}

impl Scratch {
    pub(super) fn new(relay: &Path, program: &Path) -> Result<Self, DrillError> {
        let root = std::env::temp_dir().join(format!("sottovoce-drill-{}", word()?));
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o755);
        builder
            .create(&root)
            .map_err(|error| DrillError::Scratch(error.kind()))?;
        let scratch = Self {
            relay: root.join("relay"),
            program: root.join("sottovoce"),
            root,
        };
        copy(relay, &scratch.relay)?;
        copy(program, &scratch.program)?;
        Ok(scratch)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A home for a relay, where it may write.
    pub(super) fn home(&self, root: bool) -> Result<PathBuf, DrillError> {
        let home = self.root.join(format!("home-{}", word()?));
        let made = fs::create_dir(&home).and_then(|()| match root {
            true => chown(&home, Some(NOBODY), Some(NOBODY)),
            false => Ok(()),
        });
        made.map_err(|error| DrillError::Scratch(error.kind()))?;
        Ok(home)
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
    let copied =
        fs::copy(from, to).and_then(|_| fs::set_permissions(to, fs::Permissions::from_mode(0o755)));
    copied.map_err(|error| DrillError::Program(from.to_owned(), error.kind()))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed holds canaries alone.
        let _ = fs::remove_dir_all(&self.root);
    }
}
