//! The bounds that no setting moves and that people meet, as the configuration file lists them. What
//! is printed comes from the constants themselves: it cannot go stale.

use std::time::Duration;

use super::limits::{
    BODIES_BURST, BODIES_RATE, CATCH_UPS_BURST, CATCH_UPS_RATE, DATAGRAM_BURST, DATAGRAM_RATE,
    GREETINGS, GROUP_BURST, GROUP_BYTES, GROUP_RATE, GROUPS_BURST, GROUPS_RATE, HELLO_WITHIN,
    MESSAGES_BURST, MESSAGES_RATE, PARTICIPANT_BYTES, ROOM_BYTES, SUBSCRIPTIONS, TRACKS,
};
use crate::carrier::server::CONTROL_QUEUE;
use crate::carrier::transport::IDLE;
use crate::wire::CloseReason;
use crate::wire::limits::{AUDIO_PAYLOAD, BODY};

const HEAD: &str = "\
Fixed, not settings: what any relay takes from one participant (or room), and what becomes of
whoever goes past it. A name like TooLarge is what that participant is told as it is closed.";

/// The list, as lines of comment without their signs.
pub(super) fn list() -> String {
    let mut text = format!("{HEAD}\n\n");
    for (what, most, then) in all() {
        text += &format!("  {what:<38} {most:<26} {then}\n");
    }
    text
}

/// What is bounded, the bound, and what becomes of whoever goes past it.
fn all() -> Vec<(&'static str, String, String)> {
    use CloseReason::{NoHello, RelayFull, TooLarge, TooMany, TooSlow};
    let told = |reason: CloseReason| format!("{reason:?}");
    vec![
        (
            "pictures of a track since a key frame",
            size(GROUP_BYTES),
            format!("{TooLarge:?} (ffmpeg: -g 50)"),
        ),
        (
            "a participant's pictures, held",
            size(PARTICIPANT_BYTES),
            told(TooLarge),
        ),
        (
            "a room's pictures, held",
            size(ROOM_BYTES),
            format!("{TooLarge:?} for who holds most"),
        ),
        (
            "bytes of pictures",
            rate(size(GROUP_RATE as usize), size(GROUP_BURST as usize)),
            "lost until the next key frame".into(),
        ),
        (
            "key frames",
            rate(GROUPS_RATE.to_string(), GROUPS_BURST.to_string()),
            told(TooMany),
        ),
        ("a datagram of sound", size(AUDIO_PAYLOAD), told(TooLarge)),
        (
            "bytes of sound",
            rate(size(DATAGRAM_RATE as usize), size(DATAGRAM_BURST as usize)),
            "lost".into(),
        ),
        ("tracks", TRACKS.to_string(), told(TooMany)),
        (
            "tracks of others that it asks for",
            SUBSCRIPTIONS.to_string(),
            told(TooMany),
        ),
        (
            "pictures that it begins in the middle",
            rate(CATCH_UPS_RATE.to_string(), CATCH_UPS_BURST.to_string()),
            "begin with the next key frame".into(),
        ),
        (
            "control messages",
            rate(MESSAGES_RATE.to_string(), MESSAGES_BURST.to_string()),
            told(TooMany),
        ),
        ("a message to others", size(BODY), told(TooLarge)),
        (
            "bytes of messages to others",
            rate(size(BODIES_RATE as usize), size(BODIES_BURST as usize)),
            told(TooMany),
        ),
        (
            "control messages that it has not taken",
            size(CONTROL_QUEUE),
            told(TooSlow),
        ),
        (
            "connected, and in no room",
            seconds(HELLO_WITHIN),
            told(NoHello),
        ),
        (
            "such connections over `participants`",
            GREETINGS.to_string(),
            told(RelayFull),
        ),
        ("silent altogether", seconds(IDLE), "forgotten".into()),
    ]
}

/// In the largest unit that leaves a whole number.
fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    match bytes {
        _ if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}

fn rate(each_second: String, at_once: String) -> String {
    format!("{each_second}/s, {at_once} at once")
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        assert_eq!(size(3 << 20), "3 MiB");
        assert_eq!(size((1 << 20) + 1024), "1025 KiB");
        assert_eq!(size(1017), "1017 bytes");
    }
}
