//! Two words that the chair and one who knocks compare before that one is let in: who says what when,
//! how often, and how long it is waited for. What the words prove is in `docs/verification.md`.
//!
//! Only the chair begins. Whatever comes that is not due is refused, and ends a try that is under way:
//! neither side waits for anything longer than its time, and no door waits for either.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::core::Core;
use crate::meeting::events::{NoWords, Notice, Rejection};
use crate::meeting::lobby::lobby_id;
use crate::meeting::secret::LinkSecret;
use crate::meeting::verify::{
    Attempts, HostCommitted, KnockerAnswered, KnockerReady, SasContext, SasError, SasMessage,
};

/// How long the chair waits for the knocker's nonce. Programs answer at once; the relay may be slow.
const NONCE: Duration = Duration::from_secs(60);

/// How long a knocker waits for the chair's. Less than the chair waits, so that it is ready when the
/// chair begins again.
const OPENING: Duration = Duration::from_secs(30);

/// What the words between the chair and the knocker with this key package are about.
pub(super) fn context(core: &Core, lobby: &LinkSecret, key_package: &[u8]) -> SasContext {
    SasContext {
        bundle: core.link.meeting().bundle.0,
        key_package: Sha256::digest(key_package).into(),
        lobby: lobby_id(lobby),
    }
}

fn rejection(error: SasError) -> (Rejection, NoWords) {
    match error {
        SasError::Unexpected => (Rejection::Unexpected, NoWords::Disorder),
        SasError::BrokenCommitment => (Rejection::BadProof, NoWords::Broken),
    }
}

/// The chair's side: what it has with those who knock, by their numbers. Only for numbers that wait.
#[derive(Default)]
pub(super) struct Comparisons(BTreeMap<u32, Comparison>);

/// See [`Comparisons`].
#[derive(Default)]
pub(super) struct Comparison {
    tries: Attempts,
    stage: Stage,
}

#[derive(Default)]
enum Stage {
    #[default]
    Still,
    /// Waits for the knocker's nonce until then.
    Committed(Box<HostCommitted>, Duration),
    /// The person has words to compare.
    Shown,
    /// The person has said that they are the same.
    Same,
}

impl Comparisons {
    /// Begins with the knocker of this number, which waits: what to say to it.
    pub(super) fn begin(
        &mut self,
        number: u32,
        context: SasContext,
        core: &mut Core,
    ) -> Option<SasMessage> {
        let comparison = self.0.entry(number).or_default();
        if matches!(comparison.stage, Stage::Committed(..)) {
            no_words(Some(number), NoWords::NotYet, core);
            return None;
        }
        let Some(attempt) = comparison.tries.take() else {
            no_words(Some(number), NoWords::UsedUp, core);
            return None;
        };
        let (committed, commit) = HostCommitted::begin(context, attempt, core.seed());
        comparison.stage = Stage::Committed(Box::new(committed), core.now + NONCE);
        Some(commit)
    }

    /// The knocker of this number has said something: what to answer.
    pub(super) fn handle(
        &mut self,
        number: u32,
        message: &[u8],
        core: &mut Core,
    ) -> Option<SasMessage> {
        let due = self
            .0
            .get_mut(&number)
            .filter(|one| matches!(one.stage, Stage::Committed(..)));
        let Some(comparison) = due else {
            core.reject(Rejection::Unexpected);
            return None;
        };
        let Stage::Committed(committed, _) = std::mem::take(&mut comparison.stage) else {
            return None;
        };
        let message = SasMessage::from_bytes(message);
        let refused = match message.map(|message| committed.handle(&message)) {
            Some(Ok((words, opening))) => {
                comparison.stage = Stage::Shown;
                let number = Some(number);
                core.note(Notice::Compare { number, words });
                return Some(opening);
            }
            Some(Err(error)) => rejection(error),
            None => (Rejection::Malformed, NoWords::Disorder),
        };
        core.reject(refused.0);
        no_words(Some(number), refused.1, core);
        None
    }

    /// Whether the person has words of the knocker of this number to judge by; told when not.
    pub(super) fn is_shown(&self, number: u32, core: &mut Core) -> bool {
        let one = self.0.get(&number);
        let shown = one.is_some_and(|one| matches!(one.stage, Stage::Shown | Stage::Same));
        if !shown {
            no_words(Some(number), NoWords::NotYet, core);
        }
        shown
    }

    /// The knocker of this number has the same words.
    pub(super) fn is_same(&mut self, number: u32, core: &mut Core) {
        self.0.entry(number).or_default().stage = Stage::Same;
        core.note(Notice::Compared { number });
    }

    /// What there is with the knocker of this number if words of it are shown: for when it knocks with the
    /// same key package elsewhere.
    pub(super) fn take(&mut self, number: u32) -> Option<Comparison> {
        let one = self.0.remove(&number)?;
        matches!(one.stage, Stage::Shown | Stage::Same).then_some(one)
    }

    /// It does, and has this number.
    pub(super) fn go_on(&mut self, number: u32, comparison: Comparison, core: &mut Core) {
        if matches!(comparison.stage, Stage::Same) {
            core.note(Notice::Compared { number });
        }
        self.0.insert(number, comparison);
    }

    /// Those with whom words are compared at the moment, or have been.
    pub(super) fn under_way(&self) -> impl Iterator<Item = u32> {
        let busy = |one: &Comparison| !matches!(one.stage, Stage::Still);
        self.0
            .iter()
            .filter_map(move |(number, one)| busy(one).then_some(*number))
    }

    /// The knocker of this number waits no more.
    pub(super) fn forget(&mut self, number: u32) {
        self.0.remove(&number);
    }

    pub(super) fn tick(&mut self, core: &mut Core) {
        for (number, one) in &mut self.0 {
            if matches!(one.stage, Stage::Committed(_, until) if core.now >= until) {
                one.stage = Stage::Still;
                no_words(Some(*number), NoWords::NoAnswer, core);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let untils = self.0.values().filter_map(|one| match one.stage {
            Stage::Committed(_, until) => Some(until),
            Stage::Still | Stage::Shown | Stage::Same => None,
        });
        untils.min()
    }
}

/// The knocker's side, for one stay in one lobby.
pub(super) struct Answering {
    context: SasContext,
    stage: Answered,
    /// It was brought from another lobby, and is for the first knock in this one.
    goes_along: bool,
}

enum Answered {
    Still,
    /// Waits until then for the nonce that the chair has committed to.
    Waits(Box<KnockerAnswered>, Duration),
    Shown,
    /// There are no more tries.
    Over,
}

impl Answering {
    pub(super) fn new(context: SasContext) -> Self {
        Self {
            context,
            stage: Answered::Still,
            goes_along: false,
        }
    }

    /// The chair has said something: what to answer.
    pub(super) fn handle(&mut self, message: &[u8], core: &mut Core) -> Option<SasMessage> {
        let message = SasMessage::from_bytes(message);
        let refused = match (std::mem::replace(&mut self.stage, Answered::Still), message) {
            (Answered::Waits(answered, _), Some(message)) => match answered.handle(&message) {
                Ok(words) => {
                    self.stage = Answered::Shown;
                    core.note(Notice::Compare {
                        number: None,
                        words,
                    });
                    return None;
                }
                Err(error) => rejection(error),
            },
            (Answered::Waits(..), None) => (Rejection::Malformed, NoWords::Disorder),
            (Answered::Still | Answered::Shown, Some(commit @ SasMessage::Commit(_))) => {
                match self.answer(&commit, core) {
                    Ok(nonce) => return Some(nonce),
                    Err(refused) => refused,
                }
            }
            (stage, message) => {
                self.stage = stage;
                core.reject(match message {
                    Some(_) => Rejection::Unexpected,
                    None => Rejection::Malformed,
                });
                return None;
            }
        };
        core.reject(refused.0);
        no_words(None, refused.1, core);
        None
    }

    fn answer(
        &mut self,
        commit: &SasMessage,
        core: &mut Core,
    ) -> Result<SasMessage, (Rejection, NoWords)> {
        let Some(attempt) = core.tries.take() else {
            self.stage = Answered::Over;
            return Err((Rejection::NotAllowed, NoWords::UsedUp));
        };
        let ready = KnockerReady::new(self.context, attempt);
        let (answered, nonce) = ready.handle(commit, core.seed()).map_err(rejection)?;
        self.stage = Answered::Waits(Box::new(answered), core.now + OPENING);
        Ok(nonce)
    }

    /// The chair has another lobby now, and is brought the same key package there: what was compared was about
    /// that, and stands.
    pub(super) fn moved(mut self, context: SasContext, core: &mut Core) -> Self {
        if !matches!(self.stage, Answered::Shown) {
            self.elsewhere(core);
        }
        Self {
            goes_along: true,
            context,
            ..self
        }
    }

    /// It goes to another lobby by itself, since no door answers here: what was compared was with a chair that is
    /// gone, and is nothing to whoever answers there.
    pub(super) fn dropped(mut self, context: SasContext, core: &mut Core) -> Self {
        self.goes_along = false;
        self.elsewhere(core);
        Self { context, ..self }
    }

    /// Knocks anew, at whichever door: what was compared was with another, or for another knock. Not so what
    /// was brought along.
    pub(super) fn elsewhere(&mut self, core: &mut Core) {
        if std::mem::take(&mut self.goes_along) {
            return;
        }
        if matches!(self.stage, Answered::Waits(..) | Answered::Shown) {
            self.stage = Answered::Still;
            no_words(None, NoWords::Elsewhere, core);
        }
    }

    pub(super) fn tick(&mut self, core: &mut Core) {
        if self.deadline().is_some_and(|until| core.now >= until) {
            self.stage = Answered::Still;
            no_words(None, NoWords::NoAnswer, core);
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.stage {
            Answered::Waits(_, until) => Some(until),
            Answered::Still | Answered::Shown | Answered::Over => None,
        }
    }
}

fn no_words(number: Option<u32>, why: NoWords, core: &mut Core) {
    core.note(Notice::NoWords { number, why });
}
