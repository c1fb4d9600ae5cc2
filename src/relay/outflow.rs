//! How much the relay sends to all of one room together.
//!
//! What strangers can take from an operator is what leaves the relay: each byte that comes in may go
//! to thousands. So what leaves is counted, as it leaves; what nobody listens to costs nothing.
//! Whoever is in the room pays, and nobody else, as in a network that is too narrow: past the bound
//! its pictures end, until their next key frames. Sound gives way to nothing but sound and control
//! messages: past the bound by these alone it is lost. Control messages, which must not be lost, go on
//! a second's worth longer, and then whoever sends one is closed.

use super::bucket::Millis;

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

    /// Whether sound may come in.
    pub(super) fn has_for_sound(&mut self, now: Millis) -> bool {
        self.refill(now);
        self.voice > 0
    }

    /// Whether control messages may be sent to others.
    pub(super) fn has_for_words(&mut self, now: Millis) -> bool {
        self.refill(now);
        self.voice > -self.rate
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
