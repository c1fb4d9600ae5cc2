//! A peer's real address, in the forms the kernel and the table need.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Where a peer really is: IP, port, scope, and the socket that it came in by.
///
/// Packed into three words that hash and compare without branches. It wipes
/// itself when dropped and cannot be printed, serialized or turned into a
/// standard address outside of tests: the assertion below does not compile
/// otherwise.
#[derive(PartialEq, Eq, Default, Zeroize, ZeroizeOnDrop)]
#[repr(transparent)]
pub(super) struct RealAddress([u64; 3]);

macro_rules! lacks {
    ($type:ty: $($forbidden:path),+ $(,)?) => {$(
        const _: fn() = || {
            // Two blanket implementations overlap if the trait is there, and the
            // call below then has no single answer.
            trait Ambiguous<Witness> {
                fn witness() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Present;
            impl<T: ?Sized + $forbidden> Ambiguous<Present> for T {}
            let _ = <$type as Ambiguous<_>>::witness;
        };
    )+};
}
pub(super) use lacks;

lacks!(
    RealAddress: std::fmt::Debug,
    std::fmt::Display,
    std::fmt::LowerHex,
    std::fmt::UpperHex,
    serde::Serialize,
    std::ops::Deref,
    std::string::ToString,
    std::clone::Clone,
);

/// `sockaddr_in` or `sockaddr_in6` as the kernel reads and writes it.
#[derive(Clone, Copy, Default)]
#[repr(C, align(8))]
pub(super) struct Name(pub(super) [u8; Name::ROOM]);

// Wiped as a whole: byte by byte would cost more than the lookup.
impl zeroize::DefaultIsZeroes for Name {}

impl Name {
    /// Bytes, at least those of `sockaddr_in6`.
    pub(super) const ROOM: usize = 32;
    /// No name.
    pub(super) const EMPTY: Self = Self([0; Self::ROOM]);

    /// The bytes of `address`, and how many of them count.
    pub(super) fn encode(address: &SocketAddr) -> (Self, usize) {
        let mut name = Self::EMPTY;
        let length = name.set(
            address.ip(),
            address.port(),
            match address {
                SocketAddr::V4(_) => 0,
                SocketAddr::V6(v6) => v6.scope_id(),
            },
        );
        (name, length)
    }

    fn set(&mut self, ip: IpAddr, port: u16, scope: u32) -> usize {
        let bytes = &mut self.0;
        bytes[2..4].copy_from_slice(&port.to_be_bytes());
        match ip {
            IpAddr::V4(ip) => {
                bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
                bytes[4..8].copy_from_slice(&ip.octets());
                size_of::<libc::sockaddr_in>()
            }
            IpAddr::V6(ip) => {
                bytes[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
                bytes[8..24].copy_from_slice(&ip.octets());
                bytes[24..28].copy_from_slice(&scope.to_ne_bytes());
                size_of::<libc::sockaddr_in6>()
            }
        }
    }

    /// The address in a name of `length` bytes; `None` if it is neither IPv4 nor IPv6.
    pub(super) fn decode(&self, length: usize) -> Option<SocketAddr> {
        let bytes = &self.0;
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        match self.family(length)? {
            Family::V4 => {
                let ip: [u8; 4] = bytes[4..8].try_into().ok()?;
                Some(SocketAddrV4::new(Ipv4Addr::from(ip), port).into())
            }
            Family::V6 => {
                let ip: [u8; 16] = bytes[8..24].try_into().ok()?;
                let scope = u32::from_ne_bytes(bytes[24..28].try_into().ok()?);
                Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, scope).into())
            }
        }
    }

    fn family(&self, length: usize) -> Option<Family> {
        let family = libc::c_int::from(u16::from_ne_bytes([self.0[0], self.0[1]]));
        match family {
            libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => Some(Family::V4),
            libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => Some(Family::V6),
            _ => None,
        }
    }
}

/// Which Internet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4 = 4,
    V6 = 6,
}

impl Family {
    pub(super) fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Bytes of the third word: scope 0..4, port 4..6, socket 6, family 7.
const PORT: usize = 4;
const SOCKET: usize = 6;
const FAMILY: usize = 7;

/// Bytes of an IPv6 address that networks give to one customer (RFC 6177).
const SITE: usize = 7;

impl RealAddress {
    /// The sender in `name`, heard on socket number `socket`; `None` if it is of
    /// neither family or has no port to answer to.
    pub(super) fn heard(name: &Name, length: usize, socket: u8) -> Option<Self> {
        let family = name.family(length)?;
        let bytes = &name.0;
        let mut tail = [0; 8];
        tail[PORT..SOCKET].copy_from_slice(&bytes[2..4]);
        if tail == [0; 8] {
            return None;
        }
        tail[SOCKET] = socket;
        tail[FAMILY] = family as u8;
        let mut ip = [0; 16];
        match family {
            Family::V4 => ip[..4].copy_from_slice(&bytes[4..8]),
            Family::V6 => {
                ip.copy_from_slice(&bytes[8..24]);
                tail[..PORT].copy_from_slice(&bytes[24..28]);
            }
        }
        let [high, low] = words(ip);
        ip.zeroize();
        Some(Self([high, low, u64::from_ne_bytes(tail)]))
    }

    /// Writes it where the kernel looks for a destination; returns the length.
    pub(super) fn write(&self, name: &mut Name) -> usize {
        let mut ip = octets([self.0[0], self.0[1]]);
        let tail = self.tail();
        let bytes = &mut name.0;
        bytes[2..4].copy_from_slice(&tail[PORT..SOCKET]);
        let length = match self.family() {
            Family::V4 => {
                bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
                bytes[4..8].copy_from_slice(&ip[..4]);
                size_of::<libc::sockaddr_in>()
            }
            Family::V6 => {
                bytes[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
                bytes[8..24].copy_from_slice(&ip);
                bytes[24..28].copy_from_slice(&tail[..PORT]);
                size_of::<libc::sockaddr_in6>()
            }
        };
        ip.zeroize();
        length
    }

    /// The same address without port and socket: what peers behind one IP share.
    pub(super) fn host(&self) -> Self {
        let mut tail = self.tail();
        tail[PORT..FAMILY].fill(0);
        Self([self.0[0], self.0[1], u64::from_ne_bytes(tail)])
    }

    /// What one customer of a network has: the IPv4 address, or the /56 of an IPv6 address.
    pub(super) fn prefix(&self) -> Self {
        let mut prefix = self.host();
        if self.family() == Family::V6 {
            let mut ip = octets([self.0[0], 0]);
            ip[SITE..].fill(0);
            let [high, low] = words(ip);
            ip.zeroize();
            (prefix.0[0], prefix.0[1]) = (high, low);
        }
        prefix
    }

    /// Takes over `other`. A plain assignment would leave a copy behind in `other`'s
    /// place, since a moved value is not dropped.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.0 = other.0;
    }

    pub(super) fn family(&self) -> Family {
        if self.tail()[FAMILY] == Family::V4 as u8 {
            Family::V4
        } else {
            Family::V6
        }
    }

    /// The number of the socket it was heard on.
    pub(super) fn socket(&self) -> u8 {
        self.tail()[SOCKET]
    }

    /// For the keyed hash.
    pub(super) fn words(&self) -> &[u64; 3] {
        &self.0
    }

    fn tail(&self) -> [u8; 8] {
        self.0[2].to_ne_bytes()
    }
}

/// The sixteen bytes of an address as two words, in memory order.
pub(super) fn words(ip: [u8; 16]) -> [u64; 2] {
    let mut halves = [[0; 8]; 2];
    halves[0].copy_from_slice(&ip[..8]);
    halves[1].copy_from_slice(&ip[8..]);
    halves.map(u64::from_ne_bytes)
}

/// The inverse of [`words`].
pub(super) fn octets(words: [u64; 2]) -> [u8; 16] {
    let mut ip = [0; 16];
    ip[..8].copy_from_slice(&words[0].to_ne_bytes());
    ip[8..].copy_from_slice(&words[1].to_ne_bytes());
    ip
}
