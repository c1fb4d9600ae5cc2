//! One who is let in and goes no further, so that the drill knows by which handle the relay knows the
//! room that the meeting is held in: it derives from what only those inside have.

use std::time::Instant;

use tokio::time::{sleep, timeout};

use super::DrillError;
use super::canary::draw;
use super::cast::Part;
use super::person::PATIENCE;
use super::stranger::{Stranger, Target, Windows};
use crate::meeting::hosted::Meeting;
use crate::meeting::links::Link;
use crate::meeting::{Input, Output, Presence, Surface};
use crate::wire::{RoomHandle, ToRelay};

/// Knocks by a link, and gives the handle of the room that it is led to. Blocks until it is let in.
pub(super) fn main_room(link: &str, part: &Part, relay: &Target) -> Result<RoomHandle, DrillError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DrillError::system)?;
    let found = runtime.block_on(async { timeout(PATIENCE, knock(link, part, relay)).await });
    runtime.shutdown_background();
    found.unwrap_or(Err(DrillError::Story("a scout was not let in")))
}

async fn knock(link: &str, part: &Part, relay: &Target) -> Result<RoomHandle, DrillError> {
    let link = Link::parse(link).map_err(|_| DrillError::Story("a link does not parse"))?;
    let presence = Presence {
        name: part.text.clone(),
        tracks: Vec::new(),
        timestamp_scale_ns: 1,
        tag: draw()?,
    };
    let mut meeting = Meeting::new(link, presence, false, false, draw()?);
    let mut peer = Stranger::connect(part, relay, "scout.invalid", Windows::Usual).await?;
    let began = Instant::now();
    let (mut lobby, mut led) = (None, None);
    loop {
        while let Some(output) = meeting.poll() {
            match output {
                Output::Enter { stay } => {
                    lobby.get_or_insert(stay);
                    led = Some(stay);
                    meeting.handle(began.elapsed(), Input::Connected { stay, relay: 0 });
                }
                Output::Control { stay, message } if Some(stay) == lobby => {
                    peer.say(&message).await;
                }
                Output::Control {
                    stay,
                    message: ToRelay::Hello { room, .. },
                } if Some(stay) == led => {
                    peer.close("").await;
                    return Ok(room);
                }
                _ => {}
            }
        }
        let lost = DrillError::Story("a scout lost the relay");
        let Some(stay) = lobby else {
            return Err(lost);
        };
        let wait = meeting
            .deadline()
            .map(|at| at.saturating_sub(began.elapsed()));
        let input = tokio::select! {
            message = peer.next() => Input::Relay { stay, message: message.ok_or(lost)? },
            () = sleep(wait.unwrap_or(PATIENCE)) => Input::Tick,
        };
        meeting.handle(began.elapsed(), input);
    }
}
