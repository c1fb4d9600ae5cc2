//! Whether the relay can listen where it is told to, or answers there already.

use std::net::SocketAddr;

use sottovoce::airlock::{BindError, bind};
use sottovoce::relay::RelayConfig;

use super::machine::Machine;
use super::units::Service;
use super::{Finding, probe};

const CHECK: &str = "port";

/// Below it only root may listen, unless the system says otherwise (ip(7)).
const PRIVILEGED: u64 = 1024;

pub(super) fn check(machine: &Machine, service: &Service, config: &RelayConfig) -> Vec<Finding> {
    let each = config.listen.iter();
    each.map(|&address| of_address(machine, service, address))
        .collect()
}

fn of_address(machine: &Machine, service: &Service, address: SocketAddr) -> Finding {
    if address.port() == 0 {
        let sentence = format!(
            "{address} is another port at each start, and links lead to the one of this start \
             alone; choose one, like 443."
        );
        return Finding::advice(CHECK, sentence);
    }
    match bind(address) {
        // Root may, and systemd for the relay; the relay's own user may not.
        Ok(_) if privileged(machine, address.port()) => low(service, address),
        Ok(_) => Finding::fine(
            CHECK,
            format!("{address} is free, and the relay can have it."),
        ),
        Err(BindError::PortTaken) => taken(address),
        Err(BindError::NeedsPrivilege) => low(service, address),
        Err(error) => Finding::wrong(CHECK, format!("{address}: {error}.")),
    }
}

fn privileged(machine: &Machine, port: u16) -> bool {
    let start = machine.number("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    u64::from(port) < start.unwrap_or(PRIVILEGED)
}

/// A port that a user's program may not have.
fn low(service: &Service, address: SocketAddr) -> Finding {
    match service.hands_over(address.port()) {
        true => {
            let sentence =
                format!("{address} is what systemd hands to the relay (sottovoce.socket).");
            Finding::fine(CHECK, sentence)
        }
        false => {
            let sentence = format!(
                "{address} may be had by root and by systemd alone: start the relay by \
                 sottovoce.socket with this port, or choose one from 1024 on."
            );
            Finding::wrong(CHECK, sentence)
        }
    }
}

fn taken(address: SocketAddr) -> Finding {
    match probe::speaks_quic(address) {
        true => {
            let sentence = format!("{address} answers, in QUIC, as a relay that runs does.");
            Finding::fine(CHECK, sentence)
        }
        false => {
            let sentence = format!(
                "{address} is in use by a program that does not answer as a relay would; \
                 `ss -ulpn` shows which. Stop it, or choose another port."
            );
            Finding::wrong(CHECK, sentence)
        }
    }
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
    fn a_low_port_is_systemds_to_give() {
        let start = ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "65535");
        let machine = made_up(&[start]);
        let (socket, address) = probe::somebody();
        drop(socket);
        let finding = found(&machine, &address.to_string());
        assert_eq!(finding.state, State::Wrong, "{}", finding.sentence);
        let socket = format!("[Socket]\nListenDatagram={address}\n");
        let unit = ("/lib/systemd/system/sottovoce.socket", socket.as_str());
        let machine = made_up(&[start, unit]);
        let finding = found(&machine, &address.to_string());
        assert_eq!(finding.state, State::Fine, "{}", finding.sentence);
    }
}
