//! A member sends its own old frames again: what it said once is not heard twice.

use sottovoce::meeting::Rejection;

use crate::rogue::insider;
use crate::scene::{AUDIO, SOUND, frame, refused, three};
use crate::world::Parcel;

#[test]
fn each_is_heard_once() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let (epoch, base, leaf) = (mallory.epoch(), mallory.base(), mallory.leaf("Mallory"));
    mallory.media.epoch(epoch, &base, leaf);
    let (stay, from) = (world.main(2), mallory.line.id(&world));
    let mut sealed = Vec::new();
    for number in 0..10 {
        let frame = frame(SOUND, number);
        sealed.extend(mallory.media.seal(world.now, &frame, AUDIO).expect("seals"));
    }
    for round in 0..3 {
        // Saying where it is once more changes nothing.
        mallory.introduce(&mut world);
        for bytes in &sealed {
            world.inject(2, stay, Parcel::Datagram(from, SOUND, bytes.clone()));
        }
        assert_eq!(refused(&world, 2, Rejection::Replay), round * 10);
    }
    let all: Vec<u64> = (0..10).collect();
    assert_eq!(world.got(2, "Mallory", SOUND), all);
}

#[test]
fn nor_after_it_has_drawn_another_salt_and_the_one_before_again() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let (epoch, base, leaf) = (mallory.epoch(), mallory.base(), mallory.leaf("Mallory"));
    mallory.media.epoch(epoch, &base, leaf);
    let (stay, from) = (world.main(2), mallory.line.id(&world));
    let sealed = mallory
        .media
        .seal(world.now, &frame(SOUND, 0), AUDIO)
        .expect("seals");
    let salt = mallory.salt;
    for salt in [salt, [9; 16], salt] {
        mallory.salt = salt;
        mallory.introduce(&mut world);
        world.inject(2, stay, Parcel::Datagram(from, SOUND, sealed[0].clone()));
    }
    let heard = world.got(2, "Mallory", SOUND);
    assert_eq!(heard, [0]);
}
