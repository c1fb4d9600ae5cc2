//! Nobody but the host's device lets anyone in or puts anyone out: whom it denies learns nothing, whom
//! it removes hears nothing more, and those who stay miss nothing.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{Links, Participant, Relay, fixture, invite};

const SOON: Duration = Duration::from_secs(30);

/// Waits for this one's knock, and gives its number.
fn knock(host: &mut Participant, name: &str) -> u64 {
    let knock = host.until_that("knock", SOON, |event| event["name"] == name);
    knock["number"].as_u64().expect("a number")
}

fn admit(host: &mut Participant, name: &str) {
    let number = knock(host, name);
    host.types(&format!("/admit {number}"));
}

fn tracks<'a>(summary: &'a Value, name: &str) -> &'a Vec<Value> {
    let people = summary["participants"].as_array().expect("participants");
    let person = people.iter().find(|person| person["name"] == name);
    person.expect("it was there")["tracks"]
        .as_array()
        .expect("tracks")
}

#[test]
fn one_is_denied_one_is_removed_and_the_others_miss_nothing() {
    let relay = Relay::start();
    let links = invite(&relay.address, &["--title", "Commemoration"]);
    let mut dan = Participant::join(&links.meeting, "Dan", &["--for", "60s"]);
    dan.until_that("waiting", SOON, |event| event["for"] == "host");
    let mut host = Participant::typing(&links.host, "Host", &["--for", "60s"]);
    host.until("connected", SOON);
    dan.until_that("waiting", SOON, |event| event["for"] == "decision");
    let denied = knock(&mut host, "Dan");
    let mut bea = Participant::join(&links.meeting, "Bea", &["--for", "40s"]);
    let number = knock(&mut host, "Bea");
    host.types(&format!("/compare {number}"));
    let (hers, shown) = (bea.until("compare", SOON), host.until("compare", SOON));
    assert_eq!(hers["words"], shown["words"]);
    assert_eq!(
        (&shown["number"], &shown["name"]),
        (&number.into(), &"Bea".into())
    );
    host.types("/same Bea");
    host.until("compared", SOON);
    host.types("/admit Bea");
    bea.until("connected", SOON);
    let mut cem = Participant::join(&links.meeting, "Cem", &["--for", "40s"]);
    admit(&mut host, "Cem");
    cem.until("connected", SOON);
    let file = fixture("vp8-voice.webm");
    let play = file.to_str().expect("a path");
    let arguments = [
        "--play",
        play,
        "--loop",
        "--for",
        "14s",
        "--begin-with",
        "3",
    ];
    let mut ada = Participant::join(&links.meeting, "Ada", &arguments);
    admit(&mut host, "Ada");
    ada.until("connected", SOON);
    host.types(&format!("/deny {denied}"));
    let (status, _, events) = dan.finish(SOON);
    assert_eq!(status.code(), Some(26), "{events:#?}");
    assert!(
        events.iter().all(|event| event["event"] != "joined"),
        "who is denied learns of nobody: {events:#?}"
    );

    std::thread::sleep(Duration::from_secs(4));
    host.types("/remove Cem");
    let (status, removed, events) = cem.finish(SOON);
    assert_eq!(status.code(), Some(26), "{events:#?}");
    let moved = host.until("link", SOON);
    let new_link = moved["meeting_link"].as_str().expect("a link").to_owned();
    let mut late = Participant::join(&links.meeting, "Late", &["--for", "1s"]);
    late.until_that("waiting", SOON, |event| event["for"] == "host");
    let mut eve = Participant::join(&new_link, "Eve", &["--for", "1s"]);
    admit(&mut host, "Eve");
    eve.until("connected", SOON);
    let (status, _, events) = eve.finish(SOON);
    assert!(status.success(), "{events:#?}");
    late.signal("INT");

    let (status, sent, events) = ada.finish(SOON);
    assert!(status.success(), "{events:#?}");
    bea.signal("INT");
    let (_, heard, _) = bea.finish(SOON);
    let sent = sent["sent"]["tracks"].as_array().expect("tracks");
    let (got, cut) = (tracks(&heard, "Ada"), tracks(&removed, "Ada"));
    assert_eq!(sent.len(), 2);
    for ((sent, got), cut) in sent.iter().zip(got).zip(cut) {
        assert_eq!(sent["digest"], got["digest"], "{sent:#?} {got:#?}");
        assert_eq!(got["lost"], 0, "{sent:#?} {got:#?}");
        let (all, part) = (sent["frames"].as_u64(), cut["received"].as_u64());
        assert!(part > Some(0) && part < all, "{part:?} of {all:?}");
    }
}

#[test]
fn what_is_typed_is_read_and_the_words_are_the_same_for_all() {
    let relay = Relay::start();
    let Links { meeting, host, .. } = invite(&relay.address, &[]);
    let mut host = Participant::typing(&host, "Host", &["--admit", "all", "--for", "60s"]);
    host.until("connected", SOON);
    let mut ada = Participant::typing(&meeting, "Ada", &["--for", "60s"]);
    ada.until_that("joined", SOON, |event| event["name"] == "Host");
    host.until_that("joined", SOON, |event| event["name"] == "Ada");
    ada.types("good \u{202e}evening");
    let chat = host.until("chat", SOON);
    assert_eq!(chat["name"], "Ada");
    assert_eq!(chat["text"], "good \u{fffd}evening");
    host.types("/words");
    ada.types("/words");
    let (one, same) = (host.until("words", SOON), ada.until("words", SOON));
    assert_eq!(one["words"], same["words"]);
    assert_eq!(one["words"].as_array().map(Vec::len), Some(5));
    ada.types("/lock");
    ada.until("answer", SOON);
    host.types("/lock");
    host.until_that("locked", SOON, |event| event["locked"] == true);
    ada.types("/who");
    let roster = ada.until("roster", SOON);
    let names: Vec<&str> = roster["members"]
        .as_array()
        .expect("members")
        .iter()
        .filter_map(|member| member["name"].as_str())
        .collect();
    assert_eq!(names, ["Host", "Ada"]);
    ada.types("/leave");
    let (status, _, events) = ada.finish(SOON);
    assert!(status.success(), "{events:#?}");
}
