//! Whether what is in the relay's memory can get to a disk.

use super::Finding;
use super::machine::{Limit, Machine};
use super::units::Service;

/// Swap, where the kernel may write memory that is seldom used.
pub(super) fn swap(machine: &Machine, service: &Service) -> Finding {
    const CHECK: &str = "swap";
    let Some(table) = machine.text("/proc/swaps") else {
        return Finding::fine(CHECK, "This kernel has no swap.");
    };
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    let open: Vec<_> = rows.filter(|(name, _)| !harmless(machine, name)).collect();
    if open.is_empty() {
        let sentence = match table.lines().count() {
            0 | 1 => "No swap is on.",
            _ => "What is swapped stays in memory, or is encrypted.",
        };
        return Finding::fine(CHECK, sentence);
    }
    let names: Vec<_> = open.iter().map(|(name, _)| *name).collect();
    let devices = names.join(" and ");
    let cgroups = machine.text("/sys/fs/cgroup/cgroup.controllers");
    let bounded = cgroups.is_some_and(|list| list.split(' ').any(|name| name == "memory"));
    if bounded && service.setting("MemorySwapMax") == Some("0") {
        let sentence = format!(
            "{devices} is in use, and the service's memory is kept out of it (MemorySwapMax=0). A \
             relay that is started by hand is not."
        );
        return Finding::fine(CHECK, sentence);
    }
    if open.iter().all(|(_, kind)| *kind == "file") {
        let sentence = format!(
            "{devices} can take the relay's memory to a disk; whether that is encrypted cannot be seen \
             from here. If it is not: `swapoff -a` and take it out of /etc/fstab, or run the relay as \
             the service."
        );
        return Finding::advice(CHECK, sentence);
    }
    let sentence = format!(
        "{devices} can take the relay's memory to a disk: `swapoff -a` and take it out of \
         /etc/fstab, encrypt it, or run the relay as the service."
    );
    Finding::wrong(CHECK, sentence)
}

/// Compressed memory, or what is on dm-crypt.
fn harmless(machine: &Machine, device: &str) -> bool {
    let name = device.strip_prefix("/dev/").unwrap_or(device);
    if name.starts_with("zram") {
        let backing = machine.text(format!("/sys/block/{name}/backing_dev"));
        return backing.is_none_or(|backing| backing == "none");
    }
    sealed(machine, name)
}

/// Whether all that is written to a device goes through dm-crypt, in it or in those below it, as where
/// a volume of LVM lies on an encrypted disk.
fn sealed(machine: &Machine, name: &str) -> bool {
    let mapped = machine.text(format!("/sys/block/{name}/dm/uuid"));
    if mapped.is_some_and(|kind| kind.starts_with("CRYPT-")) {
        return true;
    }
    let below = machine.names(&format!("/sys/block/{name}/slaves"));
    !below.is_empty() && below.iter().all(|name| sealed(machine, name))
}

/// How much memory the relay may keep out of swap by itself.
pub(super) fn locking(machine: &Machine, service: &Service) -> Finding {
    const CHECK: &str = "memory-lock";
    if service.setting("LimitMEMLOCK") == Some("infinity") {
        let sentence = "The service may lock all of its memory.";
        return Finding::fine(CHECK, sentence);
    }
    match (machine.limit("Max locked memory"), machine.user()) {
        (Some(Limit::None), _) => Finding::fine(CHECK, "The relay may lock all of its memory."),
        (_, Some(0)) => Finding::fine(CHECK, "Root may lock all of its memory."),
        _ => Finding::advice(
            CHECK,
            "The relay may not lock its memory: without swap that is no matter; else `ulimit -l \
             unlimited`, or LimitMEMLOCK=infinity in its unit.",
        ),
    }
}

/// What becomes of a process that crashes.
pub(super) fn core_dumps(machine: &Machine) -> Finding {
    const CHECK: &str = "core-dumps";
    let pattern = machine.text("/proc/sys/kernel/core_pattern");
    let handler = pattern
        .as_deref()
        .and_then(|pattern| pattern.strip_prefix('|'));
    let sentence = match handler.map(|handler| handler.split(' ').next().unwrap_or_default()) {
        Some(handler) => {
            format!("The relay refuses to be dumped; what else crashes here is given to {handler}.")
        }
        None => "The relay refuses to be dumped, and nothing here collects dumps.".into(),
    };
    Finding::fine(CHECK, sentence)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    const HEAD: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
    const UNIT: &str = "/lib/systemd/system/sottovoce.service";
    const CGROUPS: (&str, &str) = ("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids");

    fn swapping(device: &str, files: &[(&str, &str)]) -> Finding {
        let table = match device {
            "" => HEAD.to_owned(),
            device => {
                let kind = if device.starts_with("/dev") {
                    "partition"
                } else {
                    "file\t"
                };
                format!("{HEAD}{device}                               {kind}\t99\t0\t-2\n")
            }
        };
        let mut all = vec![("/proc/swaps", table.as_str())];
        all.extend(files);
        let machine = made_up(&all);
        swap(&machine, &Service::find(&machine))
    }

    #[test]
    fn swap_on_a_disk_is_wrong_unless_it_is_sealed_or_kept_away() {
        assert_eq!(swapping("", &[]).state, State::Fine);
        let finding = swapping("/dev/sda2", &[]);
        assert_eq!(finding.state, State::Wrong);
        assert!(finding.sentence.starts_with("/dev/sda2 can take"));
        assert_eq!(swapping("/swap.img", &[]).state, State::Advice);
        assert_eq!(swapping("/dev/zram0", &[]).state, State::Fine);
        let written_back = ("/sys/block/zram0/backing_dev", "/dev/sda3");
        assert_eq!(swapping("/dev/zram0", &[written_back]).state, State::Wrong);
        let crypt = ("/sys/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap");
        assert_eq!(swapping("/dev/dm-1", &[crypt]).state, State::Fine);
        let volume = ("/sys/block/dm-1/dm/uuid", "LVM-abc");
        assert_eq!(swapping("/dev/dm-1", &[volume]).state, State::Wrong);
        let sealed = ("/sys/block/dm-1/slaves/dm-0", "");
        let open = ("/sys/block/dm-1/slaves/sda2", "");
        let disk = ("/sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-abc");
        let state = |files: &[(&str, &str)]| swapping("/dev/dm-1", files).state;
        assert_eq!(state(&[volume, sealed, disk]), State::Fine);
        assert_eq!(state(&[volume, sealed, open, disk]), State::Wrong);
        assert_eq!(state(&[volume, open, disk]), State::Wrong);
        let unit = (UNIT, "[Service]\nMemorySwapMax=0\n");
        assert_eq!(swapping("/dev/sda2", &[unit]).state, State::Wrong);
        assert_eq!(swapping("/dev/sda2", &[unit, CGROUPS]).state, State::Fine);
    }

    #[test]
    fn the_service_or_the_shell_may_lock_memory() {
        let found = |files: &[(&str, &str)]| {
            let machine = made_up(files);
            locking(&machine, &Service::find(&machine)).state
        };
        let limits = |most: &str| format!("Max locked memory         {most}    {most}   bytes\n");
        let (none, some) = (limits("unlimited"), limits("8388608"));
        assert_eq!(found(&[("/proc/self/limits", &none)]), State::Fine);
        let unit = (UNIT, "LimitMEMLOCK=infinity\n");
        assert_eq!(found(&[("/proc/self/limits", &some), unit]), State::Fine);
        // Whoever made the folder up may be root.
        let machine = made_up(&[]);
        let state = locking(&machine, &Service::find(&machine)).state;
        assert_eq!(state, State::Advice);
    }

    #[test]
    fn who_gets_others_dumps_is_named() {
        let pattern = "/proc/sys/kernel/core_pattern";
        let machine = made_up(&[(pattern, "|/usr/share/apport/apport %p %s\n")]);
        let finding = core_dumps(&machine);
        assert!(
            finding
                .sentence
                .ends_with("given to /usr/share/apport/apport.")
        );
    }
}
