//! A participant in a meeting, from the first connection to the goodbye: one loop that waits for
//! whatever comes first and never for any one thing.
//!
//! What arrives goes through the meeting, which opens it, to the recordings and the counts; what
//! is played goes through the meeting, which seals it, to the network. The connection may go and
//! come back under all of this.

mod coming;
mod dial;
mod finish;
mod interrupt;
mod prepare;
mod receive;
mod send;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use self::dial::Dial;
use self::interrupt::Interrupts;
use super::departures::Departures;
use super::error::JoinError;
use super::event::{LossReason, Summary};
use super::hearing::Hearing;
use super::line::{Arrival, Line};
use super::options::JoinOptions;
use super::people::{Key, People};
use super::player::{Played, Player};
use super::scribe::{Report, Scribe};
use super::tally::Sent;
use super::trace::Trace;
use super::uplink::Lane;
use super::view::Output;
use super::warning::Warning;
use super::watch::{Watch, WatchReport};
use crate::carrier::client::{ConnectError, Link};
use crate::meeting::{Meeting, TrackDescription};
use crate::wire::{ParticipantId, TrackId};

/// How long a relay may take from the handshake to its welcome.
const WELCOME: Duration = Duration::from_secs(5);

/// How long the network may take for the last frames.
const DRAIN: Duration = Duration::from_secs(3);

/// How long to stay after the last frame, so that the relay passes it on before it says that its
/// sender left: a few beats.
const LINGER: Duration = Duration::from_millis(200);

/// After this participant has come back, how long the others have to show that they are still
/// here, before they count as gone. They may have lost the same relay.
const ROLL_CALL: Duration = Duration::from_secs(10);

/// How long to wait for the one to be watched before saying that nobody of this name is here: those
/// who are here have shown themselves by then.
const WATCHED_COMES: Duration = Duration::from_secs(3);

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
    meeting: Meeting,
    dial: Dial,
    /// How many relays the link has.
    relays: usize,
    /// Which of them this participant was last told to be at; the first unless told.
    relay: usize,
    line: Option<Line>,
    /// What is known of the relay's end of the line, or of the last one.
    hearing: Hearing,
    place: Place,
    /// Ways out for pictures, over the present connection.
    lanes: HashMap<TrackId, Lane<Link>>,
    people: People,
    departures: Departures,
    goodbyes: HashSet<ParticipantId>,
    subscribed: HashSet<(ParticipantId, TrackId)>,
    /// Who was here when the relay was lost, and until when they may show up again.
    missing: Option<(Instant, Vec<Key>)>,
    player: Option<Player>,
    playing: bool,
    /// A part of what is played is damaged or missing.
    damaged: bool,
    /// How many others to wait for before playing.
    audience: usize,
    /// When to begin to play.
    play_at: Option<Instant>,
    sent: BTreeMap<TrackId, (TrackDescription, Sent)>,
    scribe: Option<Scribe>,
    watch: Option<Watch>,
    watched: Option<Key>,
    trace: Option<Trace>,
    /// The frame that is being sent, and what becomes of it.
    last: Option<Last>,
    warned: HashSet<&'static str>,
    /// When something last came of the others or of the relay's own accord, until it was asked whether
    /// the relay is still there. Not the connection's last word: it answers that question, too.
    unasked: Option<Instant>,
    /// Since when it has been in the meeting.
    joined: Option<Instant>,
    reconnections: u32,
    /// Something that was asked for did not succeed, though the meeting went on.
    failure: Option<JoinError>,
    leaving: Option<Leaving>,
}

/// A frame that is being sent: in how many pieces, and how many of them have gone out.
struct Last {
    keyframe: bool,
    pieces: u32,
    gone: u32,
}

/// Where this participant stands.
enum Place {
    /// On the way to the relay; `Some` since when it is lost and how.
    Outside(Option<(Instant, LossReason)>),
    /// Connected, and not welcomed yet.
    AtTheDoor {
        until: Instant,
        lost: Option<(Instant, LossReason)>,
    },
    /// In the room.
    Inside,
}

impl Place {
    /// Since when the relay is lost, and how, if it is.
    fn lost(&self) -> Option<(Instant, LossReason)> {
        match self {
            Self::Outside(lost) | Self::AtTheDoor { lost, .. } => *lost,
            Self::Inside => None,
        }
    }
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
    Arrival(Arrival),
    Dialled(Result<Link, ConnectError>),
    Begin,
    Played(Played),
    Recorded(Option<Report>),
    Watched(WatchReport),
    Departure,
    Tick,
}

impl Session {
    /// The loop. Ends when the meeting is over for this participant, for whatever reason.
    async fn run(&mut self, interrupts: &mut Interrupts) -> Result<(), JoinError> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        self.dial.first();
        loop {
            let step = self.step(interrupts, &mut tick).await;
            let now = Instant::now();
            match step {
                Step::Interrupted | Step::Over if self.leaving.is_some() => return Ok(()),
                Step::Interrupted | Step::Over => self.leave(now),
                Step::Drained => self.leaving = Some(Leaving::Lingering(now + LINGER)),
                Step::Arrival(arrival) => self.arrival(now, arrival)?,
                Step::Dialled(Ok(link)) => self.answered(now, link),
                Step::Dialled(Err(error)) => self.failed(now, error)?,
                Step::Begin => self.playing = true,
                Step::Played(played) => self.played(now, played),
                Step::Recorded(Some(report)) => self.recorded(report),
                Step::Recorded(None) => self.scribe = None,
                Step::Watched(report) => self.watched(now, report),
                Step::Departure => self.depart(now),
                Step::Tick => self.tick(now)?,
            }
            if self.leaving.is_some() && self.line.is_none() {
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
        let draining = match &mut self.leaving {
            Some(Leaving::Draining(task)) => Some(task),
            _ => None,
        };
        let inside = matches!(self.place, Place::Inside);
        let begin = self.play_at.filter(|_| inside && !self.playing);
        let player = self.player.as_mut().filter(|_| self.playing);
        tokio::select! {
            () = interrupts.next() => Step::Interrupted,
            () = at(over) => Step::Over,
            Some(_) = maybe(draining) => Step::Drained,
            Some(arrival) = maybe(self.line.as_mut().map(Line::next)) => Step::Arrival(arrival),
            () = at(begin) => Step::Begin,
            dialled = self.dial.next() => Step::Dialled(dialled),
            Some(played) = maybe(player.map(Player::next)) => Step::Played(played),
            Some(report) = maybe(self.scribe.as_mut().map(Scribe::report)) => {
                Step::Recorded(report)
            }
            Some(report) = maybe(self.watch.as_mut().map(Watch::report)) => Step::Watched(report),
            () = at(self.departures.deadline()) => Step::Departure,
            _ = tick.tick() => Step::Tick,
        }
    }

    /// Looks after what no event announces.
    fn tick(&mut self, now: Instant) -> Result<(), JoinError> {
        if let Place::AtTheDoor { until, .. } = self.place
            && now >= until
        {
            return self.lost_for(now, LossReason::Silence);
        }
        if let (Place::Inside, Some((until, _))) = (&self.place, &self.missing)
            && now >= *until
        {
            self.roll_call();
        }
        self.look_at_the_line(now);
        self.knock(now);
        self.look_for_the_watched(now);
        for key in self.people.given_up(now) {
            if let Some(scribe) = &self.scribe {
                scribe.finish(key);
            }
        }
        if let Some(trace) = &mut self.trace {
            let written = trace.flush();
            self.traced(written);
        }
        if self.output.is_live() {
            let missing = self.missing.as_ref();
            let away = |key| missing.is_some_and(|(_, missing)| missing.contains(&key));
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

/// Waits for what there may be to wait for.
async fn maybe<F: Future>(future: Option<F>) -> Option<F::Output> {
    match future {
        Some(future) => Some(future.await),
        None => std::future::pending().await,
    }
}
