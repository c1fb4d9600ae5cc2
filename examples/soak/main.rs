//! `make soak`: a relay process as shipped, on loopback, and 200 participants who come and go all the
//! time, some through a network that loses, stalls and moves, while it is restarted; beside them a
//! meeting of real participants. Then a table of what was found, beside its bound. Exits with 1 when a
//! bound is broken.
//!
//! Restarts fall into the first half: told so (SIGTERM), not (SIGKILL), and told so with a socket that
//! is held for the relay, as systemd does. The second half is one process alone, and its memory is
//! looked at in that half: the median of the last quarter against that of the first. Where that has grown
//! too much, the process goes on for as long again, and what counts is whether it still grows: buffers
//! that are kept for reuse reach their bound in one step, at whatever moment the largest burst comes,
//! and then never again; a leak goes on. What it held open
//! when it was ready is compared with what it holds when all have gone. An empty room would hold all of
//! this, so that people must have been there, too.

mod crowd;
mod meeting;
mod relay;
mod weather;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::task::LocalSet;
use tokio::time::sleep;

use crowd::Crowd;
use meeting::Meeting;
use relay::{Held, Numbers, Process};
use weather::Weather;

/// How long a restart may keep a meeting without media.
const INTERRUPTION: Duration = Duration::from_secs(5);
/// How much more memory the relay may hold at the end of the second half, in percent.
const GROWTH: f64 = 2.0;
/// Below so many minutes there may be a network that dies for the first time in the second half, and
/// growth is told and not judged.
const JUDGED_FROM: f64 = 4.0;
/// Of how many places, in percent, somebody must be there, as a rule of the second half.
const HERE: usize = 90;
/// Of how many somebody must be hearing when a restart begins.
const WITNESSES: usize = 50;
/// How long whatever is left may take to go: a silent peer, a newcomer's address, and two refreshes of
/// the numbers.
const GONE_WITHIN: Duration = Duration::from_secs(180);
/// How long everybody may take to be back, before they are counted as lost.
const BACK_WITHIN: Duration = Duration::from_secs(20);

struct Options {
    program: PathBuf,
    minutes: f64,
    participants: usize,
    json: bool,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: soak [--sottovoce PROGRAM] [--minutes 10] [--participants 200] [--json]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        eprintln!("soak: the system gives too little to run");
        return ExitCode::FAILURE;
    };
    match LocalSet::new().block_on(&runtime, soak(&options)) {
        Ok(table) => report(&table, options.json),
        Err(sentence) => {
            eprintln!("soak: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Option<Options> {
    let mut options = Options {
        program: "target/release/sottovoce".into(),
        minutes: 10.0,
        participants: 200,
        json: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--sottovoce" => options.program = arguments.next()?.into(),
            "--minutes" => options.minutes = arguments.next()?.parse().ok()?,
            "--participants" => options.participants = arguments.next()?.parse().ok()?,
            _ => return None,
        }
    }
    (options.minutes >= 1.0 && options.participants >= 20).then_some(options)
}

/// One thing that was looked at.
struct Row {
    name: String,
    found: String,
    /// Empty when there is none.
    bound: String,
    holds: bool,
}

#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn fact(&mut self, name: &str, found: impl ToString) {
        self.row(name, found, "", true);
    }

    fn row(&mut self, name: &str, found: impl ToString, bound: impl ToString, holds: bool) {
        self.0.push(Row {
            name: name.into(),
            found: found.to_string(),
            bound: bound.to_string(),
            holds,
        });
    }
}

fn report(table: &Table, as_json: bool) -> ExitCode {
    let holds = table.0.iter().all(|row| row.holds);
    if as_json {
        let rows = table.0.iter().map(|row| {
            json!({ "name": row.name, "found": row.found, "bound": row.bound, "holds": row.holds })
        });
        println!(
            "{}",
            json!({ "holds": holds, "rows": rows.collect::<Vec<_>>() })
        );
    } else {
        println!("{:<52} {:>16}  {:<14}", "", "found", "bound");
        for row in &table.0 {
            let mark = if row.holds { "" } else { "BROKEN" };
            println!(
                "{:<52} {:>16}  {:<14} {mark}",
                row.name, row.found, row.bound
            );
        }
    }
    if holds {
        return ExitCode::SUCCESS;
    }
    eprintln!("soak: a bound is broken");
    ExitCode::FAILURE
}

/// How a relay is brought back.
#[derive(Clone, Copy)]
enum Restart {
    Told,
    Killed,
    Handed,
}

impl Restart {
    fn words(self) -> &'static str {
        match self {
            Self::Told => "SIGTERM and start",
            Self::Killed => "SIGKILL and start",
            Self::Handed => "SIGTERM and start, socket held",
        }
    }
}

struct Soak {
    relay: Process,
    crowd: Crowd,
    meeting: Meeting,
    table: Table,
    bar: ProgressBar,
}

async fn soak(options: &Options) -> Result<Table, String> {
    let whole = Duration::from_secs_f64(options.minutes * 60.0);
    let bar = ProgressBar::new(whole.as_secs());
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {msg}");
    bar.set_style(style.map_err(|error| error.to_string())?);

    let relay = Process::start(&options.program).await?;
    let weather = Weather::start(relay.port()).await?;
    let crowd = Crowd::gather(options.participants, relay.address(), weather.port())?;
    let meeting = Meeting::begin(&options.program, relay.url(), relay.folder()).await?;
    let mut soak = Soak {
        relay,
        crowd,
        meeting,
        table: Table::default(),
        bar,
    };
    let start = Instant::now();
    let from_start = |part: f64| start + whole.mul_f64(part);
    for (part, restart) in [
        (0.12, Restart::Told),
        (0.22, Restart::Killed),
        (0.32, Restart::Handed),
    ] {
        soak.until(from_start(part), &weather, None).await?;
        soak.restart(restart).await?;
    }
    soak.until(from_start(0.5), &weather, None).await?;
    let mut seen = Seen::default();
    soak.until(from_start(1.0), &weather, Some(&mut seen))
        .await?;
    let judged = options.minutes >= JUDGED_FROM;
    let mut again = Seen::default();
    if judged && growth(&seen.memory).percent >= GROWTH {
        soak.bar.set_length(whole.as_secs() * 3 / 2);
        soak.until(from_start(1.5), &weather, Some(&mut again))
            .await?;
    }
    weather.clear();
    let counts = soak.crowd.counts();
    soak.attended(&seen.here);
    soak.grown(&seen.memory, &again.memory, judged);
    soak.end().await?;
    let mut table = soak.table;
    table.fact("came in", counts.entered);
    table.fact("were lost and tried again", counts.lost);
    table.fact("frames of speech heard", counts.heard);
    Ok(table)
}

/// What is noted each second.
#[derive(Default)]
struct Seen {
    /// Of the relay, in KiB.
    memory: Vec<u64>,
    /// How many of the crowd were there.
    here: Vec<u64>,
}

/// How memory has changed.
struct Growth {
    /// Medians of the first and the last quarter, in KiB.
    first: u64,
    last: u64,
    percent: f64,
}

fn growth(memory: &[u64]) -> Growth {
    let quarter = memory.len() / 4;
    let first = median(memory.get(..quarter).unwrap_or_default());
    let last = median(memory.get(memory.len() - quarter..).unwrap_or_default());
    Growth {
        first,
        last,
        percent: (last as f64 / first.max(1) as f64 - 1.0) * 100.0,
    }
}

fn median(of: &[u64]) -> u64 {
    let mut of = of.to_vec();
    of.sort_unstable();
    of.get(of.len() / 2).copied().unwrap_or_default()
}

impl Soak {
    /// Lets time pass, with changes of the weather, and notes what is seen where it is wanted.
    async fn until(
        &mut self,
        until: Instant,
        weather: &Weather,
        mut seen: Option<&mut Seen>,
    ) -> Result<(), String> {
        while Instant::now() < until {
            sleep(Duration::from_secs(1)).await;
            weather.change(self.bar.elapsed());
            let (kib, here) = (self.relay.rss_kib()?, self.crowd.here());
            if let Some(seen) = &mut seen {
                seen.memory.push(kib);
                seen.here.push(here as u64);
            }
            self.bar.set_position(self.bar.elapsed().as_secs());
            self.bar.set_message(format!("{here} here, {kib} KiB"));
        }
        Ok(())
    }

    async fn restart(&mut self, how: Restart) -> Result<(), String> {
        self.bar.set_message(how.words());
        self.crowd.hold();
        self.meeting.hold();
        let begun = Instant::now();
        match how {
            Restart::Told => self.relay.restart("TERM", false).await?,
            Restart::Killed => self.relay.restart("KILL", false).await?,
            Restart::Handed => self.relay.restart("TERM", true).await?,
        }
        let ready = Instant::now();
        let (down, until) = (ready - begun, begun + BACK_WITHIN);
        let all_back = || self.crowd.all_back(ready) && self.meeting.all_back(ready);
        while Instant::now() < until && !all_back() {
            sleep(Duration::from_millis(50)).await;
        }
        let words = how.words();
        let bound = format!("< {} s", INTERRUPTION.as_secs());
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        self.table
            .fact(&format!("{words}: the relay away"), seconds(down));
        let crowd = self.crowd.release();
        let all = crowd.len();
        let median = crowd.get(all / 2).copied().unwrap_or(BACK_WITHIN);
        let worst = crowd.last().copied().unwrap_or(BACK_WITHIN);
        let meeting = self.meeting.release();
        let least = self.crowd.places() * WITNESSES / 100;
        self.table.row(
            &format!("{words}: were hearing"),
            all,
            format!("at least {least}"),
            all >= least,
        );
        self.table
            .fact(&format!("{words}: of the crowd, median"), seconds(median));
        for (whose, gap) in [
            ("of the crowd, longest", worst),
            ("real meeting, longest", meeting),
        ] {
            let name = format!("{words}: {whose}");
            self.table
                .row(&name, seconds(gap), &bound, gap < INTERRUPTION);
        }
        Ok(())
    }

    /// Whether the rooms were full in the second half.
    fn attended(&mut self, here: &[u64]) {
        let (here, places) = (median(here), self.crowd.places());
        let least = places * HERE / 100;
        let name = format!("here at a time, of {places}, median");
        let bound = format!("at least {least}");
        self.table.row(&name, here, bound, here >= least as u64);
    }

    /// Whether memory is flat over the second half, or else over as long `again`.
    fn grown(&mut self, memory: &[u64], again: &[u64], judged: bool) {
        let seen = self.memory("the second half", memory);
        let found = format!("{:.2} %", seen.percent);
        if !judged {
            return self
                .table
                .fact("growth, not judged in so short a run", found);
        }
        let bound = format!("< {GROWTH} %");
        if again.is_empty() {
            let holds = seen.first > 0 && seen.percent < GROWTH;
            return self.table.row("growth", found, bound, holds);
        }
        self.table.fact("growth, so it was looked again", found);
        let seen = self.memory("as long again", again);
        let holds = seen.first > 0 && seen.percent < GROWTH;
        let found = format!("{:.2} %", seen.percent);
        self.table.row("growth, once more", found, bound, holds);
    }

    fn memory(&mut self, when: &str, memory: &[u64]) -> Growth {
        let seen = growth(memory);
        for (part, kib) in [("first", seen.first), ("last", seen.last)] {
            let name = format!("memory, {part} quarter of {when}");
            self.table.fact(&name, format!("{kib} KiB"));
        }
        seen
    }

    /// All leave; then nothing of them is left, and the relay ends well.
    async fn end(&mut self) -> Result<(), String> {
        self.bar.set_message("all leave");
        self.meeting.end().await?;
        self.crowd.scatter().await;
        let gone = Instant::now();
        let mut numbers = self.relay.numbers()?;
        while numbers.anybody() && gone.elapsed() < GONE_WITHIN {
            sleep(Duration::from_secs(1)).await;
            self.bar.set_message("waiting for the numbers");
            numbers = self.relay.numbers()?;
        }
        self.bar.finish_and_clear();
        let Numbers {
            connections,
            rooms,
            addresses,
        } = numbers;
        for (name, left) in [
            ("connections left", connections),
            ("rooms left", rooms),
            ("addresses left in the airlock", addresses),
        ] {
            self.table.row(name, left, "0", left == 0);
        }
        let before = self.relay.at_start();
        let after = self.relay.settled().await?;
        let Held {
            descriptors,
            threads,
        } = before;
        let row = |table: &mut Table, name, now: usize, then: usize| {
            table.row(name, now, format!("{then}, as at start"), now == then);
        };
        match (after.descriptors, descriptors) {
            (Some(now), Some(then)) => row(&mut self.table, "descriptors open", now, then),
            _ => self
                .table
                .fact("descriptors open (root can count them)", "not looked at"),
        }
        row(&mut self.table, "threads", after.threads, threads);
        let memory = self.relay.rss_kib()?;
        self.table
            .fact("memory when all are gone", format!("{memory} KiB"));
        let ended = self.relay.stop().await?;
        self.table
            .row("ends by itself, and well", ended, "yes", ended == "yes");
        Ok(())
    }
}
