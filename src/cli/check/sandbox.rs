//! Whether the kernel lets the relay shut itself in.

use super::Finding;
use super::machine::Machine;

const CHECK: &str = "sandbox";

pub(super) fn check(machine: &Machine) -> Finding {
    let modules = machine.text("/sys/kernel/security/lsm").unwrap_or_default();
    let landlock = modules.split(',').any(|module| module == "landlock");
    let seccomp = machine.has("/proc/sys/kernel/seccomp/actions_avail");
    let lacks = match (landlock, seccomp) {
        (true, true) => {
            let sentence = "The kernel lets the relay shut itself in (Landlock, seccomp).";
            return Finding::fine(CHECK, sentence);
        }
        (false, true) => {
            "no Landlock, so the relay cannot give up the file system (the kernel's \
                          parameter lsm=landlock,... turns it on)"
        }
        (true, false) => "no seccomp, so the relay cannot give up system calls",
        (false, false) => "neither Landlock nor seccomp, so the relay runs as any program",
    };
    Finding::advice(CHECK, format!("This kernel has {lacks}."))
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    #[test]
    fn what_is_lacking_is_said() {
        let lsm = ("/sys/kernel/security/lsm", "lockdown,landlock,apparmor");
        let seccomp = ("/proc/sys/kernel/seccomp/actions_avail", "kill_process");
        assert_eq!(check(&made_up(&[lsm, seccomp])).state, State::Fine);
        for (files, words) in [
            (vec![lsm], "no seccomp"),
            (vec![seccomp], "no Landlock"),
            (vec![], "neither"),
        ] {
            let finding = check(&made_up(&files));
            assert_eq!(finding.state, State::Advice);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}
