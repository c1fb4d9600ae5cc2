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
}

impl HardenError {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dumpable => "dumpable",
            Self::CoreLimit => "core_limit",
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
