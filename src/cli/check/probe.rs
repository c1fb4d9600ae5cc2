//! Whether a relay answers: QUIC at its port, and `/healthz` where it tells its numbers.
//!
//! A first packet of a version that nobody has is answered, without any cryptography, by the list of
//! those that there are (RFC 9000, section 6.1).

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take on this machine, and how often it is asked for.
const PATIENCE: Duration = Duration::from_millis(300);
const TRIES: usize = 3;

/// Smaller first packets are not answered (RFC 9000, section 14.1). Longer answers are none.
const SIZE: usize = 1200;

/// One of the versions that are kept for trying this out (RFC 9000, section 15).
const NOBODYS: [u8; 4] = [0x5a, 0x0a, 0x1a, 0x2a];

/// What tells the answer apart from what others send, and has no meaning.
const NAME: [u8; 8] = *b"sottovoc";

/// Asks at an address of this machine; for all of them, at loopback.
pub(super) fn speaks_quic(listening: SocketAddr) -> bool {
    let (address, any): (IpAddr, IpAddr) = match listening.ip() {
        IpAddr::V4(address) if address.is_unspecified() => {
            (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::UNSPECIFIED.into())
        }
        IpAddr::V6(address) if address.is_unspecified() => {
            (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::UNSPECIFIED.into())
        }
        address @ IpAddr::V4(_) => (address, Ipv4Addr::UNSPECIFIED.into()),
        address @ IpAddr::V6(_) => (address, Ipv6Addr::UNSPECIFIED.into()),
    };
    let Ok(socket) = UdpSocket::bind((any, 0)) else {
        return false;
    };
    let target = SocketAddr::new(address, listening.port());
    if socket.connect(target).is_err() || socket.set_read_timeout(Some(PATIENCE)).is_err() {
        return false;
    }
    (0..TRIES).any(|_| {
        let mut answer = [0; SIZE];
        socket.send(&question()).is_ok()
            && socket
                .recv(&mut answer)
                .is_ok_and(|length| answers(answer.get(..length).unwrap_or_default()))
    })
}

/// A long header: form and fixed bit, version, both connection ids; then nothing.
fn question() -> Vec<u8> {
    let mut packet = vec![0xc0];
    packet.extend(NOBODYS);
    for _ in 0..2 {
        packet.push(NAME.len() as u8);
        packet.extend(NAME);
    }
    packet.resize(SIZE, 0);
    packet
}

/// Version 0, our ids, and at least one version (RFC 9000, section 17.2.1).
fn answers(packet: &[u8]) -> bool {
    let mut head = vec![0; 4];
    for _ in 0..2 {
        head.push(NAME.len() as u8);
        head.extend(NAME);
    }
    let Some((first, rest)) = packet.split_first() else {
        return false;
    };
    let versions = rest.strip_prefix(head.as_slice()).unwrap_or_default();
    first & 0x80 != 0 && !versions.is_empty() && versions.len().is_multiple_of(4)
}

/// Whether a relay says at this port of this machine that it is alive.
pub(super) fn port_is_alive(address: SocketAddr) -> bool {
    let asked = || {
        let line = TcpStream::connect_timeout(&address, PATIENCE)?;
        line.set_read_timeout(Some(PATIENCE))?;
        is_alive(line)
    };
    asked().unwrap_or(false)
}

/// The same at a Unix socket; the kind of error where nobody can be asked.
pub(super) fn socket_is_alive(path: &Path) -> Result<bool, io::ErrorKind> {
    let line = UnixStream::connect(path).map_err(|error| error.kind())?;
    let asked = || {
        line.set_read_timeout(Some(PATIENCE))?;
        is_alive(&line)
    };
    Ok(asked().unwrap_or(false))
}

fn is_alive(mut line: impl Read + Write) -> io::Result<bool> {
    line.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    line.take(SIZE as u64).read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"\r\n\r\nalive\n"))
}

/// Somebody at a port of this machine who answers nothing, until it is dropped.
#[cfg(test)]
pub(super) fn somebody() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Vec<u8> {
        let mut packet = question();
        packet.truncate(1 + 4 + 2 * (1 + NAME.len()));
        packet[1..5].fill(0);
        packet.extend([0, 0, 0, 1]);
        packet
    }

    #[test]
    fn only_a_list_of_versions_is_an_answer() {
        assert!(answers(&answer()));
        let short = answer();
        assert!(!answers(&short[..short.len() - 4]));
        assert!(!answers(&short[..short.len() - 1]));
        assert!(!answers(&question()));
        assert!(!answers(&[]));
    }

    #[test]
    fn who_says_nothing_or_something_else_does_not_speak_it() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        assert!(!speaks_quic(address));
        for reply in [b"no".to_vec(), answer()] {
            let speaks = reply.len() > 2;
            let other = socket.try_clone().unwrap();
            let answering = std::thread::spawn(move || {
                let mut packet = [0; 2 * SIZE];
                loop {
                    let (length, from) = other.recv_from(&mut packet).unwrap();
                    other.send_to(&reply, from).unwrap();
                    if length == 1 {
                        return;
                    }
                }
            });
            assert_eq!(speaks_quic(address), speaks);
            let stop = UdpSocket::bind("127.0.0.1:0").unwrap();
            stop.send_to(&[0], address).unwrap();
            answering.join().unwrap();
        }
    }
}
