//! Streams that bring groups, from their first byte to their end.

use std::time::Instant;

use bytes::Bytes;

use crate::wire::{CloseReason, GroupNumber, TrackId, UplinkGroup};

use super::bucket::Millis;
use super::bus::Bus;
use super::guests::fault;
use super::limits::{GROUP_BURST, GROUP_RATE, GROUPS_BURST, GROUPS_RATE, TRACKS, UPLOADS};
use super::outlet::{IncomingGroup, Outlet, Peer};
use super::rooms::Rooms;

/// A stream that brings a group.
pub(super) struct Upload {
    pub(super) stream: IncomingGroup,
    pub(super) header: Vec<u8>,
    pub(super) group: Option<(TrackId, GroupNumber)>,
}

impl<B: Bus> Rooms<B> {
    /// A stream counts as a group from its opening on, whatever becomes of it.
    pub(super) fn group_opened(&mut self, now: Instant, peer: Peer, stream: IncomingGroup) {
        if self.sender(peer).is_none() {
            return;
        }
        let millis = Millis::since(self.start, now);
        let Some(guest) = self.guest(peer) else {
            return;
        };
        let within_rate = guest.groups.take(1, GROUPS_BURST, GROUPS_RATE, millis);
        if !within_rate || guest.uploads.len() >= UPLOADS {
            return self.doomed.push((peer, CloseReason::TooMany));
        }
        guest.uploads.push(Upload {
            stream,
            header: Vec::new(),
            group: None,
        });
    }

    pub(super) fn group_data<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        stream: IncomingGroup,
        mut bytes: Bytes,
        outlet: &mut O,
    ) {
        let millis = Millis::since(self.start, now);
        let Some((seat, member)) = self.sender(peer) else {
            return;
        };
        let Some(guest) = self.guest(peer) else {
            return;
        };
        let Some(at) = guest
            .uploads
            .iter()
            .position(|upload| upload.stream == stream)
        else {
            return;
        };
        let upload = &mut guest.uploads[at];
        let (track, group, begins) = match upload.group {
            Some((track, group)) => (track, group, false),
            None => {
                let missing = UplinkGroup::LEN - upload.header.len();
                let head = bytes.split_to(missing.min(bytes.len()));
                upload.header.extend_from_slice(&head);
                if upload.header.len() < UplinkGroup::LEN {
                    return;
                }
                match UplinkGroup::decode(&upload.header) {
                    Err(error) => return self.doomed.push((peer, fault(error))),
                    Ok(UplinkGroup { track, .. }) if track.0 >= TRACKS => {
                        return self.doomed.push((peer, CloseReason::TooMany));
                    }
                    Ok(UplinkGroup { track, group }) => {
                        upload.header = Vec::new();
                        upload.group = Some((track, group));
                        (track, group, true)
                    }
                }
            }
        };
        // What is over the rate ends its group, as a sender knows it from a network that takes no
        // more: its next key frame begins afresh. The carrier has no way to hold a sender back.
        let cost = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let within_rate = guest
            .group_bytes
            .take(cost, GROUP_BURST, GROUP_RATE, millis);
        let wanted = self.in_room(now, seat.room, outlet, |room, turn| {
            if !within_rate || !room.outflow.has_for_pictures(turn.millis) {
                if !begins {
                    room.end_group(turn, member, track, group, false);
                }
                return false;
            }
            (!begins || room.begin_group(turn, member, track, group))
                && room.extend_group(turn, member, track, group, bytes)
        });
        if wanted != Some(true) {
            outlet.stop_incoming(peer, stream);
            if let Some(guest) = self.guest(peer) {
                guest.uploads.retain(|upload| upload.stream != stream);
            }
        }
    }

    pub(super) fn group_ended<O: Outlet>(
        &mut self,
        now: Instant,
        peer: Peer,
        stream: IncomingGroup,
        whole: bool,
        outlet: &mut O,
    ) {
        let Some(guest) = self.guest(peer) else {
            return;
        };
        let Some(at) = guest
            .uploads
            .iter()
            .position(|upload| upload.stream == stream)
        else {
            return;
        };
        let upload = guest.uploads.swap_remove(at);
        match (upload.group, self.sender(peer)) {
            (Some((track, group)), Some((seat, member))) => {
                self.in_room(now, seat.room, outlet, |room, turn| {
                    room.end_group(turn, member, track, group, whole);
                });
            }
            (None, Some(_)) if whole => self.doomed.push((peer, CloseReason::Malformed)),
            _ => {}
        }
    }
}
