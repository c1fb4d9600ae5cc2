//! A meeting as one participant sees it: at the door, inside, in the chair.
//!
//! It may know: everything that `meeting` knows.
//! It must never know: sockets, files, screens, the clock on the wall; nor anything of the relay.
//!
//! [`Meeting`] is what a participant drives. `outside` waits at a door, and `comparing` is
//! what it may compare there with the chair; `inside` is a member; `ruling`
//! are the duties of the chair, and `chairs` who has them; `ending` is how it ends for everybody; `moving` is what follows a removal;
//! `rejoin` how one who lost the thread finds it again; `stage` what a vigil's viewers are given.
//! `docs/meeting.md` tells it as a whole.

mod pace;
mod plain;
mod stays;

mod admission;
mod comparing;
mod core;

mod outside;
mod people;
mod voice;

mod hearing;
mod inside;
mod reach;
mod speaking;
mod stage;

mod chairs;
mod ending;
mod moving;
mod rejoin;

mod doors;
mod ruling;

#[cfg(test)]
pub(in crate::meeting) mod tests;

use std::time::Duration;

use self::admission::Returning;
use self::core::Core;
use self::inside::{Became, Inside};
use self::outside::{Came, Outside};
use self::stays::Arrived;
use super::events::{Command, Ending, Input, Notice, Output, Rejection, StayId, Surface};
use super::links::Link;
use super::secret::LinkSecret;
use super::standing::Standing;
use super::track::{Presence, TrackDescription};
use crate::wire::GroupNumber;

/// Where this participant stands.
enum Place {
    /// Not begun yet.
    New,
    Outside(Box<Outside>),
    Inside(Box<Inside>),
    Over,
}

/// A meeting that its host's device governs, end to end, without I/O.
pub struct Meeting {
    core: Core,
    place: Place,
}

impl Meeting {
    /// A meeting by this link, in which this participant is `presence`. `signs`: its media is signed.
    /// `admits_all`: whoever knocks is let in, where this participant holds the chair. `seed` must be
    /// random and never used again: all keys rest on it.
    pub fn new(
        link: Link,
        presence: Presence,
        signs: bool,
        admits_all: bool,
        seed: [u8; 32],
    ) -> Self {
        let mut core = Core::new(link, presence, signs, seed);
        core.admits_all = admits_all;
        // Before it is let in: who is not willing to be seen by everybody can still go.
        if core.viewer().is_some() {
            core.note(Notice::Vigil { speaks: true });
        }
        let mut meeting = Self {
            core,
            place: Place::New,
        };
        meeting.begin(Returning::default(), None);
        meeting
    }

    /// How often each kind of [`Rejection`] occurred, in their order.
    pub fn rejections(&self) -> &[u64; Rejection::KINDS] {
        self.core.rejections()
    }

    /// Where a member's group stands, for tests: they look from outside at what nobody may see.
    #[cfg(test)]
    pub(in crate::meeting) fn look(&self) -> Option<tests::Look> {
        let Place::Inside(inside) = &self.place else {
            return None;
        };
        let (group, epoch) = (&inside.group, inside.group.epoch());
        let base = group.export("sottovoce media", &epoch.to_be_bytes());
        Some(tests::Look {
            epoch,
            tag: group.tag(),
            roster: group.roster().to_vec(),
            me: group.me(),
            run: self.core.run,
            salt: inside.voice.salt(),
            base: *base.ok()?,
            chair: inside.ruling.is_some(),
            heard: inside.chair.heard_last(self.core.now),
            outcasts: inside.chairs.outcasts.clone(),
        })
    }

    /// A member's group, for tests that sign as it does.
    #[cfg(test)]
    pub(in crate::meeting) fn group(&self) -> Option<&crate::meeting::group::Group> {
        match &self.place {
            Place::Inside(inside) => Some(&inside.group),
            _ => None,
        }
    }

    /// The secret of the lobby that a member knows of, for tests.
    #[cfg(test)]
    pub(in crate::meeting) fn lobby(&self) -> Option<&LinkSecret> {
        match &self.place {
            Place::Inside(inside) => Some(&inside.link_secret),
            Place::New | Place::Outside(_) | Place::Over => None,
        }
    }

    /// To the door; first to that of a lobby that it was told of.
    fn begin(&mut self, returning: Returning, told: Option<LinkSecret>) {
        if let Some(link) = self.core.committer() {
            let bundle = link.bundle.clone();
            self.core.note_title(&bundle);
        }
        self.place = match Outside::new(&mut self.core, returning, told) {
            Some(outside) => Place::Outside(Box::new(outside)),
            None => Place::Over,
        };
    }

    fn arrived(&mut self, stay: StayId, arrived: Arrived) {
        let became = match &mut self.place {
            Place::Outside(outside) if outside.stay == stay => {
                outside.arrived(arrived, &self.core);
                Became::Same
            }
            Place::Inside(inside) => inside.arrived(stay, arrived, &mut self.core),
            Place::New | Place::Outside(_) | Place::Over => Became::Same,
        };
        self.became(became);
    }

    /// Media comes and goes hundreds of times a second: nothing but time follows from it, and that is
    /// looked after at the deadline. Gives back what is no media.
    fn media(&mut self, input: Input) -> Option<Input> {
        let inside = match &mut self.place {
            Place::Inside(inside) => Some(inside),
            Place::New | Place::Outside(_) | Place::Over => None,
        };
        let core = &mut self.core;
        match (input, inside) {
            (
                Input::Datagram {
                    stay,
                    from,
                    track,
                    payload,
                },
                Some(inside),
            ) => inside.media((stay, from), (track, GroupNumber(0)), &payload, false, core),
            (
                Input::GroupFrame {
                    stay,
                    from,
                    track,
                    group,
                    bytes,
                },
                Some(inside),
            ) => inside.media((stay, from), (track, group), &bytes, true, core),
            (Input::Send(frame), Some(inside)) => inside.send(&frame, core),
            (Input::Datagram { .. } | Input::GroupFrame { .. } | Input::Send(_), None) => {}
            (other, _) => return Some(other),
        }
        None
    }

    /// This participant has other tracks from now on.
    fn describe(&mut self, tracks: Vec<TrackDescription>) {
        let presence = Presence {
            tracks,
            ..self.core.presence.clone()
        };
        if !presence.is_acceptable() {
            return self.core.reject(Rejection::TooLarge);
        }
        self.core.presence = presence;
        if let Place::Inside(inside) = &mut self.place {
            inside.describe_anew(&mut self.core);
        }
    }

    /// This participant stands otherwise from now on.
    fn show(&mut self, standing: Standing) {
        self.core.standing = standing;
        if let Place::Inside(inside) = &mut self.place {
            inside.standing.set(standing);
        }
    }

    fn command(&mut self, command: Command) {
        match (&mut self.place, command) {
            (Place::Inside(inside), command) => inside.command(command, &mut self.core),
            (_, Command::AdmitAll(on)) => self.core.admits_all = on,
            _ => self.core.reject(Rejection::NotAllowed),
        }
    }

    /// Does all that is to be done by now.
    fn turn(&mut self) {
        self.core.stays.tick(self.core.now, &mut self.core.out);
        if let Place::Outside(outside) = &mut self.place {
            let (group, main, link, beat) = match outside.turn(&mut self.core) {
                Came::Nothing => return,
                Came::Over(ending) => return self.over(ending),
                Came::In {
                    group,
                    main,
                    link,
                    beat,
                } => (group, main, link, Some(beat)),
                Came::Founds(group) => {
                    let main = LinkSecret::from_bytes(self.core.seed());
                    let link = self.core.link.meeting().secret.clone();
                    (group, main, link, None)
                }
            };
            let founds = beat.is_none();
            let mut inside = Inside::new(*group, main, link, founds, &mut self.core);
            if let Some(beat) = beat {
                inside.beat(*beat, &mut self.core);
            }
            self.place = Place::Inside(Box::new(inside));
        }
        if let Place::Inside(inside) = &mut self.place {
            let became = inside.turn(&mut self.core);
            self.became(became);
        }
    }

    fn became(&mut self, became: Became) {
        match became {
            Became::Same => {}
            Became::Over(ending) => self.over(ending),
            Became::Lost => {
                let Place::Inside(inside) = std::mem::replace(&mut self.place, Place::New) else {
                    return;
                };
                let (returning, lobby) = inside.give_up(&mut self.core);
                self.begin(returning, Some(lobby));
            }
        }
    }

    fn over(&mut self, ending: Ending) {
        self.place = Place::Over;
        for stay in self.core.stays.all() {
            self.core.leave(stay);
        }
        self.core.out.push_back(Output::Over(ending));
    }
}

impl Surface for Meeting {
    fn handle(&mut self, now: Duration, input: Input) {
        self.core.now = self.core.now.max(now);
        let Some(input) = self.media(input) else {
            return;
        };
        let core = &mut self.core;
        match input {
            Input::Tick | Input::Datagram { .. } | Input::GroupFrame { .. } | Input::Send(_) => {}
            Input::Connected { stay, relay } => {
                let relay = core.link.meeting().relays.get(relay).cloned();
                core.stays
                    .connected(stay, relay.as_ref(), &mut core.draws, &mut core.out);
            }
            Input::Lost { stay } => {
                core.stays.lost(stay);
                match &mut self.place {
                    Place::Outside(outside) if outside.stay == stay => outside.lost(),
                    Place::Inside(inside) => inside.lost(stay, core),
                    Place::New | Place::Outside(_) | Place::Over => {}
                }
            }
            Input::Relay { stay, message } => {
                match core.stays.relay(stay, message, &mut core.draws) {
                    Ok(Some(arrived)) => self.arrived(stay, arrived),
                    Ok(None) => {}
                    Err(rejection) => core.reject(rejection),
                }
            }
            Input::Ended { track, frames } => {
                if let Place::Inside(inside) = &mut self.place {
                    inside.ended(track, frames, core);
                }
            }
            Input::Tracks(tracks) => self.describe(tracks),
            Input::Show(standing) => self.show(standing),
            Input::Paused => {
                if let Place::Inside(inside) = &mut self.place {
                    inside.voice.paused();
                }
            }
            Input::Listen { who, track, on } => {
                if let Place::Inside(inside) = &mut self.place {
                    inside.listen(who, track, on, core);
                }
            }
            Input::Command(command) => self.command(command),
            Input::Goodbye => {
                if let Place::Inside(inside) = &mut self.place {
                    inside.goodbye(core);
                }
            }
        }
        self.turn();
    }

    fn poll(&mut self) -> Option<Output> {
        self.core.out.pop_front()
    }

    fn deadline(&self) -> Option<Duration> {
        let place = match &self.place {
            Place::Outside(outside) => outside.deadline(),
            Place::Inside(inside) => inside.deadline(),
            Place::New | Place::Over => None,
        };
        [place, self.core.stays.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}
