//! `make demo`: a relay and three participants on this machine, 20 s of recorded voices and moving
//! pictures, then a table of what arrived. Exits non-zero unless everything did, bit for bit.
//!
//! Each participant writes a trace of its own (a hidden option of `join`, on its own disk alone);
//! the table compares them. A frame counts when it was sent while all three were in the room.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

/// Who takes part, and what each one plays.
const CAST: [(&str, &str); 3] = [
    ("Ada", "tests/fixtures/vp8-voice.webm"),
    ("Bea", "tests/fixtures/vp9-voice.webm"),
    ("Cam", "tests/fixtures/voice-bo.webm"),
];
/// What is cut off at both ends of the time in which all were there: frames still under way.
const MARGIN: Duration = Duration::from_millis(500);
/// How long getting ready may take.
const PATIENCE: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut program = PathBuf::from("target/release/sottovoce");
    let mut seconds = 20;
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--sottovoce", Some(path)) => program = path.into(),
            ("--seconds", Some(text)) if text.parse::<u64>().is_ok() => {
                seconds = text.parse().unwrap_or(seconds);
            }
            _ => {
                eprintln!("usage: demo [--sottovoce PROGRAM] [--seconds 20]");
                return ExitCode::from(2);
            }
        }
    }
    match demo(&program, Duration::from_secs(seconds)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            eprintln!("demo: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// A child that is ended when it goes out of scope, whatever happened.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is removed when it goes out of scope.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn demo(program: &Path, duration: Duration) -> Result<bool, String> {
    let scratch =
        Scratch(std::env::temp_dir().join(format!("sottovoce-demo-{}", std::process::id())));
    std::fs::create_dir_all(&scratch.0).map_err(|error| format!("no scratch folder: {error}"))?;

    let mut relay = Command::new(program)
        .args(["relay", "--json", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .map_err(|error| format!("{} does not start: {error}", program.display()))?;
    let ready = first_line(&mut relay.0)?;
    let address = field(&ready, "address")?;
    let invite = Command::new(program)
        .args(["invite", "--json", "--relay", &address])
        .output()
        .map_err(|error| error.to_string())?;
    let link = field(&String::from_utf8_lossy(&invite.stdout), "meeting_link")?;
    println!(
        "a relay listens on {}",
        address.split('#').next().unwrap_or_default()
    );

    let mut cast = Vec::new();
    for (name, file) in CAST {
        let trace = scratch.0.join(name);
        let child = Command::new(program)
            .args([
                "join", &link, "--name", name, "--play", file, "--loop", "--json",
            ])
            .args(["--for", &format!("{}s", duration.as_secs() + 4)])
            .arg("--trace")
            .arg(&trace)
            .stdout(Stdio::null())
            .spawn()
            .map(Running)
            .map_err(|error| error.to_string())?;
        cast.push((name, trace, child));
        println!("{name} joins and plays {file}");
    }
    let everyone = all_heard(&cast)?;
    progress(duration);
    let until = now_ns();
    for (name, _, child) in &mut cast {
        let status = child.0.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("{name} ended with {status}"));
        }
    }
    let margin = MARGIN.as_nanos() as u64;
    let traces: HashMap<&str, Vec<Line>> = cast
        .iter()
        .map(|(name, trace, _)| Ok((*name, read(trace)?)))
        .collect::<Result<_, String>>()?;
    Ok(table(&traces, everyone + margin, until - margin))
}

/// Waits until each participant has heard all others; says when that was.
fn all_heard(cast: &[(&str, PathBuf, Running)]) -> Result<u64, String> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let complete = cast.iter().all(|(name, trace, _)| {
            read(trace).is_ok_and(|lines| {
                CAST.iter()
                    .filter(|(other, _)| other != name)
                    .all(|(other, _)| {
                        lines
                            .iter()
                            .any(|line| line.from.as_deref() == Some(*other))
                    })
            })
        });
        if complete {
            return Ok(now_ns());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err("the participants do not hear each other".into())
}

fn progress(duration: Duration) {
    let start = Instant::now();
    let terminal = std::io::stdout().is_terminal();
    while start.elapsed() < duration {
        if terminal {
            let left = duration.saturating_sub(start.elapsed()).as_secs() + 1;
            print!("\rthey talk for {left:>2} s more ");
            let _ = std::io::stdout().flush();
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    if terminal {
        print!("\r{:30}\r", "");
    }
}

/// A line of a trace: a frame that was sent (no `from`) or received.
#[derive(Deserialize)]
struct Line {
    from: Option<String>,
    track: u8,
    number: u64,
    digest: String,
    at_ns: u64,
}

fn read(path: &Path) -> Result<Vec<Line>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("no trace: {error}"))?;
    // The last line may still be under way.
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn table(traces: &HashMap<&str, Vec<Line>>, from: u64, until: u64) -> bool {
    println!(
        "\n{:<9} {:<8} {:>5} {:>6} {:>9} {:>14} {:>5} {:>8} {:>8}",
        "listener",
        "speaker",
        "track",
        "sent",
        "received",
        "bit-identical",
        "lost",
        "p50 ms",
        "p99 ms"
    );
    let mut perfect = true;
    for (listener, _) in CAST {
        for (speaker, _) in CAST.iter().filter(|(name, _)| *name != listener) {
            let heard: HashMap<(u8, u64), &Line> = traces[listener]
                .iter()
                .filter(|line| line.from.as_deref() == Some(*speaker))
                .map(|line| ((line.track, line.number), line))
                .collect();
            let mut sent: Vec<&Line> = traces[speaker]
                .iter()
                .filter(|line| line.from.is_none() && (from..until).contains(&line.at_ns))
                .collect();
            sent.sort_by_key(|line| (line.track, line.number));
            if sent.is_empty() {
                perfect = false;
            }
            for track in sent.chunk_by(|a, b| a.track == b.track) {
                let arrived: Vec<(&Line, &Line)> = track
                    .iter()
                    .filter_map(|line| Some((*line, *heard.get(&(line.track, line.number))?)))
                    .collect();
                let same = arrived.iter().filter(|(s, h)| s.digest == h.digest).count();
                let mut late: Vec<f64> = arrived
                    .iter()
                    .map(|(s, h)| h.at_ns.saturating_sub(s.at_ns) as f64 / 1e6)
                    .collect();
                late.sort_by(f64::total_cmp);
                let quantile = |q: f64| {
                    late.get(((late.len() as f64 - 1.0) * q).round() as usize)
                        .copied()
                };
                println!(
                    "{:<9} {:<8} {:>5} {:>6} {:>9} {:>14} {:>5} {:>8.1} {:>8.1}",
                    listener,
                    speaker,
                    track[0].track,
                    track.len(),
                    arrived.len(),
                    same,
                    track.len() - arrived.len(),
                    quantile(0.5).unwrap_or(f64::NAN),
                    quantile(0.99).unwrap_or(f64::NAN),
                );
                perfect &= same == track.len();
            }
        }
    }
    println!(
        "\n{}",
        if perfect {
            "Everything arrived, bit for bit."
        } else {
            "Something is missing or differs."
        }
    );
    perfect
}

fn now_ns() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// The first line that a child prints; what it prints later is not wanted.
fn first_line(child: &mut Child) -> Result<String, String> {
    let out = child.stdout.take().ok_or("the relay has no output")?;
    let mut line = String::new();
    BufReader::new(out)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    if line.is_empty() {
        Err("the relay does not get ready".into())
    } else {
        Ok(line)
    }
}

fn field(json: &str, name: &str) -> Result<String, String> {
    let value: serde_json::Value =
        serde_json::from_str(json.trim()).map_err(|_| "not what was expected of a child")?;
    value[name]
        .as_str()
        .map(String::from)
        .ok_or_else(|| format!("no {name} in a child's answer"))
}
