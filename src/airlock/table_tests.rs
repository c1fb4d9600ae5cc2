use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use super::*;
use crate::airlock::address::Name;

fn table(proven: usize, unproven: usize) -> Table {
    let unproven_for = Duration::from_secs(15);
    Table::new(
        TableLimits {
            proven,
            unproven,
            unproven_for,
            per_address: PerAddress::default(),
            under_way_per_address: 256,
        },
        [3; 32],
    )
}

fn real(address: &str) -> RealAddress {
    real_on(address, 0)
}

fn real_on(address: &str, socket: u8) -> RealAddress {
    let (name, length) = Name::encode(&address.parse().unwrap());
    RealAddress::heard(&name, length, socket).unwrap()
}

fn enter(table: &mut Table, address: &str) -> StandIn {
    table.enter(&real(address), Tick(0)).unwrap()
}

/// Where `who` leads now, as an address.
fn leads(table: &Table, who: StandIn) -> Option<SocketAddr> {
    let ticket = table.route(who)?.ticket;
    let mut name = Name::EMPTY;
    let length = table.resolve(ticket)?.write(&mut name);
    name.decode(length)
}

/// Every way in which an address may lie in memory, long enough not to be there by
/// chance.
fn patterns(address: SocketAddr) -> Vec<Vec<u8>> {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut found = vec![ip.clone()];
    if let [.., _, _, _, _, _, _, _, _] = ip[..] {
        found.extend(
            ip.chunks(8)
                .filter(|half| half.iter().any(|b| *b != 0))
                .map(<[u8]>::to_vec),
        );
    }
    for port in [address.port().to_be_bytes(), address.port().to_le_bytes()] {
        found.push([&ip[..], &port].concat());
        found.push([&port[..], &ip].concat());
    }
    // Both byte orders of each.
    let reversed: Vec<Vec<u8>> = found
        .iter()
        .map(|bytes| bytes.iter().rev().copied().collect())
        .collect();
    found.extend(reversed);
    found
}

fn holds(memory: &[u8], pattern: &[u8]) -> bool {
    memory
        .windows(pattern.len())
        .any(|window| window == pattern)
}

#[test]
fn leads_back_to_the_peer_and_only_while_it_is_there() {
    let mut table = table(10, 10);
    for address in ["198.51.100.5:5555", "[2001:db8::5]:5555", "[fe80::1%7]:9"] {
        let who = enter(&mut table, address);
        assert!(enter(&mut table, address) == who);
        assert_eq!(leads(&table, who), Some(address.parse().unwrap()));
        table.release(who);
        assert_eq!(leads(&table, who), None);
    }
    assert_eq!(
        leads(&table, StandIn::from_quic("240.1.2.3:4".parse().unwrap())),
        None
    );
}

#[test]
fn nothing_is_left_of_a_released_peer() {
    for address in [
        "198.51.100.213:54321",
        "[2001:db8:a1b2:c3d4:e5f6:789a:bcde:f012]:54321",
    ] {
        for proven in [false, true] {
            let mut table = table(500, 500);
            let address: SocketAddr = address.parse().unwrap();
            let who = enter(&mut table, &address.to_string());
            // Others come before and after, so that the indices grow and shift.
            let others: Vec<_> = (0..300)
                .map(|n| enter(&mut table, &format!("203.0.113.{}:{}", n % 200, n + 1)))
                .collect();
            assert!(!proven || table.prove(who));
            let looked_for: Vec<_> = [address, who.quic()]
                .into_iter()
                .flat_map(patterns)
                .collect();
            let memory = table.memory();
            let found = looked_for
                .iter()
                .filter(|pattern| holds(&memory, pattern))
                .count();
            assert!(found >= 2, "the search finds what is there");

            table.release(who);
            let memory = table.memory();
            assert!(!looked_for.iter().any(|pattern| holds(&memory, pattern)));

            // When all are gone, all is zero but the generations: bytes 56 to 60 of
            // each pair, one word for each that was there.
            others.into_iter().for_each(|other| table.release(other));
            assert_eq!(table.len(), (0, 0));
            let left = table
                .memory()
                .chunks(4)
                .filter(|word| word != &[0; 4])
                .count();
            assert_eq!(left, 301);
        }
    }
}

#[test]
fn eviction_and_expiry_leave_nothing_either() {
    let mut table = table(10, 100);
    let mut gone = Vec::new();
    for n in 0..1000 {
        let address = format!("198.51.100.{}:{}", n % 250, 10_000 + n);
        let who = enter(&mut table, &address);
        gone.push((address.parse::<SocketAddr>().unwrap(), who));
    }
    table.expire(Tick(149));
    assert_eq!(table.len(), (0, 100));
    table.expire(Tick(150));
    assert_eq!(table.len(), (0, 0));
    let memory = table.memory();
    for (address, who) in gone {
        assert!(
            !holds(&memory, &patterns(address)[0]) && !holds(&memory, &patterns(who.quic())[0])
        );
    }
}

#[test]
fn ports_of_one_address_share_a_stand_in_address_while_either_is_there() {
    for addresses in [
        ["198.51.100.5:1", "198.51.100.5:2", "198.51.100.6:1"],
        ["[2001:db8::5]:1", "[2001:db8::5]:2", "[2001:db8::6]:1"],
    ] {
        let mut table = table(10, 10);
        let [one, two, other] = addresses.map(|address| enter(&mut table, address));
        assert_eq!(one.quic().ip(), two.quic().ip());
        assert_ne!(one.quic().port(), two.quic().port());
        assert_ne!(one.quic().ip(), other.quic().ip());
        // The same port on another socket of ours is another pair.
        let elsewhere = table.enter(&real_on(addresses[0], 1), Tick(0)).unwrap();
        assert!(elsewhere != one && elsewhere.quic().ip() == one.quic().ip());
        assert_eq!(table.route(elsewhere).unwrap().lane, 1);

        table.release(one);
        table.release(elsewhere);
        let again = enter(&mut table, addresses[0]);
        assert!(again != one);
        assert_eq!(again.quic().ip(), two.quic().ip());
        table.release(again);
        table.release(two);
        let new = enter(&mut table, addresses[0]);
        assert_ne!(
            new.quic().ip(),
            one.quic().ip(),
            "all had left: nothing links the two visits"
        );
    }
}

#[test]
fn every_port_of_an_address_can_come() {
    let mut table = table(10, 65_535);
    let mut seen = HashSet::new();
    for port in 1..=PAIRS_OF_ONE_ADDRESS {
        let who = enter(&mut table, &format!("198.51.100.5:{port}"));
        assert!(who.quic().port() != 0 && seen.insert(who));
    }
    let one_more = real(&format!("198.51.100.5:{}", PAIRS_OF_ONE_ADDRESS + 1));
    assert!(table.enter(&one_more, Tick(0)).is_none());
    enter(&mut table, "198.51.100.6:1");
}

#[test]
fn the_oldest_unproven_goes_first_and_proven_ones_never() {
    let mut table = table(2, 3);
    let names: Vec<_> = (1..=5)
        .map(|n| {
            let who = enter(&mut table, &format!("198.51.100.{n}:1"));
            assert!(n > 2 || table.prove(who));
            who
        })
        .collect();
    assert_eq!(table.len(), (2, 3));
    // Being heard again does not make it younger: a flood could do that too.
    enter(&mut table, "198.51.100.3:1");
    enter(&mut table, "198.51.100.6:1");
    let there: Vec<_> = names
        .iter()
        .map(|who| leads(&table, *who).is_some())
        .collect();
    assert_eq!(there, [true, true, false, true, true]);
    assert!(!table.prove(names[3]), "there is no room for a third");
    assert!(!table.prove(names[2]), "gone");
    assert!(table.prove(names[0]), "already");

    table.release(names[0]);
    assert!(table.prove(names[3]));
    assert_eq!(table.len(), (2, 2));
}

#[test]
fn a_demoted_peer_is_the_youngest_unproven_one_and_expires() {
    let mut table = table(2, 2);
    let old = enter(&mut table, "198.51.100.1:1");
    assert!(table.prove(old));
    table.expire(Tick(10_000));
    assert!(leads(&table, old).is_some(), "proven ones do not expire");
    let first = table.enter(&real("198.51.100.2:1"), Tick(9990)).unwrap();
    let second = table.enter(&real("198.51.100.3:1"), Tick(9995)).unwrap();
    table.demote(old, Tick(10_000));
    assert!(leads(&table, first).is_none(), "it made room");
    assert!(leads(&table, second).is_some() && leads(&table, old).is_some());
    assert_eq!(table.len(), (0, 2));
    table.demote(old, Tick(10_100));
    table.expire(Tick(10_149));
    assert!(leads(&table, old).is_some());
    table.expire(Tick(10_150));
    assert!(
        leads(&table, old).is_none(),
        "demoting twice does not prolong"
    );
    assert_eq!(table.len(), (0, 0));
}

#[test]
fn a_pair_used_by_two_connections_goes_with_the_second() {
    let mut table = table(2, 2);
    let who = enter(&mut table, "198.51.100.1:1");
    table.claim(who);
    assert!(table.prove(who));
    table.claim(who);
    table.release(who);
    assert!(leads(&table, who).is_some());
    assert_eq!(table.len(), (1, 0));
    table.claim(who);
    table.demote(who, Tick(0));
    assert_eq!(table.len(), (1, 0));
    table.release(who);
    assert!(leads(&table, who).is_none());
}

/// Whoever forges first packets from a port of somebody who is here adds claims to its pair, which all
/// end without an answer.
#[test]
fn a_pair_outlives_hundreds_of_handshakes_in_its_name() {
    let mut table = table(2, 2);
    let who = enter(&mut table, "198.51.100.1:1");
    table.claim(who);
    assert!(table.prove(who));
    for forged in [300, u16::MAX] {
        for _ in 0..forged {
            if table.may_begin(who, false) != Allowance::No {
                table.claim(who);
            }
        }
        for _ in 0..forged.min(Standing::MANY - 1) {
            table.release(who);
        }
        assert!(leads(&table, who).is_some(), "{forged}");
        assert_eq!(table.len(), (1, 0));
    }
    table.release(who);
    assert!(leads(&table, who).is_none());
}

#[test]
fn a_place_given_to_another_peer_does_not_answer_an_old_ticket() {
    let mut table = table(2, 2);
    let one = enter(&mut table, "198.51.100.1:1");
    let ticket = table.route(one).unwrap().ticket;
    table.release(one);
    let two = enter(&mut table, "198.51.100.2:1");
    let other = table.route(two).unwrap().ticket;
    assert!(ticket.place == other.place, "the place is the same");
    assert!(table.resolve(ticket).is_none() && table.resolve(other).is_some());
}

#[test]
fn without_room_for_unproven_ones_nobody_gets_in_and_nothing_breaks() {
    let mut table = table(2, 0);
    assert!(table.enter(&real("198.51.100.1:1"), Tick(0)).is_none());
    assert_eq!(table.len(), (0, 0));
}

#[test]
fn no_name_without_a_family_or_a_port_is_heard() {
    let (name, length) = Name::encode(&"198.51.100.1:1".parse().unwrap());
    assert!(RealAddress::heard(&name, length - 1, 0).is_none());
    assert!(RealAddress::heard(&Name::EMPTY, Name::ROOM, 0).is_none());
    let (name, length) = Name::encode(&"198.51.100.1:0".parse().unwrap());
    assert!(RealAddress::heard(&name, length, 0).is_none());
}

#[test]
fn memory_grows_with_use() {
    let table = table(32_768, 32_768);
    assert!(
        table.memory().len() < 4096,
        "an idle relay keeps no room for thousands"
    );
    let mut table = table;
    for n in 0..4000 {
        let who = enter(&mut table, &format!("10.0.{}.{}:1", n / 250, n % 250));
        assert!(table.prove(who));
    }
    assert!(table.memory().len() / 4000 <= 256);
}
