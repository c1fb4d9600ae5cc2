//! A member: what it makes of what the others say.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::admission::Returning;
use super::chairs::Chairs;
use super::core::Core;
use super::people::People;
use super::plain::{Plain, Said};
use super::rejoin::Rejoin;
use super::ruling::{Ruling, may_commit};
use super::stays::{Arrived, Purpose};
use super::voice::{Voice, attested, opened, tick};
use crate::meeting::body::is_acceptable;
use crate::meeting::chair::{Chair, Standing};
use crate::meeting::events::{Command, Ending, Listed, Notice, Output, Rejection, StayId, Who};
use crate::meeting::group::{Group, GroupRejection, LeafId, Processed};
use crate::meeting::limits::CHAT_BYTES;
use crate::meeting::secret::LinkSecret;
use crate::meeting::track::Frame;
use crate::wire::{GroupNumber, ParticipantId, To, TrackId};

/// Messages that came before the commit that they rest on: how many are kept.
const EARLY: usize = 256;

/// How long somebody may take to say where it is, before it is asked.
const ASK_AFTER: Duration = Duration::from_secs(2);

/// How often it is asked.
const ASK_EACH: Duration = Duration::from_secs(5);

/// A main room.
pub(super) struct Home {
    pub(super) stay: StayId,
    pub(super) secret: LinkSecret,
    /// Since when this participant is in.
    pub(super) entered: Option<Duration>,
    /// When to go out of it.
    pub(super) leave_at: Option<Duration>,
}

/// A message that rests on a commit which has not come yet.
struct Early {
    stay: StayId,
    from: ParticipantId,
    bytes: Vec<u8>,
}

/// Everything that a member has.
pub(super) struct Inside {
    pub(super) group: Group,
    pub(super) chair: Chair,
    /// The secret of the lobby that belongs to this meeting now.
    pub(super) link_secret: LinkSecret,
    /// Main rooms, the newest last. More than one only while everyone moves.
    pub(super) homes: Vec<Home>,
    pub(super) people: People,
    pub(super) voice: Voice,
    pub(super) ruling: Option<Ruling>,
    pub(super) chairs: Chairs,
    /// Being taken in anew, after the thread was lost.
    pub(super) rejoin: Option<Rejoin>,
    pub(super) returning: Returning,
    /// The chair was not heard for too long: nothing is sent.
    pub(super) stopped: bool,
    early: VecDeque<Early>,
    chats: u64,
    announced: bool,
    /// When to ask those who have not said where they are.
    ask_at: Option<Duration>,
}

/// What became of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    Same,
    /// The meeting is over for it.
    Over(Ending),
    /// It knocks anew, as at the beginning.
    Lost,
}

impl Inside {
    pub(super) fn new(
        group: Group,
        main: LinkSecret,
        link_secret: LinkSecret,
        founds: bool,
        core: &mut Core,
    ) -> Self {
        let standing = standing(&group);
        let ranks = ranks(&group);
        let chair = Chair::new(core.now, core.run, core.rank(), standing, ranks, founds);
        let mut returning = Returning::default();
        returning.add(group.leaf_key());
        let voice = Voice::new(core);
        let mut inside = Self {
            group,
            chair,
            link_secret,
            homes: Vec::new(),
            people: People::default(),
            voice,
            ruling: None,
            chairs: Chairs::default(),
            rejoin: None,
            returning,
            stopped: false,
            early: VecDeque::new(),
            chats: 0,
            announced: false,
            ask_at: None,
        };
        inside.go_to(main, core);
        inside.take_roster(core);
        inside
    }

    /// Goes into another main room besides those it is in.
    pub(super) fn go_to(&mut self, secret: LinkSecret, core: &mut Core) {
        if self.homes.iter().any(|home| home.secret == secret) {
            return;
        }
        let stay = core.enter(Purpose::Main, &secret);
        self.homes.push(Home {
            stay,
            secret,
            entered: None,
            leave_at: None,
        });
    }

    /// The newest main room that this participant is in.
    pub(super) fn home(&self) -> Option<StayId> {
        let entered = self.homes.iter().rev().find(|home| home.entered.is_some());
        Some(entered?.stay)
    }

    pub(super) fn is_home(&self, stay: StayId) -> bool {
        self.homes.iter().any(|home| home.stay == stay)
    }

    /// Something came in one of the rooms.
    pub(super) fn arrived(&mut self, stay: StayId, arrived: Arrived, core: &mut Core) -> Became {
        match arrived {
            Arrived::Entered => self.entered(stay, core),
            Arrived::Joined => {}
            Arrived::Left(participant) => self.left(stay, participant, core),
            Arrived::Said(from, plain) => return self.heard(stay, from, plain, core),
        }
        Became::Same
    }

    fn heard(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        plain: Plain,
        core: &mut Core,
    ) -> Became {
        let at_home = self.is_home(stay);
        match plain {
            Plain::Mls(bytes) if at_home => return self.mls(stay, from, bytes, core),
            Plain::Beat(beat) => self.beat(beat, core),
            Plain::Behind { epoch } if at_home => self.send_again(stay, from, epoch, core),
            Plain::Lobby(body) => {
                if let Some(rejoin) = &mut self.rejoin {
                    rejoin.handle(stay, from, &body, core);
                }
                if let Some(ruling) = &mut self.ruling {
                    ruling.handle(stay, from, body, core.now);
                }
            }
            Plain::Outcasts(outcasts) => self.told_outcasts(stay, from, &outcasts, core),
            Plain::Here { main, outcasts } => self.told_home(stay, main, &outcasts, core),
            Plain::Mls(_) | Plain::Behind { .. } => core.reject(Rejection::NotAllowed),
        }
        Became::Same
    }

    /// The relay has let this participant into a room.
    fn entered(&mut self, stay: StayId, core: &mut Core) {
        if self.is_home(stay) {
            for home in &mut self.homes {
                if home.stay == stay {
                    home.entered = Some(core.now);
                }
            }
            if self.homes.last().is_some_and(|home| home.stay == stay) {
                core.out.push_back(Output::Main(stay));
                self.settle_in(core);
                self.voice.moved(stay, core);
            }
            self.introduce(stay, To::Everyone, true, core);
            if !std::mem::replace(&mut self.announced, true) {
                core.out.push_back(Output::Inside);
            }
        }
        self.open_door(stay, core);
    }

    /// Says where and what this participant is.
    fn introduce(&mut self, stay: StayId, to: To, asks: bool, core: &mut Core) {
        let Some(me) = core.stays.me(stay) else {
            return;
        };
        let said = Said::Here {
            presence: core.presence.clone(),
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
    fn ask_again(&mut self, core: &mut Core) {
        let Some(home) = self.home() else {
            return;
        };
        let unknown = |id| self.people.at(home, id).is_none();
        let missing = core.stays.present(home).any(unknown)
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
            self.introduce(home, To::Everyone, true, core);
        }
    }

    /// Says the same in every room: after a welcome that led to other keys.
    pub(super) fn introduce_anew(&mut self, core: &mut Core) {
        let rooms: Vec<StayId> = self.homes.iter().map(|home| home.stay).collect();
        for stay in rooms {
            self.introduce(stay, To::Everyone, true, core);
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
        let Ok(said) = postcard::to_allocvec(said) else {
            return;
        };
        match self.group.say(&said) {
            Ok(bytes) => core.say(stay, to, &Plain::Mls(bytes)),
            Err(rejection) => core.reject(rejection.into()),
        }
    }

    /// A private message of the group came.
    fn mls(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        bytes: Vec<u8>,
        core: &mut Core,
    ) -> Became {
        let before = self.group.epoch();
        let became = self.mls_once(stay, from, bytes, core);
        if became != Became::Same || self.group.epoch() == before {
            return became;
        }
        // What had come too early may be next now, and a commit among it may be followed by more.
        loop {
            let epoch = self.group.epoch();
            for _ in 0..self.early.len() {
                let Some(early) = self.early.pop_front() else {
                    break;
                };
                let became = self.mls_once(early.stay, early.from, early.bytes, core);
                if became != Became::Same {
                    return became;
                }
            }
            if self.group.epoch() == epoch {
                return Became::Same;
            }
        }
    }

    fn mls_once(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        bytes: Vec<u8>,
        core: &mut Core,
    ) -> Became {
        let rules = self.chair.ruling(core.now);
        let processed = self
            .group
            .process(&bytes, |change| may_commit(rules, change));
        match processed {
            Ok(Processed::App { from: leaf, bytes }) => {
                match postcard::from_bytes(&bytes) {
                    Ok(said) => self.said(stay, from, leaf, said, core),
                    Err(_) => core.reject(Rejection::Malformed),
                }
                Became::Same
            }
            Ok(Processed::Commit { removed_me: true }) => Became::Over(Ending::Removed),
            Ok(Processed::Commit { .. }) => {
                self.epoch_changed(false, core);
                Became::Same
            }
            // The chair's own beat may still be on its way: its first commit waits for that.
            Err(GroupRejection::FutureEpoch) => {
                if self.early.len() >= EARLY {
                    self.early.pop_front();
                }
                self.early.push_back(Early { stay, from, bytes });
                Became::Same
            }
            Err(rejection) => {
                core.reject(rejection.into());
                Became::Same
            }
        }
    }

    /// The tree and the keys are others now. `anew`: by a welcome.
    pub(super) fn epoch_changed(&mut self, anew: bool, core: &mut Core) {
        self.take_roster(core);
        let (standing, ranks) = (standing(&self.group), ranks(&self.group));
        self.chair.epoch_changed(core.now, standing, ranks, anew);
    }

    fn take_roster(&mut self, core: &mut Core) {
        let roster = self.group.roster();
        let changed = self.people.roster(core.now, &roster, self.group.me());
        for who in changed.gone {
            core.out.push_back(Output::Departed { who });
        }
        self.voice.epoch(&self.group, &mut self.people, core);
    }

    /// A member said something.
    fn said(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        leaf: LeafId,
        said: Said,
        core: &mut Core,
    ) {
        let Some(who) = self.people.by_leaf(leaf) else {
            return core.reject(Rejection::UnknownSender);
        };
        let rank = self.people.get(who).and_then(|person| person.rank);
        let is_chair = rank.is_some() && rank == self.chair.ruling(core.now);
        match said {
            Said::Here { me, .. } if me != from => core.reject(Rejection::Misdirected),
            Said::Here { presence, .. } if !is_acceptable(&presence) => {
                core.reject(Rejection::TooLarge);
            }
            Said::Here {
                mut presence,
                salt,
                me,
                signs,
                asks,
            } => {
                let Some(person) = self.people.get_mut(who) else {
                    return;
                };
                presence.name.clone_from(&person.name);
                let same = person.shown && person.presence.as_ref() == Some(&presence);
                person.presence = Some(presence.clone());
                person.shown = true;
                person.bye = false;
                self.people.here(who, stay, me);
                self.voice.meet(who, salt, signs, &mut self.people, core);
                if !same {
                    core.out.push_back(Output::Appeared { who, presence });
                }
                self.listen_again(who, stay, me, core);
                if asks {
                    self.introduce(stay, To::One(from), false, core);
                }
            }
            Said::Bye => {
                if let Some(person) = self.people.get_mut(who) {
                    person.bye = true;
                }
                core.out.push_back(Output::Goodbye { who });
            }
            Said::Ended { track, frames } => {
                core.out.push_back(Output::Ended { who, track, frames });
            }
            Said::Chat { text, .. } if text.len() > CHAT_BYTES => {
                core.reject(Rejection::TooLarge);
            }
            Said::Chat { number, text } => {
                let Some(person) = self.people.get_mut(who) else {
                    return;
                };
                if number <= person.chat {
                    return core.reject(Rejection::Replay);
                }
                person.chat = number;
                core.note(Notice::Chat { who, text });
            }
            Said::Move | Said::Merge { .. } | Said::AskQuiet if !is_chair => {
                core.reject(Rejection::NotAllowed);
            }
            Said::Move => self.move_on(core),
            Said::AskQuiet => core.note(Notice::AskedToBeQuiet),
            Said::Merge { main } => self.go_to(LinkSecret::from_bytes(main), core),
            Said::Attest(attest) => attested(who, &attest, &mut self.people, core),
        }
    }

    /// Asks for what this side's user wishes to have of somebody, in a room where it is now.
    fn listen_again(&self, who: Who, stay: StayId, me: ParticipantId, core: &mut Core) {
        let Some(person) = self.people.get(who) else {
            return;
        };
        for track in &person.wishes {
            core.stays.listen(stay, me, *track, true, &mut core.out);
        }
    }

    /// The user of this side wishes to have a track, or no more.
    pub(super) fn listen(&mut self, who: Who, track: TrackId, on: bool, core: &mut Core) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        person.wishes.retain(|wish| *wish != track);
        if on {
            person.wishes.push(track);
        }
        for (stay, participant) in &person.at {
            core.stays
                .listen(*stay, *participant, track, on, &mut core.out);
        }
    }

    /// Somebody's connection is gone, by the relay's word.
    fn left(&mut self, stay: StayId, participant: ParticipantId, core: &mut Core) {
        if let Some(rejoin) = &mut self.rejoin {
            rejoin.left(stay, participant, core.now);
        }
        if let Some(who) = self.people.left(core.now, stay, participant) {
            core.out.push_back(Output::Departed { who });
        }
        if let Some(ruling) = &mut self.ruling {
            ruling.left(stay, participant);
        }
    }

    /// This side's connection to a room is gone.
    pub(super) fn lost(&mut self, stay: StayId, core: &mut Core) {
        let newest = self.homes.last().is_some_and(|home| home.stay == stay);
        for home in &mut self.homes {
            if home.stay == stay {
                home.entered = None;
            }
        }
        for who in self.people.all_left(core.now, stay) {
            core.out.push_back(match newest {
                true => Output::Unheard { who },
                false => Output::Departed { who },
            });
        }
        if let Some(ruling) = &mut self.ruling {
            ruling.closed(stay);
        }
    }

    /// The person wants something.
    pub(super) fn command(&mut self, command: Command, core: &mut Core) {
        match command {
            Command::Say(text) if text.len() > CHAT_BYTES => core.reject(Rejection::TooLarge),
            Command::Say(text) => {
                self.chats += 1;
                let number = self.chats;
                self.say(&Said::Chat { number, text }, core);
            }
            Command::Who => {
                let listed = self.listed();
                core.note(Notice::Roster(listed));
            }
            other => self.rule_by(other, core),
        }
    }

    fn listed(&self) -> Vec<Listed> {
        let me = self.group.me();
        let roster = self.group.roster();
        let list = |member: &crate::meeting::group::Member| {
            let who = self.people.by_leaf(member.leaf);
            let person = who.and_then(|who| self.people.get(who));
            Listed {
                who,
                name: member.name.clone(),
                rank: member.rank,
                here: member.leaf == me || person.is_some_and(|person| !person.at.is_empty()),
            }
        };
        roster.iter().map(list).collect()
    }

    /// Leaves on purpose.
    pub(super) fn goodbye(&mut self, core: &mut Core) {
        self.say(&Said::Bye, core);
    }

    /// Media came.
    pub(super) fn media(
        &mut self,
        at: (StayId, ParticipantId),
        place: (TrackId, GroupNumber),
        sealed: &Bytes,
        in_group: bool,
        core: &mut Core,
    ) {
        opened(at, place, sealed, in_group, &mut self.people, core);
    }

    /// Media of this participant.
    pub(super) fn send(&mut self, frame: &Frame, core: &mut Core) {
        let rooms = match self.stopped {
            true => Vec::new(),
            false => self.rooms_to_send_in(core.now),
        };
        self.voice.send(frame, &rooms, core);
    }

    /// A track of this participant is over.
    pub(super) fn ended(&mut self, track: TrackId, frames: u64, core: &mut Core) {
        for attest in self.voice.attest(core.now, Some(track), &self.group) {
            self.say(&Said::Attest(attest), core);
        }
        self.say(&Said::Ended { track, frames }, core);
    }

    /// Does all that is to be done by now.
    pub(super) fn turn(&mut self, core: &mut Core) -> Became {
        self.leave_old_homes(core);
        let mut became = self.chair_turn(core);
        if became == Became::Same {
            became = self.rejoin_turn(core);
        }
        self.rule(core);
        for attest in self.voice.attest(core.now, None, &self.group) {
            self.say(&Said::Attest(attest), core);
        }
        tick(&mut self.people, core);
        self.ask_again(core);
        became
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let deadlines = [
            Some(self.chair.deadline()),
            self.rejoin.as_ref().and_then(Rejoin::deadline),
            self.ruling_deadline(),
            self.moving_deadline(),
            self.voice.deadline(&self.people),
            self.ask_at,
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Out of all rooms but the committers'; with what shows that it had been a member.
    pub(super) fn give_up(mut self, core: &mut Core) -> Returning {
        if self.ruling.is_some() {
            self.cease_to_rule(core);
        }
        for home in &self.homes {
            core.leave(home.stay);
        }
        for (who, person) in self.people.iter() {
            if person.shown {
                core.out.push_back(Output::Departed { who });
            }
        }
        self.returning
    }
}

fn standing(group: &Group) -> Standing {
    Standing {
        epoch: group.epoch(),
        tag: group.tag(),
        roster: group.roster_hash(),
    }
}

/// Of the committers in the tree.
fn ranks(group: &Group) -> Vec<u8> {
    group
        .roster()
        .iter()
        .filter_map(|member| member.rank)
        .collect()
}
