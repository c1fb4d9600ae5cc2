//! Which first packets of handshakes are looked at, by what stands in their headers in the clear.
//!
//! To open a first packet costs keys, whoever sent it, and an answer costs more: a flood of them would
//! take the time in which meetings are served. So there are so many a second, and the rest is thrown
//! away unread; honest newcomers send theirs again. Those that come back with a token have a rate of
//! their own: a flood that cannot receive has none, and one that makes them up takes nothing from
//! those without.

use std::time::{Duration, Instant};

use quinn_proto::{ConnectionId, ConnectionIdGenerator, HashedConnectionIdGenerator};

use super::super::limits::{FIRST_PACKETS, FIRST_PACKETS_AT_ONCE, RETURNING_PACKETS};

pub(super) struct Door {
    /// Tells our own connection ids from those that newcomers draw.
    ids: HashedConnectionIdGenerator,
    first: Pace,
    returning: Pace,
}

/// What a packet is to the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Of a connection, or nothing that would be answered at any cost.
    Other,
    First,
    /// A first packet with a token.
    Returning,
}

impl Door {
    pub(super) fn new(ids: HashedConnectionIdGenerator, now: Instant) -> Self {
        Self {
            ids,
            first: Pace::new(FIRST_PACKETS, now),
            returning: Pace::new(RETURNING_PACKETS, now),
        }
    }

    /// Whether to look at a datagram.
    #[inline]
    pub(super) fn lets_in(&mut self, now: Instant, datagram: &[u8]) -> bool {
        const LONG_HEADER: u8 = 0x80;
        if datagram
            .first()
            .is_none_or(|first| first & LONG_HEADER == 0)
        {
            return true;
        }
        match self.kind(datagram).unwrap_or(Kind::Other) {
            Kind::Other => true,
            Kind::First => self.first.take(now),
            Kind::Returning => self.returning.take(now),
        }
    }

    /// What begins with a long header (RFC 9000, section 17.2); `None` if it is cut off.
    fn kind(&self, datagram: &[u8]) -> Option<Kind> {
        const VERSION_1: [u8; 4] = [0, 0, 0, 1];
        const TYPE: u8 = 0x30;
        let (&first, rest) = datagram.split_first()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (destination, rest) = counted(rest)?;
        // Other versions are answered with those that we speak: at the pace of the rest.
        if *version != VERSION_1 {
            return Some(Kind::First);
        }
        if first & TYPE != 0 || self.is_ours(destination) {
            return Some(Kind::Other);
        }
        let (_source, rest) = counted(rest)?;
        Some(match rest.first()? {
            0 => Kind::First,
            _ => Kind::Returning,
        })
    }

    /// Clients draw their first ids at random: longer than ours, or not of our making.
    fn is_ours(&self, destination: &[u8]) -> bool {
        destination.len() == self.ids.cid_len()
            && self.ids.validate(&ConnectionId::new(destination)).is_ok()
    }
}

/// A field with its length before it in a byte, and what comes after.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// So many a second, and some at once.
struct Pace {
    each: Duration,
    at_once: Duration,
    /// When all that was taken has been made up for.
    even: Instant,
}

impl Pace {
    fn new(a_second: u32, now: Instant) -> Self {
        let each = Duration::from_secs(1) / a_second;
        Self {
            each,
            at_once: each * FIRST_PACKETS_AT_ONCE,
            even: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let even = self.even.max(now);
        let fits = even - now < self.at_once;
        if fits {
            self.even = even + self.each;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(now: Instant) -> Door {
        Door::new(HashedConnectionIdGenerator::from_key(7), now)
    }

    /// A long header, then so many bytes of a token.
    fn header(first: u8, version: u32, destination: &[u8], token: u8) -> Vec<u8> {
        let mut packet = vec![first];
        packet.extend(version.to_be_bytes());
        packet.push(destination.len() as u8);
        packet.extend(destination);
        packet.extend([4, 1, 2, 3, 4, token]);
        packet.resize(1200, 0);
        packet
    }

    fn taken(door: &mut Door, now: Instant, packet: &[u8], of: u32) -> u32 {
        (0..of).map(|_| u32::from(door.lets_in(now, packet))).sum()
    }

    #[test]
    fn first_packets_come_in_at_their_pace() {
        let start = Instant::now();
        let mut door = door(start);
        let first = header(0xc3, 1, &[9; 20], 0);
        assert_eq!(
            taken(&mut door, start, &first, 50_000),
            FIRST_PACKETS_AT_ONCE
        );
        let mut later = 0;
        for ms in 1..=1000 {
            let now = start + Duration::from_millis(ms);
            later += taken(&mut door, now, &first, 100);
        }
        assert!(later.abs_diff(FIRST_PACKETS) <= 1, "{later}");
    }

    #[test]
    fn a_token_has_a_pace_of_its_own_and_connections_have_none() {
        let now = Instant::now();
        let mut door = door(now);
        let first = header(0xc3, 1, &[9; 20], 0);
        let unknown = header(0xc3, 0x0a0a_0a0a, &[9; 20], 0);
        taken(&mut door, now, &first, 50_000);
        assert!(!door.lets_in(now, &first) && !door.lets_in(now, &unknown));
        let returning = header(0xc3, 1, &[9; 20], 63);
        assert_eq!(
            taken(&mut door, now, &returning, 50_000),
            FIRST_PACKETS_AT_ONCE
        );
        let ours = HashedConnectionIdGenerator::from_key(7).generate_cid();
        for packet in [
            header(0xc3, 1, &ours, 0),
            header(0xe3, 1, &[9; 20], 0),
            [&[0x43][..], &[9; 40]].concat(),
            Vec::new(),
            vec![0xc3, 0, 0, 0, 1, 20],
        ] {
            assert_eq!(taken(&mut door, now, &packet, 50_000), 50_000);
        }
    }
}
