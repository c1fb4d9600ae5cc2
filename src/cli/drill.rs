//! `sottovoce drill`: seizes a relay of one's own and shows what is found.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::ProgressBar;
use nix::unistd::Uid;
use sottovoce::drill::{self, DrillError, Findings, Mode, Plan};

use super::{Exit, Failure, say};

/// Seize a relay on this machine and look for what it should not have: starts one, holds a meeting of
/// made-up people at it, and then searches its memory, its output, its files and the kernel for their
/// addresses, names, rooms and words. Takes about three minutes; needs root for the memory.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Another relay's program to drill
    #[arg(long, value_name = "PATH")]
    relay: Option<PathBuf>,
    /// Print what was found as JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
    /// Keep all that was captured in this folder, the relay's memory too. Only made-up people are in it
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// A meeting of two and a stranger instead of everything
    #[arg(long, hide = true)]
    short: bool,
    /// Say by what means this process can look into that one
    #[arg(long, value_name = "PID", hide = true)]
    probe: Option<u32>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(pid) = arguments.probe {
        let ways = drill::probe(pid);
        return say(&ways
            .iter()
            .map(|way| format!("{way}\n"))
            .collect::<String>());
    }
    let program = std::env::current_exe().map_err(|_| {
        Failure::new(
            Exit::Internal,
            "This program cannot find itself; start it by its full path.",
        )
    })?;
    let plan = Plan {
        relay: arguments.relay.unwrap_or_else(|| program.clone()),
        program,
        modes: vec![Mode::Default, Mode::TurnedUp],
        environment: Vec::new(),
        short: arguments.short,
        keep: arguments.keep.clone(),
    };
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    };
    bar.enable_steady_tick(Duration::from_millis(120));
    let shown = bar.clone();
    let held = drill::run(plan, move |now| shown.set_message(now.to_owned()));
    bar.finish_and_clear();
    let findings = held.map_err(|error| {
        let exit = match error {
            DrillError::Interrupted => Exit::Interrupted,
            _ => Exit::NotLooked,
        };
        Failure::new(exit, format!("Nothing is shown: {error}."))
    })?;
    say(&match arguments.json {
        true => findings.json(),
        false => findings.table(),
    })?;
    if let Some(keep) = &arguments.keep {
        let told = format!(
            "What was captured is in {}; it holds canaries only.\n",
            keep.display()
        );
        let _ = std::io::stderr().write_all(told.as_bytes());
    }
    verdict(&findings)
}

fn verdict(findings: &Findings) -> Result<(), Failure> {
    if findings.found() {
        let sentence = "The drill found what should not be there: do not let people meet at this \
                        relay, and report the table above.";
        return Err(Failure::new(Exit::Found, sentence));
    }
    if findings.not_looked() {
        let remedy = match Uid::effective().is_root() {
            true => "the rows NOT LOOKED say where and why",
            false => "run it as root",
        };
        let sentence = format!(
            "The drill could not look everywhere, so that it shows less than it should: {remedy}."
        );
        return Err(Failure::new(Exit::NotLooked, sentence));
    }
    Ok(())
}
