//! `sottovoce check`: looks at a relay's configuration and at the machine, and says what to change.
//!
//! It reads and changes nothing, but for a packet without content to the port of a relay that runs, and
//! a request to where that tells its numbers. What it reads of the machine goes through [`machine::Machine`], so that tests can make machines up.

mod access;
mod certificate;
mod clock;
mod configuration;
mod identity;
mod journal;
mod kernel;
mod machine;
mod memory;
mod metrics;
mod network;
mod port;
mod probe;
mod sandbox;
mod show;
mod units;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use sottovoce::quiet::sandbox::support;
use sottovoce::relay::RelayConfig;

use self::machine::Machine;
use self::units::Service;
use super::{Exit, Failure, say};

/// Look at a relay's configuration and at this machine, and say what to change.
///
/// As root it sees more. It tells nobody anything, and looks at nothing that participants leave.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's configuration file [default: /etc/sottovoce/relay.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a JSON object for each check
    #[arg(long)]
    pub(super) json: bool,
}

/// Where the service has its configuration.
const USUAL: &str = "/etc/sottovoce/relay.toml";

/// What a check came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// As it should be.
    Fine,
    /// The relay runs, and something could be better, or cannot be seen from here.
    Advice,
    /// The relay does not run, nobody reaches it, or it may leave behind what it should not.
    Wrong,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Advice => "advice",
            Self::Wrong => "wrong",
        }
    }
}

/// One line of the list.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    state: State,
    /// What is so and, unless all is fine, what to change.
    sentence: String,
}

impl Finding {
    fn fine(check: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(check, State::Fine, sentence)
    }

    fn advice(check: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(check, State::Advice, sentence)
    }

    fn wrong(check: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(check, State::Wrong, sentence)
    }

    fn new(check: &'static str, state: State, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self {
            check,
            state,
            sentence,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "event": "check",
            "check": self.check,
            "state": self.state.name(),
            "sentence": self.sentence,
        })
    }
}

/// Runs all checks and lists what they found.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let machine = Machine::this();
    let usual = Path::new(USUAL);
    let file = match &arguments.config {
        Some(file) => Some(file.as_path()),
        None => machine.has(usual).then_some(usual),
    };
    let findings = all(&machine, file, SystemTime::now());
    match arguments.json {
        true => findings
            .iter()
            .try_for_each(|finding| say(&format!("{}\n", finding.to_json())))?,
        false => say(&show::list(&findings, show::Screen::of_stdout()))?,
    }
    let wrong = count(&findings, State::Wrong);
    match wrong {
        0 => Ok(()),
        _ => {
            let sentence = format!("{wrong} of {} checks say what to change", findings.len());
            Err(Failure::new(Exit::Unfit, sentence))
        }
    }
}

fn count(findings: &[Finding], state: State) -> usize {
    let of = |finding: &&Finding| finding.state == state;
    findings.iter().filter(of).count()
}

/// In the order in which an operator would put things right.
fn all(machine: &Machine, file: Option<&Path>, now: SystemTime) -> Vec<Finding> {
    let service = Service::find(machine);
    let (mut findings, mut config) = configuration::check(machine, file);
    if let Some(config) = &mut config {
        // What the service is started with goes before the file.
        let handed = file.and_then(|file| service.identity(file));
        let served = handed.is_some();
        config.identity = handed.or(config.identity.take());
        findings.extend(of_the_relay(machine, &service, config, now));
        findings.push(metrics::check(machine, &service, config, served));
    }
    findings.push(clock::check(machine, now));
    findings.push(kernel::check(machine));
    findings.push(sandbox::check(support()));
    findings.push(memory::swap(machine, &service));
    findings.push(memory::locking(machine, &service));
    findings.push(memory::core_dumps(machine));
    findings.push(kernel::open_files(machine));
    findings.extend(journal::check(machine, &service));
    findings
}

/// What depends on the configuration.
fn of_the_relay(
    machine: &Machine,
    service: &Service,
    config: &RelayConfig,
    now: SystemTime,
) -> Vec<Finding> {
    let mut findings = vec![
        access::check(config),
        identity::check(machine, service, config),
        certificate::check(machine, service, config, now),
    ];
    findings.extend(certificate::folder(machine, service, config));
    findings.extend(port::check(machine, service, config));
    findings.push(network::firewall(config));
    findings.push(network::conntrack(machine, config));
    findings.push(network::buffers(machine, service));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_reads_what_people_read() {
        let finding = Finding::wrong("swap", "Turn it off.");
        let value = finding.to_json();
        assert_eq!(value["check"], "swap");
        assert_eq!(value["state"], "wrong");
        assert_eq!(value["sentence"], "Turn it off.");
    }

    #[test]
    fn the_identity_that_the_service_has_is_one_for_a_pass() {
        let config = ("/c.toml", "[access]\nwho = \"pass\"\n");
        let unit = "ExecStart=/bin/x relay --config /c.toml --identity %d/identity\n";
        let unit = ("/lib/systemd/system/sottovoce.service", unit);
        for (files, state) in [
            (vec![config], State::Wrong),
            (vec![config, unit], State::Fine),
        ] {
            let machine = machine::made_up(&files);
            let findings = all(&machine, Some(Path::new("/c.toml")), SystemTime::now());
            let found = findings.iter().find(|finding| finding.check == "access");
            assert_eq!(found.unwrap().state, state);
        }
    }

    #[test]
    fn a_bare_machine_has_a_finding_of_each_kind() {
        let machine = machine::made_up(&[]);
        let findings = all(&machine, None, SystemTime::now());
        let mut names: Vec<_> = findings.iter().map(|finding| finding.check).collect();
        names.dedup();
        assert_eq!(
            names,
            [
                "configuration",
                "public-address",
                "access",
                "identity",
                "certificate",
                "port",
                "firewall",
                "conntrack",
                "buffers",
                "metrics",
                "clock",
                "kernel",
                "sandbox",
                "swap",
                "memory-lock",
                "core-dumps",
                "open-files",
                "journal",
            ]
        );
        for finding in findings {
            assert!(finding.sentence.ends_with('.'), "{}", finding.sentence);
        }
    }
}
