//! The kernel's age, and how many files it lets a process have.

use super::Finding;
use super::machine::{Limit, Machine};

/// Without it the relay sends packet by packet (UDP_SEGMENT, UDP_GRO), and there is no Landlock.
const OLDEST: (u32, u32) = (5, 13);

/// Sockets, signals, the page, metrics; participants take none.
const FILES: u64 = 256;

pub(super) fn check(machine: &Machine) -> Finding {
    const CHECK: &str = "kernel";
    let release = machine
        .text("/proc/sys/kernel/osrelease")
        .unwrap_or_default();
    let (major, minor) = OLDEST;
    match version(&release) {
        Some(version) if version >= OLDEST => Finding::fine(CHECK, format!("Linux {release}.")),
        Some(_) => {
            let sentence = format!(
                "Linux {release} is older than {major}.{minor}, the first that can close the file \
                 system to the relay (Landlock); update it."
            );
            Finding::advice(CHECK, sentence)
        }
        None => {
            let sentence = format!(
                "This system does not say which Linux it is; the relay wants {major}.{minor} or newer."
            );
            Finding::advice(CHECK, sentence)
        }
    }
}

/// From something like `6.1.0-37-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|letter: char| !letter.is_ascii_digit());
    let mut number = || parts.next()?.parse().ok();
    Some((number()?, number()?))
}

pub(super) fn open_files(machine: &Machine) -> Finding {
    const CHECK: &str = "open-files";
    match machine.limit("Max open files") {
        Some(Limit::At(most)) if most < FILES => {
            let sentence = format!(
                "A program may have {most} files open here, and the relay wants up to {FILES}: \
                 `ulimit -n {FILES}`."
            );
            Finding::wrong(CHECK, sentence)
        }
        _ => Finding::fine(
            CHECK,
            "There is room: participants take none, they share the relay's sockets.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        assert_eq!(version("6.1.0-37-amd64"), Some((6, 1)));
        assert_eq!(version("5.15-rc2"), Some((5, 15)));
        assert_eq!(version("plan9"), None);
        for (release, state) in [
            ("5.4.0\n", State::Advice),
            ("5.13.0", State::Fine),
            ("10.0", State::Fine),
            ("", State::Advice),
        ] {
            let machine = made_up(&[("/proc/sys/kernel/osrelease", release)]);
            assert_eq!(check(&machine).state, state, "{release}");
        }
    }

    #[test]
    fn few_files_are_too_few() {
        let limits = "Max open files            64       64      files\n";
        let machine = made_up(&[("/proc/self/limits", limits)]);
        assert_eq!(open_files(&machine).state, State::Wrong);
        assert_eq!(open_files(&made_up(&[])).state, State::Fine);
    }
}
