//! Waiting for sockets, a waker, or a point in time.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Why a wait ended; several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Datagrams are there.
    pub readable: bool,
    /// A full socket has room again: flush.
    pub writable: bool,
    /// The waker's descriptor is readable; emptying it is the caller's part.
    pub waker: bool,
    /// The time has come.
    pub deadline: bool,
}

/// What to wait for on one descriptor.
pub(super) struct Interest<'a> {
    pub(super) descriptor: BorrowedFd<'a>,
    pub(super) writable: bool,
}

/// Waits until something happens; a signal ends the wait with nothing set.
///
/// `polls` is scratch space, kept so that a wait allocates nothing.
pub(super) fn wait<'a>(
    polls: &mut Vec<libc::pollfd>,
    sockets: impl Iterator<Item = Interest<'a>>,
    waker: Option<BorrowedFd<'a>>,
    until: Option<Instant>,
) -> Woken {
    polls.clear();
    polls.extend(sockets.map(|interest| libc::pollfd {
        fd: interest.descriptor.as_raw_fd(),
        events: libc::POLLIN | if interest.writable { libc::POLLOUT } else { 0 },
        revents: 0,
    }));
    let sockets = polls.len();
    polls.extend(waker.map(|waker| libc::pollfd {
        fd: waker.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    }));
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    let ready = ppoll(polls, left);
    if ready == 0 {
        return Woken {
            deadline: true,
            ..Woken::default()
        };
    }
    let (sockets, waker) = polls.split_at(sockets);
    let any = |polls: &[libc::pollfd], events| polls.iter().any(|poll| poll.revents & events != 0);
    Woken {
        // An error is taken off a socket by receiving.
        readable: ready > 0 && any(sockets, libc::POLLIN | libc::POLLERR),
        writable: ready > 0 && any(sockets, libc::POLLOUT),
        waker: ready > 0 && any(waker, libc::POLLIN | libc::POLLHUP | libc::POLLERR),
        deadline: until.is_some_and(|until| until <= Instant::now()),
    }
}

fn ppoll(polls: &mut [libc::pollfd], left: Option<Duration>) -> libc::c_int {
    let left = left.map(|left| libc::timespec {
        // Some C libraries count in 32 bits; nobody sleeps that long.
        tv_sec: left.as_secs().min(i32::MAX as u64) as _,
        tv_nsec: left.subsec_nanos() as _,
    });
    let timeout = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the slice and its length belong together, the timeout is null or points
    // to a value that outlives the call, and a null mask leaves the signals alone.
    unsafe {
        libc::ppoll(
            polls.as_mut_ptr(),
            polls.len() as libc::nfds_t,
            timeout,
            std::ptr::null(),
        )
    }
}
