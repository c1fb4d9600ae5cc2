//! What every part of a meeting needs: the time, the rooms, what to say, and who one is.

use std::collections::VecDeque;
use std::time::Duration;

use super::plain::Plain;
use super::stays::{Purpose, Stays};
use crate::meeting::chair::Outcasts;
use crate::meeting::crypto::sign::SigningKey;
use crate::meeting::events::{Notice, Output, Rejection, StayId};
use crate::meeting::group::run_of;
use crate::meeting::links::{Bundle, CommitterLink, Link};
use crate::meeting::secret::{Draws, LinkSecret};
use crate::meeting::standing::Standing;
use crate::meeting::track::Presence;
use crate::meeting::verify::Attempts;
use crate::wire::To;

/// See the module.
pub(super) struct Core {
    pub(super) now: Duration,
    pub(super) stays: Stays,
    pub(super) out: VecDeque<Output>,
    pub(super) draws: Draws,
    pub(super) link: Link,
    pub(super) presence: Presence,
    /// How this participant stands, as the person wants it shown.
    pub(super) standing: Standing,
    /// Whether this participant signs what it sends.
    pub(super) signs: bool,
    /// The key of the first leaf of this process.
    pub(super) origin: SigningKey,
    /// This process, for everybody: [`run_of`] that key.
    pub(super) run: [u8; 16],
    /// Who was removed, while this participant is not inside: who comes back knows it still.
    pub(super) outcasts: Outcasts,
    /// Whoever knocks is let in, where this participant holds the chair.
    pub(super) admits_all: bool,
    /// The committers' room, for those who have the way there.
    room: Option<StayId>,
    /// The highest number that a knock has had: the lobby gives none twice, whoever keeps its door.
    pub(super) knocks: u32,
    /// What is left of comparisons with those who keep the door, over all knocks by this link.
    pub(super) tries: Attempts,
    titled: bool,
    rejections: [u64; Rejection::KINDS],
}

impl Core {
    pub(super) fn new(link: Link, presence: Presence, signs: bool, seed: [u8; 32]) -> Self {
        let mut draws = Draws::new(seed);
        let origin = SigningKey::from_seed(&draws.key());
        let signs = signs || link.meeting().viewer.is_some();
        Self {
            now: Duration::ZERO,
            stays: Stays::default(),
            out: VecDeque::new(),
            run: run_of(&origin.public()),
            origin,
            draws,
            link,
            presence,
            standing: Standing::default(),
            signs,
            outcasts: Outcasts::default(),
            admits_all: false,
            room: None,
            knocks: 0,
            tries: Attempts::default(),
            titled: false,
            rejections: [0; Rejection::KINDS],
        }
    }

    pub(super) fn say(&mut self, stay: StayId, to: To, plain: &Plain) {
        self.stays.say(self.now, stay, to, plain, &mut self.out);
    }

    pub(super) fn enter(&mut self, purpose: Purpose, secret: &LinkSecret) -> StayId {
        self.stays.enter(purpose, secret, &mut self.out)
    }

    pub(super) fn leave(&mut self, stay: StayId) {
        self.stays.leave(stay, &mut self.out);
    }

    /// This participant's own link to hold the meeting, if it is such a one.
    pub(super) fn committer(&self) -> Option<&CommitterLink> {
        match &self.link {
            Link::Committer(link) => Some(link),
            Link::Meeting(_) => None,
        }
    }

    /// The viewer key, in a vigil.
    pub(super) fn viewer(&self) -> Option<&LinkSecret> {
        self.link.meeting().viewer.as_ref()
    }

    pub(super) fn rank(&self) -> Option<u8> {
        self.committer().map(|link| link.rank)
    }

    /// Whether others follow when this participant, in the chair, removes somebody of that rank.
    pub(super) fn may_remove(&self, rank: Option<u8>) -> bool {
        rank.is_none_or(|rank| self.rank().is_some_and(|own| own < rank))
    }

    /// The committers' room, entered if need be.
    pub(super) fn committers(&mut self) -> Option<(StayId, LinkSecret)> {
        let secret = self.committer()?.committers_room();
        let stay = match self.room {
            Some(stay) => stay,
            None => self.enter(Purpose::Committers, &secret),
        };
        self.room = Some(stay);
        Some((stay, secret))
    }

    pub(super) fn note(&mut self, notice: Notice) {
        self.out.push_back(Output::Told(notice));
    }

    pub(super) fn note_title(&mut self, bundle: &Bundle) {
        if let (false, Some(title)) = (self.titled, bundle.display_title()) {
            self.titled = true;
            self.note(Notice::Title(title));
        }
    }

    /// Something was refused: it is counted, and costs nobody anything else.
    pub(super) fn reject(&mut self, rejection: Rejection) {
        if let Some(count) = self.rejections.get_mut(rejection as usize) {
            *count += 1;
        }
        self.out.push_back(Output::Rejected(rejection));
    }

    pub(super) fn rejections(&self) -> &[u64; Rejection::KINDS] {
        &self.rejections
    }

    /// 32 fresh random bytes.
    pub(super) fn seed(&mut self) -> [u8; 32] {
        *self.draws.key()
    }
}
