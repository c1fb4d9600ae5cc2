//! Sessions in memory, with a relay that is a few lines long.

mod world;

use std::time::Duration;

use bytes::Bytes;
use sottovoce::meeting::Command;
use sottovoce::wire::{CloseReason, FromRelay, TrackId, encode_control};

use self::world::{PICTURE, SOUND, World};
use super::*;
use crate::out::{Gone, LossReason, Wait};

fn frame(track: TrackId, keyframe: bool, payload: &'static [u8]) -> OwnFrame {
    OwnFrame {
        track,
        timestamp: 20_000.0,
        duration: Some(20_000.0),
        keyframe,
        payload: Bytes::from_static(payload),
    }
}

/// A host and a guest who was let in: `(world, host, guest)`.
fn met() -> (World, usize, usize) {
    let mut world = World::new(1);
    let host = world.join("host", "Ada");
    let guest = world.join("meeting", "Bea");
    world.run(2000);
    let number = world.find(host, |out| match out {
        Out::Knock {
            number,
            name,
            taken: false,
        } if name == "Bea" => Some(*number),
        _ => None,
    });
    assert!(world.has(guest, |out| matches!(
        out,
        Out::Waiting {
            r#for: Wait::Decision
        }
    )));
    world.command(host, Command::Admit(number));
    world.run(2000);
    (world, host, guest)
}

fn who(world: &World, at: usize, shown: &str) -> u32 {
    world.find(at, |out| match out {
        Out::Person { who, name, .. } if name == shown => Some(*who),
        _ => None,
    })
}

#[test]
fn a_knock_an_admission_a_word_and_media() {
    let (mut world, host, guest) = met();
    for at in [host, guest] {
        assert!(world.has(at, |out| matches!(out, Out::Inside)));
    }
    let ada = who(&world, guest, "Ada");
    for track in [SOUND, PICTURE] {
        world.with(guest, |session, now| {
            session.listen(now, Who(ada), track, true)
        });
    }
    assert!(world.with(host, |session, now| session.say(now, "good evening".into())));
    world.run(100);
    assert!(world.has(
        guest,
        |out| matches!(out, Out::Chat { who, text } if *who == ada && text == "good evening")
    ));
    world.with(host, |session, now| {
        session.send(now, frame(SOUND, true, b"sound"))
    });
    world.with(host, |session, now| {
        session.send(now, frame(PICTURE, true, b"key frame"))
    });
    world.with(host, |session, now| {
        session.send(now, frame(PICTURE, false, b"another"))
    });
    world.run(100);
    let frames = |world: &World| {
        world.all(guest, |out| match out {
            Out::Frame {
                who,
                track,
                number,
                timestamp,
                bytes,
                ..
            } => {
                assert_eq!((*who, *timestamp), (ada, 20_000.0));
                Some((*track, *number, bytes.0.clone()))
            }
            _ => None,
        })
    };
    let sent = [
        (SOUND.0, 0.0, Bytes::from_static(b"sound")),
        (PICTURE.0, 0.0, Bytes::from_static(b"key frame")),
        (PICTURE.0, 1.0, Bytes::from_static(b"another")),
    ];
    assert_eq!(frames(&world), sent);
    let bea = who(&world, host, "Bea");
    world.command(host, Command::Remove(Who(bea)));
    world.run(1000);
    assert_eq!(world.over(guest), Some(Over::Removed));
    assert!(world.has(
        host,
        |out| matches!(out, Out::Gone { who, why: Gone::Removed } if *who == bea)
    ));
    world.with(host, |session, now| {
        session.send(now, frame(SOUND, true, b"among ourselves"))
    });
    world.run(1000);
    assert_eq!(frames(&world).len(), sent.len(), "nothing more is opened");
    assert_eq!(world.deadline(guest), None);
}

#[test]
fn a_screen_is_shown_and_taken_back() {
    let (mut world, host, guest) = met();
    let ada = who(&world, guest, "Ada");
    let screen = TrackId(3);
    let tracks = |with: bool| {
        let picture = |track| OwnTrack::Vp8 {
            track,
            width: 1280,
            height: 720,
            screen: track == screen.0,
        };
        let all = [picture(PICTURE.0), picture(screen.0)];
        describe(&all[..1 + usize::from(with)]).expect("tracks")
    };
    world.with(host, |session, now| session.describe(now, tracks(true)));
    world.run(100);
    let told = world.find(guest, |out| match out {
        Out::Person {
            who,
            tracks,
            returned: false,
            ..
        } if *who == ada => Some(tracks.len()),
        _ => None,
    });
    assert_eq!(told, 2);
    world.with(guest, |session, now| {
        session.listen(now, Who(ada), screen, true)
    });
    world.with(host, |session, now| {
        session.send(now, frame(screen, true, b"a slide"))
    });
    world.with(host, |session, now| session.describe(now, tracks(false)));
    world.with(host, |session, now| {
        session.send(now, frame(screen, true, b"private"))
    });
    world.run(100);
    let shown = world.all(guest, |out| match out {
        Out::Frame { bytes, .. } => Some(bytes.0.clone()),
        _ => None,
    });
    assert_eq!(shown, [Bytes::from_static(b"a slide")]);
    assert!(world.has(guest, |out| *out
        == Out::TrackEnded {
            who: ada,
            track: screen.0
        }));
}

#[test]
fn who_stands_how_is_told_and_the_host_ends_it_for_everybody() {
    let (mut world, host, guest) = met();
    let ada = who(&world, guest, "Ada");
    let muted = Standing {
        muted: true,
        ..Standing::default()
    };
    world.with(host, |session, now| session.stand(now, muted));
    world.run(100);
    let told = world.find(guest, |out| match out {
        Out::Standing {
            who, hand, muted, ..
        } if *muted => Some((*who, *hand)),
        _ => None,
    });
    assert_eq!(told, (ada, false));
    world.with(host, |session, now| assert!(session.end_for_all(now)));
    world.run(100);
    assert_eq!(world.over(guest), Some(Over::Ended));
    world.run(4000);
    assert_eq!(world.over(host), Some(Over::Ended));
}

#[test]
fn who_leaves_says_so_and_closes_all_that_it_had() {
    let (mut world, host, guest) = met();
    world.with(guest, Session::leave);
    world.run(1000);
    assert_eq!(world.over(guest), Some(Over::Left));
    assert_eq!(world.connections(guest), 0);
    assert!(world.has(host, |out| matches!(
        out,
        Out::Gone {
            why: Gone::Left,
            ..
        }
    )));
}

#[test]
fn a_relay_that_restarts_is_found_again_and_nobody_knocks() {
    let (mut world, host, guest) = met();
    world.clear();
    world.restart();
    world.run(15_000);
    for at in [host, guest] {
        assert!(world.has(at, |out| matches!(
            out,
            Out::Reconnecting {
                reason: LossReason::Restarting,
                ..
            }
        )));
        assert!(world.has(at, |out| matches!(out, Out::Reconnected)));
        assert!(world.has(at, |out| matches!(out, Out::Person { .. })));
        assert!(!world.has(at, |out| matches!(
            out,
            Out::Gone { .. } | Out::Knock { .. }
        )));
    }
    assert!(world.with(host, |session, now| session.say(now, "still here".into())));
    world.run(1000);
    assert!(world.has(guest, |out| matches!(out, Out::Chat { .. })));
}

#[test]
fn the_next_relay_is_tried_when_the_first_does_not_answer() {
    let mut world = World::new(2);
    world.silent.insert("relay1.example:443".into());
    let host = world.join("host", "Ada");
    world.run(4900);
    assert!(!world.has(host, |out| matches!(out, Out::Inside)));
    world.run(2000);
    assert!(world.has(host, |out| matches!(out, Out::Inside)));
    assert!(world.has(host, |out| matches!(
        out,
        Out::OtherRelay { number: 2, of: 2 }
    )));
    let closed = world.all(host, |out| {
        matches!(out, Out::Close { line: 0 }).then_some(())
    });
    assert_eq!(
        closed.len(),
        1,
        "the attempt that took too long is given up"
    );
}

#[test]
fn where_nothing_answers_it_is_over_at_once_and_after_a_loss_in_two_minutes() {
    let mut world = World::new(1);
    world.down = true;
    let host = world.join("host", "Ada");
    world.run(100);
    assert_eq!(world.over(host), Some(Over::Unreachable));
    let (mut world, host, _) = met();
    world.down = true;
    world.restart();
    world.run(110_000);
    assert_eq!(world.over(host), None);
    world.run(30_000);
    assert_eq!(world.over(host), Some(Over::Lost));
}

#[test]
fn a_last_word_that_no_waiting_mends_is_the_end() {
    let mut world = World::new(1);
    let host = world.join("host", "Ada");
    let closed = FromRelay::Closed {
        reason: CloseReason::Pass,
    };
    let bytes = encode_control(&closed).expect("a message");
    world.with(host, |session, now| session.control(now, 0, &bytes));
    assert_eq!(world.over(host), Some(Over::Closed));
    assert!(world.has(host, |out| matches!(out, Out::Over { code: Some(12), .. })));
}

#[test]
fn a_relay_that_says_nothing_or_nonsense_is_left() {
    let mut world = World::new(1);
    world.mute = true;
    let host = world.join("host", "Ada");
    world.run(5500);
    assert!(world.has(host, |out| matches!(
        out,
        Out::Reconnecting {
            reason: LossReason::Silence,
            ..
        }
    )));
    let mut world = World::new(1);
    let host = world.join("host", "Ada");
    world.clear();
    world.with(host, |session, now| session.control(now, 0, &[0xff; 4]));
    assert!(world.has(host, |out| matches!(out, Out::Close { line: 0 })));
    world.with(host, |session, now| session.control(now, 0, b"late"));
    world.run(3000);
    assert!(world.connections(host) > 0, "it is back");
}

#[test]
fn whatever_comes_on_streams_and_datagrams_harms_nothing() {
    let (mut world, host, guest) = met();
    world.clear();
    for length in 0..40_u8 {
        let bytes = Bytes::from(vec![length; usize::from(length)]);
        world.with(guest, |session, now| {
            session.datagram(now, 1, bytes.clone())
        });
        world.with(guest, |session, now| {
            session.group(now, 1, length.into(), bytes)
        });
    }
    world.with(guest, |session, now| {
        session.group(now, 999, 1, Bytes::from_static(b"x"))
    });
    assert!(world.has(guest, |out| matches!(out, Out::Stop { .. })));
    assert!(world.with(host, |session, now| session.say(now, "well?".into())));
    world.run(100);
    assert!(world.has(guest, |out| matches!(out, Out::Chat { .. })));
}

#[test]
fn nobody_asks_for_what_a_relay_would_close_it_for() {
    let (mut world, _, guest) = met();
    let ada = Who(who(&world, guest, "Ada"));
    world.clear();
    for (who, track) in [(ada, 16), (ada, 200), (ada, 9), (Who(77), 1)] {
        world.with(guest, |session, now| {
            session.listen(now, who, TrackId(track), true)
        });
    }
    assert!(!world.has(guest, |out| matches!(out, Out::Control { .. })));
    world.with(guest, |session, now| session.listen(now, ada, SOUND, true));
    assert!(world.has(guest, |out| matches!(out, Out::Control { .. })));
}

#[test]
fn time_that_goes_back_or_jumps_is_survived() {
    let (mut world, host, _) = met();
    world.with(host, |session, _| session.tick(Duration::ZERO));
    world.with(host, |session, now| {
        session.tick(now + Duration::from_secs(86_400))
    });
    assert!(world.with(host, |session, _| session.deadline()).is_some());
}
