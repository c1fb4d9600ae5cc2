//! The good meeting that goes on beside the offenders, and what must hold of it at its end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sottovoce::wire::RoomHandle;

use super::peer::run;
use super::scout::main_room;
use crate::support::{Participant, Relay, fixture};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// One meeting at a time: two beside each other would be each other's bad network.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A relay, someone who talks and shows pictures, and someone who receives all of it.
pub struct Meeting {
    pub relay: Relay,
    room: RoomHandle,
    talker: Participant,
    listener: Participant,
    before_kib: u64,
    _turn: MutexGuard<'static, ()>,
}

impl Meeting {
    /// Begins, and goes on for long enough that the relay has all that it needs for it.
    pub fn begin() -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let relay = Relay::start();
        let links = relay.invite();
        let mut listener = Participant::hosts::<&str>(&links, "Listener", &[]);
        listener.until("connected", PATIENCE);
        let file = fixture("vp8-voice.webm");
        let play = file.to_str().expect("a path");
        let arguments = ["--play", play, "--loop", "--begin-with", "1"];
        let mut talker = Participant::join(&links.meeting, "Talker", &arguments);
        talker.until("connected", PATIENCE);
        listener.until("joined", PATIENCE);
        let room = run(main_room(&links.meeting, relay.port()));
        std::thread::sleep(Duration::from_secs(1));
        Self {
            before_kib: relay.rss_kib(),
            relay,
            room,
            talker,
            listener,
            _turn: turn,
        }
    }

    /// The room in which the two hear each other: whoever was let in once knows it.
    pub fn room(&self) -> RoomHandle {
        self.room
    }

    /// Ends well: the listener has each frame that was sent, neither of the two lost the relay,
    /// and the relay never held more than `kib` more than before.
    pub fn ends_unharmed(mut self, kib: u64) {
        // What was done last shows its effect.
        std::thread::sleep(Duration::from_secs(1));
        self.talker.signal("INT");
        let (status, sent, events) = self.talker.finish(PATIENCE);
        assert!(status.success(), "{events:#?}");
        self.listener
            .until_that("left", PATIENCE, |event| event["name"] == "Talker");
        self.listener.signal("INT");
        let (status, received, listened) = self.listener.finish(PATIENCE);
        assert!(status.success(), "{listened:#?}");
        let lost = |event: &Value| event["event"] == "reconnecting";
        assert!(!events.iter().chain(&listened).any(lost), "{listened:#?}");

        let tracks = sent["sent"]["tracks"].as_array().expect("tracks");
        assert_eq!(tracks.len(), 2, "sound and pictures");
        for track in tracks {
            assert_eq!(track["unsent"], 0, "{track}");
            assert!(track["frames"].as_u64() > Some(10), "{track}");
            let heard = of_talker(&received, &track["track"]);
            assert_eq!(heard["lost"], 0, "sent {track}, received {heard}");
            assert_eq!(
                (&heard["received"], &heard["digest"]),
                (&track["frames"], &track["digest"]),
                "all of it arrived"
            );
        }

        let grown = self.relay.peak_kib().saturating_sub(self.before_kib);
        println!(
            "the relay grew by {grown} KiB at most, from {}",
            self.before_kib
        );
        assert!(grown <= kib, "the relay grew by {grown} KiB, over {kib}");
    }
}

/// What the summary says of one of the talker's tracks.
fn of_talker<'a>(summary: &'a Value, track: &Value) -> &'a Value {
    let people = summary["participants"].as_array().expect("participants");
    let talker = people.iter().find(|person| person["name"] == "Talker");
    let tracks = talker.expect("the talker")["tracks"].as_array();
    let found = tracks.and_then(|tracks| tracks.iter().find(|entry| entry["track"] == *track));
    found.expect("the track was received")
}
