//! Hands, who is muted, who plays a file: what everybody is told, and how often.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::world::{Parcel, World};
use super::*;
use crate::meeting::Standing;
use crate::meeting::events::Input;
use crate::wire::FromRelay;

const HAND: Standing = Standing {
    hand: true,
    muted: false,
    playing: false,
};
const MUTED: Standing = Standing {
    hand: false,
    muted: true,
    playing: true,
};

fn two() -> (World, Meet) {
    let meet = meet(0);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    world.join(&meet.guest, "Ada");
    world.seconds(3);
    (world, meet)
}

/// What this participant was told of how somebody stands, in order.
fn told(world: &World, index: usize, name: &str) -> Vec<Standing> {
    let of = world.who(index, name);
    let told = world.nodes[index].told.iter();
    told.filter_map(|notice| match notice {
        Notice::Standing { who, standing } if *who == of => Some(*standing),
        _ => None,
    })
    .collect()
}

#[test]
fn a_hand_is_seen_at_once_and_by_those_who_come_later() {
    let (mut world, meet) = two();
    assert_eq!(told(&world, 0, "Ada"), [Standing::default()]);
    world.tell(1, Input::Show(HAND));
    world.settle();
    assert_eq!(told(&world, 0, "Ada").last(), Some(&HAND));
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(3);
    assert_eq!(told(&world, bea, "Ada"), [HAND]);
    world.reconnect(1);
    world.seconds(3);
    assert_eq!(told(&world, bea, "Ada").last(), Some(&HAND));
    // And of one who was gone for so long that it had to knock anew.
    world.side(1, 1);
    world.tell(1, Input::Show(MUTED));
    world.seconds(200);
    world.side(1, 0);
    world.seconds(60);
    assert_eq!(told(&world, bea, "Ada").last(), Some(&MUTED));
}

#[test]
fn what_was_shown_before_one_was_let_in_is_shown_then() {
    let meet = meet(0);
    let mut world = World::new();
    world.join(&meet.host, "Host");
    world.seconds(1);
    let ada = world.join(&meet.guest, "Ada");
    world.tell(ada, Input::Show(MUTED));
    world.seconds(3);
    assert_eq!(told(&world, 0, "Ada"), [MUTED]);
}

/// Whoever plays with a switch is not seen doing so by the relay: the messages are few, and of one size.
#[test]
fn however_often_it_changes_little_goes_out_and_the_last_of_it_arrives() {
    let (mut world, _) = two();
    world.seconds(30);
    let sizes = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&sizes);
    world.passes = Box::new(move |to, parcel| {
        if let (0, Parcel::Control(FromRelay::Message { body, .. })) = (to, parcel) {
            seen.borrow_mut().push(body.len());
        }
        true
    });
    world.seconds(10);
    assert!(sizes.borrow().is_empty(), "only the chair beats");
    for turn in 0..1000_u64 {
        let standing = [HAND, MUTED, Standing::default()][(turn % 3) as usize];
        world.tell(1, Input::Show(standing));
        world.run(Duration::from_millis(20));
    }
    world.tell(1, Input::Show(HAND));
    world.seconds(5);
    let sizes = sizes.borrow();
    assert!((8..=12).contains(&sizes.len()), "{}", sizes.len());
    let kinds: BTreeSet<usize> = sizes.iter().copied().collect();
    assert_eq!(kinds.len(), 1, "{kinds:?}");
    assert_eq!(told(&world, 0, "Ada").last(), Some(&HAND));
    assert_eq!(world.names(0), ["Ada"], "and she is the same as before");
}

/// It would go out under keys that somebody may have who was removed.
#[test]
fn nothing_is_said_while_the_chair_is_not_heard() {
    let (mut world, meet) = two();
    let bea = world.join(&meet.guest, "Bea");
    world.seconds(3);
    world.kill(0);
    world.seconds(70);
    let before = told(&world, bea, "Ada").len();
    world.tell(1, Input::Show(HAND));
    world.seconds(10);
    assert_eq!(told(&world, bea, "Ada").len(), before);
}
