//! All connections that the meeting wants, at once.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use tokio::task::JoinSet;

use super::dial::Dial;
use super::stay::{Came, Loss, Place, Stay};
use crate::meeting::StayId;

/// Since when no relay is reached, and the attempts at one up to now.
struct WayBack {
    lost: Loss,
    dial: Dial,
}

/// All stays that the meeting wants.
#[derive(Default)]
pub(super) struct Stays {
    all: Vec<Stay>,
    main: Option<StayId>,
    /// The way back of the one that counted and was left while no relay was reached.
    way_back: Option<WayBack>,
    /// Whose turn it is to be asked first.
    turn: usize,
    /// Those that are not wanted any more, and say goodbye.
    partings: JoinSet<()>,
}

impl Stays {
    /// One more is wanted.
    pub(super) fn enter(&mut self, id: StayId, dial: Dial) {
        if self.get(id).is_none() {
            self.all.push(Stay::new(id, dial));
            self.go_on();
        }
    }

    /// One is not wanted any more: says goodbye meanwhile.
    pub(super) fn leave(&mut self, id: StayId) {
        let led = self.leads(id);
        if let Some(place) = self.all.iter().position(|stay| stay.id == id) {
            let stay = self.all.remove(place);
            match stay.lost() {
                Some(lost) if led && stay.line.is_none() => {
                    let dial = stay.dial;
                    self.way_back = Some(WayBack { lost, dial });
                    self.go_on();
                }
                _ => drop(self.partings.spawn(stay.part())),
            }
        }
        while self.partings.try_join_next().is_some() {}
    }

    /// A meeting that begins anew without a relay has lost it since it did, and not since then: the one
    /// that counts now goes on with the attempts of the one before.
    fn go_on(&mut self) {
        if self.any_connected() {
            self.way_back = None;
        }
        let lead = self.lead().map(|lead| lead.id);
        let Some(lead) = lead.and_then(|id| self.all.iter_mut().find(|stay| stay.id == id)) else {
            return;
        };
        if let Some(WayBack { lost, dial }) = self.way_back.take() {
            lead.place = Place::Outside(Some(lost));
            lead.dial = dial;
        }
    }

    /// The main one from now on.
    pub(super) fn set_main(&mut self, id: StayId) {
        self.main = Some(id);
    }

    /// The one whose loss is this participant's loss of the meeting.
    pub(super) fn lead(&self) -> Option<&Stay> {
        let main = self.all.iter().find(|stay| Some(stay.id) == self.main);
        main.or(self.all.first())
    }

    /// Whether this is that one.
    pub(super) fn leads(&self, id: StayId) -> bool {
        self.lead().is_some_and(|lead| lead.id == id)
    }

    /// Takes that one out, to part from it with more care than from the others.
    pub(super) fn take_lead(&mut self) -> Option<Stay> {
        let id = self.lead()?.id;
        let place = self.all.iter().position(|stay| stay.id == id)?;
        Some(self.all.remove(place))
    }

    /// The one of this number.
    pub(super) fn get(&mut self, id: StayId) -> Option<&mut Stay> {
        self.all.iter_mut().find(|stay| stay.id == id)
    }

    /// All of them.
    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut Stay> {
        self.all.iter_mut()
    }

    /// Whether any has a connection.
    pub(super) fn any_connected(&self) -> bool {
        self.all.iter().any(|stay| stay.line.is_some())
    }

    /// When somebody who left will have departed.
    pub(super) fn departure(&self) -> Option<Instant> {
        let stays = self.all.iter();
        stays.filter_map(|stay| stay.departures.deadline()).min()
    }

    /// Leaves them all.
    pub(super) fn leave_all(&mut self) {
        for stay in self.all.drain(..) {
            self.partings.spawn(stay.part());
        }
    }

    /// Waits until all that were left have said goodbye.
    pub(super) async fn parted(&mut self) {
        while self.partings.join_next().await.is_some() {}
    }

    /// What comes of any of them first. Nothing is lost when the future is dropped, and one of which
    /// much comes does not keep the others from being heard.
    pub(super) async fn next(&mut self) -> (StayId, Came) {
        poll_fn(|context| {
            let count = self.all.len();
            self.turn = self.turn.wrapping_add(1);
            let turn = self.turn.checked_rem(count).unwrap_or(0);
            let (others, first) = self.all.split_at_mut(turn);
            for stay in first.iter_mut().chain(others) {
                if let Poll::Ready(came) = stay.poll(context) {
                    return Poll::Ready((stay.id, came));
                }
            }
            Poll::Pending
        })
        .await
    }
}
