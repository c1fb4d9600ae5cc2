//! The end: last frames leave, recordings are completed, and the sum is drawn.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::time::{interval, timeout};

use super::interrupt::Interrupts;
use super::{DRAIN, Leaving, Session, dial};
use crate::carrier::client::Farewell;
use crate::meeting::{Ending, Input};
use crate::participant::error::JoinError;
use crate::participant::event::{Event, Kind, SentSummary, SentTrack, Summary, milliseconds};
use crate::participant::hearing::Hearing;
use crate::participant::line::Line;
use crate::participant::people::kind;
use crate::participant::scribe::Report;
use crate::participant::warning::Warning;
use crate::stay::LINGER;

/// How long recordings may take to be completed: a slow disk has megabytes to write.
const RECORDINGS: Duration = Duration::from_secs(20);

/// A relay that has been heard so lately is there: then it is the network that is slow. A goodbye that
/// nobody answers waits for longer, and a relay that is there says so each 200 ms.
const SLOW: Duration = Duration::from_secs(1);

/// How often it is looked whether the relay is still heard while a goodbye waits for its answer. Seldom,
/// and a relay that died just before looks as if it had been heard until then.
const LOOK: Duration = Duration::from_millis(100);

/// How long a player may take for the last of what it watches.
const WATCHED: Duration = Duration::from_secs(2);

impl Session {
    /// Nothing more will be played: tells the others what there was, and waits for the network to
    /// take the last frames.
    pub(super) fn leave(&mut self, now: Instant) {
        if self.leaving.is_some() {
            return;
        }
        if self.player.take().is_some() {
            self.say_ended(now);
        }
        let stays = self.stays.each();
        let lanes: Vec<_> = stays.flat_map(|stay| stay.lanes.drain()).collect();
        self.leaving = Some(if lanes.is_empty() {
            Leaving::Lingering(now + LINGER)
        } else {
            Leaving::Draining(tokio::spawn(async move {
                let drained = async {
                    for (_, lane) in lanes {
                        lane.drain().await;
                    }
                };
                let _ = timeout(DRAIN, drained).await;
            }))
        });
    }

    /// Says goodbye, completes what was written, and tells how it was. Each further interrupt cuts
    /// short what is waited for then, and what was not completed by that counts as such.
    pub(super) async fn finish(
        mut self,
        ended: Result<(), JoinError>,
        interrupts: &mut Interrupts,
    ) -> Result<Summary, JoinError> {
        let parted = self.part(interrupts.next()).await;
        self.part_from_the_rest(interrupts.next()).await;
        self.complete_recordings(interrupts.next()).await;
        self.complete_the_rest(interrupts.next()).await;
        if let (Some(error), Ok(())) = (parted, &ended) {
            self.fail_last(error);
        }
        self.miss_the_watched();
        let summary = self.summary(Instant::now());
        if self.joined.is_some() {
            self.output.event(&Event::Summary(summary.clone()));
        }
        ended?;
        if let Some(ending) = self.over.filter(|ending| *ending != Ending::Ended) {
            return Err(JoinError::Over(ending));
        }
        if self.joined.is_none() {
            return Err(JoinError::NotJoined);
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(summary),
        }
    }

    /// Says goodbye, and finds out whether the relay was there to the end.
    pub(super) async fn part(&mut self, cut: impl Future<Output = ()>) -> Option<JoinError> {
        self.tell(Instant::now(), Input::Goodbye);
        let mut lead = self.stays.take_lead()?;
        self.stays.leave_all();
        let unheard = match lead.line.take() {
            Some(line) => self.say_goodbye(line, &mut lead.hearing, cut).await,
            None => None,
        };
        match lead.lost() {
            Some((since, _)) => Some(JoinError::gone(since.elapsed())),
            None => unheard,
        }
    }

    async fn say_goodbye(
        &mut self,
        line: Line,
        hearing: &mut Hearing,
        cut: impl Future<Output = ()>,
    ) -> Option<JoinError> {
        let road = line.road();
        let last = Instant::now();
        let farewell = {
            let mut look = interval(LOOK);
            let mut closing = std::pin::pin!(line.close());
            let mut cut = std::pin::pin!(cut);
            loop {
                tokio::select! {
                    biased;
                    farewell = &mut closing => break farewell,
                    () = &mut cut => break Farewell::CutShort,
                    _ = look.tick() => hearing.look(Instant::now(), &road.stats()),
                }
            }
        };
        let now = Instant::now();
        hearing.look(now, &road.stats());
        self.answered_until(hearing.answered());
        let silence = [last, now].map(|until| hearing.silence(until));
        let failure = at_the_end(farewell, silence, self.has_shown());
        if failure.is_some() {
            self.unanswered();
        }
        failure
    }

    /// Waits until other rooms than the main one have taken the goodbye.
    async fn part_from_the_rest(&mut self, cut: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            _ = timeout(DRAIN, self.stays.parted()) => {}
            () = cut => {}
        }
    }

    /// Whether there was a picture in what was sent.
    fn has_shown(&self) -> bool {
        let mut sent = self.sent.values();
        sent.any(|(track, sent)| kind(track) == Kind::Video && sent.frames > 0)
    }

    /// The relay is gone: what it was not heard after counts as unsent.
    pub(super) fn unanswered(&mut self) {
        for (_, sent) in self.sent.values_mut() {
            sent.gone();
        }
    }

    pub(super) async fn complete_recordings(&mut self, cut: impl Future<Output = ()>) {
        let Some(scribe) = self.scribe.take() else {
            return;
        };
        let mut reports = scribe.close();
        let all = async {
            while let Some(report) = reports.recv().await {
                self.recorded(report);
            }
        };
        let complete = tokio::select! {
            biased;
            () = cut => false,
            complete = timeout(RECORDINGS, all) => complete.is_ok(),
        };
        if !complete {
            self.failure.get_or_insert(JoinError::RecordingsUnfinished);
        }
    }

    async fn complete_the_rest(&mut self, cut: impl Future<Output = ()>) {
        if let Some(watch) = self.watch.take() {
            tokio::select! {
                _ = timeout(WATCHED, watch.finish()) => {}
                () = cut => {}
            }
        }
        if let Some(mut trace) = self.trace.take()
            && let Err(error) = trace.flush()
        {
            self.failure.get_or_insert(JoinError::Trace(error.kind()));
        }
    }

    /// The relay was not there to the end. What failed before that decides how it all ended, and this
    /// is said besides. After the recordings: it says of them that they are complete.
    fn fail_last(&mut self, error: JoinError) {
        if self.joined.is_none() {
            return;
        }
        match self.failure {
            Some(_) => self.warn(&Warning::EndMissing(error.to_string())),
            None => self.failure = Some(error),
        }
    }

    /// Something became of a recording.
    pub(super) fn recorded(&mut self, report: Report) {
        let name = |session: &Self, who| session.people.get(who).map(|person| person.shown.clone());
        match report {
            Report::Began(who, path) => {
                let (name, file) = (name(self, who), super::receive::shown_path(&path));
                if let Some(name) = name {
                    self.output.event(&Event::Recording { name, file });
                }
            }
            Report::Done(who, path, frames) => {
                let (name, file) = (name(self, who), super::receive::shown_path(&path));
                if let Some(name) = name {
                    self.output.event(&Event::Recorded { name, file, frames });
                }
            }
            Report::Broken(who, path, error) => {
                if let Some(name) = name(self, who) {
                    let file = path.as_deref().map(super::receive::shown_path);
                    let error = error.clone();
                    let warning = Warning::Recording { name, file, error };
                    self.output.event(&warning.event());
                }
                self.failure.get_or_insert(JoinError::Recording(error));
            }
        }
    }

    fn summary(&self, now: Instant) -> Summary {
        let frames_of = |wanted: Kind| {
            let tracks = self
                .sent
                .values()
                .filter(|(track, _)| kind(track) == wanted);
            tracks.map(|(_, sent)| sent.frames).sum()
        };
        let tracks = self.sent.values().map(|(track, sent)| SentTrack {
            track: track.track.0,
            kind: kind(track),
            codec: track.codec,
            frames: sent.frames,
            unsent: sent.unsent,
            bytes: sent.bytes,
            digest: sent.sum.hex(),
        });
        let joined = self
            .joined
            .map(|joined| now.saturating_duration_since(joined));
        Summary {
            duration_ms: milliseconds(joined.unwrap_or_default()),
            reconnections: self.reconnections,
            sent: SentSummary {
                damaged: self.damaged,
                audio_frames: frames_of(Kind::Audio),
                video_frames: frames_of(Kind::Video),
                tracks: tracks.collect(),
            },
            participants: self.people.summary(),
        }
    }
}

/// What it means that a goodbye went so, when the relay had not been heard for so long before it and
/// after it, and whether there was a picture in what was sent.
fn at_the_end(
    farewell: Farewell,
    [before, after]: [Duration; 2],
    video: bool,
) -> Option<JoinError> {
    match farewell {
        Farewell::Delivered => None,
        Farewell::CutShort if after < SLOW => Some(JoinError::EndMissing { video }),
        Farewell::CutShort => Some(JoinError::gone(before)),
        // As in the midst of the meeting: its word tells more than that it is gone, if it is final.
        Farewell::Lost(reason) => {
            let told = dial::lost(reason, true).err();
            Some(told.unwrap_or_else(|| JoinError::gone(before)))
        }
    }
}

#[cfg(test)]
mod tests;
