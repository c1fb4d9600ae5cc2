//! Who works when others do not.

#![allow(unsafe_code)]

/// The least that a thread can have of a processor that others want.
const LEAST: libc::c_int = 19;

/// Lets the other threads go before this one, where they want the same processor. A system that does not
/// allow it treats all alike.
pub fn stand_back() {
    // SAFETY: takes integers alone. Of Linux's threads it is about the one that asks.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LEAST) };
}
