//! What the porter does with what came: questions and knocks at their rates, parts at their pace.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::body::{Answer, Door, LobbyBody, Reply};
use super::limits::{GUESTS, KEPT, PART_EVERY, SAS_BYTES};
use super::parts::Parcel;
use super::porter::{Guest, Porter, PorterOutput};
use super::seal::{ChairLine, Parties, Refusal, SEALED_KNOCK, open_knock, statement};
use super::waiter::{Sending, Waiter, given, post};
use crate::wire::{ParticipantId, To};

impl Porter {
    pub(super) fn ask(
        &mut self,
        now: Duration,
        from: ParticipantId,
        nonce: [u8; 16],
    ) -> Result<(), Refusal> {
        let asked = self.guest(from)?.asked;
        self.heard(now, from);
        match self.asks.push(from, asked, nonce) {
            true => Ok(()),
            false => Err(Refusal::Flood),
        }
    }

    pub(super) fn knock(
        &mut self,
        now: Duration,
        from: ParticipantId,
        sealed: Vec<u8>,
    ) -> Result<(), Refusal> {
        if sealed.len() != SEALED_KNOCK {
            return Err(Refusal::Malformed);
        }
        let opened = self.guest(from)?.opened;
        self.heard(now, from);
        match self.unopened.push(from, opened, sealed) {
            true => Ok(()),
            false => Err(Refusal::Flood),
        }
    }

    pub(super) fn reply(
        &mut self,
        from: ParticipantId,
        counter: u64,
        sealed: &[u8],
    ) -> Result<(), Refusal> {
        let waiter = self
            .waiting
            .iter_mut()
            .find(|waiter| waiter.participant == from);
        let waiter = waiter.ok_or(Refusal::Unexpected)?;
        let Reply::Sas(message) = waiter.line.open(counter, sealed)?;
        if message.len() > SAS_BYTES {
            return Err(Refusal::TooLarge);
        }
        let number = waiter.number;
        self.out.push_back(PorterOutput::Sas { number, message });
        Ok(())
    }

    /// Does what the rates allow.
    pub(super) fn work(&mut self, now: Duration) {
        if self.held {
            return;
        }
        while !self.asks.is_empty() && self.doors.take(now) {
            if let Some((asker, nonce)) = self.asks.pop() {
                self.show_door(asker, &nonce);
            }
        }
        while !self.unopened.is_empty() && self.openings.take(now) {
            if let Some((knocker, sealed)) = self.unopened.pop() {
                let done = self.open(now, knocker, &sealed);
                self.count(done);
            }
        }
        if now >= self.next_part
            && let Some(mut sending) = self.sending.pop_front()
        {
            self.out.extend(sending.part());
            self.next_part = now.saturating_add(PART_EVERY);
            if !sending.is_done() {
                self.sending.push_front(sending);
            }
        }
    }

    fn show_door(&mut self, asker: ParticipantId, nonce: &[u8; 16]) {
        if let Some(guest) = self.guests.get_mut(&asker) {
            guest.asked = guest.asked.saturating_add(1);
        }
        let known = self.unopened.holds(asker)
            || self
                .waiting
                .iter()
                .any(|waiter| waiter.participant == asker)
            || self
                .sending
                .iter()
                .any(|sending| sending.participants.contains(&asker));
        let mut door = Door {
            bundle: self.bundle.clone(),
            rank: self.rank,
            run: self.run,
            locked: self.locked,
            known,
            words: self.words.clone(),
            signature: Vec::new(),
        };
        let statement = statement(&self.with(asker), &self.hash, &door, nonce);
        door.signature = self.signing.sign(&statement).to_vec();
        self.out.push_back(PorterOutput::Post {
            to: To::One(asker),
            body: LobbyBody::Door(door),
        });
    }

    fn open(&mut self, now: Duration, from: ParticipantId, sealed: &[u8]) -> Result<(), Refusal> {
        let guest = self.guest(from)?;
        guest.opened = guest.opened.saturating_add(1);
        let denied = guest.denied;
        let parties = self.with(from);
        let knock = open_knock(&parties, self.rank, &self.run, &self.lobby_key, sealed)?;
        let mut line = ChairLine::new(&parties, knock.reply_key.as_bytes(), self.draws.salt());
        if denied {
            self.out.extend(post(from, &mut line, &Answer::Denied));
            return Err(Refusal::Denied);
        }
        let was_let_in = |kept: &&mut super::waiter::Kept| kept.key_package == knock.key_package;
        if let Some(kept) = self.kept.iter_mut().find(was_let_in) {
            if !kept.is_new(from, knock.attempt) {
                return Err(Refusal::Replay);
            }
            kept.until = now.saturating_add(KEPT);
            let payload = Arc::clone(&kept.payload);
            self.send_no_more(from);
            let parcel = self.once_more(from, &payload, &parties)?;
            self.out.extend(post(from, &mut line, &given(&parcel)));
            return Ok(());
        }
        let (mut number, mut since) = (None, now);
        if let Some(at) = self
            .waiting
            .iter()
            .position(|waiter| waiter.participant == from)
            && let Some(before) = self.waiting.get(at)
        {
            if knock.attempt <= before.knock.attempt {
                return Err(Refusal::Replay);
            }
            // Whoever looked at the screen, or compared a SAS, did so with that name and key package.
            number = before.is_same(&knock).then_some(before.number);
            // One place for each: a new name does not make it last.
            since = before.since;
            let before = self.waiting.remove(at);
            if number.is_none() {
                self.out.push_back(PorterOutput::Withdrawn(before.number));
            }
        }
        if !self.makes_room(now) {
            self.out.extend(post(from, &mut line, &Answer::Full));
            return Err(Refusal::Flood);
        }
        let given = match number {
            Some(number) => number,
            None => {
                self.numbers = self.numbers.saturating_add(1);
                self.out.push_back(PorterOutput::Knocked(self.numbers));
                self.numbers
            }
        };
        let mut waiter = Waiter {
            number: given,
            participant: from,
            knock,
            line,
            since,
            heard: now,
        };
        let answer = match waiter.is_held(self.locked) {
            true => Answer::Locked,
            false => Answer::Waiting,
        };
        self.out.extend(waiter.answer(&answer));
        self.waiting.push(waiter);
        self.waiting.sort_by_key(|waiter| waiter.number);
        Ok(())
    }

    /// Sends this payload again, to whoever else of those who were given it waits for that, too.
    fn once_more(
        &mut self,
        to: ParticipantId,
        payload: &Arc<Zeroizing<Vec<u8>>>,
        parties: &Parties,
    ) -> Result<Arc<Parcel>, Refusal> {
        let mut waiting = self.sending.iter_mut();
        if let Some(sending) = waiting.find(|one| one.may_be_joined(payload)) {
            sending.participants.push(to);
            return Ok(Arc::clone(&sending.parcel));
        }
        let for_all = !self.sending.is_empty();
        let key = self.draws.key();
        let parcel = Parcel::new(payload, key, for_all, parties).ok_or(Refusal::TooLarge)?;
        let parcel = Arc::new(parcel);
        self.sending.push_back(Sending {
            participants: vec![to],
            parcel: Arc::clone(&parcel),
            for_all,
            next: 0,
        });
        Ok(parcel)
    }

    /// The participant is gone from all that waits.
    pub(super) fn withdraw(&mut self, participant: ParticipantId) {
        self.asks.forget(participant);
        self.unopened.forget(participant);
        let out = &mut self.out;
        self.waiting.retain(|waiter| {
            let stays = waiter.participant != participant;
            if !stays {
                out.push_back(PorterOutput::Withdrawn(waiter.number));
            }
            stays
        });
    }

    /// What is on its way is not for that participant any more.
    pub(super) fn send_no_more(&mut self, participant: ParticipantId) {
        self.sending.retain_mut(|sending| {
            sending.participants.retain(|one| *one != participant);
            !sending.participants.is_empty()
        });
    }

    pub(super) fn count(&mut self, done: Result<(), Refusal>) {
        if let Err(refusal) = done
            && let Some(count) = self.refusals.get_mut(refusal as usize)
        {
            *count = count.saturating_add(1);
        }
    }

    fn guest(&mut self, who: ParticipantId) -> Result<&mut Guest, Refusal> {
        if self.guests.len() >= GUESTS && !self.guests.contains_key(&who) {
            return Err(Refusal::Flood);
        }
        Ok(self.guests.entry(who).or_default())
    }

    fn heard(&mut self, now: Duration, who: ParticipantId) {
        let waiter = self
            .waiting
            .iter_mut()
            .find(|waiter| waiter.participant == who);
        if let Some(waiter) = waiter {
            waiter.heard = now;
        }
    }

    pub(super) fn with(&self, knocker: ParticipantId) -> Parties {
        Parties {
            lobby: self.lobby,
            chair: self.me,
            knocker,
        }
    }
}
