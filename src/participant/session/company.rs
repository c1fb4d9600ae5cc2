//! Who comes and goes: whom to listen to, to record and to show.

use std::time::Instant;

use super::{ROLL_CALL, Session, WATCHED_COMES};
use crate::meeting::{Input, Presence, Who, display_safe};
use crate::participant::event::{Event, Shown};
use crate::participant::people::Appearance;
use crate::participant::warning::Warning;

/// Tracks that are listened to: a quarter of the subscriptions that relays are known to allow a
/// connection, and more than one machine can listen to.
const SUBSCRIPTIONS: usize = 1024;

impl Session {
    /// Somebody says who it is.
    pub(super) fn appeared(&mut self, now: Instant, who: Who, presence: Presence) {
        let name = Shown(presence.display_name());
        let watched = self
            .options
            .watch
            .as_ref()
            .is_some_and(|name| *name == presence.name);
        let appearance = self.people.appeared(who, presence, name.clone());
        let name = self.people.get(who).map_or(name, |one| one.shown.clone());
        let returned = match appearance {
            Appearance::New => Some(false),
            // It was this participant who had been away.
            Appearance::Returned if self.was_missing(who) => None,
            Appearance::Returned => Some(true),
            Appearance::Changed => None,
            Appearance::Known => return,
        };
        if let Some(returned) = returned {
            self.output.event(&Event::Joined { name, returned });
        }
        self.listen_to(now, who, watched);
        self.audience_grew(now);
    }

    /// Asks for somebody's tracks, and gets ready for their frames.
    fn listen_to(&mut self, now: Instant, who: Who, watched: bool) {
        let Some(person) = self.people.get(who) else {
            return;
        };
        let free = self
            .watched
            .is_none_or(|watched| watched == who || !self.people.is_here(watched));
        // The name as it was asked for: on the screen they are told apart.
        let namesake = || Shown(display_safe(&person.presence.name));
        let namesake = (watched && !free).then(namesake);
        if let (true, true, Some(watch)) = (watched, free, &mut self.watch) {
            if self.watched != Some(who) {
                watch.begin(&person.presence);
            }
            self.watched = Some(who);
        }
        if let Some(scribe) = &self.scribe {
            scribe.person(who, &person.presence);
        }
        let tracks = person.presence.tracks.iter();
        let tracks: Vec<_> = tracks.map(|description| description.track).collect();
        for track in tracks {
            if self.listening.contains(&(who, track)) {
                continue;
            }
            if self.listening.len() >= SUBSCRIPTIONS {
                self.warn(&Warning::TooManyPeople);
                break;
            }
            self.listening.insert((who, track));
            let on = true;
            self.hand_over(now, Input::Listen { who, track, on });
        }
        if let Some(name) = namesake {
            self.warn(&Warning::WatchNamesakes(name));
        }
    }

    /// Somebody is gone.
    pub(super) fn departed(&mut self, now: Instant, who: Who) {
        let goodbye = self.goodbyes.remove(&who);
        let removed = self.put_out.remove(&who);
        let taken_out = self.taken_out.remove(&who);
        self.unsigned.gone(who);
        self.listening.retain(|(other, _)| *other != who);
        let missed = self.was_missing(who);
        let was_here = self.people.departed(now, who).is_some();
        let Some(person) = self.people.get(who).filter(|_| was_here || missed) else {
            return;
        };
        let name = person.shown.clone();
        let left = Event::Left {
            name,
            goodbye,
            removed,
            taken_out,
        };
        self.output.event(&left);
        if let (true, Some(scribe)) = (goodbye || removed || taken_out, &self.scribe) {
            scribe.finish(who);
        }
    }

    /// This participant's own relay is lost, and somebody with it.
    pub(super) fn unheard(&mut self, now: Instant, who: Who) {
        self.goodbyes.remove(&who);
        self.unsigned.excuse(who);
        if self.people.departed(now, who).is_some() {
            let until = now + ROLL_CALL;
            let (_, missing) = self.missing.get_or_insert((until, Vec::new()));
            missing.push(who);
        }
    }

    /// Whether somebody was missing until now.
    fn was_missing(&mut self, who: Who) -> bool {
        self.missing.as_mut().is_some_and(|(_, missing)| {
            let before = missing.len();
            missing.retain(|other| *other != who);
            missing.len() < before
        })
    }

    /// Some time after this participant has come back: who has not shown up is gone.
    pub(super) fn roll_call(&mut self, now: Instant) {
        let missing = self.missing.take().map(|(_, missing)| missing);
        for who in missing.unwrap_or_default() {
            let Some(person) = self.people.get(who).filter(|person| !person.is_here()) else {
                continue;
            };
            let name = person.shown.clone();
            let left = Event::Left {
                name,
                goodbye: false,
                removed: false,
                taken_out: false,
            };
            self.output.event(&left);
            let wished = self.listening.extract_if(|(other, _)| *other == who);
            let wished: Vec<_> = wished.map(|(_, track)| track).collect();
            for track in wished {
                let on = false;
                self.tell(now, Input::Listen { who, track, on });
            }
        }
    }

    /// Who was watched is gone: another one of that name who is here is shown from now on.
    pub(super) fn keep_watching(&mut self) {
        let (Some(name), Some(watch)) = (&self.options.watch, &mut self.watch) else {
            return;
        };
        if self.watched.is_none_or(|who| self.people.is_here(who)) {
            return;
        }
        if let Some(namesake) = self.people.first_here(name) {
            watch.begin(&namesake.presence);
            self.watched = Some(namesake.who);
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
}
