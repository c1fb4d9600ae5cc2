//! The ids of connections, as this relay makes them (RFC 9000, section 5.1).

use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use quinn_proto::{ConnectionId, ConnectionIdGenerator, InvalidCid};

/// Random bytes. A Retry and each of the eight or so ids of a connection draw anew, and one that is
/// drawn twice ends somebody's handshake, since its packets go to another: 3 bytes, as quinn's own
/// generator has, did so to one of 200 who came at once in every 160th crowd.
const DRAWN: usize = 8;

/// Bytes of the tag. One made-up id in 2^32 is taken for one of ours, and answered with a reset.
const TAG: usize = 4;

/// Says nothing to whoever has not the key, and links nothing: each id is drawn anew. The tag is what a
/// relay that was restarted knows its own ids by.
#[derive(Clone)]
pub(super) struct Ids {
    key: hmac::Key,
}

impl Ids {
    /// `key`: outlives a restart.
    pub(super) fn new(key: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    fn tag(&self, drawn: &[u8]) -> [u8; TAG] {
        let mut tag = [0; TAG];
        for (byte, of_all) in tag.iter_mut().zip(hmac::sign(&self.key, drawn).as_ref()) {
            *byte = *of_all;
        }
        tag
    }
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; DRAWN + TAG];
        let (drawn, tag) = id.split_at_mut(DRAWN);
        // Without randomness no handshake succeeds either.
        let _ = rand::fill(drawn);
        tag.copy_from_slice(&self.tag(drawn));
        ConnectionId::new(&id)
    }

    fn validate(&self, id: &ConnectionId) -> Result<(), InvalidCid> {
        match id.split_at_checked(DRAWN) {
            Some((drawn, tag)) if tag == self.tag(drawn) => Ok(()),
            _ => Err(InvalidCid),
        }
    }

    fn cid_len(&self) -> usize {
        DRAWN + TAG
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn none_is_drawn_twice() {
        let mut ids = Ids::new(&[1; 32]);
        let drawn: HashSet<ConnectionId> = (0..100_000).map(|_| ids.generate_cid()).collect();
        assert_eq!(drawn.len(), 100_000);
    }

    #[test]
    fn a_relay_knows_its_own_after_a_restart_and_no_other() {
        let id = Ids::new(&[1; 32]).generate_cid();
        assert!(Ids::new(&[1; 32]).validate(&id).is_ok());
        assert!(Ids::new(&[2; 32]).validate(&id).is_err());
        for bit in 0..id.len() * 8 {
            let mut other = id.to_vec();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(
                Ids::new(&[1; 32])
                    .validate(&ConnectionId::new(&other))
                    .is_err()
            );
        }
        for length in 0..id.len() {
            let cut = ConnectionId::new(&id[..length]);
            assert!(Ids::new(&[1; 32]).validate(&cut).is_err());
        }
    }
}
