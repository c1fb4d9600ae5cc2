//! One who is let in, and betrays where the meeting is held.

use std::time::Instant;

use sottovoce::meeting::hosted::Meeting;
use sottovoce::meeting::links::Link;
use sottovoce::meeting::{Input, Output, Presence, Surface};
use sottovoce::wire::{RoomHandle, ToRelay};
use tokio::time::{sleep, timeout};

use super::meeting::PATIENCE;
use super::peer::{Peer, Windows};

/// Knocks by this link, and gives the handle of the room that it is led to. It does not go there.
pub async fn main_room(link: &str, port: u16) -> RoomHandle {
    let link = Link::parse(link).expect("a link");
    let presence = Presence {
        name: "Scout".into(),
        tracks: Vec::new(),
        timestamp_scale_ns: 1,
        tag: [1; 16],
    };
    let mut meeting = Meeting::new(link, presence, false, false, [2; 32]);
    let mut peer = Peer::connect(port, Windows::Usual).await;
    let began = Instant::now();
    timeout(PATIENCE, async {
        let (mut lobby, mut led) = (None, None);
        loop {
            while let Some(output) = meeting.poll() {
                match output {
                    Output::Enter { stay } => {
                        let relay = 0;
                        lobby.get_or_insert(stay);
                        led = Some(stay);
                        meeting.handle(began.elapsed(), Input::Connected { stay, relay });
                    }
                    Output::Control { stay, message } if Some(stay) == lobby => {
                        peer.say(&message).await;
                    }
                    Output::Control {
                        stay,
                        message: ToRelay::Hello { room, .. },
                    } if Some(stay) == led => return room,
                    _ => {}
                }
            }
            let deadline = meeting.deadline();
            let wait = deadline.map(|at| at.saturating_sub(began.elapsed()));
            let input = tokio::select! {
                message = peer.next() => Input::Relay {
                    stay: lobby.expect("it has entered"),
                    message: message.expect("the relay is there"),
                },
                () = sleep(wait.unwrap_or(PATIENCE)) => Input::Tick,
            };
            meeting.handle(began.elapsed(), input);
        }
    })
    .await
    .expect("it is let in")
}
