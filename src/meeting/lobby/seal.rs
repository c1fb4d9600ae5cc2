//! What makes the lobby's words trustworthy: signatures, HPKE, and the line between two.
//!
//! Everything is bound to the lobby (an id that derives from the link secret), to the porter's run,
//! and to both participants' ids, so that nothing can be moved from one place to another.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::body::{Answer, Door, KnockPlain, LobbyBody, Reply};
use super::limits::{ANSWER_CLASSES, KNOCK_CLASS};
use crate::meeting::crypto::{hpke, sign};
use crate::meeting::links::{Bundle, BundleHash, COMMITTERS};
use crate::meeting::secret::{LinkSecret, derive};
use crate::wire::ParticipantId;

/// What HPKE adds: an encapsulated key and a tag.
const HPKE_OVERHEAD: usize = 32 + 16;

/// Length of a sealed knock.
pub(super) const SEALED_KNOCK: usize = KNOCK_CLASS + HPKE_OVERHEAD;

const TAG: usize = 16;

/// Why something that came was refused. A refusal is counted and costs nobody anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// It does not open, or its signature is none: another key, another person, another place, or
    /// changed on its way.
    NotAuthentic = 0,
    /// It came before, or something newer did.
    Replay = 1,
    /// It opens, but is not what it should be.
    Malformed = 2,
    /// It is larger than it may be.
    TooLarge = 3,
    /// The door shows another bundle than the one that the link pins.
    WrongBundle = 4,
    /// Nobody asked for it, or not any more.
    Unexpected = 5,
    /// Too much came at a time.
    Flood = 6,
    /// The chair has denied this participant.
    Denied = 7,
}

impl Refusal {
    /// How many kinds there are.
    pub const KINDS: usize = 8;
}

/// Between whom, and where.
#[derive(Clone, Copy)]
pub(super) struct Parties {
    pub(super) lobby: [u8; 32],
    pub(super) chair: ParticipantId,
    pub(super) knocker: ParticipantId,
}

impl Parties {
    pub(super) fn bytes(&self, label: &[u8; 8]) -> Vec<u8> {
        let (chair, knocker) = (self.chair.0.to_be_bytes(), self.knocker.0.to_be_bytes());
        [&label[..], &self.lobby, &chair, &knocker].concat()
    }
}

/// Names a lobby without giving its secret away.
pub(in crate::meeting) fn lobby_id(secret: &LinkSecret) -> [u8; 32] {
    *derive(secret.as_bytes(), "lobby", &[])
}

/// What a door's signature is over; every field has a fixed length.
pub(super) fn statement(
    parties: &Parties,
    bundle: &BundleHash,
    door: &Door,
    nonce: &[u8; 16],
) -> Vec<u8> {
    let flags = [door.rank, door.locked.into(), door.known.into()];
    // Memory is all that writing can lack.
    let words = Sha256::digest(postcard::to_allocvec(&door.words).unwrap_or_default());
    [
        &parties.bytes(b"door 2\0\0")[..],
        &bundle.0,
        &flags,
        &door.run,
        nonce,
        &words,
    ]
    .concat()
}

/// Reads a door's bundle and checks its signature.
pub(super) fn check(
    parties: &Parties,
    pinned: &BundleHash,
    door: &Door,
    nonce: &[u8; 16],
) -> Result<Bundle, Refusal> {
    let bundle = Bundle::from_bytes(&door.bundle).ok_or(Refusal::WrongBundle)?;
    if bundle.hash() != *pinned {
        return Err(Refusal::WrongBundle);
    }
    if door.words.len() > COMMITTERS {
        return Err(Refusal::TooLarge);
    }
    let keys = bundle.committer(door.rank).ok_or(Refusal::NotAuthentic)?;
    let signature = door.signature.as_slice();
    let signature = <&[u8; 64]>::try_from(signature).map_err(|_| Refusal::Malformed)?;
    let statement = statement(parties, pinned, door, nonce);
    match sign::verify(&keys.sign, &statement, signature) {
        true => Ok(bundle),
        false => Err(Refusal::NotAuthentic),
    }
}

fn knock_info(parties: &Parties, rank: u8, run: &[u8; 16]) -> Vec<u8> {
    [&parties.bytes(b"knock 1\0")[..], &[rank], run].concat()
}

/// Seals a knock to the committer of `rank`. `None` when it is larger than any may be.
pub(super) fn seal_knock(
    parties: &Parties,
    rank: u8,
    run: &[u8; 16],
    lobby_key: &[u8; 32],
    knock: &KnockPlain,
    seed: &[u8; 32],
) -> Option<Vec<u8>> {
    let plain = pad(knock, &[KNOCK_CLASS])?;
    let info = knock_info(parties, rank, run);
    hpke::seal(lobby_key, &info, &[], &plain, seed).ok()
}

/// Opens a knock.
pub(super) fn open_knock(
    parties: &Parties,
    rank: u8,
    run: &[u8; 16],
    key: &hpke::KeyPair,
    sealed: &[u8],
) -> Result<KnockPlain, Refusal> {
    let info = knock_info(parties, rank, run);
    let plain = hpke::open(key, &info, &[], sealed).map_err(|_| Refusal::NotAuthentic)?;
    let knock: KnockPlain = unpad(&plain)?;
    match knock.is_within_bounds() {
        true => Ok(knock),
        false => Err(Refusal::TooLarge),
    }
}

/// The chair's end of the line that a knock opens.
pub(super) struct ChairLine {
    salt: [u8; 16],
    counter: u64,
    answers: Aes256Gcm,
    answers_aad: Vec<u8>,
    replies: Aes256Gcm,
    replies_aad: Vec<u8>,
    taken: u64,
}

impl ChairLine {
    /// `salt` is drawn anew for each line.
    pub(super) fn new(parties: &Parties, reply_key: &[u8; 32], salt: [u8; 16]) -> Self {
        Self {
            salt,
            counter: 0,
            answers: answer_cipher(reply_key, &salt),
            answers_aad: parties.bytes(b"answer 1"),
            replies: reply_cipher(reply_key),
            replies_aad: parties.bytes(b"reply 1\0"),
            taken: 0,
        }
    }

    /// `None` when it is larger than any answer may be.
    pub(super) fn seal(&mut self, answer: &Answer) -> Option<LobbyBody> {
        let plain = pad(answer, &ANSWER_CLASSES)?;
        self.counter = self.counter.checked_add(1)?;
        let sealed = encrypt(&self.answers, self.counter, &self.answers_aad, &plain)?;
        Some(LobbyBody::Answer {
            salt: self.salt,
            counter: self.counter,
            sealed,
        })
    }

    /// Opens a reply. They are sent in order, and each is taken once.
    pub(super) fn open(&mut self, counter: u64, sealed: &[u8]) -> Result<Reply, Refusal> {
        let reply = decrypt(
            &self.replies,
            counter,
            &self.replies_aad,
            sealed,
            &ANSWER_CLASSES,
        )?;
        if counter <= self.taken {
            return Err(Refusal::Replay);
        }
        self.taken = counter;
        Ok(reply)
    }
}

/// The knocker's end.
pub(super) struct KnockerLine {
    reply_key: Zeroizing<[u8; 32]>,
    answers_aad: Vec<u8>,
    /// The chair's salt, pinned by the first answer that opens, and what was taken under it.
    pinned: Option<([u8; 16], Aes256Gcm)>,
    newest: u64,
    /// Bit n: the answer n before the newest has come.
    taken: u64,
    replies: Aes256Gcm,
    replies_aad: Vec<u8>,
    counter: u64,
}

impl KnockerLine {
    /// `reply_key` is drawn anew for each knock.
    pub(super) fn new(parties: &Parties, reply_key: Zeroizing<[u8; 32]>) -> Self {
        Self {
            answers_aad: parties.bytes(b"answer 1"),
            pinned: None,
            newest: 0,
            taken: 0,
            replies: reply_cipher(&reply_key),
            replies_aad: parties.bytes(b"reply 1\0"),
            counter: 0,
            reply_key,
        }
    }

    /// Opens an answer, in whatever order they come, each once. Says besides whether it is the newest.
    pub(super) fn open(
        &mut self,
        salt: &[u8; 16],
        counter: u64,
        sealed: &[u8],
    ) -> Result<(Answer, bool), Refusal> {
        let (answer, fresh): (Answer, _) = match &self.pinned {
            Some((pinned, _)) if pinned != salt => return Err(Refusal::NotAuthentic),
            Some((_, cipher)) => (
                decrypt(cipher, counter, &self.answers_aad, sealed, &ANSWER_CLASSES)?,
                None,
            ),
            None => {
                let cipher = answer_cipher(&self.reply_key, salt);
                let answer = decrypt(&cipher, counter, &self.answers_aad, sealed, &ANSWER_CLASSES)?;
                (answer, Some((*salt, cipher)))
            }
        };
        let newest = self.take(counter).ok_or(Refusal::Replay)?;
        self.pinned = fresh.or(self.pinned.take());
        match answer.is_within_bounds() {
            true => Ok((answer, newest)),
            false => Err(Refusal::TooLarge),
        }
    }

    /// Takes each counter once, unless it is far behind; says whether it is the newest.
    fn take(&mut self, counter: u64) -> Option<bool> {
        if let Some(ahead) = counter.checked_sub(self.newest).filter(|&ahead| ahead > 0) {
            let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.taken = self.taken.checked_shl(ahead).unwrap_or(0) | 1;
            self.newest = counter;
            return Some(true);
        }
        let behind = u32::try_from(self.newest.saturating_sub(counter)).ok()?;
        let bit = 1_u64
            .checked_shl(behind)
            .filter(|bit| self.taken & bit == 0)?;
        self.taken |= bit;
        Some(false)
    }

    /// `None` when it is larger than any reply may be.
    pub(super) fn seal(&mut self, reply: &Reply) -> Option<LobbyBody> {
        let plain = pad(reply, &ANSWER_CLASSES)?;
        self.counter = self.counter.checked_add(1)?;
        let sealed = encrypt(&self.replies, self.counter, &self.replies_aad, &plain)?;
        Some(LobbyBody::Reply {
            counter: self.counter,
            sealed,
        })
    }
}

fn answer_cipher(reply_key: &[u8; 32], salt: &[u8; 16]) -> Aes256Gcm {
    Aes256Gcm::new((&*derive::<32>(reply_key, "lobby answer", &[salt])).into())
}

fn reply_cipher(reply_key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new((&*derive::<32>(reply_key, "lobby reply", &[])).into())
}

pub(super) fn encrypt(
    cipher: &Aes256Gcm,
    counter: u64,
    aad: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload { msg: plain, aad };
    cipher.encrypt(&nonce(counter), payload).ok()
}

pub(super) fn decrypt<T: DeserializeOwned>(
    cipher: &Aes256Gcm,
    counter: u64,
    aad: &[u8],
    sealed: &[u8],
    classes: &[usize],
) -> Result<T, Refusal> {
    if classes.iter().all(|class| class + TAG != sealed.len()) {
        return Err(Refusal::Malformed);
    }
    let payload = Payload { msg: sealed, aad };
    let plain = cipher.decrypt(&nonce(counter), payload);
    unpad(&Zeroizing::new(plain.map_err(|_| Refusal::NotAuthentic)?))
}

fn nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce.into()
}

/// Two bytes of length, the value in postcard, zeros up to the smallest class that holds it.
pub(super) fn pad(value: &impl Serialize, classes: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    let mut value = postcard::to_allocvec(value).ok()?;
    let class = classes.iter().find(|class| value.len() + 2 <= **class)?;
    let length = u16::try_from(value.len()).ok()?;
    let mut plain = Zeroizing::new(Vec::with_capacity(*class));
    plain.extend_from_slice(&length.to_be_bytes());
    plain.extend_from_slice(&value);
    plain.resize(*class, 0);
    value.zeroize();
    Some(plain)
}

fn unpad<T: DeserializeOwned>(plain: &[u8]) -> Result<T, Refusal> {
    let (length, rest) = plain.split_first_chunk::<2>().ok_or(Refusal::Malformed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (value, padding) = rest.split_at_checked(length).ok_or(Refusal::Malformed)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Refusal::Malformed);
    }
    postcard::from_bytes(value).map_err(|_| Refusal::Malformed)
}
