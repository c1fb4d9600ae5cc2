//! Somebody who wants to come in.
//!
//! Its states are types, each with what it alone knows; what comes at the wrong time finds no
//! function that takes it.

mod stages;

use std::collections::VecDeque;
use std::time::Duration;

use super::body::{Answer, Door, KnockPlain, LobbyBody, Reply};
use super::limits::{
    ASK_EVERY, ASK_NEWCOMERS, KEY_PACKAGE_BYTES, NOT_HERE, PROOF_BYTES, SAS_BYTES, SILENT,
};
use super::outputs::{Knock, KnockerOutput, Status};
use super::parts::Assembly;
use super::seal::{KnockerLine, Parties, Refusal, check, lobby_id, seal_knock};
use super::shown::{Checked, Shown};
use crate::meeting::chair::{Claim, Outcasts};
use crate::meeting::crypto::sign;
use crate::meeting::limits::NAME_BYTES;
use crate::meeting::links::{BundleHash, MeetingLink};
use crate::meeting::secret::{Draws, Passed};
use crate::wire::{ParticipantId, To};

/// Knocks until somebody opens or says no.
pub struct Knocker {
    core: Core,
    state: State,
}

/// What all states share.
struct Core {
    pinned: BundleHash,
    lobby: [u8; 32],
    knock: Knock,
    /// Whose doors lead nowhere.
    outcasts: Outcasts,
    draws: Draws,
    me: ParticipantId,
    attempt: u32,
    status: Option<Status>,
    introduced: bool,
    out: VecDeque<KnockerOutput>,
    refusals: [u64; Refusal::KINDS],
}

enum State {
    /// Not in the lobby, or done.
    Still,
    Asking(Asking),
    Knocked(Box<Knocked>),
}

/// No door has answered.
struct Asking {
    since: Duration,
    question: Question,
    /// Since it was asked.
    somebody_came: bool,
    shown: Shown,
}

/// The newest question; an answer to an older one is worth nothing.
#[derive(Clone, Copy)]
struct Question {
    nonce: [u8; 16],
    asked: Duration,
}

/// A committer has answered, and has the knock.
struct Knocked {
    chair: ParticipantId,
    run: [u8; 16],
    line: KnockerLine,
    assembly: Option<Assembly>,
    /// Words are to come soon: parts of a payload, or a free place.
    soon: bool,
    /// When the chair last said something.
    heard: Duration,
    question: Option<Question>,
    /// Doors of others.
    shown: Shown,
}

impl Knocker {
    /// Somebody with this link. `None` when the knock is over its bounds. `seed` must be random and
    /// never used again.
    pub fn new(link: &MeetingLink, knock: Knock, seed: [u8; 32]) -> Option<Self> {
        let proof = knock.proof_of_return.as_ref().map_or(0, Vec::len);
        let fits = knock.name.len() <= NAME_BYTES
            && knock.key_package.len() <= KEY_PACKAGE_BYTES
            && proof <= PROOF_BYTES;
        fits.then(|| Self {
            core: Core {
                pinned: link.bundle,
                lobby: lobby_id(&link.secret),
                knock,
                outcasts: Outcasts::default(),
                draws: Draws::new(seed),
                me: ParticipantId(0),
                attempt: 0,
                status: None,
                introduced: false,
                out: VecDeque::new(),
                refusals: [0; Refusal::KINDS],
            },
            state: State::Still,
        })
    }

    /// These were removed: a door of a committer among them is none.
    pub fn without(&mut self, outcasts: &Outcasts) {
        self.core.outcasts = outcasts.clone();
    }

    /// Whether a door has answered, that it may knock at soon.
    pub fn sees_a_door(&self) -> bool {
        matches!(&self.state, State::Asking(asking) if !asking.shown.is_empty())
    }

    /// A connection to the lobby has come about, the first one or another: asks who holds the door.
    pub fn enter(&mut self, now: Duration, me: ParticipantId) {
        self.core.me = me;
        self.core.introduced = false;
        self.core.is(Status::Asking);
        self.state = State::Asking(self.core.ask_anew(now));
    }

    /// Takes what came in the lobby.
    pub fn handle(&mut self, now: Duration, from: ParticipantId, body: LobbyBody) {
        let core = &mut self.core;
        let (state, done) = match (std::mem::replace(&mut self.state, State::Still), body) {
            (State::Asking(asking), LobbyBody::Door(door)) => asking.door(core, now, from, door),
            (State::Knocked(knocked), LobbyBody::Door(door)) => knocked.door(core, now, from, door),
            (
                State::Knocked(knocked),
                LobbyBody::Answer {
                    salt,
                    counter,
                    sealed,
                },
            ) => knocked.answer(core, now, from, (salt, counter, &sealed)),
            (State::Knocked(knocked), LobbyBody::Part { index, sealed }) => {
                knocked.part(core, now, from, (index, &sealed))
            }
            // Others ask as well, and are let in.
            (state, LobbyBody::Ask { .. } | LobbyBody::Part { .. }) => (state, Ok(())),
            (state, _) => (state, Err(Refusal::Unexpected)),
        };
        self.state = state;
        self.count(done);
        self.look(now);
    }

    /// The relay says that somebody has come into the lobby: it may be the chair.
    pub fn joined(&mut self) {
        if let State::Asking(asking) = &mut self.state {
            asking.somebody_came = true;
        }
    }

    /// The relay says that somebody has left the lobby.
    pub fn left(&mut self, now: Duration, participant: ParticipantId) {
        if matches!(&self.state, State::Knocked(knocked) if knocked.chair == participant) {
            self.state = State::Asking(self.core.ask_anew(now));
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        match &mut self.state {
            State::Still => {}
            State::Asking(asking) => asking.tick(&mut self.core, now),
            State::Knocked(knocked) => knocked.tick(&mut self.core, now),
        }
        self.look(now);
    }

    /// Knocks at one of the doors that were shown, once it is time.
    fn look(&mut self, now: Duration) {
        let shown = match &mut self.state {
            State::Still => return,
            State::Asking(asking) => &mut asking.shown,
            State::Knocked(knocked) => &mut knocked.shown,
        };
        if let Some(one) = shown.take(now, &self.core.outcasts) {
            let (state, done) = self.core.knock(now, one);
            self.state = state;
            self.count(done);
        }
    }

    fn count(&mut self, done: Result<(), Refusal>) {
        if let Err(refusal) = done
            && let Some(count) = self.core.refusals.get_mut(refusal as usize)
        {
            *count = count.saturating_add(1);
        }
    }

    /// When [`Self::tick`] has something to do next.
    pub fn deadline(&self) -> Option<Duration> {
        match &self.state {
            State::Still => None,
            State::Asking(asking) => Some(asking.deadline(&self.core)),
            State::Knocked(knocked) => Some(knocked.deadline()),
        }
    }

    /// Sends a SAS message to the chair; `false` when there is none, or the message is over
    /// [`SAS_BYTES`](super::SAS_BYTES).
    pub fn sas(&mut self, message: &[u8]) -> bool {
        let State::Knocked(knocked) = &mut self.state else {
            return false;
        };
        if message.len() > SAS_BYTES {
            return false;
        }
        let body = knocked.line.seal(&Reply::Sas(message.to_vec()));
        let to = To::One(knocked.chair);
        let post = body.map(|body| KnockerOutput::Post { to, body });
        let sent = post.is_some();
        self.core.out.extend(post);
        sent
    }

    /// What follows, in order.
    pub fn poll(&mut self) -> Option<KnockerOutput> {
        self.core.out.pop_front()
    }

    /// How things stand; `None` before the first connection.
    pub fn status(&self) -> Option<Status> {
        self.core.status
    }

    /// How often each kind of [`Refusal`] occurred, in their order.
    pub fn refusals(&self) -> &[u64; Refusal::KINDS] {
        &self.core.refusals
    }
}

type Next = (State, Result<(), Refusal>);

impl Core {
    fn with(&self, chair: ParticipantId) -> Parties {
        Parties {
            lobby: self.lobby,
            chair,
            knocker: self.me,
        }
    }

    fn is(&mut self, status: Status) {
        if self.status.replace(status) != Some(status) {
            self.out.push_back(KnockerOutput::Status(status));
        }
    }

    fn ask_anew(&mut self, now: Duration) -> Asking {
        Asking {
            since: now,
            question: self.ask(now),
            somebody_came: false,
            shown: Shown::default(),
        }
    }

    fn ask(&mut self, now: Duration) -> Question {
        let nonce = self.draws.salt();
        self.out.push_back(KnockerOutput::Post {
            to: To::Everyone,
            body: LobbyBody::Ask { nonce },
        });
        Question { nonce, asked: now }
    }

    /// Checks a door, and takes what its committer passes on of others.
    fn check(
        &mut self,
        chair: ParticipantId,
        door: Door,
        question: &Question,
    ) -> Result<Checked, Refusal> {
        let bundle = check(&self.with(chair), &self.pinned, &door, &question.nonce)?;
        let signed = |rank, bytes: &[u8], signature: &[u8; 64]| {
            let keys = bundle.committer(rank);
            keys.is_some_and(|keys| sign::verify(&keys.sign, bytes, signature))
        };
        // It passes on what those before it said. Its own word is against nobody who goes before it.
        let below = |claim: &Claim| claim.rank < door.rank;
        self.outcasts.take_words(&door.words, signed, below);
        // Not only when it is to be taken: whoever waits for a door must not take this one for it.
        if self.outcasts.has_committer(door.rank) {
            return Err(Refusal::NotAuthentic);
        }
        Ok(Checked {
            chair,
            door,
            bundle,
        })
    }

    /// Knocks at a door that was checked, under a reply key that no other knock has.
    fn knock(&mut self, now: Duration, one: Checked) -> Next {
        let Checked {
            chair,
            door,
            bundle,
        } = one;
        let parties = self.with(chair);
        let reply_key = self.draws.key();
        self.attempt = self.attempt.saturating_add(1);
        let plain = KnockPlain {
            reply_key: Passed::new(&reply_key),
            attempt: self.attempt,
            name: self.knock.name.clone(),
            key_package: self.knock.key_package.clone(),
            proof_of_return: self.knock.proof_of_return.clone(),
        };
        let seed = self.draws.key();
        let sealed = bundle.committer(door.rank).and_then(|keys| {
            seal_knock(&parties, door.rank, &door.run, &keys.lobby, &plain, &seed)
        });
        let Some(sealed) = sealed else {
            // The committer's own key is out of order: nothing comes of asking again at once.
            let nonce = self.draws.salt();
            let question = Question { nonce, asked: now };
            let asking = Asking {
                somebody_came: false,
                since: now,
                question,
                shown: Shown::default(),
            };
            return (State::Asking(asking), Err(Refusal::Malformed));
        };
        self.out.push_back(KnockerOutput::Post {
            to: To::One(chair),
            body: LobbyBody::Knock { sealed },
        });
        if !std::mem::replace(&mut self.introduced, true) {
            self.out.push_back(KnockerOutput::Door(bundle));
        }
        self.waits(&door);
        let knocked = Knocked {
            chair,
            run: door.run,
            line: KnockerLine::new(&parties, reply_key),
            assembly: None,
            soon: false,
            heard: now,
            question: None,
            shown: Shown::default(),
        };
        (State::Knocked(Box::new(knocked)), Ok(()))
    }

    /// A lock is not against those who come back.
    fn waits(&mut self, door: &Door) {
        let locked = door.locked && self.knock.proof_of_return.is_none();
        self.is(match locked {
            true => Status::Locked,
            false => Status::Waiting,
        });
    }
}
