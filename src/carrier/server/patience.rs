//! Lets participants acknowledge every 200 ms rather than every 25.
//!
//! Every datagram asks for an acknowledgement (RFC 9221, section 5.2), and each one that comes costs
//! the relay about as much as a frame that goes. quinn-proto asks peers to wait
//! (draft-ietf-quic-ack-frequency), but never longer than the round-trip time or 25 ms, whatever is
//! longer; only what the peer itself names as the least that it can do goes beyond. So that is what
//! it is told here of peers that understand the request. Gaps are still reported at once.
//!
//! Everything else is rustls' session, untouched.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use quinn_proto::crypto::{
    ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig, Session,
    UnsupportedVersion,
};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectionId, Side, TransportError};

/// RFC 9000, section 18.2: in milliseconds.
const MAX_ACK_DELAY: u64 = 0x0b;
/// draft-ietf-quic-ack-frequency-07, section 10.1: in microseconds; at most [`MAX_ACK_DELAY`].
const MIN_ACK_DELAY: u64 = 0xff04_de1b;

/// Sessions of `inner`, whose peers are asked to acknowledge each `within`.
pub(super) struct Patient<C> {
    inner: Arc<C>,
    within: Duration,
}

impl<C: ServerConfig> Patient<C> {
    /// `within` is less than 16 s.
    pub(super) fn new(inner: C, within: Duration) -> Self {
        Self {
            inner: Arc::new(inner),
            within,
        }
    }
}

impl<C: ServerConfig + 'static> ServerConfig for Patient<C> {
    fn initial_keys(&self, version: u32, id: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.inner.initial_keys(version, id)
    }

    fn retry_tag(&self, version: u32, id: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.inner.retry_tag(version, id, packet)
    }

    fn start_session(
        self: Arc<Self>,
        version: u32,
        params: &TransportParameters,
    ) -> Box<dyn Session> {
        Box::new(PatientSession {
            inner: self.inner.clone().start_session(version, params),
            within: self.within,
        })
    }
}

struct PatientSession {
    inner: Box<dyn Session>,
    within: Duration,
}

impl Session for PatientSession {
    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        let Some(params) = self.inner.transport_parameters()? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        params.write(&mut bytes);
        let patient = patient(&bytes, self.within)
            .and_then(|bytes| TransportParameters::read(Side::Server, &mut bytes.as_slice()).ok());
        Ok(Some(patient.unwrap_or(params)))
    }

    fn initial_keys(&self, id: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(id, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.inner.read_handshake(buf)
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        self.inner.write_handshake(buf)
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.inner.next_1rtt_keys()
    }

    fn is_valid_retry(&self, id: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(id, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

/// The same transport parameters, of a peer that waits for `within`; `None` if it does not
/// understand the request.
fn patient(params: &[u8], within: Duration) -> Option<Vec<u8>> {
    let mut changed = Vec::with_capacity(params.len() + 16);
    let mut asks = false;
    let mut rest = params;
    while !rest.is_empty() {
        let begin = rest;
        let id = take_integer(&mut rest)?;
        let length = usize::try_from(take_integer(&mut rest)?).ok()?;
        rest = rest.get(length..)?;
        asks |= id == MIN_ACK_DELAY;
        if id != MIN_ACK_DELAY && id != MAX_ACK_DELAY {
            changed.extend_from_slice(&begin[..begin.len() - rest.len()]);
        }
    }
    let milliseconds = u32::try_from(within.as_millis()).ok()?;
    let microseconds = u32::try_from(within.as_micros()).ok()?;
    for (id, value) in [(MAX_ACK_DELAY, milliseconds), (MIN_ACK_DELAY, microseconds)] {
        let mut integer = Vec::with_capacity(8);
        put_integer(&mut integer, value);
        // The id in the long form of eight bytes; quinn-proto wants the shortest for values.
        changed.extend_from_slice(&(id | 0b11 << 62).to_be_bytes());
        changed.push(integer.len() as u8);
        changed.extend_from_slice(&integer);
    }
    asks.then_some(changed)
}

/// An integer of RFC 9000, section 16, in its shortest form.
fn put_integer(into: &mut Vec<u8>, value: u32) {
    match value {
        0..=0x3f => into.push(value as u8),
        0x40..=0x3fff => into.extend_from_slice(&(value as u16 | 0b01 << 14).to_be_bytes()),
        0x4000..=0x3fff_ffff => into.extend_from_slice(&(value | 0b10 << 30).to_be_bytes()),
        _ => into.extend_from_slice(&(u64::from(value) | 0b11 << 62).to_be_bytes()),
    }
}

/// An integer of RFC 9000, section 16, from the front of `bytes`.
fn take_integer(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let length = 1 << (first >> 6);
    let (integer, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let head = u64::from(first & 0x3f);
    Some(
        integer[1..]
            .iter()
            .fold(head, |value, byte| value << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms of RFC 9000, appendix A.1.
    #[test]
    fn integers_of_all_lengths() {
        for (bytes, value) in [
            (
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..],
                151_288_809_941_952_652,
            ),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(take_integer(&mut &bytes[..cut]), None);
            }
            assert_eq!(take_integer(&mut &*bytes), Some(value));
        }
    }

    #[test]
    fn only_those_who_understand_are_asked() {
        // initial_max_data, max_ack_delay 25, then min_ack_delay of 1 ms.
        let deaf = [0x04, 0x01, 0x3f, 0x0b, 0x01, 0x19];
        let mut able = deaf.to_vec();
        able.extend_from_slice(&[0xc0, 0, 0, 0, 0xff, 0x04, 0xde, 0x1b, 0x02, 0x43, 0xe8]);
        let within = Duration::from_millis(100);
        assert_eq!(patient(&deaf, within), None);
        let changed = patient(&able, within).unwrap();
        assert_eq!(changed[..3], [0x04, 0x01, 0x3f]);
        let read = TransportParameters::read(Side::Server, &mut changed.as_slice()).unwrap();
        let mut rest = &changed[3..];
        assert_eq!(take_integer(&mut rest), Some(MAX_ACK_DELAY));
        assert_eq!(take_integer(&mut rest), Some(2));
        assert_eq!(take_integer(&mut rest), Some(100));
        assert_eq!(take_integer(&mut rest), Some(MIN_ACK_DELAY));
        assert_eq!(take_integer(&mut rest), Some(4));
        assert_eq!(take_integer(&mut rest), Some(100_000));
        let mut written = Vec::new();
        read.write(&mut written);
        assert!(!written.is_empty());
    }

    #[test]
    fn what_is_cut_off_is_left_alone() {
        for params in [&[0x04][..], &[0x04, 0x05, 0x01], &[0xff]] {
            assert_eq!(patient(params, Duration::from_millis(100)), None);
        }
    }
}
