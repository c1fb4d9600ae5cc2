//! What a delivered frame costs the relay, beside this machine's floor.
//!
//!     cargo bench --bench fanout -- [--quick] [--bare] [--carrier webtransport] [CASE...]
//!
//! The relay runs in its own process, pinned to the first core; the load in another, pinned to the
//! last. Each case prints one JSON line. The floor is what the machine itself asks for the same
//! work: sealing the same packets and sending them to as many sockets at the same pace, in the same
//! run. All cores are kept from sleeping meanwhile. `--bare` runs the same relay without wiping freed
//! memory and without its sandbox, to show what these cost. `--carrier webtransport` has all
//! participants come as browsers do, too, between two runs of raw QUIC, and compares. Exit code 1 when a
//! case delivers less than 99.9 % or passes its bar.

mod case;
mod floor;
mod load;
mod process;
mod way;

use std::process::ExitCode;

use case::Case;
use way::Carrier;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--load", name, carrier, seconds, relay, pid] => {
            load::main(name, carrier, seconds, relay, pid)
        }
        ["--floor", name, seconds] => floor::main(name, seconds),
        ["--sink", count] => floor::sink(count),
        ["--awake"] => process::awake(),
        ["--bare-relay"] => process::bare_relay(),
        ["--help" | "-h"] => {
            println!(
                "usage: cargo bench --bench fanout -- [--quick] [--bare] \
                 [--carrier quic|webtransport] [CASE...]\n\ncases:"
            );
            for case in Case::ALL {
                println!("  {:<14} {}", case.name, case.about);
            }
            ExitCode::SUCCESS
        }
        words => bench(words),
    }
}

fn bench(words: &[&str]) -> ExitCode {
    let quick = words.contains(&"--quick");
    let build = match words.contains(&"--bare") {
        true => process::Build::Bare,
        false => process::Build::Shipped,
    };
    let seconds = if quick { 4 } else { 10 };
    let mut carrier = Carrier::Quic;
    let mut cases = Vec::new();
    let mut words = words
        .iter()
        .filter(|word| !["--quick", "--bare"].contains(word));
    while let Some(&word) = words.next() {
        if word == "--carrier" {
            match words.next().and_then(|name| Carrier::named(name)) {
                Some(named) => carrier = named,
                None => {
                    eprintln!("a carrier is quic or webtransport");
                    return ExitCode::from(2);
                }
            }
            continue;
        }
        match Case::named(word) {
            Some(case) => cases.push(case),
            None => {
                eprintln!("no such case: {word}; `--help` lists them");
                return ExitCode::from(2);
            }
        }
    }
    if cases.is_empty() {
        cases.extend(Case::ALL.iter());
    }
    let _awake = match process::keep_awake() {
        Ok(awake) => awake,
        Err(error) => {
            eprintln!("the cores cannot be kept awake: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut held = true;
    for case in cases {
        eprint!("{:<14} …\r", case.name);
        match process::measure(case, carrier, seconds, build) {
            Ok(lines) => {
                for line in lines {
                    println!("{}", line.to_json());
                    for failure in line.failures() {
                        eprintln!("{}: {failure}", case.name);
                        held = false;
                    }
                }
            }
            Err(error) => {
                eprintln!("{}: {error}", case.name);
                held = false;
            }
        }
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
