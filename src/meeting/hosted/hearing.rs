//! What a member makes of what others say.

use zeroize::Zeroizing;

use super::core::Core;
use super::inside::{Became, Inside};
use super::plain::{Plain, Said};
use super::ruling::may_commit;
use super::voice::attested;
use crate::meeting::events::{Ending, Notice, Output, Rejection, StayId, Who};
use crate::meeting::group::{GroupRejection, LeafId, Processed, Why};
use crate::meeting::limits::{CHAT_BYTES, STANDING_EACH};
use crate::wire::{ParticipantId, To, TrackId};

/// Messages that came before the commit that they rest on: how many are kept.
const EARLY: usize = 256;

/// A message that rests on a commit which has not come yet.
pub(super) struct Early {
    stay: StayId,
    from: ParticipantId,
    bytes: Vec<u8>,
}

impl Inside {
    pub(super) fn heard(
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
            Plain::Behind { epoch } if at_home => {
                if let Some(ruling) = &mut self.ruling {
                    ruling.is_behind((stay, from), epoch, core.now);
                }
            }
            Plain::Lobby(body) => {
                if let Some(rejoin) = &mut self.rejoin {
                    rejoin.handle(stay, from, &body, core);
                }
                if let Some(ruling) = &mut self.ruling {
                    ruling.handle(stay, from, body, core.now);
                }
            }
            Plain::Outcasts(told) => self.told_outcasts(stay, from, told, core),
            Plain::Here { main, told } => self.told_home(stay, from, main, &told, core),
            Plain::Mls(_) | Plain::Behind { .. } => core.reject(Rejection::NotAllowed),
        }
        Became::Same
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
        let at = (stay, from);
        let reach = self.reach.of(core.now, at);
        let mut left = reach;
        let processed = self
            .group
            .process_within(&mut left, &bytes, |change| may_commit(rules, change));
        self.reach.spent(core.now, at, reach - left);
        match processed {
            Ok(Processed::App {
                from: leaf,
                epoch,
                bytes,
            }) => {
                match postcard::from_bytes(&Zeroizing::new(bytes)) {
                    // What was late: the rooms of that epoch are known, perhaps to somebody who was removed
                    // since. The chair says where they are again and again.
                    Ok(Said::Move | Said::At { .. }) if epoch != self.group.epoch() => {}
                    Ok(said) => self.said(stay, from, leaf, said, core),
                    Err(_) => core.reject(Rejection::Malformed),
                }
                Became::Same
            }
            Ok(Processed::Commit {
                removed_me: true,
                why,
            }) => match why {
                Why::PutOut => Became::Over(Ending::Removed),
                // Its next leaf may be in the same commit.
                Why::Gone if self.rejoin.is_some() => Became::Same,
                // It was not heard for long: it comes back by itself.
                Why::Gone => Became::Lost,
            },
            Ok(Processed::Commit { why, .. }) => {
                let after = self.group.roster();
                let went = self.people.iter().map(|(_, one)| (one.run, one.rank));
                let went = went.filter(|(run, _)| !after.iter().any(|member| member.run == *run));
                let went: Vec<_> = went.collect();
                // Of the commit alone: what is said after it may be lost.
                if let (Why::PutOut, Some(rank)) = (why, rules) {
                    self.remember_removed(rank, &went);
                }
                self.epoch_changed(false, Some(why), core);
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
        let says_where = matches!(said, Said::Here { .. });
        if !says_where && self.people.heard(core.now, who) {
            self.introduce(stay, To::One(from), true, core);
        }
        let rank = self.people.get(who).and_then(|person| person.rank);
        let is_chair = rank.is_some() && rank == self.chair.ruling(core.now);
        // Where both halves of a meeting hear each other, the winner rules before the loser leads its
        // people over.
        let leads = self.chair.apart() && rank.is_some() && rank == self.chairs.led_by;
        match said {
            Said::Here { me, .. } if me != from => core.reject(Rejection::Misdirected),
            Said::Here { presence, .. } if !presence.is_acceptable() => {
                core.reject(Rejection::TooLarge);
            }
            Said::Here {
                mut presence,
                standing,
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
                match same {
                    true => person.standing.set(standing),
                    false => person.standing.say(core.now, standing, STANDING_EACH),
                }
                self.people.here(who, stay, me);
                self.voice.meet(who, salt, signs, &mut self.people, core);
                if !same {
                    core.out.push_back(Output::Appeared { who, presence });
                    core.note(Notice::Standing { who, standing });
                }
                self.listen_again(who, stay, me, core);
                let now = core.now;
                if asks && self.people.get_mut(who).is_some_and(|one| one.may_ask(now)) {
                    self.answer_later(stay, from, core);
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
            Said::Merge { .. } if !is_chair && !leads => core.reject(Rejection::NotAllowed),
            Said::Merge { main } => self.go_to(main.room(), core),
            Said::Move | Said::At { .. } | Said::AskQuiet | Said::End if !is_chair => {
                core.reject(Rejection::NotAllowed);
            }
            // Everyone moves when somebody was put out, and not when somebody was only away.
            Said::Move => self.move_on(core),
            Said::At { main, link } => {
                self.link_secret = link.room();
                self.go_to(main.room(), core);
            }
            Said::End => self.end_now(core.now),
            Said::AskQuiet => core.note(Notice::AskedToBeQuiet),
            Said::Attest(attest) => {
                attested(who, &attest, &mut self.people, core);
            }
        }
    }

    /// Asks for what this side's user wishes to have of somebody, in a room where it is now.
    pub(super) fn listen_again(&self, who: Who, stay: StayId, me: ParticipantId, core: &mut Core) {
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
}
