//! `sottovoce pass`: prints what a relay's operator gives to those who may meet there. Talks to nobody.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;
use sottovoce::carrier::certificate::Identity;
use sottovoce::relay::{Pass, RelayConfig, Who};
use zeroize::Zeroizing;

use super::relay::read_config;
use super::{Exit, Failure, say};

/// Print the pass of a relay that serves only those who have it: to give to whoever makes links
/// there, with `sottovoce invite --pass`. It derives from the relay's identity; the relay need not
/// run. `who` and `generation` under [access] in the relay's configuration say whether it asks for a
/// pass, and for which.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// File with the relay's identity, which the relay made at its first start
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    identity: Option<PathBuf>,
    /// The relay's configuration file, for its identity and generation; what is given here as an
    /// argument goes before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which pass; the relay takes its own generation and the one before [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    generation: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints the pass alone on standard output, and on standard error what it is.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = match &arguments.config {
        Some(path) => Some(read_config(path)?),
        None => None,
    };
    let named = config.as_ref().and_then(|config| config.identity.clone());
    let identity = arguments.identity.or(named).ok_or_else(|| {
        Failure::new(
            Exit::Config,
            "The configuration names no `identity`, and a pass derives from one; name it there, or \
             give --identity FILE.",
        )
    })?;
    let identity = Identity::open(&identity)
        .map_err(|error| Failure::new(Exit::Identity, error.to_string()))?;
    let configured = config.as_ref().map(|config| config.access.generation);
    let generation = arguments.generation.or(configured).unwrap_or(1);
    let word = Pass::of(&identity, generation).to_word();
    if arguments.json {
        let object = json!({ "pass": *word, "generation": generation });
        return say(&format!("{object}\n"));
    }
    let mut about = format!(
        "Pass of generation {generation}, for those who may meet at this relay (`sottovoce invite \
         --pass`):\n\n"
    );
    if let Some(unused) = config.and_then(|config| unused(&config, generation)) {
        about.insert_str(0, &unused);
    }
    let _ = std::io::stderr().write_all(about.as_bytes());
    say(&Zeroizing::new(format!("{}\n", *word)))
}

/// What an operator should know who gives away a pass that the relay does not take.
fn unused(config: &RelayConfig, generation: u32) -> Option<String> {
    let newest = config.access.generation;
    if config.access.who == Who::Open {
        return Some(
            "sottovoce: with this configuration the relay serves everyone; to have it ask for the pass, \
             write `who = \"pass\"` under [access].\n"
                .to_owned(),
        );
    }
    let good = generation <= newest && newest - generation <= 1;
    (!good).then(|| {
        format!(
            "sottovoce: with this configuration the relay takes generation {newest} and the one before; \
             this pass is good once `generation` under [access] says so.\n"
        )
    })
}
