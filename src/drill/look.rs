//! Looks everywhere at one moment, and makes rows of what is there.

use std::collections::{BTreeMap, HashSet};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use nix::unistd::Uid;

use super::DrillError;
use super::canary::{Kind, Register};
use super::journal::journal;
use super::judge::{Standing, Tallies, allowed, is_never_allowed};
use super::memory::{self, Place as At, Snapshot, Unread};
use super::needles::Needles;
use super::places::{self, Found, Traces};
use super::probe::neighbour;
use super::relay::{End, RelayProcess};
use super::report::{Phase, Place, Row, Verdict};
use super::scan::Search;
use super::scratch::{NOBODY, Scratch};
use super::stand_ins::{self, in_airlock};

/// Looks at memory while a meeting runs, and the time between two: what passes through is in one of
/// them, what is kept is in all.
const LOOKS: usize = 3;
const BETWEEN: Duration = Duration::from_millis(170);

/// How long a relay may take until its metrics say what it has counted. Ours publishes once a minute.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(70);

/// Details of a row that are written out.
const DETAILS: usize = 6;

/// Where and how to look, for as long as a relay lives and a little longer.
pub(super) struct Watch<'a> {
    pub(super) run: &'static str,
    pub(super) scratch: &'a Scratch,
    pub(super) root: bool,
    pub(super) since: SystemTime,
    pub(super) metrics: Option<SocketAddr>,
    /// What its metrics said before the meeting.
    pub(super) idle: Option<Vec<u8>>,
    pub(super) keep: Option<&'a Path>,
    /// Whether this system writes core dumps at all.
    pub(super) dumps: bool,
    pub(super) baseline: Option<Snapshot>,
    pub(super) rows: Vec<Row>,
    pub(super) chance: f64,
}

impl Watch<'_> {
    /// Looks at a relay that runs. Stand-ins that its airlock holds become needles.
    pub(super) fn look(
        &mut self,
        phase: Phase,
        relay: &RelayProcess,
        needles: &mut Needles,
        register: &Register,
    ) -> Result<(), DrillError> {
        let search = Search::new(needles.clone())?;
        let pid = relay.pid();
        self.memory(phase, pid, &search, register, needles)?;
        let mut found = relay.said();
        found.extend(places::process(pid));
        found.extend(places::sockets(pid));
        self.endpoints(phase, &mut found, &search);
        self.left(phase, relay, found, &search, register);
        self.neighbour(phase, pid, &search);
        Ok(())
    }

    /// Looks at what a relay that has ended left behind.
    pub(super) fn look_behind(
        &mut self,
        phase: Phase,
        relay: &RelayProcess,
        end: End,
        needles: &Needles,
        register: &Register,
    ) -> Result<(), DrillError> {
        let search = Search::new(needles.clone())?;
        self.left(phase, relay, relay.said(), &search, register);
        let (verdict, why) = match end.badly {
            None => (Verdict::Clean, None),
            Some(why) => (Verdict::Found, Some(why)),
        };
        let found = usize::from(why.is_some());
        self.row(phase, Place::End, &search, found, verdict, why);
        let dumped = end.dumped;
        let verdict = match (dumped, self.dumps) {
            (true, _) => Verdict::Found,
            (false, true) => Verdict::Clean,
            (false, false) => Verdict::NotThere("this system writes none"),
        };
        let detail = dumped.then(|| "the system wrote one".to_owned());
        self.row(
            phase,
            Place::Core,
            &search,
            usize::from(dumped),
            verdict,
            detail,
        );
        Ok(())
    }

    /// All of memory. What is there while the meeting runs is looked at more than once.
    fn memory(
        &mut self,
        phase: Phase,
        pid: u32,
        search: &Search,
        register: &Register,
        needles: &mut Needles,
    ) -> Result<(), DrillError> {
        let looks = if phase == Phase::Running { LOOKS } else { 1 };
        let mut seen: Vec<(Snapshot, Vec<At>)> = Vec::new();
        for look in 0..looks {
            if look > 0 {
                std::thread::sleep(BETWEEN);
            }
            let snapshot = match memory::snapshot(pid) {
                Ok(snapshot) => snapshot,
                Err(why) => {
                    let why = match why {
                        Unread::NotAllowed if self.root => {
                            "root needs CAP_SYS_PTRACE, and kernel.yama.ptrace_scope below 3"
                        }
                        Unread::NotAllowed => "it takes root",
                        Unread::Gone => "the relay has gone",
                    };
                    let verdict = Verdict::NotLooked(why.into());
                    self.row(phase, Place::Memory, search, 0, verdict, None);
                    return Ok(());
                }
            };
            let hits = snapshot.hits(search);
            seen.push((snapshot, hits));
        }
        let kept = in_all(&seen);
        let Some((snapshot, _)) = seen.last() else {
            return Ok(());
        };
        if phase == Phase::Running {
            let learned = stand_ins::read(snapshot, search);
            stand_ins::add(needles, learned);
        }
        let known = needles.canaries(Kind::StandIn);
        let mut tallies = Tallies::new();
        let mut counted = HashSet::new();
        let hits = seen.iter().enumerate().rev();
        let hits = hits
            .flat_map(|(look, (snapshot, hits))| hits.iter().map(move |&at| (look, snapshot, at)));
        for (look, of, at) in hits {
            let Some(needle) = search.needle(at.hit) else {
                continue;
            };
            // What is allowed while it passes through is told by the last look; what is allowed
            // nowhere, by each.
            if look + 1 < looks && !is_never_allowed(needle) {
                continue;
            }
            if needle.is_short() && of.in_pointer(at, needle.bytes.len()) {
                continue;
            }
            // What stood there before the meeting is not of the meeting: a stand-in is drawn after it.
            let place = of.address(at);
            let before = self.baseline.as_ref();
            if before.is_some_and(|old| old.holds(place, &needle.bytes)) {
                continue;
            }
            if !counted.insert((place, at.hit.needle)) {
                continue;
            }
            let shape = in_airlock(of, at, needle);
            let stays = kept.contains(&(place, at.hit.needle));
            let there = phase == Phase::Running && register.is_there(needle.whose);
            let allowed = allowed(
                needle,
                &Standing {
                    running: phase == Phase::Running,
                    there,
                    in_airlock: shape,
                    stays,
                    stand_ins: known > 0,
                },
            );
            let tally = tallies.entry((needle.kind, allowed)).or_default();
            tally.found += 1;
            let shape = if shape {
                ", as the airlock holds it"
            } else {
                ""
            };
            tally.note(register, needle, &format!("in {}{shape}", of.name(at)));
        }
        if let Some(baseline) = &self.baseline {
            // What changes between looks is no hit that stays.
            let passing = match seen.first() {
                Some((first, _)) if looks > 1 => snapshot.changed(first),
                _ => 0,
            };
            let random = snapshot.changed(baseline).saturating_sub(passing);
            self.chance += search.chance(random);
        }
        self.keep_snapshot(phase, snapshot);
        let of_kind = |kind| tallies.keys().any(|(found, _)| *found == kind);
        let (addresses, stand_ins) = (of_kind(Kind::Address), of_kind(Kind::StandIn));
        self.rows_of(phase, Place::Memory, search, tallies);
        if !stand_ins && (known > 0 || addresses) {
            self.stand_ins(phase, known);
        }
        if !snapshot.unread.is_empty() {
            let verdict = Verdict::NotLooked(format!("mappings: {}", snapshot.unread.join("; ")));
            self.row(phase, Place::Memory, search, 0, verdict, None);
        }
        Ok(())
    }

    /// That stand-ins were looked for, so many, where none was found; or that none is known, though
    /// somebody was there for whom one must have stood.
    fn stand_ins(&mut self, phase: Phase, known: usize) {
        let foreign = "this relay's airlock has another layout than this drill knows";
        self.rows.push(Row {
            run: self.run,
            phase,
            place: Place::Memory,
            kind: Some(Kind::StandIn),
            canaries: known,
            found: 0,
            by_chance: false,
            verdict: match known {
                0 => Verdict::NotLooked(foreign.into()),
                _ => Verdict::Clean,
            },
            details: Vec::new(),
        });
    }

    fn endpoints(&mut self, phase: Phase, found: &mut Vec<Found>, search: &Search) {
        for (place, path) in [(Place::Metrics, "/metrics"), (Place::Health, "/healthz")] {
            match self.metrics {
                Some(at) if (place, phase) == (Place::Metrics, Phase::Left) => {
                    found.push(self.published(at, path));
                }
                Some(at) => found.push(places::http(place, at, path)),
                None => self.row(phase, place, search, 0, Verdict::NotThere("off"), None),
            }
        }
    }

    /// The metrics, once they say something of the meeting: they are published now and then.
    fn published(&self, at: SocketAddr, path: &str) -> Found {
        let until = Instant::now() + PUBLISHED_WITHIN;
        loop {
            let mut found = places::http(Place::Metrics, at, path);
            if found.bytes.is_err() || found.bytes.as_ref().ok() != self.idle.as_ref() {
                return found;
            }
            if Instant::now() > until {
                found.bytes = Err(format!("{path} says no more than before the meeting"));
                return found;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Searches what was `found`, and what a relay leaves elsewhere, whether it runs or has ended.
    fn left(
        &mut self,
        phase: Phase,
        relay: &RelayProcess,
        mut found: Vec<Found>,
        search: &Search,
        register: &Register,
    ) {
        let user = Uid::effective().as_raw();
        let folder = self.scratch.folder();
        let traces = Traces {
            home: &relay.home,
            uid: if self.root { NOBODY } else { user },
            since: self.since,
            own: &[folder, self.keep.unwrap_or(folder)],
        };
        found.extend(traces.find());
        let journal = journal(relay.pid(), self.root, self.since);
        let not_there = journal.map(|written| found.push(written)).err();
        self.search(phase, search, register, &found);
        if relay.home_was_used() {
            let detail = "something was made or removed in its home".to_owned();
            self.row(phase, Place::Files, search, 1, Verdict::Found, [detail]);
        }
        if let Some(why) = not_there {
            let verdict = Verdict::NotThere(why);
            self.row(phase, Place::Journal, search, 0, verdict, None);
        }
    }

    /// Another process of the relay's user tries to look into it.
    fn neighbour(&mut self, phase: Phase, pid: u32, search: &Search) {
        let (verdict, ways) = match neighbour(self.scratch, self.root, pid) {
            Some(ways) if ways.is_empty() => (Verdict::Clean, ways),
            Some(ways) => (Verdict::Found, ways),
            None => (
                Verdict::NotLooked("the probe did not run".into()),
                Vec::new(),
            ),
        };
        self.row(phase, Place::Neighbour, search, ways.len(), verdict, ways);
    }

    /// Searches what was read at all places; each place gets its rows.
    fn search(&mut self, phase: Phase, search: &Search, register: &Register, found: &[Found]) {
        let mut places: BTreeMap<Place, (Tallies, Vec<String>)> = BTreeMap::new();
        // Where there is no file at all, it has been looked all the same.
        places.entry(Place::Files).or_default();
        for read in found {
            let (tallies, failed) = places.entry(read.place).or_default();
            let bytes = match &read.bytes {
                Ok(bytes) => bytes,
                Err(why) => {
                    failed.push(why.clone());
                    continue;
                }
            };
            for hit in search.hits(bytes) {
                let Some(needle) = search.needle(hit) else {
                    continue;
                };
                let tally = tallies.entry((needle.kind, None)).or_default();
                tally.found += 1;
                tally.note(register, needle, &format!("in {}", read.what));
            }
        }
        for (place, (tallies, failed)) in places {
            // "0 of so many" is no word for what was not read.
            if failed.is_empty() || !tallies.is_empty() {
                self.rows_of(phase, place, search, tallies);
            }
            if !failed.is_empty() {
                let verdict = Verdict::NotLooked(failed.join(", "));
                self.row(phase, place, search, 0, verdict, None);
            }
        }
        if let Some(keep) = self.keep {
            for (number, read) in found.iter().enumerate() {
                let bytes = read.bytes.as_deref().unwrap_or_default();
                let name = format!("{}-{phase:?}-{:?}-{number}", self.run, read.place);
                let _ = std::fs::write(keep.join(name), bytes);
            }
        }
    }

    fn keep_snapshot(&self, phase: Phase, snapshot: &Snapshot) {
        let Some(keep) = self.keep else { return };
        for region in &snapshot.regions {
            let name = format!("{}-{phase:?}-memory-{:x}", self.run, region.start);
            let _ = std::fs::write(keep.join(name), &region.bytes);
        }
    }

    fn rows_of(&mut self, phase: Phase, place: Place, search: &Search, tallies: Tallies) {
        if tallies.is_empty() {
            self.row(phase, place, search, 0, Verdict::Clean, None);
        }
        for ((kind, allowed), tally) in tallies {
            let details = tally.details.into_iter();
            let details = details.map(|(what, times)| format!("{times} x {what}"));
            self.rows.push(Row {
                run: self.run,
                phase,
                place,
                kind: Some(kind),
                canaries: search.needles().canaries(kind),
                found: tally.found,
                by_chance: (tally.found, tally.short) == (1, 1),
                verdict: allowed.map_or(Verdict::Found, Verdict::Allowed),
                details: match allowed {
                    Some(_) => Vec::new(),
                    None => details.take(DETAILS).collect(),
                },
            });
        }
    }

    fn row(
        &mut self,
        phase: Phase,
        place: Place,
        search: &Search,
        found: usize,
        verdict: Verdict,
        details: impl IntoIterator<Item = String>,
    ) {
        let canaries = Kind::ALL.map(|kind| search.needles().canaries(kind));
        self.rows.push(Row {
            run: self.run,
            phase,
            place,
            kind: None,
            canaries: canaries.iter().sum(),
            found,
            by_chance: false,
            verdict,
            details: details.into_iter().collect(),
        });
    }
}

/// What stood at the same place in all looks: where, and which needle.
fn in_all(seen: &[(Snapshot, Vec<At>)]) -> HashSet<(usize, usize)> {
    let mut sets = seen.iter().map(|(snapshot, hits)| {
        let each = hits.iter().map(|&at| (snapshot.address(at), at.hit.needle));
        each.collect::<HashSet<_>>()
    });
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |all, next| {
        all.intersection(&next).copied().collect()
    })
}

/// Makes the folder where captures go, for this user alone. One that is there stays as it is.
pub(super) fn make_keep(folder: &Path) -> Result<(), DrillError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| DrillError::Keep(folder.to_owned(), error.kind()))
}
