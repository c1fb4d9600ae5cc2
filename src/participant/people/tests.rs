use super::*;
use crate::participant::samples;

const VOICE: TrackId = TrackId(1);

fn presence(name: &str, tag: u8) -> Presence {
    Presence {
        name: name.into(),
        tag: [tag; 16],
        ..samples::presence(vec![samples::sound(VOICE)])
    }
}

fn appear(people: &mut People, id: u32, name: &str, tag: u8) -> Appearance {
    people.appeared(ParticipantId(id), presence(name, tag), Shown(name.into()))
}

fn frame(track: TrackId, number: u64) -> Frame {
    samples::frame(track, number, 20 * number, &b"sound"[..])
}

#[test]
fn one_who_comes_back_takes_over_from_its_ghost() {
    let mut people = People::default();
    assert_eq!(appear(&mut people, 10, "Ada", 1), Appearance::New(Key(0)));
    assert_eq!(appear(&mut people, 10, "Ada", 1), Appearance::Known);
    let now = Instant::now();
    assert!(
        people
            .frame(now, ParticipantId(10), &frame(VOICE, 0))
            .is_some()
    );

    let ghost = Some(ParticipantId(10));
    assert_eq!(
        appear(&mut people, 20, "Ada", 1),
        Appearance::Returned { key: Key(0), ghost }
    );
    assert!(
        people.departed(now, ParticipantId(10)).is_none(),
        "the ghost was nobody any more"
    );
    assert_eq!(people.here(), 1);
    assert!(
        people
            .frame(now, ParticipantId(10), &frame(VOICE, 1))
            .is_none()
    );
    assert!(
        people
            .frame(now, ParticipantId(20), &frame(VOICE, 4))
            .is_some()
    );
    let summary = people.summary();
    assert_eq!(summary.len(), 1);
    assert_eq!(
        (summary[0].tracks[0].received, summary[0].tracks[0].lost),
        (2, 3)
    );
}

#[test]
fn one_who_left_can_come_back() {
    let mut people = People::default();
    appear(&mut people, 10, "Ada", 1);
    let now = Instant::now();
    assert!(people.departed(now, ParticipantId(10)).is_some());
    assert_eq!(people.here(), 0);
    let returned = Appearance::Returned {
        key: Key(0),
        ghost: None,
    };
    assert_eq!(appear(&mut people, 20, "Ada", 1), returned);
    assert_eq!(people.all_departed(now), [Key(0)]);
    assert_eq!(people.all_departed(now), []);
    assert_eq!(appear(&mut people, 30, "Ada", 1), returned);
}

#[test]
fn one_who_stays_away_is_given_up_once() {
    let mut people = People::default();
    let start = Instant::now();
    appear(&mut people, 10, "Ada", 1);
    appear(&mut people, 11, "Bea", 2);
    people.departed(start, ParticipantId(10));
    assert_eq!(people.given_up(start + GIVE_UP), []);
    assert_eq!(people.given_up(start + GONE), [Key(0)]);
    assert_eq!(people.given_up(start + GONE * 2), []);
    let returned = appear(&mut people, 20, "Ada", 1);
    assert_eq!(
        returned,
        Appearance::Returned {
            key: Key(0),
            ghost: None
        }
    );
}

#[test]
fn neither_a_name_nor_a_tag_alone_makes_somebody_the_same() {
    let mut people = People::default();
    appear(&mut people, 1, "Ada", 1);
    assert_eq!(appear(&mut people, 2, "Ada", 2), Appearance::New(Key(1)));
    assert_eq!(
        appear(&mut people, 3, "Mallory", 1),
        Appearance::New(Key(2))
    );
    assert_eq!(people.here(), 3);
}

#[test]
fn tracks_that_nobody_described_do_not_count() {
    let mut people = People::default();
    appear(&mut people, 1, "Ada", 1);
    let now = Instant::now();
    assert!(
        people
            .frame(now, ParticipantId(1), &frame(TrackId(9), 0))
            .is_none()
    );
    assert!(
        people
            .frame(now, ParticipantId(2), &frame(VOICE, 0))
            .is_none()
    );
    assert_eq!(people.summary()[0].tracks[0].received, 0);
}

#[test]
fn tracks_that_a_relay_refuses_are_not_asked_for() {
    let mut people = People::default();
    let mut odd = presence("Mallory", 1);
    odd.tracks.push(odd.tracks[0].clone());
    odd.tracks[1].track = TrackId(TRACKS);
    people.appeared(ParticipantId(1), odd, Shown("Mallory".into()));
    let tracks = &people.get(Key(0)).unwrap().presence.tracks;
    assert_eq!(tracks.len(), 1);
    assert_eq!(tracks[0].track, VOICE);
}

#[test]
fn memory_is_bounded_whoever_comes() {
    let mut people = People::default();
    for id in 0..u32::try_from(PEOPLE).unwrap() {
        let mut crowded = presence(&format!("guest {id}"), 0);
        crowded.tracks = vec![crowded.tracks[0].clone(); 200];
        let appearance = people.appeared(ParticipantId(id), crowded, Shown(String::new()));
        assert_eq!(appearance, Appearance::New(Key(id)));
    }
    assert_eq!(
        appear(&mut people, u32::MAX, "one more", 0),
        Appearance::TooMany
    );
    assert!(
        people
            .all
            .iter()
            .all(|person| person.presence.tracks.len() <= TRACKS_EACH)
    );
    let back = appear(&mut people, u32::MAX, "guest 7", 0);
    assert!(
        matches!(back, Appearance::Returned { key: Key(7), .. }),
        "{back:?}"
    );
}
