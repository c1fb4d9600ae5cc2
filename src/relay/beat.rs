//! The beat: when it falls, what waits for it, and how one copy of it serves all who take the
//! same.

use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::wire::limits::DATAGRAM;
use crate::wire::{Bundle, ParticipantId};

use super::limits::{BEAT, LISTENER_BYTES, VIEWER_BEATS};
use super::subscription::{MemberIndex, Selection, Source};

/// Where participants stand: members at 0, served on each beat; viewers at 1 to 3, each served on
/// every third, so that no beat carries all of them.
pub(super) const STANDS: usize = 1 + VIEWER_BEATS as usize;

/// The stand of the members.
pub(super) const MEMBERS: usize = 0;

/// The steady grid on which beats fall, however irregularly one is needed.
pub(super) struct Grid {
    origin: Instant,
    served: [u64; STANDS],
}

impl Grid {
    pub(super) fn new(origin: Instant) -> Self {
        Self {
            origin,
            served: [u64::MAX; STANDS],
        }
    }

    /// The last beat at or before `now`.
    pub(super) fn index(&self, now: Instant) -> u64 {
        (now.saturating_duration_since(self.origin).as_nanos() / BEAT.as_nanos()) as u64
    }

    /// When a beat falls.
    pub(super) fn at(&self, index: u64) -> Instant {
        let nanos = u128::from(index) * BEAT.as_nanos();
        self.origin + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Which stands a beat serves. A stand whose beat was missed is served by the next.
    pub(super) fn serve(&mut self, index: u64) -> [bool; STANDS] {
        let mut due = [true; STANDS];
        for (stand, due) in due.iter_mut().enumerate().skip(1) {
            let round = (index + stand as u64) / VIEWER_BEATS;
            *due = round != self.served[stand];
            self.served[stand] = round;
        }
        due
    }
}

/// A datagram that waits for a beat.
pub(super) struct Arrival {
    pub(super) source: Source,
    pub(super) sender: ParticipantId,
    pub(super) payload: Bytes,
}

/// The datagrams of a room that someone has still to be given, and how far each stand has got.
#[derive(Default)]
pub(super) struct Backlog {
    arrivals: Vec<Arrival>,
    taken: [usize; STANDS],
}

impl Backlog {
    pub(super) fn push(&mut self, arrival: Arrival) {
        self.arrivals.push(arrival);
    }

    /// Drops the oldest datagram of `member` that members have not been given.
    pub(super) fn drop_oldest(&mut self, member: MemberIndex) {
        let from = self.taken[MEMBERS];
        let oldest = self.arrivals[from..]
            .iter()
            .position(|a| a.source.member == member);
        if let Some(oldest) = oldest {
            self.arrivals.remove(from + oldest);
        }
        for taken in &mut self.taken {
            *taken = (*taken).min(self.arrivals.len());
        }
    }

    /// What `stand` has not been given.
    pub(super) fn waiting(&self, stand: usize) -> &[Arrival] {
        &self.arrivals[self.taken[stand]..]
    }

    /// `stand` has been given everything.
    pub(super) fn given(&mut self, stand: usize) {
        self.taken[stand] = self.arrivals.len();
    }

    /// Lets go of what all stands with someone on them have been given.
    pub(super) fn forget_given(&mut self, occupied: [bool; STANDS]) {
        let len = self.arrivals.len();
        let stands = self.taken.iter().zip(occupied);
        let given = stands
            .filter_map(|(&taken, here)| here.then_some(taken))
            .min()
            .unwrap_or(len);
        self.arrivals.drain(..given);
        for taken in &mut self.taken {
            *taken = taken.saturating_sub(given);
        }
        if self.arrivals.is_empty() && self.arrivals.capacity() > 1024 {
            self.arrivals = Vec::new();
        }
    }

    /// Whether something of `member` waits for `stand`.
    pub(super) fn holds(&self, stand: usize, member: MemberIndex) -> bool {
        self.waiting(stand)
            .iter()
            .any(|arrival| arrival.source.member == member)
    }

    /// Drops all of `member`.
    pub(super) fn purge(&mut self, member: MemberIndex) {
        for taken in &mut self.taken {
            let others = self.arrivals[..*taken]
                .iter()
                .filter(|a| a.source.member != member);
            *taken = others.count();
        }
        self.arrivals
            .retain(|arrival| arrival.source.member != member);
    }
}

const NOBODY: u32 = u32::MAX;

/// Bundles of one beat, built once for each distinct set of datagrams that someone takes: once
/// for all who listen, and once for each talker, who takes all but its own.
///
/// What a participant takes of a beat is the meeting of its subscriptions with what arrived: a few
/// machine words, found again in a hash table. A frame costs its listener a clone of a `Bytes`.
pub(super) struct Sharing {
    /// The words of a selection in which something arrived, and their bits.
    active: Vec<(usize, u64)>,
    /// What was asked for so far, `active.len()` words each.
    keys: Vec<u64>,
    /// Where the bundles of each key are.
    shares: Vec<Range<u32>>,
    bundles: Vec<Bytes>,
    /// Open addressing over `shares`.
    table: Vec<u32>,
    /// What the last one took: its neighbour most often takes the same.
    last: u32,
    /// Keeps a participant from choosing subscriptions that all fall into one place.
    secret: u64,
    bundle: Bundle,
    wanted: Vec<u32>,
}

impl Sharing {
    pub(super) fn new(secret: u64) -> Self {
        Self {
            active: Vec::new(),
            keys: Vec::new(),
            shares: Vec::new(),
            bundles: Vec::new(),
            table: Vec::new(),
            last: NOBODY,
            secret: secret | 1,
            bundle: Bundle::new(),
            wanted: Vec::new(),
        }
    }

    /// Starts on what arrived, for at most `takers` participants.
    pub(super) fn begin(&mut self, arrivals: &[Arrival], takers: usize) {
        self.clear();
        for arrival in arrivals {
            let (word, bit) = arrival.source.bit();
            match self.active.binary_search_by_key(&word, |&(word, _)| word) {
                Ok(at) => self.active[at].1 |= bit,
                Err(at) => self.active.insert(at, (word, bit)),
            }
        }
        self.table
            .resize((takers * 2).next_power_of_two().max(16), NOBODY);
    }

    /// Lets go of the bundles.
    pub(super) fn clear(&mut self) {
        self.active.clear();
        self.keys.clear();
        self.shares.clear();
        self.bundles.clear();
        self.table.clear();
        self.last = NOBODY;
    }

    /// The bundles for someone subscribed to `selection`.
    pub(super) fn of(&mut self, selection: &Selection, arrivals: &[Arrival]) -> &[Bytes] {
        let key = self.keys.len();
        let mut any = 0;
        for &(word, mask) in &self.active {
            let bits = selection.word(word) & mask;
            any |= bits;
            self.keys.push(bits);
        }
        if any == 0 {
            self.keys.truncate(key);
            return &[];
        }
        let share = if self.last != NOBODY && self.key(self.last) == &self.keys[key..] {
            self.last
        } else {
            self.find_or_place(key)
        };
        if share as usize == self.shares.len() {
            let start = self.bundles.len() as u32;
            self.build(selection, arrivals);
            self.shares.push(start..self.bundles.len() as u32);
        } else {
            self.keys.truncate(key);
        }
        self.last = share;
        let Range { start, end } = self.shares[share as usize];
        &self.bundles[start as usize..end as usize]
    }

    fn key(&self, share: u32) -> &[u64] {
        let stride = self.active.len();
        &self.keys[share as usize * stride..][..stride]
    }

    /// The share whose key is the one at `key`, or the number of a new one.
    fn find_or_place(&mut self, key: usize) -> u32 {
        let mut hash = self.secret;
        for &bits in &self.keys[key..] {
            let wide = u128::from(hash ^ bits) * u128::from(self.secret);
            hash = (wide >> 64) as u64 ^ wide as u64;
        }
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.table[place] {
                NOBODY => {
                    self.table[place] = self.shares.len() as u32;
                    return self.table[place];
                }
                share if self.key(share) == &self.keys[key..] => return share,
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// Which of the arrivals someone is given: the newest that it is subscribed to, as far as
    /// [`LISTENER_BYTES`] go. Returns their bytes.
    fn choose(&mut self, selection: &Selection, arrivals: &[Arrival]) -> usize {
        self.wanted.clear();
        let mut total = 0;
        for (number, arrival) in arrivals.iter().enumerate().rev() {
            if !selection.contains(arrival.source) {
                continue;
            }
            let size = Bundle::entry_len(arrival.payload.len());
            if total + size > LISTENER_BYTES {
                break;
            }
            self.wanted.push(number as u32);
            total += size;
        }
        self.wanted.reverse();
        total
    }

    /// As few bundles as it takes, and as equal as can be, so that the kernel can cut them from
    /// one buffer.
    fn build(&mut self, selection: &Selection, arrivals: &[Arrival]) {
        let total = self.choose(selection, arrivals);
        let (mut fewest, mut filled) = (0, DATAGRAM);
        for &number in &self.wanted {
            let size = Bundle::entry_len(arrivals[number as usize].payload.len());
            filled += size;
            if filled > DATAGRAM {
                fewest += 1;
                filled = size;
            }
        }
        let start = self.bundles.len();
        self.pack(arrivals, total.div_ceil(fewest.max(1)));
        if self.bundles.len() - start > fewest {
            self.bundles.truncate(start);
            self.pack(arrivals, DATAGRAM);
        }
    }

    /// Fills bundles in order, each until it has `enough` bytes.
    fn pack(&mut self, arrivals: &[Arrival], enough: usize) {
        for &number in &self.wanted {
            let Arrival {
                source,
                sender,
                payload,
            } = &arrivals[number as usize];
            if self.bundle.len() >= enough && !self.bundle.is_empty() {
                self.bundles.push(self.bundle.take());
            }
            if !self.bundle.try_push(*sender, source.track, payload) {
                self.bundles.push(self.bundle.take());
                let fits = self.bundle.try_push(*sender, source.track, payload);
                debug_assert!(fits, "an uplink payload always fits a bundle alone");
            }
        }
        if !self.bundle.is_empty() {
            self.bundles.push(self.bundle.take());
        }
    }
}
