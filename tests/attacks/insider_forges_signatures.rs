//! A member signs as somebody else: a message of the group, a beat of the host, the word for media.

use sottovoce::meeting::chair::Claim;
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::media::Report;
use sottovoce::meeting::{Notice, Rejection};
use sottovoce::wire::To;

use crate::own::{Plain, Said};
use crate::rogue::insider;
use crate::scene::{AUDIO, SOUND, all_is_well, frame, meet, read, refused, three, three_of};
use crate::world::Parcel;

#[test]
fn of_a_message() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let own = std::mem::replace(&mut mallory.key, SigningKey::from_seed(&[8; 32]));
    let said = Said::Chat {
        number: 1,
        text: "unsigned".into(),
    };
    let before = refused(&world, 2, Rejection::NotAuthentic);
    mallory.say(&mut world, &said);
    assert_eq!(refused(&world, 2, Rejection::NotAuthentic), before + 1);
    assert!(read(&world, 2).is_empty());
    mallory.key = own;
    let said = Said::Chat {
        number: 2,
        text: "signed".into(),
    };
    mallory.say(&mut world, &said);
    assert_eq!(read(&world, 2), ["signed"]);
}

#[test]
fn of_the_hosts_beat() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let mut mallory = insider(&mut world, &meet.guest, secret, "Mallory");
    let key = SigningKey::from_seed(&[8; 32]);
    for rank in [0, 1, 7] {
        let claim = Claim {
            run: [0; 16],
            rank,
            seq: 1 << 40,
            count: 1 << 40,
            epoch: 1 << 40,
            tag: [1; 32],
            roster: [1; 32],
            locked: false,
            removed: 0,
            before: [1; 32],
        };
        let beat = claim.sign(|bytes| key.sign(bytes));
        let before = refused(&world, 2, Rejection::NotAuthentic);
        mallory
            .line
            .post(&mut world, To::Everyone, &Plain::Beat(beat));
        assert_eq!(refused(&world, 2, Rejection::NotAuthentic), before + 1);
    }
    world.seconds(20);
    all_is_well(&mut world, &[0, 1, 2]);
}

#[test]
fn of_the_word_for_media() {
    let meet = meet(0);
    let (secret, guest) = (meet.link_secret(), meet.guest.clone());
    let (mut world, _) = three_of(meet, true);
    let mut mallory = insider(&mut world, &guest, secret, "Mallory");
    mallory.introduce(&mut world);
    let (stay, ada) = (world.main(2), world.main_id(1));
    let salt = mallory
        .follow(&mut world)
        .into_iter()
        .find_map(|(from, said)| match said {
            Said::Here { salt, .. } if from == ada => Some(salt),
            _ => None,
        });
    let mut keys = mallory.keys_of("Ada", salt.expect("Ada's"));
    keys.sign(true);
    for number in 0..150 {
        world.run(std::time::Duration::from_millis(20));
        let sealed = keys
            .seal(world.now, &frame(SOUND, number), AUDIO)
            .expect("seals");
        world.inject(2, stay, Parcel::Datagram(ada, SOUND, sealed[0].clone()));
        // Signed by its own key, since it has no other; the relay says that it is from Ada.
        let own = mallory.key.clone();
        let sign =
            |bytes: &[u8]| sottovoce::meeting::group::Group::sign_with(&own, "attest", bytes);
        for attest in keys.attest(world.now, sign) {
            mallory.say(&mut world, &Said::Attest(attest));
        }
    }
    let who = world.who(2, "Ada");
    let heard = world.got(2, "Ada", SOUND);
    assert!(
        heard.iter().all(|number| *number < 90),
        "dropped after a while: {heard:?}"
    );
    let told = world.nodes[2].told.iter();
    let unsigned = told.filter(|notice| {
        matches!(notice, Notice::Signatures { who: of, report: Report::Unsigned { .. } } if *of == who)
    });
    assert!(unsigned.count() >= 1);
    assert!(
        refused(&world, 2, Rejection::NotAuthentic) >= 1,
        "its word is not taken for Ada's"
    );
}
