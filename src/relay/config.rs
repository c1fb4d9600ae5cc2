//! What an operator can set: one struct, one table that documents it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use crate::carrier::address::RelayAddress;

/// The configuration of a relay. Each field's meaning and default is in [`FIELDS`], which is what
/// `sottovoce relay --print-config` prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelayConfig {
    /// UDP addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// What links name the relay by, `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<String>,
    /// The file with the relay's identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<PathBuf>,
    /// A certificate chain from a certificate authority, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The key of `certificate`, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// How much the relay takes on.
    pub limits: Limits,
}

/// How much a relay takes on. What is not here is in [`super::limits`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Participants at a time.
    pub participants: usize,
    /// Rooms at a time.
    pub rooms: usize,
    /// Participants of one room, viewers included.
    pub participants_per_room: usize,
    /// Members of one room.
    pub members_per_room: usize,
    /// Memory for the current groups of all tracks, in MiB.
    pub group_memory: usize,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 4433))],
            public_address: None,
            identity: None,
            certificate: None,
            key: None,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            participants: 8192,
            rooms: 4096,
            participants_per_room: 8192,
            members_per_room: 1024,
            group_memory: 512,
        }
    }
}

impl Limits {
    /// `group_memory` in bytes.
    pub(super) fn group_bytes(&self) -> usize {
        self.group_memory.saturating_mul(1024 * 1024)
    }
}

/// One line of the configuration file.
struct Field {
    section: &'static str,
    name: &'static str,
    /// What stands above it in the default file.
    says: &'static str,
    /// Shown commented out when there is no default.
    example: &'static str,
    least: i64,
    most: i64,
}

const fn text(name: &'static str, example: &'static str, says: &'static str) -> Field {
    Field {
        section: "",
        name,
        says,
        example,
        least: 0,
        most: 0,
    }
}

const fn number(name: &'static str, least: i64, most: i64, says: &'static str) -> Field {
    Field {
        section: "limits",
        name,
        says,
        example: "",
        least,
        most,
    }
}

/// A `Welcome` names the members present; this many fit the largest control message.
const MOST_MEMBERS: i64 = 4096;

/// Every field, in the order of the default file: the only place that documents them.
const FIELDS: [Field; 10] = [
    text(
        "listen",
        "",
        "UDP addresses to listen on, IPv4 or IPv6. \"0.0.0.0:443\" and \"[::]:443\" take\n\
         everyone in; the default takes only this machine.",
    ),
    text(
        "public_address",
        "\"relay.example.org:443\"",
        "What links call this relay, as host:port. Without it, the first of `listen`.",
    ),
    text(
        "identity",
        "\"/var/lib/sottovoce/identity\"",
        "File with the relay's identity (32 random bytes), made on first use. Links stay good\n\
         as long as it does. Without it, the identity dies with the process, and so do links.",
    ),
    text(
        "certificate",
        "\"/etc/letsencrypt/live/relay.example.org/fullchain.pem\"",
        "Certificate chain for the relay's domain (PEM), with `key`. Read again on SIGHUP.\n\
         Without it, certificates derive from the identity and links carry their hashes.",
    ),
    text(
        "key",
        "\"/etc/letsencrypt/live/relay.example.org/privkey.pem\"",
        "The private key of `certificate` (PEM).",
    ),
    number(
        "participants",
        1,
        1_000_000,
        "Participants at a time; the next is told RelayFull.",
    ),
    number(
        "rooms",
        1,
        1_000_000,
        "Rooms at a time; whoever would open another is told RelayFull.",
    ),
    number(
        "participants_per_room",
        1,
        1_000_000,
        "Participants of one room, viewers included; the next is told RoomFull.",
    ),
    number(
        "members_per_room",
        1,
        MOST_MEMBERS,
        "Members of one room, who send and are announced; the next is told RoomFull.",
    ),
    number(
        "group_memory",
        16,
        1_048_576,
        "Memory for the newest pictures of all tracks, in MiB; past it, whoever holds most is\n\
         closed.",
    ),
];

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
    /// `certificate` without `key`, or the other way round.
    HalfACertificate,
    /// `public_address` is no `host:port`.
    PublicAddress,
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
            ConfigProblem::OutOfRange { name, least, most } => {
                write!(f, "`{name}` must be a number from {least} to {most}")
            }
            ConfigProblem::NothingToListenOn => {
                f.write_str("`listen` names no address; leave it out for 127.0.0.1:4433")
            }
            ConfigProblem::HalfACertificate => {
                f.write_str("`certificate` and `key` belong together; give both or neither")
            }
            ConfigProblem::PublicAddress => f.write_str(
                "`public_address` must be host:port, like relay.example.org:443 or [2001:db8::1]:443",
            ),
            ConfigProblem::Syntax(problem) => f.write_str(problem.trim_end()),
        }
    }
}

impl std::error::Error for ConfigError {}

impl RelayConfig {
    /// Reads a configuration file's text. What it leaves out has its default.
    ///
    /// # Errors
    /// [`ConfigError`], with the line at fault.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        check_table(text, "", document.get_ref())?;
        let config: Self = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// The whole configuration file with every field at its default, as
    /// `sottovoce relay --print-config` shows it.
    pub fn default_file() -> String {
        let defaults = toml::Table::try_from(Self::default()).unwrap_or_default();
        let mut file = String::from(
            "# Configuration of a sottovoce relay. Each field is shown with its default; what you\n\
             # leave out keeps it. `sottovoce relay --config FILE` reads this file.\n",
        );
        let mut section = "";
        for field in &FIELDS {
            if field.section != section {
                section = field.section;
                file += &format!("\n[{section}]\n");
            }
            file.push('\n');
            for line in field.says.lines() {
                file += &format!("# {line}\n");
            }
            let table = match section {
                "" => Some(&defaults),
                _ => defaults.get(section).and_then(toml::Value::as_table),
            };
            match table.and_then(|table| table.get(field.name)) {
                Some(value) => file += &format!("{} = {value}\n", field.name),
                None => file += &format!("#{} = {}\n", field.name, field.example),
            }
        }
        file
    }

    /// What holds between fields; for configurations that were put together by flags too.
    ///
    /// # Errors
    /// [`ConfigError`] without a line.
    pub fn check(&self) -> Result<(), ConfigError> {
        let problem = if self.listen.is_empty() {
            ConfigProblem::NothingToListenOn
        } else if self.certificate.is_some() != self.key.is_some() {
            ConfigProblem::HalfACertificate
        } else if self
            .public_address
            .as_deref()
            .is_some_and(|public| !is_public_address(public))
        {
            ConfigProblem::PublicAddress
        } else {
            return Ok(());
        };
        Err(ConfigError {
            line: None,
            problem,
        })
    }
}

fn is_public_address(text: &str) -> bool {
    let port = text
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    port && !text.contains(['/', '#', '?', '@'])
        && format!("https://{text}/").parse::<RelayAddress>().is_ok()
}

/// Refuses unknown fields and numbers out of range, which serde would without a line or a hint.
fn check_table(text: &str, section: &str, table: &DeTable<'_>) -> Result<(), ConfigError> {
    for (name, value) in table {
        let line = Some(line_at(text, name.span().start));
        let fault = |problem| Err(ConfigError { line, problem });
        let known = |field: &&Field| field.section == section && field.name == name.get_ref();
        let nested = section.is_empty() && FIELDS.iter().any(|f| f.section == name.get_ref());
        match (FIELDS.iter().find(known), value.get_ref()) {
            (
                Some(&Field {
                    name, least, most, ..
                }),
                DeValue::Integer(number),
            ) if most > 0 => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                if !number.is_ok_and(|number| (least..=most).contains(&number)) {
                    return fault(ConfigProblem::OutOfRange { name, least, most });
                }
            }
            (Some(_), _) => {}
            (None, DeValue::Table(inner)) if nested => check_table(text, name.get_ref(), inner)?,
            (None, _) if nested => {}
            (None, _) => {
                let name = name.get_ref().to_string();
                let nearest = nearest(section, &name);
                return fault(ConfigProblem::UnknownField { name, nearest });
            }
        }
    }
    Ok(())
}

fn syntax(text: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError {
        line: error.span().map(|span| line_at(text, span.start)),
        problem: ConfigProblem::Syntax(error.message().to_owned()),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

/// The known name that takes the fewest edits, if these are few enough to be a slip; of the same
/// section first.
fn nearest(section: &str, name: &str) -> Option<&'static str> {
    let sections = FIELDS.iter().map(|field| ("", field.section));
    let names = FIELDS
        .iter()
        .map(|field| (field.section, field.name))
        .chain(sections);
    let scored = names
        .filter(|(_, known)| !known.is_empty())
        .map(|(of, known)| (edits(&name.to_lowercase(), known), of != section, known));
    let (edits, _, known) = scored.min_by_key(|&(edits, elsewhere, _)| (edits, elsewhere))?;
    (edits <= known.len().max(6) / 3).then_some(known)
}

/// How many characters to insert, drop or replace to get from one name to the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
#[path = "tests/config.rs"]
mod tests;
