use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::airlock::{Airlock, Departure, StandIn, TableLimits};

fn airlock(address: &str) -> Airlock {
    let socket = bind(address.parse().unwrap()).unwrap();
    Airlock::new(vec![socket], TableLimits::default(), [1; 32])
}

fn departure(to: StandIn, bytes: &[u8]) -> Departure {
    Departure {
        to,
        source_ip: None,
        ecn: None,
        segment_size: None,
        bytes: bytes.to_vec(),
    }
}

#[derive(Debug, PartialEq)]
struct Came {
    local_ip: Option<IpAddr>,
    ecn: Option<u8>,
    bytes: Vec<u8>,
}

/// Waits until as many datagrams have come, or two seconds.
fn receive(airlock: &mut Airlock, wanted: usize) -> (Option<StandIn>, Vec<Came>) {
    let until = Instant::now() + Duration::from_secs(2);
    let mut from = None;
    let mut came = Vec::new();
    while came.len() < wanted && !airlock.wait(Some(until), None).deadline {
        airlock.receive(Instant::now(), &mut |arrival| {
            from = Some(arrival.from);
            let bytes = arrival.bytes.to_vec();
            came.push(Came {
                local_ip: arrival.local_ip,
                ecn: arrival.ecn,
                bytes,
            });
        });
    }
    (from, came)
}

/// Loopback addresses to bind to; a container may have no IPv6.
fn loopbacks() -> impl Iterator<Item = &'static str> {
    ["127.0.0.1:0", "[::1]:0"].into_iter().filter(|address| {
        let there = address.starts_with("127") || bind(address.parse().unwrap()).is_ok();
        if !there {
            eprintln!("no IPv6 here: tested with IPv4 alone");
        }
        there
    })
}

/// Ten datagrams, the last one short.
fn ten() -> Vec<u8> {
    (0..9 * 1200 + 77)
        .map(|at| (at / 1200 + at) as u8)
        .collect()
}

#[test]
fn segments_marks_and_addresses_go_round() {
    // The whole of 127.0.0.0/8 is ours on Linux; of IPv6 only ::1 is.
    for (relay, client, met) in [
        ("0.0.0.0:0", "127.0.0.1:0", "127.0.0.5"),
        ("[::]:0", "[::1]:0", "::1"),
    ] {
        let mut relay = airlock(relay);
        let mut client = airlock(client);
        let met: IpAddr = met.parse().unwrap();
        let port = relay.local_addresses()[0].port();
        let to_relay = client.introduce(SocketAddr::new(met, port));
        client.send(Departure {
            ecn: Some(0b10),
            segment_size: Some(1200),
            ..departure(to_relay, &ten())
        });
        client.flush(Instant::now());

        let (from, came) = receive(&mut relay, 10);
        let local_ip = Some(met);
        let expect = |local_ip, ecn| {
            let datagrams = ten();
            let datagrams = datagrams.chunks(1200);
            datagrams
                .map(move |b| Came {
                    local_ip,
                    ecn,
                    bytes: b.to_vec(),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(came, expect(local_ip, Some(0b10)));

        relay.send(Departure {
            source_ip: local_ip,
            ecn: Some(0b01),
            segment_size: Some(1200),
            ..departure(from.unwrap(), &ten())
        });
        relay.flush(Instant::now());
        let (from, came) = receive(&mut client, 10);
        // Bound to one address, it has no need to be told which.
        assert_eq!(came, expect(None, Some(0b01)));
        assert!(
            from == Some(to_relay),
            "it came from the address that was written to"
        );
        if relay.segmentation() > 1 {
            assert_eq!(relay.counters().sent, 1);
        }
    }
}

#[test]
fn a_socket_for_one_address_sends_from_no_other() {
    let mut relay = airlock("127.0.0.1:0");
    let mut client = airlock("127.0.0.1:0");
    let to_relay = client.introduce(relay.local_addresses()[0]);
    client.send(departure(to_relay, b"hello"));
    client.flush(Instant::now());
    let (from, _) = receive(&mut relay, 1);
    let source_ip = Some("127.0.0.9".parse().unwrap());
    relay.send(Departure {
        source_ip,
        ..departure(from.unwrap(), b"answer")
    });
    relay.flush(Instant::now());
    let (from, _) = receive(&mut client, 1);
    assert!(from == Some(to_relay));
}

#[test]
fn coalesced_datagrams_arrive_as_one_message() {
    for address in loopbacks() {
        let mut receiver = bind(address.parse().unwrap()).unwrap();
        let mut sender = airlock(address);
        if !receiver.features().coalesces || receiver.features().segments == 1 {
            continue;
        }
        let to = sender.introduce(receiver.local_address());
        sender.send(Departure {
            segment_size: Some(1200),
            ..departure(to, &ten())
        });
        sender.flush(Instant::now());
        let mut batch = ReceiveBatch::new(true);
        assert_eq!(receiver.receive(&mut batch), Ok(1));
        assert!(batch.sender(0, 0).is_some());
        let (marks, bytes) = batch.message(0);
        assert_eq!(marks.segment, Some(1200));
        assert_eq!(bytes, ten());
        assert_eq!(receiver.receive(&mut batch), Err(ReceiveError::Empty));
    }
}

#[test]
fn two_hundred_messages_go_in_one_call_and_come_in_order() {
    let mut relay = airlock("127.0.0.1:0");
    let mut client = airlock("127.0.0.1:0");
    let to = client.introduce(relay.local_addresses()[0]);
    for number in 0..200u8 {
        client.send(departure(to, &[number; 100]));
    }
    client.flush(Instant::now());
    let (_, came) = receive(&mut relay, 200);
    let numbers: Vec<u8> = came.iter().map(|came| came.bytes[0]).collect();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
}

#[test]
fn what_the_kernel_refuses_stops_no_other_and_no_report_disturbs() {
    let mut relay = airlock("127.0.0.1:0");
    let mut client = airlock("127.0.0.1:0");
    let to_relay = client.introduce(relay.local_addresses()[0]);
    // Port 1 of loopback is closed (an ICMP report comes back); the broadcast
    // address needs a privilege of the socket; 66,000 bytes fit no packet.
    let closed = client.introduce("127.0.0.1:1".parse().unwrap());
    let forbidden = client.introduce("255.255.255.255:9".parse().unwrap());
    for round in 0..3u8 {
        client.send(departure(forbidden, b"x"));
        client.send(departure(closed, b"x"));
        client.send(departure(to_relay, &[round]));
        client.send(departure(to_relay, &[0; 66_000]));
    }
    client.flush(Instant::now());
    assert!(!client.blocked());
    assert_eq!(client.counters().refused, 6);
    let (from, came) = receive(&mut relay, 3);
    assert_eq!(
        came.iter().map(|came| came.bytes[0]).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    relay.send(departure(from.unwrap(), b"answer"));
    relay.flush(Instant::now());
    let (_, came) = receive(&mut client, 1);
    assert_eq!(came[0].bytes, b"answer");
}

#[test]
fn a_wait_ends_by_its_deadline_its_waker_or_a_datagram() {
    let mut relay = airlock("127.0.0.1:0");
    let began = Instant::now();
    let woken = relay.wait(Some(began + Duration::from_millis(20)), None);
    assert!(woken.deadline && !woken.readable && !woken.writable && !woken.waker);
    assert!(began.elapsed() >= Duration::from_millis(20));

    let (reader, writer) = io::pipe().unwrap();
    let late = Instant::now() + Duration::from_secs(60);
    io::Write::write_all(&mut &writer, b"!").unwrap();
    let woken = relay.wait(Some(late), Some(reader.as_fd()));
    assert!(woken.waker && !woken.readable && !woken.deadline);

    let mut client = airlock("127.0.0.1:0");
    let to = client.introduce(relay.local_addresses()[0]);
    client.send(departure(to, b"hello"));
    client.flush(Instant::now());
    let woken = relay.wait(Some(late), None);
    assert!(woken.readable && !woken.waker && !woken.deadline);
}

#[test]
fn an_address_that_cannot_be_had_is_told_apart() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    assert_eq!(
        bind(taken.local_address()).err(),
        Some(BindError::PortTaken)
    );
    // Of the range for documentation, hence nobody's.
    let elsewhere = bind("192.0.2.1:0".parse().unwrap()).err();
    assert_eq!(elsewhere, Some(BindError::AddressNotHere));
    let one_cable = bind("[fe80::1]:0".parse().unwrap()).err();
    assert_eq!(one_cable, Some(BindError::LinkLocal));
    let told = |number| BindError::from(io::Error::from_raw_os_error(number));
    assert_eq!(told(libc::EACCES), BindError::NeedsPrivilege);
    assert!(matches!(told(libc::EAFNOSUPPORT), BindError::Other(_)));
}

#[test]
fn both_families_share_a_port() {
    if loopbacks().count() < 2 {
        return;
    }
    let four = bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let port = four.local_address().port();
    let six = bind(SocketAddr::new("::".parse().unwrap(), port)).unwrap();
    let both = Airlock::new(vec![four, six], TableLimits::default(), [1; 32]);
    assert!(
        both.local_addresses()
            .iter()
            .all(|address| address.port() == port)
    );
}
