//! The made-up address that stands for a peer everywhere above the airlock.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::address::{Family, lacks, octets, words};
use super::dice::Dice;

/// A made-up address that stands for a peer above the airlock.
///
/// It keeps what QUIC's migration looks at and nothing else: the family (IPv4
/// peers get one in 240.0.0.0/4, IPv6 peers in `fd00::/8`), and that two ports
/// belong to one IP address. It is drawn at random, so it says nothing about the
/// peer, and a peer that comes back later gets another one.
///
/// It cannot be printed, so that nobody gets used to seeing addresses in logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StandIn(SocketAddr);

lacks!(StandIn: std::fmt::Debug, std::fmt::Display, serde::Serialize, std::ops::Deref);

impl StandIn {
    /// The form that quinn-proto takes as the remote address of a connection.
    pub fn quic(self) -> SocketAddr {
        self.0
    }

    /// The inverse of [`StandIn::quic`]. An address that the airlock never made up
    /// is harmless: nothing can be sent to it.
    pub fn from_quic(address: SocketAddr) -> Self {
        Self(address)
    }

    pub(super) fn new(family: Family, ip: [u64; 2], port: u16) -> Self {
        let ip = octets(ip);
        Self(SocketAddr::new(
            match family {
                Family::V4 => IpAddr::from([ip[0], ip[1], ip[2], ip[3]]),
                Family::V6 => IpAddr::from(ip),
            },
            port,
        ))
    }

    /// IP, then port and family, for the keyed hash.
    pub(super) fn words(self) -> [u64; 3] {
        let [high, low] = match self.0.ip() {
            IpAddr::V4(ip) => v4_words(ip),
            IpAddr::V6(ip) => words(ip.octets()),
        };
        key(Family::of(self.0.ip()), [high, low], self.0.port())
    }
}

/// The key of a stand-in in the table.
pub(super) fn key(family: Family, ip: [u64; 2], port: u16) -> [u64; 3] {
    [ip[0], ip[1], u64::from(port) << 8 | family as u64]
}

/// A random IP address of `family`'s made-up range.
pub(super) fn draw_ip(family: Family, dice: &mut Dice) -> [u64; 2] {
    match family {
        Family::V4 => loop {
            let ip = Ipv4Addr::from(0xf000_0000 | dice.roll() as u32);
            if !ip.is_broadcast() {
                return v4_words(ip);
            }
        },
        Family::V6 => {
            let mut ip = octets([dice.roll(), dice.roll()]);
            ip[0] = 0xfd;
            words(Ipv6Addr::from(ip).octets())
        }
    }
}

fn v4_words(ip: Ipv4Addr) -> [u64; 2] {
    let mut padded = [0; 16];
    padded[..4].copy_from_slice(&ip.octets());
    words(padded)
}
