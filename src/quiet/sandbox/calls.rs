//! The system calls that stay allowed. `docs/sandbox.md` lists them with the same reasons.

use super::Needs;

/// A call that is allowed, if all checks hold.
pub(super) struct Call {
    pub(super) number: i64,
    pub(super) checks: Vec<Check>,
}

/// What an argument must be.
#[derive(Clone, Copy)]
pub(super) struct Check {
    /// The first is 0.
    pub(super) argument: u8,
    pub(super) test: Test,
}

#[derive(Clone, Copy)]
pub(super) enum Test {
    /// This number.
    Is(u64),
    /// No address.
    IsNull,
    /// All of these bits.
    Has(u64),
    /// None of these bits.
    Lacks(u64),
}

/// Whatever their arguments.
#[rustfmt::skip]
const PLAIN: &[libc::c_long] = &[
    // Packets, by sockets that are bound already.
    libc::SYS_recvmmsg, libc::SYS_sendmmsg,
    // Waiting: for packets, for signals, for a time, for another thread.
    libc::SYS_ppoll, libc::SYS_epoll_pwait, libc::SYS_epoll_ctl,
    libc::SYS_clock_nanosleep, libc::SYS_nanosleep, libc::SYS_futex, libc::SYS_sched_yield,
    libc::SYS_restart_syscall,
    // What wakes a thread, standard output and error, connections for metrics.
    libc::SYS_read, libc::SYS_write, libc::SYS_writev, libc::SYS_close,
    // Where the kernel does not tell the time without a call.
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    // Memory, which cannot become code (see `mmap` below).
    libc::SYS_munmap, libc::SYS_mremap, libc::SYS_brk,
    // Signals that come in, and an abort.
    libc::SYS_rt_sigreturn, libc::SYS_rt_sigprocmask, libc::SYS_getpid, libc::SYS_gettid,
    // A thread's end, and the end.
    libc::SYS_sigaltstack, libc::SYS_exit, libc::SYS_exit_group,
    // The older ways to wait.
    #[cfg(target_arch = "x86_64")] libc::SYS_poll,
    #[cfg(target_arch = "x86_64")] libc::SYS_epoll_wait,
];

/// Reading a file that is named: whether it is there, how long it is, and its bytes.
#[rustfmt::skip]
const READING: &[libc::c_long] = &[
    libc::SYS_statx, libc::SYS_newfstatat, libc::SYS_fstat, libc::SYS_lseek,
    // musl's.
    #[cfg(target_arch = "x86_64")] libc::SYS_stat,
];

/// Everything that is allowed.
pub(super) fn allowed(needs: &Needs) -> Vec<Call> {
    let mut calls: Vec<Call> = PLAIN.iter().map(|&number| call(number, &[])).collect();
    calls.extend(memory());
    // On what is connected already: no address goes out, and none comes in.
    calls.push(call(libc::SYS_sendto, &[check(4, Test::IsNull)]));
    calls.push(call(libc::SYS_recvfrom, &[check(4, Test::IsNull)]));
    // Debug builds ask whether what they close is open.
    calls.push(call(libc::SYS_fcntl, &[is(1, libc::F_GETFD)]));
    calls.extend(dying());
    if !needs.rereads.is_empty() {
        calls.extend(reading());
    }
    if needs.counts {
        calls.push(call(libc::SYS_accept4, &[]));
    } else if needs.accepts {
        // Nobody asks who it is.
        let nobody = [check(1, Test::IsNull), check(2, Test::IsNull)];
        calls.push(call(libc::SYS_accept4, &nobody));
    }
    if needs.accepts || needs.counts {
        calls.push(call(libc::SYS_shutdown, &[]));
        // What became of a connection.
        let error = [is(1, libc::SOL_SOCKET), is(2, libc::SO_ERROR)];
        calls.push(call(libc::SYS_getsockopt, &error));
    }
    calls
}

/// Memory of no file, in which nothing can run.
fn memory() -> Vec<Call> {
    let no_code = check(2, Test::Lacks(bits(libc::PROT_EXEC)));
    let no_file = check(3, Test::Has(bits(libc::MAP_ANONYMOUS)));
    let mut calls = vec![
        call(libc::SYS_mmap, &[no_code, no_file]),
        call(libc::SYS_mprotect, &[no_code]),
    ];
    // Pages that are given back, and large ones where the C library was told to ask for them.
    for advice in [
        libc::MADV_DONTNEED,
        libc::MADV_FREE,
        libc::MADV_HUGEPAGE,
        libc::MADV_NOHUGEPAGE,
    ] {
        calls.push(call(libc::SYS_madvise, &[is(2, advice)]));
    }
    calls
}

/// An abort is a signal to oneself; a fault of memory is shown as what it is.
fn dying() -> Vec<Call> {
    let mut calls = Vec::new();
    for signal in [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS] {
        calls.push(call(libc::SYS_rt_sigaction, &[is(0, signal)]));
    }
    let own = check(0, Test::Is(u64::from(std::process::id())));
    calls.push(call(libc::SYS_tgkill, &[own, is(2, libc::SIGABRT)]));
    // musl's way, which names no process.
    if cfg!(target_env = "musl") {
        calls.push(call(libc::SYS_tkill, &[is(1, libc::SIGABRT)]));
    }
    calls
}

/// Which files can be read the fence says.
fn reading() -> Vec<Call> {
    let changes = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;
    let only_reads = Test::Lacks(bits(changes));
    let mut calls: Vec<Call> = READING.iter().map(|&number| call(number, &[])).collect();
    calls.push(call(libc::SYS_openat, &[check(2, only_reads)]));
    if cfg!(target_env = "musl") {
        #[cfg(target_arch = "x86_64")]
        calls.push(call(libc::SYS_open, &[check(1, only_reads)]));
        calls.push(call(libc::SYS_fcntl, &[is(1, libc::F_SETFD)]));
    }
    calls
}

fn call(number: libc::c_long, checks: &[Check]) -> Call {
    Call {
        number,
        checks: checks.to_vec(),
    }
}

fn check(argument: u8, test: Test) -> Check {
    Check { argument, test }
}

fn is(argument: u8, value: libc::c_int) -> Check {
    check(argument, Test::Is(bits(value)))
}

/// An int as the kernel compares it: 32 bits.
fn bits(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}
