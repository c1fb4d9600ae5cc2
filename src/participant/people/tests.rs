use super::*;
use crate::participant::samples;

const VOICE: TrackId = TrackId(1);
const ADA: Who = Who(0);
const BEA: Who = Who(1);

fn presence(name: &str) -> Presence {
    Presence {
        name: name.into(),
        ..samples::presence(vec![samples::sound(VOICE)])
    }
}

fn appear(people: &mut People, who: Who, name: &str) -> Appearance {
    people.appeared(who, presence(name), Shown(name.into()))
}

fn frame(track: TrackId, number: u64) -> Frame {
    samples::frame(track, number, 20 * number, &b"sound"[..])
}

#[test]
fn one_who_comes_back_goes_on_where_it_was() {
    let mut people = People::default();
    assert_eq!(appear(&mut people, ADA, "Ada"), Appearance::New);
    assert_eq!(appear(&mut people, ADA, "Ada"), Appearance::Known);
    let now = Instant::now();
    assert!(people.frame(now, ADA, &frame(VOICE, 0)).is_some());
    assert!(people.departed(now, ADA).is_some());
    assert!(people.departed(now, ADA).is_none(), "once");
    assert_eq!(people.here(), 0);
    assert!(people.frame(now, ADA, &frame(VOICE, 1)).is_none());
    assert_eq!(appear(&mut people, ADA, "Ada"), Appearance::Returned);
    assert!(people.frame(now, ADA, &frame(VOICE, 4)).is_some());
    let summary = people.summary();
    assert_eq!(summary.len(), 1);
    assert_eq!(
        (summary[0].tracks[0].received, summary[0].tracks[0].lost),
        (2, 3)
    );
}

#[test]
fn one_who_is_here_can_say_something_new() {
    let mut people = People::default();
    appear(&mut people, ADA, "Ada");
    assert_eq!(appear(&mut people, ADA, "Ada B."), Appearance::Changed);
    assert_eq!(people.here(), 1);
    assert_eq!(people.get(ADA).unwrap().shown, Shown("Ada B.".into()));
}

#[test]
fn one_who_stays_away_is_given_up_once() {
    let mut people = People::default();
    let start = Instant::now();
    appear(&mut people, ADA, "Ada");
    appear(&mut people, BEA, "Bea");
    people.departed(start, ADA);
    assert_eq!(people.given_up(start + GIVE_UP), []);
    assert_eq!(people.given_up(start + GONE), [ADA]);
    assert_eq!(people.given_up(start + GONE * 2), []);
    assert_eq!(appear(&mut people, ADA, "Ada"), Appearance::Returned);
}

#[test]
fn of_namesakes_the_first_who_is_here_counts() {
    let mut people = People::default();
    appear(&mut people, BEA, "Ada");
    appear(&mut people, ADA, "Ada");
    let first = |people: &People| people.first_here("Ada").map(|person| person.who);
    assert_eq!(first(&people), Some(ADA));
    people.departed(Instant::now(), ADA);
    assert_eq!(first(&people), Some(BEA));
}

#[test]
fn tracks_that_nobody_described_do_not_count() {
    let mut people = People::default();
    appear(&mut people, ADA, "Ada");
    let now = Instant::now();
    assert!(people.frame(now, ADA, &frame(TrackId(9), 0)).is_none());
    assert!(people.frame(now, BEA, &frame(VOICE, 0)).is_none());
    assert_eq!(people.summary()[0].tracks[0].received, 0);
}

#[test]
fn tracks_that_a_relay_refuses_are_not_asked_for_nor_more_than_there_can_be() {
    let mut people = People::default();
    let mut odd = presence("Mallory");
    odd.tracks.push(odd.tracks[0].clone());
    odd.tracks[1].track = TrackId(TRACKS);
    people.appeared(ADA, odd, Shown("Mallory".into()));
    let tracks = &people.get(ADA).unwrap().presence.tracks;
    assert_eq!(tracks.len(), 1);
    assert_eq!(tracks[0].track, VOICE);
    let mut crowded = presence("Crowd");
    crowded.tracks = vec![crowded.tracks[0].clone(); 200];
    people.appeared(BEA, crowded, Shown("Crowd".into()));
    assert_eq!(people.get(BEA).unwrap().presence.tracks.len(), TRACKS_EACH);
}

#[test]
fn no_two_are_shown_alike() {
    let mut people = People::beside("Me".into());
    let shown = |people: &People, who| people.get(who).unwrap().shown.0.clone();
    let mut cast = (1..).map(Who);
    let mut comes = |people: &mut People, name: &str| {
        let who = cast.next().unwrap();
        appear(people, who, name);
        (who, shown(people, who))
    };
    let (first, name) = comes(&mut people, "Ada");
    assert_eq!(name, "Ada");
    assert_eq!(comes(&mut people, "Ada").1, "Ada (2)");
    assert_eq!(comes(&mut people, "Me").1, "Me (2)");
    assert_eq!(comes(&mut people, "Ada (3)").1, "Ada (3)");
    // One who has left is not who comes under its name.
    people.departed(Instant::now(), first);
    let (fourth, name) = comes(&mut people, "Ada");
    assert_eq!(name, "Ada (4)");
    // Who is there keeps what it is shown as.
    people.departed(Instant::now(), fourth);
    appear(&mut people, fourth, "Ada");
    appear(&mut people, first, "Ada");
    assert_eq!(
        (&*shown(&people, fourth), &*shown(&people, first)),
        ("Ada (4)", "Ada")
    );
}
