//! Someone with the link who seals whatever they like: the key schedule, the envelope and the
//! frames once more, from their description and not from the code.

use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use bytes::Bytes;
use hkdf::Hkdf;
use sframe::CipherSuite;
use sframe::frame::{MediaFrameView, MonotonicCounter};
use sframe::key::EncryptionKey;
use sha2::Sha256;
use sottovoce::meeting::{
    Codec, Input, Invite, LinkSecret, Meeting, Output, Presence, RelayRef, StayId, Surface,
    TrackDescription, TrackKind,
};
use sottovoce::wire::{FromRelay, ParticipantId, To, TrackId};

const SECRET: [u8; 32] = [0x5e; 32];
const ENVELOPE_SALT: [u8; 16] = [0xe5; 16];
const MEDIA_SALT: [u8; 16] = [0xa5; 16];

/// Who seals.
pub const INSIDER: ParticipantId = ParticipantId(7);
/// Who opens.
const VICTIM: ParticipantId = ParticipantId(9);

/// The victim's connection.
pub const STAY: StayId = StayId(0);

pub const SOUND: TrackId = TrackId(0);
pub const PICTURE: TrackId = TrackId(1);

fn derive<const N: usize>(label: &str, context: &[&[u8]]) -> [u8; N] {
    let mut info = Vec::new();
    for part in [label.as_bytes()].iter().chain(context) {
        info.extend((part.len() as u32).to_be_bytes());
        info.extend(*part);
    }
    let mut out = [0; N];
    let key = Hkdf::<Sha256>::new(Some(b"sottovoce 1"), &SECRET);
    key.expand(&info, &mut out).expect("short");
    out
}

/// Seals a plaintext of the envelope as it is.
pub fn seal_body(counter: u64, plain: &[u8]) -> Vec<u8> {
    let key: [u8; 32] = derive("envelope", &[&ENVELOPE_SALT]);
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    let aad = INSIDER.0.to_be_bytes();
    let payload = Payload {
        msg: plain,
        aad: &aad,
    };
    let nonce: Nonce<_> = nonce.into();
    let sealed = Aes256Gcm::new((&key).into())
        .encrypt(&nonce, payload)
        .expect("any length");
    [&ENVELOPE_SALT[..], &counter.to_be_bytes(), &sealed].concat()
}

/// A plaintext of the envelope that holds `body` in good order.
pub fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body, &[0; 5]].concat()
}

/// What the insider says of itself, in postcard.
pub fn presence() -> Vec<u8> {
    let track = |track, kind, codec| TrackDescription {
        track,
        kind,
        codec,
        codec_private: vec![1, 2, 3],
        codec_delay_ns: 6_500_000,
        seek_preroll_ns: 80_000_000,
        default_duration_ns: None,
    };
    let sound = TrackKind::Audio {
        rate: 48_000,
        channels: 2,
    };
    let picture = TrackKind::Video {
        width: 640,
        height: 360,
    };
    let presence = Presence {
        name: "Insider".into(),
        tracks: vec![
            track(SOUND, sound, Codec::Opus),
            track(PICTURE, picture, Codec::Vp8),
        ],
        timestamp_scale_ns: 1_000_000,
        tag: [3; 16],
    };
    // The 0 is the body's variant.
    postcard::to_allocvec(&(To::Everyone, 0_u32, presence, MEDIA_SALT)).expect("fits")
}

/// Seals the frames of one track.
pub struct Sealer {
    key: EncryptionKey,
    counter: MonotonicCounter,
    context: [u8; 28],
}

impl Sealer {
    pub fn new(track: TrackId) -> Self {
        let material: [u8; 32] = derive("media", &[&MEDIA_SALT, &[track.0]]);
        let [a, b, c] = derive("media key id", &[&MEDIA_SALT, &[track.0]]);
        let id = u64::from(u32::from_be_bytes([0, a, b, c]));
        let mut context = [0; 28];
        context[..7].copy_from_slice(b"frame 1");
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

/// A participant who has come into the room and to whom nobody has said anything yet.
pub fn victim() -> Meeting {
    let relay = RelayRef {
        host: "192.0.2.1".into(),
        port: 4433,
        hashes: vec![[7; 32]],
    };
    let invite = Invite::new(LinkSecret::from_bytes(SECRET), vec![relay]);
    let presence = Presence {
        name: "Victim".into(),
        tracks: vec![],
        timestamp_scale_ns: 1,
        tag: [4; 16],
    };
    let mut meeting = Meeting::new(&invite, presence, [9; 32]);
    let you = VICTIM;
    let present = vec![INSIDER];
    hear(&mut meeting, FromRelay::Welcome { you, present });
    drain(&mut meeting);
    meeting
}

/// A participant to whom the insider has said who it is.
pub fn acquainted_victim() -> Meeting {
    let mut meeting = victim();
    tell(&mut meeting, seal_body(1, &framed(&presence())));
    let said = drain(&mut meeting);
    assert!(
        matches!(said[..], [Output::Appeared { .. }]),
        "the description of the seal is wrong"
    );
    meeting
}

pub fn tell(meeting: &mut Meeting, body: Vec<u8>) {
    let from = INSIDER;
    hear(meeting, FromRelay::Message { from, body });
}

fn hear(meeting: &mut Meeting, message: FromRelay) {
    let stay = STAY;
    meeting.handle(Duration::ZERO, Input::Relay { stay, message });
}

pub fn drain(meeting: &mut Meeting) -> Vec<Output> {
    std::iter::from_fn(|| meeting.poll()).collect()
}
