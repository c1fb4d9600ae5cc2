//! A drill from its beginning to its end.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;
use nix::unistd::Uid;
use tokio::sync::oneshot;

use super::cast::Cast;
use super::dump;
use super::forwarder::Forwarder;
use super::leftovers::{Interrupts, clear};
use super::look::{Watch, make_keep};
use super::media::webm;
use super::memory::{self, Snapshot};
use super::needles::Needles;
use super::network::Network;
use super::places;
use super::relay::{End, RelayProcess, Start, printed_config};
use super::report::{Findings, Phase, Place, Verdict};
use super::scan::Search;
use super::scratch::Scratch;
use super::stand_ins;
use super::story::{Stage, free_port};
use super::strangers::{SPARE, Strangers};
use super::{DrillError, thread};

/// How a relay is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it comes.
    Default,
    /// With all that it could say: `RUST_LOG=trace`, metrics; and with few seats.
    TurnedUp,
}

impl Mode {
    fn words(self) -> &'static str {
        match self {
            Self::Default => "as it comes",
            Self::TurnedUp => "turned up",
        }
    }
}

/// What is drilled, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The relay's program.
    pub relay: PathBuf,
    /// The program that participants and probes run: sottovoce with all its features.
    pub program: PathBuf,
    /// The runs, in order.
    pub modes: Vec<Mode>,
    /// Besides the drill's own, for the relay.
    pub environment: Vec<(OsString, OsString)>,
    /// A meeting of two and a stranger instead of everything. The search is the same.
    pub short: bool,
    /// A folder for what was captured.
    pub keep: Option<PathBuf>,
}

/// Members that a room takes in a relay that is turned up.
const SEATS: usize = 16;

/// Holds a drill. `progress` is told what goes on now.
///
/// From then on this process no longer ends by SIGINT, SIGTERM and their like: they end its drills.
///
/// # Errors
/// [`DrillError`]: the drill came to no end, and shows nothing.
pub fn run(
    plan: Plan,
    progress: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Findings, DrillError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(DrillError::system)?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::new().map_err(DrillError::system)?;
        let (sender, held) = oneshot::channel();
        // A thread of its own: the network that it enters is no concern of the caller's, and who
        // ends the drill does not wait for it.
        let drill = thread().spawn(move || {
            let held = Drill::new(&plan, &progress).and_then(Drill::run);
            let _ = sender.send(held);
        });
        drill.map_err(DrillError::system)?;
        tokio::select! {
            // Those whom a terminal ends with the drill must not look like a fault of theirs.
            biased;
            () = interrupts.next() => {
                clear();
                Err(DrillError::Interrupted)
            }
            held = held => held.unwrap_or(Err(DrillError::Story("the drill's thread ended"))),
        }
    })
}

struct Drill<'a> {
    plan: &'a Plan,
    progress: &'a (dyn Fn(&str) + Sync),
    network: Network,
    scratch: Scratch,
    root: bool,
    /// Whether this system writes core dumps.
    dumps: bool,
    findings: Findings,
}

/// How often a cast is drawn until nothing of it stands anywhere by chance: once in nearly all drills.
const DRAWS: usize = 8;

/// How often a meeting is held again when chance can have made what was found. Fewer: a drill fails
/// by chance now and then, with megabytes of sealed pictures in memory; more: what a relay keeps only
/// sometimes is overlooked.
const REPEATS: usize = 2;

/// How long a relay is left alone before its memory is looked at for comparison.
const SETTLE: Duration = Duration::from_millis(300);

impl<'a> Drill<'a> {
    fn new(plan: &'a Plan, progress: &'a (dyn Fn(&str) + Sync)) -> Result<Self, DrillError> {
        // Before anything else is done for nothing.
        plan.keep.as_deref().map(make_keep).transpose()?;
        let root = Uid::effective().is_root();
        // Were a core dump allowed, this would not stop it; the relay inherits it.
        dump::lift_limit(root);
        let network = Network::enter();
        let scratch = Scratch::new(&plan.relay, &plan.program)?;
        let dumps = dump::is_written(&scratch, root)?;
        Ok(Self {
            plan,
            progress,
            network,
            scratch,
            root,
            dumps,
            findings: Findings::default(),
        })
    }

    fn run(mut self) -> Result<Findings, DrillError> {
        for &mode in &self.plan.modes {
            self.told_from_chance(mode)?;
            for (signal, phase) in [
                (Signal::SIGABRT, Phase::Aborted),
                (Signal::SIGKILL, Phase::Killed),
            ] {
                self.cut_short(mode, signal, phase)?;
            }
        }
        Ok(self.findings)
    }

    /// A meeting, and once more with other canaries where all that was found are single short
    /// patterns: what a relay keeps is found each time, what chance made is not.
    fn told_from_chance(&mut self, mode: Mode) -> Result<(), DrillError> {
        for repeats_left in (0..=REPEATS).rev() {
            let before = self.findings.rows.len();
            self.whole(mode)?;
            let rows = self.findings.rows.iter().skip(before);
            let found: Vec<_> = rows.filter(|row| row.verdict == Verdict::Found).collect();
            let chance = !found.is_empty() && found.iter().all(|row| row.by_chance);
            if !chance || repeats_left == 0 {
                break;
            }
            self.findings.passing += found.len();
            self.findings.rows.truncate(before);
        }
        Ok(())
    }

    /// A meeting, its end, and a polite end of the relay.
    fn whole(&mut self, mode: Mode) -> Result<(), DrillError> {
        let mut act = Act::begin(self, mode)?;
        let stage = act.stage(self)?;
        let play = || match self.plan.short {
            true => stage.play_in_short(&act.cast),
            false => stage.play(&act.cast),
        };
        let (meeting, learned) = stand_ins::learn_while(act.relay.pid(), &act.needles, play)?;
        let mut meeting = meeting?;
        stand_ins::add(&mut act.needles, learned);
        for link in &meeting.links {
            act.cast.add_link(&mut act.needles, link);
        }
        for room in &meeting.rooms {
            act.cast.add_room(&mut act.needles, room);
        }
        (self.progress)("looking while the meeting runs");
        act.look(self, Phase::Running)?;
        (self.progress)("everybody leaves, and ten seconds go by");
        meeting.end(&act.cast)?;
        (self.progress)("looking after the last one has left");
        act.look(self, Phase::Left)?;
        let end = act.relay.end(Signal::SIGTERM)?;
        act.look_behind(self, Phase::Terminated, end)?;
        if self.findings.story.is_empty() {
            self.findings.story = std::mem::take(&mut meeting.story);
        }
        Ok(())
    }

    /// A relay that ends in mid-meeting.
    fn cut_short(&mut self, mode: Mode, signal: Signal, phase: Phase) -> Result<(), DrillError> {
        let mut act = Act::begin(self, mode)?;
        let stage = act.stage(self)?;
        let meeting = stage.play_in_short(&act.cast)?;
        (self.progress)("a relay ends in mid-meeting");
        let end = act.relay.end(signal)?;
        act.look_behind(self, phase, end)?;
        drop(meeting);
        Ok(())
    }
}

impl Drill<'_> {
    /// A cast of which nothing stands in the relay's memory before the meeting.
    fn cast(
        &self,
        relay: &RelayProcess,
        forwarder: &Forwarder,
        baseline: Option<&Snapshot>,
    ) -> Result<(Cast, Needles), DrillError> {
        for _ in 0..DRAWS {
            let (cast, needles) = Cast::draw(&self.network, &relay.address, forwarder.port())?;
            let search = Search::new(needles.clone())?;
            if baseline.is_none_or(|baseline| baseline.hits(&search).is_empty()) {
                return Ok((cast, needles));
            }
        }
        Err(DrillError::Story(
            "canaries stood in the relay before the meeting",
        ))
    }

    /// The configuration of a relay that is turned up, and where its metrics are, if it has any.
    fn turned_up(&self) -> Result<(String, Option<SocketAddr>), DrillError> {
        let connections = SEATS + SPARE;
        let mut config = format!(
            "[limits]\nmembers_per_room = {SEATS}\nconnections_per_address = {connections}\n"
        );
        let printed = printed_config(&Start {
            scratch: &self.scratch,
            root: self.root,
            arguments: vec!["--print-config".into()],
            environment: self.plan.environment.clone(),
        })?;
        if !printed.contains("[metrics]") {
            return Ok((config, None));
        }
        let at = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        config.push_str(&format!("\n[metrics]\nlisten = \"{at}\"\n"));
        Ok((config, Some(at)))
    }
}

/// A relay with its cast.
struct Act {
    mode: Mode,
    relay: RelayProcess,
    addresses: Vec<SocketAddr>,
    forwarder: Forwarder,
    cast: Cast,
    needles: Needles,
    baseline: Option<Snapshot>,
    since: SystemTime,
    metrics: Option<SocketAddr>,
    idle: Option<Vec<u8>>,
}

impl Act {
    fn begin(drill: &Drill<'_>, mode: Mode) -> Result<Self, DrillError> {
        (drill.progress)("a relay starts");
        let since = SystemTime::now();
        let port = free_port()?;
        let mut addresses = vec![SocketAddr::from(([127, 0, 0, 1], port))];
        if drill.network.has_v6() {
            addresses.push(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)));
        }
        let mut arguments: Vec<OsString> = vec!["--json".into()];
        for address in &addresses {
            arguments.push("--listen".into());
            arguments.push(address.to_string().into());
        }
        let mut environment = drill.plan.environment.clone();
        let mut metrics = None;
        if mode == Mode::TurnedUp {
            environment.push(("RUST_LOG".into(), "trace".into()));
            environment.push(("RUST_BACKTRACE".into(), "full".into()));
            let (config, at) = drill.turned_up()?;
            metrics = at;
            arguments.push("--config".into());
            arguments.push(drill.scratch.write("relay.toml", config.as_bytes())?.into());
        }
        let relay = RelayProcess::start(&Start {
            scratch: &drill.scratch,
            root: drill.root,
            arguments,
            environment,
        })?;
        let forwarder = Forwarder::start(addresses.clone())?;
        std::thread::sleep(SETTLE);
        let baseline = memory::snapshot(relay.pid()).ok();
        let idle = metrics.and_then(|at| places::http(Place::Metrics, at, "/metrics").bytes.ok());
        let (cast, needles) = drill.cast(&relay, &forwarder, baseline.as_ref())?;
        Ok(Self {
            mode,
            relay,
            addresses,
            forwarder,
            cast,
            needles,
            baseline,
            since,
            metrics,
            idle,
        })
    }

    fn stage<'a>(&'a self, drill: &'a Drill<'_>) -> Result<Stage<'a>, DrillError> {
        let media = webm(&self.cast.sound, &self.cast.picture);
        Ok(Stage {
            network: &drill.network,
            program: &drill.scratch.program,
            media: drill.scratch.write("canary.webm", &media)?,
            forwarder: &self.forwarder,
            strangers: Strangers {
                relay: self.addresses.clone(),
                hashes: self.relay.address.hashes().into(),
                seats: (self.mode == Mode::TurnedUp).then_some(SEATS),
            },
            progress: drill.progress,
        })
    }

    /// Looks at the relay, everywhere.
    fn look(&mut self, drill: &mut Drill<'_>, phase: Phase) -> Result<(), DrillError> {
        let mut watch = self.watch(drill)?;
        let register = &self.cast.register;
        watch.look(phase, &self.relay, &mut self.needles, register)?;
        let Watch {
            baseline,
            rows,
            chance,
            ..
        } = watch;
        self.baseline = baseline;
        drill.findings.chance += chance;
        drill.findings.rows.extend(rows);
        Ok(())
    }

    /// Looks at what the relay left behind.
    fn look_behind(
        &mut self,
        drill: &mut Drill<'_>,
        phase: Phase,
        end: End,
    ) -> Result<(), DrillError> {
        let mut watch = self.watch(drill)?;
        let (needles, register) = (&self.needles, &self.cast.register);
        watch.look_behind(phase, &self.relay, end, needles, register)?;
        let rows = watch.rows;
        drill.findings.rows.extend(rows);
        Ok(())
    }

    fn watch<'a>(&mut self, drill: &'a Drill<'_>) -> Result<Watch<'a>, DrillError> {
        Ok(Watch {
            run: self.mode.words(),
            scratch: &drill.scratch,
            root: drill.root,
            since: self.since,
            metrics: self.metrics,
            idle: self.idle.clone(),
            dumps: drill.dumps,
            keep: drill.plan.keep.as_deref(),
            baseline: self.baseline.take(),
            rows: Vec::new(),
            chance: 0.0,
        })
    }
}
