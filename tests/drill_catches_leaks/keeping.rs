//! An allocator that keeps what requests say of whoever makes them, out of the packets that are freed:
//! what a relay would do that held on to them.

// Forwarding takes it.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::io::IoSliceMut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use sottovoce::quiet::Wiping;

/// The program's allocator, with this habit.
pub struct Keeping(pub Wiping);

/// Whether it has it.
pub static KEEPS: AtomicBool = AtomicBool::new(false);

/// By which it knows them, and what it keeps of each.
const MARK: &[u8] = b"canaryrq-";
const LENGTH: usize = 42;

static KEPT: Mutex<([u8; 100 * LENGTH], usize)> = Mutex::new(([0; 100 * LENGTH], 0));

/// The largest packet.
const PACKET: usize = 1500;

fn look(block: *mut u8, length: usize) {
    if !KEEPS.load(Ordering::Relaxed) || !(LENGTH..=PACKET).contains(&length) {
        return;
    }
    let mut bytes = [0; PACKET];
    let local = &mut [IoSliceMut::new(&mut bytes[..length])];
    let base = block as usize;
    let remote = RemoteIoVec { base, len: length };
    if process_vm_readv(Pid::this(), local, &[remote]).is_err() {
        return;
    }
    // It must not wait for itself.
    let Ok(mut kept) = KEPT.try_lock() else {
        return;
    };
    let (room, used) = &mut *kept;
    for text in bytes[..length].windows(LENGTH) {
        if text.starts_with(MARK)
            && let Some(place) = room.get_mut(*used..*used + LENGTH)
        {
            place.copy_from_slice(text);
            *used += LENGTH;
        }
    }
}

// SAFETY: every call goes to `Wiping` unchanged; looking at a block neither allocates nor writes to it.
unsafe impl GlobalAlloc for Keeping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `Wiping` asks for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        look(block, layout.size());
        // SAFETY: as above.
        unsafe { self.0.dealloc(block, layout) }
    }
}
