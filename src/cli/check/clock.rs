//! The clock: certificates carry dates, and so do participants' own checks of them.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Finding;
use super::machine::Machine;

const CHECK: &str = "clock";

/// What a machine that copied the program may have been ahead of this one.
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn check(machine: &Machine, now: SystemTime) -> Finding {
    let program = std::env::current_exe().ok();
    at(machine, now, program.as_deref().and_then(modified))
}

fn modified(program: &Path) -> Option<SystemTime> {
    std::fs::metadata(program).ok()?.modified().ok()
}

/// `made`: when this program was put here; it cannot be before that.
fn at(machine: &Machine, now: SystemTime, made: Option<SystemTime>) -> Finding {
    if made.is_some_and(|made| now + SLACK < made) {
        let sentence = "This machine's clock stands before the day on which this program was made; \
                        set it (`timedatectl set-ntp true`), or nobody can connect.";
        return Finding::wrong(CHECK, sentence);
    }
    let asked = || {
        let answer = machine.ask(
            "timedatectl",
            &["show", "--property=NTPSynchronized", "--value"],
        );
        answer.is_some_and(|answer| answer.trim() == "yes")
    };
    if machine.has("/run/systemd/timesync/synchronized") || asked() {
        return Finding::fine(CHECK, "It is set by the network.");
    }
    Finding::advice(
        CHECK,
        "Nothing here says that the network sets the clock; a relay whose clock is a day off is \
         refused by participants. `timedatectl set-ntp true` sets it where systemd-timesyncd or \
         chrony is installed.",
    )
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    #[test]
    fn a_clock_that_nobody_sets_or_that_stands_in_the_past_is_seen() {
        let now = SystemTime::now();
        let later = Some(now + 2 * SLACK);
        let bare = made_up(&[]);
        assert_eq!(at(&bare, now, later).state, State::Wrong);
        assert_eq!(at(&bare, now, Some(now)).state, State::Advice);
        let marked = made_up(&[("/run/systemd/timesync/synchronized", "")]);
        assert_eq!(at(&marked, now, None).state, State::Fine);
        let told =
            made_up(&[]).answering(|program, _| (program == "timedatectl").then(|| "yes\n".into()));
        assert_eq!(at(&told, now, None).state, State::Fine);
        let told = told.answering(|_, _| Some("no\n".into()));
        assert_eq!(at(&told, now, None).state, State::Advice);
    }
}
