//! Media: what this participant seals and for which rooms, and what it opens of others.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::core::Core;
use super::people::People;
use crate::meeting::events::{Notice, Output, Rejection, StayId, Who};
use crate::meeting::group::Group;
use crate::meeting::limits::{AGAIN_AFTER, AGAIN_AGE, AGAIN_BYTES};
use crate::meeting::media::{ATTEST, Again, Attest, Opened, ReceiverKeys, SenderKeys};
use crate::meeting::track::{Frame, TrackKind};
use crate::wire::{GroupNumber, ParticipantId, TrackId};

/// Most bytes of a group that are kept for a room that is entered in the midst of it; a relay takes no
/// larger groups at once.
const KEPT: usize = 8 * 1024 * 1024;

/// A group that is being sent.
struct Current {
    /// The source's number.
    group: GroupNumber,
    /// When its first frame was sealed.
    began: Duration,
    /// From its first frame on, each with its sealed bytes; none when they were too many.
    frames: Vec<(Frame, Bytes)>,
    bytes: usize,
    /// How many groups of the track were begun again.
    begun_again: u32,
}

impl Default for Current {
    fn default() -> Self {
        Self {
            group: GroupNumber(0),
            began: Duration::ZERO,
            frames: Vec::new(),
            bytes: usize::MAX,
            begun_again: 0,
        }
    }
}

impl Current {
    fn again(&self, frame: bool) -> Again {
        Again {
            frame,
            groups: self.begun_again,
        }
    }

    /// Nothing of it is kept, to its end: without its first frame nobody could begin with it.
    fn give_up(&mut self) {
        self.frames.clear();
        self.bytes = usize::MAX;
    }

    fn on_the_wire(&self) -> GroupNumber {
        let number = self.again(false).on_the_wire(self.group);
        number.unwrap_or(GroupNumber(u32::MAX))
    }
}

/// See the module.
pub(super) struct Voice {
    keys: SenderKeys,
    epoch: u64,
    base: Zeroizing<[u8; 32]>,
    current: HashMap<TrackId, Current>,
    /// When groups were last begun again.
    begun_again: Option<Duration>,
}

impl Voice {
    pub(super) fn new(core: &mut Core) -> Self {
        let mut keys = SenderKeys::new(core.draws.salt());
        keys.sign(core.signs);
        Self {
            keys,
            epoch: 0,
            base: Zeroizing::new([0; 32]),
            current: HashMap::new(),
            begun_again: None,
        }
    }

    /// The same side with another leaf. Its tracks on the wire are those that were: a relay takes no group
    /// whose number is not above all before.
    pub(super) fn anew(&self, core: &mut Core) -> Self {
        let mut voice = Self::new(core);
        voice.begun_again = self.begun_again;
        let counted = self.current.iter().map(|(track, current)| {
            let (group, begun_again) = (current.group, current.begun_again);
            let current = Current {
                group,
                begun_again,
                ..Current::default()
            };
            (*track, current)
        });
        voice.current = counted.collect();
        voice
    }

    pub(super) fn salt(&self) -> [u8; 16] {
        *self.keys.salt()
    }

    /// The group has a new epoch: new keys for everyone.
    pub(super) fn epoch(&mut self, group: &Group, people: &mut People, core: &mut Core) {
        let epoch = group.epoch();
        // Viewers are given the stage key: nothing else may derive from what they have.
        let label = match core.viewer() {
            Some(_) => "sottovoce stage",
            None => "sottovoce media",
        };
        let Ok(base) = group.export(label, &epoch.to_be_bytes()) else {
            return;
        };
        self.base = base;
        self.epoch = epoch;
        self.keys.epoch(epoch, &self.base, group.me().0);
        for (who, person) in people.iter_mut() {
            if let Some(keys) = &mut person.keys {
                for opened in keys.epoch(core.now, epoch, &self.base) {
                    tell(who, opened, core);
                }
            }
        }
    }

    /// Somebody said where it is: the keys for what it sends.
    pub(super) fn meet(
        &self,
        who: Who,
        salt: [u8; 16],
        signs: bool,
        people: &mut People,
        core: &mut Core,
    ) {
        let Some(person) = people.get_mut(who) else {
            return;
        };
        // A leaf has one salt: under another one, counters would begin anew, and what was heard once
        // could be heard again.
        if person.salt.is_some_and(|before| before != salt) {
            return core.reject(Rejection::NotAllowed);
        }
        // In a vigil whoever watches has the keys.
        let signs = signs || core.viewer().is_some();
        person.signs |= signs;
        if person.keys.is_none() {
            person.salt = Some(salt);
            let came = std::mem::take(&mut person.came);
            person.keys = Some(ReceiverKeys::after(person.leaf.0, salt, came));
        }
        let Some(keys) = &mut person.keys else {
            return;
        };
        if signs {
            keys.require_signatures();
        }
        for opened in keys.epoch(core.now, self.epoch, &self.base) {
            tell(who, opened, core);
        }
    }

    /// Seals a frame for these rooms.
    pub(super) fn send(&mut self, frame: &Frame, rooms: &[StayId], core: &mut Core) {
        let described = core
            .presence
            .tracks
            .iter()
            .find(|track| track.track == frame.track);
        let Some(kind) = described.map(|track| track.kind) else {
            return core.reject(Rejection::UnknownSender);
        };
        let track = frame.track;
        let current = match kind {
            TrackKind::Video { .. } => Some(self.current.entry(track).or_default()),
            TrackKind::Audio { .. } => None,
        };
        let again = current.map(|current| current.again(false));
        let again = again.unwrap_or_default();
        let Some(group) = again.on_the_wire(frame.group) else {
            return core.reject(Rejection::TooLarge);
        };
        let sealed = match self.keys.seal_again(core.now, frame, kind, again) {
            Ok(sealed) => sealed,
            Err(rejection) => return core.reject(rejection),
        };
        for bytes in sealed {
            if matches!(kind, TrackKind::Video { .. }) {
                self.keep(core.now, frame, &bytes);
            }
            for &stay in rooms {
                let bytes = bytes.clone();
                core.out.push_back(match kind {
                    TrackKind::Audio { .. } => Output::Datagram {
                        stay,
                        track,
                        payload: bytes,
                    },
                    TrackKind::Video { .. } => Output::GroupFrame {
                        stay,
                        track,
                        group,
                        first: frame.keyframe,
                        bytes,
                    },
                });
            }
        }
    }

    fn keep(&mut self, now: Duration, frame: &Frame, bytes: &Bytes) {
        let current = self.current.entry(frame.track).or_default();
        if current.group != frame.group || frame.keyframe && current.frames.is_empty() {
            current.group = frame.group;
            current.began = now;
            current.frames.clear();
            // Its first frame may have been left out.
            current.bytes = if frame.keyframe { 0 } else { usize::MAX };
        }
        current.bytes = current.bytes.saturating_add(bytes.len());
        match current.bytes <= KEPT {
            true => current.frames.push((frame.clone(), bytes.clone())),
            false => current.give_up(),
        }
    }

    /// A track is over: nothing of it is under way.
    pub(super) fn ended(&mut self, track: TrackId) {
        if let Some(current) = self.current.get_mut(&track) {
            current.give_up();
        }
    }

    /// No pictures go out for now: nothing of them is under way.
    pub(super) fn paused(&mut self) {
        for current in self.current.values_mut() {
            current.give_up();
        }
    }

    /// Somebody has come: groups that are under way are begun again under the keys that it has, so that
    /// it sees a picture at once: those that are young and, the smallest first, small enough together. The
    /// others know second copies.
    pub(super) fn begin_again(&mut self, rooms: &[StayId], core: &mut Core) {
        let since = self.begun_again.map(|at| at.saturating_add(AGAIN_AFTER));
        if since.is_some_and(|until| core.now < until) {
            return;
        }
        let young = |current: &Current| core.now < current.began.saturating_add(AGAIN_AGE);
        let mut under_way: Vec<_> = self.current.iter_mut().collect();
        under_way.retain(|(_, current)| !current.frames.is_empty() && young(current));
        under_way.sort_unstable_by_key(|(track, current)| (current.bytes, track.0));
        let mut bytes = 0_usize;
        for (&track, current) in under_way {
            let described = core.presence.tracks.iter();
            let kind = described.clone().find(|one| one.track == track);
            let Some(kind) = kind.map(|one| one.kind) else {
                continue;
            };
            bytes = bytes.saturating_add(current.bytes);
            if bytes > AGAIN_BYTES {
                break;
            }
            self.begun_again = Some(core.now);
            current.begun_again = current.begun_again.saturating_add(1);
            let (again, group) = (current.again(true), current.on_the_wire());
            for (place, (frame, bytes)) in current.frames.iter_mut().enumerate() {
                let Ok(mut sealed) = self.keys.seal_again(core.now, frame, kind, again) else {
                    break;
                };
                let Some(sealed) = sealed.pop() else { break };
                *bytes = sealed;
                for &stay in rooms {
                    core.out.push_back(Output::GroupFrame {
                        stay,
                        track,
                        group,
                        first: place == 0,
                        bytes: bytes.clone(),
                    });
                }
            }
        }
    }

    /// Another room is entered: what was sent of the groups under way goes there, too, so that they
    /// are whole there.
    pub(super) fn moved(&self, stay: StayId, core: &mut Core) {
        for (track, current) in &self.current {
            for (place, (_, bytes)) in current.frames.iter().enumerate() {
                core.out.push_back(Output::GroupFrame {
                    stay,
                    track: *track,
                    group: current.on_the_wire(),
                    first: place == 0,
                    bytes: bytes.clone(),
                });
            }
        }
    }
}

/// A frame came, by the relay's word from this participant.
pub(super) fn opened(
    at: (StayId, ParticipantId),
    (track, group): (TrackId, GroupNumber),
    sealed: &Bytes,
    in_group: bool,
    people: &mut People,
    core: &mut Core,
) {
    let Some(who) = people.at(at.0, at.1) else {
        return core.reject(Rejection::UnknownSender);
    };
    let Some(person) = people.get_mut(who) else {
        return;
    };
    let (Some(kind), Some(keys)) = (person.kind(track), &mut person.keys) else {
        return core.reject(Rejection::UnknownSender);
    };
    // Sound comes in datagrams and pictures in groups, and not the other way round.
    if in_group != matches!(kind, TrackKind::Video { .. }) {
        return core.reject(Rejection::Malformed);
    }
    tell(who, keys.open(core.now, track, group, sealed), core);
    report(who, keys, core);
}

/// Signatures of somebody over what it sent: whether they are good, as far as can be said.
pub(super) fn attested(who: Who, attest: &Attest, people: &mut People, core: &mut Core) -> bool {
    let Some(person) = people.get_mut(who) else {
        return false;
    };
    // Its keys are still to come, with its word inside the group: that is not its fault, and whoever is given
    // up for it would not be believed again.
    let Some(keys) = &mut person.keys else {
        return true;
    };
    let sign_key = person.sign_key;
    let verify =
        |bytes: &[u8], signature: &[u8; 64]| Group::verify(&sign_key, ATTEST, bytes, signature);
    match keys.attested(core.now, attest, verify) {
        Ok(()) => {
            while let Some(opened) = keys.signed(core.now) {
                tell(who, opened, core);
            }
            report(who, keys, core);
        }
        Err(rejection) => {
            core.reject(rejection);
            return false;
        }
    }
    true
}

impl Voice {
    /// What the keys of this epoch derive from.
    pub(super) fn base(&self) -> &[u8; 32] {
        &self.base
    }

    /// Whether the first frame of the group that is under way is among those that are signed here.
    pub(super) fn begins_in(&self, attest: &Attest) -> bool {
        let current = self.current.get(&attest.track);
        current.is_some_and(|current| {
            let first = current.frames.first();
            first.is_some_and(|(_, first)| attest.is_of(current.on_the_wire(), first))
        })
    }

    /// What this side has to sign by now; with a track, all of it, since it is over.
    pub(super) fn attest(
        &mut self,
        now: Duration,
        ended: Option<TrackId>,
        group: &Group,
    ) -> Vec<Attest> {
        let sign = |bytes: &[u8]| group.sign(ATTEST, bytes);
        match ended {
            Some(track) => self.keys.attest_end(track, sign),
            None => self.keys.attest(now, sign),
        }
    }

    /// When there is something to do.
    pub(super) fn deadline(&self, people: &People) -> Option<Duration> {
        let keys = people
            .iter()
            .filter_map(|(_, person)| person.keys.as_ref()?.deadline());
        keys.chain(self.keys.deadline()).min()
    }
}

/// Lets time pass.
pub(super) fn tick(people: &mut People, core: &mut Core) {
    for (who, person) in people.iter_mut() {
        if let Some(keys) = &mut person.keys {
            keys.tick(core.now);
            report(who, keys, core);
        }
    }
}

fn tell(who: Who, opened: Result<Opened, Rejection>, core: &mut Core) {
    match opened {
        Ok(Opened::Frame(frame)) => core.out.push_back(Output::Frame { who, frame }),
        Ok(Opened::Piece | Opened::Held | Opened::Dropped) => {}
        Err(rejection) => core.reject(rejection),
    }
}

fn report(who: Who, keys: &mut ReceiverKeys, core: &mut Core) {
    while let Some(report) = keys.report() {
        core.note(Notice::Signatures { who, report });
    }
}
