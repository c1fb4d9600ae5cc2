//! The whole of a process's memory, read while it stands still.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::scan::{Hit, Search};

/// What the kernel lends to every process and no other process can read: code and clocks of its
/// own.
const KERNELS: [&str; 4] = ["[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]"];

/// How much is read at once.
const CHUNK: usize = 1 << 20;

/// A mapping and what was in it.
pub(super) struct Region {
    pub(super) start: usize,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// All readable mappings at one moment.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) regions: Vec<Region>,
    /// Mappings that could not be read.
    pub(super) unread: Vec<String>,
}

/// Why a process's memory could not be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It takes root or CAP_SYS_PTRACE.
    NotAllowed,
    /// The process has gone.
    Gone,
}

/// Stops the process, copies its memory, and lets it go on. What is copied belongs together.
pub(super) fn snapshot(pid: u32) -> Result<Snapshot, Unread> {
    copy(pid, "r")
}

/// Likewise what it may write to alone, which takes less time.
pub(super) fn written(pid: u32) -> Result<Snapshot, Unread> {
    copy(pid, "rw")
}

/// Copies the mappings whose rights begin so.
fn copy(pid: u32, rights: &str) -> Result<Snapshot, Unread> {
    let memory = File::open(format!("/proc/{pid}/mem")).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Unread::NotAllowed,
        _ => Unread::Gone,
    })?;
    let stopped = Stopped::new(pid)?;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|_| Unread::Gone)?;
    let mut snapshot = Snapshot::default();
    for line in maps.lines() {
        let Some((start, end, name)) = mapping(line, rights) else {
            continue;
        };
        match read(&memory, start, end) {
            Some(bytes) => snapshot.regions.push(Region {
                start,
                name: name.to_owned(),
                bytes,
            }),
            None if KERNELS.contains(&name) => {}
            None => snapshot.unread.push(line.to_owned()),
        }
    }
    drop(stopped);
    match snapshot.regions.is_empty() {
        true => Err(Unread::Gone),
        false => Ok(snapshot),
    }
}

/// Start, end and name of a mapping whose rights begin so.
fn mapping<'a>(line: &'a str, rights: &str) -> Option<(usize, usize, &'a str)> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let has_rights = fields.next()?.starts_with(rights);
    let name = fields.nth(3).unwrap_or_default();
    let number = |text| usize::from_str_radix(text, 16).ok();
    has_rights.then_some((number(start)?, number(end)?, name))
}

fn read(memory: &File, start: usize, end: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; end.checked_sub(start)?];
    let mut at = start;
    for chunk in bytes.chunks_mut(CHUNK) {
        memory.read_exact_at(chunk, at as u64).ok()?;
        at += chunk.len();
    }
    Some(bytes)
}

/// A process that stands still until this is dropped.
struct Stopped(Pid);

impl Stopped {
    fn new(pid: u32) -> Result<Self, Unread> {
        let process = Pid::from_raw(i32::try_from(pid).map_err(|_| Unread::Gone)?);
        kill(process, Signal::SIGSTOP).map_err(|_| Unread::Gone)?;
        let stopped = Self(process);
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            if state(pid) == Some('T') {
                return Ok(stopped);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(Unread::Gone)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

/// The letter in `/proc/PID/stat`: the field behind the name, which may hold anything.
fn state(pid: u32) -> Option<char> {
    let mut stat = String::new();
    let mut file = File::open(format!("/proc/{pid}/stat")).ok()?;
    file.read_to_string(&mut stat).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A hit in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) region: usize,
    pub(super) hit: Hit,
}

impl Snapshot {
    pub(super) fn hits(&self, search: &Search) -> Vec<Place> {
        let each = self.regions.iter().enumerate();
        let each = each.flat_map(|(region, found)| {
            let hits = search.hits(&found.bytes);
            hits.into_iter().map(move |hit| Place { region, hit })
        });
        each.collect()
    }

    /// Where in the process it is.
    pub(super) fn address(&self, place: Place) -> usize {
        let region = self.regions.get(place.region);
        region.map_or(0, |region| region.start + place.hit.at)
    }

    /// Whether these bytes stand at this address of the process.
    pub(super) fn holds(&self, address: usize, bytes: &[u8]) -> bool {
        self.regions.iter().any(|region| {
            let at = address.checked_sub(region.start);
            let rest = at.and_then(|at| region.bytes.get(at..));
            rest.is_some_and(|rest| rest.starts_with(bytes))
        })
    }

    /// The bytes from a hit on.
    pub(super) fn behind(&self, place: Place, length: usize) -> Option<&[u8]> {
        let region = self.regions.get(place.region)?;
        region.bytes.get(place.hit.at..place.hit.at + length)
    }

    /// Whether a hit of so many bytes lies in a word that points into this very process: 127.77.x.y, the
    /// other way round, is how a pointer looks where the system puts mappings at 0x7f4d….
    pub(super) fn in_pointer(&self, place: Place, length: usize) -> bool {
        let pointer = || {
            let word = place.hit.at / size_of::<usize>() * size_of::<usize>();
            let bytes = &self.regions.get(place.region)?.bytes;
            let bytes = bytes.get(word..word + size_of::<usize>())?;
            let inside = place.hit.at + length <= word + size_of::<usize>();
            let pointer = usize::from_ne_bytes(bytes.try_into().ok()?);
            inside.then_some(pointer)
        };
        pointer().is_some_and(|pointer| {
            let holds = |region: &Region| {
                (region.start..region.start + region.bytes.len()).contains(&pointer)
            };
            self.regions.iter().any(holds)
        })
    }

    pub(super) fn name(&self, place: Place) -> &str {
        match self
            .regions
            .get(place.region)
            .map(|region| region.name.as_str())
        {
            Some("") | None => "anonymous memory",
            Some(name) => name,
        }
    }

    /// The bytes that differ from an earlier look: among these chance can play.
    pub(super) fn changed(&self, before: &Self) -> usize {
        let count = |region: &Region| {
            let old = before.regions.iter().find(|old| old.start == region.start);
            let Some(old) = old else {
                return region.bytes.iter().filter(|&&byte| byte != 0).count();
            };
            let pairs = region.bytes.iter().zip(&old.bytes);
            let longer = region.bytes.get(old.bytes.len()..).unwrap_or_default();
            let longer = longer.iter().filter(|&&byte| byte != 0).count();
            pairs.filter(|(new, old)| new != old).count() + longer
        };
        self.regions.iter().map(count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_into_the_process_is_no_address() {
        let region = |start: usize, bytes: Vec<u8>| Region {
            start,
            name: String::new(),
            bytes,
        };
        let heap: usize = 0x7f4d_1234_5000;
        let words = [heap + 0x10, heap + 0x2_0000];
        let words = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let snapshot = Snapshot {
            regions: vec![region(heap, vec![0; 0x1000]), region(0x1000, words)],
            unread: Vec::new(),
        };
        let at = |at| Place {
            region: 1,
            hit: Hit { at, needle: 0 },
        };
        assert!(snapshot.in_pointer(at(2), 4), "127.77.18.52, reversed");
        assert!(!snapshot.in_pointer(at(10), 4), "it points nowhere");
        assert!(!snapshot.in_pointer(at(6), 4), "it goes beyond the word");
        assert!(!snapshot.in_pointer(at(14), 4));
    }
}
