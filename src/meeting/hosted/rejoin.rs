//! A member that lost the thread is taken in anew: it knocks in the main room, and shows which leaf is
//! its own.

use std::time::Duration;

use super::admission::Admission;
use super::core::Core;
use super::inside::{Became, Inside};
use super::outside::joining;
use super::plain::Plain;
use crate::meeting::events::{Rejection, StayId};
use crate::meeting::group::Joining;
use crate::meeting::lobby::{Knock, Knocker, KnockerOutput, LobbyBody, Status};
use crate::wire::ParticipantId;

/// See the module.
pub(super) struct Rejoin {
    stay: StayId,
    knocker: Knocker,
    joining: Option<Joining>,
}

impl Rejoin {
    pub(super) fn handle(
        &mut self,
        stay: StayId,
        from: ParticipantId,
        body: &LobbyBody,
        core: &Core,
    ) {
        // What knockers say is for the chair.
        let for_knockers = matches!(
            body,
            LobbyBody::Door(_) | LobbyBody::Answer { .. } | LobbyBody::Part { .. }
        );
        if stay == self.stay && for_knockers {
            self.knocker.handle(core.now, from, body.clone());
        }
    }

    /// This side has another connection to the room.
    pub(super) fn entered(&mut self, stay: StayId, me: ParticipantId, now: Duration) {
        if stay == self.stay {
            self.knocker.enter(now, me);
        }
    }

    pub(super) fn left(&mut self, stay: StayId, participant: ParticipantId, now: Duration) {
        if stay == self.stay {
            self.knocker.left(now, participant);
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.knocker.deadline()
    }
}

impl Inside {
    /// Begins to knock: in the newest main room, or among the committers, where the chair is always,
    /// even one that founded the meeting anew.
    pub(super) fn begin_to_rejoin(&mut self, core: &mut Core) {
        let home = self.home().and_then(|stay| {
            let home = self.homes.iter().find(|home| home.stay == stay)?;
            Some((stay, home.secret.clone()))
        });
        let Some((stay, secret)) = core.committers().or(home) else {
            return;
        };
        if self
            .rejoin
            .as_ref()
            .is_some_and(|rejoin| rejoin.stay == stay)
        {
            return;
        }
        let (Some(mut joining), Some(me)) = (joining(core, false), core.stays.me(stay)) else {
            return;
        };
        joining.meet(self.group.committers().clone());
        let knock = Knock {
            name: core.presence.name.clone(),
            key_package: joining.key_package().to_vec(),
            proof_of_return: self.returning.prove(&core.origin, joining.key_package()),
        };
        let link = core.link.meeting().with_secret(secret);
        if let Some(mut knocker) = Knocker::new(&link, knock, core.seed()) {
            knocker.without(&self.chairs.outcasts);
            knocker.enter(core.now, me);
            self.rejoin = Some(Rejoin {
                stay,
                knocker,
                joining: Some(joining),
            });
        }
    }

    /// Does what follows of that.
    pub(super) fn rejoin_turn(&mut self, core: &mut Core) -> Became {
        let Some(rejoin) = &mut self.rejoin else {
            return Became::Same;
        };
        rejoin.knocker.tick(core.now);
        while let Some(said) = rejoin.knocker.poll() {
            match said {
                KnockerOutput::Post { to, body } => {
                    core.say(rejoin.stay, to, &Plain::Lobby(body));
                }
                // The chair's tree has none of its leaves: it was removed, or away for too long.
                KnockerOutput::Status(Status::Denied) => return Became::Lost,
                KnockerOutput::Admitted(payload) => {
                    let opened = rejoin.joining.take().and_then(|joining| {
                        Admission::open(&payload, joining, &mut self.chairs.outcasts)
                    });
                    self.rejoin = None;
                    let Some(opened) = opened else {
                        core.reject(Rejection::BadProof);
                        return Became::Same;
                    };
                    self.returning.add(opened.group.leaf_key());
                    self.leave_line();
                    self.group = opened.group;
                    self.link_secret = opened.link;
                    self.voice = self.voice.anew(core);
                    if let Some(stage) = &mut self.stage {
                        stage.new_voice();
                    }
                    self.people.new_line();
                    self.go_to(opened.main, core);
                    self.epoch_changed(true, None, core);
                    self.beat(opened.beat, core);
                    self.introduce_anew(core);
                    return Became::Same;
                }
                // Members are known by their leaves.
                KnockerOutput::Sas(_) => core.reject(Rejection::Unexpected),
                KnockerOutput::Door(_) | KnockerOutput::Status(_) | KnockerOutput::Moved(_) => {}
            }
        }
        Became::Same
    }
}
