//! The duties of the chair: it answers at the doors, commits, and sends again what somebody missed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::admission::{Admission, returns};
use super::core::Core;
use super::inside::Inside;
use super::people::Person;
use super::plain::{Plain, Said};
use super::stays::Purpose;
use crate::meeting::chair::Outcasts;
use crate::meeting::events::{Command, Notice, Rejection, StayId};
use crate::meeting::group::{Change, ChangeSeen, Group, KeyPackage, LeafId, Member};
use crate::meeting::lobby::{LobbyBody, Porter, PorterOutput, Waiting};
use crate::meeting::secret::LinkSecret;
use crate::wire::{ParticipantId, To};

/// Least time from one commit to the next: those who come at once come in with one.
const COMMITS_EACH: Duration = Duration::from_millis(200);

/// Who is connected nowhere for so long leaves the tree.
const AWAY: Duration = Duration::from_secs(60);

/// Commits that are kept for those who missed one.
const KEPT: usize = 32;

/// Most that one commit takes in: their welcomes are on their way for some seconds.
const AT_ONCE: usize = 16;

/// Somebody who is to be taken in with the next commit.
struct Wanted {
    door: StayId,
    number: u32,
    key_package: KeyPackage,
    /// A leaf of its own that goes.
    replaces: Option<LeafId>,
}

/// What becomes of one who waits at a door.
enum Verdict {
    Admit(Box<KeyPackage>, Option<LeafId>),
    Deny,
    /// The person at the screen decides.
    Ask(String),
}

/// What a chair holds besides what every member has.
pub(super) struct Ruling {
    doors: BTreeMap<StayId, Porter>,
    lobby: Option<StayId>,
    admits_all: bool,
    locked: bool,
    wanted: Vec<Wanted>,
    /// To be removed, and everybody else moves.
    put_out: Vec<LeafId>,
    /// The numbers of those at the lobby's door whom the screen knows of.
    told: Vec<u32>,
    /// Those of them that the person admits.
    admitted: Vec<u32>,
    /// Commits, each with the epoch that it rests on.
    kept: VecDeque<(u64, Vec<u8>)>,
    last_commit: Option<Duration>,
}

/// Whether a commit is one that the rule allows: the ruling committer's, and nobody of a lower rank is
/// removed by it but to come in again with another leaf.
pub(super) fn may_commit(rules: Option<u8>, change: &ChangeSeen<'_>) -> bool {
    let Some(rank) = change.committer.rank else {
        return false;
    };
    let comes_again = |low: u8| change.added.iter().any(|member| member.rank == Some(low));
    let allowed = |removed: Option<u8>| removed.is_none_or(|low| low > rank || comes_again(low));
    rules == Some(rank) && change.removed.iter().all(|member| allowed(member.rank))
}

impl Ruling {
    fn new(admits_all: bool) -> Self {
        Self {
            doors: BTreeMap::new(),
            lobby: None,
            admits_all,
            locked: false,
            wanted: Vec::new(),
            put_out: Vec::new(),
            told: Vec::new(),
            admitted: Vec::new(),
            kept: VecDeque::new(),
            last_commit: None,
        }
    }

    /// Something was said at a door.
    pub(super) fn handle(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        body: LobbyBody,
        now: Duration,
    ) {
        if let Some(porter) = self.doors.get_mut(&stay) {
            porter.handle(now, from, body);
        }
    }

    pub(super) fn left(&mut self, stay: StayId, participant: ParticipantId) {
        if let Some(porter) = self.doors.get_mut(&stay) {
            porter.left(participant);
        }
    }

    /// This side is not in that room now.
    pub(super) fn closed(&mut self, stay: StayId) {
        self.doors.remove(&stay);
        self.wanted.retain(|wanted| wanted.door != stay);
    }

    /// These are to be removed.
    pub(super) fn put_out(&mut self, leaves: &[LeafId]) {
        self.put_out.extend_from_slice(leaves);
    }

    /// Opens the lobby of this secret, and closes the one before: who waits there is told.
    pub(super) fn new_lobby(&mut self, secret: &LinkSecret, core: &mut Core) {
        if let Some(before) = self.lobby.take() {
            if let Some(porter) = self.doors.get_mut(&before) {
                porter.moved(secret);
            }
            self.doors_turn(core);
            self.closed(before);
            core.leave(before);
        }
        self.told.clear();
        self.admitted.clear();
        self.lobby = Some(core.enter(Purpose::Lobby, secret));
    }

    /// Lets the porters do what they have to.
    fn doors_turn(&mut self, core: &mut Core) {
        for (stay, porter) in &mut self.doors {
            porter.tick(core.now);
            while let Some(said) = porter.poll() {
                match said {
                    PorterOutput::Post { to, body } => core.say(*stay, to, &Plain::Lobby(body)),
                    PorterOutput::Withdrawn(number) if self.lobby == Some(*stay) => {
                        if self.told.contains(&number) {
                            self.told.retain(|told| *told != number);
                            core.note(Notice::KnockGone { number });
                        }
                    }
                    PorterOutput::Knocked(_)
                    | PorterOutput::Withdrawn(_)
                    | PorterOutput::Sas { .. } => {}
                }
            }
        }
    }

    /// Decides about those who wait.
    fn look_at_the_doors(&mut self, group: &Group, outcasts: &Outcasts, core: &mut Core) {
        let roster = group.roster();
        let mut judged = Vec::new();
        for (stay, porter) in &self.doors {
            for waiting in porter.waiting() {
                let number = waiting.number;
                let here = |wanted: &Wanted| wanted.door == *stay && wanted.number == number;
                if !self.wanted.iter().any(here) {
                    let verdict = self.judge(*stay, &waiting, group, &roster, outcasts, core);
                    judged.push((*stay, number, verdict));
                }
            }
        }
        for (door, number, verdict) in judged {
            match verdict {
                Verdict::Admit(key_package, replaces) => {
                    self.admitted.retain(|admitted| *admitted != number);
                    self.wanted.push(Wanted {
                        door,
                        number,
                        key_package: *key_package,
                        replaces,
                    });
                }
                Verdict::Deny => {
                    if let Some(porter) = self.doors.get_mut(&door) {
                        porter.deny(number);
                    }
                }
                Verdict::Ask(name) => {
                    if !self.told.contains(&number) {
                        self.told.push(number);
                        core.note(Notice::Knocking { number, name });
                    }
                }
            }
        }
    }

    fn judge(
        &self,
        stay: StayId,
        waiting: &Waiting<'_>,
        group: &Group,
        roster: &[Member],
        outcasts: &Outcasts,
        core: &Core,
    ) -> Verdict {
        let Ok(key_package) = KeyPackage::read(waiting.key_package, group.committers()) else {
            return Verdict::Deny;
        };
        let member = key_package.member();
        if member.name != waiting.name || outcasts.contains(&member.run) {
            return Verdict::Deny;
        }
        let proof = waiting.proof_of_return;
        let own = proof.and_then(|proof| returns(proof, waiting.key_package, roster));
        let rank_of = |leaf: LeafId| roster.iter().find(|one| one.leaf == leaf);
        let own = own.filter(|leaf| {
            *leaf != group.me() && rank_of(*leaf).is_some_and(|one| one.rank == member.rank)
        });
        let key_package = Box::new(key_package.clone());
        match core.stays.purpose(stay) {
            Some(Purpose::Main) if own.is_some() => Verdict::Admit(key_package, own),
            Some(Purpose::Committers) => {
                let Some(rank) = member.rank else {
                    return Verdict::Deny;
                };
                let same = roster.iter().find(|one| one.rank == Some(rank));
                match same {
                    Some(me) if me.leaf == group.me() => Verdict::Deny,
                    same => Verdict::Admit(key_package, same.map(|one| one.leaf)),
                }
            }
            Some(Purpose::Lobby) if member.rank.is_none() => {
                if own.is_some() {
                    return Verdict::Admit(key_package, own);
                }
                // Whoever is inside does not knock, and nobody else has its process.
                if roster.iter().any(|one| one.run == member.run) {
                    return Verdict::Deny;
                }
                let wanted = self.admits_all || self.admitted.contains(&waiting.number);
                match wanted && !waiting.held {
                    true => Verdict::Admit(key_package, None),
                    false => Verdict::Ask(waiting.name.to_owned()),
                }
            }
            _ => Verdict::Deny,
        }
    }

    fn deadline(&self) -> Option<Duration> {
        self.doors.values().filter_map(Porter::deadline).min()
    }
}

impl Inside {
    /// Takes the chair: opens the doors.
    pub(super) fn begin_to_rule(&mut self, core: &mut Core) {
        if self.ruling.is_some() {
            return;
        }
        let mut ruling = Ruling::new(core.admits_all);
        ruling.new_lobby(&self.link_secret, core);
        self.ruling = Some(ruling);
        self.rejoin = None;
        let rooms: Vec<StayId> = self.homes.iter().map(|home| home.stay).collect();
        let committers = core.committers().map(|(stay, _)| stay);
        for stay in rooms.into_iter().chain(committers) {
            self.open_door(stay, core);
        }
        self.put_out_outcasts();
        core.note(Notice::InTheChair(true));
    }

    /// Leaves the chair to another.
    pub(super) fn cease_to_rule(&mut self, core: &mut Core) {
        if let Some(lobby) = self.ruling.take().and_then(|ruling| ruling.lobby) {
            core.leave(lobby);
        }
        core.note(Notice::InTheChair(false));
    }

    /// Stands at the door of a room that this side is in.
    pub(super) fn open_door(&mut self, stay: StayId, core: &mut Core) {
        let secret = match core.stays.purpose(stay) {
            Some(Purpose::Main) => {
                let home = self.homes.iter().find(|home| home.stay == stay);
                home.map(|home| home.secret.clone())
            }
            Some(Purpose::Lobby) => Some(self.link_secret.clone()),
            Some(Purpose::Committers) => core.committers().map(|(_, secret)| secret),
            None => None,
        };
        let seed = core.seed();
        let (Some(ruling), Some(secret), Some(me), Some(link)) = (
            &mut self.ruling,
            secret,
            core.stays.me(stay),
            core.committer(),
        ) else {
            return;
        };
        let porter = Porter::new(link, &secret, me, ruling.locked, core.now, seed);
        ruling.doors.insert(stay, porter);
    }

    /// Looks after the doors and commits what is to be committed.
    pub(super) fn rule(&mut self, core: &mut Core) {
        let Some(ruling) = &mut self.ruling else {
            return;
        };
        ruling.doors_turn(core);
        ruling.look_at_the_doors(&self.group, &self.chairs.outcasts, core);
        ruling.doors_turn(core);
        let now = core.now;
        let gone = |person: &Person| {
            let left = person.bye && person.at.is_empty();
            left || person.away.is_some_and(|since| now >= since + AWAY)
        };
        let away = self.people.iter().filter(|(_, person)| gone(person));
        let away: Vec<LeafId> = away.map(|(_, person)| person.leaf).collect();
        let nothing = away.is_empty() && ruling.wanted.is_empty() && ruling.put_out.is_empty();
        let early = ruling
            .last_commit
            .is_some_and(|last| now < last + COMMITS_EACH);
        if nothing || early {
            return;
        }
        let count = ruling.wanted.len().min(AT_ONCE);
        let wanted: Vec<Wanted> = ruling.wanted.drain(..count).collect();
        let put_out = std::mem::take(&mut ruling.put_out);
        self.commit(wanted, away, put_out, core);
    }

    /// When the doors or a commit want to be looked after.
    pub(super) fn ruling_deadline(&self) -> Option<Duration> {
        let ruling = self.ruling.as_ref()?;
        let wants = !ruling.wanted.is_empty() || !ruling.put_out.is_empty();
        let commit = ruling
            .last_commit
            .filter(|_| wants)
            .map(|last| last + COMMITS_EACH);
        [ruling.deadline(), commit].into_iter().flatten().min()
    }

    /// Changes the tree, and lets everyone know whom it concerns.
    fn commit(
        &mut self,
        wanted: Vec<Wanted>,
        away: Vec<LeafId>,
        put_out: Vec<LeafId>,
        core: &mut Core,
    ) {
        let roster = self.group.roster();
        let put_out: Vec<&Member> = roster
            .iter()
            .filter(|member| put_out.contains(&member.leaf) && member.leaf != self.group.me())
            .collect();
        let replaced: Vec<LeafId> = wanted.iter().filter_map(|wanted| wanted.replaces).collect();
        let mut remove = away;
        remove.extend(put_out.iter().map(|member| member.leaf));
        remove.extend(replaced);
        remove.sort_unstable();
        remove.dedup();
        remove.retain(|leaf| *leaf != self.group.me() && roster.iter().any(|m| m.leaf == *leaf));
        let add = wanted
            .iter()
            .map(|wanted| wanted.key_package.clone())
            .collect();
        let epoch = self.group.epoch();
        let posted = match self.group.commit(Change { add, remove }) {
            Ok(posted) => posted,
            Err(rejection) => {
                core.reject(rejection.into());
                return self.commit_failed(&wanted);
            }
        };
        for member in &put_out {
            self.chairs.outcasts.add(member.run);
        }
        let moves = !put_out.is_empty();
        for home in &self.homes {
            core.say(home.stay, To::Everyone, &Plain::Mls(posted.commit.clone()));
        }
        self.epoch_changed(false, core);
        self.post_now(core);
        if let Some(ruling) = &mut self.ruling {
            ruling.last_commit = Some(core.now);
            ruling.kept.push_back((epoch, posted.commit));
            while ruling.kept.len() > KEPT {
                ruling.kept.pop_front();
            }
        }
        if moves {
            for home in self.homes.iter().map(|home| home.stay).collect::<Vec<_>>() {
                self.say_to(home, &Said::Move, core);
            }
            self.move_on(core);
        }
        if let Some(welcome) = posted.welcome {
            self.welcome(welcome, &wanted, core);
        }
    }

    fn welcome(&mut self, welcome: Vec<u8>, wanted: &[Wanted], core: &mut Core) {
        let (Some(home), Some(ruling), Some(beat)) =
            (self.homes.last(), &mut self.ruling, &self.chairs.last)
        else {
            return;
        };
        let admission = Admission {
            welcome,
            main: *home.secret.as_bytes(),
            link: *self.link_secret.as_bytes(),
            beat: beat.clone(),
        };
        let Ok(payload) = postcard::to_allocvec(&admission) else {
            return;
        };
        let payload = Arc::new(Zeroizing::new(payload));
        for wanted in wanted {
            if let Some(porter) = ruling.doors.get_mut(&wanted.door) {
                // Who has gone away meanwhile leaves the tree again by being away.
                let _ = porter.admit(core.now, wanted.number, &payload);
            }
        }
        ruling.doors_turn(core);
    }

    /// One of those who were to be taken in does not fit: nobody is, and they are asked about anew. Who
    /// wants a place that another has is not let in.
    fn commit_failed(&mut self, wanted: &[Wanted]) {
        let Some(ruling) = &mut self.ruling else {
            return;
        };
        for wanted in wanted {
            if let Some(porter) = ruling.doors.get_mut(&wanted.door) {
                porter.deny(wanted.number);
            }
        }
    }

    /// Somebody lacks what was committed since then.
    pub(super) fn send_again(&self, stay: StayId, to: ParticipantId, epoch: u64, core: &mut Core) {
        let Some(ruling) = &self.ruling else {
            return;
        };
        for (_, commit) in ruling.kept.iter().filter(|(before, _)| *before >= epoch) {
            core.say(stay, To::One(to), &Plain::Mls(commit.clone()));
        }
    }

    /// Does what only the chair may.
    pub(super) fn rule_by(&mut self, command: Command, core: &mut Core) {
        if let Command::AdmitAll(on) = command {
            core.admits_all = on;
        }
        let Some(ruling) = &mut self.ruling else {
            return match command {
                // For when it takes the chair.
                Command::AdmitAll(_) => {}
                _ => core.reject(Rejection::NotAllowed),
            };
        };
        match command {
            Command::Admit(number) => ruling.admitted.push(number),
            Command::AdmitAll(on) => ruling.admits_all = on,
            Command::Deny(number) => {
                let porter = ruling.lobby.and_then(|lobby| ruling.doors.get_mut(&lobby));
                if !porter.is_some_and(|porter| porter.deny(number)) {
                    core.reject(Rejection::UnknownSender);
                }
                ruling.doors_turn(core);
            }
            Command::Remove(who) => match self.people.get(who) {
                Some(person) => ruling.put_out.push(person.leaf),
                None => core.reject(Rejection::UnknownSender),
            },
            Command::Lock(locked) => {
                ruling.locked = locked;
                for porter in ruling.doors.values_mut() {
                    porter.lock(locked);
                }
                ruling.doors_turn(core);
                self.chair.lock(core.now, locked);
                core.note(Notice::Locked(locked));
            }
            Command::AskQuiet => self.say(&Said::AskQuiet, core),
            Command::Say(_) | Command::Who => {}
        }
    }
}
