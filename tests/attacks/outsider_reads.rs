//! Somebody with only the meeting link, to whom the relay gives everything, reads names or media of a
//! meeting that it was not admitted to.

use sottovoce::meeting::Command;
use sottovoce::meeting::media::{Opened, ReceiverKeys};
use sottovoce::wire::GroupNumber;

use crate::own::{Plain, derive, open};
use crate::scene::{PICTURE, SOUND, frame, three};

#[test]
fn nothing_of_names_or_media() {
    let (mut world, meet) = three();
    for number in 0..20 {
        world.send(1, frame(SOUND, number));
        world.send(1, frame(PICTURE, number));
    }
    world.command(1, Command::Say("nobody's business".into()));
    world.seconds(6);
    let secret = meet.link_secret();
    let contains = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let mut opened = 0;
    for said in &world.said {
        for text in ["Host", "Ada", "Bea", "nobody's business"] {
            assert!(!contains(&said.body, text));
        }
        // What the lobby's envelope lets it see is sealed once more.
        match open(&secret, said.from, &said.body) {
            None => {}
            Some(Plain::Lobby(body)) => {
                opened += 1;
                let bytes = postcard::to_allocvec(&body).expect("encodes");
                for text in ["Host", "Ada", "Bea"] {
                    assert!(!contains(&bytes, text), "a name in the lobby");
                }
            }
            Some(_) => panic!("something else than the lobby's in the lobby's envelope"),
        }
    }
    assert!(opened >= 6, "questions, doors, knocks, answers");
    assert!(world.shots.len() >= 40);
    // Every secret that the link leads to, as if it were the base of media keys.
    let labels = ["media", "sottovoce media", "room", "lobby", "envelope"];
    let mut bases: Vec<[u8; 32]> = labels
        .iter()
        .map(|label| derive(&secret, label, &[]))
        .collect();
    bases.push(secret);
    for shot in &world.shots {
        assert!(!contains(&shot.bytes, "frame"));
        for base in &bases {
            for leaf in 0..3 {
                let mut keys = ReceiverKeys::new(leaf, [0; 16]);
                keys.epoch(world.now, 2, base);
                let group = shot.group.unwrap_or(GroupNumber(0));
                let opened = keys.open(world.now, shot.track, group, &shot.bytes);
                assert!(!matches!(opened, Ok(Opened::Frame(_))));
            }
        }
    }
}
