//! The duties of the chair: it looks after the doors, commits, and sends again what somebody missed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::admission::Admission;
use super::core::Core;
use super::doors::{Ruling, Wanted};
use super::inside::{Home, Inside};
use super::people::Person;
use super::plain::{Plain, Said};
use super::stays::Purpose;
use crate::meeting::events::{Command, Notice, Rejection, StayId};
use crate::meeting::group::{Change, ChangeSeen, LeafId, Member, Why};
use crate::meeting::lobby::Porter;
use crate::meeting::secret::Passed;
use crate::wire::{ParticipantId, To};

/// Who is connected nowhere for so long leaves the tree. It counts the meeting as lost after 120 s; what
/// is less than that is for two halves that become one again, which takes a while.
pub(super) const AWAY: Duration = Duration::from_secs(90);

/// Commits that are kept for those who missed one.
const KEPT: usize = 32;

/// How often commits are sent again; who lacks some asks each 2 s.
const AGAIN: Duration = Duration::from_secs(1);

/// How long others may take to ask for the same: a relay that restarts makes everyone miss a commit, and
/// then it is sent to everyone once.
const AGAIN_TOGETHER: Duration = Duration::from_millis(100);

/// Commits that one is sent at once, and those that are sent again at a time. An answer is much larger
/// than a question: without a bound whoever asks could fill the chair's line to the relay, and its beats
/// would come too late.
const AGAIN_EACH: usize = 8;
const AGAIN_ALL: usize = 2 * AGAIN_EACH;

/// Participants whose questions are remembered at a time.
const BEHIND: usize = 256;

/// Most that one commit takes in: more would not fit one message in a large meeting.
const AT_ONCE: usize = 16;

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

impl Inside {
    /// Takes the chair: opens the doors.
    pub(super) fn begin_to_rule(&mut self, core: &mut Core) {
        if self.ruling.is_some() {
            return;
        }
        let locked = self.chair.is_locked();
        let mut ruling = Ruling::new(core.admits_all, locked);
        ruling.new_lobby(&self.link_secret, core);
        self.ruling = Some(ruling);
        self.rejoin = None;
        let rooms: Vec<StayId> = self.homes.iter().map(|home| home.stay).collect();
        let committers = core.committers().map(|(stay, _)| stay);
        for stay in rooms.into_iter().chain(committers) {
            self.open_door(stay, core);
        }
        self.put_out_outcasts(core);
        core.note(Notice::InTheChair(true));
        if locked {
            core.note(Notice::Locked(true));
        }
    }

    /// Leaves the chair to another.
    pub(super) fn cease_to_rule(&mut self, core: &mut Core) {
        if let Some(lobby) = self.ruling.take().and_then(|ruling| ruling.lobby) {
            core.leave(lobby);
        }
        if let Some(stage) = &mut self.stage {
            stage.cease_to_rule();
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
            Some(Purpose::Stage) | None => None,
        };
        if self.ends.is_some() {
            return;
        }
        let seed = core.seed();
        let (Some(ruling), Some(secret), Some(me), Some(link)) = (
            &mut self.ruling,
            secret,
            core.stays.me(stay),
            core.committer(),
        ) else {
            return;
        };
        // A lock is against those who have the link: a host that comes back is not kept out by its own.
        let locked = ruling.locked && ruling.lobby == Some(stay);
        let mut porter = Porter::new(link, &secret, me, locked, core.now, seed);
        porter.without(&self.chairs.outcasts);
        porter.count_from(core.knocks);
        if let Some(let_in) = ruling.let_in.remove(&stay) {
            porter.keep(let_in);
        }
        let open = |stay: &StayId| core.stays.purpose(*stay).is_some();
        ruling.let_in.retain(|stay, _| open(stay));
        ruling.doors.insert(stay, porter);
    }

    /// Looks after the doors and commits what is to be committed.
    pub(super) fn rule(&mut self, core: &mut Core) {
        // The relay may only say that somebody left: nobody goes for that who answers.
        let may = |rank| core.may_remove(rank);
        if self.ruling.is_some() && self.home().is_some() && self.people.seek(core.now, may) {
            self.introduce_anew(core);
        }
        let Some(ruling) = &mut self.ruling else {
            return;
        };
        for porter in ruling.doors.values_mut() {
            porter.without(&self.chairs.outcasts);
        }
        ruling.doors_turn(core);
        ruling.look_at_the_doors(&self.group, &self.chairs.outcasts, core);
        ruling.doors_turn(core);
        ruling.send_again(core);
        let now = core.now;
        let here = |run: &[u8; 16]| {
            let mut people = self.people.iter();
            people.any(|(_, person)| person.run == *run && person.away.is_none())
        };
        ruling.coming.retain(|run| !here(run));
        // Nobody follows a commit that removes the host or another of a lower rank, however long that
        // one is away.
        let gone = |person: &Person| {
            let left = person.bye && person.at.is_empty();
            (left || person.is_away(now)) && core.may_remove(person.rank)
        };
        let away = self.people.iter().filter(|(_, person)| gone(person));
        let away: Vec<LeafId> = away.map(|(_, person)| person.leaf).collect();
        // Nobody comes in while the line is behind: beats wait there, too.
        let behind = |home: &Home| core.stays.is_behind(home.stay);
        let held = self.homes.iter().any(behind);
        ruling.held = held;
        let due = |wanted: &Wanted| !held && now >= wanted.not_before;
        let nobody = !ruling.wanted.iter().any(due);
        let nothing = away.is_empty() && nobody && ruling.put_out.is_empty();
        if nothing || now < ruling.commits_at() {
            return;
        }
        let put_out = std::mem::take(&mut ruling.put_out);
        if !put_out.is_empty() {
            // By itself: it waits for no newcomer and fails for none, and everyone moves after it, which
            // is not for those who were only away.
            return self.commit(Vec::new(), Vec::new(), put_out, core);
        }
        let wanted = ruling.wanted.extract_if(.., |one| due(one));
        let wanted: Vec<Wanted> = wanted.take(AT_ONCE).collect();
        self.commit(wanted, away, put_out, core);
    }

    /// When the doors or a commit want to be looked after.
    pub(super) fn ruling_deadline(&self) -> Option<Duration> {
        let ruling = self.ruling.as_ref()?;
        let wanted = ruling.wanted.iter().filter(|_| !ruling.held);
        let wanted = wanted.map(|wanted| wanted.not_before);
        let put_out = (!ruling.put_out.is_empty()).then_some(Duration::ZERO);
        let wants = wanted.chain(put_out).min();
        let commit = wants.map(|wants| wants.max(ruling.commits_at()));
        let all = [ruling.deadline(), commit, ruling.again_at];
        all.into_iter().flatten().min()
    }

    /// Changes the tree, and lets everyone know whom it concerns.
    fn commit(
        &mut self,
        wanted: Vec<Wanted>,
        away: Vec<LeafId>,
        put_out: Vec<LeafId>,
        core: &mut Core,
    ) {
        let (roster, me) = (self.group.roster(), self.group.me());
        let asked =
            |member: &&Member| put_out.contains(&member.leaf) && core.may_remove(member.rank);
        let removed: Vec<Member> = roster.iter().filter(asked).cloned().collect();
        let taken_out = roster.iter().filter(|one| away.contains(&one.leaf));
        let taken_out: Vec<Member> = taken_out.cloned().collect();
        let replaced = wanted.iter().filter_map(|wanted| wanted.replaces);
        let mut remove: Vec<LeafId> = away.into_iter().chain(replaced).collect();
        remove.extend(removed.iter().map(|member| member.leaf));
        remove.sort_unstable();
        remove.dedup();
        remove.retain(|leaf| *leaf != me && roster.iter().any(|one| one.leaf == *leaf));
        let add = wanted
            .iter()
            .map(|wanted| wanted.key_package.clone())
            .collect();
        let runs = wanted.iter().map(|wanted| wanted.key_package.member().run);
        let coming: Vec<[u8; 16]> = runs.collect();
        let epoch = self.group.epoch();
        let why = match put_out.is_empty() {
            true => Why::Gone,
            false => Why::PutOut,
        };
        let posted = match self.group.commit_for(why, Change { add, remove }) {
            Ok(posted) => posted,
            Err(rejection) => {
                core.reject(rejection.into());
                if let Some(ruling) = &mut self.ruling {
                    ruling.last_commit = Some(core.now);
                    ruling.put_out(&put_out);
                }
                return self.commit_failed(wanted, core);
            }
        };
        let moves = !removed.is_empty();
        let removed: Vec<_> = removed.iter().map(|one| (one.run, one.rank)).collect();
        if let Some(rank) = core.rank() {
            self.remember_removed(rank, &removed);
        }
        for home in &self.homes {
            core.say(home.stay, To::Everyone, &Plain::Mls(posted.commit.clone()));
        }
        self.epoch_changed(false, Some(why), core);
        self.post_now(core);
        if let Some(ruling) = &mut self.ruling {
            ruling.last_commit = Some(core.now);
            ruling.coming = coming;
            ruling.taken_in(&wanted, core.now);
            ruling.took_out(taken_out.into_iter(), core.now);
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
            main: Passed::from(&home.secret),
            link: Passed::from(&self.link_secret),
            beat: beat.clone(),
            words: self.chairs.outcasts.words(u8::MAX),
        };
        let Ok(payload) = postcard::to_allocvec(&admission) else {
            return;
        };
        let payload = Arc::new(Zeroizing::new(payload));
        let doors: Vec<StayId> = ruling.doors.keys().copied().collect();
        for door in doors {
            let at = wanted.iter().filter(|wanted| wanted.door == door);
            let numbers: Vec<u32> = at.map(|wanted| wanted.number).collect();
            ruling.admit(door, &numbers, &payload, core);
        }
        ruling.doors_turn(core);
    }

    /// Those who were to be taken in do not fit together: each is tried alone, and who does not fit
    /// then, since another has that place, is not let in.
    fn commit_failed(&mut self, wanted: Vec<Wanted>, core: &mut Core) {
        if wanted.len() > 1 {
            for one in wanted {
                self.commit(vec![one], Vec::new(), Vec::new(), core);
            }
        } else if let (Some(ruling), [one]) = (&mut self.ruling, wanted.as_slice()) {
            ruling.deny(one.door, one.number, core);
        }
    }

    /// Does what only the chair may.
    pub(super) fn rule_by(&mut self, command: Command, core: &mut Core) {
        if let Command::AdmitAll(on) = command {
            core.admits_all = on;
        }
        let Some(ruling) = self.ruling.as_mut().filter(|_| self.ends.is_none()) else {
            return match command {
                // For when it takes the chair.
                Command::AdmitAll(_) => {}
                _ => core.reject(Rejection::NotAllowed),
            };
        };
        match command {
            // A number that nobody has must not let in whoever gets it.
            Command::Admit(number)
            | Command::Deny(number)
            | Command::Compare(number)
            | Command::Same(number)
            | Command::Different(number)
                if !ruling.waits(number) =>
            {
                core.reject(Rejection::UnknownSender);
            }
            Command::Admit(number) => ruling.admitted.push(number),
            Command::AdmitAll(on) => ruling.admits_all = on,
            Command::Compare(number) => ruling.compare(number, &self.link_secret, core),
            Command::Same(number) => {
                if ruling.comparisons.is_shown(number, core) {
                    ruling.comparisons.is_same(number, core);
                }
            }
            Command::Different(number) if !ruling.comparisons.is_shown(number, core) => {}
            Command::Deny(number) | Command::Different(number) => {
                if let Some(lobby) = ruling.lobby {
                    ruling.deny(lobby, number, core);
                }
                ruling.doors_turn(core);
            }
            Command::Remove(who) => match self.people.get(who) {
                Some(person) if !core.may_remove(person.rank) => {
                    core.reject(Rejection::NotAllowed);
                }
                Some(person) => ruling.put_out.push(person.leaf),
                None => core.reject(Rejection::UnknownSender),
            },
            Command::Lock(locked) => {
                ruling.locked = locked;
                if locked {
                    let lobby = ruling.lobby;
                    ruling.wanted.retain(|wanted| Some(wanted.door) != lobby);
                }
                if let Some(porter) = ruling.lobby.and_then(|stay| ruling.doors.get_mut(&stay)) {
                    porter.lock(locked);
                }
                ruling.doors_turn(core);
                self.chair.lock(core.now, locked);
                core.note(Notice::Locked(locked));
            }
            Command::AskQuiet => self.say(&Said::AskQuiet, core),
            Command::EndForAll => self.end_for_all(core),
            Command::Say(_) | Command::Who => {}
        }
    }
}

impl Ruling {
    /// Somebody lacks what was committed since then.
    pub(super) fn is_behind(&mut self, at: (StayId, ParticipantId), epoch: u64, now: Duration) {
        let (stay, who) = at;
        self.behind.retain(|one| (one.0, one.1) != at);
        if self.behind.len() < BEHIND {
            self.behind.push((stay, who, epoch));
        }
        let again = self.sent_again.map_or(now, |sent| sent + AGAIN);
        self.again_at.get_or_insert(again.max(now + AGAIN_TOGETHER));
    }

    /// Sends commits again, once for all who lack them.
    fn send_again(&mut self, core: &mut Core) {
        if self.again_at.is_none_or(|at| core.now < at) {
            return;
        }
        self.again_at = None;
        self.sent_again = Some(core.now);
        let mut rooms: BTreeMap<StayId, Vec<(ParticipantId, u64)>> = BTreeMap::new();
        for (stay, who, epoch) in self.behind.drain(..) {
            rooms.entry(stay).or_default().push((who, epoch));
        }
        for (stay, behind) in rooms {
            let to = match behind.as_slice() {
                [(who, _)] => To::One(*who),
                _ => To::Everyone,
            };
            let lacks = |before: u64| {
                let next =
                    |epoch: u64| (epoch..epoch.saturating_add(AGAIN_EACH as u64)).contains(&before);
                behind.iter().any(|(_, epoch)| next(*epoch))
            };
            let lacking: Vec<&Vec<u8>> = self
                .kept
                .iter()
                .filter(|(before, _)| lacks(*before))
                .map(|(_, commit)| commit)
                .collect();
            for commit in lacking.iter().skip(lacking.len().saturating_sub(AGAIN_ALL)) {
                // Whoever lacks more asks again.
                if core.stays.is_behind(stay) {
                    break;
                }
                core.say(stay, to, &Plain::Mls((*commit).clone()));
            }
        }
    }
}
