//! A member has given its process a number that stands for something else among us, and is removed.

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::{Command, Freshness, Notice};

use crate::rogue::Wanting;
use crate::scene::{all_is_well, three};

#[test]
fn by_the_number_of_its_process() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let run = *b"removed rank   \0";
    let mallory = Wanting::new(LeafName::member("Mallory", run), 0x33);
    let admission = mallory.knock(&mut world, &meet.guest, secret, None, 10);
    let Ok(admission) = admission else {
        panic!("admitted like anybody")
    };
    mallory.enter(&mut world, admission);
    world.seconds(2);
    let who = world.who(0, "Mallory");
    world.command(0, Command::Remove(who));
    world.seconds(30);
    for index in [1, 2] {
        let stale = Notice::Chair(Freshness::Stale);
        assert!(
            !world.nodes[index].told.contains(&stale),
            "the host is heard"
        );
    }
    all_is_well(&mut world, &[0, 1, 2]);
}
