//! What can be read of a machine: files, and what a few of its programs say.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A machine, by its file system. Tests make one up in a folder.
pub(super) struct Machine {
    root: PathBuf,
    ask: fn(&str, &[&str]) -> Option<String>,
}

impl Machine {
    /// The one that this process runs on.
    pub(super) fn this() -> Self {
        Self {
            root: PathBuf::from("/"),
            ask,
        }
    }

    /// Where a path of the machine is for this process.
    pub(super) fn place(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        match path.strip_prefix("/") {
            Ok(below) => self.root.join(below),
            Err(_) => path.to_owned(),
        }
    }

    /// A file's text, without the white space around it. None when it is not there, or not to be
    /// read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let text = fs::read_to_string(self.place(path)).ok()?;
        Some(text.trim().to_owned())
    }

    /// A file that holds one number.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// Whether anything is there.
    pub(super) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.place(path).exists()
    }

    /// The names in a folder, in order; none when there is no such folder.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.place(folder)).into_iter().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// The user that this process runs as.
    pub(super) fn user(&self) -> Option<u32> {
        let own = fs::metadata(self.place("/proc/self")).ok()?;
        Some(own.uid())
    }

    /// The soft limit of this kind (as `/proc/self/limits` names it) that a program started from
    /// here has.
    pub(super) fn limit(&self, name: &str) -> Option<Limit> {
        let limits = self.text("/proc/self/limits")?;
        let rest = limits.lines().find_map(|line| line.strip_prefix(name))?;
        match rest.split_whitespace().next()? {
            "unlimited" => Some(Limit::None),
            number => Some(Limit::At(number.parse().ok()?)),
        }
    }

    /// What a program prints that ends well.
    pub(super) fn ask(&self, program: &str, arguments: &[&str]) -> Option<String> {
        (self.ask)(program, arguments)
    }
}

/// How far a process may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    None,
    At(u64),
}

fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

/// A machine of these files alone, where no program answers. Its folder goes with the process.
#[cfg(test)]
pub(super) fn made_up(files: &[(&str, &str)]) -> Machine {
    let root = tempfile::tempdir().unwrap().keep();
    let machine = Machine {
        root,
        ask: |_, _| None,
    };
    for (path, text) in files {
        let place = machine.place(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    machine
}

#[cfg(test)]
impl Machine {
    /// The same, where programs answer so.
    pub(super) fn answering(mut self, ask: fn(&str, &[&str]) -> Option<String>) -> Self {
        self.ask = ask;
        self
    }
}

#[cfg(test)]
impl Drop for Machine {
    fn drop(&mut self) {
        if self.root != Path::new("/") {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_the_root() {
        let machine = made_up(&[("/proc/sys/n", " 17\n"), ("/etc/b", ""), ("/etc/a", "")]);
        assert_eq!(machine.number("/proc/sys/n"), Some(17));
        assert_eq!(machine.names("/etc"), ["a", "b"]);
        assert_eq!(machine.names("/nowhere"), [""; 0]);
        assert!(machine.has("/etc/a") && !machine.has("/etc/c"));
        assert_eq!(Machine::this().place("/etc/a"), Path::new("/etc/a"));
        assert_eq!(Machine::this().place("a"), Path::new("a"));
    }

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            20000                30000                files\n\
                      Max locked memory         unlimited            unlimited            bytes\n";
        let machine = made_up(&[("/proc/self/limits", limits)]);
        assert_eq!(machine.limit("Max open files"), Some(Limit::At(20_000)));
        assert_eq!(machine.limit("Max locked memory"), Some(Limit::None));
        assert_eq!(machine.limit("Max cpu time"), None);
    }
}
