//! An allocator that gives no memory back before it has wiped it: what was freed cannot be found.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;

/// The system's allocator, which wipes each block before it is freed, and the old place of each that
/// moves. What C code allocates by itself does not come this way; aws-lc wipes what it frees.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: sottovoce::quiet::Wiping = sottovoce::quiet::Wiping::over_system();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wiping<A = System>(A);

impl Wiping {
    /// Over the system's allocator.
    pub const fn over_system() -> Self {
        Self(System)
    }
}

// SAFETY: every block comes from the allocator below and goes back to it once, with the layout that
// it was asked for; a block is written to only while it is still ours.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout`.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout`.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: the block is of this layout, and nobody uses it any more.
        unsafe {
            wipe(block, layout.size());
            self.0.dealloc(block, layout);
        }
    }

    /// Always moves. The allocator below would leave a copy behind where it moves, and does not say
    /// whether it will.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size`, rounded up to the alignment, is no overflow.
        let moved = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the caller promises that `size` is not zero.
        let to = unsafe { self.0.alloc(moved) };
        if !to.is_null() {
            // SAFETY: both blocks are at least so long, and the new one overlaps no other; then the
            // old one is nobody's any more.
            unsafe {
                block.copy_to_nonoverlapping(to, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        to
    }
}

/// Overwrites a block that is about to be freed.
///
/// # Safety
/// `block` must be valid for writes of `size` bytes.
#[inline]
unsafe fn wipe(block: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { block.write_bytes(0, size) };
    // SAFETY: no instruction at all. For the compiler it may read whatever `block` leads to, so that
    // the zeros must be there, though the block is freed right after.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Looks at what is freed.
    #[derive(Default)]
    struct Spy {
        freed: AtomicUsize,
        unwiped: AtomicUsize,
    }

    // SAFETY: hands everything on to the system's.
    unsafe impl GlobalAlloc for Spy {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as promised to us.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: it is not freed yet, and the tests below have filled it.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            let left = bytes.iter().filter(|&&byte| byte != 0).count();
            self.unwiped.fetch_add(left, Ordering::Relaxed);
            self.freed.fetch_add(layout.size(), Ordering::Relaxed);
            // SAFETY: as promised to us.
            unsafe { System.dealloc(block, layout) }
        }
    }

    fn filled(allocator: &Wiping<Spy>, layout: Layout) -> *mut u8 {
        // SAFETY: no layout here is empty.
        let block = unsafe { allocator.alloc(layout) };
        assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
        // SAFETY: the block is that long.
        unsafe { block.write_bytes(0xa5, layout.size()) };
        block
    }

    fn layouts() -> impl Iterator<Item = Layout> {
        let sizes = [1, 7, 8, 24, 1000, 4096, 200_000, 3_000_000];
        sizes.into_iter().flat_map(|size| {
            [1, 8, 64, 4096].map(|align| Layout::from_size_align(size, align).unwrap())
        })
    }

    #[test]
    fn freed_memory_holds_nothing() {
        for layout in layouts() {
            let allocator = Wiping(Spy::default());
            let block = filled(&allocator, layout);
            // SAFETY: allocated above with this layout.
            unsafe { allocator.dealloc(block, layout) };
            assert_eq!(allocator.0.freed.load(Ordering::Relaxed), layout.size());
            assert_eq!(allocator.0.unwiped.load(Ordering::Relaxed), 0, "{layout:?}");
        }
    }

    #[test]
    fn what_grows_or_shrinks_is_whole_and_leaves_nothing_behind() {
        for layout in layouts() {
            for size in [1, layout.size().div_ceil(2), layout.size() * 3] {
                let allocator = Wiping(Spy::default());
                let block = filled(&allocator, layout);
                // SAFETY: allocated above with this layout.
                let moved = unsafe { allocator.realloc(block, layout, size) };
                assert_eq!(allocator.0.freed.load(Ordering::Relaxed), layout.size());
                // SAFETY: so much of it has been copied.
                let kept = unsafe { std::slice::from_raw_parts(moved, size.min(layout.size())) };
                assert!(kept.iter().all(|&byte| byte == 0xa5));
                // SAFETY: the spy reads all of it.
                unsafe { moved.write_bytes(0x5a, size) };
                let layout = Layout::from_size_align(size, layout.align()).unwrap();
                // SAFETY: what realloc gave, with the layout that it has now.
                unsafe { allocator.dealloc(moved, layout) };
                assert_eq!(allocator.0.unwiped.load(Ordering::Relaxed), 0, "{layout:?}");
            }
        }
    }
}
