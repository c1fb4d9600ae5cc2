//! What the person types, and what becomes of it.

use std::time::Instant;

use super::Session;
use crate::meeting::verify::{Language, MeetingWords};
use crate::meeting::{Command as Wish, Input, Who};
use crate::participant::console::{Command, Subject, Typed, help};
use crate::participant::event::Event;

/// To those who want something that takes a voice.
const WATCHES: &str = "You watch, and nothing of yours is sent. To speak, join with --speak.";

impl Session {
    /// Does what was typed, or says why not.
    pub(super) fn typed(&mut self, now: Instant, typed: Typed) {
        let command = match typed {
            Typed::Command(command) => command,
            Typed::Mistake(mistake) => return self.output.answer(&mistake.to_string()),
        };
        match command {
            Command::Leave => self.leave(now),
            Command::Help => self.output.answer(&help()),
            Command::Mute => self.mute(now, true),
            Command::Unmute => self.mute(now, false),
            Command::Words => self.begin_words(),
            Command::Admit(Subject::Everyone) => self.about_all_knocks(now, Wish::Admit),
            Command::Deny(Subject::Everyone) => self.about_all_knocks(now, Wish::Deny),
            Command::Admit(subject) => self.about_knock(now, &subject, Wish::Admit),
            Command::Deny(subject) => self.about_knock(now, &subject, Wish::Deny),
            Command::Compare(subject) => self.about_knock(now, &subject, Wish::Compare),
            Command::Same(subject) => self.about_knock(now, &subject, Wish::Same),
            Command::Different(subject) => self.about_knock(now, &subject, Wish::Different),
            Command::Remove(subject) => match self.person(&subject) {
                Ok(who) => self.wish(now, Wish::Remove(who)),
                Err(sentence) => self.output.answer(&sentence),
            },
            Command::Who => self.wish(now, Wish::Who),
            Command::Lock => self.wish(now, Wish::Lock(true)),
            Command::Unlock => self.wish(now, Wish::Lock(false)),
            Command::MuteAllRequest => self.wish(now, Wish::AskQuiet),
            Command::Hand => self.raise_or_lower(now),
            Command::End => self.wish(now, Wish::EndForAll),
            Command::Say(text) => self.wish(now, Wish::Say(text)),
        }
    }

    /// Raises the hand, or takes it down.
    fn raise_or_lower(&mut self, now: Instant) {
        if self.watches {
            return self.output.answer(WATCHES);
        }
        self.standing.hand = !self.standing.hand;
        self.tell(now, Input::Show(self.standing));
        self.output.answer(match self.standing.hand {
            true => "Your hand is up. /hand takes it down.",
            false => "Your hand is down.",
        });
    }

    fn wish(&mut self, now: Instant, wish: Wish) {
        if self.watches && wish != Wish::Who {
            return self.output.answer(WATCHES);
        }
        let for_chair = !matches!(wish, Wish::Say(_) | Wish::Who);
        if for_chair && !self.chair {
            let sentence =
                "Only whoever holds the chair can do that: the host, or a co-host in its place.";
            return self.output.answer(sentence);
        }
        if !self.inside {
            return self.output.answer("You are not in the meeting yet.");
        }
        if matches!(wish, Wish::Say(_)) && self.stopped {
            let sentence = "Not sent: the host has not been heard for a minute, and somebody who was removed \
                            may still read along. Say it again when it is heard.";
            return self.output.answer(sentence);
        }
        if matches!(wish, Wish::Say(_)) && !self.is_in_the_meeting() {
            let sentence = "Not sent: the relay is not reached at the moment. Say it again later.";
            return self.output.answer(sentence);
        }
        if wish == Wish::EndForAll && !self.is_in_the_meeting() {
            let sentence =
                "Not done: the relay is not reached at the moment, and nobody would know.";
            return self.output.answer(sentence);
        }
        if let Wish::Say(text) = &wish {
            self.chats.say(now, text);
        }
        if matches!(wish, Wish::Admit(_)) && self.locked {
            return self.output.answer("The meeting is locked: /unlock first.");
        }
        self.tell(now, Input::Command(wish));
    }

    /// The same about everybody who waits at the door now.
    fn about_all_knocks(&mut self, now: Instant, wish: impl Fn(u32) -> Wish) {
        let waiting: Vec<u32> = self.knocks.keys().copied().collect();
        if waiting.is_empty() {
            self.output.answer("Nobody is waiting.");
        }
        for number in waiting {
            self.wish(now, wish(number));
        }
    }

    /// Something about somebody who waits at the door.
    fn about_knock(&mut self, now: Instant, subject: &Subject, wish: impl Fn(u32) -> Wish) {
        let found: Vec<u32> = match subject {
            Subject::Number(number) => vec![*number],
            Subject::Name(name) => {
                let named = self.knocks.iter().filter(|(_, one)| one.name.0 == *name);
                named.map(|(number, _)| *number).collect()
            }
            Subject::Everyone => Vec::new(),
        };
        match *found.as_slice() {
            [number] if self.knocks.contains_key(&number) => self.wish(now, wish(number)),
            [_] | [] => self
                .output
                .answer("Nobody waits by that name or number; /who lists them."),
            _ => self
                .output
                .answer("Several wait by that name: say the number instead."),
        }
    }

    /// Who is meant, among those in the meeting.
    fn person(&self, subject: &Subject) -> Result<Who, String> {
        let found: Vec<Who> = match subject {
            Subject::Number(number) => vec![Who(*number)],
            Subject::Name(name) => match self.people.named(name) {
                // A device that is out of reach now is in the group all the same.
                here if here.is_empty() => self.people.away(name),
                here => here,
            },
            Subject::Everyone => Vec::new(),
        };
        match *found.as_slice() {
            [who] => Ok(who),
            [] => Err("Nobody was here by that name; /who lists everyone.".into()),
            _ => Err("Several have that name: say the number that /who shows.".into()),
        }
    }

    /// Computes the words of the meeting, which takes a moment.
    fn begin_words(&mut self) {
        if self.words.is_some() {
            return;
        }
        let bundle = self.bundle;
        self.words = Some(tokio::task::spawn_blocking(move || {
            let words = MeetingWords::of_bundle(&bundle)?;
            Some(words.words(language()).map(str::to_owned))
        }));
    }

    /// They are there.
    pub(super) fn worded(&mut self, words: Option<[String; 5]>) {
        self.words = None;
        match words {
            Some(words) => self.output.event(&Event::Words { words }),
            None => self
                .output
                .answer("This machine has too little memory free for the words."),
        }
    }

    /// Lists those who wait, after those who are in.
    pub(super) fn list_knocks(&mut self) {
        for (number, knocker) in &self.knocks {
            let event = Event::Knock {
                number: *number,
                name: knocker.name.clone(),
                compared: knocker.compared,
                taken: self.people.has(&knocker.name.0),
            };
            self.output.event(&event);
        }
    }
}

/// The language of the terminal (POSIX.1-2017, section 8.2).
pub(super) fn language() -> Language {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let tag = set
        .filter_map(|name| std::env::var(name).ok())
        .find(|tag| !tag.is_empty());
    Language::of_tag(&tag.unwrap_or_default())
}
