//! What SIGHUP means for this relay.

use sottovoce::relay::RelayConfig;

/// What the signal means that a closed terminal sends to what ran in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HangUp {
    /// The operator has renewed the certificate's files.
    Reload,
    /// The terminal is gone, and with it whoever could end the relay.
    Stop,
    /// The relay shall outlive its terminal: `nohup`.
    Ignore,
}

impl HangUp {
    /// Ask before signals are caught.
    pub(super) fn of(config: &RelayConfig) -> Self {
        match (&config.certificate, is_ignored()) {
            (Some(_), _) => Self::Reload,
            (None, true) => Self::Ignore,
            (None, false) => Self::Stop,
        }
    }
}

/// Whoever started this process had it ignore the signal. Where the system does not tell, nobody did.
fn is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status))
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
