//! What an operator can set: one struct, one table that documents it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

mod problem;
pub use problem::{ConfigError, ConfigProblem};

use super::fields::{FIELDS, Field, nearest};
use crate::carrier::address::{Host, RelayAddress};
use crate::carrier::door::{DoorAddress, DoorAddressError};

/// The configuration of a relay. Each field's meaning and default is in `fields.rs`, which is what
/// `sottovoce relay --print-config` prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelayConfig {
    /// Addresses to listen on: UDP, and TCP for the page.
    pub listen: Vec<SocketAddr>,
    /// Whether the page for meetings in a browser is served.
    pub page: bool,
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
    /// Whom it serves.
    pub access: AccessConfig,
    /// Who may read its numbers.
    pub metrics: MetricsConfig,
}

/// Where the relay tells its numbers.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// A [`DoorAddress`]; nowhere without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
}

/// Whom a relay serves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// Everyone, or those who have its pass.
    pub who: Who,
    /// The newest pass that is good; the one before is, too.
    pub generation: u32,
}

/// See [`AccessConfig`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Everyone.
    Open,
    /// Whose link holds a key of the relay's pass.
    Pass,
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
    /// Bytes that the relay sends to one room in a second.
    pub room_bytes_per_second: usize,
    /// Connections from one address at a time.
    pub connections_per_address: usize,
    /// Handshakes from one address in a minute.
    pub handshakes_per_address: usize,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 4433))],
            page: true,
            public_address: None,
            identity: None,
            certificate: None,
            key: None,
            limits: Limits::default(),
            metrics: MetricsConfig::default(),
            access: AccessConfig::default(),
        }
    }
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            who: Who::Open,
            generation: 1,
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
            room_bytes_per_second: 64_000_000,
            connections_per_address: 2048,
            handshakes_per_address: 4096,
        }
    }
}

impl Limits {
    /// `group_memory` in bytes.
    pub(super) fn group_bytes(&self) -> usize {
        self.group_memory.saturating_mul(1024 * 1024)
    }
}

impl RelayConfig {
    /// Reads a configuration file's text. What it leaves out has its default.
    ///
    /// # Errors
    /// [`ConfigError`], with the line at fault.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        check_table(text, "", document.get_ref())?;
        let config: Self = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        // Which identity it is may be said by a flag.
        config.check_but_identity()?;
        Ok(config)
    }

    /// This configuration as a file, which [`Self::parse`] takes back: every field with its meaning
    /// (and its default, where the value is another one), and then the bounds that are fixed.
    ///
    /// # Errors
    /// [`ConfigProblem::NotText`] when a path cannot stand in a file.
    pub fn to_file(&self) -> Result<String, ConfigError> {
        let (values, defaults) = (table(self)?, table(&Self::default())?);
        let mut file = String::from(
            "# Configuration of a sottovoce relay, every field with its value; what you leave out has\n\
             # its default. `sottovoce relay --config FILE` reads this file.\n",
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
            let (value, default) = (field.of(&values), field.of(&defaults));
            if let Some(default) = default.filter(|_| value != default) {
                file += &format!("# Default: {default}\n");
            }
            match value {
                Some(value) => file += &format!("{} = {value}\n", field.name),
                None => file += &format!("#{} = {}\n", field.name, field.example),
            }
        }
        file.push('\n');
        for line in super::fixed::list().lines() {
            file += format!("# {line}").trim_end();
            file.push('\n');
        }
        Ok(file)
    }

    /// What holds between fields; for configurations that were put together by flags too.
    ///
    /// # Errors
    /// [`ConfigError`] without a line.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_but_identity()?;
        if self.access.who == Who::Pass && self.identity.is_none() {
            return Err(ConfigError {
                line: None,
                problem: ConfigProblem::PassOfNoIdentity,
            });
        }
        Ok(())
    }

    fn check_but_identity(&self) -> Result<(), ConfigError> {
        let public = self.public_address.as_deref().map(public_host);
        let problem = if self.listen.is_empty() {
            ConfigProblem::NothingToListenOn
        } else if self.certificate.is_some() != self.key.is_some() {
            ConfigProblem::HalfACertificate
        } else if matches!(public, Some(None)) {
            ConfigProblem::PublicAddress
        } else if public.flatten().is_some_and(|host| leads_nowhere(&host)) {
            ConfigProblem::LeadsNowhere
        } else if let Err(error) = self.metrics.door() {
            ConfigProblem::Metrics(error)
        } else {
            return Ok(());
        };
        Err(ConfigError {
            line: None,
            problem,
        })
    }
}

impl MetricsConfig {
    /// Where the numbers are told; `None`: nowhere.
    ///
    /// # Errors
    /// [`DoorAddressError`].
    pub fn door(&self) -> Result<Option<DoorAddress>, DoorAddressError> {
        self.listen.as_deref().map(str::parse).transpose()
    }
}

/// The fields that have a value.
fn table(config: &RelayConfig) -> Result<toml::Table, ConfigError> {
    toml::Table::try_from(config).map_err(|_| ConfigError {
        line: None,
        problem: ConfigProblem::NotText,
    })
}

/// The host of a `host:port`; `None` when it is none.
fn public_host(text: &str) -> Option<Host> {
    let (_, port) = text.rsplit_once(':')?;
    if port.parse::<u16>().is_err() || text.contains(['/', '#', '?', '@']) {
        return None;
    }
    let address: RelayAddress = format!("https://{text}/").parse().ok()?;
    Some(address.host().clone())
}

/// Whether no link that names this host leads anywhere: it would also need to say which wire.
fn leads_nowhere(host: &Host) -> bool {
    match host {
        Host::Name(_) => false,
        Host::V4(address) => address.is_unspecified(),
        Host::V6(address) => address.is_unspecified() || address.is_unicast_link_local(),
    }
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
            (Some(_), DeValue::Array(addresses)) => {
                let strings = addresses
                    .iter()
                    .filter_map(|each| Some((each.span(), each.get_ref().as_str()?)));
                for (span, address) in strings {
                    if address.parse::<SocketAddr>().is_err() {
                        let line = Some(line_at(text, span.start));
                        let problem = ConfigProblem::ListenAddress;
                        return Err(ConfigError { line, problem });
                    }
                }
            }
            (Some(_), _) => {}
            (None, DeValue::Table(inner)) if nested => check_table(text, name.get_ref(), inner)?,
            (None, _) if nested => {}
            (None, _) => {
                let name = name.get_ref().to_string();
                if let Some(&Field { name, section, .. }) =
                    FIELDS.iter().find(|field| field.name == name)
                {
                    return fault(ConfigProblem::WrongTable { name, section });
                }
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

#[cfg(test)]
#[path = "tests/config.rs"]
mod tests;
