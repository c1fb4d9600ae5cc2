//! What stands between the network and the relay: firewall, connection tracking, buffers.

use sottovoce::airlock::KERNEL_BUFFER;
use sottovoce::relay::RelayConfig;

use super::Finding;
use super::machine::Machine;
use super::units::Service;

/// The ports, for a sentence.
fn ports(config: &RelayConfig) -> String {
    let mut ports: Vec<u16> = config.listen.iter().map(|address| address.port()).collect();
    ports.sort_unstable();
    ports.dedup();
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    ports.join(" and ")
}

/// A firewall of a provider's or a router is nowhere on this machine, and a packet to oneself does
/// not meet it.
pub(super) fn firewall(config: &RelayConfig) -> Finding {
    let sentence = format!(
        "Whether a firewall lets port {} in cannot be seen from here: open it, for UDP and for the page's \
         TCP, here and at your provider, and join once from elsewhere.",
        ports(config)
    );
    Finding::advice("firewall", sentence)
}

/// The kernel's own table of who exchanges packets with whom.
pub(super) fn conntrack(machine: &Machine, config: &RelayConfig) -> Finding {
    const CHECK: &str = "conntrack";
    let count = match machine.number("/proc/sys/net/netfilter/nf_conntrack_count") {
        None => return Finding::fine(CHECK, "The kernel does not follow connections."),
        Some(count) => count,
    };
    let rules = machine.ask("nft", &["list", "table", "inet", "sottovoce"]);
    let spared = |port: u16| {
        let rules = rules.as_deref().unwrap_or_default();
        let page = config.page.then_some("tcp");
        ["udp"].into_iter().chain(page).all(|protocol| {
            let each = ["dport", "sport"].iter();
            let mut lines = each.map(|way| format!("{protocol} {way} {port} notrack"));
            lines.all(|line| rules.contains(&line))
        })
    };
    if config.listen.iter().all(|address| spared(address.port())) {
        return Finding::fine(
            CHECK,
            "The kernel follows connections, and not the relay's.",
        );
    }
    if count == 0 {
        let sentence = "The kernel can follow connections and follows none now; once a firewall \
                        asks for it, `nft -f notrack.nft` keeps the relay's out.";
        return Finding::fine(CHECK, sentence);
    }
    let sentence = format!(
        "The kernel keeps a table of who exchanges packets with this machine. To keep the relay's \
         out of it: `nft -f` with notrack.nft (in /etc/sottovoce or deploy/), for port {}.{}",
        ports(config),
        match machine.user() {
            Some(0) => "",
            _ => " Whether that is done already only root sees.",
        }
    );
    Finding::advice(CHECK, sentence)
}

/// A relay with a small buffer loses packets of its own when it sends to many at once.
pub(super) fn buffers(machine: &Machine, service: &Service) -> Finding {
    const CHECK: &str = "buffers";
    let asked = u64::try_from(KERNEL_BUFFER).unwrap_or_default();
    let handed = ["ReceiveBuffer", "SendBuffer"].map(|key| service.socket_setting(key).is_some());
    if handed == [true, true] {
        return Finding::fine(CHECK, "sottovoce.socket gives the relay its buffers.");
    }
    let limits = ["rmem_max", "wmem_max"].map(|name| {
        let path = format!("/proc/sys/net/core/{name}");
        (name, machine.number(&path).unwrap_or_default())
    });
    let small: Vec<_> = limits.iter().filter(|(_, most)| *most < asked).collect();
    if small.is_empty() {
        let sentence = format!(
            "Sockets may have the {} MiB that the relay asks for.",
            asked >> 20
        );
        return Finding::fine(CHECK, sentence);
    }
    let set: Vec<_> = small
        .iter()
        .map(|(name, _)| format!("net.core.{name}={asked}"))
        .collect();
    let sentence = format!(
        "Sockets get smaller buffers than the relay asks for, and lose packets when it is full: \
         `sysctl {}`, and the same in /etc/sysctl.d to keep it.",
        set.join(" ")
    );
    Finding::advice(CHECK, sentence)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    const COUNT: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

    #[test]
    fn the_kernels_table_is_no_matter_when_it_is_empty_or_spares_the_relay() {
        let config = RelayConfig::default();
        let state = |machine: &Machine| conntrack(machine, &config).state;
        assert_eq!(state(&made_up(&[])), State::Fine);
        assert_eq!(state(&made_up(&[(COUNT, "0")])), State::Fine);
        let machine = made_up(&[(COUNT, "5"), ("/proc/self/status", "")]);
        assert_eq!(state(&machine), State::Advice);
        let machine = machine.answering(|program, _| {
            let rules = "udp dport 4433 notrack\nudp sport 4433 notrack\n";
            (program == "nft").then(|| format!("{rules}{}", rules.replace("udp", "tcp")))
        });
        assert_eq!(state(&machine), State::Fine);
        let half = machine.answering(|_, _| Some("udp dport 4433 notrack\n".into()));
        assert_eq!(state(&half), State::Advice);
    }

    #[test]
    fn buffers_are_the_systems_or_the_sockets() {
        let found = |files: &[(&str, &str)]| {
            let machine = made_up(files);
            buffers(&machine, &Service::find(&machine))
        };
        let large = ("/proc/sys/net/core/rmem_max", "4194304");
        let finding = found(&[large, ("/proc/sys/net/core/wmem_max", "212992")]);
        assert_eq!(finding.state, State::Advice);
        let sentence = finding.sentence;
        assert!(
            sentence.contains("sysctl net.core.wmem_max=4194304`"),
            "{sentence}"
        );
        let finding = found(&[large, ("/proc/sys/net/core/wmem_max", "4194304")]);
        assert_eq!(finding.state, State::Fine);
        let socket = "ReceiveBuffer=4M\nSendBuffer=4M\n";
        let finding = found(&[("/lib/systemd/system/sottovoce.socket", socket)]);
        assert_eq!(finding.state, State::Fine);
    }

    #[test]
    fn all_ports_are_named_once() {
        let config = RelayConfig {
            listen: ["0.0.0.0:443", "[::]:443", "[::]:8443"]
                .map(|address| address.parse().unwrap())
                .into(),
            ..RelayConfig::default()
        };
        assert_eq!(ports(&config), "443 and 8443");
        assert!(firewall(&config).sentence.contains("port 443 and 8443"));
    }
}
