//! The pair table: which stand-in stands for which real address.

use std::time::Duration;

use super::address::RealAddress;
use super::berths::Berth;
use super::crowds::{Allowance, Crowds, PerAddress};
use super::dice::{Dice, HashKey};
use super::index::Index;
use super::limits::PAIRS_OF_ONE_ADDRESS;
use super::pair::{Host, Pair, Route, Standing, State, Tick, Ticket};
use super::stand_in::{StandIn, draw_ip, key};
use super::store::Store;

/// How many peers the airlock remembers, and for how long.
#[derive(Clone, Copy)]
pub struct TableLimits {
    /// Proven peers. Past it [`prove`](super::Airlock::prove) says no and the peer
    /// stays evictable: the carrier should then refuse the connection. A peer costs
    /// about 300 bytes here.
    pub proven: usize,
    /// Unproven peers. Past it the oldest is forgotten, so this over the rate of a
    /// flood of spoofed first packets is the time that an honest newcomer has for
    /// one round trip.
    pub unproven: usize,
    /// How long an unproven peer is remembered at most. It must be longer than a
    /// handshake may take: a connection under way loses its peer otherwise.
    pub unproven_for: Duration,
    /// What may come from one address.
    pub per_address: PerAddress,
    /// Handshakes under way at a time from one address that was shown: further ones have to wait, or
    /// somebody who shows one address many times and then says nothing would hold every place.
    pub under_way_per_address: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self {
            proven: 32_768,
            unproven: 32_768,
            unproven_for: Duration::from_secs(15),
            per_address: PerAddress::default(),
            under_way_per_address: 256,
        }
    }
}

/// The end of the list of unproven pairs.
const NONE: u32 = u32::MAX;

/// Maps both ways in one lookup each. Everything that derives from an address is
/// in `pairs` and `hosts`, whose items never move and are wiped when released.
pub(super) struct Table {
    limits: TableLimits,
    lifetime: Tick,
    dice: Dice,
    hash: HashKey,
    pairs: Store<Pair>,
    hosts: Store<Host>,
    pair_of_real: Index,
    pair_of_stand_in: Index,
    host_of_real: Index,
    host_of_stand_in: Index,
    /// The unproven pairs, oldest first, linked through the pairs.
    oldest: u32,
    newest: u32,
    unproven: usize,
    proven: usize,
    crowds: Crowds,
}

impl Table {
    pub(super) fn new(limits: TableLimits, seed: [u8; 32]) -> Self {
        let mut dice = Dice::new(seed);
        let bound = limits.proven.saturating_add(limits.unproven);
        Self {
            limits,
            lifetime: Tick(
                u32::try_from(limits.unproven_for.as_millis().div_ceil(100)).unwrap_or(u32::MAX),
            ),
            hash: HashKey::new(&mut dice),
            crowds: Crowds::new(limits.per_address, limits.under_way_per_address, &mut dice),
            dice,
            pairs: Store::new(bound),
            hosts: Store::new(bound),
            pair_of_real: Index::new(),
            pair_of_stand_in: Index::new(),
            host_of_real: Index::new(),
            host_of_stand_in: Index::new(),
            oldest: NONE,
            newest: NONE,
            unproven: 0,
            proven: 0,
        }
    }

    /// The pair of a sender, made if it is new; `None` if there is no room.
    #[inline]
    pub(super) fn heard(&mut self, real: &RealAddress, now: Tick) -> Option<Ticket> {
        let hash = self.hash.hash(real.words());
        let pairs = &self.pairs;
        let place = match self
            .pair_of_real
            .find(hash, |place| pairs[place].real == *real)
        {
            Some(place) => place,
            None => self.admit(real, hash, now)?,
        };
        Some(Ticket {
            place,
            generation: self.pairs[place].generation,
        })
    }

    /// The stand-in of a pair; `None` if it was pushed out meanwhile.
    #[inline]
    pub(super) fn named(&self, ticket: Ticket) -> Option<StandIn> {
        self.resolve(ticket)?;
        Some(self.stand_in(ticket.place))
    }

    /// The stand-in of a sender, at once.
    #[cfg(test)]
    pub(super) fn enter(&mut self, real: &RealAddress, now: Tick) -> Option<StandIn> {
        let ticket = self.heard(real, now)?;
        self.named(ticket)
    }

    #[inline(never)]
    fn admit(&mut self, real: &RealAddress, hash: u64, now: Tick) -> Option<u32> {
        if self.unproven >= self.limits.unproven && !self.evict_oldest() {
            return None;
        }
        let place = self.pairs.take()?;
        let Some(host) = self.host(real) else {
            self.pairs.give_back(place);
            return None;
        };
        self.hosts[host].pairs += 1;
        let stand_in = self.hosts[host].stand_in;
        let port = self.free_port(real, stand_in);

        let pair = &mut self.pairs[place];
        pair.real.copy_from(real);
        pair.stand_in = stand_in;
        pair.host = host;
        pair.port = port;
        self.pair_of_real.insert(hash, place);
        let hash = self.hash.hash(&key(real.family(), stand_in, port));
        self.pair_of_stand_in.insert(hash, place);
        self.append_unproven(place, now);
        Some(place)
    }

    /// The place of the sender's IP address, made if it is new.
    fn host(&mut self, real: &RealAddress) -> Option<u32> {
        let shared = real.host();
        let hash = self.hash.hash(shared.words());
        let hosts = &self.hosts;
        if let Some(place) = self
            .host_of_real
            .find(hash, |place| hosts[place].real == shared)
        {
            return (hosts[place].pairs < PAIRS_OF_ONE_ADDRESS).then_some(place);
        }
        let place = self.hosts.take()?;
        let (stand_in, stand_in_hash) = loop {
            let drawn = draw_ip(real.family(), &mut self.dice);
            let drawn_hash = self.hash.hash(&key(real.family(), drawn, 0));
            let hosts = &self.hosts;
            let taken = |place| hosts[place].stand_in == drawn;
            if self.host_of_stand_in.find(drawn_hash, taken).is_none() {
                break (drawn, drawn_hash);
            }
        };
        let host = &mut self.hosts[place];
        host.real.copy_from(&shared);
        host.stand_in = stand_in;
        self.host_of_real.insert(hash, place);
        self.host_of_stand_in.insert(stand_in_hash, place);
        Some(place)
    }

    fn free_port(&mut self, real: &RealAddress, stand_in: [u64; 2]) -> u16 {
        loop {
            let port = self.dice.roll() as u16;
            let wanted = StandIn::new(real.family(), stand_in, port);
            if port != 0 && self.place(wanted).is_none() {
                return port;
            }
        }
    }

    /// How to reach the peer behind a stand-in.
    #[inline]
    pub(super) fn route(&self, who: StandIn) -> Option<Route> {
        let place = self.place(who)?;
        let pair = &self.pairs[place];
        Some(Route {
            ticket: Ticket {
                place,
                generation: pair.generation,
            },
            lane: pair.real.socket(),
        })
    }

    /// Where to send; `None` if the peer was released meanwhile.
    #[inline]
    pub(super) fn resolve(&self, ticket: Ticket) -> Option<&RealAddress> {
        let pair = self.pairs.get(ticket.place)?;
        (pair.generation == ticket.generation && pair.standing.state() != State::Free)
            .then_some(&pair.real)
    }

    /// Whether a handshake from there may begin; `shown`: it has shown that the address is its own.
    pub(super) fn may_begin(&self, who: StandIn, shown: bool) -> Allowance {
        let pair = self.place(who).map(|place| &self.pairs[place]);
        let room = pair.filter(|pair| pair.standing.claims() < Standing::MANY);
        room.map_or(Allowance::No, |pair| {
            self.crowds.may_begin(&pair.real, shown)
        })
    }

    /// A handshake from there has begun.
    pub(super) fn begin(&mut self, who: StandIn, shown: bool) {
        if let Some(place) = self.place(who) {
            self.crowds.begin(&self.pairs[place].real, shown);
        }
    }

    /// One more connection from there; `None` when it is one too many.
    pub(super) fn berth(&mut self, who: StandIn) -> Option<Berth> {
        let place = self.place(who)?;
        self.crowds.berth(&self.pairs[place].real)
    }

    /// It is open.
    pub(super) fn arrive(&mut self, berth: &Berth) {
        self.crowds.arrive(berth);
    }

    /// It is open no more.
    pub(super) fn unberth(&mut self, berth: Berth) {
        self.crowds.unberth(berth, &mut self.dice);
    }

    /// One more connection speaks through this pair.
    pub(super) fn claim(&mut self, who: StandIn) {
        if let Some(place) = self.place(who) {
            self.pairs[place].standing.claim();
        }
    }

    /// Whether the pair is now one that unproven ones cannot push out.
    pub(super) fn prove(&mut self, who: StandIn) -> bool {
        let Some(place) = self.place(who) else {
            return false;
        };
        if self.pairs[place].standing.state() == State::Proven {
            return true;
        }
        if self.proven >= self.limits.proven {
            return false;
        }
        self.unlink_unproven(place);
        self.pairs[place].standing.set(State::Proven);
        self.proven += 1;
        true
    }

    /// One connection fewer; the last one leaves the pair evictable.
    pub(super) fn demote(&mut self, who: StandIn, now: Tick) {
        let Some(place) = self.place(who) else { return };
        if self.pairs[place].standing.unclaim()
            && self.pairs[place].standing.state() == State::Proven
        {
            if self.unproven >= self.limits.unproven && !self.evict_oldest() {
                self.wipe(place);
                return;
            }
            self.proven -= 1;
            self.append_unproven(place, now);
        }
    }

    /// One connection fewer; the last one takes the pair with it.
    pub(super) fn release(&mut self, who: StandIn) {
        if let Some(place) = self.place(who)
            && self.pairs[place].standing.unclaim()
        {
            self.wipe(place);
        }
    }

    /// Wipes the unproven pairs whose time is over, and the counts whose is.
    pub(super) fn expire(&mut self, now: Tick) {
        self.crowds.forget(now, &mut self.dice);
        while self.oldest != NONE
            && now.0.saturating_sub(self.pairs[self.oldest].since.0) >= self.lifetime.0
        {
            self.evict_oldest();
        }
    }

    /// Proven and unproven pairs in the table.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.proven, self.unproven)
    }

    /// Whether there is something that [`expire`](Self::expire) will wipe.
    pub(super) fn ages(&self) -> bool {
        self.unproven > 0 || self.crowds.ages()
    }

    fn evict_oldest(&mut self) -> bool {
        let oldest = self.oldest;
        if oldest != NONE {
            self.wipe(oldest);
        }
        oldest != NONE
    }

    /// Leaves nothing of a pair, and nothing of its IP address if it was the last.
    fn wipe(&mut self, place: u32) {
        if self.pairs[place].standing.state() == State::Unproven {
            self.unlink_unproven(place);
        } else {
            self.proven -= 1;
        }
        let pair = &self.pairs[place];
        let (host, family) = (pair.host, pair.real.family());
        self.pair_of_real
            .remove(self.hash.hash(pair.real.words()), place);
        let stand_in = key(family, pair.stand_in, pair.port);
        self.pair_of_stand_in
            .remove(self.hash.hash(&stand_in), place);
        let next = pair.generation.wrapping_add(1);
        self.pairs.give_back(place);
        self.pairs[place].generation = next;

        self.hosts[host].pairs -= 1;
        if self.hosts[host].pairs == 0 {
            let gone = &self.hosts[host];
            self.host_of_real
                .remove(self.hash.hash(gone.real.words()), host);
            let stand_in = key(family, gone.stand_in, 0);
            self.host_of_stand_in
                .remove(self.hash.hash(&stand_in), host);
            self.hosts.give_back(host);
        }
    }

    fn append_unproven(&mut self, place: u32, now: Tick) {
        let newest = self.newest;
        let pair = &mut self.pairs[place];
        pair.standing.set(State::Unproven);
        pair.since = now;
        pair.older = newest;
        pair.newer = NONE;
        match newest {
            NONE => self.oldest = place,
            newest => self.pairs[newest].newer = place,
        }
        self.newest = place;
        self.unproven += 1;
    }

    fn unlink_unproven(&mut self, place: u32) {
        let (older, newer) = (self.pairs[place].older, self.pairs[place].newer);
        match older {
            NONE => self.oldest = newer,
            older => self.pairs[older].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.pairs[newer].older = older,
        }
        self.unproven -= 1;
    }

    #[cfg(test)]
    pub(super) fn crowds(&self) -> &Crowds {
        &self.crowds
    }

    /// All memory that ever held an address or a stand-in, as it is.
    #[cfg(test)]
    pub(super) fn memory(&self) -> Vec<u8> {
        fn bytes<T>(items: &[T]) -> &[u8] {
            // SAFETY: used for the two types above and integers, which have no padding
            // (asserted), so every byte is initialised.
            unsafe { std::slice::from_raw_parts(items.as_ptr().cast(), size_of_val(items)) }
        }
        let mut memory = Vec::new();
        self.pairs
            .chunks()
            .for_each(|chunk| memory.extend_from_slice(bytes(chunk)));
        self.hosts
            .chunks()
            .for_each(|chunk| memory.extend_from_slice(bytes(chunk)));
        let indices = [
            &self.pair_of_real,
            &self.pair_of_stand_in,
            &self.host_of_real,
            &self.host_of_stand_in,
        ];
        indices
            .iter()
            .for_each(|index| memory.extend_from_slice(bytes(index.slots())));
        memory
    }

    fn place(&self, who: StandIn) -> Option<u32> {
        let wanted = who.words();
        self.pair_of_stand_in
            .find(self.hash.hash(&wanted), |place| {
                let pair = &self.pairs[place];
                key(pair.real.family(), pair.stand_in, pair.port) == wanted
            })
    }

    fn stand_in(&self, place: u32) -> StandIn {
        let pair = &self.pairs[place];
        StandIn::new(pair.real.family(), pair.stand_in, pair.port)
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
