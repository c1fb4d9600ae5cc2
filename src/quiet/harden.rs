//! What keeps others from looking into the process, and it from being written to a disk.

#![allow(unsafe_code)]

/// A measure that the system refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HardenError {
    /// The process could be dumped or traced by its own user.
    #[error("the system did not let this process refuse memory dumps; its memory can be read")]
    Dumpable,
    /// The limit on core files stayed above zero.
    #[error("the system did not let this process forbid core files; a crash may write its memory")]
    CoreLimit,
    /// The process could gain privileges by running a program.
    #[error(
        "the system did not let this process refuse new privileges; a program that it runs could have them"
    )]
    Privileges,
    /// No Landlock.
    #[error(
        "this system does not let the relay lock itself out of all files (Landlock: Linux 5.13 or \
         newer, with `landlock` in its `lsm=`); it could open some"
    )]
    Landlock,
    /// No seccomp.
    #[error(
        "this system does not let the relay give up the system calls that it does not need \
         (seccomp); it could make them"
    )]
    Seccomp,
}

impl HardenError {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dumpable => "dumpable",
            Self::CoreLimit => "core_limit",
            Self::Privileges => "privileges",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }
}

/// Makes the process undumpable: no core file, none through a pipe to a handler either (which no
/// limit stops), no tracing by other processes of the same user. Call it before the first secret.
///
/// # Errors
/// The first measure that was refused; the others are taken all the same.
pub fn harden() -> Result<(), HardenError> {
    let limit = core_limit();
    let dumpable = dumpable();
    dumpable.and(limit)
}

fn dumpable() -> Result<(), HardenError> {
    let no: libc::c_ulong = 0;
    // SAFETY: PR_SET_DUMPABLE takes one integer and touches no memory of ours.
    let refused = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, no, no, no, no) } != 0;
    // SAFETY: PR_GET_DUMPABLE takes nothing and touches no memory of ours.
    let still = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, no, no, no, no) } != 0;
    if refused || still {
        return Err(HardenError::Dumpable);
    }
    Ok(())
}

fn core_limit() -> Result<(), HardenError> {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `none` is a valid rlimit that outlives the call.
    match unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) } {
        0 => Ok(()),
        _ => Err(HardenError::CoreLimit),
    }
}

/// Keeps the process's memory, that of later too, from being written to swap. Only where the system
/// lets it lock as much as it likes (`LimitMEMLOCK=infinity`, or a capability for it), since memory
/// past a limit would not be had at all; says whether it does. What is not used yet is not fetched.
pub fn lock_memory() -> bool {
    let Some(limit) = memory_limit() else {
        return false;
    };
    let none = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    if limit.rlim_cur == libc::RLIM_INFINITY || limit_memory(none) {
        return lock();
    }
    // Where nothing may be locked, only CAP_IPC_LOCK lets it, and with that there is no limit.
    let nothing = libc::rlimit {
        rlim_cur: 0,
        ..limit
    };
    let locked = limit_memory(nothing) && lock();
    if !locked {
        limit_memory(limit);
    }
    locked
}

fn memory_limit() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit that outlives the call, which fills it.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    (result == 0).then_some(limit)
}

fn limit_memory(limit: libc::rlimit) -> bool {
    // SAFETY: `limit` is a valid rlimit that outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &limit) == 0 }
}

fn lock() -> bool {
    // SAFETY: takes flags alone, and changes no byte of our memory.
    unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) == 0 }
}
