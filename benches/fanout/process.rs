//! Starting relay, load and floor, each on its core, and what the kernel says of them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sottovoce::relay::{Relay, RelayConfig};

use crate::case::{Case, Media, WEB_BAR};
use crate::way::Carrier;

/// A child that is ended when it goes out of scope.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU time that all threads of a process have used so far. Counted by the scheduler in
/// nanoseconds (`schedstat`).
pub fn cpu_of(pid: u32) -> Option<Duration> {
    let mut nanoseconds = 0u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// Resident memory of a process, in KiB.
pub fn rss_of(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What a case came to.
pub struct Line {
    case: &'static Case,
    carrier: Carrier,
    load: Value,
    floor_us: Option<f64>,
    /// What raw QUIC costs, where that was measured beside it.
    quic_us: Option<f64>,
}

impl Line {
    fn number(&self, key: &str) -> Option<f64> {
        self.load.get(key)?.as_f64()
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.number("us_per_frame")? / self.floor_us?)
    }

    fn ratio_to_quic(&self) -> Option<f64> {
        Some(self.number("us_per_frame")? / self.quic_us?)
    }

    pub fn to_json(&self) -> Value {
        let per_frame = self.number("us_per_frame");
        let mut line = json!({
            "case": self.case.name,
            "carrier": self.carrier.name(),
            "us_per_frame": round(per_frame),
            "frames_per_core_s": per_frame.map(|us| (1e6 / us).round()),
            "floor_us": round(self.floor_us),
            "ratio_to_floor": round(self.ratio()),
            "p50_ms": round(self.number("p50_ms")),
            "p99_ms": round(self.number("p99_ms")),
            "delivered": self.number("delivered"),
            "rss_kib_per_participant": round(self.number("rss_kib_per_participant")),
        });
        if let Some(ratio) = self.ratio_to_quic() {
            line["ratio_to_quic"] = json!(round(Some(ratio)));
        }
        if self.case.media == Media::Video {
            line["us_per_mb"] = json!(round(self.number("us_per_mb")));
        }
        if self.case.media == Media::Nothing {
            line["us_per_participant_s"] = json!(round(self.number("us_per_participant_s")));
        }
        line
    }

    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut over = |what: &str, value: Option<f64>, bar: Option<f64>| {
            if let (Some(value), Some(bar)) = (value, bar)
                && value > bar
            {
                failures.push(format!("{what} is {value:.2}, over its bar of {bar}"));
            }
        };
        // Another carrier is held to raw QUIC.
        let bar = self.case.bar.filter(|_| self.carrier == Carrier::Quic);
        over("the ratio to the floor", self.ratio(), bar);
        over("the ratio to raw QUIC", self.ratio_to_quic(), Some(WEB_BAR));
        let member = self.case.media == Media::Audio && !self.case.viewers;
        over(
            "the median latency in ms",
            self.number("p50_ms"),
            member.then_some(15.0),
        );
        over(
            "the 99th percentile of latency in ms",
            self.number("p99_ms"),
            member.then_some(30.0),
        );
        over(
            "memory in KiB",
            self.number("rss_kib_per_participant"),
            self.case.memory_bar,
        );
        if self.number("delivered").is_none_or(|share| share < 0.999) {
            failures.push("less than 99.9 % was delivered".into());
        }
        failures
    }
}

fn round(value: Option<f64>) -> Option<f64> {
    value.map(|value| (value * 100.0).round() / 100.0)
}

/// Keeps the cores from going to sleep while what is returned lives: work of the lowest priority on
/// each, which gives way to everything else. A machine that slept wakes with cold caches and, where
/// it is a guest, when its host finds the time; both would be counted as the relay's or the floor's.
pub fn keep_awake() -> Result<Vec<Running>, String> {
    let path = own_path()?;
    (0..=last_core())
        .map(|core| {
            pinned(core, "chrt")
                .args(["-i", "0", &path, "--awake"])
                .stdin(Stdio::piped())
                .spawn()
                .map(Running)
                .map_err(|error| error.to_string())
        })
        .collect()
}

/// `--awake`: ends with its input.
pub fn awake() -> std::process::ExitCode {
    let done = std::thread::spawn(|| {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
    });
    while !done.is_finished() {
        for _ in 0..1000 {
            std::hint::spin_loop();
        }
    }
    std::process::ExitCode::SUCCESS
}

/// Runs one case: floor, then relay under load, then the floor again; the floor is the mean of both,
/// since the machine's speed drifts. Another carrier is measured between two runs of raw QUIC, for the
/// same reason, and has a line of its own.
pub fn measure(
    case: &'static Case,
    carrier: Carrier,
    seconds: u64,
    build: Build,
) -> Result<Vec<Line>, String> {
    let floor_seconds = (seconds / 2).max(2);
    let before = floor(case, floor_seconds)?;
    let carriers: &[Carrier] = match carrier {
        Carrier::Quic => &[Carrier::Quic],
        other => &[Carrier::Quic, other, Carrier::Quic],
    };
    let mut loads = Vec::new();
    for &carrier in carriers {
        loads.push((carrier, under_load(case, carrier, seconds, build)?));
    }
    let after = floor(case, floor_seconds)?;
    let floor_us = before
        .zip(after)
        .map(|(before, after)| (before + after) / 2.0);
    let mut lines: Vec<Line> = loads
        .into_iter()
        .map(|(carrier, load)| Line {
            case,
            carrier,
            load,
            floor_us,
            quic_us: None,
        })
        .collect();
    if let [before, other, after] = lines.as_mut_slice() {
        let both = [before, after].map(|line| line.number("us_per_frame"));
        other.quic_us = both[0]
            .zip(both[1])
            .map(|(before, after)| (before + after) / 2.0);
    }
    Ok(lines)
}

/// `--bare-relay`: this program has the system's allocator, and gives nothing up. Standard input has
/// the configuration.
pub fn bare_relay() -> std::process::ExitCode {
    let config = std::io::read_to_string(std::io::stdin()).unwrap_or_default();
    let opened = RelayConfig::parse(&config).map(|config| {
        let listen = vec![([127, 0, 0, 1], 0).into()];
        Relay::open(&RelayConfig { listen, ..config })
    });
    match opened {
        Ok(Ok(relay)) => {
            println!("{}", json!({ "address": relay.address().to_url() }));
            relay.run();
            std::process::ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// All participants of a bench come from one address.
pub const ONE_ADDRESS: &str = "\
[limits]
connections_per_address = 100000
handshakes_per_address = 1000000
";

/// Which relay is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The program as it is shipped.
    Shipped,
    /// Without the allocator that wipes and without a sandbox.
    Bare,
}

/// A relay on the first core, and its address.
pub fn relay(config: &str, build: Build) -> Result<(Running, String), String> {
    let mut command = match build {
        Build::Bare => pinned(0, &own_path()?),
        Build::Shipped => pinned(0, env!("CARGO_BIN_EXE_sottovoce")),
    };
    match build {
        Build::Bare => command.arg("--bare-relay"),
        Build::Shipped => command
            .args(["relay", "--json", "--listen", "127.0.0.1:0"])
            .args(["--config", "/dev/stdin"]),
    };
    let mut relay = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .map_err(|error| format!("the relay does not start: {error}"))?;
    let mut input = relay.0.stdin.take().ok_or("the relay has no input")?;
    input
        .write_all(config.as_bytes())
        .map_err(|error| error.to_string())?;
    drop(input);
    let mut ready = String::new();
    let out = relay.0.stdout.take().ok_or("the relay has no output")?;
    BufReader::new(out)
        .read_line(&mut ready)
        .map_err(|error| error.to_string())?;
    let ready: Value = serde_json::from_str(&ready).map_err(|_| "the relay is not ready")?;
    let address = ready["address"]
        .as_str()
        .ok_or("the relay names no address")?;
    Ok((relay, address.into()))
}

fn under_load(case: &Case, carrier: Carrier, seconds: u64, build: Build) -> Result<Value, String> {
    let (relay, address) = relay(ONE_ADDRESS, build)?;
    let output = pinned(last_core(), &own_path()?)
        .args([
            "--load",
            case.name,
            carrier.name(),
            &seconds.to_string(),
            &address,
            &relay.0.id().to_string(),
        ])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|_| "the load gave no result".into())
}

fn floor(case: &Case, seconds: u64) -> Result<Option<f64>, String> {
    if case.media == Media::Nothing {
        return Ok(None);
    }
    // The talkers hear each other too, so they are receivers as well, where there are several.
    let receivers = case.listeners;
    let path = own_path()?;
    let mut sink = pinned(last_core(), &path)
        .args(["--sink", &receivers.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .map_err(|error| error.to_string())?;
    let mut ports = String::new();
    let out = sink.0.stdout.take().ok_or("the sink has no output")?;
    BufReader::new(out)
        .read_line(&mut ports)
        .map_err(|error| error.to_string())?;
    let mut floor = pinned(0, &path)
        .args(["--floor", case.name, &seconds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .map_err(|error| error.to_string())?;
    let mut input = floor.0.stdin.take().ok_or("the floor has no input")?;
    input
        .write_all(ports.as_bytes())
        .map_err(|error| error.to_string())?;
    drop(input);
    let mut text = String::new();
    let out = floor.0.stdout.take().ok_or("the floor has no output")?;
    BufReader::new(out)
        .read_line(&mut text)
        .map_err(|error| error.to_string())?;
    text.trim()
        .parse()
        .map(Some)
        .map_err(|_| "the floor gave no figure".into())
}

pub fn own_path() -> Result<String, String> {
    let path = std::env::current_exe().map_err(|error| error.to_string())?;
    path.to_str()
        .map(String::from)
        .ok_or_else(|| "an unusual path".into())
}

pub fn last_core() -> usize {
    std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1)
}

/// A command that runs on one core only.
pub fn pinned(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}
