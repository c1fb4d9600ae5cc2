//! Somebody who watches: comes into the stage room as a viewer, says nothing there, and shows what the
//! speakers on the chair's card have signed.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::cast::{Cast, Heard as Word};
use super::heard::Heard;
use super::limits::{NOBODY_AFTER, PAPERS};
use super::paper::{Paper, Says};
use super::present::Present;
use crate::meeting::chair::BeatError;
use crate::meeting::events::{Command, Ending, Input, Notice, Output, Rejection, StayId, Surface};
use crate::meeting::links::MeetingLink;
use crate::meeting::lobby::Status;
use crate::meeting::secret::{Draws, LinkSecret};
use crate::wire::{
    FromRelay, GroupNumber, ParticipantId, Role, RoomHandle, ToRelay, TrackId, VERSION,
};

/// The one stay of a viewer.
const STAY: StayId = StayId(1);

/// Between two looks at how fresh the chair's word is.
const LOOK_EACH: Duration = Duration::from_secs(1);

/// A vigil as somebody sees it who watches, without I/O.
pub struct Viewer {
    link: MeetingLink,
    viewer: LinkSecret,
    draws: Draws,
    now: Duration,
    out: VecDeque<Output>,
    connected: bool,
    /// Since when it is in the room.
    entered: Option<Duration>,
    present: Present,
    cast: Cast,
    heard: Heard,
    /// The newest card whose word is taken over: rank, process, and how many there were before.
    taken: Option<(u8, [u8; 16], u64)>,
    inside: bool,
    alone: bool,
    over: bool,
    looked: Duration,
}

impl Viewer {
    /// Watches by this link. `None`: it is no vigil's. `seed`: 32 bytes that nobody else knows.
    pub fn new(link: MeetingLink, seed: [u8; 32]) -> Option<Self> {
        let viewer = link.viewer.clone()?;
        let enters = [
            Output::Enter { stay: STAY },
            Output::Told(Notice::Vigil { speaks: false }),
        ];
        Some(Self {
            link,
            viewer,
            draws: Draws::new(seed),
            now: Duration::ZERO,
            out: enters.into(),
            connected: false,
            entered: None,
            present: Present::default(),
            cast: Cast::default(),
            heard: Heard::new(Duration::ZERO),
            taken: None,
            inside: false,
            alone: false,
            over: false,
            looked: Duration::ZERO,
        })
    }

    fn reject(&mut self, rejection: Rejection) {
        self.out.push_back(Output::Rejected(rejection));
    }

    fn control(&mut self, message: ToRelay) {
        if self.connected {
            let stay = STAY;
            self.out.push_back(Output::Control { stay, message });
        }
    }

    fn subscribe(&mut self, participant: ParticipantId, track: TrackId, on: bool) {
        self.control(match on {
            true => ToRelay::Subscribe { participant, track },
            false => ToRelay::Unsubscribe { participant, track },
        });
    }

    fn hello(&mut self, relay: usize) {
        self.lost();
        self.connected = true;
        // A relay that the link does not have leads to a room where nobody is.
        let relay = self.link.relays.get(relay);
        let room = relay.map_or(RoomHandle([0; 32]), |relay| {
            self.viewer.room_handle(&relay.authority())
        });
        let pass = relay.and_then(|relay| relay.proof(&room, || self.draws.nonce()));
        self.control(ToRelay::Hello {
            version: VERSION,
            room,
            role: Role::Viewer,
            pass,
        });
    }

    fn lost(&mut self) {
        self.connected = false;
        self.entered = None;
        self.present.clear();
        self.cast.lost(&mut self.out);
    }

    fn relay(&mut self, message: FromRelay) {
        match message {
            FromRelay::Welcome { present, .. } => {
                self.entered = Some(self.now);
                for participant in present {
                    self.joined(participant);
                }
            }
            FromRelay::Joined { participant } => self.joined(participant),
            FromRelay::Left { participant } => {
                self.present.leave(participant);
                self.cast.left(participant, &mut self.out);
            }
            // Nobody says anything in the stage room.
            FromRelay::Message { .. } | FromRelay::Closed { .. } => {}
        }
    }

    fn joined(&mut self, participant: ParticipantId) {
        if self.present.enter(self.now, participant) {
            self.subscribe(participant, PAPERS, true);
        }
    }

    fn paper(&mut self, from: ParticipantId, sealed: &[u8]) {
        if !self.present.reads(from) {
            return;
        }
        let good = match self.read(from, sealed) {
            Ok(good) => good,
            Err(rejection) => {
                self.reject(rejection);
                false
            }
        };
        // Before the first card nobody is known.
        if self.inside {
            self.judge(from, good);
        }
    }

    fn judge(&mut self, from: ParticipantId, good: bool) {
        if let Some(on) = self.present.judge(from, good) {
            self.subscribe(from, PAPERS, on);
        }
    }

    /// Whether it was somebody's.
    fn read(&mut self, from: ParticipantId, sealed: &[u8]) -> Result<bool, Rejection> {
        match Paper::open(&self.viewer, from, sealed)? {
            Paper::Card(card) => {
                let card = card.open(self.link.bundle);
                let card = card.ok_or(Rejection::NotAuthentic)?;
                match self.heard.take(self.now, card) {
                    Ok(()) => {}
                    // The same card comes with each group, and may come by more than one.
                    Err(BeatError::Replay) => return Ok(false),
                    Err(BeatError::NotAuthentic) => return Err(Rejection::NotAuthentic),
                    Err(BeatError::OverRun | BeatError::InUse | BeatError::Contradiction) => {
                        return Err(Rejection::NotAllowed);
                    }
                }
                self.take_card();
                Ok(true)
            }
            Paper::Word(word) => {
                let (heard, wishes) = self.cast.word(self.now, from, &word, &mut self.out);
                for track in wishes {
                    self.subscribe(from, track, true);
                }
                match heard {
                    Word::Good => Ok(true),
                    Word::End(rank) => self.ended_by(rank),
                    Word::Unknown => {
                        self.present.wait(from, word);
                        Ok(false)
                    }
                    Word::Refused(rejection) => Err(rejection),
                }
            }
            Paper::Attest(_) if self.heard.stopped() => Ok(true),
            Paper::Attest(attest) => {
                let (now, out) = (self.now, &mut self.out);
                self.cast.attested(now, from, &attest, out).map(|()| true)
            }
        }
    }

    /// Takes over the card that counts, if it is another one.
    fn take_card(&mut self) {
        let Some(card) = self.heard.card() else {
            return;
        };
        let claim = &card.claim;
        let this = Some((claim.rank, claim.run, claim.count));
        if self.taken == this {
            return;
        }
        self.taken = this;
        if !std::mem::replace(&mut self.inside, true) {
            if let Some(title) = card.bundle.display_title() {
                self.out.push_back(Output::Told(Notice::Title(title)));
            }
            self.out.push_back(Output::Inside);
        }
        for (participant, track) in self.cast.take(self.now, card, &mut self.out) {
            self.subscribe(participant, track, false);
        }
        for (participant, word) in self.present.waited() {
            let (heard, wishes) = self.cast.word(self.now, participant, &word, &mut self.out);
            for track in wishes {
                self.subscribe(participant, track, true);
            }
            match heard {
                Word::Good => {
                    self.judge(participant, true);
                    // Its signatures came before it was known whose they are: all once more.
                    if matches!(word.says, Says::Here { .. }) {
                        self.subscribe(participant, PAPERS, false);
                        self.subscribe(participant, PAPERS, true);
                    }
                }
                Word::End(rank) => {
                    if let Err(rejection) = self.ended_by(rank) {
                        self.reject(rejection);
                    }
                }
                Word::Unknown => self.present.wait(participant, word),
                Word::Refused(rejection) => self.reject(rejection),
            }
        }
    }

    /// A speaker of this rank ends the vigil for everybody: that is for the chair alone.
    fn ended_by(&mut self, rank: Option<u8>) -> Result<bool, Rejection> {
        let rules = self.heard.card().map(|card| card.claim.rank);
        if rank.is_none() || rank != rules {
            return Err(Rejection::NotAllowed);
        }
        if !std::mem::replace(&mut self.over, true) {
            self.out.push_back(Output::Leave { stay: STAY });
            self.out.push_back(Output::Over(Ending::Ended));
        }
        Ok(true)
    }

    fn media(
        &mut self,
        from: ParticipantId,
        place: (TrackId, GroupNumber),
        sealed: Bytes,
        in_group: bool,
    ) {
        if place.0 == PAPERS {
            return match in_group {
                true => self.paper(from, &sealed),
                false => self.reject(Rejection::Malformed),
            };
        }
        if self.heard.stopped() {
            return;
        }
        let (now, out) = (self.now, &mut self.out);
        if let Err(rejection) = self.cast.media(now, from, place, sealed, in_group, out) {
            self.reject(rejection);
        }
    }

    /// Does all that is to be done by now.
    fn turn(&mut self) {
        self.looked = self.now;
        if let Some(freshness) = self.heard.tick(self.now) {
            self.out.push_back(Output::Told(Notice::Chair(freshness)));
        }
        self.take_card();
        self.cast.tick(self.now, &mut self.out);
        let cast = &self.cast;
        let turns = self.present.turn(self.now, |one| cast.has(one));
        for (participant, on) in turns {
            self.subscribe(participant, PAPERS, on);
        }
        let waits = self.entered.is_some_and(|at| self.now >= at + NOBODY_AFTER);
        if waits && !self.inside && !std::mem::replace(&mut self.alone, true) {
            let waiting = Notice::Waiting(Status::HostNotHere);
            self.out.push_back(Output::Told(waiting));
        }
    }
}

impl Surface for Viewer {
    fn handle(&mut self, now: Duration, input: Input) {
        self.now = self.now.max(now);
        if self.over {
            return;
        }
        match input {
            Input::Datagram {
                from,
                track,
                payload,
                ..
            } => return self.media(from, (track, GroupNumber(0)), payload, false),
            Input::GroupFrame {
                from,
                track,
                group,
                bytes,
                ..
            } => return self.media(from, (track, group), bytes, true),
            Input::Tick
            | Input::Goodbye
            | Input::Paused
            | Input::Tracks(_)
            | Input::Show(_)
            | Input::Ended { .. } => {}
            // A viewer has no voice.
            Input::Send(_) => self.reject(Rejection::NotAllowed),
            Input::Connected { relay, .. } => self.hello(relay),
            Input::Lost { .. } => self.lost(),
            Input::Relay { message, .. } => self.relay(message),
            Input::Listen { who, track, on } => {
                if let Some(at) = self.cast.listen(who, track, on) {
                    self.subscribe(at, track, on);
                }
            }
            Input::Command(Command::Who) => {
                let listed = self.cast.listed();
                self.out.push_back(Output::Told(Notice::Roster(listed)));
            }
            Input::Command(_) => self.reject(Rejection::NotAllowed),
        }
        self.turn();
    }

    fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn deadline(&self) -> Option<Duration> {
        if self.over {
            return None;
        }
        let nobody = self.entered.filter(|_| !self.alone && !self.inside);
        let deadlines = [
            self.inside.then(|| self.looked + LOOK_EACH),
            nobody.map(|at| at + NOBODY_AFTER),
            self.cast.deadline(),
            self.present.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }
}
