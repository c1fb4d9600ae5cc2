//! From the network to recordings, the watcher and the counts.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Session, WATCHED_COMES};
use crate::carrier::client::LostReason;
use crate::meeting::{Frame, Input, Output as Said, Presence, Rejection, display_safe};
use crate::participant::error::JoinError;
use crate::participant::event::{Event, Shown};
use crate::participant::line::{Arrival, sounds};
use crate::participant::people::{Appearance, Key};
use crate::participant::warning::Warning;
use crate::participant::watch::WatchReport;
use crate::wire::{FromRelay, ParticipantId, ToRelay, TrackId};

/// Subscriptions over one connection: a quarter of what relays are known to allow, and more than
/// one machine can listen to.
const SUBSCRIPTIONS: usize = 1024;

/// Silence after which the relay is asked whether it is still there. Those who talk are heard each
/// 20 ms.
const QUIET: Duration = Duration::from_secs(1);

impl Session {
    /// Something came from the relay.
    pub(super) fn arrival(&mut self, now: Instant, arrival: Arrival) -> Result<(), JoinError> {
        self.unasked = Some(now);
        match arrival {
            Arrival::Lost(reason) => return self.lost(now, reason),
            Arrival::Control(FromRelay::Closed { reason }) => {
                return self.lost(now, LostReason::Closed(reason));
            }
            Arrival::Control(FromRelay::Left { participant }) => {
                self.departures.left(now, participant);
            }
            Arrival::Control(message) => {
                let present = match &message {
                    FromRelay::Welcome { present, .. } => Some(present.len()),
                    _ => None,
                };
                self.meeting.handle(Input::Relay(message));
                if let Some(present) = present {
                    self.welcomed(now, present);
                }
            }
            Arrival::Datagrams(bundle) => {
                for (from, track, sealed) in sounds(bundle) {
                    self.meeting.handle(Input::Datagram {
                        from,
                        track,
                        payload: sealed,
                    });
                }
            }
            Arrival::GroupOpened(sender) => self.departures.group_opened(sender),
            Arrival::GroupFrame {
                from,
                track,
                group,
                sealed,
            } => {
                self.meeting.handle(Input::GroupFrame {
                    from,
                    track,
                    group,
                    bytes: sealed,
                });
            }
            Arrival::GroupClosed(sender) => self.departures.group_closed(sender),
        }
        self.said(now);
        Ok(())
    }

    /// Those whose last frames are in are gone now.
    pub(super) fn depart(&mut self, now: Instant) {
        while let Some(participant) = self.departures.next(now) {
            self.meeting
                .handle(Input::Relay(FromRelay::Left { participant }));
        }
        self.said(now);
    }

    /// Does what the meeting says.
    pub(super) fn said(&mut self, now: Instant) {
        while let Some(said) = self.meeting.poll() {
            match said {
                Said::Control(message) => self.control(&message),
                Said::Datagram { track, payload } => self.sound(track, &payload),
                Said::GroupFrame {
                    track,
                    group,
                    bytes,
                } => self.picture(track, group, &bytes),
                Said::Appeared {
                    participant,
                    presence,
                } => {
                    self.appeared(now, participant, presence);
                }
                Said::Departed { participant } => self.departed(now, participant),
                Said::Frame { participant, frame } => self.frame(now, participant, &frame),
                Said::Ended {
                    participant,
                    track,
                    frames,
                } => {
                    self.people.ended(participant, track, frames);
                }
                Said::Goodbye { participant } => {
                    if self.people.is_here(participant) {
                        self.goodbyes.insert(participant);
                    }
                }
                Said::Rejected(rejection) => self.refused(rejection),
            }
        }
    }

    /// Something did not open, or was not to be sent.
    fn refused(&mut self, rejection: Rejection) {
        match rejection {
            Rejection::TooLarge if self.last.is_some() => self.warn(&Warning::TooLargeToSend),
            Rejection::NotAuthentic | Rejection::Malformed | Rejection::Misdirected => {
                self.warn(&Warning::Unreadable);
            }
            Rejection::TooMany => self.warn(&Warning::TooManyPeople),
            // Late, repeated, or of somebody who has just left: that is what networks do.
            Rejection::Replay
            | Rejection::TooOld
            | Rejection::UnknownSender
            | Rejection::TooLarge => {}
        }
    }

    fn control(&mut self, message: &ToRelay) {
        if let Some(line) = &self.line {
            line.control(message);
        }
    }

    /// Somebody says who it is.
    fn appeared(&mut self, now: Instant, id: ParticipantId, presence: Presence) {
        let shown = Shown(presence.display_name());
        let watched = self
            .options
            .watch
            .as_ref()
            .is_some_and(|name| *name == presence.name);
        let (key, event) = match self.people.appeared(id, presence, shown.clone()) {
            Appearance::New(key) => (
                key,
                Some(Event::Joined {
                    name: shown,
                    returned: false,
                }),
            ),
            Appearance::Returned { key, ghost } => {
                if let Some(ghost) = ghost {
                    self.output.event(&Event::Left {
                        name: shown.clone(),
                        goodbye: false,
                    });
                    self.subscribed.retain(|(id, _)| *id != ghost);
                }
                // It was this participant who had been away.
                let seen_again = self.missing.as_mut().is_some_and(|(_, missing)| {
                    let before = missing.len();
                    missing.retain(|other| *other != key);
                    missing.len() < before
                });
                (
                    key,
                    (!seen_again).then_some(Event::Joined {
                        name: shown,
                        returned: true,
                    }),
                )
            }
            Appearance::Changed(key) => (key, None),
            Appearance::Known => return,
            Appearance::TooMany => return self.warn(&Warning::TooManyPeople),
        };
        if let Some(event) = event {
            self.output.event(&event);
        }
        self.listen_to(key, id, watched);
        self.audience_grew(now);
    }

    /// Asks for somebody's tracks, and gets ready for their frames.
    fn listen_to(&mut self, key: Key, id: ParticipantId, watched: bool) {
        let Some(person) = self.people.get(key) else {
            return;
        };
        let free = self.watched.is_none_or(|watched| {
            watched == key
                || self
                    .people
                    .get(watched)
                    .is_none_or(|person| !person.is_here())
        });
        let namesake = (watched && !free).then(|| person.shown.clone());
        if let (true, true, Some(watch)) = (watched, free, &mut self.watch) {
            if self.watched != Some(key) {
                watch.begin(&person.presence);
            }
            self.watched = Some(key);
        }
        if let Some(scribe) = &self.scribe {
            scribe.person(key, &person.presence);
        }
        let mut too_many = false;
        for description in &person.presence.tracks {
            let wish = (id, description.track);
            if self.subscribed.contains(&wish) {
                continue;
            }
            too_many |= self.subscribed.len() >= SUBSCRIPTIONS;
            if let (false, Some(line)) = (too_many, &self.line) {
                self.subscribed.insert(wish);
                line.control(&subscribe(wish));
            }
        }
        if too_many {
            self.warn(&Warning::TooManyPeople);
        }
        if let Some(name) = namesake {
            self.warn(&Warning::WatchNamesakes(name));
        }
    }

    /// Says when nobody has the name of the one to be watched: a player without a picture does not
    /// tell why.
    pub(super) fn look_for_the_watched(&mut self, now: Instant) {
        let waited = |joined| now.saturating_duration_since(joined) >= WATCHED_COMES;
        if let (Some(name), None) = (&self.options.watch, self.watched)
            && self.joined.is_some_and(waited)
        {
            self.warn(&Warning::WatchNobody(Shown(display_safe(name))));
        }
    }

    /// Says at the end that the one to be watched never came.
    pub(super) fn miss_the_watched(&mut self) {
        if let (Some(name), None, Some(_)) = (&self.options.watch, self.watched, self.joined) {
            self.warn(&Warning::WatchNobodyCame(Shown(display_safe(name))));
        }
    }

    /// Nothing has come for a while, where it may be that nobody has anything to say, or that the
    /// relay died and is back without knowing of this connection. Asking once for something that
    /// was asked for already brings out which, sooner than the connection would find out.
    pub(super) fn knock(&mut self, now: Instant) {
        let Some(came) = self.unasked else { return };
        if now.saturating_duration_since(came) < QUIET {
            return;
        }
        self.unasked = None;
        if let (Some(wish), Some(line)) = (self.subscribed.iter().next(), &self.line) {
            line.control(&subscribe(*wish));
        }
    }

    /// Somebody is gone.
    fn departed(&mut self, now: Instant, id: ParticipantId) {
        let goodbye = self.goodbyes.remove(&id);
        self.subscribed.retain(|(other, _)| *other != id);
        let Some(person) = self.people.departed(now, id) else {
            return;
        };
        let (key, name) = (person.key, person.shown.clone());
        self.output.event(&Event::Left { name, goodbye });
        if let (true, Some(scribe)) = (goodbye, &self.scribe) {
            scribe.finish(key);
        }
        if self.watched == Some(key) {
            self.watch_a_namesake();
        }
    }

    /// Who was watched is gone: another one of that name who is here is shown from now on.
    fn watch_a_namesake(&mut self) {
        let (Some(name), Some(watch)) = (&self.options.watch, &mut self.watch) else {
            return;
        };
        if let Some(namesake) = self.people.first_here(name) {
            watch.begin(&namesake.presence);
            self.watched = Some(namesake.key);
        }
    }

    /// Some time after this participant has come back: who has not shown up is gone.
    pub(super) fn roll_call(&mut self) {
        for key in self
            .missing
            .take()
            .map(|(_, missing)| missing)
            .unwrap_or_default()
        {
            if let Some(person) = self.people.get(key).filter(|person| !person.is_here()) {
                let name = person.shown.clone();
                self.output.event(&Event::Left {
                    name,
                    goodbye: false,
                });
            }
        }
    }

    /// A frame, opened.
    fn frame(&mut self, now: Instant, from: ParticipantId, frame: &Frame) {
        let Some(person) = self.people.frame(now, from, frame) else {
            return;
        };
        let key = person.key;
        if let Some(trace) = &mut self.trace {
            let written = trace.received(&person.presence.name, frame);
            self.traced(written);
        }
        if self
            .scribe
            .as_ref()
            .is_some_and(|scribe| !scribe.frame(key, frame, now))
        {
            self.warn(&Warning::DiskSlow);
        }
        if self.watched == Some(key)
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

fn subscribe((participant, track): (ParticipantId, TrackId)) -> ToRelay {
    ToRelay::Subscribe { participant, track }
}

/// A path of this person's own choice, with a name in it that was made safe.
pub(super) fn shown_path(path: &Path) -> Shown {
    Shown(path.display().to_string())
}
