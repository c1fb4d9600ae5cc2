//! Clears the stack that a turn has used.

use std::mem::MaybeUninit;

/// Bytes below the caller's frame that are overwritten: more than the deepest
/// call from a turn into the table.
const DEPTH: usize = 8192;

/// Overwrites what earlier calls from the same caller left on the stack.
///
/// A value's last copy is often in a frame that has returned: the compiler moves
/// and spills as it likes, and no destructor sees those copies.
#[inline(never)]
pub(super) fn scrub_stack() {
    let mut below = MaybeUninit::<[u64; DEPTH / 8]>::uninit();
    let start = below.as_mut_ptr().cast::<u64>();
    for at in 0..DEPTH / 8 {
        // SAFETY: `at` is inside the array, and writing needs no initialised value.
        // Volatile, since nobody reads it.
        unsafe { start.add(at).write_volatile(0) };
    }
}
