//! First packets of handshakes and their like, each below the headers of IP and UDP that it is sent with.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{ClientConfig, Endpoint, EndpointConfig};
use sottovoce::carrier::transport::{client_transport, crypto_provider};
use sottovoce::wire::ALPN;

use crate::anyone::Anyone;

/// Bytes of an Initial's datagram: the least that a server answers (RFC 9000, section 14.1).
const INITIAL: usize = 1200;

/// Handshakes of which the packets are made before the flood.
const HANDSHAKES: usize = 8000;

/// The same for packets that cost nothing to make.
const GARBAGE: usize = 20_000;

/// Bytes of a made-up token.
const TOKEN: usize = 90;

/// Connection ids of the relay's that are used in turn.
const IDS: usize = 100;

/// xorshift64* (Vigna 2016).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Payloads of one kind, for the relay at a port of this machine.
pub fn of(kind: &str, port: u16, random: &mut Random) -> Option<Vec<Vec<u8>>> {
    match kind {
        "garbage" => Some((0..GARBAGE).map(|_| newcomer(random, 0)).collect()),
        "tokens" => Some((0..GARBAGE).map(|_| newcomer(random, TOKEN)).collect()),
        "real" => Some(real()),
        "ids" => ids(port, random),
        _ => None,
    }
}

/// A first packet under an id that the sender drew.
fn newcomer(random: &mut Random, token: usize) -> Vec<u8> {
    let id = random.bytes(20);
    initial(random, &id, token)
}

/// An Initial of QUIC version 1 to a connection id, with a token of so many bytes and the length that
/// it should have; the rest is random.
fn initial(random: &mut Random, id: &[u8], token: usize) -> Vec<u8> {
    let mut packet = vec![0xc3, 0, 0, 0, 1, id.len() as u8];
    packet.extend(id);
    packet.push(20);
    packet.extend(random.bytes(20));
    packet.extend((0x4000 | token as u16).to_be_bytes());
    packet.extend(random.bytes(token));
    let rest = INITIAL - packet.len() - 2;
    packet.extend((0x4000 | rest as u16).to_be_bytes());
    packet.extend(random.bytes(rest));
    packet
}

/// What costs something under ids that the relay gave out: first packets without a token and with one
/// that never was, and packets of a connection that has ended.
fn ids(port: u16, random: &mut Random) -> Option<Vec<Vec<u8>>> {
    let ids = given_out(port).ok()?;
    let mut packets = Vec::new();
    for id in ids.iter().cycle().take(GARBAGE) {
        packets.push(match packets.len() % 3 {
            0 => initial(random, id, 0),
            1 => initial(random, id, TOKEN),
            _ => [&[0x43][..], id, &random.bytes(INITIAL - 9)].concat(),
        });
    }
    (!packets.is_empty()).then_some(packets)
}

/// Ids out of the relay's Retries. So many begin at once that it asks most of them to show their
/// address, which none does: no connection lives under these ids.
fn given_out(port: u16) -> io::Result<Vec<Vec<u8>>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut ids = Vec::new();
    for some in real().chunks(64) {
        for packet in some {
            socket.send(packet)?;
        }
        let mut answer = [0; 2048];
        while let Ok(length) = socket.recv(&mut answer) {
            ids.extend(retried(&answer[..length]));
        }
        if ids.len() >= IDS {
            break;
        }
    }
    Ok(ids)
}

/// The relay's id in a Retry (RFC 9000, section 17.2.5): behind the type, the version and our own id.
fn retried(packet: &[u8]) -> Option<Vec<u8>> {
    let retry = packet.first()? & 0xf0 == 0xf0;
    let ours = usize::from(*packet.get(5)?);
    let length = usize::from(*packet.get(6 + ours)?);
    let id = packet.get(7 + ours..7 + ours + length)?;
    retry.then(|| id.to_vec())
}

/// What stock quinn sends first, each time with another key and another connection id.
fn real() -> Vec<Vec<u8>> {
    let mut tls = rustls::ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(crypto_provider())))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = QuicClientConfig::try_from(tls).expect("a cipher suite for QUIC");
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(client_transport()));
    let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::default()), None, false, None);
    let relay = SocketAddr::from(([127, 0, 0, 1], 4433));
    let now = Instant::now();
    let mut packets = Vec::new();
    for _ in 0..HANDSHAKES {
        let connecting = endpoint.connect(now, config.clone(), relay, "relay");
        let (_, mut connection) = connecting.expect("a connection begins");
        let mut bytes = Vec::new();
        while connection.poll_transmit(now, 1, &mut bytes).is_some() {
            packets.push(std::mem::take(&mut bytes));
        }
    }
    packets
}
