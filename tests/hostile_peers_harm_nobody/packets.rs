//! Below the vocabulary: packets that mean nothing, and handshakes that nobody goes on with.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use sottovoce::wire::Role;

use super::meeting::Meeting;
use super::peer::{Peer, Windows, config, run};

/// xorshift64* (Vigna 2016), so that a failing run can be had again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// As many senders as a bad network has machines.
fn sockets(count: usize, relay: u16) -> Vec<UdpSocket> {
    let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, relay));
    let socket = |_| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        socket.connect(relay).expect("connect");
        socket
    };
    (0..count).map(socket).collect()
}

/// What begins with a version, connection ids of 20 bytes, and so on as `rest` has it.
fn long_header(first: u8, version: u32, mut rest: Vec<u8>) -> Vec<u8> {
    rest[0] = first;
    rest[1..5].copy_from_slice(&version.to_be_bytes());
    rest[5] = 20;
    rest[26] = 20;
    rest
}

/// A packet of one of some kinds of rubbish.
fn rubbish(random: &mut Random) -> Vec<u8> {
    match random.next() % 6 {
        0 => {
            let length = random.next() % 1500;
            random.bytes(length as usize)
        }
        // An Initial of QUIC version 1 without a token, with the length it should have.
        1 | 2 => {
            let mut packet = long_header(0xc3, 1, random.bytes(1200));
            packet[47] = 0;
            packet[48..50].copy_from_slice(&(0x4000_u16 | 1150).to_be_bytes());
            packet
        }
        // An Initial with a token as of a Retry that never was.
        3 => {
            let mut packet = long_header(0xc0, 1, random.bytes(1200));
            packet[47..49].copy_from_slice(&(0x4000_u16 | 90).to_be_bytes());
            packet
        }
        // A version that nobody speaks.
        4 => long_header(0xc0, 0x0a0a_0a0a, random.bytes(1200)),
        // As of a connection that stands.
        _ => {
            let mut packet = random.bytes(60);
            packet[0] = 0x40 | (packet[0] & 0x3f);
            packet
        }
    }
}

/// 4,000 packets a second for 4 s. None of them may cost memory, since nothing in them is proven:
/// what remains are buffers for packets and answers, less than 8 MiB.
#[test]
fn rubbish_from_many_ports() {
    let meeting = Meeting::begin();
    let seed = 0x5eed;
    println!("seed {seed}");
    let mut random = Random(seed);
    let senders = sockets(200, meeting.relay.port());
    let mut senders = senders.iter().cycle();
    let start = Instant::now();
    for burst in 1..=800_u32 {
        for sender in senders.by_ref().take(20) {
            let _ = sender.send(&rubbish(&mut random));
        }
        let due = start + burst * Duration::from_millis(5);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    newcomers_come_in(&meeting);
    meeting.ends_unharmed(8 * 1024);
}

/// First packets of real handshakes; all answers go unread. From 256 handshakes under way on, the
/// relay asks for a proof of address before it holds anything. A handshake under way takes about
/// 20 KiB; the bound is three times that.
#[test]
fn handshakes_that_nobody_goes_on_with() {
    let meeting = Meeting::begin();
    let senders = sockets(50, meeting.relay.port());
    let mut senders = senders.iter().cycle();
    let start = Instant::now();
    for number in 1..=1000_u32 {
        let sender = senders.next().expect("a cycle");
        for packet in first_packets() {
            let _ = sender.send(&packet);
        }
        let due = start + number * Duration::from_millis(4);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    newcomers_come_in(&meeting);
    meeting.ends_unharmed(256 * 60);
}

/// What a client sends before it hears anything.
fn first_packets() -> Vec<Vec<u8>> {
    let mut endpoint = quinn_proto::Endpoint::new(Default::default(), None, true, None);
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let now = Instant::now();
    let (_, mut connection) = endpoint
        .connect(now, config(Windows::Usual), anywhere, "localhost")
        .expect("a connection begins");
    let mut packets = Vec::new();
    loop {
        let mut packet = Vec::new();
        match connection.poll_transmit(now, 1, &mut packet) {
            Some(transmit) => packets.push(packet[..transmit.size].to_vec()),
            None => return packets,
        }
    }
}

fn newcomers_come_in(meeting: &Meeting) {
    run(async {
        let mut newcomer = Peer::connect(meeting.relay.port(), Windows::Usual).await;
        newcomer.enter(meeting.room(), Role::Viewer).await;
    });
}

#[test]
fn the_first_packets_are_real() {
    let packets = first_packets();
    assert!(!packets.is_empty());
    for packet in packets {
        assert_eq!(packet.len(), 1200);
        assert_eq!(&packet[..5], &[packet[0] | 0xc0, 0, 0, 0, 1]);
    }
}
