//! A member says that it is where another is, alone or with the relay's help, so that what that one
//! sends is shown as its own, or the other way round.

use sottovoce::meeting::{Rejection, Standing};
use sottovoce::wire::To;

use crate::own::{Envelope, Plain, Said};
use crate::rogue::insider;
use crate::scene::{AUDIO, SOUND, all_is_well, frame, presence, refused, three};
use crate::world::Parcel;

#[test]
fn alone() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let here = Said::Here {
        presence: presence("Mallory"),
        standing: Standing::default(),
        salt: mallory.salt,
        me: world.main_id(1),
        signs: false,
        asks: false,
    };
    let before = refused(&world, 2, Rejection::Misdirected);
    mallory.say(&mut world, &here);
    assert_eq!(refused(&world, 2, Rejection::Misdirected), before + 1);
    all_is_well(&mut world, &[0, 1, 2]);
    let mallorys = world.got(2, "Mallory", SOUND);
    assert!(
        mallorys.is_empty(),
        "nothing of Ada's is shown as Mallory's"
    );
}

#[test]
fn with_the_relay() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let (stay, ada) = (world.main(2), world.main_id(1));
    let here = Said::Here {
        presence: presence("Mallory"),
        standing: Standing::default(),
        salt: mallory.salt,
        me: ada,
        signs: false,
        asks: false,
    };
    let body = Plain::Mls(mallory.sealed(&here));
    // The relay says that Ada left and came back, and delivers Mallory's word under Ada's id.
    let mut as_ada = Envelope::new(mallory.line.secret, [0x77; 16], ada);
    world.forge_return(2, stay, ada);
    let body = as_ada.seal(To::Everyone, &body);
    world.inject_message(2, stay, ada, &body);
    // Ada speaks on: it does not open as Mallory's.
    for number in 0..10 {
        world.send(1, frame(SOUND, number));
    }
    assert!(world.got(2, "Mallory", SOUND).is_empty());
    // Mallory speaks from Ada's place: it is shown as Mallory.
    let (epoch, base, leaf) = (mallory.epoch(), mallory.base(), mallory.leaf("Mallory"));
    mallory.media.epoch(epoch, &base, leaf);
    let sealed = mallory
        .media
        .seal(world.now, &frame(SOUND, 77), AUDIO)
        .expect("seals");
    world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
    assert_eq!(world.got(2, "Mallory", SOUND), [77]);
    let who = world.nodes[2]
        .people
        .iter()
        .find(|(_, name)| *name == "Ada")
        .map(|one| *one.0);
    let as_ada = world.nodes[2]
        .frames
        .iter()
        .filter(|(from, _)| Some(*from) == who);
    assert_eq!(as_ada.count(), 0);
    // The relay's game over, Bea connects anew and all is as it should be.
    world.side(2, 0);
    world.seconds(5);
    all_is_well(&mut world, &[0, 1, 2]);
}
