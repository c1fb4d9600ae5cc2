//! With the allocator of the program, what was freed is nowhere in the process's memory, at whatever
//! size, whether it was dropped, grew or shrank. The system itself is asked, which sees freed memory.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;

use sottovoce::quiet::Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping::over_system();

/// How often `word` was written one after the other.
fn filled(word: u64, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() + 8 <= size {
        bytes.extend_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// Where two such words stand in all memory that can be written.
fn found(word: u64) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (mut at, end) = (number(start), number(end));
        // On the stack, so that looking does not move what is looked for.
        let mut page = [0; 4096];
        while at < end && memory.read_exact_at(&mut page, at).is_ok() {
            let words: &[[u8; 8]] = page.as_chunks().0;
            let pairs = words.windows(2);
            found += pairs
                .filter(|pair| pair.iter().all(|read| u64::from_ne_bytes(*read) == word))
                .count();
            at += 4096;
        }
    }
    found
}

/// A word that stands nowhere in the program: only its opposite does.
fn word(number: u64) -> u64 {
    !(0x5a17_c0de_0bad_cafe_u64.wrapping_add(number) ^ black_box(0))
}

#[test]
fn whatever_was_freed_is_gone() {
    for (number, size) in [32, 200, 1000, 4096, 70_000, 150_000, 5_000_000]
        .into_iter()
        .enumerate()
    {
        let word = word(number as u64);
        let held: Vec<Vec<u8>> = (0..20).map(|_| filled(word, size)).collect();
        assert!(found(word) > 0, "what is held is seen, {size}");
        drop(held);
        assert_eq!(found(word), 0, "dropped, {size}");

        let mut growing = filled(word, size);
        growing.reserve_exact(size * 3);
        black_box(&mut growing).fill(0);
        assert_eq!(found(word), 0, "grown, {size}");
        drop(growing);

        let mut shrinking = filled(word, size);
        shrinking.truncate(16);
        shrinking.shrink_to_fit();
        black_box(&mut shrinking).fill(0);
        assert_eq!(found(word), 0, "shrunk, {size}");
        drop(shrinking);
    }
}
