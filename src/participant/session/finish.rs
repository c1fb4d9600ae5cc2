//! The end: last frames leave, recordings are completed, and the sum is drawn.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::interrupt::Interrupts;
use super::{DRAIN, LINGER, Leaving, Session};
use crate::carrier::client::Farewell;
use crate::participant::error::JoinError;
use crate::participant::event::{Event, Kind, SentSummary, SentTrack, Summary, milliseconds};
use crate::participant::line::Line;
use crate::participant::people::kind;
use crate::participant::scribe::Report;

/// How long recordings may take to be completed: a slow disk has megabytes to write.
const RECORDINGS: Duration = Duration::from_secs(20);

/// A relay that has been heard so lately is there: then it is the network that is slow. A goodbye that
/// nobody answers waits for longer, and a relay that is there says so each 200 ms.
const SLOW: Duration = Duration::from_secs(1);

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
        let lanes = std::mem::take(&mut self.lanes);
        self.leaving = Some(if lanes.is_empty() {
            Leaving::Lingering(now + LINGER)
        } else {
            Leaving::Draining(tokio::spawn(async move {
                let drained = async {
                    for lane in lanes.into_values() {
                        lane.drain().await;
                    }
                };
                let _ = timeout(DRAIN, drained).await;
            }))
        });
    }

    /// Says goodbye, completes what was written, and tells how it was. A further interrupt cuts
    /// all waiting short.
    pub(super) async fn finish(
        mut self,
        ended: Result<(), JoinError>,
        interrupts: &mut Interrupts,
    ) -> Result<Summary, JoinError> {
        tokio::select! {
            () = self.complete() => {}
            () = interrupts.next() => {}
        }
        self.miss_the_watched();
        let summary = self.summary(Instant::now());
        if self.joined.is_some() {
            self.output.event(&Event::Summary(summary.clone()));
        }
        ended?;
        if self.joined.is_none() {
            return Err(JoinError::NotJoined);
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(summary),
        }
    }

    /// Says goodbye, and finds out whether the relay was there to the end.
    async fn part(&mut self) -> Option<JoinError> {
        let unheard = match self.line.take() {
            Some(line) => self.say_goodbye(line).await,
            None => None,
        };
        match self.place.lost() {
            Some((since, _)) => Some(JoinError::gone(since.elapsed())),
            None => unheard,
        }
    }

    async fn say_goodbye(&mut self, line: Line) -> Option<JoinError> {
        for message in self.meeting.goodbye() {
            line.control(&message);
        }
        let road = line.road();
        let last = Instant::now();
        let farewell = line.close().await;
        let now = Instant::now();
        self.hear(now, &road.stats());
        let silence = [last, now].map(|until| self.hearing.silence(until));
        let failure = at_the_end(farewell, silence);
        if let Some(JoinError::Gone { .. }) = failure {
            self.unanswered();
        }
        failure
    }

    /// The relay is gone: what it was not heard after counts as unsent.
    pub(super) fn unanswered(&mut self) {
        for (_, sent) in self.sent.values_mut() {
            sent.gone();
        }
    }

    async fn complete(&mut self) {
        let parted = self.part().await;
        if let Some(scribe) = self.scribe.take() {
            let mut reports = scribe.close();
            let all = async {
                while let Some(report) = reports.recv().await {
                    self.recorded(report);
                }
            };
            if timeout(RECORDINGS, all).await.is_err() {
                self.failure.get_or_insert(JoinError::RecordingsUnfinished);
            }
        }
        if let Some(watch) = self.watch.take() {
            let _ = timeout(WATCHED, watch.finish()).await;
        }
        if let Some(mut trace) = self.trace.take()
            && let Err(error) = trace.flush()
        {
            self.failure.get_or_insert(JoinError::Trace(error.kind()));
        }
        // Last: it says of recordings that they are complete.
        self.failure = self.failure.take().or(parted);
    }

    /// Something became of a recording.
    pub(super) fn recorded(&mut self, report: Report) {
        let name = |session: &Self, key| session.people.get(key).map(|person| person.shown.clone());
        match report {
            Report::Began(key, path) => {
                let (name, file) = (name(self, key), super::receive::shown_path(&path));
                if let Some(name) = name {
                    self.output.event(&Event::Recording { name, file });
                }
            }
            Report::Done(key, path, frames) => {
                let (name, file) = (name(self, key), super::receive::shown_path(&path));
                if let Some(name) = name {
                    self.output.event(&Event::Recorded { name, file, frames });
                }
            }
            Report::Broken(key, path, error) => {
                if let Some(name) = name(self, key) {
                    let file = path.as_deref().map(super::receive::shown_path);
                    let error = error.clone();
                    let warning =
                        crate::participant::warning::Warning::Recording { name, file, error };
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
/// after it.
fn at_the_end(farewell: Farewell, [before, after]: [Duration; 2]) -> Option<JoinError> {
    match farewell {
        Farewell::Delivered => None,
        Farewell::CutShort if after < SLOW => Some(JoinError::EndMissing),
        Farewell::CutShort | Farewell::Lost => Some(JoinError::gone(before)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_is_slow_is_no_relay_that_is_gone() {
        let soon = SLOW / 2;
        assert!(at_the_end(Farewell::Delivered, [soon, SLOW]).is_none());
        let slow = at_the_end(Farewell::CutShort, [soon, soon]);
        assert!(matches!(slow, Some(JoinError::EndMissing)));
        for (farewell, after) in [(Farewell::CutShort, SLOW * 3), (Farewell::Lost, soon)] {
            let gone = at_the_end(farewell, [soon, after]);
            let told = matches!(gone, Some(JoinError::Gone { seconds: 1 }));
            assert!(told, "{farewell:?}");
        }
    }
}
