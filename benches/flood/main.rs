//! What a meeting loses while the relay is flooded with first packets from spoofed addresses.
//!
//!     cargo bench --bench flood -- [--quick] [--rate N] [CASE...]
//!
//! The relay runs on the first core; a meeting and the flood on the last. Everything runs in a network
//! namespace of its own, in which the spoofed addresses (10.0.0.0/8) are local: no packet leaves it.
//! Needs root, for that and for the raw socket. One JSON line for each case: `quiet` is the meeting by
//! itself; `elsewhere` floods a socket that nobody reads, to tell what the flood costs the machine
//! from what it costs the relay. Exit code 1 when a case lost more than `quiet` and `elsewhere` did.

#[path = "../../tests/support/anyone.rs"]
mod anyone;
#[path = "../fanout/case.rs"]
#[allow(dead_code)]
mod case;
mod meeting;
mod packets;
#[path = "../fanout/process.rs"]
#[allow(dead_code)]
mod process;
mod spray;
#[path = "../fanout/way.rs"]
#[allow(dead_code)]
mod way;

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use process::Running;
use serde_json::{Value, json};
use sottovoce::carrier::address::RelayAddress;

/// What is sent, and where to.
const CASES: [(&str, &str); 6] = [
    ("quiet", "no flood"),
    (
        "elsewhere",
        "real first packets to a socket that nobody reads",
    ),
    ("garbage", "first packets that do not open"),
    (
        "real",
        "first packets as stock quinn makes them, two for each handshake",
    ),
    (
        "tokens",
        "first packets with the token of a Retry that never was",
    ),
    (
        "ids",
        "first packets and packets of ended connections, under ids that the relay gave out",
    ),
];

/// Packets a second that the flood aims at.
const RATE: u32 = 100_000;

/// From the start of a flood until it counts.
const RUN_UP: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--meeting", relay] => meeting::main(relay),
        ["--spray", kind, port, rate, seconds] => spray::main(kind, port, rate, seconds),
        ["--awake"] => process::awake(),
        ["--inside", words @ ..] => bench(words),
        ["--help" | "-h"] => {
            println!(
                "usage: cargo bench --bench flood -- [--quick] [--rate N] [CASE...]\n\ncases:"
            );
            for (name, about) in CASES {
                println!("  {name:<10} {about}");
            }
            ExitCode::SUCCESS
        }
        words => inside(words),
    }
}

/// The same again, in a network of its own.
fn inside(words: &[&str]) -> ExitCode {
    const SET_UP: &str = "ip link set lo up && ip route add local 10.0.0.0/8 dev lo && exec \"$@\"";
    let path = match process::own_path() {
        Ok(path) => path,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let status = Command::new("unshare")
        .args(["--net", "sh", "-c", SET_UP, "sh", &path, "--inside"])
        .args(words)
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("no network of its own ({error}): needs root, unshare and ip");
            ExitCode::FAILURE
        }
    }
}

fn bench(words: &[&str]) -> ExitCode {
    let mut seconds = 10;
    let mut rate = RATE;
    let mut chosen = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--quick" => seconds = 4,
            "--rate" => match words.next().and_then(|word| word.parse().ok()) {
                Some(given) => rate = given,
                None => return usage("--rate needs a number"),
            },
            name if CASES.iter().any(|(known, _)| *known == name) => chosen.push(name),
            name => return usage(&format!("no such case: {name}")),
        }
    }
    if chosen.is_empty() {
        chosen.extend(CASES.iter().map(|(name, _)| *name));
    }
    match run(&chosen, rate, seconds) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(what: &str) -> ExitCode {
    eprintln!("{what}; `--help` says more");
    ExitCode::from(2)
}

/// The meeting's process: says how it went when asked.
struct Meeting {
    _running: Running,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Meeting {
    fn open(relay: &str) -> Result<Self, String> {
        let mut running = process::pinned(process::last_core(), &process::own_path()?)
            .args(["--meeting", relay])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Running)
            .map_err(|error| error.to_string())?;
        let input = running.0.stdin.take().ok_or("no input")?;
        let output = BufReader::new(running.0.stdout.take().ok_or("no output")?);
        let mut meeting = Self {
            _running: running,
            input,
            output,
        };
        meeting.line()?;
        Ok(meeting)
    }

    fn line(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line);
        read.map_err(|error| error.to_string())?;
        serde_json::from_str(&line).map_err(|_| "the meeting has ended".into())
    }

    fn count(&mut self, seconds: u64) -> Result<Value, String> {
        writeln!(self.input, "{seconds}").map_err(|error| error.to_string())?;
        self.line()
    }
}

/// Datagrams that the kernel had no room for, at all sockets of this network.
fn dropped() -> u64 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let drops = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().last());
    drops.filter_map(|drops| drops.parse::<u64>().ok()).sum()
}

fn run(chosen: &[&str], rate: u32, seconds: u64) -> Result<bool, String> {
    let _awake = process::keep_awake()?;
    let (relay, address) = process::relay(process::ONE_ADDRESS, process::Build::Shipped)?;
    let parsed: RelayAddress = address.parse().map_err(|_| "the relay has no address")?;
    let mut meeting = Meeting::open(&address)?;
    let deaf = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let deaf_port = deaf.local_addr().map_err(|error| error.to_string())?.port();
    let mut others_lost = 0;
    let mut held = true;
    for &case in chosen {
        let (kind, port) = match case {
            "quiet" => (None, 0),
            "elsewhere" => (Some("real"), deaf_port),
            kind => (Some(kind), parsed.port()),
        };
        let flood = kind
            .map(|kind| flood(kind, port, rate, seconds))
            .transpose()?;
        let drops = dropped();
        let cpu = process::cpu_of(relay.0.id()).ok_or("the relay is gone")?;
        let mut line = meeting.count(seconds)?;
        let used = process::cpu_of(relay.0.id()).ok_or("the relay is gone")? - cpu;
        line["case"] = json!(case);
        line["relay_cpu_percent"] = json!((used.as_secs_f64() * 100.0 / seconds as f64).round());
        if port == parsed.port() {
            line["socket_full"] = json!(dropped() - drops);
        }
        if let Some(mut flood) = flood {
            let mut text = String::new();
            let output = flood.0.stdout.take().ok_or("the flood has no output")?;
            let read = BufReader::new(output).read_line(&mut text);
            read.map_err(|error| error.to_string())?;
            line["flood_per_s"] = text
                .trim()
                .parse()
                .map_or(Value::Null, |rate: u64| json!(rate));
        }
        println!("{line}");
        let lost = line["lost"].as_u64().unwrap_or(u64::MAX);
        if port == parsed.port() {
            if lost > others_lost {
                eprintln!("{case}: the meeting lost {lost} frames, without it {others_lost}");
                held = false;
            }
        } else {
            others_lost = others_lost.max(lost);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(held)
}

/// A flood that has begun, and lasts longer than what is counted.
fn flood(kind: &str, port: u16, rate: u32, seconds: u64) -> Result<Running, String> {
    let lasts = seconds + 2 * RUN_UP.as_secs();
    let mut flood = process::pinned(process::last_core(), &process::own_path()?)
        .args([
            "--spray",
            kind,
            &port.to_string(),
            &rate.to_string(),
            &lasts.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .map_err(|error| error.to_string())?;
    // It says when it has its packets.
    let mut byte = [0];
    let output = flood.0.stdout.as_mut().ok_or("the flood has no output")?;
    std::io::Read::read_exact(output, &mut byte).map_err(|_| "no raw socket: needs root")?;
    std::thread::sleep(RUN_UP);
    Ok(flood)
}
