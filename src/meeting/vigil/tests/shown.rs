//! What viewers are told of speakers besides their media, and of the end.

use super::*;
use crate::meeting::Standing;
use crate::meeting::events::{Ending, Who};

const HAND: Standing = Standing {
    hand: true,
    muted: true,
    playing: false,
};

fn told(scene: &Scene, of: Who) -> Vec<Standing> {
    let told = scene.world.nodes[scene.viewer].told.iter();
    told.filter_map(|notice| match notice {
        Notice::Standing { who, standing } if *who == of => Some(*standing),
        _ => None,
    })
    .collect()
}

#[test]
fn how_a_speaker_stands_is_told_with_the_next_papers() {
    let mut scene = Scene::new(0);
    let ada = scene.world.who(scene.viewer, "Ada");
    assert_eq!(told(&scene, ada), [Standing::default()]);
    let papers = scene.papers().len();
    scene.world.tell(ADA, Input::Show(HAND));
    scene.world.settle();
    assert_eq!(scene.papers().len(), papers, "and not by papers of its own");
    scene.world.seconds(6);
    assert_eq!(told(&scene, ada), [Standing::default(), HAND]);
    let late = scene.world.watch(&scene.meet.guest);
    scene.world.seconds(2);
    let who = scene.world.who(late, "Ada");
    let standing = HAND;
    let notice = Notice::Standing { who, standing };
    assert!(scene.told(late, &notice));
}

#[test]
fn the_end_is_the_chairs_to_say() {
    let mut scene = Scene::new(1);
    let viewer = scene.viewer;
    // A speaker, who is none of those who hold it, and says so all the same.
    let (ada, salt) = scene.place("Ada");
    let group = scene.world.nodes[ADA].meeting.group().expect("inside");
    let word = Word::sign(group, ada, &salt, Says::End).expect("signs");
    let before = scene.world.nodes[viewer].rejected;
    scene.publish(ada, &Paper::Word(Box::new(word)));
    assert_eq!(scene.world.nodes[viewer].rejected, before + 1);
    scene.world.seconds(1);
    assert_eq!(scene.world.nodes[viewer].over, None);
    scene.world.command(HOST, Command::EndForAll);
    scene.world.seconds(4);
    for index in [HOST, ADA, viewer] {
        assert_eq!(
            scene.world.nodes[index].over,
            Some(Ending::Ended),
            "{index}"
        );
    }
    assert!(scene.world.stays(viewer).is_empty());
}
