//! Knockers and porters in memory, with a relay between them that does as each test says; a virtual
//! clock. `SOTTOVOCE_SEED=n` repeats a failing run.

mod doors;
mod hostile;
mod places;
mod story;

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::*;
use crate::meeting::RelayRef;
use crate::meeting::links::{CommitterLink, Link, Links, MeetingLink};
use crate::wire::{ParticipantId, To};

pub(super) const CHAIR: ParticipantId = ParticipantId(1);

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// SplitMix64: small, seeded, the same everywhere.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// From the environment, or anew; printed.
    pub(super) fn new() -> Self {
        let seed = match std::env::var("SOTTOVOCE_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => RandomState::new().hash_one(0),
        };
        println!("SOTTOVOCE_SEED={seed}");
        Self(seed)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }
}

/// The links of a meeting: the one to give away, the host's, a co-host's.
pub(super) fn links(random: u8) -> (MeetingLink, CommitterLink, CommitterLink) {
    let (meeting, [host, co_host]) = links_of(random);
    (meeting, host, co_host)
}

/// The links of a meeting with so many committers.
fn links_of<const COMMITTERS: usize>(random: u8) -> (MeetingLink, [CommitterLink; COMMITTERS]) {
    let relay = RelayRef {
        host: "192.0.2.1".into(),
        port: 4433,
        hashes: vec![[1; 32]],
        pass: None,
    };
    let co_hosts = COMMITTERS - 1;
    let links = Links::draw(vec![relay], "Title", co_hosts, false, [random; 32]);
    let links = links.ok().unwrap();
    let Ok(Link::Meeting(meeting)) = Link::parse(&links.meeting) else {
        panic!("no meeting link");
    };
    let committers = std::array::from_fn(|rank| {
        let link = match rank {
            0 => &links.host,
            _ => &links.co_hosts[rank - 1],
        };
        match Link::parse(link) {
            Ok(Link::Committer(link)) => *link,
            _ => panic!("no committer link"),
        }
    });
    (meeting, committers)
}

pub(super) fn knock(name: &str) -> Knock {
    Knock {
        name: name.into(),
        key_package: format!("key package of {name}").into_bytes(),
        proof_of_return: None,
    }
}

pub(super) fn payload(length: usize) -> Arc<Zeroizing<Vec<u8>>> {
    let bytes = (0..length).map(|at| (at * 7 + at / 256) as u8).collect();
    Arc::new(Zeroizing::new(bytes))
}

/// What one has been told, in order.
#[derive(Default)]
pub(super) struct Told {
    pub(super) statuses: Vec<Status>,
    pub(super) sas: Vec<Vec<u8>>,
    pub(super) moved: Option<crate::meeting::LinkSecret>,
    pub(super) payload: Option<Zeroizing<Vec<u8>>>,
    pub(super) title: Option<String>,
}

pub(super) struct Guest {
    pub(super) id: ParticipantId,
    pub(super) knocker: Knocker,
    pub(super) told: Told,
}

/// Something on its way: from whom, to whom, what.
pub(super) type Letter = (ParticipantId, To, LobbyBody);

/// A lobby: one porter at most, some knockers, and what the relay has in hand.
pub(super) struct Lobby {
    pub(super) now: Duration,
    pub(super) porter: Option<Porter>,
    pub(super) chair: ParticipantId,
    pub(super) guests: Vec<Guest>,
    pub(super) wire: VecDeque<Letter>,
    /// Everything that was ever sent.
    pub(super) seen: Vec<Letter>,
    pub(super) events: Vec<PorterOutput>,
}

impl Lobby {
    pub(super) fn new() -> Self {
        Self {
            now: seconds(1000),
            porter: None,
            chair: CHAIR,
            guests: Vec::new(),
            wire: VecDeque::new(),
            seen: Vec::new(),
            events: Vec::new(),
        }
    }

    /// A lobby with the host in it and these guests, all of whom have knocked.
    pub(super) fn with(names: &[&str]) -> Self {
        let (meeting, host, _) = links(1);
        let mut lobby = Self::new();
        lobby.chair(&host, CHAIR, 1);
        for name in names {
            lobby.guest(&meeting, knock(name));
        }
        lobby.run(seconds(1));
        lobby
    }

    pub(super) fn chair(&mut self, committer: &CommitterLink, me: ParticipantId, seed: u8) {
        let room = &committer.meeting.secret;
        self.chair = me;
        self.porter = Some(Porter::new(
            committer, room, me, false, self.now, [seed; 32],
        ));
        for guest in &mut self.guests {
            guest.knocker.joined();
        }
    }

    /// Its place in [`Self::guests`].
    pub(super) fn guest(&mut self, link: &MeetingLink, knock: Knock) -> usize {
        let place = self.guests.len();
        let id = ParticipantId(100 + place as u32);
        let mut knocker = Knocker::new(link, knock, [place as u8; 32]).unwrap();
        knocker.enter(self.now, id);
        let told = Told::default();
        self.guests.push(Guest { id, knocker, told });
        place
    }

    pub(super) fn porter(&mut self) -> &mut Porter {
        self.porter.as_mut().unwrap()
    }

    pub(super) fn numbers(&mut self) -> Vec<u32> {
        self.porter()
            .waiting()
            .map(|waiting| waiting.number)
            .collect()
    }

    pub(super) fn status(&self, guest: usize) -> Status {
        self.guests[guest].knocker.status().unwrap()
    }

    /// Takes what everyone has to say.
    pub(super) fn collect(&mut self) {
        for guest in &mut self.guests {
            while let Some(output) = guest.knocker.poll() {
                match output {
                    KnockerOutput::Post { to, body } => self.wire.push_back((guest.id, to, body)),
                    KnockerOutput::Door(bundle) => guest.told.title = bundle.display_title(),
                    KnockerOutput::Status(status) => guest.told.statuses.push(status),
                    KnockerOutput::Sas(message) => guest.told.sas.push(message),
                    KnockerOutput::Moved(secret) => guest.told.moved = Some(secret),
                    KnockerOutput::Admitted(payload) => {
                        assert!(guest.told.payload.is_none(), "admitted twice");
                        guest.told.payload = Some(payload);
                    }
                }
            }
        }
        let chair = self.chair;
        while let Some(output) = self.porter.as_mut().and_then(Porter::poll) {
            match output {
                PorterOutput::Post { to, body } => self.wire.push_back((chair, to, body)),
                event => self.events.push(event),
            }
        }
    }

    pub(super) fn deliver(&mut self, (from, to, body): Letter) {
        self.seen.push((from, to, body.clone()));
        let now = self.now;
        let is_for = |id: ParticipantId| to == To::One(id) || to == To::Everyone && id != from;
        if is_for(self.chair)
            && let Some(porter) = &mut self.porter
        {
            porter.handle(now, from, body.clone());
        }
        for guest in self.guests.iter_mut().filter(|guest| is_for(guest.id)) {
            guest.knocker.handle(now, from, body.clone());
        }
    }

    pub(super) fn tick(&mut self, step: Duration) {
        self.now += step;
        for guest in &mut self.guests {
            guest.knocker.tick(self.now);
        }
        if let Some(porter) = &mut self.porter {
            porter.tick(self.now);
        }
    }

    /// Lets time pass with a relay that is honest.
    pub(super) fn run(&mut self, time: Duration) {
        self.run_with(time, |lobby, letter| lobby.deliver(letter));
    }

    /// Lets time pass with a relay that does `relay` to each letter.
    pub(super) fn run_with(&mut self, time: Duration, mut relay: impl FnMut(&mut Self, Letter)) {
        let end = self.now + time;
        while self.now < end {
            loop {
                self.collect();
                let Some(letter) = self.wire.pop_front() else {
                    break;
                };
                relay(self, letter);
            }
            self.tick(Duration::from_millis(50));
        }
        self.collect();
    }
}
