//! A participant in a meeting, from the first connection to the goodbye: one loop that waits for
//! whatever comes first and never for any one thing.
//!
//! What arrives goes through the meeting, which opens it, to the recordings and the counts; what
//! is played goes through the meeting, which seals it, to the network. The meeting says which rooms
//! there are to be in; the connections to them may go and come back under all of this.

mod chats;
mod coming;
mod commands;
mod company;
mod dial;
mod finish;
mod interrupt;
mod notices;
mod prepare;
mod receive;
mod send;
mod stay;
mod stays;
#[cfg(all(test, feature = "relay"))] // against its certificates
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use self::chats::Chats;
use self::interrupt::Interrupts;
use self::stay::Came;
use self::stays::Stays;
use super::console::{Console, Typed};
use super::error::JoinError;
use super::event::{LossReason, Shown, Summary};
use super::options::JoinOptions;
use super::outside::{Mute, Sizes};
use super::people::People;
use super::player::{Played, Player};
use super::scribe::{Report, Scribe};
use super::tally::Sent;
use super::trace::Trace;
use super::view::Output;
use super::warning::Warning;
use super::watch::{Watch, WatchReport};
use crate::carrier::address::RelayAddress;
use crate::meeting::{Ending, Input, Standing, StayId, Surface, TrackDescription, Who};
use crate::stay::{LINGER, Unsigned};
use crate::wire::TrackId;

/// How long the network may take for the last frames.
const DRAIN: Duration = Duration::from_secs(3);

/// After this participant has come back, how long the others have to show that they are still
/// here, before they count as gone. They may have lost the same relay.
const ROLL_CALL: Duration = Duration::from_secs(10);

/// How long to wait for the one to be watched before saying that nobody of this name is here: those
/// who are here have shown themselves by then.
const WATCHED_COMES: Duration = Duration::from_secs(3);

/// A meeting whose deadline has passed is asked at most so often.
const SOON: Duration = Duration::from_millis(10);

/// How often live lines are redrawn, and small things looked after.
const TICK: Duration = Duration::from_millis(250);

/// Takes part in a meeting until it is over, as `options` say, and tells what happens through
/// `output`.
///
/// Needs a tokio runtime of the current thread. Interrupts (ctrl-C, `SIGTERM`) end the meeting
/// well; each further one cuts short what is waited for then: the last frames, the goodbye, the
/// recordings.
///
/// # Errors
/// [`JoinError`] when it could not take part, or when something it was asked for did not succeed.
/// What was recorded up to then is complete.
pub async fn join(options: JoinOptions, output: Output) -> Result<Summary, JoinError> {
    let mut interrupts = Interrupts::new()?;
    let prepared = tokio::select! {
        prepared = Session::prepare(options, output) => Some(prepared),
        () = interrupts.next() => None,
    };
    let Some(session) = prepared else {
        // Interrupted while it waited for the first bytes of a pipe: nothing has happened yet.
        return Err(JoinError::NotJoined);
    };
    let mut session = session?;
    let ended = session.run(&mut interrupts).await;
    session.finish(ended, &mut interrupts).await
}

/// Everything that a participant holds.
struct Session {
    options: JoinOptions,
    output: Output,
    meeting: Box<dyn Surface>,
    /// The beginning of the meeting's clock.
    began: Instant,
    /// When the meeting was last told that its deadline has come.
    ticked: Option<Instant>,
    stays: Stays,
    /// Spreads attempts of many participants.
    seed: u64,
    /// Relays of the link that can be dialled, and their numbers there.
    known: Vec<(usize, RelayAddress)>,
    /// How many relays the link has.
    relays: usize,
    /// Which of them this participant was last told to be at; the first unless told.
    relay: usize,
    /// A relay has let this participant into a room.
    welcomed: bool,
    /// The number in the link of the relay that did so last.
    place: Option<usize>,
    people: People,
    goodbyes: HashSet<Who>,
    listening: HashSet<(Who, TrackId)>,
    /// Who was here when the relay was lost, and until when they may show up again.
    missing: Option<(Instant, Vec<Who>)>,
    player: Option<Player>,
    playing: bool,
    /// A part of what is played is damaged or missing.
    damaged: bool,
    /// How many others to wait for before playing.
    audience: usize,
    /// When to begin to play.
    play_at: Option<Instant>,
    sent: BTreeMap<TrackId, (TrackDescription, Sent)>,
    /// How this participant stands.
    standing: Standing,
    mute: Mute,
    /// Of the sound that is sent.
    sizes: Sizes,
    scribe: Option<Scribe>,
    watch: Option<Watch>,
    watched: Option<Who>,
    trace: Option<Trace>,
    /// The frame that is being sent, and what becomes of it.
    last: Option<Last>,
    warned: HashSet<&'static str>,
    /// The meeting has let this participant in.
    inside: bool,
    /// Since when it has been in the meeting.
    joined: Option<Instant>,
    reconnections: u32,
    /// Something that was asked for did not succeed, though the meeting went on.
    failure: Option<JoinError>,
    /// The meeting is over for this participant.
    over: Option<Ending>,
    /// What pins the host's keys.
    bundle: [u8; 32],
    /// This participant watches a vigil, and has no voice.
    watches: bool,
    console: Console,
    unsigned: Unsigned<Instant>,
    /// The chair has not been heard for so long that nothing is sent.
    stopped: bool,
    /// Who was put out, and has not departed yet.
    put_out: HashSet<Who>,
    /// The same, for being out of reach.
    taken_out: HashSet<Who>,
    /// This participant holds the chair.
    chair: bool,
    /// Nobody is admitted.
    locked: bool,
    /// Who waits at the door, by number.
    knocks: BTreeMap<u32, Knocker>,
    /// The words of the meeting are being computed.
    words: Option<JoinHandle<Option<[String; 5]>>>,
    /// What was said to be read, and may not have arrived.
    chats: Chats,
    leaving: Option<Leaving>,
}

/// Somebody who waits at the door.
struct Knocker {
    name: Shown,
    /// The person has said that it has the same words.
    compared: bool,
}

/// A frame that is being sent, on one stay or several.
struct Last {
    ways: Vec<Way>,
}

/// How a frame goes out on one stay: in how many pieces, and how many of them have gone out.
struct Way {
    stay: StayId,
    pieces: u32,
    gone: u32,
}

/// The last moments.
enum Leaving {
    /// The network still takes the last frames.
    Draining(JoinHandle<()>),
    /// The relay passes them on.
    Lingering(Instant),
}

/// What comes first.
enum Step {
    Interrupted,
    Over,
    Drained,
    Stay(StayId, Came),
    Deadline,
    Begin,
    Played(Played),
    Recorded(Option<Report>),
    Watched(WatchReport),
    Departure,
    Typed(Typed),
    Worded(Option<[String; 5]>),
    Tick,
}

impl Session {
    /// The loop. Ends when the meeting is over for this participant, for whatever reason.
    async fn run(&mut self, interrupts: &mut Interrupts) -> Result<(), JoinError> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        self.said(Instant::now());
        loop {
            let step = self.step(interrupts, &mut tick).await;
            let now = Instant::now();
            match step {
                Step::Interrupted | Step::Over if self.leaving.is_some() => return Ok(()),
                Step::Interrupted | Step::Over => self.leave(now),
                Step::Drained => self.leaving = Some(Leaving::Lingering(now + LINGER)),
                Step::Stay(stay, came) => self.came(now, stay, came)?,
                Step::Deadline => {
                    self.ticked = Some(now);
                    self.tell(now, Input::Tick);
                }
                Step::Begin => self.playing = true,
                Step::Played(played) => self.played(now, played),
                Step::Recorded(Some(report)) => self.recorded(report),
                Step::Recorded(None) => self.scribe = None,
                Step::Watched(report) => self.watched(now, report),
                Step::Departure => self.depart(now),
                Step::Typed(typed) => self.typed(now, typed),
                Step::Worded(words) => self.worded(words),
                Step::Tick => self.tick(now)?,
            }
            if self.leaving.is_some() && !self.stays.any_connected() {
                return Ok(());
            }
        }
    }

    /// Waits for what comes first. Nothing that did not come first is lost.
    async fn step(
        &mut self,
        interrupts: &mut Interrupts,
        tick: &mut tokio::time::Interval,
    ) -> Step {
        let over = match &self.leaving {
            Some(Leaving::Lingering(until)) => Some(*until),
            Some(Leaving::Draining(_)) => None,
            None => self
                .options
                .stay
                .zip(self.joined)
                .and_then(|(stay, at)| at.checked_add(stay)),
        };
        let begin = self
            .play_at
            .filter(|_| self.is_in_the_meeting() && !self.playing);
        let deadline = self.deadline();
        let departure = self.stays.departure();
        let draining = match &mut self.leaving {
            Some(Leaving::Draining(task)) => Some(task),
            _ => None,
        };
        let player = self.player.as_mut().filter(|_| self.playing);
        tokio::select! {
            () = interrupts.next() => Step::Interrupted,
            () = at(over) => Step::Over,
            Some(_) = maybe(draining) => Step::Drained,
            (stay, came) = self.stays.next() => Step::Stay(stay, came),
            () = at(deadline) => Step::Deadline,
            () = at(begin) => Step::Begin,
            Some(played) = maybe(player.map(Player::next)) => Step::Played(played),
            Some(report) = maybe(self.scribe.as_mut().map(Scribe::report)) => {
                Step::Recorded(report)
            }
            Some(report) = maybe(self.watch.as_mut().map(Watch::report)) => Step::Watched(report),
            () = at(departure) => Step::Departure,
            typed = typed(&mut self.console) => Step::Typed(typed),
            words = maybe(self.words.as_mut()) => {
                Step::Worded(words.and_then(Result::ok).flatten())
            }
            _ = tick.tick() => Step::Tick,
        }
    }

    /// Tells the meeting what happened, and does what follows.
    fn tell(&mut self, now: Instant, input: Input) {
        self.hand_over(now, input);
        self.said(now);
    }

    /// Tells the meeting what happened, where what follows is being done already.
    fn hand_over(&mut self, now: Instant, input: Input) {
        let now = now.saturating_duration_since(self.began);
        self.meeting.handle(now, input);
    }

    /// When the meeting's deadline is.
    fn deadline(&self) -> Option<Instant> {
        let deadline = self.began.checked_add(self.meeting.deadline()?)?;
        let soon = self.ticked.map(|ticked| ticked + SOON);
        Some(soon.map_or(deadline, |soon| deadline.max(soon)))
    }

    /// Looks after what no event announces.
    fn tick(&mut self, now: Instant) -> Result<(), JoinError> {
        let waiting = self.stays.each().filter(|stay| stay.is_kept_waiting(now));
        let waiting: Vec<StayId> = waiting.map(|stay| stay.id).collect();
        for stay in waiting {
            self.lost_for(now, stay, LossReason::Silence)?;
        }
        if self
            .missing
            .as_ref()
            .is_some_and(|(until, _)| now >= *until)
            && self.is_in_the_meeting()
        {
            self.roll_call(now);
        }
        self.tell_of_the_unsigned(now);
        self.look_at_the_lines(now);
        for stay in self.stays.each() {
            stay.knock(now);
        }
        self.look_for_the_watched(now);
        for who in self.people.given_up(now) {
            if let Some(scribe) = &self.scribe {
                scribe.finish(who);
            }
        }
        if let Some(trace) = &mut self.trace {
            let written = trace.flush();
            self.traced(written);
        }
        if self.output.is_live() {
            let missing = self.missing.as_ref();
            let away = |who| missing.is_some_and(|(_, missing)| missing.contains(&who));
            let lines = self.people.live(now, away);
            self.output.live(&lines);
        }
        Ok(())
    }

    /// A line of the trace was written, or not: then there is no trace any more.
    fn traced(&mut self, written: std::io::Result<()>) {
        if let Err(error) = written {
            self.trace = None;
            self.warn(&Warning::TraceStopped);
            self.failure.get_or_insert(JoinError::Trace(error.kind()));
        }
    }

    /// Says something that a person should know, once for each kind of thing.
    fn warn(&mut self, warning: &Warning) {
        if self.warned.insert(warning.kind()) {
            self.output.event(&warning.event());
        }
    }
}

/// Waits until then; for ever without a then.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

/// Waits for what is typed; for ever when no more can come.
async fn typed(console: &mut Console) -> Typed {
    match console.next().await {
        Some(typed) => typed,
        None => std::future::pending().await,
    }
}

/// Waits for what there may be to wait for.
async fn maybe<F: Future>(future: Option<F>) -> Option<F::Output> {
    match future {
        Some(future) => Some(future.await),
        None => std::future::pending().await,
    }
}
