//! Runs the body of every fuzz target on the stable toolchain: over its seeds, and over mutations
//! of them. `SOTTOVOCE_SEED=n cargo test --test fuzz_targets_smoke` repeats a failing run.

// The counting allocator is the only way to see what a decoder allocates.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

/// Mutations of each target.
const MUTATIONS: u64 = 20_000;

/// What one run of a body may allocate in one piece. Buffers grow by doubling, a member of a list
/// takes four bytes in memory and one on the wire, and a message that decodes is padded again.
fn warranted(input: usize) -> usize {
    8 * input + 2 * 32768 + 1024
}

/// The system's allocator, and the largest piece that this thread asked it for.
struct Counting;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn count(size: usize) {
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every call goes to `System` unchanged; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// SplitMix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }
}

/// A child of the seeds: of one of them, with a few changes, perhaps with a piece of another.
fn mutation(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, dice.roll() as u8),
            2 => bytes.extend_from_within(at..),
            3 => {
                let other = &seeds[dice.below(seeds.len())];
                bytes.extend_from_slice(&other[dice.below(other.len())..]);
            }
            4 => {
                let (first, rest) = bytes.split_at_mut(at);
                first
                    .iter_mut()
                    .rev()
                    .zip(rest)
                    .take(4)
                    .for_each(|(a, b)| std::mem::swap(a, b));
            }
            // Numbers with something special about them.
            5 => {
                let special = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff][dice.below(8)];
                bytes
                    .iter_mut()
                    .skip(at)
                    .take(1 + dice.below(4))
                    .for_each(|byte| *byte = special);
            }
            _ => bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= 1 << dice.below(8)),
        }
    }
    bytes.truncate(1 << 17);
    bytes
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The committed seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(corpus().join(target))
        .unwrap_or_else(|_| panic!("{target} has no seeds"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("seed-")
        })
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn run(name: &str, body: fn(&[u8]), input: &[u8]) {
    LARGEST.set(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| body(input)));
    let largest = LARGEST.get();
    assert!(outcome.is_ok(), "{name} panicked over {input:02x?}");
    let warranted = warranted(input.len());
    assert!(
        largest <= warranted,
        "{name} allocated {largest} over {input:02x?}"
    );
}

#[test]
fn every_target_holds_over_its_seeds_and_their_mutations() {
    let seed = match std::env::var("SOTTOVOCE_SEED") {
        Ok(seed) => seed.parse().expect("SOTTOVOCE_SEED is a number"),
        Err(_) => RandomState::new().hash_one(0),
    };
    println!("SOTTOVOCE_SEED={seed}");
    for (index, (name, body)) in bodies::TARGETS.iter().enumerate() {
        let seeds = seeds(name);
        assert!(seeds.len() >= 3, "{name} has too few seeds");
        run(name, *body, &[]);
        for input in &seeds {
            run(name, *body, input);
        }
        let mut dice = Dice(seed ^ index as u64);
        for _ in 0..MUTATIONS {
            run(name, *body, &mutation(&seeds, &mut dice));
        }
    }
}

#[test]
fn every_target_is_a_body_a_file_and_a_folder_of_seeds() {
    let names = |path: PathBuf| -> BTreeSet<String> {
        let entries = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let bodies: BTreeSet<_> = bodies::TARGETS
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(bodies.len(), bodies::TARGETS.len());
    assert_eq!(names(corpus()), bodies);
    assert_eq!(names(corpus().join("../targets")), bodies);
    let manifest = std::fs::read_to_string(corpus().join("../Cargo.toml")).unwrap();
    for name in bodies {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not in the manifest"
        );
    }
}
