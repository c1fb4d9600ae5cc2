//! First packets of handshakes, each below the headers of IP and UDP that it is sent with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

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

/// xorshift64* (Vigna 2016).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// Payloads of one kind.
pub fn of(kind: &str, random: &mut Random) -> Option<Vec<Vec<u8>>> {
    match kind {
        "garbage" => Some((0..GARBAGE).map(|_| garbage(random, 0)).collect()),
        "tokens" => Some((0..GARBAGE).map(|_| garbage(random, 90)).collect()),
        "real" => Some(real()),
        _ => None,
    }
}

/// An Initial of QUIC version 1 with a token of so many bytes and the length that it should have;
/// the rest is random.
fn garbage(random: &mut Random, token: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = (0..INITIAL).map(|_| random.next() as u8).collect();
    packet[0] = 0xc3;
    packet[1..5].copy_from_slice(&1_u32.to_be_bytes());
    packet[5] = 20;
    packet[26] = 20;
    packet[47..49].copy_from_slice(&(0x4000 | token as u16).to_be_bytes());
    let rest = 49 + token;
    let length = (INITIAL - rest - 2) as u16;
    packet[rest..rest + 2].copy_from_slice(&(0x4000 | length).to_be_bytes());
    packet
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
