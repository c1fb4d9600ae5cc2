//! What a meeting has to say to the person.

use std::time::Instant;

use super::commands::language;
use super::{Knocker, Session};
use crate::meeting::links::Link;
use crate::meeting::lobby::Status;
use crate::meeting::media::Report;
use crate::meeting::{Freshness, Listed, Notice, Who, display_long, display_safe};
use crate::participant::event::{Event, RosterEntry, Shown, SignatureState, Wait};

impl Session {
    /// Says it, harmless on a screen.
    pub(super) fn told(&mut self, notice: Notice) {
        let event = match notice {
            Notice::Waiting(status) => match waits(status) {
                Some(r#for) => Event::Waiting { r#for },
                None => return,
            },
            Notice::Vigil { speaks } => {
                self.watches = !speaks;
                Event::Vigil { speaks }
            }
            Notice::Title(title) => Event::Title {
                title: Shown(title),
            },
            Notice::Knocking { number, name } => {
                let name = Shown(display_safe(&name));
                let taken = self.people.has(&name.0);
                let knocker = Knocker {
                    name: name.clone(),
                    compared: false,
                };
                self.knocks.insert(number, knocker);
                Event::Knock {
                    number,
                    name,
                    compared: false,
                    taken,
                }
            }
            Notice::KnockGone { number } => {
                let Some(Knocker { name, .. }) = self.knocks.remove(&number) else {
                    return;
                };
                Event::KnockGone { number, name }
            }
            Notice::Compare { number, words } => {
                let with = number.and_then(|number| self.compared(number, false));
                Event::Compare {
                    number,
                    name: with,
                    words: words.words(language()).map(str::to_owned),
                    attempt: words.attempt(),
                }
            }
            Notice::Compared { number } => match self.compared(number, true) {
                Some(name) => Event::Compared { number, name },
                None => return,
            },
            Notice::NoWords { number, why } => Event::NoWords {
                number,
                reason: why,
            },
            Notice::Chat { who, text } => match self.shown(who) {
                Some(name) => Event::Chat {
                    name,
                    text: Shown(display_long(&text)),
                },
                None => return,
            },
            Notice::InTheChair(held) => {
                self.chair = held;
                self.knocks.clear();
                Event::Chair { held }
            }
            Notice::PutOut(who) => {
                self.put_out.insert(who);
                return;
            }
            Notice::Reported { name, by } => Event::Reported {
                name: Shown(display_safe(&name)),
                by,
            },
            Notice::TakenOut(who) => {
                self.taken_out.insert(who);
                return;
            }
            Notice::Locked(locked) => {
                self.locked = locked;
                Event::Locked { locked }
            }
            Notice::Link(meeting_link) => {
                let link = Link::parse(&meeting_link);
                Event::Link {
                    vigil: link.is_ok_and(|link| link.meeting().viewer.is_some()),
                    meeting_link,
                }
            }
            Notice::Chair(state) => {
                self.stopped = match state {
                    Freshness::Well => false,
                    Freshness::Stale => self.stopped,
                    Freshness::Stopped => true,
                };
                Event::ChairHeard { state }
            }
            Notice::AskedToBeQuiet => Event::AskedToBeQuiet,
            Notice::Standing { who, standing } => match self.people.stands(who, standing) {
                Some((name, before)) if before != standing => Event::Standing {
                    name,
                    standing,
                    before,
                },
                Some(_) | None => return,
            },
            Notice::Roster(listed) => {
                let members = listed.iter().map(|one| self.entry(one)).collect();
                self.output.event(&Event::Roster { members });
                return self.list_knocks();
            }
            Notice::Signatures { who, report } => {
                match report {
                    Report::Unsigned { track, .. } => {
                        return self.unsigned.missing(Instant::now(), who, track);
                    }
                    Report::Signed { track } if !self.unsigned.there(who, track) => return,
                    Report::Signed { .. } | Report::Forged { .. } => {}
                }
                match self.shown(who) {
                    Some(name) => signatures(name, report),
                    None => return,
                }
            }
        };
        self.output.event(&event);
    }

    /// Notes whether somebody at the door has the same words; whom.
    fn compared(&mut self, number: u32, same: bool) -> Option<Shown> {
        let knocker = self.knocks.get_mut(&number)?;
        knocker.compared = same;
        Some(knocker.name.clone())
    }

    fn shown(&self, who: Who) -> Option<Shown> {
        Some(self.people.get(who)?.shown.clone())
    }

    /// Tells whose signatures have been missing for long.
    pub(super) fn tell_of_the_unsigned(&mut self, now: Instant) {
        for (who, track) in self.unsigned.due(now) {
            if let Some(name) = self.shown(who) {
                let report = Report::Unsigned { track, frames: 0 };
                self.output.event(&signatures(name, report));
            }
        }
    }

    fn entry(&self, listed: &Listed) -> RosterEntry {
        let person = listed.who.map(|who| self.people.get(who));
        let shown = person.flatten().map(|person| person.shown.clone());
        let standing = match person {
            Some(person) => person.map(|person| person.standing).unwrap_or_default(),
            None => self.standing,
        };
        RosterEntry {
            number: listed.who.map(|who| who.0),
            name: shown.unwrap_or_else(|| Shown(display_safe(&listed.name))),
            rank: listed.rank,
            here: listed.here,
            standing,
        }
    }
}

fn waits(status: Status) -> Option<Wait> {
    match status {
        Status::HostNotHere => Some(Wait::Host),
        Status::Waiting => Some(Wait::Decision),
        Status::Locked => Some(Wait::Unlock),
        Status::Full => Some(Wait::Place),
        // The one takes a moment, and the end is said otherwise.
        Status::Asking | Status::Denied => None,
    }
}

fn signatures(name: Shown, report: Report) -> Event {
    let (track, state) = match report {
        Report::Unsigned { track, .. } => (track, SignatureState::Missing),
        Report::Forged { track, .. } => (track, SignatureState::Forged),
        Report::Signed { track } => (track, SignatureState::Good),
    };
    Event::Signatures {
        name,
        track: track.0,
        state,
    }
}
