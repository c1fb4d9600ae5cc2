//! What the system writes down of the relay's life.

use super::Finding;
use super::machine::Machine;
use super::units::{Service, parse};

const CHECK: &str = "journal";

/// Where journald is configured; what is further down goes before what is above.
const MAIN: &str = "/etc/systemd/journald.conf";
const OVER: [&str; 3] = [
    "/usr/lib/systemd/journald.conf.d",
    "/run/systemd/journald.conf.d",
    "/etc/systemd/journald.conf.d",
];

/// The levels that leave out what systemd itself says of a unit's work at its end.
const QUIET: [&str; 10] = [
    "emerg", "alert", "crit", "err", "warning", "0", "1", "2", "3", "4",
];

pub(super) fn check(machine: &Machine, service: &Service) -> Vec<Finding> {
    if !machine.has("/run/systemd/system") {
        let sentence = "No systemd runs here, hence no journal.";
        return vec![Finding::fine(CHECK, sentence)];
    }
    if let Some(unit) = loud(service) {
        let sentence = format!(
            "The journal notes when the relay starts and stops, and how much it worked: when and how \
             much people met. Set LogLevelMax=warning in {unit}, as it was delivered."
        );
        return vec![Finding::wrong(CHECK, sentence)];
    }
    let lines = configured(machine);
    let mut findings = vec![match kept(machine, &lines) {
        true => {
            let sentence = "The journal is kept on the disk. The relay says nothing there about \
                            anyone; `Storage=volatile` in /etc/systemd/journald.conf keeps even its \
                            restarts off the disk.";
            Finding::advice(CHECK, sentence)
        }
        false => Finding::fine(CHECK, "The journal itself is in memory alone."),
    }];
    if copied(machine, &lines) {
        let sentence = "A syslog daemon runs here and copies what the journal gets, the relay's restarts \
                        too, as a rule to /var/log/syslog or /var/log/messages. `ForwardToSyslog=no` in \
                        /etc/systemd/journald.conf ends that, unless it reads the journal itself \
                        (imjournal in /etc/rsyslog.conf); or remove it.";
        findings.push(Finding::advice(CHECK, sentence));
    }
    findings
}

/// A unit of which systemd's notices are kept. What comes by a socket of systemd's is summed up for the
/// socket's unit, and told at its end, too.
fn loud(service: &Service) -> Option<&'static str> {
    let quiet = |level: Option<&str>| level.is_some_and(|level| QUIET.contains(&level));
    if service.installed() && !quiet(service.setting("LogLevelMax")) {
        return Some("sottovoce.service");
    }
    let loud = service.has_socket() && !quiet(service.socket_setting("LogLevelMax"));
    loud.then_some("sottovoce.socket")
}

/// The last word on a setting of journald's.
fn last<'a>(lines: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let mut values = lines.iter().rev().filter(|(name, _)| name == key);
    values.next().map(|(_, value)| value.as_str())
}

/// Whether another program keeps a copy (journald.conf(5), `ForwardToSyslog=`; Debian's journald
/// forwards by default).
fn copied(machine: &Machine, lines: &[(String, String)]) -> bool {
    let runs = machine
        .ask("systemctl", &["is-active", "rsyslog.service"])
        .is_some();
    let reads = || {
        let rules = machine.text("/etc/rsyslog.conf");
        rules.is_some_and(|rules| rules.contains("imjournal"))
    };
    let kept_away = matches!(
        last(lines, "ForwardToSyslog"),
        Some("no" | "false" | "off" | "0" | "n" | "f")
    );
    match kept_away {
        true => runs && reads(),
        false => runs || machine.has("/run/systemd/journal/syslog"),
    }
}

/// Whether the journal is on a disk (journald.conf(5), `Storage=`).
fn kept(machine: &Machine, lines: &[(String, String)]) -> bool {
    match last(lines, "Storage") {
        Some("volatile" | "none") => false,
        Some("persistent") => true,
        _ => machine.has("/var/log/journal"),
    }
}

/// journald's settings; what is further down counts.
fn configured(machine: &Machine) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    parse(&machine.text(MAIN).unwrap_or_default(), &mut lines);
    let mut over: Vec<(String, &str)> = Vec::new();
    for folder in OVER {
        for file in machine.names(folder) {
            over.retain(|(other, _)| *other != file);
            over.push((file, folder));
        }
    }
    over.retain(|(file, _)| file.ends_with(".conf"));
    over.sort();
    for (file, folder) in over {
        let text = machine.text(format!("{folder}/{file}"));
        parse(&text.unwrap_or_default(), &mut lines);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    const RUNS: (&str, &str) = ("/run/systemd/system/x", "");
    const DISK: (&str, &str) = ("/var/log/journal/x", "");

    fn found(files: &[(&str, &str)]) -> State {
        let machine = made_up(files);
        let mut findings = check(&machine, &Service::find(&machine));
        assert_eq!(findings.len(), 1);
        findings.remove(0).state
    }

    #[test]
    fn the_last_word_on_storage_counts() {
        assert_eq!(found(&[]), State::Fine);
        assert_eq!(found(&[RUNS]), State::Fine);
        assert_eq!(found(&[RUNS, DISK]), State::Advice);
        let main = (MAIN, "[Journal]\n#Storage=volatile\nStorage=persistent\n");
        assert_eq!(found(&[RUNS, main]), State::Advice);
        let over = ("/etc/systemd/journald.conf.d/a.conf", "Storage=volatile\n");
        assert_eq!(found(&[RUNS, DISK, main, over]), State::Fine);
        let vendor = (
            "/usr/lib/systemd/journald.conf.d/b.conf",
            "Storage=persistent\n",
        );
        assert_eq!(found(&[RUNS, main, over, vendor]), State::Advice);
        let masked = ("/etc/systemd/journald.conf.d/b.conf", "");
        assert_eq!(found(&[RUNS, main, over, vendor, masked]), State::Fine);
    }

    #[test]
    fn a_unit_that_lets_notices_through_is_wrong() {
        let unit = "/lib/systemd/system/sottovoce.service";
        assert_eq!(found(&[RUNS, (unit, "LogLevelMax=warning\n")]), State::Fine);
        assert_eq!(found(&[RUNS, (unit, "LogLevelMax=notice\n")]), State::Wrong);
        assert_eq!(found(&[RUNS, (unit, "")]), State::Wrong);
        let (unit, socket) = (
            (unit, "LogLevelMax=warning\n"),
            "/lib/systemd/system/sottovoce.socket",
        );
        let quiet = (socket, "LogLevelMax=warning\n");
        assert_eq!(found(&[RUNS, unit, quiet]), State::Fine);
        assert_eq!(found(&[RUNS, unit, (socket, "")]), State::Wrong);
    }

    #[test]
    fn a_copy_that_a_syslog_daemon_keeps_is_seen() {
        let socket = ("/run/systemd/journal/syslog", "");
        let volatile = (MAIN, "Storage=volatile\n");
        let kept_away = (MAIN, "Storage=volatile\nForwardToSyslog=no\n");
        let reads = ("/etc/rsyslog.conf", "module(load=\"imjournal\")\n");
        let runs: fn(&str, &[&str]) -> Option<String> = |_, _| Some("active\n".into());
        for (files, runs, copied) in [
            (vec![volatile], None, false),
            (vec![volatile, socket], None, true),
            (vec![volatile], Some(runs), true),
            (vec![kept_away, socket], Some(runs), false),
            (vec![kept_away, reads], Some(runs), true),
        ] {
            let mut machine = made_up(&files);
            std::fs::create_dir_all(machine.place("/run/systemd/system")).unwrap();
            if let Some(runs) = runs {
                machine = machine.answering(runs);
            }
            let findings = check(&machine, &Service::find(&machine));
            let advice = findings.iter().filter(|f| f.state == State::Advice);
            assert_eq!(advice.count(), usize::from(copied), "{findings:?}");
        }
    }
}
