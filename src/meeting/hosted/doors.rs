//! The doors that a chair keeps, and who may come in by which.

mod judging;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::admission::{is_certified, proven};
use super::comparing::{Comparison, Comparisons, context};
use super::core::Core;
use super::plain::Plain;
use super::stays::Purpose;
use crate::meeting::chair::Outcasts;
use crate::meeting::events::{Notice, Rejection, StayId};
use crate::meeting::group::{Group, KeyPackage, LeafId, MEMBERS, Member};
use crate::meeting::lobby::{AdmitError, LetIn, LobbyBody, Porter, PorterOutput, WAITING, Waiting};
use crate::meeting::secret::LinkSecret;
use crate::wire::ParticipantId;

/// Least time from one commit to the next: those who come at once come in with one.
const COMMITS_EACH: Duration = Duration::from_millis(200);

/// How long those who are to be taken in wait for those before them to be there. A commit before that
/// would have to be sent again to each of these, and as many as knock meanwhile are one commit and one
/// welcome.
const COME_WITHIN: Duration = Duration::from_secs(3);

/// How soon somebody who was taken in anew is so once more: each time is a commit that everybody has to
/// follow. A member that lost the thread knocks no sooner than after 5 s.
const ANEW_EACH: Duration = Duration::from_secs(4);

/// How long somebody who was taken out for being out of reach comes back without the host being asked:
/// through a lock, too, and the host cannot remove who is not there.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(600);

/// Somebody who is to be taken in with the next commit.
pub(super) struct Wanted {
    pub(super) door: StayId,
    pub(super) number: u32,
    pub(super) key_package: KeyPackage,
    /// A leaf of its own that goes.
    pub(super) replaces: Option<LeafId>,
    /// Not before then.
    pub(super) not_before: Duration,
}

impl Wanted {
    fn run(&self) -> [u8; 16] {
        self.key_package.member().run
    }

    /// Whether what it was let in for is so still: others may have been in the tree then.
    fn fits(&self, roster: &[Member], outcasts: &Outcasts) -> bool {
        let member = self.key_package.member();
        let own =
            |one: &Member| one.run == member.run || (one.rank.is_some() && one.rank == member.rank);
        let gives_way = |leaf| roster.iter().any(|one| one.leaf == leaf && own(one));
        !is_out(member, outcasts) && self.replaces.is_none_or(gives_way)
    }
}

fn is_out(member: &Member, outcasts: &Outcasts) -> bool {
    let rank = member.rank;
    outcasts.contains(&member.run) || rank.is_some_and(|rank| outcasts.has_committer(rank))
}

/// What becomes of one who waits at a door.
enum Verdict {
    Admit(Box<KeyPackage>, Option<LeafId>),
    Deny,
    /// The person at the screen decides.
    Ask(Asked),
}

/// Who asks to be let in.
#[derive(PartialEq, Eq)]
struct Asked {
    name: String,
    key_package: Vec<u8>,
}

impl Asked {
    fn of(waiting: &Waiting<'_>) -> Self {
        Self {
            name: waiting.name.to_owned(),
            key_package: waiting.key_package.to_vec(),
        }
    }
}

/// What a chair holds besides what every member has.
pub(super) struct Ruling {
    pub(super) doors: BTreeMap<StayId, Porter>,
    /// Who was let in at a door that is closed until this side is in that room again.
    pub(super) let_in: BTreeMap<StayId, LetIn>,
    pub(super) lobby: Option<StayId>,
    pub(super) admits_all: bool,
    pub(super) locked: bool,
    pub(super) wanted: Vec<Wanted>,
    /// They wait until the line to the main room is free.
    pub(super) held: bool,
    /// Who was taken in anew, and when.
    anew: Vec<([u8; 16], Duration)>,
    /// Who was taken out for being out of reach, and when: for a while it comes back like one that is still
    /// in the tree.
    taken_out: VecDeque<(Member, Duration)>,
    /// To be removed, and everybody else moves.
    pub(super) put_out: Vec<LeafId>,
    /// The numbers of those at the lobby's door whom the screen knows of.
    told: Vec<u32>,
    /// Those of them that the person admits.
    pub(super) admitted: Vec<u32>,
    pub(super) comparisons: Comparisons,
    /// Who had words in a lobby that is closed, and has not knocked in the next one yet.
    compared: Vec<(Asked, Comparison)>,
    /// Commits, each with the epoch that it rests on.
    pub(super) kept: VecDeque<(u64, Vec<u8>)>,
    pub(super) last_commit: Option<Duration>,
    /// Processes of those whom the last commit took in, until they are heard.
    pub(super) coming: Vec<[u8; 16]>,
    /// Who lacks the commits since which epoch.
    pub(super) behind: Vec<(StayId, ParticipantId, u64)>,
    /// When they are sent again.
    pub(super) again_at: Option<Duration>,
    pub(super) sent_again: Option<Duration>,
}

impl Ruling {
    pub(super) fn new(admits_all: bool, locked: bool) -> Self {
        Self {
            doors: BTreeMap::new(),
            let_in: BTreeMap::new(),
            lobby: None,
            admits_all,
            locked,
            wanted: Vec::new(),
            held: false,
            anew: Vec::new(),
            taken_out: VecDeque::new(),
            put_out: Vec::new(),
            told: Vec::new(),
            admitted: Vec::new(),
            comparisons: Comparisons::default(),
            compared: Vec::new(),
            kept: VecDeque::new(),
            last_commit: None,
            coming: Vec::new(),
            behind: Vec::new(),
            again_at: None,
            sent_again: None,
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

    /// This side is not in that room now: who waited there waits no more.
    pub(super) fn closed(&mut self, stay: StayId, core: &mut Core) {
        if let Some(porter) = self.doors.remove(&stay) {
            self.let_in.insert(stay, porter.into_let_in());
        }
        self.wanted.retain(|wanted| wanted.door != stay);
        if self.lobby == Some(stay) {
            for number in self.told.clone() {
                self.done(stay, number, core);
            }
        }
    }

    /// Whether somebody waits in the lobby under this number, as the screen knows.
    pub(super) fn waits(&self, number: u32) -> bool {
        self.told.contains(&number)
    }

    /// Whoever had this number at this door waits no more.
    fn done(&mut self, door: StayId, number: u32, core: &mut Core) {
        self.wanted
            .retain(|wanted| (wanted.door, wanted.number) != (door, number));
        if self.lobby == Some(door) && self.told.contains(&number) {
            self.told.retain(|told| *told != number);
            self.admitted.retain(|admitted| *admitted != number);
            self.comparisons.forget(number);
            core.note(Notice::KnockGone { number });
        }
    }

    /// Lets these in. Who has gone away meanwhile leaves the tree again by being away.
    pub(super) fn admit(
        &mut self,
        door: StayId,
        numbers: &[u32],
        payload: &Arc<Zeroizing<Vec<u8>>>,
        core: &mut Core,
    ) {
        let porter = self.doors.get_mut(&door);
        let refused = match porter.map(|porter| porter.admit(core.now, numbers, payload)) {
            // That the meeting is too large for its welcome is the person's to know.
            Some(Err(AdmitError::TooLarge)) => Some(Rejection::TooMany),
            Some(Err(AdmitError::Locked)) => Some(Rejection::Internal),
            Some(Ok(()) | Err(AdmitError::NobodyThere)) | None => None,
        };
        if let Some(refused) = refused {
            core.reject(refused);
        }
        for number in numbers {
            match refused {
                // It would wait for nothing: its leaf is in the tree, and leaves it by being away.
                Some(_) => self.deny(door, *number, core),
                None => self.done(door, *number, core),
            }
        }
    }

    /// When the next commit may be made.
    pub(super) fn commits_at(&self) -> Duration {
        let wait = match self.coming.is_empty() || !self.put_out.is_empty() {
            true => COMMITS_EACH,
            false => COME_WITHIN,
        };
        self.last_commit.map_or(Duration::ZERO, |last| last + wait)
    }

    /// Does not let somebody in.
    pub(super) fn deny(&mut self, door: StayId, number: u32, core: &mut Core) {
        if let Some(porter) = self.doors.get_mut(&door) {
            porter.deny(number);
        }
        self.done(door, number, core);
    }

    /// These are to be removed.
    pub(super) fn put_out(&mut self, leaves: &[LeafId]) {
        self.put_out.extend_from_slice(leaves);
    }

    /// Opens the lobby of this secret, and closes the one before: who waits there is told.
    pub(super) fn new_lobby(&mut self, secret: &LinkSecret, core: &mut Core) {
        if let Some(before) = self.lobby.take() {
            if let Some(porter) = self.doors.get_mut(&before) {
                for waiting in porter.waiting() {
                    let comparison = self.comparisons.take(waiting.number);
                    let with = comparison.map(|one| (Asked::of(&waiting), one));
                    self.compared.extend(with);
                }
                let over = self.compared.len().saturating_sub(WAITING);
                self.compared.drain(..over);
                porter.moved(secret);
            }
            self.lobby = Some(before);
            self.doors_turn(core);
            self.closed(before, core);
            core.leave(before);
        }
        self.lobby = Some(core.enter(Purpose::Lobby, secret));
    }

    /// Closes all doors for good: nobody is answered any more, and nobody removed.
    pub(super) fn close(&mut self, core: &mut Core) {
        let doors: Vec<StayId> = self.doors.keys().copied().collect();
        for door in doors {
            self.closed(door, core);
        }
        if let Some(lobby) = self.lobby.take() {
            core.leave(lobby);
        }
        self.put_out.clear();
    }

    /// Lets the porters do what they have to.
    pub(super) fn doors_turn(&mut self, core: &mut Core) {
        self.comparisons.tick(core);
        let (mut withdrawn, mut compared) = (Vec::new(), Vec::new());
        for (stay, porter) in &mut self.doors {
            porter.hold(core.stays.is_behind(*stay));
            porter.tick(core.now);
            while let Some(said) = porter.poll() {
                match said {
                    PorterOutput::Post { to, body } => core.say(*stay, to, &Plain::Lobby(body)),
                    PorterOutput::Withdrawn(number) => withdrawn.push((*stay, number)),
                    PorterOutput::Knocked(number) => core.knocks = core.knocks.max(number),
                    PorterOutput::Sas { number, message } => {
                        compared.push((*stay, number, message));
                    }
                }
            }
        }
        for (door, number) in withdrawn {
            self.done(door, number, core);
        }
        for (door, number, message) in compared {
            if self.lobby != Some(door) {
                core.reject(Rejection::Unexpected);
                continue;
            }
            let answer = self.comparisons.handle(number, &message, core);
            if let (Some(answer), Some(porter)) = (answer, self.doors.get_mut(&door)) {
                porter.sas(number, &answer.to_bytes());
            }
        }
    }

    /// Begins to compare words with somebody who waits in this lobby.
    pub(super) fn compare(&mut self, number: u32, lobby: &LinkSecret, core: &mut Core) {
        let Some(porter) = self.lobby.and_then(|stay| self.doors.get_mut(&stay)) else {
            return;
        };
        let waiting = porter.waiting().find(|waiting| waiting.number == number);
        let Some(context) = waiting.map(|waiting| context(core, lobby, waiting.key_package)) else {
            return;
        };
        if let Some(commit) = self.comparisons.begin(number, context, core) {
            porter.sas(number, &commit.to_bytes());
        }
    }

    /// Decides about those who wait.
    pub(super) fn look_at_the_doors(
        &mut self,
        group: &Group,
        outcasts: &Outcasts,
        core: &mut Core,
    ) {
        self.wanted.retain(|one| one.fits(group.roster(), outcasts));
        let mut judged = Vec::new();
        for (stay, porter) in &self.doors {
            for waiting in porter.waiting() {
                let number = waiting.number;
                let here = |wanted: &Wanted| wanted.door == *stay && wanted.number == number;
                // To judge somebody costs signatures: not again while the person decides.
                let asked = self.lobby == Some(*stay)
                    && self.told.contains(&number)
                    && !self.admits(&waiting);
                if !asked && !self.wanted.iter().any(here) {
                    let verdict = self.judge(*stay, &waiting, group, outcasts, core);
                    judged.push((*stay, number, verdict));
                }
            }
        }
        for (door, number, verdict) in judged {
            match verdict {
                Verdict::Admit(key_package, replaces) => {
                    let wanted = Wanted {
                        door,
                        number,
                        key_package: *key_package,
                        replaces,
                        not_before: core.now,
                    };
                    self.want(wanted, core);
                }
                Verdict::Deny => self.deny(door, number, core),
                Verdict::Ask(asked) => {
                    if !self.told.contains(&number) {
                        self.told.push(number);
                        let name = asked.name.clone();
                        core.note(Notice::Knocking { number, name });
                        // It is that key package of which the words were.
                        let same = |(before, _): &mut (Asked, _)| *before == asked;
                        if let Some((_, one)) = self.compared.extract_if(.., same).next() {
                            self.comparisons.go_on(number, one, core);
                        }
                    }
                }
            }
        }
        self.spare();
    }

    /// Nobody else takes the place of who is being compared with, or let in.
    fn spare(&mut self) {
        for (stay, porter) in &mut self.doors {
            let wanted = self.wanted.iter().filter(|one| one.door == *stay);
            let mut busy: Vec<u32> = wanted.map(|one| one.number).collect();
            if self.lobby == Some(*stay) {
                busy.extend(&self.admitted);
                busy.extend(self.comparisons.under_way());
            }
            porter.spare(busy);
        }
    }

    /// Somebody is to be taken in. Who knocks twice is so with the newer knock alone: one member has one
    /// leaf.
    fn want(&mut self, mut wanted: Wanted, core: &mut Core) {
        let same = |one: &&Wanted| (one.run(), one.replaces) == (wanted.run(), wanted.replaces);
        let older = self.wanted.iter().filter(same);
        let older: Vec<_> = older.map(|one| (one.door, one.number)).collect();
        for (door, number) in older {
            self.deny(door, number, core);
        }
        self.anew.retain(|(_, at)| core.now < *at + ANEW_EACH);
        let before = self.anew.iter().find(|(run, _)| *run == wanted.run());
        if let Some((_, at)) = before {
            wanted.not_before = *at + ANEW_EACH;
        }
        self.wanted.push(wanted);
    }

    /// These are in the tree now.
    pub(super) fn taken_in(&mut self, wanted: &[Wanted], now: Duration) {
        let anew = wanted.iter().filter(|one| one.replaces.is_some());
        self.anew.extend(anew.map(|one| (one.run(), now)));
    }

    /// These were out of reach, and are in the tree no more.
    pub(super) fn took_out(&mut self, members: impl Iterator<Item = Member>, now: Duration) {
        self.taken_out.extend(members.map(|member| (member, now)));
        let most = self.taken_out.len().saturating_sub(MEMBERS);
        self.taken_out.drain(..most);
    }

    /// Those of them who may come back.
    pub(super) fn may_come_back(&self, outcasts: &Outcasts) -> Vec<Member> {
        let back = self.taken_out.iter().map(|(one, _)| one);
        back.filter(|one| !is_out(one, outcasts)).cloned().collect()
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let doors = self.doors.values().filter_map(Porter::deadline);
        doors.chain(self.comparisons.deadline()).min()
    }
}
