//! Everyone moves to another main room after somebody was removed. Who stays derives the room's secret
//! from the new epoch; who was removed cannot. For a while each is in both rooms, and what it sends
//! goes to both, so that nobody misses anything.

use std::time::Duration;

use super::core::Core;
use super::inside::{Home, Inside};
use super::plain::Said;
use super::ruling::AWAY;
use crate::meeting::events::{Notice, Output, StayId};
use crate::meeting::secret::{LinkSecret, Passed};

/// How long one stays in the room that is left, after the next one is entered.
const STAY_ON: Duration = Duration::from_secs(3);

/// How long the chair does: for those whose connection failed at the wrong moment, and who come back
/// to the room they knew while they are still in the tree.
const CHAIR_STAYS_ON: Duration = AWAY.saturating_add(Duration::from_secs(5));

/// How long what is sent goes to the old room, too: whoever is in the new one has to ask for it there
/// first.
const BOTH_AT_LEAST: Duration = Duration::from_secs(1);

/// And how long when somebody does not come over.
const BOTH_AT_MOST: Duration = Duration::from_secs(2);

impl Inside {
    /// The main room and the lobby are those of this epoch from now on.
    pub(super) fn move_on(&mut self, core: &mut Core) {
        let (Ok(main), Ok(link)) = (
            self.group.export("sottovoce main", &[]),
            self.group.export("sottovoce link", &[]),
        ) else {
            return;
        };
        self.link_secret = LinkSecret::from_bytes(*link);
        self.go_to(LinkSecret::from_bytes(*main), core);
        let link_secret = self.link_secret.clone();
        if let Some(ruling) = &mut self.ruling {
            ruling.new_lobby(&link_secret, core);
            let link = core.link.meeting().with_secret(link_secret).to_link();
            core.note(Notice::Link(link));
        }
    }

    /// Says in the rooms that are left where the others are: what was said when everyone moved may be
    /// lost.
    pub(super) fn call_over(&mut self, core: &mut Core) {
        let Some((newest, old)) = self.homes.split_last() else {
            return;
        };
        if self.ruling.is_none() || newest.entered.is_none() {
            return;
        }
        let at = Said::At {
            main: Passed::from(&newest.secret),
            link: Passed::from(&self.link_secret),
        };
        for stay in old.iter().map(|home| home.stay).collect::<Vec<_>>() {
            self.say_to(stay, &at, core);
        }
    }

    /// Once the newest main room is entered, the others will be left.
    pub(super) fn settle_in(&mut self, core: &Core) {
        let stay_on = match self.ruling {
            Some(_) => CHAIR_STAYS_ON,
            None => STAY_ON,
        };
        if let Some((newest, old)) = self.homes.split_last_mut()
            && newest.entered.is_some()
        {
            for home in old {
                home.leave_at.get_or_insert(core.now + stay_on);
            }
        }
    }

    /// Leaves the rooms whose time is over.
    pub(super) fn leave_old_homes(&mut self, core: &mut Core) {
        let over = |home: &Home| home.leave_at.is_some_and(|at| core.now >= at);
        let old: Vec<StayId> = self
            .homes
            .iter()
            .filter(|home| over(home))
            .map(|home| home.stay)
            .collect();
        for stay in old {
            self.leave_home(stay, core);
        }
    }

    /// Goes out of a main room.
    pub(super) fn leave_home(&mut self, stay: StayId, core: &mut Core) {
        self.homes.retain(|home| home.stay != stay);
        for who in self.people.all_left(core.now, stay) {
            core.out.push_back(Output::Departed { who });
        }
        if let Some(ruling) = &mut self.ruling {
            ruling.closed(stay, core);
        }
        core.leave(stay);
    }

    /// Where media goes: the newest room that this participant is in, and the one before while there
    /// is somebody who has not come over.
    pub(super) fn rooms_to_send_in(&self, now: Duration) -> Vec<StayId> {
        let mut entered = self
            .homes
            .iter()
            .rev()
            .filter_map(|home| Some((home.stay, home.entered?)));
        let Some((newest, since)) = entered.next() else {
            return Vec::new();
        };
        let mut rooms = vec![newest];
        if now < since + BOTH_AT_LEAST {
            rooms.extend(entered.map(|(stay, _)| stay));
        } else if now < since + BOTH_AT_MOST {
            let behind = |stay: StayId| {
                self.people.iter().any(|(_, person)| {
                    let there = |room| person.at.iter().any(|at| at.0 == room);
                    there(stay) && !there(newest)
                })
            };
            rooms.extend(entered.map(|(stay, _)| stay).filter(|stay| behind(*stay)));
        }
        rooms
    }

    /// When a room is to be left.
    pub(super) fn moving_deadline(&self) -> Option<Duration> {
        self.homes.iter().filter_map(|home| home.leave_at).min()
    }
}
