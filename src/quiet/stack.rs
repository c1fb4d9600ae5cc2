//! Wipes the stack below a long-lived frame: calls that have returned leave copies there which no
//! destructor sees.

#![allow(unsafe_code)]

use std::arch::asm;
use std::mem::MaybeUninit;

/// Bytes that are overwritten: deeper than QUIC, TLS and the rooms go from a shard's loop. A thread's
/// stack has 2 MiB. Less: a handshake's frames stay; more: each quiet moment costs more.
const DEPTH: usize = 192 * 1024;

/// Overwrites what earlier calls from the same caller left on the stack. It costs some microseconds.
#[inline(never)]
pub fn wipe_stack() {
    let mut below = MaybeUninit::<[u8; DEPTH]>::uninit();
    // SAFETY: the array is ours and as long as is written.
    unsafe { below.as_mut_ptr().cast::<u8>().write_bytes(0, DEPTH) };
    // SAFETY: no instruction at all. For the compiler it may read the array, so that the zeros must be
    // there.
    unsafe { asm!("/* {0} */", in(reg) below.as_mut_ptr(), options(nostack, preserves_flags)) };
}
