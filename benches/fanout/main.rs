//! What a delivered frame costs the relay, beside this machine's floor.
//!
//!     cargo bench --bench fanout -- [--quick] [--bare] [CASE...]
//!
//! The relay runs in its own process, pinned to the first core; the load in another, pinned to the
//! last. Each case prints one JSON line. The floor is what the machine itself asks for the same
//! work: sealing the same packets and sending them to as many sockets at the same pace, in the same
//! run. All cores are kept from sleeping meanwhile. `--bare` runs the same relay without wiping freed
//! memory and without its sandbox, to show what these cost. Exit code 1 when a case delivers less than 99.9 %
//! or passes its bar.

mod case;
mod floor;
mod load;
mod process;

use std::process::ExitCode;

use case::Case;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--load", name, seconds, relay, pid] => load::main(name, seconds, relay, pid),
        ["--floor", name, seconds] => floor::main(name, seconds),
        ["--sink", count] => floor::sink(count),
        ["--awake"] => process::awake(),
        ["--bare-relay"] => process::bare_relay(),
        ["--help" | "-h"] => {
            println!("usage: cargo bench --bench fanout -- [--quick] [--bare] [CASE...]\n\ncases:");
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
    let bare = words.contains(&"--bare");
    let seconds = if quick { 4 } else { 10 };
    let mut cases = Vec::new();
    for word in words
        .iter()
        .filter(|word| !["--quick", "--bare"].contains(word))
    {
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
        match process::measure(case, seconds, bare) {
            Ok(line) => {
                println!("{}", line.to_json());
                for failure in line.failures() {
                    eprintln!("{}: {failure}", case.name);
                    held = false;
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
