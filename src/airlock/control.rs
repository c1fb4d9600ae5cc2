//! Control data beside a message (`cmsg`): traffic class, local address, segment size.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::Family;
use super::limits::CONTROL;

/// A message's control data, as the kernel reads and writes it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control(pub(super) [u8; CONTROL]);

/// What is said beside the bytes of a message.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Our own address: where it came to, or leaves from.
    pub(super) local_ip: Option<IpAddr>,
    /// The two ECN bits.
    pub(super) ecn: Option<u8>,
    /// Length of all datagrams in the message but the last.
    pub(super) segment: Option<usize>,
}

/// `cmsghdr`: length in a word, then level and type.
const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 8;

const ECN: u8 = 0b11;

impl Default for Control {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl zeroize::DefaultIsZeroes for Control {}

impl Control {
    pub(super) const EMPTY: Self = Self([0; CONTROL]);

    /// Reads what the kernel said beside a received message; stops at anything odd.
    pub(super) fn read(&self, length: usize) -> Marks {
        let mut marks = Marks::default();
        let mut rest = &self.0[..length.min(CONTROL)];
        while let Some((level, kind, data, after)) = next(rest) {
            match (level, kind) {
                // A byte in IPv4, an int in IPv6.
                (libc::IPPROTO_IP, libc::IP_TOS) => marks.ecn = data.first().map(|tos| tos & ECN),
                (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                    marks.ecn = int(data).map(|class| class as u8 & ECN);
                }
                (libc::SOL_UDP, libc::UDP_GRO | libc::UDP_SEGMENT) => {
                    // The kernel says an int on receive and takes a u16 on send.
                    let size = int(data).or_else(|| {
                        Some(i32::from(u16::from_ne_bytes(
                            data.get(..2)?.try_into().ok()?,
                        )))
                    });
                    marks.segment = size
                        .and_then(|size| usize::try_from(size).ok())
                        .filter(|size| *size > 0);
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // in_pktinfo: interface, local address, address in the header.
                    // The last is the one a reply must come from.
                    let ip = data.get(8..12).and_then(|ip| <[u8; 4]>::try_from(ip).ok());
                    marks.local_ip = ip.map(|ip| Ipv4Addr::from(ip).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let ip = data.get(..16).and_then(|ip| <[u8; 16]>::try_from(ip).ok());
                    marks.local_ip = ip.map(|ip| Ipv6Addr::from(ip).into());
                }
                _ => {}
            }
            rest = after;
        }
        marks
    }

    /// Writes what a message of `family` says to the kernel; returns the length.
    pub(super) fn write(&mut self, family: Family, marks: Marks) -> usize {
        let mut used = 0;
        if let Some(ecn) = marks.ecn.filter(|ecn| *ecn != 0) {
            let class = i32::from(ecn & ECN).to_ne_bytes();
            match family {
                Family::V4 => self.push(&mut used, libc::IPPROTO_IP, libc::IP_TOS, &class),
                Family::V6 => self.push(&mut used, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &class),
            }
        }
        if let Some(size) = marks.segment {
            let size = u16::try_from(size).unwrap_or(u16::MAX).to_ne_bytes();
            self.push(&mut used, libc::SOL_UDP, libc::UDP_SEGMENT, &size);
        }
        match (family, marks.local_ip) {
            (Family::V4, Some(IpAddr::V4(ip))) => {
                let mut info = [0; 12];
                // The kernel takes the source from the middle field; the last one is
                // for the reader of a received message, here the fake network.
                info[4..8].copy_from_slice(&ip.octets());
                info[8..].copy_from_slice(&ip.octets());
                self.push(&mut used, libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
            }
            (Family::V6, Some(IpAddr::V6(ip))) => {
                let mut info = [0; 20];
                info[..16].copy_from_slice(&ip.octets());
                self.push(&mut used, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
            }
            // A source of the other family cannot be had.
            _ => {}
        }
        used
    }

    fn push(&mut self, used: &mut usize, level: i32, kind: i32, data: &[u8]) {
        let at = *used;
        let bytes = &mut self.0;
        bytes[at..at + WORD].copy_from_slice(&(HEADER + data.len()).to_ne_bytes());
        bytes[at + WORD..at + WORD + 4].copy_from_slice(&level.to_ne_bytes());
        bytes[at + WORD + 4..at + HEADER].copy_from_slice(&kind.to_ne_bytes());
        bytes[at + HEADER..at + HEADER + data.len()].copy_from_slice(data);
        *used = at + HEADER + aligned(data.len());
    }
}

/// The first entry's level, type and data, and what follows it.
fn next(bytes: &[u8]) -> Option<(i32, i32, &[u8], &[u8])> {
    let length = usize::from_ne_bytes(bytes.get(..WORD)?.try_into().ok()?);
    let data = bytes.get(HEADER..length)?;
    let level = int(bytes.get(WORD..)?)?;
    let kind = int(bytes.get(WORD + 4..)?)?;
    let after = bytes.get(HEADER + aligned(data.len())..).unwrap_or(&[]);
    Some((level, kind, data, after))
}

fn int(bytes: &[u8]) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?))
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(WORD)
}
