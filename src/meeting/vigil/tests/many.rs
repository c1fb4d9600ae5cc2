//! Thousands watch, and who speaks does no more for it.

use super::*;
use crate::meeting::hosted::tests::world::Cost;

const SPEAKERS: usize = 10;
const VIEWERS: usize = 2000;
const FRAMES: u64 = 15;

/// What each speaker had to do while it spoke for a moment before so many.
fn speak_before(viewers: usize) -> Vec<Cost> {
    let meet = vigil(0);
    let mut world = World::new();
    world.join(&meet.host, "Speaker 0");
    world.seconds(1);
    for index in 1..SPEAKERS {
        world.join(&meet.guest, &format!("Speaker {index}"));
    }
    world.seconds(8);
    let mut names: Vec<String> = (0..SPEAKERS).map(|one| format!("Speaker {one}")).collect();
    names.sort();
    assert_eq!(
        world.names(1),
        names[..1]
            .iter()
            .chain(&names[2..])
            .cloned()
            .collect::<Vec<_>>()
    );
    for _ in 0..viewers {
        world.watch(&meet.guest);
        world.settle();
    }
    // On one grid, whoever else has something to do between its lines.
    let step = |world: &mut World| world.run(Duration::from_millis(20));
    for number in 0..FRAMES {
        for speaker in 0..SPEAKERS {
            world.send(speaker, frame(SOUND, number));
            if speaker < 2 {
                world.send(speaker, frame(PICTURE, number));
            }
        }
        step(&mut world);
    }
    for _ in 0..50 {
        step(&mut world);
    }
    let all: Vec<u64> = (0..FRAMES).collect();
    for viewer in SPEAKERS..SPEAKERS + viewers {
        assert_eq!(world.names(viewer), names);
        let shown = world.nodes[viewer].frames.len();
        assert_eq!(shown, (SPEAKERS + 2) * all.len(), "{viewer}");
        assert_eq!(world.nodes[viewer].cost.bytes, 0, "and it says nothing");
    }
    if viewers > 0 {
        let last = SPEAKERS + viewers - 1;
        for name in &names {
            assert_eq!(world.got(last, name, SOUND), all);
        }
    }
    world.nodes[..SPEAKERS]
        .iter()
        .map(|node| node.cost)
        .collect()
}

#[test]
fn two_thousand_who_watch_cost_who_speaks_nothing() {
    let alone = speak_before(0);
    assert!(alone.iter().all(|cost| cost.bytes > 10_000));
    assert_eq!(speak_before(VIEWERS), alone);
}
