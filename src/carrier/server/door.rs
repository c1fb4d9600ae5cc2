//! Which first packets of handshakes are looked at, by what stands in their headers in the clear, how
//! many handshakes begin, and how many packets of connections that are gone are answered.
//!
//! To open a first packet costs keys, whoever sent it, and an answer costs more: a flood of them would
//! take the time in which meetings are served. So there are so many a second, and the rest is thrown
//! away unread; honest newcomers send theirs again. There are three kinds, each with a rate of its own,
//! so that a flood of one takes nothing from the others:
//!
//! * a newcomer's, under a connection id that it drew by itself;
//! * those that come back with the token of a Retry. They come under the id that the Retry gave them
//!   (RFC 9000, section 17.2.5.2): with a token, but under another id, it is a newcomer's;
//! * those of a handshake that was answered: under an id of ours, and without a token.
//!
//! An id of ours proves little. Every Retry and every handshake gives some out, and here nobody can
//! tell whether a connection still lives under it.

use std::time::{Duration, Instant};

use quinn_proto::{ConnectionId, ConnectionIdGenerator};

use super::super::limits::{
    BEGUN, BEGUN_AT_ONCE, FIRST_PACKETS, FIRST_PACKETS_AT_ONCE, FOLLOWING_PACKETS, RESETS,
    RETURNING_PACKETS,
};
use super::ServerSettings;
use super::ids::Ids;

pub(super) struct Door {
    /// Tells our own connection ids from those that newcomers draw.
    ids: Ids,
    first: Pace,
    returning: Pace,
    following: Pace,
    begun: Pace,
    resets: Pace,
}

/// What a packet is to the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// No first packet, or nothing that would be answered at any cost.
    Other,
    First,
    Returning,
    Following,
}

impl Door {
    pub(super) fn new(settings: &ServerSettings, now: Instant) -> Self {
        let pace = |a_second| Pace::new(a_second, FIRST_PACKETS_AT_ONCE, now);
        // After a restart everybody who was in is told.
        let everybody = u32::try_from(settings.connections).unwrap_or(u32::MAX);
        Self {
            ids: settings.ids(),
            first: pace(FIRST_PACKETS),
            returning: pace(RETURNING_PACKETS),
            following: pace(FOLLOWING_PACKETS),
            begun: Pace::new(BEGUN, BEGUN_AT_ONCE, now),
            resets: Pace::new(RESETS, everybody, now),
        }
    }

    /// Whether to look at a datagram.
    #[inline]
    pub(super) fn lets_in(&mut self, now: Instant, datagram: &[u8]) -> bool {
        if !is_long(datagram) {
            return true;
        }
        match self.kind(datagram).unwrap_or(Kind::Other) {
            Kind::Other => true,
            Kind::First => self.first.take(now),
            Kind::Returning => self.returning.take(now),
            Kind::Following => self.following.take(now),
        }
    }

    /// Whether one more handshake may begin.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        self.begun.take(now)
    }

    /// Whether to send an answer that belongs to no connection, to a datagram that was looked at. To a
    /// short header that is a stateless reset.
    pub(super) fn lets_out(&mut self, now: Instant, datagram: &[u8]) -> bool {
        is_long(datagram) || self.resets.take(now)
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
        if first & TYPE != 0 {
            return Some(Kind::Other);
        }
        let (_source, rest) = counted(rest)?;
        let &token = rest.first()?;
        Some(match (self.is_ours(destination), token) {
            (false, _) => Kind::First,
            (true, 0) => Kind::Following,
            (true, _) => Kind::Returning,
        })
    }

    /// Clients draw their first ids at random: longer than ours, or not of our making.
    fn is_ours(&self, destination: &[u8]) -> bool {
        destination.len() == self.ids.cid_len()
            && self.ids.validate(&ConnectionId::new(destination)).is_ok()
    }
}

/// Whether a datagram begins with a long header.
fn is_long(datagram: &[u8]) -> bool {
    const LONG_HEADER: u8 = 0x80;
    datagram
        .first()
        .is_some_and(|first| first & LONG_HEADER != 0)
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
    fn new(a_second: u32, at_once: u32, now: Instant) -> Self {
        let each = Duration::from_secs(1) / a_second;
        Self {
            each,
            at_once: each * at_once,
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

    const SETTINGS: ServerSettings = ServerSettings {
        connections: 300,
        reset_key: [7; 32],
    };

    fn door(now: Instant) -> Door {
        Door::new(&SETTINGS, now)
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
    fn handshakes_begin_at_their_pace() {
        let start = Instant::now();
        let mut door = door(start);
        let mut begun =
            |now, of: u32| -> u32 { (0..of).map(|_| u32::from(door.begins(now))).sum() };
        assert_eq!(begun(start, 10_000), BEGUN_AT_ONCE);
        let later = (1..=1000).map(|ms| begun(start + Duration::from_millis(ms), 10));
        assert!(later.sum::<u32>().abs_diff(BEGUN) <= 1);
    }

    #[test]
    fn each_kind_has_a_pace_of_its_own() {
        let now = Instant::now();
        let ours = SETTINGS.ids().generate_cid();
        let kinds = [
            header(0xc3, 1, &[9; 20], 0),
            header(0xc3, 1, &ours, 63),
            header(0xc3, 1, &ours, 0),
        ];
        for flood in 0..kinds.len() {
            let mut door = door(now);
            // Whether a connection lives under the id, the door does not know.
            let let_in = taken(&mut door, now, &kinds[flood], 50_000);
            assert_eq!(let_in, FIRST_PACKETS_AT_ONCE);
            for (kind, packet) in kinds.iter().enumerate() {
                assert_eq!(door.lets_in(now, packet), kind != flood);
            }
        }
    }

    #[test]
    fn whoever_makes_up_a_token_or_a_version_is_a_newcomer() {
        let now = Instant::now();
        let mut door = door(now);
        taken(&mut door, now, &header(0xc3, 1, &[9; 20], 0), 50_000);
        for packet in [
            header(0xc3, 1, &[9; 20], 63),
            header(0xc3, 1, &[9; 12], 63),
            header(0xc3, 0x0a0a_0a0a, &[9; 20], 0),
        ] {
            assert!(!door.lets_in(now, &packet));
        }
    }

    #[test]
    fn what_is_no_first_packet_has_no_pace() {
        let now = Instant::now();
        let mut door = door(now);
        let ours = SETTINGS.ids().generate_cid();
        for packet in [
            header(0xe3, 1, &ours, 0),
            header(0xe3, 1, &[9; 20], 0),
            [&[0x43][..], &[9; 40]].concat(),
            Vec::new(),
            vec![0xc3, 0, 0, 0, 1, 20],
        ] {
            assert_eq!(taken(&mut door, now, &packet, 50_000), 50_000);
        }
    }

    #[test]
    fn everybody_is_told_at_once_that_the_relay_forgot_them_and_then_there_is_a_pace() {
        let start = Instant::now();
        let mut door = door(start);
        let mut told = |now, of: u32| -> u32 {
            let out = |_| u32::from(door.lets_out(now, &[0x43; 40]));
            (0..of).map(out).sum()
        };
        assert_eq!(told(start, 5000), 300);
        let later = (1..=100).map(|ms| told(start + Duration::from_millis(ms), 100));
        assert!(later.sum::<u32>().abs_diff(RESETS / 10) <= 1);
        let answer_of_a_handshake = header(0xc3, 1, &[9; 20], 0);
        assert!(door.lets_out(start, &answer_of_a_handshake));
    }
}
