//! The drill can fail: relays that leak, each in a way of its own, are caught by the row that is made
//! for it, and one that leaks nothing is not.
//!
//! This executable is the leaking relay too: started as `relay`, it is a relay made of the library,
//! and leaks what `SOTTOVOCE_LEAK` names. No leaking code is in the program that is shipped.

#[path = "drill_catches_leaks/eavesdropper.rs"]
mod eavesdropper;
#[path = "drill_catches_leaks/keeping.rs"]
mod keeping;
#[path = "drill_catches_leaks/mutant.rs"]
mod mutant;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sottovoce::drill::{Findings, Kind, Mode, Phase, Place, Plan, Row, Verdict, run};

use mutant::Leak;

/// As in the program: what is found was kept, or leaks on purpose.
#[global_allocator]
static ALLOCATOR: keeping::Keeping = keeping::Keeping(sottovoce::quiet::Wiping::over_system());

/// A leak, how the relay is run, and the row that catches it.
const LEAKS: &[(Leak, Mode, Phase, Place, Option<Kind>)] = {
    use Kind::{Address, Passed, PeerText, Request, Room};
    use Mode::{Default, TurnedUp};
    use Phase::{Aborted, Left, Running, Terminated};
    &[
        (Leak::Log, Default, Running, Place::Output, Some(Address)),
        (Leak::Span, Default, Running, Place::Output, Some(Address)),
        (Leak::Panic, Default, Running, Place::Output, Some(Address)),
        (
            Leak::MetricLabel,
            TurnedUp,
            Running,
            Place::Metrics,
            Some(Address),
        ),
        (
            Leak::KeptInAMap,
            Default,
            Left,
            Place::Memory,
            Some(Address),
        ),
        (
            Leak::FreedUnwiped,
            Default,
            Left,
            Place::Memory,
            Some(Address),
        ),
        (
            Leak::TextFreedUnwiped,
            Default,
            Left,
            Place::Memory,
            Some(PeerText),
        ),
        (
            Leak::ThreadName,
            Default,
            Running,
            Place::Threads,
            Some(Address),
        ),
        (Leak::File, Default, Left, Place::Files, Some(Address)),
        (
            Leak::Journal,
            Default,
            Running,
            Place::Journal,
            Some(Address),
        ),
        (Leak::FileForAMoment, Default, Left, Place::Files, None),
        (
            Leak::LinkInAFolder,
            Default,
            Left,
            Place::Files,
            Some(Address),
        ),
        (
            Leak::ConnectedSocket,
            Default,
            Running,
            Place::Sockets,
            Some(Address),
        ),
        (Leak::CoreDump, Default, Aborted, Place::Core, None),
        (Leak::Traceable, Default, Running, Place::Neighbour, None),
        (
            Leak::CloseReason,
            Default,
            Running,
            Place::Output,
            Some(PeerText),
        ),
        (Leak::EndsBadly, Default, Terminated, Place::End, None),
        (Leak::RoomKept, Default, Left, Place::Memory, Some(Room)),
        (Leak::BytesKept, Default, Left, Place::Memory, Some(Passed)),
        (
            Leak::RequestKept,
            Default,
            Left,
            Place::Memory,
            Some(Request),
        ),
    ]
};

/// Where a drill cannot look when nobody answers for the relay, when what is answered is never about a
/// meeting, and when others work for it.
const UNANSWERED: &[(Phase, Place)] = &[
    (Phase::Running, Place::Metrics),
    (Phase::Left, Place::Health),
];
const CONSTANT: &[(Phase, Place)] = &[(Phase::Left, Place::Metrics)];
const HELPED: &[(Phase, Place)] = &[
    (Phase::Running, Place::Process),
    (Phase::Terminated, Place::Output),
];

/// Drills at a time: each waits most of its time.
const AT_A_TIME: usize = 4;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("relay") {
        return mutant::relay(arguments.collect());
    }
    // As of the usual harness: other arguments choose what is run by a part of its name.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    if std::env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    if !nix::unistd::Uid::effective().is_root() {
        eprintln!("drill_catches_leaks needs root: it looks into a process's memory.");
        return ExitCode::FAILURE;
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
    let mut checks: Vec<Check> = vec![
        (
            "nothing".into(),
            Box::new(nothing_is_found_where_nothing_leaks),
        ),
        ("traced".into(), Box::new(what_is_traced_has_no_address)),
        ("deaf".into(), Box::new(|| is_told(Leak::Deaf, UNANSWERED))),
        (
            "constant".into(),
            Box::new(|| is_told(Leak::Constant, CONSTANT)),
        ),
        ("helped".into(), Box::new(|| is_told(Leak::Helped, HELPED))),
    ];
    for leak in LEAKS {
        if leak.0 == Leak::Journal && !Path::new(mutant::JOURNAL).exists() {
            println!("test Journal ... left out, since nobody writes one here");
            continue;
        }
        checks.push((format!("{:?}", leak.0), Box::new(|| is_caught(leak))));
    }
    checks.retain(|(name, _)| is_wanted(name));
    match all(&checks) {
        0 => ExitCode::SUCCESS,
        failed => {
            eprintln!("{failed} of {} failed", checks.len());
            ExitCode::FAILURE
        }
    }
}

/// What is checked, by its name.
type Check = (String, Box<dyn Fn() -> Result<(), String> + Send + Sync>);

/// Runs the checks, some at a time; how many failed.
fn all(checks: &[Check]) -> usize {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let output = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((name, check)) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = check();
                    let _one_at_a_time = output.lock();
                    match result {
                        Ok(()) => println!("test {name} ... ok"),
                        Err(why) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            println!("test {name} ... FAILED\n{why}");
                        }
                    }
                }
            });
        }
    });
    failed.into_inner()
}

fn drilled(leak: Leak, mode: Mode) -> Result<Findings, String> {
    let plan = Plan {
        relay: std::env::current_exe().map_err(|error| error.to_string())?,
        program: PathBuf::from(env!("CARGO_BIN_EXE_sottovoce")),
        modes: vec![mode],
        environment: vec![(mutant::LEAK.into(), format!("{leak:?}").into())],
        short: true,
        keep: None,
    };
    run(plan, |_| {}).map_err(|error| error.to_string())
}

fn is_caught(
    &(leak, mode, phase, place, kind): &(Leak, Mode, Phase, Place, Option<Kind>),
) -> Result<(), String> {
    let findings = drilled(leak, mode)?;
    let its_own = |row: &&Row| {
        (row.phase, row.place, row.kind) == (phase, place, kind) && row.verdict == Verdict::Found
    };
    match findings.rows.iter().find(its_own) {
        Some(_) => Ok(()),
        None => Err(format!(
            "no row {phase:?} {place:?} {kind:?}\n{}",
            findings.table()
        )),
    }
}

/// The same relay, with the same eavesdropper inside, who tells nobody.
fn nothing_is_found_where_nothing_leaks() -> Result<(), String> {
    let findings = drilled(Leak::Nothing, Mode::TurnedUp)?;
    match findings.found() || findings.not_looked() {
        false => Ok(()),
        true => Err(findings.table()),
    }
}

/// What the drill cannot look into it says.
fn is_told(leak: Leak, where_not: &[(Phase, Place)]) -> Result<(), String> {
    let findings = drilled(leak, Mode::TurnedUp)?;
    let told = |(phase, place): &(Phase, Place)| {
        let is = |row: &Row| (row.phase, row.place) == (*phase, *place);
        let mut rows = findings.rows.iter().filter(|row| is(row));
        rows.any(|row| matches!(row.verdict, Verdict::NotLooked(_)))
    };
    match where_not.iter().all(told) {
        true => Ok(()),
        false => Err(findings.table()),
    }
}

/// All that quinn and rustls would say at TRACE, which no shipped relay lets out, holds stand-ins and
/// nothing that is anybody's.
fn what_is_traced_has_no_address() -> Result<(), String> {
    let findings = drilled(Leak::Traced, Mode::TurnedUp)?;
    let said = |row: &&Row| row.place == Place::Output && row.verdict == Verdict::Found;
    let said: Vec<&Row> = findings.rows.iter().filter(said).collect();
    let stand_ins = said.iter().any(|row| row.kind == Some(Kind::StandIn));
    let harmless = |row: &&Row| {
        matches!(
            row.kind,
            Some(Kind::StandIn | Kind::ConnectionId | Kind::PeerText)
        )
    };
    match stand_ins == cfg!(debug_assertions) && said.iter().all(harmless) {
        true => Ok(()),
        false => Err(findings.table()),
    }
}
