//! A network of the drill's own (a network namespace), where it may: IPv6 canaries, and ways that
//! are closed, so that the relay's packets to somebody fail. Nothing of it reaches the machine's.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use nix::sched::{CloneFlags, unshare};
use socket2::{Domain, Protocol, Socket, Type};

use super::DrillError;

/// The network that this thread and those that it starts are in.
pub(super) struct Network {
    own: bool,
    v6: bool,
}

/// From linux/netlink.h and linux/rtnetlink.h.
const NETLINK: i32 = 16;
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const DELETE_ROUTE: u16 = 25;
const REQUEST_AND_ACKNOWLEDGE: u16 = 0x5;
const CREATE: u16 = 0x400;
const UP: u32 = 1;
const LOOPBACK: u32 = 1;
const V4: u8 = 2;
const V6: u8 = 10;
/// No search for others who have the address.
const AT_ONCE: u8 = 2;
const LOCAL_TABLE: u8 = 255;
/// Sending there fails with EACCES.
const PROHIBITED: u8 = 8;

impl Network {
    /// Moves the calling thread into a network of its own, if it may.
    pub(super) fn enter() -> Self {
        let own = unshare(CloneFlags::CLONE_NEWNET).is_ok();
        if own {
            let up = [
                &[0; 4][..],
                &LOOPBACK.to_ne_bytes(),
                &UP.to_ne_bytes(),
                &UP.to_ne_bytes(),
            ];
            // Without it nothing is reached, which the story will say.
            let _ = ask(NEW_LINK, 0, &up.concat());
        }
        let v6 = UdpSocket::bind("[::1]:0").is_ok();
        Self { own, v6 }
    }

    /// Whether it is the drill's own.
    pub(super) fn is_own(&self) -> bool {
        self.own
    }

    /// Whether there is IPv6.
    pub(super) fn has_v6(&self) -> bool {
        self.v6
    }

    /// Makes an address one of this machine's, in the drill's own network.
    pub(super) fn add(&self, address: SocketAddr) -> Result<(), DrillError> {
        let IpAddr::V6(ip) = address.ip() else {
            return Ok(());
        };
        if !self.own || ip.is_loopback() {
            return Ok(());
        }
        let head = [&[V6, 128, AT_ONCE, 0][..], &LOOPBACK.to_ne_bytes()].concat();
        let octets = ip.octets();
        let body = [head, attribute(1, &octets), attribute(2, &octets)].concat();
        ask(NEW_ADDRESS, CREATE, &body)
    }

    /// Closes the way to an IPv4 address, or opens it again. Does nothing in a network of others.
    pub(super) fn close_way(&self, to: SocketAddr, closed: bool) -> Result<(), DrillError> {
        let IpAddr::V4(ip) = to.ip() else {
            return Ok(());
        };
        if !self.own {
            return Ok(());
        }
        let head = [V4, 32, 0, 0, LOCAL_TABLE, 4, 0, PROHIBITED, 0, 0, 0, 0];
        let body = [head.to_vec(), attribute(1, &ip.octets())].concat();
        match closed {
            true => ask(NEW_ROUTE, CREATE, &body),
            false => ask(DELETE_ROUTE, 0, &body),
        }
    }
}

/// An attribute of a netlink message.
fn attribute(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = (4 + data.len()) as u16;
    let mut bytes = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), data].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Asks the kernel for something about the network.
fn ask(kind: u16, flags: u16, body: &[u8]) -> Result<(), DrillError> {
    let flags = REQUEST_AND_ACKNOWLEDGE | flags;
    let length = (16 + body.len()) as u32;
    let message = [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &flags.to_ne_bytes(),
        &[0; 8],
        body,
    ];
    let socket = Socket::new(Domain::from(NETLINK), Type::RAW, Some(Protocol::from(0)));
    let mut socket = socket.map_err(DrillError::network)?;
    socket
        .write_all(&message.concat())
        .map_err(DrillError::network)?;
    let mut answer = [0; 1024];
    let length = socket.read(&mut answer).map_err(DrillError::network)?;
    let code = answer.get(16..20).filter(|_| length >= 20);
    let code = code
        .and_then(|code| code.try_into().ok())
        .map(i32::from_ne_bytes);
    match code {
        Some(0) => Ok(()),
        Some(code) => Err(DrillError::network(std::io::Error::from_raw_os_error(
            -code,
        ))),
        None => Err(DrillError::Story(
            "the kernel did not answer about the network",
        )),
    }
}
