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

pub(super) fn check(machine: &Machine, service: &Service) -> Finding {
    if !machine.has("/run/systemd/system") {
        return Finding::fine(CHECK, "No systemd runs here, hence no journal.");
    }
    let level = service.setting("LogLevelMax");
    if service.installed() && !level.is_some_and(|level| QUIET.contains(&level)) {
        let sentence = "The journal notes when the relay starts and stops, and how much it worked: \
                        when and how much people met. Set LogLevelMax=warning in sottovoce.service, \
                        as it was delivered.";
        return Finding::wrong(CHECK, sentence);
    }
    if kept(machine) {
        let sentence = "The journal is kept on the disk. The relay says nothing there about anyone; \
                        `Storage=volatile` in /etc/systemd/journald.conf keeps even its restarts off \
                        the disk.";
        return Finding::advice(CHECK, sentence);
    }
    Finding::fine(CHECK, "The journal is in memory alone.")
}

/// Whether the journal is on a disk (journald.conf(5), `Storage=`).
fn kept(machine: &Machine) -> bool {
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
    let mut storage = lines.iter().rev().filter(|(key, _)| key == "Storage");
    match storage.next().map(|(_, value)| value.as_str()) {
        Some("volatile" | "none") => false,
        Some("persistent") => true,
        _ => machine.has("/var/log/journal"),
    }
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
        check(&machine, &Service::find(&machine)).state
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
    }
}
