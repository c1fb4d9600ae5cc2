//! What people do.

use super::*;

#[test]
fn who_watches_sees_all_and_is_seen_by_nobody() {
    let mut scene = Scene::new(0);
    let viewer = scene.viewer;
    assert!(scene.told(viewer, &Notice::Vigil { speaks: false }));
    assert!(scene.told(ADA, &Notice::Vigil { speaks: true }));
    assert_eq!(scene.world.names(viewer), ["Ada", "Host"]);
    scene.speak(ADA, 60);
    scene.world.seconds(1);
    let all: Vec<u64> = (0..60).collect();
    for listener in [viewer, HOST] {
        assert_eq!(scene.world.got(listener, "Ada", SOUND), all);
        assert_eq!(scene.world.got(listener, "Ada", PICTURE), all);
    }
    assert_eq!(scene.world.names(HOST), ["Ada"]);
    assert_eq!(scene.world.names(ADA), ["Host"]);
    for index in [HOST, ADA] {
        let roster = scene.world.nodes[index].meeting.look().unwrap().roster;
        assert_eq!(roster.len(), 2);
    }
}
