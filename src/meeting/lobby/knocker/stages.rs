//! What each stage of knocking makes of a door, an answer, and time.

use super::*;

impl Asking {
    pub(super) fn door(
        mut self,
        core: &mut Core,
        now: Duration,
        from: ParticipantId,
        door: Door,
    ) -> Next {
        let done = core.check(from, door, &self.question);
        let done = done.map(|one| self.shown.put(now, one));
        (State::Asking(self), done)
    }

    pub(super) fn tick(&mut self, core: &mut Core, now: Duration) {
        if now >= self.since.saturating_add(NOT_HERE) {
            core.is(Status::HostNotHere);
        }
        if now >= self.again() {
            self.question = core.ask(now);
            self.somebody_came = false;
        }
    }

    pub(super) fn again(&self) -> Duration {
        let wait = match self.somebody_came {
            true => ASK_NEWCOMERS,
            false => ASK_EVERY,
        };
        self.question.asked.saturating_add(wait)
    }

    pub(super) fn deadline(&self, core: &Core) -> Duration {
        let again = self.again();
        let next = match core.status {
            Some(Status::HostNotHere) => again,
            _ => again.min(self.since.saturating_add(NOT_HERE)),
        };
        self.shown.due().map_or(next, |due| due.min(next))
    }
}

impl Knocked {
    pub(super) fn door(
        mut self: Box<Self>,
        core: &mut Core,
        now: Duration,
        from: ParticipantId,
        door: Door,
    ) -> Next {
        let Some(question) = self.question else {
            return (State::Knocked(self), Err(Refusal::Unexpected));
        };
        let one = match core.check(from, door, &question) {
            Ok(one) => one,
            Err(refusal) => return (State::Knocked(self), Err(refusal)),
        };
        // Another chair, or one that has lost the knock.
        if from != self.chair || one.door.run != self.run || !one.door.known {
            self.shown.put(now, one);
            return (State::Knocked(self), Ok(()));
        }
        self.question = None;
        self.shown = Shown::default();
        self.heard = now;
        core.waits(&one.door);
        (State::Knocked(self), Ok(()))
    }

    pub(super) fn answer(
        mut self: Box<Self>,
        core: &mut Core,
        now: Duration,
        from: ParticipantId,
        (salt, counter, sealed): ([u8; 16], u64, &[u8]),
    ) -> Next {
        if from != self.chair {
            return (State::Knocked(self), Err(Refusal::NotAuthentic));
        }
        let (answer, newest) = match self.line.open(&salt, counter, sealed) {
            Ok(opened) => opened,
            Err(refusal) => return (State::Knocked(self), Err(refusal)),
        };
        self.heard = now;
        self.question = None;
        match answer {
            Answer::Waiting if newest => core.is(Status::Waiting),
            Answer::Locked if newest => core.is(Status::Locked),
            Answer::Full if newest => {
                self.soon = true;
                core.is(Status::Full);
            }
            Answer::Waiting | Answer::Locked | Answer::Full => {}
            Answer::Denied => {
                core.is(Status::Denied);
                return (State::Still, Ok(()));
            }
            Answer::Moved { link_secret } => {
                let secret = link_secret.room();
                core.out.push_back(KnockerOutput::Moved(secret));
                return (State::Still, Ok(()));
            }
            Answer::Sas(message) => core.out.push_back(KnockerOutput::Sas(message)),
            Answer::Admitted { key, of } => {
                self.soon = true;
                let same = |assembly: &Assembly| assembly.is_for(key.as_bytes(), of);
                if !self.assembly.as_ref().is_some_and(same) {
                    self.assembly = Some(Assembly::new(key.as_bytes(), of, &core.with(from)));
                }
            }
        }
        (State::Knocked(self), Ok(()))
    }

    pub(super) fn part(
        mut self: Box<Self>,
        core: &mut Core,
        now: Duration,
        from: ParticipantId,
        (index, sealed): (u8, &[u8]),
    ) -> Next {
        let Some(assembly) = self.assembly.as_mut().filter(|_| from == self.chair) else {
            // Others are let in.
            return (State::Knocked(self), Ok(()));
        };
        match assembly.put(index, sealed) {
            Ok(Some(payload)) => {
                core.out.push_back(KnockerOutput::Admitted(payload));
                (State::Still, Ok(()))
            }
            Ok(None) => {
                self.heard = now;
                self.question = None;
                (State::Knocked(self), Ok(()))
            }
            Err(refusal) => (State::Knocked(self), Err(refusal)),
        }
    }

    pub(super) fn tick(&mut self, core: &mut Core, now: Duration) {
        if now < self.asks_at() {
            return;
        }
        if self.question.is_some() {
            core.is(Status::HostNotHere);
        }
        self.question = Some(core.ask(now));
    }

    pub(super) fn deadline(&self) -> Duration {
        let asks = self.asks_at();
        self.shown.due().map_or(asks, |due| due.min(asks))
    }

    pub(super) fn asks_at(&self) -> Duration {
        match (self.question, self.soon) {
            (Some(question), _) => question.asked.saturating_add(ASK_EVERY),
            (None, true) => self.heard.saturating_add(ASK_EVERY),
            (None, false) => self.heard.saturating_add(SILENT),
        }
    }
}
