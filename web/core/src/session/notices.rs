//! What a meeting has to say to the person, harmless on a screen.

use sottovoce::meeting::lobby::Status;
use sottovoce::meeting::media::Report;
use sottovoce::meeting::{
    Ending, Freshness, Input, Listed, Notice, Output, Rejection, Who, display_long, display_safe,
};

use super::Session;
use super::people::{Appearance, Leave};
use crate::out::{self, Blob, Gone, Out, Over, Signatures, Wait, Warning};

impl Session {
    /// What is for the page to know.
    pub(super) fn noted(&mut self, said: Output) {
        match said {
            Output::Inside => {
                (self.inside, self.stopped) = (true, false);
                self.got_in();
            }
            Output::Appeared { who, presence } => {
                let appearance = self.people.appeared(who, presence);
                if appearance != Appearance::Known {
                    self.show(who, appearance == Appearance::Returned);
                }
            }
            Output::Departed { who } => self.departed(who),
            Output::Unheard { who } => {
                self.unsigned.excuse(who);
                if self.people.unheard(who) {
                    self.out.push_back(Out::Unheard { who: who.0 });
                }
            }
            Output::Frame { who, frame } => self.out.push_back(Out::Frame {
                who: who.0,
                track: frame.track.0,
                number: frame.number as f64,
                timestamp: frame.timestamp_ns as f64 / 1000.0,
                keyframe: frame.keyframe,
                duration: frame.duration_ns.map(|duration| duration as f64 / 1000.0),
                bytes: Blob(frame.payload),
            }),
            Output::Ended { who, track, .. } => {
                let (who, track) = (who.0, track.0);
                self.out.push_back(Out::TrackEnded { who, track });
            }
            Output::Goodbye { who } => self.people.leaves(who, Leave::Goodbye),
            Output::Rejected(rejection) => self.refused(rejection),
            Output::Told(notice) => self.told(notice),
            Output::Over(ending) => self.end(
                match ending {
                    Ending::Removed => Over::Removed,
                    Ending::Denied => Over::Denied,
                    Ending::InUse => Over::InUse,
                    Ending::Ended => Over::Ended,
                },
                None,
            ),
            Output::Enter { .. }
            | Output::Leave { .. }
            | Output::Main(_)
            | Output::Control { .. }
            | Output::Datagram { .. }
            | Output::GroupFrame { .. } => {}
        }
    }

    fn show(&mut self, who: Who, returned: bool) {
        let name = self.people.shown(Some(who)).unwrap_or_default().to_owned();
        let tracks = self.people.tracks(who);
        self.out.push_back(Out::Person {
            who: who.0,
            name,
            returned,
            tracks,
        });
    }

    fn departed(&mut self, who: Who) {
        self.unsigned.gone(who);
        self.listening.retain(|(other, _)| *other != who);
        if let Some(leave) = self.people.departed(who) {
            let why = match leave {
                Some(Leave::Goodbye) => Gone::Left,
                Some(Leave::PutOut) => Gone::Removed,
                Some(Leave::TakenOut) => Gone::TakenOut,
                None => Gone::Lost,
            };
            self.out.push_back(Out::Gone { who: who.0, why });
        }
    }

    /// Some time after this participant has come back: who has not shown up is gone.
    pub(super) fn call_the_roll(&mut self) {
        if !self.is_in() {
            return;
        }
        for who in self.people.call_the_roll(self.now) {
            let why = Gone::Lost;
            self.out.push_back(Out::Gone { who: who.0, why });
            let wishes = self.listening.iter().filter(|(other, _)| *other == who);
            let wishes: Vec<_> = wishes.copied().collect();
            for wish in wishes {
                self.listening.remove(&wish);
                let (who, track, on) = (wish.0, wish.1, false);
                self.tell(Input::Listen { who, track, on });
            }
        }
    }

    /// Something did not open, or was not to be sent.
    fn refused(&mut self, rejection: Rejection) {
        match rejection {
            Rejection::NotAuthentic
            | Rejection::Malformed
            | Rejection::Misdirected
            | Rejection::External
            | Rejection::Commit
            | Rejection::BadProof => self.warn(Warning::Unreadable),
            Rejection::TooMany => self.warn(Warning::TooManyPeople),
            Rejection::TooLarge => self.warn(Warning::TooLargeToSend),
            // Late, repeated, or of somebody who has just left: that is what networks do.
            Rejection::Replay
            | Rejection::TooOld
            | Rejection::UnknownSender
            | Rejection::OldEpoch
            | Rejection::NotAllowed
            | Rejection::Internal
            | Rejection::Unexpected => {}
        }
    }

    fn told(&mut self, notice: Notice) {
        let out = match notice {
            Notice::Waiting(status) => match waits(status) {
                Some(r#for) => Out::Waiting { r#for },
                None => return,
            },
            Notice::Vigil { speaks } => Out::Vigil { speaks },
            Notice::Title(title) => Out::Title { title },
            Notice::Knocking { number, name } => {
                let name = display_safe(&name);
                let taken = self.people.has(&name);
                Out::Knock {
                    number,
                    name,
                    taken,
                }
            }
            Notice::KnockGone { number } => Out::KnockGone { number },
            Notice::Compare { number, words } => Out::Compare {
                number,
                words: words.numbers(),
                attempt: words.attempt(),
            },
            Notice::Compared { number } => Out::Compared { number },
            Notice::NoWords { number, why } => Out::NoWords { number, why },
            Notice::Chat { who, text } => Out::Chat {
                who: who.0,
                text: display_long(&text),
            },
            Notice::Standing { who, standing } => Out::Standing {
                who: who.0,
                hand: standing.hand,
                muted: standing.muted,
                playing: standing.playing,
            },
            Notice::InTheChair(held) => Out::Chair { held },
            Notice::PutOut(who) => return self.people.leaves(who, Leave::PutOut),
            Notice::TakenOut(who) => return self.people.leaves(who, Leave::TakenOut),
            Notice::Reported { name, by } => Out::Reported {
                name: display_safe(&name),
                by,
            },
            Notice::Locked(locked) => Out::Locked { locked },
            Notice::Link(link) => Out::Link { link },
            Notice::Chair(state) => {
                self.stopped = match state {
                    Freshness::Well => false,
                    Freshness::Stale => self.stopped,
                    Freshness::Stopped => true,
                };
                Out::ChairHeard { state }
            }
            Notice::AskedToBeQuiet => Out::AskedToBeQuiet,
            Notice::Roster(listed) => Out::Roster {
                members: listed.iter().map(|one| self.listed(one)).collect(),
            },
            Notice::Signatures { who, report } => match report {
                Report::Unsigned { track, .. } => {
                    return self.unsigned.missing(self.now, who, track);
                }
                Report::Signed { track } if !self.unsigned.there(who, track) => return,
                Report::Signed { track } => signatures(who, track.0, Signatures::Good),
                Report::Forged { track, .. } => signatures(who, track.0, Signatures::Forged),
            },
        };
        self.out.push_back(out);
    }

    /// Tells whose signatures have been missing for long.
    pub(super) fn tell_of_the_unsigned(&mut self) {
        for (who, track) in self.unsigned.due(self.now) {
            let missing = signatures(who, track.0, Signatures::Missing);
            self.out.push_back(missing);
        }
    }

    fn listed(&self, listed: &Listed) -> out::Listed {
        let shown = self.people.shown(listed.who).map(str::to_owned);
        out::Listed {
            who: listed.who.map(|who| who.0),
            name: shown.unwrap_or_else(|| display_safe(&listed.name)),
            rank: listed.rank,
            here: listed.here,
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

fn signatures(who: Who, track: u8, state: Signatures) -> Out {
    let who = who.0;
    Out::Signatures { who, track, state }
}
