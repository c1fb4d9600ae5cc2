//! A meeting as a page drives it: what happens on connections goes in, [`Out`] comes out.
//!
//! The page makes the connections that it is told to, carries bytes, and comes at the deadline. Which
//! relay to try, who is who, what may be shown and what is sealed for whom is decided here, by the same
//! code as a native participant's where that has no I/O (`stay`, `meeting`, `wire`).

mod coming;
mod lane;
mod line;
mod notices;
mod people;
mod stays;
mod tracks;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use sottovoce::meeting::links::Link;
use sottovoce::meeting::vigil::Viewer;
use sottovoce::meeting::{
    Command, Input, Output, Presence, Standing, Surface, TrackDescription, Who, hosted,
};
use sottovoce::stay::{LINGER, Unsigned};
use sottovoce::wire::TrackId;
use sottovoce::wire::limits::TRACKS;

use self::people::People;
use self::stays::Stays;
pub use self::tracks::{OwnFrame, OwnTrack, TrackFault, describe};
use crate::links::LinkFault;
use crate::out::{Out, Over, Warning};

/// How long the network may take for the last frames.
const DRAIN: Duration = Duration::from_secs(3);

/// A meeting whose deadline has passed is asked at most so often.
const SOON: Duration = Duration::from_millis(10);

/// Tracks that are listened to: a quarter of the subscriptions that relays are known to allow a
/// connection, and more than one machine can listen to.
const SUBSCRIPTIONS: usize = 1024;

/// Everything that a page says of a participant before it joins.
pub struct Joining {
    /// The link.
    pub link: Link,
    /// The chosen name.
    pub name: String,
    /// What may be sent.
    pub tracks: Vec<TrackDescription>,
    /// What is sent is signed, too.
    pub signs: bool,
    /// Whoever knocks is let in, where this participant holds the chair.
    pub admits_all: bool,
    /// With the link of a vigil: to knock as somebody who wants to speak, not to watch.
    pub speaks: bool,
    /// Random, never used again: all keys rest on it.
    pub seed: [u8; 32],
    /// Random: spreads attempts of many participants.
    pub jitter: u64,
    /// Random.
    pub tag: [u8; 16],
}

/// A relay of the link.
struct Relay {
    authority: String,
    hashes: Vec<Bytes>,
}

/// One participant in one meeting, until it is over.
pub struct Session {
    meeting: Box<dyn Surface>,
    now: Duration,
    /// When the meeting was last told that its deadline has come.
    ticked: Option<Duration>,
    out: VecDeque<Out>,
    stays: Stays,
    relays: Vec<Relay>,
    jitter: u64,
    next_line: u32,
    /// A relay has let this participant into a room.
    welcomed: bool,
    /// The number in the link of the relay that did so last.
    place: Option<usize>,
    /// Which relay the page was last told this participant is at; the first unless told.
    relay: usize,
    /// The meeting has let this participant in.
    inside: bool,
    /// It has been in the meeting.
    joined: bool,
    people: People,
    listening: BTreeSet<(Who, TrackId)>,
    unsigned: Unsigned<Duration>,
    own: tracks::Own,
    warned: HashSet<Warning>,
    /// The chair has not been heard for so long that nothing is sent.
    stopped: bool,
    leaving: Option<Leaving>,
    over: bool,
    /// This participant watches a vigil, and has no voice.
    watches: bool,
}

/// The last moments.
#[derive(Clone, Copy)]
enum Leaving {
    /// The network still takes the last frames, so long at most.
    Draining(Duration),
    /// The relay passes them on until then.
    Lingering(Duration),
}

impl Session {
    /// Takes part in a meeting. [`Self::poll`] says what to do first.
    ///
    /// # Errors
    /// [`LinkFault::Relays`]: the link names none.
    pub fn new(now: Duration, joining: Joining) -> Result<Self, LinkFault> {
        let link = joining.link;
        let relays: Vec<_> = link.meeting().relays.iter().map(relay).collect();
        if relays.is_empty() {
            return Err(LinkFault::Relays);
        }
        let presence = Presence {
            name: joining.name,
            tracks: joining.tracks,
            timestamp_scale_ns: 1_000_000,
            tag: joining.tag,
        };
        let people = People::beside(presence.display_name());
        let own = tracks::Own::new(&presence.tracks);
        let viewer = match &link {
            Link::Meeting(link) if !joining.speaks => Viewer::new(link.clone(), joining.seed),
            Link::Meeting(_) | Link::Committer(_) => None,
        };
        let watches = viewer.is_some();
        let meeting: Box<dyn Surface> = match viewer {
            Some(viewer) => Box::new(viewer),
            None => Box::new(hosted::Meeting::new(
                link,
                presence,
                joining.signs,
                joining.admits_all,
                joining.seed,
            )),
        };
        let mut session = Self {
            meeting,
            now,
            ticked: None,
            out: VecDeque::new(),
            stays: Stays::default(),
            relays,
            jitter: joining.jitter,
            next_line: 0,
            welcomed: false,
            place: None,
            relay: 0,
            inside: false,
            joined: false,
            people,
            listening: BTreeSet::new(),
            unsigned: Unsigned::default(),
            own,
            warned: HashSet::new(),
            stopped: false,
            leaving: None,
            over: false,
            watches,
        };
        session.said();
        session.turn();
        Ok(session)
    }

    /// The next thing to do; `None` when that was all.
    pub fn poll(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    /// When to come with [`Self::tick`], if nothing else happens before.
    pub fn deadline(&self) -> Option<Duration> {
        if self.over {
            return None;
        }
        let soon = |due: Duration| self.ticked.map_or(due, |ticked| due.max(ticked + SOON));
        let leaving = self.leaving.map(|leaving| match leaving {
            Leaving::Draining(until) | Leaving::Lingering(until) => until,
        });
        [
            self.meeting.deadline().map(soon),
            self.stays.deadline(),
            self.unsigned.deadline(),
            self.people.deadline().filter(|_| self.is_in()),
            leaving,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        self.at(now);
        self.turn();
    }

    /// The person wants something.
    pub fn command(&mut self, now: Duration, command: Command) {
        self.at(now);
        if self.leaving.is_none() {
            self.tell(Input::Command(command));
        }
        self.turn();
    }

    /// The person says something to be read. `false`: it was not sent, since nobody would have it.
    pub fn say(&mut self, now: Duration, text: String) -> bool {
        let goes = self.is_in() && !self.stopped && !self.watches && self.leaving.is_none();
        if goes {
            self.command(now, Command::Say(text));
        }
        goes
    }

    /// In the chair: ends the meeting for everybody. `false`: not done, since nobody would hear of it.
    pub fn end_for_all(&mut self, now: Duration) -> bool {
        let goes = self.is_in() && !self.watches && self.leaving.is_none();
        if goes {
            self.command(now, Command::EndForAll);
        }
        goes
    }

    /// Somebody's track is wanted, or not any more.
    pub fn listen(&mut self, now: Duration, who: Who, track: TrackId, on: bool) {
        self.at(now);
        // A relay closes who asks for others.
        let may = track.0 < TRACKS && self.people.describes(who, track);
        let changes = match on {
            true => {
                may && self.listening.len() < SUBSCRIPTIONS && self.listening.insert((who, track))
            }
            false => self.listening.remove(&(who, track)),
        };
        if changes {
            self.tell(Input::Listen { who, track, on });
        }
        self.turn();
    }

    /// An encoded frame of one of one's own tracks: sealed and sent, now or never.
    pub fn send(&mut self, now: Duration, frame: OwnFrame) {
        self.at(now);
        if self.leaving.is_some() {
            return;
        }
        if let Some(frame) = self.own.number(frame) {
            self.tell(Input::Send(frame));
        }
        self.turn();
    }

    /// These are one's own tracks from now on. Those that are no more have come to their end.
    pub fn describe(&mut self, now: Duration, tracks: Vec<TrackDescription>) {
        self.at(now);
        for (track, frames) in self.own.change(&tracks) {
            self.tell(Input::Ended { track, frames });
            for stay in self.stays.each() {
                if let Some(line) = stay.line() {
                    line.finish_lanes(Some(track), &mut self.out);
                }
            }
        }
        self.tell(Input::Tracks(tracks));
        self.turn();
    }

    /// This participant stands like this from now on.
    pub fn stand(&mut self, now: Duration, standing: Standing) {
        self.at(now);
        self.tell(Input::Show(standing));
        self.turn();
    }

    /// No pictures are sent for now: what went before is not shown to newcomers.
    pub fn pause(&mut self, now: Duration) {
        self.at(now);
        self.tell(Input::Paused);
        self.turn();
    }

    /// Leaves on purpose: tells the others, lets the last frames go out, closes. [`Out::Over`] is the end
    /// of it.
    pub fn leave(&mut self, now: Duration) {
        self.at(now);
        self.begin_to_leave();
        self.turn();
    }

    /// Whether this participant is in the meeting, and has a connection to it.
    fn is_in(&self) -> bool {
        self.inside && self.stays.lead().is_some_and(|lead| lead.is_in_the_room())
    }

    fn at(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    fn begin_to_leave(&mut self) {
        if self.leaving.is_some() || self.over {
            return;
        }
        for (track, frames) in self.own.ended() {
            self.tell(Input::Ended { track, frames });
        }
        for stay in self.stays.each() {
            stay.finish_lanes(&mut self.out);
        }
        self.leaving = Some(Leaving::Draining(self.now + DRAIN));
    }

    /// Goes on with leaving, as far as it is time.
    fn go_on_leaving(&mut self) {
        let now = self.now;
        match self.leaving {
            Some(Leaving::Draining(until)) if now >= until || !self.stays.has_unwritten() => {
                self.leaving = Some(Leaving::Lingering(now + LINGER));
            }
            Some(Leaving::Lingering(until)) if now >= until || !self.stays.any_connected() => {
                self.tell(Input::Goodbye);
                self.end(Over::Left, None);
            }
            Some(_) | None => {}
        }
    }

    /// The end, for whatever reason.
    fn end(&mut self, why: Over, code: Option<u32>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.stays.leave_all(&mut self.out);
        self.out.push_back(Out::Over { why, code });
    }

    /// Does all that is to be done by now.
    fn turn(&mut self) {
        if self.over {
            return;
        }
        self.look_after_stays();
        self.depart();
        let now = self.now;
        let due = self.meeting.deadline().is_some_and(|due| due <= now);
        let asked = self.ticked.is_some_and(|ticked| now < ticked + SOON);
        if due && !asked {
            self.ticked = Some(now);
            self.tell(Input::Tick);
        }
        self.tell_of_the_unsigned();
        self.call_the_roll();
        self.go_on_leaving();
    }

    /// Tells the meeting what happened, and does what follows.
    fn tell(&mut self, input: Input) {
        self.meeting.handle(self.now, input);
        self.said();
    }

    /// Does what the meeting says.
    fn said(&mut self) {
        while let Some(said) = self.meeting.poll() {
            if self.over {
                continue;
            }
            match said {
                Output::Enter { stay } => self.enter(stay),
                Output::Leave { stay } => self.stays.leave(stay, &mut self.out),
                Output::Main(stay) => self.main_is(stay),
                Output::Control { stay, message } => {
                    self.stays
                        .with_line(stay, |line| line.control(&message))
                        .flatten()
                        .into_iter()
                        .for_each(|out| self.out.push_back(out));
                }
                Output::Datagram {
                    stay,
                    track,
                    payload,
                } => {
                    let out = self
                        .stays
                        .with_line(stay, |line| line.datagram(track, &payload));
                    self.out.extend(out);
                }
                Output::GroupFrame {
                    stay,
                    track,
                    group,
                    first,
                    bytes,
                } => {
                    let (now, out) = (self.now, &mut self.out);
                    let sent = self.stays.with_line(stay, |line| {
                        line.picture(now, (track, group), first, &bytes, out)
                    });
                    if sent == Some(lane::Pushed::GivenUp) {
                        self.out.push_back(Out::Slow { track: track.0 });
                    }
                }
                said => self.noted(said),
            }
        }
    }

    /// Something that a person should know, said once.
    fn warn(&mut self, what: Warning) {
        if self.warned.insert(what) {
            self.out.push_back(Out::Warning { what });
        }
    }
}

fn relay(relay: &sottovoce::meeting::RelayRef) -> Relay {
    let hashes = relay.hashes.iter();
    Relay {
        authority: relay.authority(),
        hashes: hashes.map(|hash| Bytes::copy_from_slice(hash)).collect(),
    }
}

#[cfg(test)]
mod tests;
