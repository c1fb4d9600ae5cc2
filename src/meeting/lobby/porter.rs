//! The chair's side of the door.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::body::{Answer, LobbyBody};
use super::limits::{ADMITTED, ASKS, DOORS, FORGOTTEN, KEPT, OPENINGS, SAS_BYTES, UNOPENED};
use super::parts::Parcel;
use super::queue::{Bucket, FairQueue};
use super::seal::{Refusal, lobby_id};
use super::waiter::{Kept, Sending, Waiter, given};
use crate::meeting::chair::{Beat, Outcasts};
use crate::meeting::crypto::{hpke, sign};
use crate::meeting::links::{BundleHash, CommitterLink};
use crate::meeting::secret::{Draws, LinkSecret, Passed};
use crate::wire::{ParticipantId, To};

/// Somebody who waits. All of it is a stranger's word.
pub struct Waiting<'a> {
    /// Small, for the screen and for commands. It stands for this name and this key package: another
    /// knock of the same participant has another number. None is given twice.
    pub number: u32,
    /// Who, by the relay's word.
    pub participant: ParticipantId,
    /// The chosen name; show it through [`display_safe`](crate::meeting::display_safe).
    pub name: &'a str,
    /// For the group.
    pub key_package: &'a [u8],
    /// That this is a member who lost its way, for the group to judge.
    pub proof_of_return: Option<&'a [u8]>,
    /// The lock keeps this one out: it cannot be admitted until the lock is off.
    pub held: bool,
}

/// What follows.
pub enum PorterOutput {
    /// To seal into the lobby's envelope and send.
    Post {
        /// To whom.
        to: To,
        /// What.
        body: LobbyBody,
    },
    /// Somebody new waits under this number.
    Knocked(u32),
    /// Who waited under this number is gone, or knocked anew as somebody else.
    Withdrawn(u32),
    /// A SAS message of who waits under a number.
    Sas {
        /// Whose.
        number: u32,
        /// The message.
        message: Vec<u8>,
    },
}

/// Why somebody cannot be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// Nobody waits under this number.
    #[error("nobody waits under this number")]
    NobodyThere,
    /// The meeting is locked.
    #[error("the meeting is locked; unlock it first")]
    Locked,
    /// The payload is over [`PAYLOAD_BYTES`](super::PAYLOAD_BYTES).
    #[error("what is to be given to them is too large")]
    TooLarge,
}

/// Keeps the door: answers questions, keeps knocks, lets in.
///
/// One for each stay of the chair in a lobby. All that it holds is bounded, and gone with it: after
/// it, knockers ask again and knock anew.
pub struct Porter {
    pub(super) signing: sign::SigningKey,
    pub(super) lobby_key: hpke::KeyPair,
    pub(super) bundle: Vec<u8>,
    pub(super) hash: BundleHash,
    pub(super) rank: u8,
    pub(super) lobby: [u8; 32],
    pub(super) me: ParticipantId,
    pub(super) run: [u8; 16],
    pub(super) draws: Draws,
    pub(super) locked: bool,
    pub(super) words: Vec<Beat>,
    pub(super) guests: HashMap<ParticipantId, Guest>,
    pub(super) asks: FairQueue<[u8; 16]>,
    pub(super) unopened: FairQueue<Vec<u8>>,
    pub(super) doors: Bucket,
    pub(super) openings: Bucket,
    pub(super) waiting: Vec<Waiter>,
    /// The numbers of those who keep their places.
    pub(super) spared: Vec<u32>,
    pub(super) kept: VecDeque<Kept>,
    pub(super) sending: VecDeque<Sending>,
    pub(super) next_part: Duration,
    pub(super) held: bool,
    pub(super) numbers: u32,
    pub(super) out: VecDeque<PorterOutput>,
    pub(super) refusals: [u64; Refusal::KINDS],
}

/// Who was let in by a porter, for the next one.
pub struct LetIn(VecDeque<Kept>);

/// What is remembered of everyone in the lobby.
#[derive(Default)]
pub(super) struct Guest {
    /// Doors that it was shown.
    pub(super) asked: u32,
    /// Knocks of it that were opened.
    pub(super) opened: u32,
    pub(super) denied: bool,
}

impl Porter {
    /// The door of `room` (the link secret, or the secret of the committers' room), held by the
    /// committer of this link, whose id there is `me`. `seed` must be random and never used again.
    pub fn new(
        committer: &CommitterLink,
        room: &LinkSecret,
        me: ParticipantId,
        locked: bool,
        now: Duration,
        seed: [u8; 32],
    ) -> Self {
        let mut draws = Draws::new(seed);
        Self {
            signing: committer.seed.signing_key(),
            lobby_key: committer.seed.lobby_key(),
            bundle: committer.bundle.to_bytes(),
            hash: committer.bundle.hash(),
            rank: committer.rank,
            lobby: lobby_id(room),
            me,
            run: draws.salt(),
            draws,
            locked,
            words: Vec::new(),
            guests: HashMap::new(),
            asks: FairQueue::new(ASKS),
            unopened: FairQueue::new(UNOPENED),
            doors: Bucket::new(DOORS, now),
            openings: Bucket::new(OPENINGS, now),
            waiting: Vec::new(),
            spared: Vec::new(),
            kept: VecDeque::new(),
            sending: VecDeque::new(),
            next_part: now,
            held: false,
            numbers: 0,
            out: VecDeque::new(),
            refusals: [0; Refusal::KINDS],
        }
    }

    /// Gives numbers above this one only: the porter before this one gave those up to it.
    pub fn count_from(&mut self, number: u32) {
        self.numbers = self.numbers.max(number);
    }

    /// These were removed: who asks is told of the committers among them whose doors would go before this
    /// one.
    pub fn without(&mut self, outcasts: &Outcasts) {
        let below = 1_u8.checked_shl(u32::from(self.rank)).unwrap_or(0);
        self.words = outcasts.words(below.wrapping_sub(1));
    }

    /// Those whom this porter let in, for [`Self::keep`] of the next one in the same room.
    pub fn into_let_in(self) -> LetIn {
        LetIn(self.kept)
    }

    /// Those whom the porter before this one let in: their connections may be lost with its own.
    pub fn keep(&mut self, let_in: LetIn) {
        self.kept = let_in.0;
    }

    /// While the line to the room is behind, nobody is answered and no part is sent: what else is said
    /// there goes first. What comes meanwhile waits, within the same bounds as ever.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Takes what came in the lobby.
    pub fn handle(&mut self, now: Duration, from: ParticipantId, body: LobbyBody) {
        let done = match body {
            LobbyBody::Ask { nonce } => self.ask(now, from, nonce),
            LobbyBody::Knock { sealed } => self.knock(now, from, sealed),
            LobbyBody::Reply { counter, sealed } => self.reply(from, counter, &sealed),
            LobbyBody::Door(_) | LobbyBody::Answer { .. } | LobbyBody::Part { .. } => {
                Err(Refusal::Unexpected)
            }
        };
        self.count(done);
        self.work(now);
    }

    /// The relay says that somebody has left the lobby.
    pub fn left(&mut self, participant: ParticipantId) {
        self.guests.remove(&participant);
        self.send_no_more(participant);
        self.withdraw(participant);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        let gone: Vec<_> = self
            .waiting
            .iter()
            .filter(|waiter| now >= waiter.heard.saturating_add(FORGOTTEN))
            .map(|waiter| waiter.participant)
            .collect();
        for participant in gone {
            self.withdraw(participant);
        }
        self.kept.retain(|kept| now < kept.until);
        self.work(now);
    }

    /// When [`Self::tick`] has something to do next. What is held waits for [`Self::hold`].
    pub fn deadline(&self) -> Option<Duration> {
        let asks = (!self.asks.is_empty()).then(|| self.doors.next());
        let knocks = (!self.unopened.is_empty()).then(|| self.openings.next());
        let parts = (!self.sending.is_empty()).then_some(self.next_part);
        let waiting = self
            .waiting
            .iter()
            .map(|waiter| waiter.heard.saturating_add(FORGOTTEN));
        let kept = self.kept.iter().map(|kept| kept.until);
        let queues = [asks, knocks, parts].into_iter().flatten();
        let queues = queues.filter(|_| !self.held);
        queues.chain(waiting).chain(kept).min()
    }

    /// What follows, in order.
    pub fn poll(&mut self) -> Option<PorterOutput> {
        self.out.pop_front()
    }

    /// Everyone who waits, in the order of their numbers.
    pub fn waiting(&self) -> impl Iterator<Item = Waiting<'_>> {
        self.waiting.iter().map(|waiter| Waiting {
            number: waiter.number,
            participant: waiter.participant,
            name: &waiter.knock.name,
            key_package: &waiter.knock.key_package,
            proof_of_return: waiter.knock.proof_of_return.as_deref(),
            held: waiter.is_held(self.locked),
        })
    }

    /// Lets these in by giving them `payload`. It is sent in parts, at the pace of the relay, and once
    /// for all of them. Who does not wait any more, or is kept out by the lock, is passed over.
    ///
    /// # Errors
    /// [`AdmitError`]: nobody is let in.
    pub fn admit(
        &mut self,
        now: Duration,
        numbers: &[u32],
        payload: &Arc<Zeroizing<Vec<u8>>>,
    ) -> Result<(), AdmitError> {
        let locked = self.locked;
        let (let_in, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiter| numbers.contains(&waiter.number) && !waiter.is_held(locked));
        self.waiting = waiting;
        let mut let_in: Vec<Waiter> = let_in;
        let Some(first) = let_in.first() else {
            let waits = self.waiting.iter().any(|one| numbers.contains(&one.number));
            return Err(match waits {
                true => AdmitError::Locked,
                false => AdmitError::NobodyThere,
            });
        };
        let (key, parties) = (self.draws.key(), self.with(first.participant));
        let for_all = let_in.len() > 1;
        let Some(parcel) = Parcel::new(payload, key, for_all, &parties) else {
            self.waiting.append(&mut let_in);
            self.waiting.sort_by_key(|waiter| waiter.number);
            return Err(AdmitError::TooLarge);
        };
        let parcel = Arc::new(parcel);
        for waiter in &mut let_in {
            self.out.extend(waiter.answer(&given(&parcel)));
            if self.kept.len() >= ADMITTED {
                self.kept.pop_front();
            }
            self.kept.push_back(Kept {
                attempts: VecDeque::from([(waiter.participant, waiter.knock.attempt)]),
                key_package: waiter.knock.key_package.clone(),
                payload: Arc::clone(payload),
                until: now.saturating_add(KEPT),
            });
        }
        let anew: Vec<_> = let_in.iter().map(|waiter| waiter.participant).collect();
        for sending in &mut self.sending {
            sending.participants.retain(|one| !anew.contains(one));
        }
        self.sending
            .retain(|sending| !sending.participants.is_empty());
        self.sending.push_back(Sending {
            participants: anew,
            parcel,
            for_all,
            next: 0,
        });
        self.work(now);
        Ok(())
    }

    /// Tells somebody that they are not let in, and hears no more of that participant. `false` when
    /// nobody waits under this number.
    pub fn deny(&mut self, number: u32) -> bool {
        let Some(at) = self.find(number) else {
            return false;
        };
        let mut waiter = self.waiting.remove(at);
        if let Some(guest) = self.guests.get_mut(&waiter.participant) {
            guest.denied = true;
        }
        self.out.extend(waiter.answer(&Answer::Denied));
        true
    }

    /// Locks the meeting, or takes the lock off. Who waits is told, and waits on.
    pub fn lock(&mut self, locked: bool) {
        if std::mem::replace(&mut self.locked, locked) == locked {
            return;
        }
        let answer = match locked {
            true => Answer::Locked,
            false => Answer::Waiting,
        };
        for waiter in &mut self.waiting {
            if waiter.is_held(true) {
                self.out.extend(waiter.answer(&answer));
            }
        }
    }

    /// Tells all who wait where the meeting is now. They are not waited for here any more. Who was let in
    /// is sent the rest at once: nobody comes here later.
    pub fn moved(&mut self, link_secret: &LinkSecret) {
        for mut sending in self.sending.drain(..) {
            while let Some(part) = sending.part() {
                self.out.push_back(part);
            }
        }
        for mut waiter in self.waiting.drain(..) {
            let link_secret = Passed::from(link_secret);
            self.out
                .extend(waiter.answer(&Answer::Moved { link_secret }));
        }
    }

    /// Sends a SAS message to somebody who waits; `false` when nobody waits under this number, or it
    /// is over [`SAS_BYTES`].
    pub fn sas(&mut self, number: u32, message: &[u8]) -> bool {
        if message.len() > SAS_BYTES {
            return false;
        }
        let waiter = self
            .waiting
            .iter_mut()
            .find(|waiter| waiter.number == number);
        let post = waiter.and_then(|waiter| waiter.answer(&Answer::Sas(message.to_vec())));
        let sent = post.is_some();
        self.out.extend(post);
        sent
    }

    /// How often each kind of [`Refusal`] occurred, in their order.
    pub fn refusals(&self) -> &[u64; Refusal::KINDS] {
        &self.refusals
    }

    fn find(&self, number: u32) -> Option<usize> {
        self.waiting
            .iter()
            .position(|waiter| waiter.number == number)
    }
}
