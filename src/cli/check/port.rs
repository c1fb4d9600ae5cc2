//! Whether the relay can listen where it is told to, or answers there already.

use std::net::SocketAddr;

use sottovoce::airlock::{BindError, Front, bind};
use sottovoce::relay::RelayConfig;

use super::machine::Machine;
use super::units::Service;
use super::{Finding, probe};

const CHECK: &str = "port";

/// Below it only root may listen, unless the system says otherwise (ip(7)).
const PRIVILEGED: u64 = 1024;

pub(super) fn check(machine: &Machine, service: &Service, config: &RelayConfig) -> Vec<Finding> {
    let each = config.listen.iter();
    let quic = each.map(|&address| of_address(machine, service, address));
    quic.chain(page(machine, service, config)).collect()
}

/// What keeps the page from being served where the relay does not run yet.
fn page(machine: &Machine, service: &Service, config: &RelayConfig) -> Option<Finding> {
    let handed = |address: &SocketAddr| {
        machine.has("/run/systemd/system") && service.hands_over(address.port())
    };
    let mut own = config.listen.iter().filter(|address| !handed(address));
    let taken = own.find(|&&address| {
        bind(address).is_ok() && Front::bind(address).err() == Some(BindError::TcpPortTaken)
    });
    let sentence = format!("{}: {}.", taken?, BindError::TcpPortTaken);
    config.page.then(|| Finding::wrong(CHECK, sentence))
}

fn of_address(machine: &Machine, service: &Service, address: SocketAddr) -> Finding {
    if address.port() == 0 {
        let sentence = format!(
            "{address} is another port at each start, and links lead to the one of this start \
             alone; choose one, like 443."
        );
        return Finding::advice(CHECK, sentence);
    }
    if machine.has("/run/systemd/system") && service.hands_over(address.port()) {
        return of_systemd(machine, address);
    }
    match bind(address) {
        // Root may; the relay's own user may not.
        Ok(_) if privileged(machine, address.port()) => low(address),
        Ok(_) => Finding::fine(
            CHECK,
            format!("{address} is free, and the relay can have it."),
        ),
        Err(BindError::PortTaken) => taken(address),
        Err(BindError::NeedsPrivilege) => low(address),
        Err(error) => Finding::wrong(CHECK, format!("{address}: {error}.")),
    }
}

pub(super) fn privileged(machine: &Machine, port: u16) -> bool {
    let start = machine.number("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    u64::from(port) < start.unwrap_or(PRIVILEGED)
}

/// A port that systemd hands over. A packet to it would start a relay that was stopped, so that none is
/// sent unless one runs.
fn of_systemd(machine: &Machine, address: SocketAddr) -> Finding {
    let state = |unit| {
        let answer = machine.ask(
            "systemctl",
            &["show", "--property=ActiveState", "--value", unit],
        );
        answer.map(|answer| answer.trim().to_owned())
    };
    let [Some(socket), Some(service)] = ["sottovoce.socket", "sottovoce.service"].map(state) else {
        let sentence = format!(
            "{address} is what systemd hands to the relay; whether that runs, systemd does not tell \
             this user. Run this as root."
        );
        return Finding::advice(CHECK, sentence);
    };
    if !matches!(service.as_str(), "active" | "reloading") {
        let sentence = format!(
            "{address}: the relay is not running (sottovoce.service is {service}, sottovoce.socket is \
             {socket}). `systemctl status sottovoce` says more; then `systemctl reset-failed \
             sottovoce.socket sottovoce; systemctl start sottovoce`."
        );
        return Finding::wrong(CHECK, sentence);
    }
    match probe::speaks_quic(address) {
        true => answers(address),
        false => Finding::wrong(
            CHECK,
            format!(
                "{address} does not answer, though sottovoce.service runs: `systemctl daemon-reload; \
                 systemctl restart sottovoce.socket sottovoce`; `ss -ulpn` shows who listens."
            ),
        ),
    }
}

/// A port that a user's program may not have.
fn low(address: SocketAddr) -> Finding {
    let sentence = format!(
        "{address} may be had by root and by systemd alone: start the relay by sottovoce.socket with \
         this port, or choose one from 1024 on."
    );
    Finding::wrong(CHECK, sentence)
}

fn taken(address: SocketAddr) -> Finding {
    match probe::speaks_quic(address) {
        true => answers(address),
        false => {
            let sentence = format!(
                "{address} is in use by a program that does not answer as a relay would; \
                 `ss -ulpn` shows which. Stop it, or choose another port."
            );
            Finding::wrong(CHECK, sentence)
        }
    }
}

fn answers(address: SocketAddr) -> Finding {
    let sentence = format!("{address} answers, in QUIC, as a relay that runs does.");
    Finding::fine(CHECK, sentence)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    fn found(machine: &Machine, address: &str) -> Finding {
        of_address(machine, &Service::find(machine), address.parse().unwrap())
    }

    #[test]
    fn a_port_is_tried_out() {
        let machine = made_up(&[]);
        let (socket, address) = probe::somebody();
        let address = address.to_string();
        assert_eq!(found(&machine, &address).state, State::Wrong);
        drop(socket);
        assert_eq!(found(&machine, &address).state, State::Fine);
        assert_eq!(found(&machine, "127.0.0.1:0").state, State::Advice);
        assert_eq!(found(&machine, "192.0.2.1:4433").state, State::Wrong);
    }

    #[test]
    fn a_web_server_in_the_way_is_seen() {
        let machine = made_up(&[]);
        let service = Service::find(&machine);
        let other = Front::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut config = RelayConfig {
            listen: vec![other.local_address()],
            ..RelayConfig::default()
        };
        let found = page(&machine, &service, &config);
        assert!(found.is_some_and(|found| found.sentence.contains("--no-page")));
        config.page = false;
        assert!(page(&machine, &service, &config).is_none());
        config.page = true;
        drop(other);
        assert!(page(&machine, &service, &config).is_none());
    }

    #[test]
    fn a_low_port_is_roots() {
        let start = ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "65535");
        let (socket, address) = probe::somebody();
        drop(socket);
        let socket = format!("[Socket]\nListenDatagram={address}\n");
        let unit = ("/lib/systemd/system/sottovoce.socket", socket.as_str());
        // Where systemd does not run it hands nothing over.
        for machine in [made_up(&[start]), made_up(&[start, unit])] {
            let finding = found(&machine, &address.to_string());
            assert_eq!(finding.state, State::Wrong, "{}", finding.sentence);
        }
    }

    /// systemd holds the port of a relay that was stopped, and starts it when a packet comes.
    #[test]
    fn a_port_of_systemds_is_sent_nothing_unless_the_relay_runs() {
        let (socket, address) = probe::somebody();
        socket.set_nonblocking(true).unwrap();
        let unit = format!("[Socket]\nListenDatagram={address}\n");
        let files = [
            ("/lib/systemd/system/sottovoce.socket", unit.as_str()),
            ("/run/systemd/system/x", ""),
        ];
        let heard = || socket.recv(&mut [0; 1]).is_ok();
        let machine = made_up(&files);
        let finding = found(&machine, &address.to_string());
        assert_eq!(finding.state, State::Advice, "{}", finding.sentence);
        let machine = made_up(&files).answering(|_, arguments| {
            let service = arguments.last() == Some(&"sottovoce.service");
            Some(if service { "failed\n" } else { "active\n" }.into())
        });
        let finding = found(&machine, &address.to_string());
        assert_eq!(finding.state, State::Wrong);
        assert!(
            finding
                .sentence
                .contains("not running (sottovoce.service is failed")
        );
        assert!(!heard(), "a packet was sent");
        let machine = made_up(&files).answering(|_, _| Some("active\n".into()));
        let finding = found(&machine, &address.to_string());
        assert!(finding.sentence.contains("does not answer"));
        assert!(heard());
    }
}
