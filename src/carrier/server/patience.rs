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

use quinn_proto::coding::Codec;
use quinn_proto::crypto::{
    ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig, Session,
    UnsupportedVersion,
};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectionId, Side, TransportError, VarInt};

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
        let id = VarInt::decode(&mut rest).ok()?.into_inner();
        let length = usize::try_from(VarInt::decode(&mut rest).ok()?.into_inner()).ok()?;
        rest = rest.get(length..)?;
        asks |= id == MIN_ACK_DELAY;
        if id != MIN_ACK_DELAY && id != MAX_ACK_DELAY {
            changed.extend_from_slice(begin.get(..begin.len() - rest.len())?);
        }
    }
    let milliseconds = within.as_millis().try_into().ok()?;
    let microseconds = within.as_micros().try_into().ok()?;
    for (id, value) in [(MAX_ACK_DELAY, milliseconds), (MIN_ACK_DELAY, microseconds)] {
        let mut integer = Vec::new();
        VarInt::from_u64(value).ok()?.encode(&mut integer);
        VarInt::from_u64(id).ok()?.encode(&mut changed);
        changed.push(integer.len() as u8);
        changed.extend_from_slice(&integer);
    }
    asks.then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_understand_are_asked() {
        // initial_max_data, max_ack_delay 25, then min_ack_delay of 1 ms.
        let deaf = [0x04, 0x01, 0x3f, 0x0b, 0x01, 0x19];
        let mut able = deaf.to_vec();
        able.extend_from_slice(&[0xc0, 0, 0, 0, 0xff, 0x04, 0xde, 0x1b, 0x02, 0x43, 0xe8]);
        let within = Duration::from_millis(100);
        assert_eq!(patient(&deaf, within), None);
        let changed = patient(&able, within).unwrap();
        // The same, with 100 ms, and 100,000 us.
        let delays = [
            &[0x04, 0x01, 0x3f][..],
            &[0x0b, 0x02, 0x40, 0x64],
            &[
                0xc0, 0, 0, 0, 0xff, 0x04, 0xde, 0x1b, 0x04, 0x80, 0x01, 0x86, 0xa0,
            ],
        ];
        assert_eq!(changed, delays.concat());
        let read = TransportParameters::read(Side::Server, &mut changed.as_slice()).unwrap();
        let mut written = Vec::new();
        read.write(&mut written);
        let kept = |bytes: &[u8]| written.windows(bytes.len()).any(|window| window == bytes);
        assert!(kept(delays[1]) && kept(delays[2]), "quinn understands both");
    }

    #[test]
    fn what_is_cut_off_is_left_alone() {
        for params in [&[0x04][..], &[0x04, 0x05, 0x01], &[0xff]] {
            assert_eq!(patient(params, Duration::from_millis(100)), None);
        }
    }
}
