//! What systemd would do: the relay's units with what an operator put over them.

use std::path::{Path, PathBuf};

use super::machine::Machine;

/// Where units lie; the first that has a name counts (systemd.unit(5)).
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Where systemd puts a service's credentials.
const CREDENTIALS: &str = "/run/credentials/sottovoce.service/";

/// The relay's units, where they are installed.
pub(super) struct Service {
    service: Option<Unit>,
    socket: Option<Unit>,
}

/// The lines of a unit, its own and then those put over them.
struct Unit(Vec<(String, String)>);

impl Service {
    pub(super) fn find(machine: &Machine) -> Self {
        Self {
            service: Unit::find(machine, "sottovoce.service"),
            socket: Unit::find(machine, "sottovoce.socket"),
        }
    }

    /// Whether the relay can be started by systemd here.
    pub(super) fn installed(&self) -> bool {
        self.service.is_some()
    }

    /// What the service has for a setting that has one value.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.service.as_ref()?.last(key)
    }

    /// Whether systemd itself listens on this port, and hands it to the relay.
    pub(super) fn hands_over(&self, port: u16) -> bool {
        let listens = |value: &str| value.rsplit(':').next() == Some(&port.to_string());
        let socket = self.socket.as_ref();
        socket.is_some_and(|socket| socket.all("ListenDatagram").into_iter().any(listens))
    }

    /// Whether systemd listens for the relay here.
    pub(super) fn has_socket(&self) -> bool {
        self.socket.is_some()
    }

    /// A setting of the socket that systemd listens on.
    pub(super) fn socket_setting(&self, key: &str) -> Option<&str> {
        self.socket.as_ref()?.last(key)
    }

    /// The identity that the service is started with, if it is started with this configuration.
    pub(super) fn identity(&self, config: &Path) -> Option<PathBuf> {
        let command = self.service.as_ref()?.all("ExecStart");
        let words: Vec<_> = command.last()?.split_whitespace().collect();
        let after = |flag: &str| {
            let place = words.iter().position(|word| *word == flag)?;
            words.get(place + 1)
        };
        if Path::new(after("--config")?) != config {
            return None;
        }
        let named = after("--identity")?;
        let credentials = CREDENTIALS.trim_end_matches('/');
        let named = named.replace("${CREDENTIALS_DIRECTORY}", credentials);
        Some(named.replace("%d", credentials).into())
    }

    /// Where a file comes from, if systemd hands it to the service as a credential.
    pub(super) fn source_of(&self, file: &Path) -> Source {
        let Ok(name) = file.strip_prefix(CREDENTIALS) else {
            return Source::Itself;
        };
        let named = |key: &str| {
            let lines = self.service.iter().flat_map(|unit| unit.all(key));
            let mut pairs = lines.filter_map(|line| line.split_once(':'));
            let (_, source) = pairs.find(|(id, _)| Path::new(id) == name)?;
            Some(PathBuf::from(source))
        };
        match (named("LoadCredential"), named("LoadCredentialEncrypted")) {
            (Some(source), _) => Source::Handed(source),
            (None, Some(source)) => Source::Sealed(source),
            (None, None) => Source::Nowhere,
        }
    }
}

/// Where a file of the relay's comes from.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// The relay opens it by itself.
    Itself,
    /// systemd reads this one, and hands it over.
    Handed(PathBuf),
    /// The same, and it is encrypted.
    Sealed(PathBuf),
    /// It is called a credential, and no line of the unit names it.
    Nowhere,
}

impl Unit {
    fn find(machine: &Machine, name: &str) -> Option<Self> {
        let path = |folder: &&str| machine.text(format!("{folder}/{name}"));
        let mut lines = Vec::new();
        parse(&FOLDERS.iter().find_map(path)?, &mut lines);
        // By their names, whatever folder they are in; of one name the first folder's counts.
        let mut over: Vec<(String, &str)> = Vec::new();
        for folder in FOLDERS {
            for file in machine.names(&format!("{folder}/{name}.d")) {
                let known = over.iter().any(|(other, _)| *other == file);
                if file.ends_with(".conf") && !known {
                    over.push((file, folder));
                }
            }
        }
        over.sort();
        for (file, folder) in over {
            let text = machine.text(format!("{folder}/{name}.d/{file}"));
            parse(&text.unwrap_or_default(), &mut lines);
        }
        Some(Self(lines))
    }

    fn last(&self, key: &str) -> Option<&str> {
        let mut values = self.0.iter().rev().filter(|(name, _)| name == key);
        values.next().map(|(_, value)| value.as_str())
    }

    /// All values of a setting that adds up; an empty one takes back those before it.
    fn all(&self, key: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for (_, value) in self.0.iter().filter(|(name, _)| name == key) {
            match value.is_empty() {
                true => values.clear(),
                false => values.push(value.as_str()),
            }
        }
        values
    }
}

/// Reads `Key=value` lines, as units and journald's configuration have them.
pub(super) fn parse(text: &str, lines: &mut Vec<(String, String)>) {
    let comment = |line: &&str| !line.trim_start().starts_with(['#', ';']);
    let pairs = text.lines().filter(comment);
    let pairs = pairs.filter_map(|line| line.split_once('='));
    lines.extend(pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())));
}

#[cfg(test)]
mod tests {
    use super::super::machine::made_up;
    use super::*;

    const UNIT: &str = "[Service]\n# LogLevelMax=debug\nLogLevelMax=warning\n\
                        LoadCredential=identity:/var/lib/sottovoce/identity\n\
                        LoadCredentialEncrypted=sealed:/etc/sealed\n";
    const SOCKET: &str = "[Socket]\nListenDatagram=0.0.0.0:443\nListenDatagram=[::]:443\n";

    #[test]
    fn what_an_operator_puts_over_a_unit_goes_before_it() {
        let machine = made_up(&[
            ("/usr/lib/systemd/system/sottovoce.service", UNIT),
            ("/usr/lib/systemd/system/sottovoce.socket", SOCKET),
            (
                "/etc/systemd/system/sottovoce.service.d/b.conf",
                "[Service]\nLogLevelMax=info\n",
            ),
            (
                "/usr/lib/systemd/system/sottovoce.service.d/a.conf",
                "[Service]\nLogLevelMax=emerg\n",
            ),
            (
                "/etc/systemd/system/sottovoce.socket.d/port.conf",
                "[Socket]\nListenDatagram=\nListenDatagram=[::]:4433\n",
            ),
        ]);
        let service = Service::find(&machine);
        assert!(service.installed());
        assert_eq!(service.setting("LogLevelMax"), Some("info"));
        assert!(service.hands_over(4433) && !service.hands_over(443));
    }

    #[test]
    fn a_unit_in_etc_stands_for_the_packages_own() {
        let machine = made_up(&[
            ("/lib/systemd/system/sottovoce.service", UNIT),
            (
                "/etc/systemd/system/sottovoce.service",
                "[Service]\nUser=x\n",
            ),
        ]);
        let service = Service::find(&machine);
        assert_eq!(service.setting("LogLevelMax"), None);
        assert_eq!(service.setting("User"), Some("x"));
    }

    #[test]
    fn the_command_of_the_service_names_an_identity_for_its_configuration_alone() {
        for named in ["${CREDENTIALS_DIRECTORY}/identity", "%d/identity"] {
            let unit = format!("ExecStart=/bin/x relay --config /c.toml --identity {named}\n");
            let unit = ("/lib/systemd/system/sottovoce.service", unit.as_str());
            let service = Service::find(&made_up(&[unit]));
            let identity = |config: &str| service.identity(Path::new(config));
            let handed = Some(PathBuf::from("/run/credentials/sottovoce.service/identity"));
            assert_eq!(identity("/c.toml"), handed);
            assert_eq!(identity("/other.toml"), None);
        }
        let none = Service::find(&made_up(&[]));
        assert_eq!(none.identity(Path::new("/c.toml")), None);
    }

    #[test]
    fn a_credential_leads_to_the_file_that_it_comes_from() {
        let machine = made_up(&[("/lib/systemd/system/sottovoce.service", UNIT)]);
        let service = Service::find(&machine);
        let source = |file: &str| service.source_of(Path::new(file));
        let handed = |name: &str| source(&format!("{CREDENTIALS}{name}"));
        let from = Source::Handed("/var/lib/sottovoce/identity".into());
        assert_eq!(handed("identity"), from);
        assert_eq!(handed("sealed"), Source::Sealed("/etc/sealed".into()));
        assert_eq!(handed("key"), Source::Nowhere);
        assert_eq!(source("/srv/identity"), Source::Itself);
    }
}
