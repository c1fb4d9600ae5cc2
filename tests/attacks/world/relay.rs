//! What an honest relay does with what participants give it. Hostile ones do this, too, and more.

use super::*;

impl World {
    pub(super) fn drain(&mut self, index: usize) {
        while let Some(output) = self.nodes[index].meeting.poll() {
            let node = &mut self.nodes[index];
            match output {
                Output::Enter { stay } => self.connect(index, stay),
                Output::Leave { stay } => self.disconnect(index, stay),
                Output::Main(stay) => node.main = Some(stay),
                Output::Control { stay, message } => self.control(index, stay, message),
                Output::Datagram {
                    stay,
                    track,
                    payload,
                } => self.media(index, stay, track, None, payload),
                Output::GroupFrame {
                    stay,
                    track,
                    group,
                    bytes,
                    ..
                } => self.media(index, stay, track, Some(group), bytes),
                Output::Inside => node.inside = true,
                Output::Appeared { who, presence } => {
                    node.people.insert(who, presence.name);
                    for track in [SOUND, PICTURE, SCREEN] {
                        let on = true;
                        self.tell(index, Input::Listen { who, track, on });
                    }
                }
                Output::Departed { who } | Output::Unheard { who } => {
                    node.people.remove(&who);
                }
                Output::Frame { who, frame } => node.frames.push((who, frame)),
                Output::Told(notice) => node.told.push(notice),
                Output::Over(ending) => node.over = Some(ending),
                Output::Rejected(rejection) => node.rejected.push(rejection),
                Output::Ended { who, track, .. } => node.ended.push((who, track)),
                Output::Goodbye { .. } => {}
            }
        }
    }

    fn control(&mut self, index: usize, stay: StayId, message: ToRelay) {
        let side = self.sides[index];
        let Some(connection) = self.nodes[index].connections.get_mut(&stay) else {
            return;
        };
        let (from, room) = (connection.id, connection.room);
        match message {
            ToRelay::Hello { room, .. } => {
                connection.room = Some(room);
                let mut others = self.in_room(room, side);
                others.retain(|at| *at != (index, stay));
                let taps = self.taps.iter().filter(|tap| tap.room == room);
                let mut present: Vec<_> = taps.map(|tap| tap.id).collect();
                present.extend(others.iter().map(|at| self.id(*at)));
                let welcome = FromRelay::Welcome { you: from, present };
                self.on_its_way
                    .push_back((index, stay, Parcel::Control(welcome)));
                for (other, at) in others {
                    let joined = Parcel::Control(FromRelay::Joined { participant: from });
                    self.on_its_way.push_back((other, at, joined));
                }
            }
            ToRelay::Send { to, body } => {
                let Some(room) = room else { return };
                for tap in self.taps.iter_mut().filter(|tap| tap.room == room) {
                    if to == To::Everyone || to == To::One(tap.id) {
                        tap.inbox.push_back((from, body.clone()));
                    }
                }
                for at in self.in_room(room, side) {
                    let wanted = match to {
                        To::Everyone => at != (index, stay),
                        To::One(one) => self.id(at) == one,
                    };
                    if wanted {
                        let body = body.clone();
                        let message = Parcel::Control(FromRelay::Message { from, body });
                        self.on_its_way.push_back((at.0, at.1, message));
                    }
                }
                let by = index;
                self.said.push(Said {
                    room,
                    by,
                    from,
                    to,
                    body,
                });
            }
            ToRelay::Subscribe { participant, track } => {
                connection.wishes.insert((participant, track));
            }
            ToRelay::Unsubscribe { participant, track } => {
                connection.wishes.remove(&(participant, track));
            }
        }
    }

    fn media(
        &mut self,
        index: usize,
        stay: StayId,
        track: TrackId,
        group: Option<GroupNumber>,
        bytes: Bytes,
    ) {
        let Some(connection) = self.nodes[index].connections.get(&stay) else {
            return;
        };
        let (from, Some(room)) = (connection.id, connection.room) else {
            return;
        };
        for (other, at) in self.in_room(room, self.sides[index]) {
            let wishes = &self.nodes[other].connections[&at].wishes;
            if (other, at) != (index, stay) && wishes.contains(&(from, track)) {
                let bytes = bytes.clone();
                let parcel = match group {
                    Some(group) => Parcel::GroupFrame(from, track, group, bytes),
                    None => Parcel::Datagram(from, track, bytes),
                };
                self.on_its_way.push_back((other, at, parcel));
            }
        }
        self.shots.push(Shot {
            from,
            track,
            group,
            bytes,
        });
    }
}
