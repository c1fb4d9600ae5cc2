//! What follows from who holds the chair: beats, taking it, leaving it to another, and how two halves
//! of a meeting become one again (`docs/chair.md`).

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use super::core::Core;
use super::inside::{Became, Inside};
use super::people::Person;
use super::plain::{Plain, Said, Told};
use crate::meeting::chair::{Beat, BeatError, Claim, Outcasts, Output as Act, Runs};
use crate::meeting::events::{Ending, Freshness, Notice, Rejection, StayId, Who};
use crate::meeting::group::{LeafId, Member};
use crate::meeting::links::CommitterLink;
use crate::meeting::secret::Passed;
use crate::wire::{ParticipantId, To};

/// How often a chair is told whom another one removed, until it answers.
const TELL_EACH: Duration = Duration::from_secs(2);

/// What a committer remembers of its own rule.
#[derive(Default)]
pub(super) struct Chairs {
    /// Whom it removed, by their processes.
    pub(super) outcasts: Outcasts,
    /// The chair that rules is still to be told of them.
    owes: bool,
    told: Option<Duration>,
    /// The run that ruled when they were told last.
    ruled: Option<[u8; 16]>,
    /// Whom another chair removed, where it is to be told, and that it was done.
    answers: Vec<(StayId, ParticipantId, Runs)>,
    /// The last beat of one's own.
    pub(super) last: Option<Beat>,
    /// The last beat of another that ruled and fitted this group, and the one before a rejoin: the line on
    /// which people were removed of whom this device knows.
    fitted: Option<Beat>,
    line: Option<Beat>,
    /// The rank whose beat was the last to fit this group: its chair, though another one rules now.
    pub(super) led_by: Option<u8>,
    /// What follows from beats, and was put off.
    acts: VecDeque<Act>,
}

impl Chairs {
    pub(super) fn knowing(outcasts: Outcasts) -> Self {
        Self {
            outcasts,
            ..Self::default()
        }
    }
}

impl Inside {
    /// A beat came.
    pub(super) fn beat(&mut self, beat: Beat, core: &mut Core) {
        let committers = self.group.committers();
        let outcasts = &self.chairs.outcasts;
        let opened = beat.clone().open(|rank, bytes, signature| {
            !outcasts.has_committer(rank) && committers.signed(rank, bytes, signature)
        });
        let heard = opened.and_then(|claim| {
            self.chair.heard(core.now, &claim)?;
            Ok(claim)
        });
        match heard {
            Ok(claim) => {
                let rules = self.chair.ruling(core.now) == Some(claim.rank);
                if rules {
                    self.chairs.outcasts.take(&beat, &claim);
                }
                if rules && !self.chair.apart() {
                    self.chairs.led_by = Some(claim.rank);
                    self.chairs.fitted = Some(beat);
                }
                // Another process rules: what was told to the one before may be lost with it.
                if !self.chair.is_chair() && self.chairs.ruled != Some(claim.run) {
                    self.chairs.ruled = Some(claim.run);
                    self.chairs.owes = !self.chairs.outcasts.is_empty();
                }
            }
            Err(BeatError::NotAuthentic) => core.reject(Rejection::NotAuthentic),
            // The same beat comes through more than one room.
            Err(BeatError::Replay | BeatError::OverRun | BeatError::InUse) => {}
            Err(BeatError::Contradiction) => core.reject(Rejection::NotAllowed),
        }
    }

    /// Does what follows from the beats.
    pub(super) fn chair_turn(&mut self, core: &mut Core) -> Became {
        self.chair.without(self.chairs.outcasts.ranks());
        while let Some(act) = self.next_act(core.now) {
            match act {
                Act::Post(claim) => self.post(claim, core),
                Act::TakeOver => self.begin_to_rule(core),
                Act::Yield { .. } => {
                    self.cease_to_rule(core);
                    self.chairs.owes = true;
                }
                Act::InUse => return Became::Over(Ending::InUse),
                Act::Warn => core.note(Notice::Chair(Freshness::Stale)),
                Act::StopSending => {
                    self.stop_sending(core);
                    core.note(Notice::Chair(Freshness::Stopped));
                }
                Act::Resume => self.heard_again(core),
                Act::Lost => return Became::Lost,
                Act::Behind { .. } => {
                    let epoch = self.group.epoch();
                    for home in &self.homes {
                        core.say(home.stay, To::Everyone, &Plain::Behind { epoch });
                    }
                }
                Act::Rejoin { .. } => {
                    self.chairs.owes |= !self.chairs.outcasts.is_empty();
                    self.begin_to_rejoin(core);
                }
            }
        }
        self.tell_outcasts(core);
        self.answer_outcasts(core);
        Became::Same
    }

    fn next_act(&mut self, now: Duration) -> Option<Act> {
        let put_off = self.chairs.acts.pop_front();
        put_off.or_else(|| self.chair.poll(now))
    }

    /// This side is on another line from now on, and was on the one of the last beat that fitted.
    pub(super) fn leave_line(&mut self) {
        self.chairs.line = self.chairs.fitted.take().or(self.chairs.line.take());
    }

    /// Posts the beat of a new epoch at once.
    pub(super) fn post_now(&mut self, core: &mut Core) {
        self.chair.without(self.chairs.outcasts.ranks());
        while let Some(act) = self.chair.poll(core.now) {
            match act {
                Act::Post(claim) => self.post(claim, core),
                other => self.chairs.acts.push_back(other),
            }
        }
    }

    fn post(&mut self, claim: Claim, core: &mut Core) {
        let Some(key) = core.committer().map(|link| link.seed.signing_key()) else {
            return;
        };
        let beat = claim.clone().sign(|bytes| key.sign(bytes));
        self.chairs.last = Some(beat.clone());
        self.chairs.outcasts.take(&beat, &claim);
        let rooms: Vec<StayId> = self.homes.iter().map(|home| home.stay).collect();
        let committers = core.committers().map(|(stay, _)| stay);
        for stay in rooms.into_iter().chain(committers) {
            let beat = beat.clone();
            core.say(stay, To::Everyone, &Plain::Beat(beat));
        }
        self.publish_card(beat, core);
        self.call_over(core);
    }

    /// Tells the chair that rules now whom this one removed when it ruled.
    fn tell_outcasts(&mut self, core: &mut Core) {
        let again = |told: Duration| core.now >= told + TELL_EACH;
        if !self.chairs.owes || self.chair.is_chair() || !self.chairs.told.is_none_or(again) {
            return;
        }
        let Some((stay, _)) = core.committers() else {
            self.chairs.owes = false;
            return;
        };
        let (Some(me), Some(chair), Some(link)) =
            (core.stays.me(stay), self.chairs.ruled, core.committer())
        else {
            return;
        };
        let outcasts = self.chairs.outcasts.runs.clone();
        let bytes = outcasts.signed_bytes(link.rank, me.0, &chair);
        let mut words = self.chairs.outcasts.words(u8::MAX);
        let lines = [&self.chairs.last, &self.chairs.fitted, &self.chairs.line];
        words.extend(lines.into_iter().flatten().cloned());
        let told = told(outcasts, words, link, &bytes);
        self.chairs.told = Some(core.now);
        core.say(stay, To::Everyone, &Plain::Outcasts(told));
    }

    /// Another committer says whom it removed.
    pub(super) fn told_outcasts(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        told: Told,
        core: &mut Core,
    ) {
        let committers = core.committers().map(|(stay, _)| stay);
        if committers != Some(stay) || !self.chair.is_chair() {
            return;
        }
        let bytes = told.outcasts.signed_bytes(told.rank, from.0, &core.run);
        if !self.is_by_a_committer(&told, &bytes) {
            return core.reject(Rejection::NotAuthentic);
        }
        let away = self.away();
        let elsewhere = self.take_words(&told.words, core);
        let (outcasts, by) = (told.outcasts, told.rank);
        // What it passes on may say that it was removed itself: then its own word is none.
        let counts = !self.chairs.outcasts.has_committer(by);
        if counts {
            // Whoever is of this line alone has removed nobody who is here, or comes back.
            let here = self.people.iter().map(|(_, one)| (one.run, one.rank));
            let all = here.chain(away.iter().map(|one| (one.run, one.rank)));
            let spares = |rank: Option<u8>| !elsewhere || rank.is_some_and(|rank| rank <= by);
            let spared = all.filter(|(_, rank)| spares(*rank));
            let spared: Vec<_> = spared.map(|(run, _)| run).collect();
            let spared = |run: &[u8; 16]| *run == core.run || spared.contains(run);
            self.chairs.outcasts.runs.merge(&outcasts, spared);
        }
        self.report(by, away, core);
        self.put_out_outcasts(core);
        if !counts {
            return;
        }
        // The newest word of each is the one to answer.
        self.chairs.answers.retain(|(_, to, _)| *to != from);
        self.chairs.answers.push((stay, from, outcasts));
    }

    /// Who was taken out for being away and may come back.
    fn away(&self) -> Vec<Member> {
        let ruling = self.ruling.as_ref();
        ruling.map_or_else(Vec::new, |ruling| {
            ruling.may_come_back(&self.chairs.outcasts)
        })
    }

    /// The person at the screen is told who goes by the word of this rank, and who of those `away` may not
    /// come back.
    fn report(&self, by: u8, away: Vec<Member>, core: &mut Core) {
        let still = self.away();
        let goes = |leaf: &LeafId| {
            let mut ruling = self.ruling.iter();
            ruling.any(|ruling| ruling.put_out.contains(leaf))
        };
        for (who, leaf) in self.outcasts_inside(core) {
            if !goes(&leaf)
                && let Some(person) = self.people.get(who)
            {
                let name = person.name.clone();
                core.note(Notice::Reported { name, by });
            }
        }
        for one in away {
            let here = self.people.iter().any(|(_, other)| other.run == one.run);
            if !here && !still.iter().any(|other| other.run == one.run) {
                let name = one.name;
                core.note(Notice::Reported { name, by });
            }
        }
    }

    /// Takes beats that another committer passes on. What those of one's own rank or a lower one say counts,
    /// and what others say in another line. Whether there is one of another line among them.
    fn take_words(&mut self, words: &[Beat], core: &Core) -> bool {
        let committers = self.group.committers();
        let low = |claim: &Claim| core.rank().is_some_and(|own| claim.rank <= own);
        let elsewhere = Cell::new(false);
        let counts = |claim: &Claim| {
            let of_another_line = self.chair.is_elsewhere(claim);
            elsewhere.set(elsewhere.get() || of_another_line);
            of_another_line || low(claim)
        };
        let verify = |rank, bytes: &[u8], with: &[u8; 64]| committers.signed(rank, bytes, with);
        self.chairs.outcasts.take_words(words, verify, counts);
        elsewhere.get()
    }

    /// Whether a committer who was not removed signed these bytes.
    fn is_by_a_committer(&self, told: &Told, bytes: &[u8]) -> bool {
        let mut signature = [0; 64];
        signature.copy_from_slice(told.signature.as_flattened());
        let signed = self.group.committers().signed(told.rank, bytes, &signature);
        signed && !self.chairs.outcasts.has_committer(told.rank)
    }

    /// These were removed for good by the committer of rank `by`: everybody remembers it, whoever is in
    /// the chair later. A committer whom that one may not remove has only come in again.
    pub(super) fn remember_removed(&mut self, by: u8, removed: &[([u8; 16], Option<u8>)]) {
        for (run, rank) in removed {
            match rank {
                Some(rank) if *rank <= by => continue,
                Some(rank) => self.chairs.outcasts.add_committer(*rank),
                None => {}
            }
            self.chairs.outcasts.runs.add(*run);
        }
    }

    /// The outcasts who are still in the tree, and whom this chair can remove.
    fn outcasts_inside(&self, core: &Core) -> Vec<(Who, LeafId)> {
        let outcasts = &self.chairs.outcasts;
        let is_out = |one: &Person| {
            let committer = one.rank.is_some_and(|rank| outcasts.has_committer(rank));
            (committer || outcasts.contains(&one.run)) && core.may_remove(one.rank)
        };
        let inside = self.people.iter().filter(|(_, one)| is_out(one));
        inside.map(|(who, one)| (who, one.leaf)).collect()
    }

    /// Whoever of the outcasts is still in the tree is to go.
    pub(super) fn put_out_outcasts(&mut self, core: &Core) {
        let inside = self.outcasts_inside(core);
        let leaves: Vec<LeafId> = inside.into_iter().map(|(_, leaf)| leaf).collect();
        if let Some(ruling) = &mut self.ruling {
            ruling.put_out(&leaves);
        }
    }

    /// Once they are out: where the meeting is.
    fn answer_outcasts(&mut self, core: &mut Core) {
        if self.chairs.answers.is_empty() || !self.outcasts_inside(core).is_empty() {
            return;
        }
        let Some(home) = self.homes.last() else {
            return;
        };
        let main = Passed::from(&home.secret);
        for (stay, to, outcasts) in std::mem::take(&mut self.chairs.answers) {
            let (Some(me), Some(link)) = (core.stays.me(stay), core.committer()) else {
                continue;
            };
            let bytes = outcasts.answer_bytes(link.rank, me.0, to.0, main.as_bytes());
            let told = told(outcasts, Vec::new(), link, &bytes);
            let main = main.clone();
            core.say(stay, To::One(to), &Plain::Here { main, told });
        }
    }

    /// The chair's answer: where it and its part of the meeting are.
    pub(super) fn told_home(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        main: Passed,
        told: &Told,
        core: &mut Core,
    ) {
        let committers = core.committers().map(|(stay, _)| stay);
        let (Some(me), true) = (core.stays.me(stay), committers == Some(stay)) else {
            return;
        };
        if self.chair.is_chair() || told.outcasts != self.chairs.outcasts.runs {
            return;
        }
        // A removed co-host still has the room's secret: it must not lead anybody elsewhere, nor keep the
        // chair from being told.
        let bytes = told
            .outcasts
            .answer_bytes(told.rank, from.0, me.0, main.as_bytes());
        if self.chair.ruling(core.now) != Some(told.rank) || !self.is_by_a_committer(told, &bytes) {
            return core.reject(Rejection::NotAuthentic);
        }
        self.chairs.owes = false;
        if self.chair.apart() {
            let room = main.room();
            self.say(&Said::Merge { main }, core);
            self.go_to(room, core);
        }
    }
}

/// A committer's word, signed.
fn told(outcasts: Runs, words: Vec<Beat>, link: &CommitterLink, bytes: &[u8]) -> Told {
    let mut signature = [[0; 32]; 2];
    let signed = link.seed.signing_key().sign(bytes);
    signature.as_flattened_mut().copy_from_slice(&signed);
    Told {
        outcasts,
        rank: link.rank,
        signature,
        words,
    }
}
