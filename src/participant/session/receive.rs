//! From the network to the meeting, and from there to recordings, the watcher and the counts.

use std::path::Path;
use std::time::Instant;

use super::Session;
use crate::carrier::client::LostReason;
use crate::meeting::{Ending, Frame, Input, Output as Said, Rejection, StayId, Who};
use crate::participant::error::JoinError;
use crate::participant::event::{Event, Shown};
use crate::participant::line::{Arrival, sounds};
use crate::participant::warning::Warning;
use crate::participant::watch::WatchReport;
use crate::wire::{FromRelay, ToRelay};

impl Session {
    /// Something came from the relay.
    pub(super) fn arrival(
        &mut self,
        now: Instant,
        id: StayId,
        arrival: Arrival,
    ) -> Result<(), JoinError> {
        let Some(stay) = self.stays.get(id) else {
            return Ok(());
        };
        stay.heard(now);
        match arrival {
            Arrival::Lost(reason) => return self.lost(now, id, reason),
            Arrival::Control(FromRelay::Closed { reason }) => {
                return self.lost(now, id, LostReason::Closed(reason));
            }
            Arrival::Control(FromRelay::Left { participant }) => {
                stay.departures.left(now, participant);
            }
            Arrival::Control(message) => {
                if let FromRelay::Welcome { present, .. } = &message {
                    self.welcomed(now, id, present.len());
                }
                self.tell(now, Input::Relay { stay: id, message });
            }
            Arrival::Datagrams(bundle) => {
                for (from, track, payload) in sounds(bundle) {
                    let sound = Input::Datagram {
                        stay: id,
                        from,
                        track,
                        payload,
                    };
                    self.tell(now, sound);
                }
            }
            Arrival::GroupOpened(sender) => stay.departures.group_opened(sender),
            Arrival::GroupFrame {
                from,
                track,
                group,
                sealed,
            } => {
                let picture = Input::GroupFrame {
                    stay: id,
                    from,
                    track,
                    group,
                    bytes: sealed,
                };
                self.tell(now, picture);
            }
            Arrival::GroupClosed(sender) => stay.departures.group_closed(sender),
        }
        Ok(())
    }

    /// Those whose last frames are in are gone now.
    pub(super) fn depart(&mut self, now: Instant) {
        let mut departed = Vec::new();
        for stay in self.stays.each() {
            while let Some(participant) = stay.departed(now) {
                departed.push((stay.id, FromRelay::Left { participant }));
            }
        }
        for (stay, message) in departed {
            self.tell(now, Input::Relay { stay, message });
        }
    }

    /// Does what the meeting says.
    pub(super) fn said(&mut self, now: Instant) {
        while let Some(said) = self.meeting.poll() {
            match said {
                Said::Enter { stay } => self.enter(stay),
                Said::Leave { stay } => self.stays.leave(stay),
                Said::Main(stay) => self.main_is(now, stay),
                Said::Control { stay, message } => {
                    if matches!(message, ToRelay::Send { .. }) {
                        self.chats.goes_out(stay);
                    }
                    if let Some(stay) = self.stays.get(stay) {
                        stay.control(&message);
                    }
                }
                Said::Datagram {
                    stay,
                    track,
                    payload,
                } => self.sound(stay, track, &payload),
                Said::GroupFrame {
                    stay,
                    track,
                    group,
                    first,
                    bytes,
                } => self.picture(stay, track, group, first, &bytes),
                Said::Inside => {
                    (self.inside, self.stopped) = (true, false);
                    self.got_in(now);
                }
                Said::Appeared { who, presence } => self.appeared(now, who, presence),
                Said::Departed { who } => self.departed(now, who),
                Said::Unheard { who } => self.unheard(now, who),
                Said::Frame { who, frame } => self.frame(now, who, &frame),
                Said::Ended { who, track, frames } => self.people.ended(who, track, frames),
                Said::Goodbye { who } => {
                    if self.people.is_here(who) {
                        self.goodbyes.insert(who);
                    }
                }
                Said::Rejected(rejection) => self.refused(rejection),
                Said::Told(notice) => self.told(notice),
                Said::Over(ending) => self.is_over(now, ending),
            }
        }
        self.keep_watching();
    }

    /// The meeting is over for this participant.
    fn is_over(&mut self, now: Instant, ending: Ending) {
        self.over.get_or_insert(ending);
        if ending == Ending::Ended {
            self.output.event(&Event::EndedForAll);
        }
        self.leave(now);
    }

    /// Something did not open, or was not to be sent.
    fn refused(&mut self, rejection: Rejection) {
        match rejection {
            Rejection::TooLarge if self.last.is_some() => self.warn(&Warning::TooLargeToSend),
            Rejection::NotAuthentic
            | Rejection::Malformed
            | Rejection::Misdirected
            | Rejection::External
            | Rejection::Commit
            | Rejection::BadProof => {
                self.warn(&Warning::Unreadable);
            }
            Rejection::TooMany => self.warn(&Warning::TooManyPeople),
            // Late, repeated, or of somebody who has just left: that is what networks do.
            Rejection::Replay
            | Rejection::TooOld
            | Rejection::UnknownSender
            | Rejection::OldEpoch
            | Rejection::NotAllowed
            | Rejection::Internal
            | Rejection::Unexpected
            | Rejection::TooLarge => {}
        }
    }

    /// A frame, opened.
    fn frame(&mut self, now: Instant, who: Who, frame: &Frame) {
        if self.people.frame(now, who, frame).is_none() {
            return;
        }
        if let Some(trace) = &mut self.trace {
            let written = trace.received(now, who, frame);
            self.traced(written);
        }
        if self
            .scribe
            .as_ref()
            .is_some_and(|scribe| !scribe.frame(who, frame, now))
        {
            self.warn(&Warning::DiskSlow);
        }
        if self.watched == Some(who)
            && self
                .watch
                .as_mut()
                .is_some_and(|watch| !watch.frame(frame, now))
        {
            self.warn(&Warning::WatchSlow);
        }
    }

    /// How watching goes. When nobody watches any more, and that was all there was to do, the
    /// meeting is over.
    pub(super) fn watched(&mut self, now: Instant, report: WatchReport) {
        let nothing_else = self.player.is_none() && self.scribe.is_none();
        match report {
            WatchReport::LeftOut => self.warn(&Warning::WatchLeftOut),
            WatchReport::Closed if nothing_else => self.leave(now),
            WatchReport::Closed => self.warn(&Warning::WatchClosed),
            WatchReport::Failed(error) => {
                self.warn(&Warning::WatchFailed(error.clone()));
                self.failure.get_or_insert(JoinError::Watch(error));
            }
        }
    }
}

/// A path of this person's own choice, with a name in it that was made safe.
pub(super) fn shown_path(path: &Path) -> Shown {
    Shown(path.display().to_string())
}
