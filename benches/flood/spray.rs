//! The flood: packets with made-up sources, out of a raw socket.

use std::io::{IoSlice, Write};
use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType, SockaddrIn, sendmmsg,
    setsockopt, socket, sockopt,
};

use crate::packets::{self, Random};

/// Packets in one system call.
const BATCH: usize = 32;
const HEADERS: usize = 28;

/// `--spray KIND PORT RATE SECONDS`: says "." once its packets are made, and at the end how many it
/// sent a second.
pub fn main(kind: &str, port: &str, rate: &str, seconds: &str) -> ExitCode {
    let (Ok(port), Ok(rate), Ok(seconds)) = (port.parse(), rate.parse::<u32>(), seconds.parse())
    else {
        return ExitCode::from(2);
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let Some(payloads) = packets::of(kind, port, &mut random) else {
        eprintln!("no packets of that kind: {kind}");
        return ExitCode::from(2);
    };
    let mut packets: Vec<Vec<u8>> = payloads
        .iter()
        .map(|payload| datagram(payload, port))
        .collect();
    let Ok(raw) = socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::empty(),
        SockProtocol::Raw,
    ) else {
        return ExitCode::FAILURE;
    };
    let _ = setsockopt(&raw, sockopt::SndBuf, &(4 << 20));
    print!(".");
    let _ = std::io::stdout().flush();
    let duration = Duration::from_secs(seconds);
    let mut sent = 0_u64;
    let mut next = 0;
    let to = [Some(SockaddrIn::from(SocketAddrV4::new(
        [127, 0, 0, 1].into(),
        0,
    ))); BATCH];
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let start = Instant::now();
    while start.elapsed() < duration {
        if next + BATCH > packets.len() {
            next = 0;
        }
        let batch = &mut packets[next..next + BATCH];
        next += BATCH;
        batch
            .iter_mut()
            .for_each(|packet| disguise(packet, &mut random));
        let slices: Vec<[IoSlice; 1]> = batch.iter().map(|packet| [IoSlice::new(packet)]).collect();
        let flags = MsgFlags::empty();
        let done = sendmmsg(raw.as_raw_fd(), &mut headers, slices.iter(), to, [], flags);
        sent += done.map_or(0, |results| results.count() as u64);
        let due = start + Duration::from_secs_f64(sent as f64 / f64::from(rate));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    println!("{}", (sent as f64 / start.elapsed().as_secs_f64()).round());
    ExitCode::SUCCESS
}

/// With headers of IPv4 (of which the kernel fills in the checksum) and UDP (without one).
fn datagram(payload: &[u8], port: u16) -> Vec<u8> {
    let mut packet = vec![0; HEADERS];
    packet[0] = 0x45;
    let length = (HEADERS + payload.len()) as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet[8] = 64;
    packet[9] = 17;
    packet[16..20].copy_from_slice(&[127, 0, 0, 1]);
    packet[22..24].copy_from_slice(&port.to_be_bytes());
    packet[24..26].copy_from_slice(&(length - 20).to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// Another source each time: half of them in 10.0.0.0/8, half in 127.0.0.0/8.
fn disguise(packet: &mut [u8], random: &mut Random) {
    let drawn = random.next().to_be_bytes();
    packet[12] = if drawn[0] & 1 == 0 { 10 } else { 127 };
    packet[13..16].copy_from_slice(&drawn[1..4]);
    packet[15] |= 2;
    packet[20..22].copy_from_slice(&drawn[4..6]);
    packet[20] |= 4;
}
