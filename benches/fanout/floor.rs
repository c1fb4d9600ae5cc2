//! The floor: what this machine asks for sealing the same packets and sending them to as many
//! sockets at the same pace, with nothing else around it.

use std::io::IoSlice;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, sendmmsg, setsockopt, sockopt,
};

use crate::case::Case;
use crate::process::cpu_of;

/// How many messages go to the kernel in one call.
const BATCH: usize = 64;

/// `--sink COUNT`: so many sockets that wait for packets as participants' do (epoll, by edge: part of
/// what sending costs on loopback is waking the receiver) and take what comes. Prints their ports,
/// ends with its input.
pub fn sink(count: &str) -> ExitCode {
    let Ok(count) = count.parse::<usize>() else {
        return ExitCode::from(2);
    };
    let epoll = Epoll::new(EpollCreateFlags::empty()).expect("epoll");
    let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
    let sockets: Vec<UdpSocket> = (0..count)
        .map(|index| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("bind a sink");
            socket.set_nonblocking(true).expect("nonblocking");
            setsockopt(&socket, sockopt::UdpGroSegment, &true).expect("GRO");
            epoll
                .add(&socket, EpollEvent::new(edge, index as u64))
                .expect("epoll");
            socket
        })
        .collect();
    let ports: Vec<String> = sockets
        .iter()
        .map(|s| s.local_addr().expect("address").port().to_string())
        .collect();
    println!("{}", ports.join(" "));
    let done = std::thread::spawn(|| {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
    });
    let mut buffer = vec![0u8; 65536];
    let mut ready = [EpollEvent::empty(); 256];
    while !done.is_finished() {
        let count = epoll.wait(&mut ready, 100u8).unwrap_or(0);
        for event in &ready[..count] {
            while sockets[event.data() as usize].recv(&mut buffer).is_ok() {}
        }
    }
    ExitCode::SUCCESS
}

/// `--floor CASE SECONDS`, the sink's ports on standard input: prints CPU µs per frame.
pub fn main(name: &str, seconds: &str) -> ExitCode {
    let (Some(case), Ok(seconds)) = (Case::named(name), seconds.parse::<u64>()) else {
        return ExitCode::from(2);
    };
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .expect("the sink's ports");
    let sinks: Vec<Option<SockaddrIn>> = line
        .split_whitespace()
        .map(|port| {
            let port = port.parse().expect("a port");
            Some(SockaddrIn::from(SocketAddrV4::new(
                [127, 0, 0, 1].into(),
                port,
            )))
        })
        .collect();
    println!("{}", run(case, Duration::from_secs(seconds), &sinks));
    ExitCode::SUCCESS
}

fn run(case: &Case, duration: Duration, sinks: &[Option<SockaddrIn>]) -> f64 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bind");
    setsockopt(&socket, sockopt::SndBuf, &(4 << 20)).expect("send buffer");
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("key"));
    let (size, packets) = case.packets();
    let plain = vec![0x5a; size - 16];
    let mut sealed = vec![vec![0u8; size * packets]; BATCH];
    let segment = [ControlMessage::UdpGsoSegments(Box::leak(Box::new(
        size as u16,
    )))];
    let segments: &[ControlMessage] = if packets > 1 { &segment } else { &[] };
    // A viewer's long beat is spread over three phases, as the relay does it.
    let phases = if case.viewers { 3 } else { 1 };
    let pace = case.beat() / phases as u32;
    let mut counter = 0u64;
    let mut frames = 0.0;
    let start = Instant::now();
    let cpu = cpu_of(std::process::id()).expect("own CPU time");
    let mut beat = 0;
    while start.elapsed() < duration {
        let phase = beat % phases;
        let share = sinks.len().div_ceil(phases);
        let here = &sinks[(phase * share).min(sinks.len())..((phase + 1) * share).min(sinks.len())];
        for batch in here.chunks(BATCH) {
            for message in sealed.iter_mut().take(batch.len()) {
                for packet in message.chunks_exact_mut(size) {
                    counter += 1;
                    let mut nonce = [0; 12];
                    nonce[4..].copy_from_slice(&counter.to_be_bytes());
                    packet[..plain.len()].copy_from_slice(&plain);
                    let (body, tag) = packet.split_at_mut(plain.len());
                    let made = key
                        .seal_in_place_separate_tag(
                            Nonce::assume_unique_for_key(nonce),
                            Aad::from([0u8; 11]),
                            body,
                        )
                        .expect("seal");
                    tag.copy_from_slice(made.as_ref());
                }
            }
            let slices: Vec<[IoSlice; 1]> = sealed
                .iter()
                .take(batch.len())
                .map(|m| [IoSlice::new(m)])
                .collect();
            let space = (packets > 1).then(|| nix::cmsg_space!(u16));
            let mut headers = MultiHeaders::<SockaddrIn>::preallocate(batch.len(), space);
            let _ = sendmmsg(
                socket.as_raw_fd(),
                &mut headers,
                slices.iter(),
                batch,
                segments,
                MsgFlags::empty(),
            );
        }
        frames += case.frames_per_beat() * here.len() as f64;
        beat += 1;
        let due = start + pace * beat as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let used = cpu_of(std::process::id()).expect("own CPU time") - cpu;
    used.as_secs_f64() * 1e6 / frames
}
