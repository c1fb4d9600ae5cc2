//! A member: what it holds, and what it does when something comes or time passes.

mod silence;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::admission::Returning;
use super::chairs::Chairs;
use super::core::Core;
use super::doors::Ruling;
use super::ending::Ends;
use super::hearing::Early;
use super::people::People;
use super::plain::Said;
use super::reach::Reach;
use super::rejoin::Rejoin;
use super::stage::Stage;
use super::stays::{Arrived, Purpose};
use super::voice::{Voice, opened, tick};
use crate::meeting::chair::{Chair, Standing};
use crate::meeting::events::{
    Command, Ending, Freshness, Listed, Notice, Output, Rejection, StayId,
};
use crate::meeting::group::{Group, Why};
use crate::meeting::limits::CHAT_BYTES;
use crate::meeting::secret::LinkSecret;
use crate::meeting::standing::Paced;
use crate::meeting::track::Frame;
use crate::meeting::vigil::{PAPERS, Says};
use crate::wire::{GroupNumber, ParticipantId, To, TrackId};

/// Main rooms that a member is in at a time. More than two are needed only when people are removed one
/// right after another; a chair could send everyone to any number.
const HOMES: usize = 8;

/// How long one who was cut off takes to be told what it missed.
const CATCHES_UP: Duration = Duration::from_secs(30);

/// A main room.
pub(super) struct Home {
    pub(super) stay: StayId,
    pub(super) secret: LinkSecret,
    /// Since when this participant is in.
    pub(super) entered: Option<Duration>,
    /// When to go out of it.
    pub(super) leave_at: Option<Duration>,
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
    /// In a vigil: where media goes.
    pub(super) stage: Option<Stage>,
    pub(super) ruling: Option<Ruling>,
    pub(super) chairs: Chairs,
    /// Being taken in anew, after the thread was lost.
    pub(super) rejoin: Option<Rejoin>,
    pub(super) returning: Returning,
    /// The chair was not heard for too long: nothing is sent.
    pub(super) stopped: bool,
    /// Tracks that ended meanwhile, and after how many frames: said when it is heard again.
    ended: Vec<(TrackId, u64)>,
    /// It was heard again.
    resumes: bool,
    /// When this participant sent again after that.
    resumed: Option<Duration>,
    pub(super) early: VecDeque<Early>,
    pub(super) reach: Reach,
    /// How this participant stands.
    pub(super) standing: Paced,
    /// The meeting has ended for everybody.
    pub(super) ends: Option<Ends>,
    chats: u64,
    announced: bool,
    /// Who asked where this participant is, in which room, and when it is told.
    pub(super) answers: VecDeque<(Duration, StayId, ParticipantId)>,
    /// When to ask those who have not said where they are.
    pub(super) ask_at: Option<Duration>,
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
            stage: None,
            ruling: None,
            chairs: Chairs::knowing(std::mem::take(&mut core.outcasts)),
            rejoin: None,
            returning,
            stopped: false,
            ended: Vec::new(),
            resumes: false,
            resumed: None,
            early: VecDeque::new(),
            reach: Reach::default(),
            standing: Paced::new(core.standing),
            ends: None,
            chats: 0,
            announced: false,
            answers: VecDeque::new(),
            ask_at: None,
        };
        inside.go_to(main, core);
        inside.stage = Stage::enter(core);
        inside.take_roster(None, core);
        inside
    }

    /// Goes into another main room besides those it is in, or back to one of them: that is the newest
    /// from now on.
    pub(super) fn go_to(&mut self, secret: LinkSecret, core: &mut Core) {
        if let Some(place) = self.homes.iter().position(|home| home.secret == secret) {
            if place + 1 < self.homes.len() {
                let mut home = self.homes.remove(place);
                home.leave_at = None;
                if home.entered.is_some() {
                    core.out.push_back(Output::Main(home.stay));
                }
                self.homes.push(home);
                self.settle_in(core);
            }
            return;
        }
        let stay = core.enter(Purpose::Main, &secret);
        self.homes.push(Home {
            stay,
            secret,
            entered: None,
            leave_at: None,
        });
        // Who chairs knows itself where it went, and waits in each for those who were cut off.
        while self.ruling.is_none() && self.homes.len() > HOMES {
            let oldest = self.homes.first().map(|home| home.stay);
            oldest
                .into_iter()
                .for_each(|stay| self.leave_home(stay, core));
        }
    }

    /// The newest main room that this participant is in.
    pub(super) fn home(&self) -> Option<StayId> {
        let entered = self.homes.iter().rev().find(|home| home.entered.is_some());
        Some(entered?.stay)
    }

    /// Whether this participant is cut off, or was not long ago and may not be where the others are yet.
    fn catches_up(&self, now: Duration) -> bool {
        let just = self.resumed.is_some_and(|at| now < at + CATCHES_UP);
        self.stopped || just
    }

    pub(super) fn is_home(&self, stay: StayId) -> bool {
        self.homes.iter().any(|home| home.stay == stay)
    }

    /// Something came in one of the rooms.
    pub(super) fn arrived(&mut self, stay: StayId, arrived: Arrived, core: &mut Core) -> Became {
        if self.is_stage(stay) {
            self.stage_arrived(&arrived, core);
        }
        match arrived {
            Arrived::Entered => self.entered(stay, core),
            Arrived::Joined => {}
            Arrived::Left(participant) => self.left(stay, participant, core),
            Arrived::Said(from, plain) => return self.heard(stay, from, *plain, core),
        }
        Became::Same
    }

    /// The relay has let this participant into a room.
    fn entered(&mut self, stay: StayId, core: &mut Core) {
        if let (Some(rejoin), Some(me)) = (&mut self.rejoin, core.stays.me(stay)) {
            rejoin.entered(stay, me, core.now);
        }
        if self.is_home(stay) {
            for home in &mut self.homes {
                if home.stay == stay {
                    home.entered = Some(core.now);
                }
            }
            if self.homes.last().is_some_and(|home| home.stay == stay) {
                core.out.push_back(Output::Main(stay));
                self.settle_in(core);
                if self.stage.is_none() && !self.stopped {
                    self.voice.moved(stay, core);
                }
            }
            self.introduce(stay, To::Everyone, true, core);
            if !std::mem::replace(&mut self.announced, true) {
                core.out.push_back(Output::Inside);
            }
        }
        self.open_door(stay, core);
    }

    /// The tree and the keys are others now. `anew`: by a welcome. `why`: those went who are in it no more;
    /// a welcome does not say it.
    pub(super) fn epoch_changed(&mut self, anew: bool, why: Option<Why>, core: &mut Core) {
        self.take_roster(why, core);
        let (standing, ranks) = (standing(&self.group), ranks(&self.group));
        self.chair.epoch_changed(core.now, standing, ranks, anew);
    }

    fn take_roster(&mut self, why: Option<Why>, core: &mut Core) {
        let (roster, me) = (self.group.roster(), self.group.me());
        let changed = self.people.roster(core.now, roster, me);
        let newcomers = changed.newcomers;
        for who in changed.put_out {
            match why {
                Some(Why::PutOut) => core.note(Notice::PutOut(who)),
                Some(Why::Gone) => core.note(Notice::TakenOut(who)),
                None => {}
            }
        }
        for who in changed.gone {
            core.out.push_back(Output::Departed { who });
        }
        self.voice.epoch(&self.group, &mut self.people, core);
        self.stage_epoch(core);
        if newcomers {
            let rooms = self.rooms_for_media(core);
            self.voice.begin_again(&rooms, core);
        }
    }

    fn rooms_for_media(&self, core: &Core) -> Vec<StayId> {
        match (self.stopped, &self.stage) {
            (true, _) => Vec::new(),
            (false, Some(stage)) => stage.rooms(),
            (false, None) => self.rooms_to_send_in(core.now),
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
        if self.is_stage(stay)
            && let Some(stage) = &mut self.stage
        {
            stage.lost();
        }
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
            ruling.closed(stay, core);
        }
    }

    /// The person wants something.
    pub(super) fn command(&mut self, command: Command, core: &mut Core) {
        match command {
            // It would go out under keys that somebody may have who was removed.
            Command::Say(_) if self.stopped => core.reject(Rejection::NotAllowed),
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
        self.tell_viewers(Says::Bye, core);
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
        match self.is_stage(at.0) && place.0 == PAPERS && in_group {
            true => self.paper(at.1, sealed, core),
            false => opened(at, place, sealed, in_group, &mut self.people, core),
        }
    }

    /// Media of this participant.
    pub(super) fn send(&mut self, frame: &Frame, core: &mut Core) {
        if self.stage.is_some() && frame.track == PAPERS {
            return core.reject(Rejection::NotAllowed);
        }
        if self.stopped {
            return;
        }
        let rooms = self.rooms_for_media(core);
        self.voice.send(frame, &rooms, core);
    }

    /// Does all that is to be done by now.
    pub(super) fn turn(&mut self, core: &mut Core) -> Became {
        if self.is_ended(core) {
            return Became::Over(Ending::Ended);
        }
        self.leave_old_homes(core);
        let mut became = self.chair_turn(core);
        self.resume(core);
        if became == Became::Same {
            became = self.rejoin_turn(core);
        }
        self.rule(core);
        for attest in self.voice.attest(core.now, None, &self.group) {
            self.publish_attest(attest, core);
        }
        self.stage_turn(core);
        tick(&mut self.people, core);
        self.stand(core);
        self.answer(core);
        self.ask_again(core);
        became
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let resumed = self.resumed.map(|at| at + CATCHES_UP);
        let deadlines = [
            Some(self.chair.deadline()),
            self.rejoin.as_ref().and_then(Rejoin::deadline),
            self.ruling_deadline(),
            self.moving_deadline(),
            self.voice.deadline(&self.people),
            self.stage.as_ref().and_then(Stage::deadline),
            self.answers.front().map(|answer| answer.0),
            self.ask_at,
            self.standing.deadline().filter(|_| !self.stopped),
            self.people.standing_deadline(),
            self.ends.as_ref().map(Ends::deadline),
            resumed.filter(|_| !self.ended.is_empty() && !self.stopped),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Out of all rooms but the committers'; with what shows that it had been a member, and the secret of
    /// the lobby that it knows of.
    pub(super) fn give_up(mut self, core: &mut Core) -> (Returning, LinkSecret) {
        if self.ruling.is_some() {
            self.cease_to_rule(core);
        }
        core.outcasts = std::mem::take(&mut self.chairs.outcasts);
        for home in &self.homes {
            core.leave(home.stay);
        }
        if let Some(stage) = &self.stage {
            core.leave(stage.stay);
        }
        for (who, person) in self.people.iter() {
            if person.shown {
                core.out.push_back(Output::Departed { who });
            }
        }
        (self.returning, self.link_secret)
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
