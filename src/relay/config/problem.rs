//! Why a configuration is refused, in words for whoever wrote it.

use std::fmt;

use crate::carrier::door::DoorAddressError;

/// Why a configuration file is refused, and where. Whoever wrote the file can put it right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The line, from 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong there.
    pub problem: ConfigProblem,
}

/// What can be wrong with a configuration file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigProblem {
    /// There is no such field.
    UnknownField {
        /// What the file says.
        name: String,
        /// What it may have meant.
        nearest: Option<&'static str>,
    },
    /// The field is one of another table.
    WrongTable {
        /// Which field.
        name: &'static str,
        /// Where it belongs; empty for the top of the file.
        section: &'static str,
    },
    /// A number out of its range.
    OutOfRange {
        /// Which field.
        name: &'static str,
        /// The least that is allowed.
        least: i64,
        /// The most that is allowed.
        most: i64,
    },
    /// `listen` is empty.
    NothingToListenOn,
    /// Something in `listen` is no `ip:port`.
    ListenAddress,
    /// `certificate` without `key`, or the other way round.
    HalfACertificate,
    /// `public_address` is no `host:port`.
    PublicAddress,
    /// `public_address` leads nobody to the relay from elsewhere.
    LeadsNowhere,
    /// `[metrics] listen` is no place that this machine alone can reach.
    Metrics(DoorAddressError),
    /// A pass without an identity that it derives from.
    PassOfNoIdentity,
    /// A path that is not UTF-8, which no configuration file can hold.
    NotText,
    /// It is not TOML, or a value is of the wrong kind; in the parser's words.
    Syntax(String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match &self.problem {
            ConfigProblem::UnknownField { name, nearest: Some(nearest) } => {
                write!(f, "there is no field `{name}`; did you mean `{nearest}`?")
            }
            ConfigProblem::UnknownField { name, nearest: None } => write!(
                f,
                "there is no field `{name}`; `sottovoce relay --print-config` shows all there are"
            ),
            ConfigProblem::WrongTable { name, section: "" } => {
                write!(f, "`{name}` belongs at the top of the file, before any [table]")
            }
            ConfigProblem::WrongTable { name, section } => {
                write!(f, "`{name}` belongs in the table [{section}]; put it below that line")
            }
            ConfigProblem::OutOfRange { name, least, most } => {
                write!(f, "`{name}` must be a number from {least} to {most}")
            }
            ConfigProblem::NothingToListenOn => {
                f.write_str("`listen` names no address; leave it out for 127.0.0.1:4433")
            }
            ConfigProblem::ListenAddress => f.write_str(
                "`listen` takes IP addresses with a port, like \"0.0.0.0:443\" or \"[::]:443\"",
            ),
            ConfigProblem::HalfACertificate => {
                f.write_str("`certificate` and `key` belong together; give both or neither")
            }
            ConfigProblem::PublicAddress => f.write_str(
                "`public_address` must be host:port, like relay.example.org:443 or [2001:db8::1]:443",
            ),
            ConfigProblem::LeadsNowhere => f.write_str(
                "a `public_address` that means all addresses (0.0.0.0, ::), or is good on one wire \
                 alone (fe80::...), leads nobody to the relay; write a name or an address that others \
                 reach this machine by",
            ),
            ConfigProblem::Metrics(error) => write!(f, "`listen` in [metrics] {error}"),
            ConfigProblem::PassOfNoIdentity => f.write_str(
                "`who = \"pass\"` needs an `identity`: the pass derives from it, and without a file it \
                 would be another one after each start; name one",
            ),
            ConfigProblem::NotText => f.write_str(
                "a path is not in UTF-8, and cannot stand in a configuration file; rename it",
            ),
            ConfigProblem::Syntax(problem) => f.write_str(problem.trim_end()),
        }
    }
}

impl std::error::Error for ConfigError {}
