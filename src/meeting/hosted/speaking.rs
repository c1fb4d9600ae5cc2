//! What a member says of itself, and to everyone.

use std::time::Duration;

use zeroize::Zeroizing;

use super::core::Core;
use super::inside::Inside;
use super::plain::{Plain, Said};
use crate::meeting::events::{Notice, StayId};
use crate::meeting::limits::{STANDING_EACH, STANDS_EACH};
use crate::wire::{ParticipantId, To};

/// How long somebody may take to say where it is, before it is asked.
const ASK_AFTER: Duration = Duration::from_secs(2);

/// How often it is asked.
const ASK_EACH: Duration = Duration::from_secs(5);

/// How many are asked one by one; if there are more, everyone is.
const ASK_FEW: usize = 4;

/// How much later than the leaf before it a leaf answers. All at once are two hundred bodies for who
/// asked, and a relay closes who has 256 KiB waiting.
const ANSWER_EACH: Duration = Duration::from_millis(5);

impl Inside {
    /// Says where and what this participant is.
    pub(super) fn introduce(&mut self, stay: StayId, to: To, asks: bool, core: &mut Core) {
        let Some(me) = core.stays.me(stay) else {
            return;
        };
        let said = Said::Here {
            presence: core.presence.clone(),
            standing: self.standing.said(),
            salt: self.voice.salt(),
            me,
            signs: core.signs,
            asks,
        };
        self.say_in(stay, to, &said, core);
    }

    /// Somebody is in the newest main room of whom it is not known who that is, and somebody in the tree
    /// has not said where it is: what it said was lost, or could not be opened yet. Says once more where
    /// this participant is, and asks for the same.
    pub(super) fn ask_again(&mut self, core: &mut Core) {
        let Some(home) = self.home() else {
            return;
        };
        let unknown = |id: &ParticipantId| self.people.at(home, *id).is_none();
        let unknown: Vec<ParticipantId> = core.stays.present(home).filter(unknown).collect();
        let missing = !unknown.is_empty()
            && self
                .people
                .iter()
                .any(|(_, one)| one.at.iter().all(|at| at.0 != home));
        let due = match (missing, self.ask_at) {
            (false, _) => {
                self.ask_at = None;
                false
            }
            (true, None) => {
                self.ask_at = Some(core.now + ASK_AFTER);
                false
            }
            (true, Some(at)) => core.now >= at,
        };
        if due {
            self.ask_at = Some(core.now + ASK_EACH);
            if unknown.len() > ASK_FEW {
                return self.introduce(home, To::Everyone, true, core);
            }
            for id in unknown {
                self.introduce(home, To::One(id), true, core);
            }
        }
    }

    /// Somebody wants to know where this participant is.
    pub(super) fn answer_later(&mut self, stay: StayId, to: ParticipantId, core: &Core) {
        let at = core.now + ANSWER_EACH * self.group.me().0;
        self.answers.push_back((at, stay, to));
    }

    /// Tells those whose time has come.
    pub(super) fn answer(&mut self, core: &mut Core) {
        while let Some((at, stay, to)) = self.answers.front().copied()
            && at <= core.now
        {
            self.answers.pop_front();
            self.introduce(stay, To::One(to), false, core);
        }
    }

    /// Says the same in every room: after a welcome that led to other keys.
    pub(super) fn introduce_anew(&mut self, core: &mut Core) {
        self.introduce_everywhere(true, core);
    }

    /// This participant is another: everybody is told, and nobody asked.
    pub(super) fn describe_anew(&mut self, core: &mut Core) {
        self.introduce_everywhere(false, core);
        self.renew_papers(core);
    }

    /// Says how this participant stands, and tells how others do, where that has changed. Who watches a vigil
    /// hears of it when the papers are published next. Nothing is said while somebody may read along who was
    /// removed.
    pub(super) fn stand(&mut self, core: &mut Core) {
        let now = core.now;
        if !self.stopped && self.standing.due(now, STANDS_EACH).is_some() {
            self.introduce_everywhere(false, core);
        }
        for (who, person) in self.people.iter_mut().filter(|(_, one)| one.shown) {
            if let Some(standing) = person.standing.due(now, STANDING_EACH) {
                core.note(Notice::Standing { who, standing });
            }
        }
    }

    fn introduce_everywhere(&mut self, asks: bool, core: &mut Core) {
        let rooms: Vec<StayId> = self.homes.iter().map(|home| home.stay).collect();
        for stay in rooms {
            self.introduce(stay, To::Everyone, asks, core);
        }
    }

    /// Says something to everyone, in the newest main room.
    pub(super) fn say(&mut self, said: &Said, core: &mut Core) {
        if let Some(home) = self.home() {
            self.say_in(home, To::Everyone, said, core);
        }
    }

    /// Says something to everyone in one room.
    pub(super) fn say_to(&mut self, stay: StayId, said: &Said, core: &mut Core) {
        self.say_in(stay, To::Everyone, said, core);
    }

    fn say_in(&mut self, stay: StayId, to: To, said: &Said, core: &mut Core) {
        let Ok(said) = postcard::to_allocvec(said).map(Zeroizing::new) else {
            return;
        };
        match self.group.say(&said) {
            Ok(bytes) => core.say(stay, to, &Plain::Mls(bytes)),
            Err(rejection) => core.reject(rejection.into()),
        }
    }
}
