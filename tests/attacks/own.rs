//! The attacker's own client, written from the documents: it shares no code with ours where ours is
//! private. Derivations, the room's envelope, and what is said in it.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sottovoce::meeting::chair::{Beat, Runs};
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::lobby::LobbyBody;
use sottovoce::meeting::media::Attest;
use sottovoce::meeting::{Presence, Standing};
use sottovoce::wire::{ParticipantId, RoomHandle, To, TrackId};

pub fn derive(key: &[u8], label: &str, context: &[&[u8]]) -> [u8; 32] {
    let mut info = Vec::new();
    for part in [label.as_bytes()].iter().chain(context) {
        info.extend_from_slice(&(part.len() as u32).to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut out = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(Some(b"sottovoce 1"), key);
    hkdf.expand(&info, &mut out).expect("32 bytes");
    out
}

pub fn short(seed: &[u8], label: &str) -> [u8; 16] {
    *derive(seed, label, &[]).first_chunk().expect("16 of 32")
}

/// The handle of the room with this secret.
pub fn room(secret: &[u8; 32]) -> RoomHandle {
    RoomHandle(derive(secret, "room", &[b"192.0.2.1:4433"]))
}

#[derive(Serialize, Deserialize)]
pub enum Plain {
    Lobby(LobbyBody),
    Mls(Vec<u8>),
    Beat(Beat),
    Behind { epoch: u64 },
    Outcasts(Told),
    Here { main: [u8; 32], told: Told },
}

/// Who was removed, by a committer's word.
#[derive(Serialize, Deserialize)]
pub struct Told {
    pub outcasts: Runs,
    pub rank: u8,
    pub signature: [[u8; 32]; 2],
    pub words: Vec<Beat>,
}

impl Told {
    pub fn new(outcasts: Runs, rank: u8, key: &SigningKey, bytes: &[u8]) -> Self {
        let mut signature = [[0; 32]; 2];
        let signed = key.sign(bytes);
        signature.as_flattened_mut().copy_from_slice(&signed);
        Self {
            outcasts,
            rank,
            signature,
            words: Vec::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub enum Said {
    Here {
        presence: Presence,
        standing: Standing,
        salt: [u8; 16],
        me: ParticipantId,
        signs: bool,
        asks: bool,
    },
    Bye,
    Ended {
        track: TrackId,
        frames: u64,
    },
    Chat {
        number: u64,
        text: String,
    },
    Move,
    Merge {
        main: [u8; 32],
    },
    AskQuiet,
    Attest(Attest),
    At {
        main: [u8; 32],
        link: [u8; 32],
    },
    End,
}

/// What an answer holds for who is admitted.
#[derive(Serialize, Deserialize)]
pub struct Admission {
    pub welcome: Vec<u8>,
    pub main: [u8; 32],
    pub link: [u8; 32],
    pub beat: Beat,
    pub words: Vec<Beat>,
}

/// That a leaf was one's own.
#[derive(Serialize, Deserialize)]
pub struct Proof {
    pub sign_key: [u8; 32],
    pub signature: [[u8; 32]; 2],
}

#[derive(Serialize, Deserialize)]
struct Sealed<B> {
    to: To,
    body: B,
}

/// Seals and opens what is said in a room whose secret one has.
pub struct Envelope {
    secret: [u8; 32],
    salt: [u8; 16],
    counter: u64,
    me: ParticipantId,
}

impl Envelope {
    pub fn new(secret: [u8; 32], salt: [u8; 16], me: ParticipantId) -> Self {
        Self {
            secret,
            salt,
            counter: 0,
            me,
        }
    }

    pub fn seal<B: Serialize>(&mut self, to: To, body: &B) -> Vec<u8> {
        let body = postcard::to_allocvec(&Sealed { to, body }).expect("encodes");
        let classes = [192, 960, 4032, 16320, 32_640];
        let class = classes.into_iter().find(|class| body.len() + 2 <= *class);
        let mut plain = (body.len() as u16).to_be_bytes().to_vec();
        plain.extend_from_slice(&body);
        plain.resize(class.expect("within the largest class"), 0);
        self.counter += 1;
        let payload = Payload {
            msg: &plain,
            aad: &self.me.0.to_be_bytes(),
        };
        let sealed = cipher(&self.secret, &self.salt)
            .encrypt(&nonce(self.counter), payload)
            .expect("seals");
        [&self.salt[..], &self.counter.to_be_bytes(), &sealed].concat()
    }

    /// What somebody said in the room; `None` when it does not open.
    pub fn open(&self, from: ParticipantId, bytes: &[u8]) -> Option<Plain> {
        open(&self.secret, from, bytes)
    }
}

/// What anybody who has the room's secret reads.
pub fn open(secret: &[u8; 32], from: ParticipantId, bytes: &[u8]) -> Option<Plain> {
    open_as(secret, from, bytes)
}

/// The same, for whatever should be in it.
pub fn open_as<B: for<'a> Deserialize<'a>>(
    secret: &[u8; 32],
    from: ParticipantId,
    bytes: &[u8],
) -> Option<B> {
    let (salt, rest) = bytes.split_first_chunk::<16>()?;
    let (counter, sealed) = rest.split_first_chunk::<8>()?;
    let payload = Payload {
        msg: sealed,
        aad: &from.0.to_be_bytes(),
    };
    let nonce = nonce(u64::from_be_bytes(*counter));
    let plain = cipher(secret, salt).decrypt(&nonce, payload).ok()?;
    let (length, rest) = plain.split_first_chunk::<2>()?;
    let body = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    Some(postcard::from_bytes::<Sealed<B>>(body).ok()?.body)
}

fn cipher(secret: &[u8; 32], salt: &[u8; 16]) -> Aes256Gcm {
    Aes256Gcm::new((&derive(secret, "envelope", &[salt])).into())
}

fn nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce.into()
}
