//! What end-to-end encryption costs a participant's device.
//!
//!     cargo bench --bench meeting -- [--quick] [--json] [PART...]
//!
//! Parts: `admit` (a newcomer enters a group of 10, 50, 200; 16 enter at once), `media` (frames sealed
//! and opened, beside bare AES-128-GCM of the same size by the same crate in the same run), `sign`
//! (attestations) and `words` (Argon2id). One line for each figure; with `--json` one JSON object.
//! Exit code 1 when a figure misses its goal.

mod admit;
mod media;
mod report;
mod time;

use std::process::ExitCode;

use report::Report;

const PARTS: [&str; 4] = ["admit", "media", "sign", "words"];

fn main() -> ExitCode {
    let (mut quick, mut json, mut parts) = (false, false, Vec::new());
    for argument in std::env::args().skip(1).filter(|word| word != "--bench") {
        match argument.as_str() {
            "--quick" => quick = true,
            "--json" => json = true,
            "--help" | "-h" => {
                println!("usage: cargo bench --bench meeting -- [--quick] [--json] [PART...]");
                println!("parts: {}", PARTS.join(", "));
                return ExitCode::SUCCESS;
            }
            word if PARTS.contains(&word) => parts.push(argument),
            word => {
                eprintln!("no such part: {word}; there are {}", PARTS.join(", "));
                return ExitCode::from(2);
            }
        }
    }
    let mut report = Report::new(json);
    for part in PARTS {
        if !parts.is_empty() && !parts.iter().any(|named| named == part) {
            continue;
        }
        match part {
            "admit" => admit::measure(quick, &mut report),
            "media" => media::frames(quick, &mut report),
            "sign" => media::attestations(quick, &mut report),
            _ => media::words(quick, &mut report),
        }
    }
    match report.held() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
