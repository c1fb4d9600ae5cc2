//! What SIGHUP means for this relay: a terminal sends it to what ran in it when it is closed, and an
//! operator, or a service's `reload`, when the certificate's files are other ones.

use std::fs::{File, read_to_string};

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
    /// Ask before signals are caught.
    pub(super) fn of(config: &RelayConfig) -> Self {
        match &config.certificate {
            Some(_) => Self::Reload,
            None if has_terminal() && !is_ignored() => Self::Stop,
            None => Self::Ignore,
        }
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
    fn nohup_is_seen() {
        assert!(ignored_in(
            "Name:\tx\nSigBlk:\t0\nSigIgn:\t0000000000001001\n"
        ));
        assert!(!ignored_in("SigBlk:\t1\nSigIgn:\t0000000000001000\n"));
        assert!(!ignored_in(""));
    }
}
