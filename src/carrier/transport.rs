//! How QUIC is set up, the same on both sides where it matters: what travels, how much may wait,
//! when a peer counts as gone.

use std::sync::Arc;
use std::time::Duration;

use quinn_proto::{AckFrequencyConfig, IdleTimeout, TransportConfig, VarInt};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::congestion::SteadyConfig;

/// QUIC payloads are never larger than this and never searched to be: 1,200 bytes pass everywhere
/// (RFC 9000, section 14), hold a datagram of 1,024 with every header, and a search costs packets.
pub const PACKET: u16 = 1200;

/// A peer of which nothing was heard for so long is gone.
pub const IDLE: Duration = Duration::from_secs(10);

/// A participant that has nothing to say says so this often: three may be lost before [`IDLE`],
/// and no router forgets a UDP mapping in so short a time.
pub const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// Groups that a participant may send at the same time: a few tracks, the old and the new group
/// of each. Tables for them are preallocated, about 0.2 KiB each.
pub(super) const UPLINK_GROUPS: u32 = 8;

/// Groups that a participant takes at the same time. More wait at the relay.
const DOWNLINK_GROUPS: u32 = 256;

/// Bytes that a relay holds for one participant, sent but not acknowledged or not yet sent: half a
/// second at 8 Mbit/s. The bytes are shared between participants, their bookkeeping is not.
const DOWNLINK_WINDOW: u64 = 512 * 1024;

/// Bytes that may be on the way from a participant in one stream: 8 Mbit/s over 250 ms.
const UPLINK_WINDOW: u32 = 256 * 1024;

/// Bytes that may be on the way from a participant in all its streams.
#[cfg(feature = "relay")]
pub(super) const MEMBER_WINDOW: u32 = UPLINK_WINDOW * 2;

/// The same from somebody who has not been let into a room: two of the largest control messages. What
/// comes out of order is held, so strangers could hold so much for nothing.
const STRANGER_WINDOW: u32 = 64 * 1024;

/// Datagrams waiting in one direction. Beyond that the oldest is dropped: late sound is no use.
pub(super) const DATAGRAMS: usize = 64 * 1024;

/// Packets after which a peer is asked to acknowledge. Each acknowledgement costs the relay a packet
/// to take. So many are less than the floor under the congestion window (`congestion.rs`): waiting
/// for one never stops a sender.
const ACKNOWLEDGE_AFTER: u32 = 24;
/// How long a peer is asked to wait at most; see `server/patience.rs`. Gaps are reported at once.
/// Longer: what was lost last, before a silence, is sent again later.
pub(super) const ACKNOWLEDGE_WITHIN: Duration = Duration::from_millis(200);

fn common() -> TransportConfig {
    let mut acknowledge = AckFrequencyConfig::default();
    acknowledge
        .ack_eliciting_threshold(VarInt::from_u32(ACKNOWLEDGE_AFTER))
        .max_ack_delay(Some(ACKNOWLEDGE_WITHIN));
    let mut config = TransportConfig::default();
    config
        .initial_mtu(PACKET)
        .min_mtu(PACKET)
        .mtu_discovery_config(None)
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok())
        .initial_rtt(Duration::from_millis(100))
        .allow_spin(false)
        .send_fairness(false)
        .datagram_receive_buffer_size(Some(DATAGRAMS))
        .datagram_send_buffer_size(DATAGRAMS)
        .ack_frequency_config(Some(acknowledge))
        .congestion_controller_factory(Arc::new(SteadyConfig));
    config
}

/// The relay's side.
pub fn server_transport() -> TransportConfig {
    let mut config = common();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(UPLINK_GROUPS))
        .stream_receive_window(VarInt::from_u32(UPLINK_WINDOW))
        .receive_window(VarInt::from_u32(STRANGER_WINDOW))
        .send_window(DOWNLINK_WINDOW)
        .keep_alive_interval(None);
    config
}

/// A participant's side.
pub fn client_transport() -> TransportConfig {
    let mut config = common();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(DOWNLINK_GROUPS))
        .stream_receive_window(VarInt::from_u32(2 * 1024 * 1024))
        .receive_window(VarInt::from_u32(16 * 1024 * 1024))
        .send_window(u64::from(UPLINK_WINDOW))
        .keep_alive_interval(Some(KEEP_ALIVE));
    config
}

/// The cryptography of both sides: aws-lc-rs, with X25519MLKEM768 first, so that traffic recorded
/// today stays closed to a quantum computer of later.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![
        aws_lc_rs::kx_group::X25519MLKEM768,
        aws_lc_rs::kx_group::X25519,
        aws_lc_rs::kx_group::SECP256R1,
    ];
    Arc::new(provider)
}

#[cfg(test)]
mod tests {
    use rustls::NamedGroup;

    use super::*;

    #[test]
    fn the_key_exchange_is_post_quantum_first() {
        let groups: Vec<NamedGroup> = crypto_provider()
            .kx_groups
            .iter()
            .map(|group| group.name())
            .collect();
        assert_eq!(groups.first(), Some(&NamedGroup::X25519MLKEM768));
    }
}
