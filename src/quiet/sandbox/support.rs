//! What this kernel has of it.

#![allow(unsafe_code)]

/// What this kernel has of what a relay gives things up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// Landlock's version (ABI): files from 1 on, TCP from 4, signals and abstract sockets from 6.
    pub landlock_abi: Option<u32>,
    /// Whether seccomp can end a process.
    pub seccomp: bool,
}

/// Asks the kernel; changes nothing.
pub fn support() -> Support {
    Support {
        landlock_abi: landlock_abi(),
        seccomp: seccomp(),
    }
}

fn landlock_abi() -> Option<u32> {
    const VERSION: libc::c_uint = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag it takes no attributes, of length 0, and returns a number.
    let abi =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, VERSION) };
    u32::try_from(abi).ok().filter(|&abi| abi > 0)
}

fn seccomp() -> bool {
    let action = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: the kernel reads one u32 behind the pointer, which outlives the call.
    let known = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0,
            &raw const action,
        )
    };
    known == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a kernel that tells: what it says is what `/proc` says.
    #[test]
    fn seccomp_is_seen_where_it_is() {
        let actions = std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
        assert_eq!(
            support().seccomp,
            actions.is_ok_and(|all| all.contains("kill_process"))
        );
    }
}
