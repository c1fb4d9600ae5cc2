//! What comes from one address: bounded, forgotten within a minute, and never another's loss.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::super::address::{Name, RealAddress};
use super::super::fake::FakeHost;
use super::super::{Allowance, Berth, PerAddress, StandIn, TableLimits};
use super::{Story, limits};

const FEW: PerAddress = PerAddress {
    connections: 10,
    handshakes: 16,
};

fn story() -> Story {
    let mut story = Story::with(TableLimits {
        per_address: FEW,
        ..limits(1000, 1000)
    });
    story.airlock.expire(story.now);
    story
}

impl Story {
    /// A first packet from `address`, and the handshake that it begins, if it may.
    fn begin(&mut self, address: &str, shown: bool) -> (StandIn, Allowance) {
        let host = self.host(address);
        let who = self.hear(&host);
        let allowance = self.airlock.may_begin(who, shown);
        if allowance == Allowance::Yes {
            self.airlock.begin(who, shown);
        }
        (who, allowance)
    }

    /// One that shows its address and comes in.
    fn come(&mut self, address: &str) -> Result<Berth, Allowance> {
        match self.begin(address, true) {
            (who, Allowance::Yes) => Ok(self.airlock.berth(who).unwrap()),
            (_, other) => Err(other),
        }
    }

    /// One that shows its address, comes in, and leaves.
    fn come_and_go(&mut self, address: &str) -> Allowance {
        match self.come(address) {
            Ok(berth) => {
                self.airlock.unberth(berth);
                Allowance::Yes
            }
            Err(other) => other,
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.airlock.expire(self.now);
        }
    }

    fn counters(&self) -> [Vec<u32>; 2] {
        self.airlock.parts().0.crowds().counters()
    }

    fn hashes(&self, of: &FakeHost) -> [u64; 3] {
        self.airlock.parts().0.crowds().hashes(&real(of.address()))
    }

    /// What the counts of handshakes tell of an address.
    fn told(&self, of: SocketAddr) -> [u32; 4] {
        self.airlock.parts().0.crowds().told(&real(of))
    }
}

fn real(address: SocketAddr) -> RealAddress {
    let (name, length) = Name::encode(&address);
    RealAddress::heard(&name, length, 0).unwrap()
}

fn none(counters: &[u32]) -> bool {
    counters.iter().all(|counter| *counter == 0)
}

#[test]
fn one_address_has_its_handshakes_and_another_has_its_own() {
    let mut story = story();
    for port in 1..=4 {
        let (_, allowance) = story.begin(&format!("198.51.100.5:{port}"), false);
        assert_eq!(allowance, Allowance::Yes);
    }
    let (_, fifth) = story.begin("198.51.100.5:5", false);
    assert_eq!(fifth, Allowance::ProveFirst);
    for port in 100..112 {
        let address = format!("198.51.100.5:{port}");
        assert_eq!(story.come_and_go(&address), Allowance::Yes);
    }
    assert_eq!(story.come_and_go("198.51.100.5:999"), Allowance::No);
    for other in ["198.51.100.6:1", "[2001:db8::5]:1"] {
        assert_eq!(story.begin(other, false).1, Allowance::Yes);
    }
}

#[test]
fn one_address_has_its_connections_and_gets_places_back() {
    let mut story = story();
    let mut inside = Vec::new();
    for port in 1..=10 {
        inside.push(story.come(&format!("198.51.100.5:{port}")).ok().unwrap());
    }
    assert_eq!(story.come_and_go("198.51.100.5:11"), Allowance::No);
    let unshown = story.begin("198.51.100.5:12", false).1;
    assert_eq!(unshown, Allowance::ProveFirst);
    assert_eq!(story.begin("198.51.100.6:1", false).1, Allowance::Yes);
    story.airlock.unberth(inside.pop().unwrap());
    assert!(story.come("198.51.100.5:11").is_ok());
    assert_eq!(story.come_and_go("198.51.100.5:12"), Allowance::No);
}

#[test]
fn who_comes_through_without_being_asked_counts_too() {
    let mut story = story();
    let mut hosts = Vec::new();
    for number in 0..11 {
        // Past a quarter of the handshakes the next is asked: let that be forgotten.
        if number % 4 == 0 {
            story.pass(60);
        }
        let address = format!("198.51.100.5:{}", 1 + number);
        let (_, allowance) = story.begin(&address, false);
        assert_eq!(allowance, Allowance::Yes, "{number}");
        hosts.push(story.host(&address));
    }
    let mut all: Vec<_> = hosts.iter().map(|host| story.hear(host)).collect();
    let last = all.pop().unwrap();
    let berths: Vec<_> = all
        .iter()
        .map(|who| story.airlock.berth(*who).unwrap())
        .collect();
    assert!(story.airlock.berth(last).is_none(), "one too many");
    let elsewhere = story.hear(&story.host("198.51.100.6:1"));
    assert!(story.airlock.berth(elsewhere).is_some());
    berths
        .into_iter()
        .for_each(|berth| story.airlock.unberth(berth));
    assert!(story.airlock.berth(last).is_some());
}

#[test]
fn an_ipv6_site_is_one_address() {
    let mut story = story();
    for host in 1..=4 {
        let (_, allowance) = story.begin(&format!("[2001:db8:0:{host:x}::{host:x}]:1"), false);
        assert_eq!(allowance, Allowance::Yes);
    }
    let last = "[2001:db8:0:ff:ffff::1]:7";
    assert_eq!(story.begin(last, false).1, Allowance::ProveFirst);
    let next = "[2001:db8:0:100::1]:1";
    assert_eq!(story.begin(next, false).1, Allowance::Yes);
}

#[test]
fn whoever_speaks_in_the_name_of_another_locks_nobody_out() {
    let mut story = story();
    for port in 1..2000 {
        story.begin(&format!("198.51.100.5:{port}"), false);
    }
    let victim = "198.51.100.5:50000";
    assert_eq!(story.begin(victim, false).1, Allowance::ProveFirst);
    for _ in 0..10 {
        assert!(story.come(victim).is_ok());
    }
}

#[test]
fn handshakes_are_forgotten_within_a_minute() {
    // Wherever in its half they happen.
    for start in [0, 1, 14, 28, 29, 30] {
        let mut story = story();
        story.begin("203.0.113.1:1", true);
        story.pass(start);
        for port in 1..=12 {
            story.come_and_go(&format!("198.51.100.5:{port}"));
        }
        let full = |story: &mut Story| story.begin("198.51.100.5:99", true).1 == Allowance::No;
        assert!(full(&mut story));
        story.pass(28);
        assert!(full(&mut story), "not too soon");
        story.pass(32);
        assert_eq!(story.come_and_go("198.51.100.5:99"), Allowance::Yes);
        story.pass(60);
        let [begun, _] = story.counters();
        assert!(none(&begun) && !story.airlock.ages());
    }
}

#[test]
fn nothing_is_left_of_who_left() {
    let mut story = story();
    let mut all = Vec::new();
    for n in 0..200 {
        all.push(story.come(&format!("198.51.100.{n}:1")).ok().unwrap());
        all.push(story.come(&format!("[2001:db8:{n:x}::1]:1")).ok().unwrap());
        story.begin(&format!("203.0.113.{n}:1"), false);
    }
    let [begun, open] = story.counters();
    assert!(!none(&begun) && open.iter().sum::<u32>() > 400);
    for berth in all {
        story.airlock.unberth(berth);
    }
    assert!(none(&story.counters()[1]));
    story.pass(60);
    let [begun, open] = story.counters();
    assert!(none(&begun) && none(&open));
}

/// Whoever seizes the relay has the counters and their keys, and can ask for every address there is.
#[test]
fn no_address_can_be_read_out_of_the_counts() {
    let mut story = story();
    let came = [7, 77, 103, 140, 201].map(|n| Ipv4Addr::new(198, 51, 100, n));
    for half in 0..2 {
        for ip in came {
            for shown in [false, true] {
                let (_, allowance) = story.begin(&format!("{ip}:5000"), shown);
                assert_eq!(allowance, Allowance::Yes, "{half}");
            }
        }
        if half == 0 {
            story.pass(29);
        }
    }
    // Even of those who did all that is counted, in both halves.
    let fits = |ip: Ipv4Addr| story.told((ip, 5000).into()).iter().all(|count| *count > 0);
    assert!(came.into_iter().all(fits));
    let others = (0..1 << 20).map(|n| Ipv4Addr::from_bits(0x0a00_0000 | n));
    let fit = others.filter(|ip| fits(*ip)).count();
    assert!(
        fit > 50,
        "{fit} others of a four-thousandth of the addresses"
    );
}

#[test]
fn one_address_has_few_handshakes_under_way() {
    let mut story = Story::with(TableLimits {
        under_way_per_address: 3,
        ..limits(1000, 1000)
    });
    let mut come = |port: u16| story.come(&format!("198.51.100.5:{port}"));
    let mut all: Vec<_> = (1..=3).map(|port| come(port).ok().unwrap()).collect();
    assert_eq!(come(4).err(), Some(Allowance::Later));
    assert!(story.come("198.51.100.6:1").is_ok(), "another has its own");
    story.airlock.arrive(&all[0]);
    story.airlock.arrive(&all[0]);
    all.push(story.come("198.51.100.5:4").ok().unwrap());
    assert_eq!(story.come_and_go("198.51.100.5:5"), Allowance::Later);
    // The first is through, the second gives up: one place.
    story.airlock.unberth(all.remove(0));
    assert_eq!(story.come_and_go("198.51.100.5:5"), Allowance::Later);
    story.airlock.unberth(all.remove(0));
    all.push(story.come("198.51.100.5:5").ok().unwrap());
    assert_eq!(story.come_and_go("198.51.100.5:6"), Allowance::Later);
}

#[test]
fn each_half_has_another_key() {
    let mut story = story();
    let host = story.host("198.51.100.5:1");
    // One in each half, and the connections'.
    let mut seen: HashSet<_> = story.hashes(&host).into_iter().collect();
    assert_eq!(seen.len(), 3);
    for _ in 0..10 {
        story.pass(29);
        let hashes = story.hashes(&host);
        let new = hashes.iter().filter(|hash| seen.insert(**hash));
        assert_eq!(new.count(), 1, "the newer half is the older one now");
    }
    let open = |story: &Story| *story.hashes(&host).last().unwrap();
    let before = open(&story);
    let berth = story.come("198.51.100.9:1").ok().unwrap();
    assert_eq!(open(&story), before);
    story.airlock.unberth(berth);
    assert_ne!(open(&story), before, "another key once nobody is connected");
}
