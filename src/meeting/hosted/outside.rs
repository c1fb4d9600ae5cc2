//! Not a member yet: at a door, with a key package in hand.

use std::time::Duration;

use super::admission::{Admission, Returning};
use super::comparing::{Answering, context};
use super::core::Core;
use super::plain::Plain;
use super::stays::{Arrived, Purpose};
use crate::meeting::chair::Beat;
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::events::{Ending, Notice, Rejection, StayId};
use crate::meeting::group::{Committers, Group, Joining, LeafName};
use crate::meeting::links::{Bundle, Link};
use crate::meeting::lobby::{Knock, Knocker, KnockerOutput, LobbyBody, Status};
use crate::meeting::secret::LinkSecret;
use crate::meeting::verify::SasContext;

/// How long a host waits for a door among the committers when somebody is there: a co-host may be in
/// the chair, or take it now.
const SOMEBODY: Duration = Duration::from_secs(12);

/// And how long when nobody is there, by the relay's word.
const NOBODY: Duration = Duration::from_millis(300);

/// How soon it has knocked at a door that it saw.
const KNOCKS_WITHIN: Duration = Duration::from_secs(2);
/// How long somebody who knows two lobbies of a meeting waits for a door in one of them. After a removal
/// the chair is in the newer one; a host that founded the meeting anew, in that of the link.
const ELSEWHERE: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Outside {
    pub(super) stay: StayId,
    purpose: Purpose,
    secret: LinkSecret,
    pub(super) knocker: Knocker,
    joining: Option<Joining>,
    answering: Answering,
    /// When it may found the meeting, if it may.
    founds_at: Option<Duration>,
    returning: Returning,
    /// Another lobby of this meeting: only who was inside knows two.
    other: Option<LinkSecret>,
    /// When to go there, if no door has answered.
    goes_at: Option<Duration>,
    /// It went from one to the other, and all is as before: nothing of that is said.
    quiet: bool,
}

/// What came of waiting.
pub(super) enum Came {
    /// Nothing yet.
    Nothing,
    /// A welcome, and the secrets of the rooms.
    In {
        group: Box<Group>,
        main: LinkSecret,
        link: LinkSecret,
        beat: Box<Beat>,
    },
    /// Nobody else does: this participant founds the meeting.
    Founds(Box<Group>),
    Over(Ending),
}

/// The name and keys of a leaf of this participant: of its first one, or of another after that.
pub(super) fn joining(core: &mut Core, first: bool) -> Option<Joining> {
    let seed = core.seed();
    let leaf_key = match first {
        true => core.origin.clone(),
        false => SigningKey::from_seed(&core.draws.key()),
    };
    let name = core.presence.name.as_str();
    match &core.link {
        Link::Meeting(link) => {
            let committers = Committers {
                keys: Vec::new(),
                bundle: link.bundle.0,
            };
            let name = LeafName::member(name, core.run);
            Joining::with_key(leaf_key, name, None, committers, seed).ok()
        }
        Link::Committer(link) => {
            let name = LeafName::committer(name, core.run, link.rank);
            let key = link.seed.signing_key();
            let committers = committers(&link.bundle);
            Joining::with_key(leaf_key, name, Some(&key), committers, seed).ok()
        }
    }
}

/// The keys in a bundle, as the group wants them.
pub(super) fn committers(bundle: &Bundle) -> Committers {
    Committers {
        keys: bundle.committers().iter().map(|keys| keys.sign).collect(),
        bundle: bundle.hash().0,
    }
}

impl Outside {
    /// Goes to the door: among the committers, or in the lobby, first in one that it was told of. `None`
    /// only when something is wrong with ourselves.
    pub(super) fn new(
        core: &mut Core,
        returning: Returning,
        told: Option<LinkSecret>,
    ) -> Option<Self> {
        match core.committers() {
            Some((stay, secret)) => Self::at(core, Purpose::Committers, stay, secret, returning),
            None => {
                let secret = told.unwrap_or_else(|| core.link.meeting().secret.clone());
                let stay = core.enter(Purpose::Lobby, &secret);
                Self::at(core, Purpose::Lobby, stay, secret, returning)
            }
        }
    }

    fn at(
        core: &mut Core,
        purpose: Purpose,
        stay: StayId,
        secret: LinkSecret,
        returning: Returning,
    ) -> Option<Self> {
        let joining = joining(core, returning.is_empty())?;
        let answering = Answering::new(context(core, &secret, joining.key_package()));
        Self::with(core, purpose, (stay, secret), returning, joining, answering)
    }

    fn with(
        core: &mut Core,
        purpose: Purpose,
        (stay, secret): (StayId, LinkSecret),
        returning: Returning,
        joining: Joining,
        answering: Answering,
    ) -> Option<Self> {
        let knock = Knock {
            name: core.presence.name.clone(),
            key_package: joining.key_package().to_vec(),
            proof_of_return: returning.prove(&core.origin, joining.key_package()),
        };
        let link = core.link.meeting().with_secret(secret.clone());
        let mut knocker = Knocker::new(&link, knock, core.seed())?;
        knocker.without(&core.outcasts);
        let mut outside = Self {
            stay,
            purpose,
            secret,
            knocker,
            joining: Some(joining),
            answering,
            founds_at: None,
            returning,
            other: None,
            goes_at: None,
            quiet: false,
        };
        let of_link = &core.link.meeting().secret;
        let was_inside = !outside.returning.is_empty();
        if purpose == Purpose::Lobby && was_inside && outside.secret != *of_link {
            outside.other = Some(of_link.clone());
        }
        // It may be in the room already.
        if let Some(me) = core.stays.me(stay) {
            outside.entered(me, core);
        }
        Some(outside)
    }

    fn entered(&mut self, me: crate::wire::ParticipantId, core: &Core) {
        self.knocker.enter(core.now, me);
        self.goes_at = self.goes_next(core.now);
        let is_host = matches!(&core.link, Link::Committer(link) if link.rank == 0);
        if self.purpose == Purpose::Committers && is_host {
            let alone = core.stays.present(self.stay).next().is_none();
            let wait = if alone { NOBODY } else { SOMEBODY };
            self.founds_at = Some(core.now + wait);
        }
    }

    fn goes_next(&self, now: Duration) -> Option<Duration> {
        self.other.as_ref().map(|_| now + ELSEWHERE)
    }

    /// How things are at this door. Whether to say so.
    fn stands(&mut self, status: Status, now: Duration) -> bool {
        let nobody = matches!(status, Status::Asking | Status::HostNotHere);
        self.goes_at = match nobody {
            true => self.goes_at.or_else(|| self.goes_next(now)),
            false => None,
        };
        self.quiet &= nobody;
        !self.quiet
    }

    /// Something came in the room.
    pub(super) fn arrived(&mut self, arrived: Arrived, core: &Core) {
        match arrived {
            Arrived::Entered => {
                if let Some(me) = core.stays.me(self.stay) {
                    self.entered(me, core);
                }
            }
            Arrived::Said(from, plain) => {
                if let Plain::Lobby(body) = *plain {
                    self.knocker.handle(core.now, from, body);
                }
            }
            Arrived::Left(participant) => self.knocker.left(core.now, participant),
            Arrived::Joined => self.knocker.joined(),
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self) {
        (self.founds_at, self.goes_at) = (None, None);
    }

    /// Does what follows.
    pub(super) fn turn(&mut self, core: &mut Core) -> Came {
        if self.goes_at.is_some_and(|at| core.now >= at)
            && let Some(other) = self.other.take()
        {
            let here = self.secret.clone();
            let came = self.goes_to(other, Answering::dropped, core);
            (self.other, self.quiet) = (Some(here), true);
            return came;
        }
        self.knocker.tick(core.now);
        self.answering.tick(core);
        while let Some(said) = self.knocker.poll() {
            match said {
                KnockerOutput::Post { to, body } => {
                    if matches!(body, LobbyBody::Knock { .. }) {
                        self.answering.elsewhere(core);
                    }
                    core.say(self.stay, to, &Plain::Lobby(body));
                }
                KnockerOutput::Door(bundle) => {
                    self.founds_at = None;
                    if let Some(joining) = &mut self.joining {
                        joining.meet(committers(&bundle));
                    }
                    core.note_title(&bundle);
                }
                KnockerOutput::Status(Status::Denied) => return Came::Over(self.denied()),
                KnockerOutput::Status(status) => {
                    if self.stands(status, core.now) {
                        core.note(Notice::Waiting(status));
                    }
                }
                KnockerOutput::Sas(message) => self.compare(&message, core),
                KnockerOutput::Moved(secret) => return self.moved(secret, core),
                KnockerOutput::Admitted(payload) => return self.admitted(&payload, core),
            }
        }
        if self.knocker.sees_a_door() {
            let later = core.now + KNOCKS_WITHIN;
            self.founds_at = self.founds_at.map(|at| at.max(later));
        }
        if self.founds_at.is_some_and(|at| core.now >= at)
            && let Some(joining) = self.joining.take()
            && let Ok(group) = Group::found(joining)
        {
            return Came::Founds(Box::new(group));
        }
        Came::Nothing
    }

    fn compare(&mut self, message: &[u8], core: &mut Core) {
        // Committers are known to each other by their keys.
        if self.purpose != Purpose::Lobby {
            return core.reject(Rejection::Unexpected);
        }
        if let Some(answer) = self.answering.handle(message, core) {
            self.knocker.sas(&answer.to_bytes());
        }
    }

    fn denied(&self) -> Ending {
        match self.purpose {
            Purpose::Committers => Ending::InUse,
            Purpose::Lobby | Purpose::Main | Purpose::Stage => Ending::Denied,
        }
    }

    /// To another lobby, with the same key package: the person in the chair may have compared words about it.
    fn moved(&mut self, secret: LinkSecret, core: &mut Core) -> Came {
        self.goes_to(secret, Answering::moved, core)
    }

    /// To another lobby, with the same key package. What becomes of the words that were compared.
    fn goes_to(
        &mut self,
        secret: LinkSecret,
        words: impl FnOnce(Answering, SasContext, &mut Core) -> Answering,
        core: &mut Core,
    ) -> Came {
        core.leave(self.stay);
        let Some(joining) = self.joining.take() else {
            return Came::Over(Ending::Denied);
        };
        let stay = core.enter(Purpose::Lobby, &secret);
        let returning = std::mem::take(&mut self.returning);
        let context = context(core, &secret, joining.key_package());
        let answering = std::mem::replace(&mut self.answering, Answering::new(context));
        let answering = words(answering, context, core);
        let at = (stay, secret);
        match Self::with(core, Purpose::Lobby, at, returning, joining, answering) {
            Some(outside) => {
                *self = outside;
                Came::Nothing
            }
            None => Came::Over(Ending::Denied),
        }
    }

    fn admitted(&mut self, payload: &[u8], core: &mut Core) -> Came {
        let opened = self
            .joining
            .take()
            .and_then(|joining| Admission::open(payload, joining, &mut core.outcasts));
        let Some(opened) = opened else {
            // Whoever answered holds a committer's key and sent a welcome that leads nowhere: tries
            // again from the beginning.
            self.answering.elsewhere(core);
            core.reject(Rejection::BadProof);
            let (purpose, stay, secret) = (self.purpose, self.stay, self.secret.clone());
            let returning = std::mem::take(&mut self.returning);
            if let Some(outside) = Self::at(core, purpose, stay, secret, returning) {
                let before = std::mem::replace(self, outside);
                (self.other, self.quiet) = (before.other, before.quiet);
                self.goes_at = self.goes_next(core.now);
            }
            return Came::Nothing;
        };
        if self.purpose == Purpose::Lobby {
            core.leave(self.stay);
        }
        Came::In {
            group: Box::new(opened.group),
            main: opened.main,
            link: opened.link,
            beat: Box::new(opened.beat),
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let answering = self.answering.deadline();
        [
            self.knocker.deadline(),
            self.founds_at,
            self.goes_at,
            answering,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
