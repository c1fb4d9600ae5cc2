//! The identity file, from outside: nothing here reads the secret.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sottovoce::relay::RelayConfig;
use sottovoce::system::words;

use super::Finding;
use super::machine::Machine;
use super::units::{Service, Source};

const CHECK: &str = "identity";

/// Bytes of an identity.
const LENGTH: u64 = 32;

pub(super) fn check(machine: &Machine, service: &Service, config: &RelayConfig) -> Finding {
    let Some(named) = &config.identity else {
        return Finding::advice(
            CHECK,
            "No identity is kept: each start gives new links, and the old ones lead nowhere. Name \
             a file with `identity`.",
        );
    };
    match service.source_of(named) {
        Source::Itself => of_file(machine, named, false),
        Source::Handed(file) => of_file(machine, &file, true),
        Source::Sealed(file) if machine.has(&file) => {
            let sentence = format!("{} is sealed, and systemd opens it.", file.display());
            Finding::fine(CHECK, sentence)
        }
        Source::Sealed(file) => {
            let sentence = format!(
                "{} is not there; `systemd-creds encrypt` makes it.",
                file.display()
            );
            Finding::wrong(CHECK, sentence)
        }
        Source::Nowhere => Finding::wrong(
            CHECK,
            format!(
                "{} would come from systemd, and no LoadCredential= of sottovoce.service gives it; \
                 add one, or name a file.",
                named.display()
            ),
        ),
    }
}

/// `handed`: systemd reads it, and hands it to the relay.
fn of_file(machine: &Machine, file: &Path, handed: bool) -> Finding {
    let shown = file.display();
    let metadata = match fs::metadata(machine.place(file)) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return missing(machine, file, handed),
        Err(error) => {
            let why = words(error.kind());
            let sentence = format!("{shown} cannot be looked at ({why}); run this as root.");
            return Finding::advice(CHECK, sentence);
        }
    };
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() {
        return Finding::wrong(CHECK, format!("{shown} is no file; name another."));
    }
    if metadata.len() != LENGTH {
        let sentence = format!(
            "{shown} does not hold the 32 bytes of an identity; restore it or name another file."
        );
        return Finding::wrong(CHECK, sentence);
    }
    if mode & 0o077 != 0 {
        let sentence = format!(
            "{shown} can be read or changed by other users (mode {mode:04o}); `chmod 600` it, and \
             delete it if others may have read it."
        );
        return Finding::wrong(CHECK, sentence);
    }
    let (owner, own) = (metadata.uid(), machine.user());
    if !handed && own.is_some_and(|own| own != 0 && own != owner) {
        let sentence = format!(
            "{shown} belongs to user {owner}, and the relay must run as that one; `chown` it otherwise."
        );
        return Finding::advice(CHECK, sentence);
    }
    let whom = match handed {
        true => format!("user {owner}, and systemd, which hands it to the relay"),
        false => format!("user {owner}, as which the relay must run"),
    };
    Finding::fine(CHECK, format!("{shown} is readable to {whom} alone."))
}

fn missing(machine: &Machine, file: &Path, handed: bool) -> Finding {
    let shown = file.display();
    if handed {
        let sentence = format!(
            "{shown} is not there yet; `systemctl start sottovoce-identity` makes it, as does each \
             start of the relay."
        );
        return Finding::advice(CHECK, sentence);
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match machine.place(folder).is_dir() {
        true => Finding::fine(CHECK, format!("{shown} is made on first use.")),
        false => {
            let sentence = format!("The folder of {shown} is not there; make it first.");
            Finding::wrong(CHECK, sentence)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    const FILE: &str = "/srv/identity";
    const HANDED: &str = "/run/credentials/sottovoce.service/identity";
    const UNIT: (&str, &str) = (
        "/lib/systemd/system/sottovoce.service",
        "LoadCredential=identity:/srv/identity\n",
    );

    fn found(machine: &Machine, named: Option<&str>) -> (State, String) {
        let config = RelayConfig {
            identity: named.map(Into::into),
            ..RelayConfig::default()
        };
        let finding = check(machine, &Service::find(machine), &config);
        (finding.state, finding.sentence)
    }

    #[test]
    fn mode_and_size_are_looked_at() {
        for (size, mode, state, words) in [
            (32, 0o600, State::Fine, "alone"),
            (32, 0o400, State::Fine, "alone"),
            (32, 0o640, State::Wrong, "mode 0640"),
            (31, 0o600, State::Wrong, "32 bytes"),
        ] {
            let text = "x".repeat(size);
            let machine = made_up(&[(FILE, &text), UNIT, ("/proc/self/status", "")]);
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(machine.place(FILE), mode).unwrap();
            for named in [FILE, HANDED] {
                let (found, sentence) = found(&machine, Some(named));
                assert_eq!(found, state, "{sentence}");
                assert!(sentence.contains(words), "{sentence}");
                assert!(!sentence.contains('x'.to_string().repeat(3).as_str()));
            }
        }
    }

    #[test]
    fn what_is_not_there_is_made_or_asked_for() {
        assert_eq!(found(&made_up(&[]), None).0, State::Advice);
        assert_eq!(found(&made_up(&[]), Some(FILE)).0, State::Wrong);
        assert_eq!(found(&made_up(&[]), Some(HANDED)).0, State::Wrong);
        assert_eq!(found(&made_up(&[UNIT]), Some(HANDED)).0, State::Advice);
        let machine = made_up(&[("/srv/other", "")]);
        assert_eq!(found(&machine, Some(FILE)).0, State::Fine);
        assert_eq!(found(&machine, Some("/srv")).0, State::Wrong);
    }
}
