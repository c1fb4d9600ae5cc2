//! The configuration file: all that is off in it, and what it leaves open.

use std::net::SocketAddr;
use std::path::Path;

use sottovoce::relay::{ConfigError, RelayConfig};
use sottovoce::system::words;
use toml::de::DeTable;

use super::super::relay::covered;
use super::Finding;
use super::machine::Machine;

const CHECK: &str = "configuration";

/// Mistakes that are listed; whoever has more starts again from `--print-config`.
const MOST: usize = 20;

/// What there is to say of the file, and the configuration that is left when the lines that are off
/// are taken out; none when nothing sound is left.
pub(super) fn check(machine: &Machine, file: Option<&Path>) -> (Vec<Finding>, Option<RelayConfig>) {
    let (mut findings, config) = match file {
        None => {
            let sentence = "No configuration file is given and /etc/sottovoce/relay.toml is not \
                            there, so all is as by default. Write one with `sottovoce relay \
                            --print-config`, and name it with --config.";
            let advice = Finding::advice(CHECK, sentence);
            (vec![advice], Some(RelayConfig::default()))
        }
        Some(file) => match std::fs::read_to_string(machine.place(file)) {
            Ok(text) => of_text(file, &text),
            Err(error) => {
                let why = words(error.kind());
                let sentence = format!(
                    "{} cannot be read ({why}); check the path, or run this as root.",
                    file.display()
                );
                (vec![Finding::wrong(CHECK, sentence)], None)
            }
        },
    };
    if let Some(config) = &config {
        findings.extend(across(config));
    }
    (findings, config)
}

fn of_text(file: &Path, text: &str) -> (Vec<Finding>, Option<RelayConfig>) {
    let (errors, config) = mistakes(text);
    let findings: Vec<_> = errors
        .iter()
        .map(|error| Finding::wrong(CHECK, format!("{}: {error}.", file.display())))
        .collect();
    match findings.is_empty() {
        true => {
            let sentence = format!("{} holds together.", file.display());
            (vec![Finding::fine(CHECK, sentence)], config)
        }
        false => (findings, config),
    }
}

/// Each mistake, found by taking out the line of the one before. A file that is no TOML has one:
/// what follows it there would be guesses.
fn mistakes(text: &str) -> (Vec<ConfigError>, Option<RelayConfig>) {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut errors: Vec<ConfigError> = Vec::new();
    while errors.len() < MOST {
        let text = lines.join("\n");
        let error = match RelayConfig::parse(&text) {
            Ok(config) => return (errors, Some(config)),
            Err(error) => error,
        };
        let readable = DeTable::parse(&text).is_ok();
        let line = error.line.and_then(|line| lines.get_mut(line - 1));
        let again = line.as_ref().is_some_and(|line| line.is_empty());
        let whole = error.line.is_none() || !readable;
        // What taking lines out has done is no mistake of the file's.
        if again || whole && !errors.is_empty() {
            break;
        }
        errors.push(error);
        match line {
            Some(line) if readable => *line = "",
            _ => break,
        }
    }
    (errors, None)
}

/// What each field allows and the whole does not, or what the whole lacks.
fn across(config: &RelayConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(sentence) = covered(&config.listen) {
        findings.push(Finding::wrong(CHECK, format!("`listen`: {sentence}.")));
    }
    let local = |address: &SocketAddr| address.ip().is_loopback();
    if config.listen.iter().all(local) {
        let sentence = "The relay listens to this machine alone. To take others in, say so: \
                        listen = [\"0.0.0.0:443\", \"[::]:443\"].";
        findings.push(Finding::advice(CHECK, sentence));
    }
    findings.push(match &config.public_address {
        Some(public) => Finding::fine("public-address", format!("Links name {public}.")),
        None => Finding::advice(
            "public-address",
            "Links name an address of this machine as it sees it, which may lead nobody here. Say \
             with `public_address` what others reach the relay by.",
        ),
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let machine = made_up(&[("/etc/relay.toml", text)]);
        let (findings, _) = check(&machine, Some(Path::new("/etc/relay.toml")));
        let wrong = findings.into_iter().filter(|f| f.state == State::Wrong);
        wrong.map(|finding| finding.sentence).collect()
    }

    #[test]
    fn every_mistake_is_said_with_its_line() {
        let said = said(
            "lisen = [\"127.0.0.1:1\"]\nidentity = 7\n\n[limits]\nrooms = 0\nparticipants = \"x\"\n",
        );
        for (line, words) in [
            (1, "did you mean `listen`"),
            (2, "string"),
            (5, "from 1 to"),
            (6, "usize"),
        ] {
            let place = format!("line {line}: ");
            let has = |said: &&String| said.contains(&place) && said.contains(words);
            assert_eq!(
                said.iter().filter(has).count(),
                1,
                "{place}{words}: {said:?}"
            );
        }
        assert_eq!(said.len(), 4, "{said:?}");
    }

    #[test]
    fn what_is_no_toml_is_one_mistake() {
        let said = said("listen = [\n\"127.0.0.1:1\",\n\"127.0.0.1:2\"\nlimits = 3\n");
        assert_eq!(said.len(), 1, "{said:?}");
    }

    #[test]
    fn what_is_left_of_a_value_is_no_mistake_of_its_own() {
        let said = said("listen = [\n 7,\n]\nrooms = 3\n");
        assert_eq!(said.len(), 2, "{said:?}");
        let said = self::said("certificate = \"c\"\nkey = 5\n");
        assert_eq!(said.len(), 1, "{said:?}");
    }

    #[test]
    fn what_is_sound_is_looked_at_though_a_line_is_off() {
        let text = "public_address = \"relay.example.org:443\"\nrooms = 3\n";
        let machine = made_up(&[("/c", text)]);
        let (_, config) = check(&machine, Some(Path::new("/c")));
        let public = config.unwrap().public_address;
        assert_eq!(public.as_deref(), Some("relay.example.org:443"));
    }

    #[test]
    fn addresses_that_take_each_other_in_are_wrong() {
        let said = said("listen = [\"0.0.0.0:443\", \"127.0.0.1:443\"]\n");
        assert!(said[0].contains("takes in 127.0.0.1:443"), "{said:?}");
    }

    #[test]
    fn a_file_that_is_not_there_is_said_to_be_so() {
        let (findings, config) = check(&made_up(&[]), Some(Path::new("/c")));
        assert!(config.is_none());
        assert!(findings[0].sentence.contains("nothing of this name"));
    }
}
