//! The stage of a vigil, as a speaker has it: media goes there and nowhere else, and so do the papers
//! that viewers and the other speakers know it by. Nothing is said there: the speakers' talk stays in
//! the main room, whose secret no viewer has (`docs/vigil.md`).

use std::time::Duration;

use bytes::Bytes;

use super::core::Core;
use super::inside::Inside;
use super::stays::{Arrived, Purpose};
use super::voice::attested;
use crate::meeting::chair::Beat;
use crate::meeting::events::{Output, StayId};
use crate::meeting::media::Attest;
use crate::meeting::secret::LinkSecret;
use crate::meeting::track::{Presence, TrackKind};
use crate::meeting::vigil::{
    ATTESTS_KEPT, Card, PAPERS, Paper, Present, RENEW_EVERY, SPEAKERS, Says, Seal, Speaker, Word,
    person,
};
use crate::wire::{GroupNumber, ParticipantId};

/// See the module.
pub(super) struct Stage {
    pub(super) stay: StayId,
    viewer: LinkSecret,
    /// What seals papers, while this side is in the room.
    seal: Option<Seal>,
    present: Present,
    /// The group of papers that is begun next.
    group: u32,
    renew_at: Option<Duration>,
    /// The newest card of one's own, in the chair.
    card: Option<Card>,
    /// Signatures over the groups of pictures that are under way.
    kept: Vec<Attest>,
}

impl Stage {
    /// Goes there, in a vigil.
    pub(super) fn enter(core: &mut Core) -> Option<Self> {
        let viewer = core.viewer()?.clone();
        Some(Self {
            stay: core.enter(Purpose::Stage, &viewer),
            viewer,
            seal: None,
            present: Present::default(),
            group: 0,
            renew_at: None,
            card: None,
            kept: Vec::new(),
        })
    }

    /// Where media goes.
    pub(super) fn rooms(&self) -> Vec<StayId> {
        let there = self.seal.is_some().then_some(self.stay);
        there.into_iter().collect()
    }

    pub(super) fn lost(&mut self) {
        self.seal = None;
        self.renew_at = None;
        self.present.clear();
    }

    /// This side has other keys: what it signed with those before is of no use.
    pub(super) fn new_voice(&mut self) {
        self.kept.clear();
    }

    /// No card is this side's any more.
    pub(super) fn cease_to_rule(&mut self) {
        self.card = None;
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let turns = self.seal.as_ref().and(self.present.deadline());
        self.renew_at.into_iter().chain(turns).min()
    }

    fn meet(&mut self, participant: ParticipantId, core: &mut Core) {
        if self.present.enter(core.now, participant) {
            let (stay, out) = (self.stay, &mut core.out);
            core.stays.listen(stay, participant, PAPERS, true, out);
        }
    }

    fn publish(&mut self, paper: &Paper, first: bool, core: &mut Core) {
        let bytes = self.seal.as_mut().and_then(|seal| seal.seal(paper));
        if let Some(bytes) = bytes {
            core.out.push_back(Output::GroupFrame {
                stay: self.stay,
                track: PAPERS,
                group: GroupNumber(self.group.saturating_sub(1)),
                first,
                bytes,
            });
        }
    }

    /// Signatures over the group of pictures `current`, of which `begins` is the hash of the first, are
    /// kept for who comes later; those over the group before are not, once they are there.
    fn keep(&mut self, attest: &Attest, begins: bool) {
        if begins {
            self.kept.retain(|kept| kept.track != attest.track);
        }
        if self.kept.len() < ATTESTS_KEPT {
            self.kept.push(attest.clone());
        }
    }
}

impl Inside {
    /// Whether this is the stage.
    pub(super) fn is_stage(&self, stay: StayId) -> bool {
        self.stage.as_ref().is_some_and(|stage| stage.stay == stay)
    }

    /// Something came of the stage room.
    pub(super) fn stage_arrived(&mut self, arrived: &Arrived, core: &mut Core) {
        let Some(stage) = &mut self.stage else {
            return;
        };
        match arrived {
            Arrived::Entered => {
                let Some(me) = core.stays.me(stage.stay) else {
                    return;
                };
                stage.lost();
                stage.seal = Some(Seal::new(&stage.viewer, core.draws.salt(), me));
                let stay = stage.stay;
                self.meet_on_stage(core);
                self.renew_papers(core);
                if !self.stopped {
                    self.voice.moved(stay, core);
                }
            }
            Arrived::Joined => self.meet_on_stage(core),
            Arrived::Left(participant) => stage.present.leave(*participant),
            Arrived::Said(..) => {}
        }
    }

    fn meet_on_stage(&mut self, core: &mut Core) {
        if let Some(stage) = &mut self.stage {
            let present: Vec<_> = core.stays.present(stage.stay).collect();
            for participant in present {
                stage.meet(participant, core);
            }
        }
    }

    /// A paper came.
    pub(super) fn paper(&mut self, from: ParticipantId, sealed: &Bytes, core: &mut Core) {
        let Some(stage) = self.stage.as_mut().filter(|one| one.present.reads(from)) else {
            return;
        };
        let stay = stage.stay;
        let good = match Paper::open(&stage.viewer, from, sealed) {
            Ok(Paper::Word(word)) => self.placed(from, word, core),
            Ok(Paper::Attest(attest)) => match self.people.at(stay, from) {
                Some(who) => attested(who, &attest, &mut self.people, core),
                None => false,
            },
            // Whom it is from is known by its word, and who speaks by the group.
            Ok(Paper::Card(_)) => self.people.at(stay, from).is_some(),
            Err(rejection) => {
                core.reject(rejection);
                false
            }
        };
        self.judge_papers(stay, from, good, core);
    }

    fn judge_papers(&mut self, stay: StayId, from: ParticipantId, good: bool, core: &mut Core) {
        let stage = self.stage.as_mut();
        if let Some(on) = stage.and_then(|stage| stage.present.judge(from, good)) {
            let out = &mut core.out;
            core.stays.listen(stay, from, PAPERS, on, out);
        }
    }

    /// Somebody says that it is this participant of the stage room: whether it is.
    fn placed(&mut self, from: ParticipantId, word: Box<Word>, core: &mut Core) -> bool {
        let Some(stay) = self.stage.as_ref().map(|stage| stage.stay) else {
            return false;
        };
        let Says::Here { salt, .. } = &word.says else {
            // How tracks and the meeting end is said in the group.
            return self.people.at(stay, from).is_some();
        };
        let who = self.people.by_leaf(word.leaf).filter(|who| {
            let person = self.people.get(*who);
            person.is_some_and(|person| word.is_by(&person.sign_key, from, salt))
        });
        let Some(who) = who else {
            if let Some(stage) = &mut self.stage {
                stage.present.wait(from, word);
            }
            return false;
        };
        if self.people.at(stay, from) != Some(who) {
            self.people.here(who, stay, from);
            self.listen_again(who, stay, from, core);
        }
        true
    }

    /// The tree is another one: words may be by those who came, and one's own leaf may be another.
    pub(super) fn stage_epoch(&mut self, core: &mut Core) {
        let Some(stage) = &mut self.stage else {
            return;
        };
        let stay = stage.stay;
        for (participant, word) in stage.present.waited() {
            if self.placed(participant, word, core) {
                self.judge_papers(stay, participant, true, core);
                // Its signatures came before it was known whose they are: all once more.
                for on in [false, true] {
                    let out = &mut core.out;
                    core.stays.listen(stay, participant, PAPERS, on, out);
                }
            }
        }
        // The chair's go out with its next beat, which follows at once.
        if self.ruling.is_none() {
            self.renew_papers(core);
        }
    }

    /// The chair's card, with a beat of its own: it goes out at once.
    pub(super) fn publish_card(&mut self, beat: Beat, core: &mut Core) {
        let (Some(stage), Some(link)) = (&mut self.stage, core.committer()) else {
            return;
        };
        let speakers = self.group.roster().iter().take(SPEAKERS);
        let speakers = speakers.map(|member| Speaker {
            leaf: member.leaf,
            name: member.name.clone(),
            rank: member.rank,
            sign_key: member.sign_key,
            person: person(&member.run),
        });
        stage.card = Card::new(
            beat,
            self.voice.base(),
            &link.bundle,
            speakers.collect(),
            &link.seed.signing_key(),
        );
        self.renew_papers(core);
    }

    /// Publishes all papers anew, in a new group: who comes later is given that at once.
    pub(super) fn renew_papers(&mut self, core: &mut Core) {
        let Some(stage) = &mut self.stage else {
            return;
        };
        let Some(me) = core.stays.me(stage.stay) else {
            return;
        };
        let salt = self.voice.salt();
        let presence = Presence {
            name: String::new(),
            ..core.presence.clone()
        };
        let here = Says::Here {
            presence,
            standing: self.standing.said(),
            salt,
        };
        let Some(word) = Word::sign(&self.group, me, &salt, here) else {
            return;
        };
        stage.group += 1;
        stage.renew_at = Some(core.now + RENEW_EVERY);
        stage.publish(&Paper::Word(Box::new(word)), true, core);
        if let Some(card) = stage.card.clone() {
            stage.publish(&Paper::Card(Box::new(card)), false, core);
        }
        for attest in stage.kept.clone() {
            stage.publish(&Paper::Attest(attest), false, core);
        }
    }

    /// Signatures over what this side sent, for everyone.
    pub(super) fn publish_attest(&mut self, attest: Attest, core: &mut Core) {
        let Some(stage) = &mut self.stage else {
            return self.say(&super::plain::Said::Attest(attest), core);
        };
        let kind = core
            .presence
            .tracks
            .iter()
            .find(|track| track.track == attest.track)
            .map(|track| track.kind);
        if matches!(kind, Some(TrackKind::Video { .. })) {
            stage.keep(&attest, self.voice.begins_in(&attest));
        }
        stage.publish(&Paper::Attest(attest), false, core);
    }

    /// Something of this side that viewers are to know, too.
    pub(super) fn tell_viewers(&mut self, says: Says, core: &mut Core) {
        let Some(stage) = &mut self.stage else {
            return;
        };
        let me = core.stays.me(stage.stay);
        let salt = self.voice.salt();
        let word = me.and_then(|me| Word::sign(&self.group, me, &salt, says));
        if let Some(word) = word {
            stage.publish(&Paper::Word(Box::new(word)), false, core);
        }
    }

    /// What is to be done on the stage by now.
    pub(super) fn stage_turn(&mut self, core: &mut Core) {
        let due = self.stage.as_ref().and_then(|stage| stage.renew_at);
        if due.is_some_and(|at| core.now >= at) {
            self.renew_papers(core);
        }
        let Some(stage) = &mut self.stage else {
            return;
        };
        let (stay, people) = (stage.stay, &self.people);
        let turns = stage
            .present
            .turn(core.now, |one| people.at(stay, one).is_some());
        for (participant, on) in turns {
            let out = &mut core.out;
            core.stays.listen(stay, participant, PAPERS, on, out);
        }
    }
}
