//! The control stream.

use sottovoce::wire::limits::SIZE_CLASSES;
use sottovoce::wire::{
    ControlMessage, ControlReader, FromRelay, ToRelay, WireError, encode_control,
};

use super::pieces;

/// A participant's control stream, read by a relay.
pub fn control_to_relay(data: &[u8]) {
    control::<ToRelay>(data);
}

/// A relay's control stream, read by a participant.
pub fn control_from_relay(data: &[u8]) {
    control::<FromRelay>(data);
}

fn control<M: ControlMessage + PartialEq>(data: &[u8]) {
    let mut messages = Vec::new();
    let end = read::<M>(pieces(data), &mut |message| messages.push(message));
    let mut again = Vec::new();
    let other = read::<M>(data.get(1..).into_iter(), &mut |message| {
        again.push(message)
    });
    assert!(
        messages == again,
        "how a stream was cut changed what it says"
    );
    // A stream that ends in the middle of a message is no error yet.
    assert_eq!(end, other, "how a stream was cut changed how it ends");

    for message in messages {
        let bytes = encode_control(&message).expect("what was accepted is within its limits");
        assert!(SIZE_CLASSES.contains(&(bytes.len() - 2)));
        let mut reader = ControlReader::<M>::new();
        reader.push(&bytes).expect("one message");
        assert!(
            reader.next() == Ok(Some(message)),
            "encoded again, it says something else"
        );
    }
}

fn read<'a, M: ControlMessage>(
    pieces: impl Iterator<Item = &'a [u8]>,
    taken: &mut dyn FnMut(M),
) -> Result<(), WireError> {
    let mut reader = ControlReader::<M>::new();
    for piece in pieces {
        reader.push(piece).expect("all was read before");
        while let Some(message) = reader.next()? {
            taken(message);
        }
    }
    Ok(())
}

/// The version in a `Hello` of any version, as a relay looks for it.
pub fn hello_version(data: &[u8]) {
    let _ = sottovoce::wire::hello_version(data);
    let mut reader = ControlReader::<ToRelay>::new();
    for piece in pieces(data) {
        reader.push(piece).expect("all was read before");
        loop {
            let used = reader.used();
            let version = used.ok().flatten().and_then(sottovoce::wire::hello_version);
            let whole = used.is_ok_and(|used| used.is_some());
            match reader.next() {
                Ok(Some(ToRelay::Hello { version: read, .. })) => assert_eq!(version, Some(read)),
                Ok(Some(_)) => assert_eq!(version, None, "a message that is no Hello"),
                Ok(None) => {
                    assert!(!whole);
                    break;
                }
                Err(_) => return,
            }
        }
    }
}
