//! The speakers as a viewer sees them: whom the card names, and nobody else.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::card::{Opened, Speaker};
use super::paper::{Says, Word};
use crate::meeting::events::{Listed, Notice, Output, Rejection, Who};
use crate::meeting::group::Group;
use crate::meeting::limits::STANDING_EACH;
use crate::meeting::media::{
    ATTEST, Attest, Came, Gate, Opened as Unsealed, ReceiverKeys, SealedFrame,
};
use crate::meeting::standing::{Paced, Standing};
use crate::meeting::track::{Presence, TrackKind};
use crate::wire::{GroupNumber, ParticipantId, TrackId};

/// One speaker.
struct Performer {
    who: Who,
    speaker: Speaker,
    presence: Option<Presence>,
    standing: Paced,
    /// Of its media keys; it stays the same as long as its leaf does.
    salt: Option<[u8; 16]>,
    keys: Option<ReceiverKeys>,
    /// What came of it while it had another leaf.
    came: Came,
    gate: Gate,
    at: Option<ParticipantId>,
    shown: bool,
    wishes: Vec<TrackId>,
}

/// What became of a word.
pub(super) enum Heard {
    /// It is its speaker's.
    Good,
    /// It is, and says that the meeting is over for everybody. The speaker's rank.
    End(Option<u8>),
    /// No speaker who is known has such a leaf and key: it may come with the next card.
    Unknown,
    Refused(Rejection),
}

/// The epoch whose keys are in use.
struct Epoch {
    number: u64,
    tag: [u8; 32],
    key: Zeroizing<[u8; 32]>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Cast {
    all: Vec<Performer>,
    epoch: Option<Epoch>,
    next: u32,
}

impl Cast {
    /// Takes over what a card says. Gives the participants whose tracks are not wanted any more.
    pub(super) fn take(
        &mut self,
        now: Duration,
        card: &Opened,
        out: &mut VecDeque<Output>,
    ) -> Vec<(ParticipantId, TrackId)> {
        let before = std::mem::take(&mut self.all);
        let mut before: Vec<Option<Performer>> = before.into_iter().map(Some).collect();
        for speaker in &card.speakers {
            let same = |one: &Performer| {
                one.speaker.leaf == speaker.leaf && one.speaker.sign_key == speaker.sign_key
            };
            let known = before
                .iter_mut()
                .find(|one| one.as_ref().is_some_and(same))
                .and_then(Option::take);
            let performer = match known {
                Some(known) => Performer {
                    speaker: speaker.clone(),
                    ..known
                },
                None => self.follows(&mut before, speaker, card),
            };
            self.all.push(performer);
        }
        let mut unwanted = Vec::new();
        for gone in before.into_iter().flatten() {
            if gone.shown {
                out.push_back(Output::Departed { who: gone.who });
            }
            let at = gone.at.into_iter();
            unwanted.extend(at.flat_map(|at| gone.wishes.iter().map(move |track| (at, *track))));
        }
        self.turn_to(now, card, out);
        unwanted
    }

    /// Somebody with a new leaf: one who was there with another, or a newcomer.
    fn follows(
        &mut self,
        before: &mut [Option<Performer>],
        speaker: &Speaker,
        card: &Opened,
    ) -> Performer {
        let stays = |one: &Performer| {
            let same = |other: &&Speaker| {
                other.leaf == one.speaker.leaf && other.sign_key == one.speaker.sign_key
            };
            card.speakers.iter().any(|other| same(&other))
        };
        let was = |one: &Performer| {
            let same = one.speaker.person == speaker.person && one.speaker.name == speaker.name;
            same && !stays(one)
        };
        let known = before
            .iter_mut()
            .find(|one| one.as_ref().is_some_and(was))
            .and_then(Option::take);
        let who = known.as_ref().map_or_else(
            || {
                self.next += 1;
                Who(self.next)
            },
            |known| known.who,
        );
        let shown = known.as_ref().is_some_and(|known| known.shown);
        let (wishes, came) = match known {
            Some(known) => {
                let came = known.keys.map_or(known.came, ReceiverKeys::into_came);
                (known.wishes, came)
            }
            None => Default::default(),
        };
        Performer {
            who,
            speaker: speaker.clone(),
            presence: None,
            standing: Paced::new(Standing::default()),
            salt: None,
            keys: None,
            came,
            gate: Gate::default(),
            at: None,
            shown,
            wishes,
        }
    }

    /// The keys of the card's epoch, for everybody.
    fn turn_to(&mut self, now: Duration, card: &Opened, out: &mut VecDeque<Output>) {
        let (number, tag) = (card.claim.epoch, card.claim.tag);
        let later = |epoch: &Epoch| number > epoch.number || tag == epoch.tag;
        let goes_on = self.epoch.as_ref().is_none_or(later);
        self.epoch = Some(Epoch {
            number,
            tag,
            key: Zeroizing::new(*card.key.as_bytes()),
        });
        for one in &mut self.all {
            if let Some(keys) = one.keys.as_mut().filter(|_| !goes_on) {
                keys.new_line(now);
            }
            one.open_with(now, self.epoch.as_ref(), out);
        }
    }

    fn at(&mut self, participant: ParticipantId) -> Option<&mut Performer> {
        self.all.iter_mut().find(|one| one.at == Some(participant))
    }

    /// Whether a speaker has said that it is this participant.
    pub(super) fn has(&self, participant: ParticipantId) -> bool {
        self.all.iter().any(|one| one.at == Some(participant))
    }

    /// A word came. Gives what its sender's tracks are, when they are to be asked for there.
    pub(super) fn word(
        &mut self,
        now: Duration,
        from: ParticipantId,
        word: &Word,
        out: &mut VecDeque<Output>,
    ) -> (Heard, Vec<TrackId>) {
        let Some(place) = self
            .all
            .iter()
            .position(|one| one.speaker.leaf == word.leaf)
        else {
            return (Heard::Unknown, Vec::new());
        };
        let Some(one) = self.all.get_mut(place) else {
            return (Heard::Unknown, Vec::new());
        };
        let (here, salt) = match &word.says {
            Says::Here { salt, .. } => (true, Some(*salt)),
            Says::Ended { .. } | Says::Bye | Says::End => {
                (false, one.salt.filter(|_| one.at == Some(from)))
            }
        };
        let Some(salt) = salt.filter(|salt| word.is_by(&one.speaker.sign_key, from, salt)) else {
            return (Heard::Unknown, Vec::new());
        };
        let who = one.who;
        match &word.says {
            Says::Here { presence, .. } if !presence.is_acceptable() => {
                return (Heard::Refused(Rejection::TooLarge), Vec::new());
            }
            // Under another salt counters would begin anew, and what was heard could be heard again.
            Says::Here { .. } if one.salt.is_some_and(|before| before != salt) => {
                return (Heard::Refused(Rejection::NotAllowed), Vec::new());
            }
            Says::Here {
                presence, standing, ..
            } => {
                let mut presence = presence.clone();
                presence.name.clone_from(&one.speaker.name);
                let same = one.shown && one.presence.as_ref() == Some(&presence);
                one.presence = Some(presence.clone());
                one.salt = Some(salt);
                one.shown = true;
                let standing = *standing;
                match same {
                    true => one.standing.set(standing),
                    false => {
                        one.standing.say(now, standing, STANDING_EACH);
                        out.push_back(Output::Appeared { who, presence });
                        out.push_back(Output::Told(Notice::Standing { who, standing }));
                    }
                }
                one.open_with(now, self.epoch.as_ref(), out);
            }
            Says::Ended { track, frames } => {
                let (track, frames) = (*track, *frames);
                out.push_back(Output::Ended { who, track, frames });
            }
            Says::Bye => out.push_back(Output::Goodbye { who }),
            Says::End => return (Heard::End(one.speaker.rank), Vec::new()),
        }
        let moved = here && one.at != Some(from);
        if !moved {
            return (Heard::Good, Vec::new());
        }
        let wishes = one.wishes.clone();
        for (other, performer) in self.all.iter_mut().enumerate() {
            if other == place {
                performer.at = Some(from);
            } else if performer.at == Some(from) {
                performer.at = None;
            }
        }
        (Heard::Good, wishes)
    }

    /// Signatures came.
    pub(super) fn attested(
        &mut self,
        now: Duration,
        from: ParticipantId,
        attest: &Attest,
        out: &mut VecDeque<Output>,
    ) -> Result<(), Rejection> {
        let one = self.at(from).ok_or(Rejection::UnknownSender)?;
        let salt = one.salt.ok_or(Rejection::UnknownSender)?;
        let bytes = attest.signed_bytes(&salt);
        let signature = attest.signature.into();
        if !Group::verify(&one.speaker.sign_key, ATTEST, &bytes, &signature) {
            return Err(Rejection::NotAuthentic);
        }
        for frame in one.gate.attested(attest)? {
            one.open(now, &frame, out);
        }
        Ok(())
    }

    /// A frame came.
    pub(super) fn media(
        &mut self,
        now: Duration,
        from: ParticipantId,
        (track, group): (TrackId, GroupNumber),
        sealed: Bytes,
        in_group: bool,
        out: &mut VecDeque<Output>,
    ) -> Result<(), Rejection> {
        let one = self.at(from).ok_or(Rejection::UnknownSender)?;
        let described = one.presence.iter().flat_map(|presence| &presence.tracks);
        let kind = described
            .filter(|one| one.track == track)
            .map(|one| one.kind)
            .next();
        let kind = kind.ok_or(Rejection::UnknownSender)?;
        // Sound comes in datagrams and pictures in groups, and not the other way round.
        if in_group != matches!(kind, TrackKind::Video { .. }) {
            return Err(Rejection::Malformed);
        }
        let frame = SealedFrame {
            track,
            group,
            sealed,
        };
        if let Some(frame) = one.gate.arrived(now, frame)? {
            one.open(now, &frame, out);
        }
        Ok(())
    }

    /// The user wishes to have a track, or no more: where it is to be asked for.
    pub(super) fn listen(&mut self, who: Who, track: TrackId, on: bool) -> Option<ParticipantId> {
        let one = self.all.iter_mut().find(|one| one.who == who)?;
        one.wishes.retain(|wish| *wish != track);
        if on {
            one.wishes.push(track);
        }
        one.at
    }

    /// A participant is gone.
    pub(super) fn left(&mut self, participant: ParticipantId, out: &mut VecDeque<Output>) {
        if let Some(one) = self.at(participant) {
            one.at = None;
            one.gate.lost();
            one.wishes.clear();
            if std::mem::take(&mut one.shown) {
                out.push_back(Output::Departed { who: one.who });
            }
        }
    }

    /// This side's connection is gone.
    pub(super) fn lost(&mut self, out: &mut VecDeque<Output>) {
        for one in &mut self.all {
            one.at = None;
            one.gate.lost();
            if std::mem::take(&mut one.shown) {
                out.push_back(Output::Unheard { who: one.who });
            }
        }
    }

    pub(super) fn listed(&self) -> Vec<Listed> {
        let list = |one: &Performer| Listed {
            who: Some(one.who),
            name: one.speaker.name.clone(),
            rank: one.speaker.rank,
            here: one.at.is_some(),
        };
        self.all.iter().map(list).collect()
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Duration, out: &mut VecDeque<Output>) {
        for one in &mut self.all {
            if let Some(keys) = &mut one.keys {
                keys.tick(now);
            }
            one.gate.tick(now);
            let who = one.who;
            if one.shown
                && let Some(standing) = one.standing.due(now, STANDING_EACH)
            {
                out.push_back(Output::Told(Notice::Standing { who, standing }));
            }
            while let Some(report) = one.gate.poll() {
                out.push_back(Output::Told(Notice::Signatures { who, report }));
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let keys = self.all.iter().filter_map(|one| one.keys.as_ref());
        let keys = keys.filter_map(ReceiverKeys::deadline);
        let gates = self.all.iter().filter_map(|one| one.gate.deadline());
        let shown = self.all.iter().filter(|one| one.shown);
        let standing = shown.filter_map(|one| one.standing.deadline());
        keys.chain(gates).chain(standing).min()
    }
}

impl Performer {
    /// Has the keys of this epoch from now on, besides those of the one before.
    fn open_with(&mut self, now: Duration, epoch: Option<&Epoch>, out: &mut VecDeque<Output>) {
        let (Some(epoch), Some(salt)) = (epoch, self.salt) else {
            return;
        };
        let leaf = self.speaker.leaf.0;
        let came = &mut self.came;
        let keys = self
            .keys
            .get_or_insert_with(|| ReceiverKeys::of_signed(leaf, salt, std::mem::take(came)));
        for opened in keys.epoch(now, epoch.number, &epoch.key) {
            tell(self.who, opened, out);
        }
    }

    /// Opens what was signed.
    fn open(&mut self, now: Duration, frame: &SealedFrame, out: &mut VecDeque<Output>) {
        if let Some(keys) = &mut self.keys {
            let opened = keys.open(now, frame.track, frame.group, &frame.sealed);
            tell(self.who, opened, out);
        }
    }
}

fn tell(who: Who, opened: Result<Unsealed, Rejection>, out: &mut VecDeque<Output>) {
    match opened {
        Ok(Unsealed::Frame(frame)) => out.push_back(Output::Frame { who, frame }),
        Ok(Unsealed::Piece | Unsealed::Held | Unsealed::Dropped) => {}
        Err(rejection) => out.push_back(Output::Rejected(rejection)),
    }
}
