//! What a stranger, a relay, or someone in the meeting can hand to a participant.

use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use sottovoce::meeting::{
    Input, Invite, LinkError, Meeting, NAME_BYTES, NAME_LETTERS, Output, Surface, display_safe,
};
use sottovoce::wire::{GroupNumber, TrackId};

use super::insider;

/// A meeting link. The first byte says whether what follows is text, or the fragment's content,
/// which then gets a checksum that holds.
pub fn link(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let text = match kind % 2 {
        0 => String::from_utf8_lossy(rest).into_owned(),
        _ => {
            let authority = "192.0.2.1:4433";
            let mut hash = Sha256::new_with_prefix(b"sottovoce link");
            hash.update((authority.len() as u32).to_be_bytes());
            hash.update(authority);
            hash.update(rest);
            let content = [rest, &hash.finalize()[..4]].concat();
            format!("https://{authority}/#{}", BASE64URL_NOPAD.encode(&content))
        }
    };
    match Invite::parse(&text) {
        Ok(invite) => {
            let again = Invite::parse(&invite.to_link());
            assert!(
                again.is_ok_and(|again| again == invite),
                "read again, it is another link"
            );
        }
        Err(LinkError::Version(version)) => assert_ne!(version, 1),
        Err(_) => {}
    }
}

/// A control body from someone without the link: garbage, or a genuine one that was changed.
pub fn sealed_body(data: &[u8]) {
    let genuine = insider::seal_body(2, &insider::framed(&insider::presence()));
    let (mut meeting, bytes, changed) = match data.split_first() {
        Some((kind, rest)) => {
            let (bytes, changed) = altered(*kind, rest, &genuine);
            let known = kind & 2 != 0;
            let meeting = if known {
                insider::acquainted_victim()
            } else {
                insider::victim()
            };
            (meeting, bytes, changed)
        }
        None => (insider::victim(), Vec::new(), true),
    };
    insider::tell(&mut meeting, bytes);
    let said = insider::drain(&mut meeting);
    match &said[..] {
        [Output::Rejected(_)] => assert!(changed, "a genuine body was refused"),
        [Output::Appeared { .. }] => assert!(!changed, "a body that nobody sealed"),
        _ => panic!("one body, one answer"),
    }
}

/// A control body from someone with the link, who can seal anything. The first byte says whether
/// the rest is the plaintext, or the message inside it in good order, and whether the victim has
/// heard of the sender.
pub fn insider_body(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let rest = rest.get(..rest.len().min(32_000)).unwrap_or_default();
    let plain = if kind & 1 == 0 {
        rest.to_vec()
    } else {
        insider::framed(rest)
    };
    let known = kind & 2 != 0;
    let mut meeting = if known {
        insider::acquainted_victim()
    } else {
        insider::victim()
    };
    insider::tell(&mut meeting, insider::seal_body(2, &plain));
    let said = insider::drain(&mut meeting);
    assert_eq!(said.len(), 1, "one body, one answer");
    for output in said {
        if let Output::Appeared { presence, .. } = output {
            assert!(presence.name.len() <= NAME_BYTES && presence.tracks.len() <= 16);
            let shown = display_safe(&presence.name);
            // Letters, spaces between them, and a mark that there is more.
            assert!(shown.chars().count() <= 2 * NAME_LETTERS && !shown.is_empty());
            assert!(!shown.chars().any(char::is_control));
        }
    }
    insider::tell(&mut meeting, insider::seal_body(2, &plain));
    let again = insider::drain(&mut meeting);
    assert!(
        matches!(again[..], [Output::Rejected(_)]),
        "a body that came before"
    );
}

/// A frame from someone without the link: garbage, or a genuine one that was changed. The first
/// byte also says on which track, and whether in a group.
pub fn sealed_frame(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let track = [insider::SOUND, insider::PICTURE, TrackId(2)][usize::from(kind / 8 % 3)];
    let in_group = kind & 4 != 0;
    let genuine = insider::Sealer::new(track).seal(&[0; 60]);
    let (bytes, changed) = altered(*kind, rest, &genuine);
    let mut meeting = insider::acquainted_victim();
    receive(&mut meeting, track, in_group, bytes.into());
    match &insider::drain(&mut meeting)[..] {
        [Output::Rejected(_)] => {}
        // The genuine one is a piece of a frame of none.
        [] => assert!(!changed, "a frame that nobody sealed"),
        _ => panic!("a frame came out"),
    }
}

/// Frames from someone with the link. The first byte says on which track and whether in groups,
/// the second how long each plaintext is.
pub fn insider_frame(data: &[u8]) {
    let [kind, length, rest @ ..] = data else {
        return;
    };
    let track = [insider::SOUND, insider::PICTURE][usize::from(kind & 1)];
    let mut sealer = insider::Sealer::new(track);
    let mut meeting = insider::acquainted_victim();
    let mut came = 0;
    for plain in rest.chunks(usize::from(*length).max(1)).take(64) {
        receive(&mut meeting, track, kind & 2 != 0, sealer.seal(plain));
        for output in insider::drain(&mut meeting) {
            match output {
                Output::Frame { frame, .. } => came += frame.payload.len(),
                Output::Rejected(_) => {}
                _ => panic!("a frame, or none"),
            }
        }
    }
    assert!(came <= rest.len(), "more came out than went in");
}

fn receive(meeting: &mut Meeting, track: TrackId, in_group: bool, bytes: Bytes) {
    let (stay, from, group) = (insider::STAY, insider::INSIDER, GroupNumber(0));
    let input = match in_group {
        true => Input::GroupFrame {
            stay,
            from,
            track,
            group,
            bytes,
        },
        false => Input::Datagram {
            stay,
            from,
            track,
            payload: bytes,
        },
    };
    meeting.handle(Duration::ZERO, input);
}

/// Bytes that are not those of `genuine`, unless the second value says so: `data` itself, or what
/// is genuine with `data` laid over it.
fn altered(kind: u8, data: &[u8], genuine: &[u8]) -> (Vec<u8>, bool) {
    let bytes = match kind & 1 {
        0 => data.to_vec(),
        _ => {
            let mut bytes = genuine.to_vec();
            bytes
                .iter_mut()
                .zip(data)
                .for_each(|(byte, change)| *byte ^= change);
            bytes.truncate(bytes.len().saturating_sub(data.len() / bytes.len().max(1)));
            bytes
        }
    };
    let changed = bytes != genuine;
    (bytes, changed)
}
