//! How much the relay sends to all of one room together.
//!
//! What strangers can take from an operator is what leaves the relay: each byte that comes in may go
//! to thousands. So what leaves is counted, as it leaves; what nobody listens to costs nothing.
//! Whoever is in the room pays, and nobody else, as in a network that is too narrow: past the bound
//! its pictures end, until their next key frames. Sound gives way to nothing but sound and control
//! messages: past the bound by these alone it is lost. Control messages, which must not be lost, go on
//! a second's worth longer, and then whoever sends one is closed.
//!
//! Nobody can take all of it from the others. What was begun for newcomers is counted though it may
//! never be sent, so that a second's worth is kept from them for those who watch. And half a second's
//! is kept from whoever has sent more than a share of control messages, for sound and for those who
//! have not.

use super::bucket::{Bucket, Millis};

/// What a packet of sound costs beside its bytes: the headers of IP, UDP and QUIC, and the tag.
pub(super) const PACKET: usize = 64;

/// The bytes that a room may still be sent. It is paid after the event, so there may be a debt.
pub(super) struct Outflow {
    /// A second's worth.
    rate: i64,
    /// What is left for everything.
    all: i64,
    /// What would be left if there were no pictures.
    voice: i64,
    at: Millis,
}

impl Outflow {
    /// Two seconds' worth: a key frame to everyone at once is no flood.
    pub(super) fn new(rate: usize, now: Millis) -> Self {
        let rate = i64::try_from(rate).unwrap_or(i64::MAX / 4);
        Self {
            rate,
            all: 2 * rate,
            voice: 2 * rate,
            at: now,
        }
    }

    /// So much of sound is sent, headers included.
    pub(super) fn sound(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.all = self.all.saturating_sub(bytes);
        self.voice = self.voice.saturating_sub(bytes);
    }

    /// So much of control messages is sent.
    pub(super) fn words(&mut self, bytes: usize) {
        self.sound(in_packets(bytes));
    }

    /// So much of pictures is sent.
    pub(super) fn pictures(&mut self, bytes: usize) {
        let bytes = i64::try_from(in_packets(bytes)).unwrap_or(i64::MAX);
        self.all = self.all.saturating_sub(bytes);
    }

    /// Whether pictures may come in.
    pub(super) fn has_for_pictures(&mut self, now: Millis) -> bool {
        self.refill(now);
        self.all > 0
    }

    /// Whether somebody who asks for a picture may be given what there is of it.
    pub(super) fn has_for_newcomers(&mut self, now: Millis) -> bool {
        self.refill(now);
        self.all > self.rate
    }

    /// Whether sound may come in.
    pub(super) fn has_for_sound(&mut self, now: Millis) -> bool {
        self.refill(now);
        self.voice > 0
    }

    /// What a member who comes may have sent in control messages, whatever the others do. It fills
    /// with time: whoever comes anew for each flood has little.
    pub(super) fn share(&self, now: Millis) -> Bucket {
        Bucket::new(self.part(32), now)
    }

    /// Whether a control message that is so much may be sent to others by whom `share` is of.
    pub(super) fn has_for_words(&mut self, share: &mut Bucket, bytes: usize, now: Millis) -> bool {
        self.refill(now);
        let cost = u32::try_from(in_packets(bytes)).unwrap_or(u32::MAX);
        let least = match share.take(cost, self.part(4), self.part(8), now) {
            true => -self.rate,
            false => self.rate / 2,
        };
        self.voice > least
    }

    fn part(&self, of: i64) -> u32 {
        u32::try_from(self.rate / of).unwrap_or(u32::MAX)
    }

    fn refill(&mut self, now: Millis) {
        let gained = i64::from(now.after(self.at)).saturating_mul(self.rate) / 1000;
        self.at = now;
        for level in [&mut self.all, &mut self.voice] {
            *level = level.saturating_add(gained).min(2 * self.rate);
        }
    }
}

/// A stream's bytes and, by a twentieth, the headers of its packets.
fn in_packets(bytes: usize) -> usize {
    bytes + bytes / 20
}
