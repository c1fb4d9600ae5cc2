//! A co-host that never held the chair tells who does that its part of the meeting has removed somebody.

use sottovoce::meeting::Notice;
use sottovoce::meeting::chair::{Beat, Claim, Runs};
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::LeafName;
use sottovoce::wire::To;

use crate::own::{Plain, Told, derive};
use crate::rogue::{Line, insider};
use crate::scene::{Meet, all_is_well, three};
use crate::world::World;

/// Tells it, and passes on these beats.
fn reports(world: &mut World, meet: &Meet, run: [u8; 16], words: impl Fn(&Claim) -> Vec<Beat>) {
    let secret = derive(&meet.way_back(), "committers' room", &[]);
    let mut line = Line::new(world, secret);
    world.seconds(6);
    let mut beats = Vec::new();
    while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
        if let Some(Plain::Beat(beat)) = line.envelope.open(from, &body) {
            beats.extend(beat.open(|_, _, _| true));
        }
    }
    let newest = beats.pop().expect("the chair beats");
    let mut runs = Runs::default();
    runs.add(run);
    let key = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    let bytes = runs.signed_bytes(1, line.id(world).0, &newest.run);
    let mut told = Told::new(runs, 1, &key, &bytes);
    told.words = words(&newest);
    line.post(world, To::Everyone, &Plain::Outcasts(told));
    world.seconds(3);
}

fn reported(world: &World) -> bool {
    let by = 1;
    let name = "Ada".to_owned();
    world.nodes[0].told.contains(&Notice::Reported { name, by })
}

fn run_of_ada(world: &mut World, meet: &Meet) -> [u8; 16] {
    let mallory = insider(world, &meet.guest, meet.link_secret(), "Mallory");
    let leaves = mallory.group.members();
    let mut names = leaves.filter_map(|leaf| {
        postcard::from_bytes::<LeafName>(leaf.credential.serialized_content()).ok()
    });
    let ada = names.find(|one| one.name == "Ada");
    ada.expect("in the tree").run
}

#[test]
fn who_shows_no_line_of_its_own_has_nobody_removed() {
    let (mut world, meet) = three();
    let run = run_of_ada(&mut world, &meet);
    let key = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    let mut others = vec![None];
    // Of the chair's own line, by itself; and of another, by the host, whose key it does not have.
    others.push(Some((1, false)));
    others.push(Some((0, true)));
    for other in others {
        reports(&mut world, &meet, run, |newest| {
            let Some((rank, elsewhere)) = other else {
                return Vec::new();
            };
            let mut claim = newest.clone();
            claim.rank = rank;
            claim.removed = 0xff;
            claim.epoch += u64::from(elsewhere);
            vec![claim.sign(|bytes| key.sign(bytes))]
        });
        assert!(!reported(&world));
        assert!(world.roster(0).contains(&"Ada".to_owned()));
    }
    all_is_well(&mut world, &[0, 1, 2]);
}

/// It can sign that it was elsewhere, and nobody can know better: the host is told who says so.
#[test]
fn who_signs_that_it_had_one_is_named_to_the_host() {
    let (mut world, meet) = three();
    let run = run_of_ada(&mut world, &meet);
    let key = SigningKey::from_seed(&derive(&meet.seed(1), "committer sign", &[]));
    reports(&mut world, &meet, run, |newest| {
        let mut claim = newest.clone();
        (claim.rank, claim.tag) = (1, [1; 32]);
        vec![claim.sign(|bytes| key.sign(bytes))]
    });
    assert!(reported(&world));
    assert!(!world.roster(0).contains(&"Ada".to_owned()));
}
