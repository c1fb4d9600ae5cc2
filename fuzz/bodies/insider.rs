//! Someone who seals whatever they like: the key schedules, the envelope and the frames once more,
//! from their description and not from the code. And the one to whom they are sent.

use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use bytes::Bytes;
use hkdf::Hkdf;
use sframe::CipherSuite;
use sframe::frame::{MediaFrameView, MonotonicCounter};
use sframe::key::EncryptionKey;
use sha2::Sha256;
use sottovoce::meeting::hosted::Meeting;
use sottovoce::meeting::links::{Link, Links};
use sottovoce::meeting::media::ReceiverKeys;
use sottovoce::meeting::{Input, Output, Presence, RelayRef, StayId, Surface};
use sottovoce::wire::{FromRelay, ParticipantId, To, ToRelay, TrackId};

const BASE: [u8; 32] = [0x5e; 32];
const EPOCH: u64 = 4;
const LEAF: u32 = 2;
const MEDIA_SALT: [u8; 16] = [0xa5; 16];

/// Who seals.
pub const INSIDER: ParticipantId = ParticipantId(7);
/// Who opens.
const VICTIM: ParticipantId = ParticipantId(9);

pub const SOUND: TrackId = TrackId(0);
pub const PICTURE: TrackId = TrackId(1);

fn derive<const N: usize>(secret: &[u8], label: &str, context: &[&[u8]]) -> [u8; N] {
    let mut info = Vec::new();
    for part in [label.as_bytes()].iter().chain(context) {
        info.extend((part.len() as u32).to_be_bytes());
        info.extend(*part);
    }
    let mut out = [0; N];
    let key = Hkdf::<Sha256>::new(Some(b"sottovoce 1"), secret);
    key.expand(&info, &mut out).expect("short");
    out
}

/// A plaintext of the envelope that holds `body` in good order.
pub fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body, &[0; 5]].concat()
}

/// An envelope by that participant around this plaintext, in the room with that secret.
pub fn sealed(
    secret: &[u8],
    salt: [u8; 16],
    counter: u64,
    by: ParticipantId,
    plain: &[u8],
) -> Vec<u8> {
    let aad = by.0.to_be_bytes();
    let payload = Payload {
        msg: plain,
        aad: &aad,
    };
    let sealed = envelope(secret, salt)
        .encrypt(&nonce(counter), payload)
        .expect("any length");
    [&salt[..], &counter.to_be_bytes(), &sealed].concat()
}

/// What is in such an envelope.
pub fn opened(secret: &[u8], by: ParticipantId, bytes: &[u8]) -> Option<Vec<u8>> {
    let (salt, rest) = bytes.split_first_chunk::<16>()?;
    let (counter, sealed) = rest.split_first_chunk::<8>()?;
    let aad = by.0.to_be_bytes();
    let payload = Payload {
        msg: sealed,
        aad: &aad,
    };
    let nonce = nonce(u64::from_be_bytes(*counter));
    envelope(secret, *salt).decrypt(&nonce, payload).ok()
}

fn envelope(secret: &[u8], salt: [u8; 16]) -> Aes256Gcm {
    let key: [u8; 32] = derive(secret, "envelope", &[&salt]);
    Aes256Gcm::new((&key).into())
}

fn nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce.into()
}

/// Asks who holds the door: a body of the lobby, variant 0, within the room's bodies of variant 0.
pub fn ask() -> Vec<u8> {
    postcard::to_allocvec(&(To::Everyone, 0_u32, 0_u32, [3_u8; 16])).expect("fits")
}

/// Seals the frames of one track.
pub struct Sealer {
    key: EncryptionKey,
    counter: MonotonicCounter,
    context: [u8; 28],
}

impl Sealer {
    pub fn new(track: TrackId) -> Self {
        let context: [&[u8]; 3] = [&EPOCH.to_be_bytes(), &LEAF.to_be_bytes(), &MEDIA_SALT];
        let sender: [u8; 32] = derive(&BASE, "media sender", &context);
        let material: [u8; 32] = derive(&sender, "media track", &[&[track.0]]);
        let [a, b, c] = derive(&sender, "media track id", &[&[track.0]]);
        let id = u64::from(u32::from_be_bytes([0, a, b, c]));
        let mut context = [0; 28];
        context[..7].copy_from_slice(b"frame 2");
        context[7] = track.0;
        context[8..24].copy_from_slice(&MEDIA_SALT);
        Self {
            key: EncryptionKey::derive_from(CipherSuite::AesGcm128Sha256, id, material)
                .expect("a key"),
            counter: MonotonicCounter::default(),
            context,
        }
    }

    /// Seals a plaintext as it is, for group 0.
    pub fn seal(&mut self, plain: &[u8]) -> Bytes {
        let view = MediaFrameView::try_with_meta_data(&mut self.counter, plain, &self.context);
        let sealed = view
            .and_then(|view| view.encrypt(&self.key))
            .expect("any length");
        Bytes::copy_from_slice(sealed.sframe_cipher_text())
    }
}

/// What opens the insider's frames.
pub fn receiver() -> ReceiverKeys {
    let mut keys = ReceiverKeys::new(LEAF, MEDIA_SALT);
    keys.epoch(Duration::ZERO, EPOCH, &BASE);
    keys
}

/// A host in its lobby, where everyone who has the link can speak to it.
pub struct Victim {
    meeting: Meeting,
    lobby: StayId,
    /// The secret of the lobby.
    secret: Vec<u8>,
    /// Of the insider's envelope: a new one each time it comes, since no salt is taken twice.
    salt: u128,
    now: Duration,
}

impl Victim {
    /// One who has just founded its meeting.
    pub fn new() -> Self {
        let relay = RelayRef {
            host: "192.0.2.1".into(),
            port: 4433,
            hashes: vec![[7; 32]],
            pass: None,
        };
        let links = Links::draw(vec![relay], "", 0, false, [8; 32]).expect("links");
        let link = Link::parse(&links.host).expect("its own link");
        let handle = link.meeting().lobby(0).expect("a relay");
        // In a link's bytes the secret follows version and kind.
        let (_, fragment) = links.meeting.split_once('#').expect("a fragment");
        let bytes = data_encoding::BASE64URL_NOPAD.decode(fragment.as_bytes());
        let secret = bytes.expect("base64url")[2..34].to_vec();
        let presence = Presence {
            name: "Victim".into(),
            tracks: vec![],
            timestamp_scale_ns: 1,
            tag: [4; 16],
        };
        let meeting = Meeting::new(link, presence, false, false, [9; 32]);
        let mut victim = Self {
            meeting,
            lobby: StayId(0),
            secret,
            salt: 0,
            now: Duration::ZERO,
        };
        let mut found = false;
        while !found {
            for output in victim.pass(Duration::from_millis(100)) {
                let stay = match output {
                    Output::Enter { stay } => {
                        victim.handle(Input::Connected { stay, relay: 0 });
                        continue;
                    }
                    Output::Control {
                        stay,
                        message: ToRelay::Hello { room, .. },
                    } => {
                        if room == handle {
                            victim.lobby = stay;
                            found = true;
                        }
                        stay
                    }
                    _ => continue,
                };
                let (you, present) = (VICTIM, vec![]);
                let message = FromRelay::Welcome { you, present };
                victim.handle(Input::Relay { stay, message });
            }
        }
        victim
    }

    /// The insider comes, as somebody who was never seen before.
    pub fn meets_the_insider(&mut self) {
        let participant = INSIDER;
        self.salt += 1;
        self.hear(FromRelay::Left { participant });
        self.hear(FromRelay::Joined { participant });
        self.pass(Duration::from_secs(1));
    }

    /// What follows when so much time passes.
    pub fn pass(&mut self, time: Duration) -> Vec<Output> {
        self.now += time;
        self.handle(Input::Tick);
        self.drain()
    }

    /// The insider sends this body.
    pub fn told(&mut self, body: Vec<u8>) -> Vec<Output> {
        let from = INSIDER;
        self.hear(FromRelay::Message { from, body });
        self.drain()
    }

    /// A body of the insider that holds this plaintext of the envelope as it is.
    pub fn seal(&self, counter: u64, plain: &[u8]) -> Vec<u8> {
        sealed(
            &self.secret,
            self.salt.to_be_bytes(),
            counter,
            INSIDER,
            plain,
        )
    }

    fn hear(&mut self, message: FromRelay) {
        let stay = self.lobby;
        self.handle(Input::Relay { stay, message });
    }

    fn handle(&mut self, input: Input) {
        self.meeting.handle(self.now, input);
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.meeting.poll()).collect()
    }
}
