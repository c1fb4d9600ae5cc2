//! What SIGHUP means for this relay: a terminal sends it to what ran in it when it is closed, and an
//! operator, or a service's `reload`, when the certificate's files are other ones.

use std::fs::{File, read_to_string};
use std::path::{Path, PathBuf};

use sottovoce::relay::RelayConfig;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HangUp {
    /// The operator has renewed the certificate's files.
    Reload,
    /// The terminal is gone, and with it whoever could end the relay.
    Stop,
    /// There are no files to read again, and no terminal; or the relay shall outlive it (`nohup`).
    Ignore,
}

impl HangUp {
    /// For a relay that reads such [`files`] again. Ask before signals are caught.
    pub(super) fn of(files: &[PathBuf]) -> Self {
        match files {
            [_, ..] => Self::Reload,
            [] if has_terminal() && !is_ignored() => Self::Stop,
            [] => Self::Ignore,
        }
    }
}

/// The files that are read again. Not those among systemd's credentials: they never change while the
/// service runs, and where they are, the identity is too.
pub(super) fn files(config: &RelayConfig, credentials: Option<&Path>) -> Vec<PathBuf> {
    let files = || config.certificate.iter().chain(&config.key);
    match credentials {
        Some(folder) if files().any(|file| file.starts_with(folder)) => Vec::new(),
        _ => files().cloned().collect(),
    }
}

/// A service has none, nor what was started with `setsid`.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Whoever started this process had it ignore the signal. Where the system does not tell, nobody did.
fn is_ignored() -> bool {
    read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status))
}

/// The lowest bit of the mask of ignored signals is SIGHUP's, number 1.
fn ignored_in(status: &str) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_read_again() {
        let config = RelayConfig {
            certificate: Some("/run/credentials/x/certificate".into()),
            key: Some("/run/credentials/x/key".into()),
            ..RelayConfig::default()
        };
        let of = |folder| files(&config, folder).len();
        assert_eq!(of(None), 2);
        assert_eq!(of(Some(Path::new("/run/credentials/y"))), 2);
        assert_eq!(of(Some(Path::new("/run/credentials/x"))), 0);
        assert_eq!(files(&RelayConfig::default(), None).len(), 0);
    }

    #[test]
    fn nohup_is_seen() {
        assert!(ignored_in(
            "Name:\tx\nSigBlk:\t0\nSigIgn:\t0000000000001001\n"
        ));
        assert!(!ignored_in("SigBlk:\t1\nSigIgn:\t0000000000001000\n"));
        assert!(!ignored_in(""));
    }
}
