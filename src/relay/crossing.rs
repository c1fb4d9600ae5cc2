//! A room that spans shards: what crosses the bus, both ways.

use crate::wire::{CloseReason, FromRelay, ParticipantId};

use super::bus::{Bus, GroupName, News, Parcel, ShardId};
use super::outlet::Outlet;
use super::room::{Home, Member, Room, Turn};
use super::subscription::{MemberIndex, Source};

impl Room {
    /// News to each other shard that has the room.
    pub(super) fn tell_neighbours<O: Outlet, B: Bus>(
        &self,
        turn: &mut Turn<'_, O, B>,
        news: &News,
    ) {
        for &shard in &self.neighbours {
            let (from, room) = (turn.bus.me(), self.handle);
            turn.bus.send(
                shard,
                Parcel {
                    from,
                    room,
                    news: news.clone(),
                },
            );
        }
    }

    /// What another shard says of the room.
    pub(super) fn hear<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        from: ShardId,
        news: News,
    ) {
        match news {
            News::Opened => return self.meet(turn, from),
            _ if !self.neighbours.contains(&from) => return,
            News::Emptied => {
                self.neighbours.retain(|&shard| shard != from);
                let theirs = |member: &Member| member.home == Home::Shard(from);
                let gone: Vec<_> = self.members.iter().filter(|(_, m)| theirs(m)).collect();
                let gone: Vec<_> = gone.iter().map(|&(at, _)| MemberIndex(at as u32)).collect();
                gone.into_iter()
                    .for_each(|member| self.depart(turn, member));
                return;
            }
            News::Here(id) => return self.welcome_remote(turn, from, id),
            _ => {}
        }
        let (News::Gone(id)
        | News::Message { from: id, .. }
        | News::Datagram { from: id, .. }
        | News::GroupBegan(GroupName { from: id, .. })
        | News::GroupBytes(GroupName { from: id, .. }, _)
        | News::GroupEnded(GroupName { from: id, .. }, _)) = news
        else {
            return;
        };
        if self.home(id) != Some(Home::Shard(from)) {
            return;
        }
        let Some(&member) = self.by_id.get(&id) else {
            return;
        };
        match news {
            News::Gone(_) => self.depart(turn, member),
            News::Message { to, body, .. } => self.deliver(turn, id, to, body.into()),
            News::Datagram { track, payload, .. } => self.queue(Source { member, track }, payload),
            News::GroupBegan(name) => {
                self.begin_group(turn, member, name.track, name.group);
            }
            News::GroupBytes(name, bytes) => {
                self.extend_group(turn, member, name.track, name.group, bytes);
            }
            News::GroupEnded(name, whole) => {
                self.end_group(turn, member, name.track, name.group, whole);
            }
            News::Opened | News::Emptied | News::Here(_) => {}
        }
    }

    /// Another shard has the room too: tells it what a newcomer has to know.
    fn meet<O: Outlet, B: Bus>(&mut self, turn: &mut Turn<'_, O, B>, shard: ShardId) {
        if self.neighbours.contains(&shard) {
            return;
        }
        self.neighbours.push(shard);
        let (from, room) = (turn.bus.me(), self.handle);
        let mut tell = |news| turn.bus.send(shard, Parcel { from, room, news });
        tell(News::Opened);
        for (_, member) in &self.members {
            if !matches!(member.home, Home::Here(_)) {
                continue;
            }
            tell(News::Here(member.id));
            for track in &member.tracks {
                let Some(group) = track.newest() else {
                    continue;
                };
                let name = GroupName {
                    from: member.id,
                    track: track.id(),
                    group: group.number(),
                };
                tell(News::GroupBegan(name));
                for chunk in group.body() {
                    tell(News::GroupBytes(name, chunk.clone()));
                }
                if group.finished() {
                    tell(News::GroupEnded(name, true));
                }
            }
        }
    }

    /// A member of another shard. Should two shards have drawn the same id, the one with the
    /// higher number lets its own go, who comes back with another.
    fn welcome_remote<O: Outlet, B: Bus>(
        &mut self,
        turn: &mut Turn<'_, O, B>,
        shard: ShardId,
        id: ParticipantId,
    ) {
        match self.home(id) {
            Some(Home::Here(peer)) if turn.bus.me() > shard => {
                turn.doomed.push((peer, CloseReason::Internal));
                if let Some(&own) = self.by_id.get(&id) {
                    self.depart(turn, own);
                    let seats = self.stands.iter_mut().flatten();
                    for seat in seats.filter(|seat| seat.peer == peer) {
                        seat.member = None;
                    }
                }
            }
            Some(_) => return,
            None => {}
        }
        self.announce(turn, &FromRelay::Joined { participant: id });
        self.seat_member(turn, id, Home::Shard(shard));
    }
}
