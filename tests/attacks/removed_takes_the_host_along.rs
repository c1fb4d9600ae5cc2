//! A member gives its process a number that stands for something else among us, to be removed under it.

use sottovoce::meeting::group::LeafName;
use sottovoce::meeting::lobby::Status;

use crate::rogue::Wanting;
use crate::scene::{all_is_well, three};

/// What stands for a process is not its own to choose.
#[test]
fn by_the_number_of_its_process() {
    let (mut world, meet) = three();
    let secret = meet.link_secret();
    let run = *b"removed rank   \0";
    let mallory = Wanting::claiming(LeafName::member("Mallory", run), 0x33);
    let outcome = mallory.knock(&mut world, &meet.guest, secret, None, 10);
    assert!(matches!(outcome, Err(Some(Status::Denied))));
    all_is_well(&mut world, &[0, 1, 2]);
}
