//! How a leaking relay comes by what it leaks. Above the airlock there is nothing to leak, so these
//! relays have somebody inside who reads the process's own memory for it, and wipes its own traces:
//! what is found afterwards is the leak's.

use std::io::IoSliceMut;
use std::net::SocketAddr;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use zeroize::Zeroize;

/// What was overheard.
pub enum Heard<'a> {
    /// An address, as it stands in the airlock.
    Address(&'a SocketAddr),
    /// Text that a peer gave.
    Text(&'a [u8]),
    /// A room handle.
    Room(&'a [u8]),
    /// Bytes that were passed on.
    Passed(&'a [u8]),
}

const CHUNK: usize = 1 << 16;

/// Letters of a text: "canary" and two words.
const TEXT: usize = 40;

/// Searches all memory that can be written, once, and wipes what that left behind.
pub fn listen(buffer: &mut [u8; CHUNK], hear: &mut dyn FnMut(Heard<'_>)) {
    search_all(buffer, hear);
    forget();
}

#[inline(never)]
fn search_all(buffer: &mut [u8; CHUNK], hear: &mut dyn FnMut(Heard<'_>)) {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("its own map");
    let own = buffer.as_ptr() as usize;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (
            fields.next().expect("a range"),
            fields.next().expect("rights"),
        );
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').expect("two numbers");
        let number = |text| usize::from_str_radix(text, 16).expect("a number");
        let (mut at, end) = (number(start), number(end));
        while at < end {
            let length = CHUNK.min(end - at);
            let reads_itself = at < own + CHUNK && own < at + length;
            let remote = RemoteIoVec {
                base: at,
                len: length,
            };
            let local = &mut [IoSliceMut::new(&mut buffer[..length])];
            if !reads_itself && let Ok(read) = process_vm_readv(Pid::this(), local, &[remote]) {
                search(&buffer[..read], hear);
            }
            buffer[..length].zeroize();
            // What lies across two chunks is found too.
            at += if length == CHUNK { CHUNK - 128 } else { length };
        }
    }
}

#[inline(never)]
fn search(bytes: &[u8], hear: &mut dyn FnMut(Heard<'_>)) {
    for at in memchr(bytes, &[127, 77]) {
        let Some(real) = bytes.get(at..at + 24) else {
            continue;
        };
        // The IP, its padding and scope; the port; the socket; the family.
        if real[4..20] == [0; 16] && real[23] == 4 && real[20..22] != [0, 0] {
            let ip: [u8; 4] = real[..4].try_into().expect("four bytes");
            let port = u16::from_be_bytes([real[20], real[21]]);
            hear(Heard::Address(&SocketAddr::from((ip, port))));
        }
    }
    for at in memchr(bytes, b"canary-") {
        let text = bytes.get(at..at + TEXT).unwrap_or_default();
        if text.iter().all(u8::is_ascii_graphic) && text.len() == TEXT {
            hear(Heard::Text(text));
        }
    }
    for at in memchr(bytes, b"CanaryRm") {
        hear(Heard::Room(bytes.get(at..at + 32).unwrap_or_default()));
    }
    for at in memchr(bytes, b"CanaryPs") {
        hear(Heard::Passed(bytes.get(at..at + 48).unwrap_or_default()));
    }
}

fn memchr<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = bytes.windows(wanted.len()).enumerate();
    windows
        .filter(move |(_, window)| *window == wanted)
        .map(|(at, _)| at)
}

/// Overwrites what the search left on the stack.
#[inline(never)]
fn forget() {
    let mut below = [0x5a_u8; 1 << 16];
    below.zeroize();
    std::hint::black_box(&below);
}
