//! From the source to the network.

use std::time::{Duration, Instant};

use super::{Last, Session, Way};
use crate::carrier::client::DatagramError;
use crate::meeting::{Frame, Input, StayId, TrackDescription, TrackKind};
use crate::participant::error::JoinError;
use crate::participant::event::Event;
use crate::participant::media::is_one_stream;
use crate::participant::player::Played;
use crate::participant::tally::Sent;
use crate::participant::uplink::{Lane, Pushed};
use crate::participant::warning::Warning;
use crate::wire::{GroupNumber, TrackId, UplinkGroup, encode_group_frame, uplink};

/// How long to wait for those who are in the room to show themselves.
const AUDIENCE: Duration = Duration::from_millis(1500);

/// How long somebody who showed itself may take to ask for what is about to be played: the way
/// there and back, since it heard of this participant when this one heard of it.
const SUBSCRIBING: Duration = Duration::from_millis(300);

fn is_sound(track: &TrackDescription) -> bool {
    matches!(track.kind, TrackKind::Audio { .. })
}

impl Session {
    /// This participant is in the room. It plays at once when nobody else is there; otherwise
    /// when those who are there have shown themselves and had time to ask for what it sends.
    pub(super) fn welcome_player(&mut self, now: Instant, present: usize) {
        self.audience = present.max(self.options.begin_with);
        self.play_at = match (self.audience, self.options.begin_with) {
            (0, _) => Some(now),
            // A connection that is there and does not show itself is one that is dead.
            (_, 0) => Some(now + AUDIENCE),
            _ => None,
        };
    }

    /// Somebody showed itself.
    pub(super) fn audience_grew(&mut self, now: Instant) {
        if self.people.here() >= self.audience {
            let soon = now + SUBSCRIBING;
            self.play_at = Some(self.play_at.map_or(soon, |at| at.min(soon)));
        }
    }

    /// Something came out of the source.
    pub(super) fn played(&mut self, now: Instant, played: Played) {
        match played {
            Played::Frame(frame) => {
                if let Some(frame) = self.shown_outside(frame) {
                    self.send(now, frame);
                }
            }
            Played::Warning(warning) => {
                if warning.is_a_loss() {
                    self.damaged = true;
                    let file = self.options.played();
                    self.failure.get_or_insert(JoinError::PlayedInPart { file });
                }
                self.warn(&Warning::Source(warning));
            }
            Played::End => {
                self.output.event(&Event::Played);
                self.played_out(now);
            }
            Played::Failed(error) => {
                self.warn(&Warning::SourceFailed(error.clone()));
                let file = self.options.played();
                self.failure.get_or_insert(JoinError::Play { file, error });
                self.played_out(now);
            }
        }
    }

    /// What is sent of a frame, and whether it says too much.
    fn shown_outside(&mut self, frame: Frame) -> Option<Frame> {
        let (track, _) = self.sent.get(&frame.track)?;
        let varies = is_sound(track) && self.sizes.vary(frame.track, frame.payload.len());
        let frame = self.mute.pass(track, frame);
        if varies {
            // It may have been constant since it was said before.
            self.warned.remove(Warning::SoundVaries.kind());
            self.warn(&Warning::SoundVaries);
        }
        frame
    }

    /// Mutes what is sent, or no more.
    pub(super) fn mute(&mut self, now: Instant, on: bool) {
        if on {
            self.tell(now, Input::Paused);
        }
        self.standing.muted = on;
        self.tell(now, Input::Show(self.standing));
        let mut sound = self.sent.values().filter(|(track, _)| is_sound(track));
        let silent = sound.all(|(track, _)| is_one_stream(track));
        let sentence = match (on, self.mute.set(on)) {
            _ if self.sent.is_empty() => "You send neither sound nor pictures.",
            (true, true) if !silent => {
                "You are muted: neither sound nor pictures go out. Sound of so many channels has no \
                 silence of the same size, so that the relay can tell. /unmute ends it."
            }
            (true, true) => {
                "You are muted: what goes out in the place of your sound is silence of the same size, \
                 which the relay cannot tell from it. Your pictures stop, and everybody sees that. \
                 /unmute ends it."
            }
            (true, false) => "You are muted already. /unmute ends it.",
            (false, true) => {
                "You are heard again. Your pictures go on when your encoder makes the next key frame."
            }
            (false, false) => "You are not muted.",
        };
        self.output.answer(sentence);
    }

    /// The source has ended: that is the end, unless a time to stay was given.
    fn played_out(&mut self, now: Instant) {
        if self.options.stay.is_none() {
            return self.leave(now);
        }
        self.player = None;
        for stay in self.stays.each() {
            for (_, lane) in stay.lanes.drain() {
                tokio::spawn(lane.drain());
            }
        }
        self.say_ended(now);
    }

    /// Tells the others how many frames there were.
    pub(super) fn say_ended(&mut self, now: Instant) {
        for (track, frames) in self.numbered() {
            self.tell(now, Input::Ended { track, frames });
        }
    }

    /// Seals a frame and sends it.
    fn send(&mut self, now: Instant, frame: Frame) {
        self.look_at_the_lines(now);
        let (number, payload) = (frame.number, frame.payload.clone());
        let track = frame.track;
        let traced = self.trace.is_some().then(|| frame.clone());
        self.last = Some(Last { ways: Vec::new() });
        self.tell(now, Input::Send(frame));
        // Whoever hears it on one stay has no need of the others.
        let went = self
            .last
            .take()
            .is_some_and(|last| last.ways.iter().any(|way| way.gone == way.pieces));
        if let Some((_, sent)) = self.sent.get_mut(&track) {
            match went {
                true => sent.sent(now, number, &payload),
                false => sent.unsent += 1,
            }
        }
        if let (true, Some(frame), Some(trace)) = (went, traced, &mut self.trace) {
            let written = trace.sent(now, &frame);
            self.traced(written);
        }
    }

    /// A sealed piece of sound, now or never.
    pub(super) fn sound(&mut self, id: StayId, track: TrackId, sealed: &[u8]) {
        let line = self.stays.get(id).and_then(|stay| stay.line.as_ref());
        let Some(line) = line else { return };
        let sent = line.datagram(uplink(track, sealed));
        if let Err(DatagramError::TooLarge) = sent {
            self.warn(&Warning::TooLargeToSend);
        }
        self.piece(id, sent.is_ok());
    }

    /// A sealed picture, on its group's stream.
    pub(super) fn picture(
        &mut self,
        id: StayId,
        track: TrackId,
        group: GroupNumber,
        first: bool,
        sealed: &[u8],
    ) {
        let Some(stay) = self.stays.get(id) else {
            return;
        };
        let Some(line) = &stay.line else { return };
        let Ok(framed) = encode_group_frame(sealed) else {
            self.warn(&Warning::TooLargeToSend);
            return self.piece(id, false);
        };
        let lane = stay
            .lanes
            .entry(track)
            .or_insert_with(|| Lane::new(line.road()));
        let header = || UplinkGroup { track, group }.encode();
        let pushed = lane.push(group, first, header, framed);
        if pushed == Pushed::GivenUp {
            self.warn(&Warning::UplinkSlow);
        }
        self.piece(id, pushed == Pushed::Queued);
    }

    fn piece(&mut self, stay: StayId, gone: bool) {
        let Some(last) = &mut self.last else { return };
        let gone = u32::from(gone);
        match last.ways.iter_mut().find(|way| way.stay == stay) {
            Some(way) => {
                way.pieces += 1;
                way.gone += gone;
            }
            None => last.ways.push(Way {
                stay,
                pieces: 1,
                gone,
            }),
        }
    }

    /// How many frames of each track there have been.
    fn numbered(&self) -> Vec<(TrackId, u64)> {
        let frames =
            |(track, (_, sent)): (&TrackId, &(_, Sent))| (*track, sent.frames + sent.unsent);
        self.sent.iter().map(frames).collect()
    }
}
