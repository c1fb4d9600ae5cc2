//! Whether the kernel lets the relay shut itself in.

use sottovoce::quiet::sandbox::Support;

use super::Finding;

const CHECK: &str = "sandbox";

pub(super) fn check(support: Support) -> Finding {
    let lacks = match (support.landlock_abi, support.seccomp) {
        (Some(abi), true) => {
            let sentence =
                format!("The kernel lets the relay shut itself in (Landlock {abi}, seccomp).");
            return Finding::fine(CHECK, sentence);
        }
        (None, true) => {
            "no Landlock, so the relay cannot give up the file system; a newer kernel, or \
             lsm=landlock,... among its parameters, has it"
        }
        (Some(_), false) => "no seccomp, so the relay cannot give up system calls; another has it",
        (None, false) => {
            "neither Landlock nor seccomp, so the relay can do what any program can; another has both"
        }
    };
    Finding::advice(CHECK, format!("This kernel has {lacks}."))
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn what_is_lacking_is_said() {
        for (landlock_abi, seccomp, state, words) in [
            (Some(3), true, State::Fine, "Landlock 3"),
            (Some(3), false, State::Advice, "no seccomp"),
            (None, true, State::Advice, "no Landlock"),
            (None, false, State::Advice, "neither"),
        ] {
            let support = Support {
                landlock_abi,
                seccomp,
            };
            let finding = check(support);
            assert_eq!(finding.state, state);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}
