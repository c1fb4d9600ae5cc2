//! Two words that host and knocker see alike when nobody stands between them (a short
//! authentication string, as in RFC 6189, section 4.4.1): the host commits to its nonce before it
//! knows the knocker's, so that neither side, nor anyone between, can choose what comes out.
//!
//! Someone between them is found out but for one try in 2^22. Each try is an [`Attempt`], of which
//! there are three, so that nobody gets more by letting tries fail: states are consumed, and only
//! [`Attempts::take`] makes new ones possible.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::lists::Language;

const WORDS: usize = 2;

/// Tries that one person at the host, and one knocker, gives.
const ATTEMPTS: u8 = 3;

/// What both sides say. Bodies for the lobby's seal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SasMessage {
    /// Host to knocker: the hash of its nonce.
    Commit([u8; 32]),
    /// Knocker to host, after the commitment: its nonce.
    KnockerNonce([u8; 32]),
    /// Host to knocker, after that: the nonce that it had committed to.
    HostNonce([u8; 32]),
}

impl SasMessage {
    /// For the lobby's seal.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// What came; `None` when it is not byte for byte what [`Self::to_bytes`] gives.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let message: Self = postcard::from_bytes(bytes).ok()?;
        (message.to_bytes() == bytes).then_some(message)
    }
}

/// What the words are about. Both sides must have the same, or they see other words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SasContext {
    /// SHA-256 of the host's key bundle, as the link has it.
    pub bundle: [u8; 32],
    /// SHA-256 of the key package that the knocker sent, or that came.
    pub key_package: [u8; 32],
    /// The lobby: its link secret's hash.
    pub lobby: [u8; 32],
}

/// Why a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SasError {
    /// Another message than the one that is due.
    #[error("a message of the comparison came at the wrong time")]
    Unexpected,
    /// The nonce is not the one that was committed to: somebody tried to choose the words.
    #[error("the other side does not keep to what it committed to")]
    BrokenCommitment,
}

/// The tries that are left. One for each knocker at the host; at the knocker one for the life of the
/// link that it came with, over all its knocks.
#[derive(Default)]
pub struct Attempts {
    used: u8,
}

/// One try. Show its number when it is not the first.
pub struct Attempt(u8);

impl Attempts {
    /// One try less; `None` when all are used up.
    pub fn take(&mut self) -> Option<Attempt> {
        if self.used >= ATTEMPTS {
            return None;
        }
        self.used += 1;
        Some(Attempt(self.used))
    }
}

/// What to show and compare.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SasWords {
    numbers: [u16; WORDS],
    attempt: u8,
}

impl SasWords {
    /// Their places in any list, for who has the lists elsewhere.
    pub fn numbers(&self) -> [u16; WORDS] {
        self.numbers
    }

    /// The words. 22 bits.
    pub fn words(&self, language: Language) -> [&'static str; WORDS] {
        self.numbers.map(|number| language.word(number))
    }

    /// Which try this was, from 1.
    pub fn attempt(&self) -> u8 {
        self.attempt
    }
}

/// The host, who has committed and waits for the knocker's nonce.
pub struct HostCommitted {
    context: SasContext,
    attempt: Attempt,
    nonce: Zeroizing<[u8; 32]>,
}

impl HostCommitted {
    /// Begins. `nonce` must be random and never used before.
    pub fn begin(context: SasContext, attempt: Attempt, nonce: [u8; 32]) -> (Self, SasMessage) {
        let nonce = Zeroizing::new(nonce);
        let commit = SasMessage::Commit(commitment(&context, &nonce));
        let this = Self {
            context,
            attempt,
            nonce,
        };
        (this, commit)
    }

    /// Takes the knocker's nonce: the words, and what to answer. Ends the try either way.
    ///
    /// # Errors
    /// [`SasError::Unexpected`].
    pub fn handle(self, message: &SasMessage) -> Result<(SasWords, SasMessage), SasError> {
        let SasMessage::KnockerNonce(theirs) = message else {
            return Err(SasError::Unexpected);
        };
        let words = SasWords {
            numbers: numbers(&self.context, &self.nonce, theirs),
            attempt: self.attempt.0,
        };
        Ok((words, SasMessage::HostNonce(*self.nonce)))
    }
}

/// The knocker, before the host's commitment.
pub struct KnockerReady {
    context: SasContext,
    attempt: Attempt,
}

impl KnockerReady {
    /// Waits for the host to begin.
    pub fn new(context: SasContext, attempt: Attempt) -> Self {
        Self { context, attempt }
    }

    /// Takes the host's commitment: what to answer. `nonce` must be random and never used before.
    ///
    /// # Errors
    /// [`SasError::Unexpected`].
    pub fn handle(
        self,
        message: &SasMessage,
        nonce: [u8; 32],
    ) -> Result<(KnockerAnswered, SasMessage), SasError> {
        let SasMessage::Commit(commit) = message else {
            return Err(SasError::Unexpected);
        };
        let answered = KnockerAnswered {
            context: self.context,
            attempt: self.attempt,
            commit: *commit,
            nonce: Zeroizing::new(nonce),
        };
        Ok((answered, SasMessage::KnockerNonce(nonce)))
    }
}

/// The knocker, who has shown its nonce and waits for the host's.
pub struct KnockerAnswered {
    context: SasContext,
    attempt: Attempt,
    commit: [u8; 32],
    nonce: Zeroizing<[u8; 32]>,
}

impl KnockerAnswered {
    /// Takes the host's nonce: the words. Ends the try either way.
    ///
    /// # Errors
    /// [`SasError`].
    pub fn handle(self, message: &SasMessage) -> Result<SasWords, SasError> {
        let SasMessage::HostNonce(theirs) = message else {
            return Err(SasError::Unexpected);
        };
        if commitment(&self.context, theirs) != self.commit {
            return Err(SasError::BrokenCommitment);
        }
        Ok(SasWords {
            numbers: numbers(&self.context, theirs, &self.nonce),
            attempt: self.attempt.0,
        })
    }
}

fn commitment(context: &SasContext, host: &[u8; 32]) -> [u8; 32] {
    hash(b"sottovoce sas commit 1", context, &[host])
}

fn numbers(context: &SasContext, host: &[u8; 32], knocker: &[u8; 32]) -> [u16; WORDS] {
    let digest = hash(b"sottovoce sas words 01", context, &[host, knocker]);
    let [a, b, c, ..] = digest;
    let bits = u32::from_be_bytes([0, a, b, c]) >> 2;
    [(bits >> 11 & 0x7ff) as u16, (bits & 0x7ff) as u16]
}

/// All parts have a fixed length, and the labels the same one.
fn hash(label: &[u8; 22], context: &SasContext, nonces: &[&[u8; 32]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label);
    hash.update(context.bundle);
    hash.update(context.key_package);
    hash.update(context.lobby);
    for nonce in nonces {
        hash.update(nonce);
    }
    hash.finalize().into()
}
