//! What a stranger, a relay, or someone with the link can hand to a participant.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use sottovoce::meeting::links::Link;
use sottovoce::meeting::media::Opened;
use sottovoce::meeting::{LinkError, Output};
use sottovoce::wire::{GroupNumber, ToRelay, TrackId};

use super::insider::{self, Victim};

/// A link. The first byte says whether what follows is text, or the fragment's content, which then
/// gets a checksum that holds.
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
    match Link::parse(&text) {
        Ok(link) => {
            let again = match &link {
                Link::Meeting(meeting) => meeting.to_link(),
                Link::Committer(committer) => committer.to_link(),
            };
            let again = Link::parse(&again);
            assert!(
                again.is_ok_and(|again| again == link),
                "read again, it is another link"
            );
        }
        Err(LinkError::Version(version)) => assert!(version > 3),
        Err(LinkError::Older(version)) => assert!(version < 2),
        Err(_) => {}
    }
}

thread_local! {
    /// One host for many inputs, since it takes long to found a meeting.
    static VICTIM: RefCell<Victim> = RefCell::new(Victim::new());
}

fn with_a_victim(what: impl FnOnce(&mut Victim)) {
    VICTIM.with_borrow_mut(|victim| {
        victim.meets_the_insider();
        what(victim);
    });
}

fn answers(said: &[Output]) -> bool {
    let sends = |output: &Output| {
        matches!(
            output,
            Output::Control {
                message: ToRelay::Send { .. },
                ..
            }
        )
    };
    said.iter().any(sends)
}

/// A control body from someone without the link: garbage, or a genuine one that was changed.
pub fn sealed_body(data: &[u8]) {
    with_a_victim(|victim| {
        let genuine = victim.seal(2, &insider::framed(&insider::ask()));
        let (bytes, changed) = match data.split_first() {
            Some((kind, rest)) => altered(*kind, rest, &genuine),
            None => (Vec::new(), true),
        };
        let said = victim.told(bytes);
        match &said[..] {
            [Output::Rejected(why)] => assert!(changed, "a genuine body was refused: {why:?}"),
            said => assert!(!changed && answers(said), "a body that nobody sealed"),
        }
    });
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
    with_a_victim(|victim| {
        if kind & 2 != 0 {
            let ask = victim.seal(1, &insider::framed(&insider::ask()));
            assert!(answers(&victim.told(ask)), "the description is wrong");
        }
        let body = victim.seal(2, &plain);
        victim.told(body.clone());
        let again = victim.told(body);
        let refused = |output: &Output| matches!(output, Output::Rejected(_));
        assert!(again.iter().any(refused), "a body that came before");
    });
}

/// A frame from someone without its key: garbage, or a genuine one that was changed. The first byte
/// also says on which track.
pub fn sealed_frame(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let track = [insider::SOUND, insider::PICTURE, TrackId(2)][usize::from(kind / 8 % 3)];
    let genuine = insider::Sealer::new(track).seal(&[0; 60]);
    let (bytes, changed) = altered(*kind, rest, &genuine);
    let mut keys = insider::receiver();
    match keys.open(Duration::ZERO, track, GroupNumber(0), &bytes.into()) {
        // What names a key that is not known yet waits for it, and never comes out.
        Err(_) | Ok(Opened::Held | Opened::Dropped) => {}
        // The genuine one is a piece of a frame of none.
        Ok(Opened::Piece) => assert!(!changed, "a frame that nobody sealed"),
        Ok(Opened::Frame(_)) => panic!("a frame came out"),
    }
    let waits = keys.epoch(Duration::ZERO, 5, &[1; 32]);
    assert!(waits.iter().all(Result::is_err), "a frame came out later");
}

/// Frames from someone who has the keys. The first byte says on which track, the second how long
/// each plaintext is.
pub fn insider_frame(data: &[u8]) {
    let [kind, length, rest @ ..] = data else {
        return;
    };
    let track = [insider::SOUND, insider::PICTURE][usize::from(kind & 1)];
    let mut sealer = insider::Sealer::new(track);
    let mut keys = insider::receiver();
    let mut came = 0;
    for plain in rest.chunks(usize::from(*length).max(1)).take(64) {
        let sealed: Bytes = sealer.seal(plain);
        match keys.open(Duration::ZERO, track, GroupNumber(0), &sealed) {
            Ok(Opened::Frame(frame)) => came += frame.payload.len(),
            Ok(Opened::Held) => panic!("its key is there"),
            Ok(Opened::Piece | Opened::Dropped) | Err(_) => {}
        }
    }
    assert!(came <= rest.len(), "more came out than went in");
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
