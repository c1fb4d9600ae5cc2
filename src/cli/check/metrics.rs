//! Where the relay tells its numbers, if anywhere: it does not start when it cannot listen there.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use sottovoce::carrier::door::{DoorAddress, DoorError};
use sottovoce::relay::RelayConfig;

use super::machine::Machine;
use super::port::privileged;
use super::units::Service;
use super::{Finding, probe};

const CHECK: &str = "metrics";

/// `served`: the service is what is started with this configuration.
pub(super) fn check(
    machine: &Machine,
    service: &Service,
    config: &RelayConfig,
    served: bool,
) -> Finding {
    let (Some(listen), Ok(Some(door))) = (&config.metrics.listen, config.metrics.door()) else {
        return Finding::fine(CHECK, "The relay tells its numbers to nobody.");
    };
    let found = match (listen.strip_prefix("unix:"), listen.parse()) {
        (None, Ok(address)) => on_port(machine, &door, address),
        (path, _) => on_path(
            machine,
            service,
            Path::new(path.unwrap_or_default()),
            served,
        ),
    };
    match found {
        Ok(words) => Finding::fine(CHECK, format!("{listen} {words}.")),
        Err(Amiss::Unseen) => Finding::advice(
            CHECK,
            format!("{listen} cannot be looked at by this user; run this as root."),
        ),
        Err(Amiss::Wrong(why)) => {
            Finding::wrong(CHECK, format!("`listen` in [metrics], {listen}: {why}."))
        }
    }
}

/// Why nothing good can be said.
enum Amiss {
    Unseen,
    Wrong(String),
}

impl From<DoorError> for Amiss {
    fn from(error: DoorError) -> Self {
        Self::Wrong(error.to_string())
    }
}

const FREE: &str = "is free, and the relay's numbers can be told there";
const ANSWERS: &str = "answers, as a relay that runs does";

fn on_port(
    machine: &Machine,
    door: &DoorAddress,
    address: SocketAddr,
) -> Result<&'static str, Amiss> {
    match door.open() {
        // Root may, the relay's own user may not.
        Ok(_) | Err(DoorError::Other(ErrorKind::PermissionDenied))
            if privileged(machine, address.port()) =>
        {
            let why = "it may be had by root alone: choose a port from 1024 on";
            Err(Amiss::Wrong(why.into()))
        }
        Ok(_) => Ok(FREE),
        Err(DoorError::Taken) if probe::port_is_alive(address) => Ok(ANSWERS),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is opened: a socket that is there would be replaced.
fn on_path(
    machine: &Machine,
    service: &Service,
    path: &Path,
    served: bool,
) -> Result<&'static str, Amiss> {
    let folder = path.parent().unwrap_or(path);
    let name = service.setting("RuntimeDirectory");
    let own = served && name.is_some_and(|name| Path::new("/run").join(name) == folder);
    let strict = service.setting("ProtectSystem") == Some("strict");
    if served && !own && strict && service.setting("ReadWritePaths").is_none() {
        let why = format!(
            "the service may write to no folder but /run/{}: choose a path there",
            name.unwrap_or("sottovoce")
        );
        return Err(Amiss::Wrong(why));
    }
    let place = machine.place(path);
    match fs::symlink_metadata(&place) {
        Ok(there) if !there.file_type().is_socket() => Err(DoorError::NotASocket.into()),
        Ok(_) => match probe::socket_is_alive(&place) {
            Ok(true) => Ok(ANSWERS),
            Ok(false) => Err(DoorError::Taken.into()),
            Err(ErrorKind::ConnectionRefused) => {
                Ok("was left by a relay that has ended, and the next one takes its place")
            }
            Err(ErrorKind::PermissionDenied) => Err(Amiss::Unseen),
            Err(_) => Err(DoorError::Taken.into()),
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Amiss::Unseen),
        // systemd makes it before the relay starts, and takes it away afterwards.
        Err(_) if own || machine.place(folder).is_dir() => Ok(FREE),
        Err(_) => Err(DoorError::NoFolder.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    const UNIT: (&str, &str) = (
        "/lib/systemd/system/sottovoce.service",
        "RuntimeDirectory=sottovoce\nProtectSystem=strict\n",
    );

    fn found(machine: &Machine, listen: &str, served: bool) -> (State, String) {
        let text = format!("[metrics]\nlisten = \"{listen}\"\n");
        let config = RelayConfig::parse(&text).unwrap();
        let finding = check(machine, &Service::find(machine), &config, served);
        (finding.state, finding.sentence)
    }

    #[test]
    fn a_socket_needs_a_folder_that_the_relay_may_write_to() {
        let machine = made_up(&[UNIT, ("/srv/file", "")]);
        for (listen, served, state, words) in [
            ("unix:/srv/metrics", false, State::Fine, "is free"),
            ("unix:/srv/file", false, State::Wrong, "no socket"),
            ("unix:/nowhere/metrics", false, State::Wrong, "folder"),
            ("unix:/run/sottovoce/metrics", false, State::Wrong, "folder"),
            ("unix:/run/sottovoce/metrics", true, State::Fine, "is free"),
            ("unix:/srv/metrics", true, State::Wrong, "/run/sottovoce:"),
        ] {
            let (found, sentence) = found(&machine, listen, served);
            assert!(sentence.contains(words), "{listen}: {sentence}");
            assert_eq!(found, state, "{listen}: {sentence}");
        }
        let socket = UnixListener::bind(machine.place("/srv/metrics")).unwrap();
        drop(socket);
        let (state, sentence) = found(&machine, "unix:/srv/metrics", false);
        assert_eq!(state, State::Fine, "{sentence}");
        assert!(machine.has("/srv/metrics"), "nothing is changed");
    }

    #[test]
    fn a_low_port_is_roots() {
        let start = ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "65536");
        let machine = made_up(&[start]);
        let (state, sentence) = found(&machine, "127.0.0.1:9", false);
        assert_eq!(state, State::Wrong, "{sentence}");
        let finding = check(
            &machine,
            &Service::find(&machine),
            &RelayConfig::default(),
            false,
        );
        assert_eq!(finding.state, State::Fine);
    }
}
