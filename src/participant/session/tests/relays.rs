//! Links with more than one relay.

use super::relay::links;
use super::*;

/// The kinds of the warnings, in order.
fn warnings(page: &Page) -> Vec<String> {
    let events = page.events().into_iter();
    let kinds = events.filter_map(|event| Some(event["warning"].as_str()?.to_owned()));
    kinds.collect()
}

#[tokio::test]
async fn where_the_first_relay_does_not_answer_all_meet_at_the_second() {
    let gone = Relay::start(0).await;
    let relays = |other: &Relay| vec![gone.reference(), other.reference()];
    let second = Relay::start(0).await;
    let links = links(relays(&second));
    gone.stop().await;
    let mut pages = Vec::new();
    for (name, link) in [("Ada", &links.host), ("Bea", &links.meeting)] {
        let mut options = options(link, name);
        options.stay = Some(Duration::from_secs(6));
        pages.push(spawn(options));
    }
    for (page, thread) in pages {
        ended(thread).await.unwrap();
        assert_eq!(warnings(&page), ["relay-passed", "other-relay"]);
        assert!(
            page.names().contains(&"joined".into()),
            "{:#?}",
            page.events()
        );
        let told = page.events()[0]["text"].as_str().unwrap().to_owned();
        assert!(told.starts_with("Relay 1 of the 2 in the link: "), "{told}");
        assert!(!told.contains("127.0.0.1"), "{told}");
    }
}

#[tokio::test]
async fn one_who_poses_as_the_first_relay_is_told_and_passed_over() {
    let first = Relay::start(0).await;
    let second = Relay::start(0).await;
    let link = links(vec![first.reference(), second.reference()]).host;
    let port = first.port;
    first.stop().await;
    let _poses = Relay::known_by([6; 32], port).await;
    let mut options = options(&link, "Ada");
    options.stay = Some(Duration::from_millis(200));
    let (page, thread) = spawn(options);
    ended(thread).await.unwrap();
    assert_eq!(warnings(&page), ["wrong-relay", "other-relay"]);
    let told = page.events()[0]["text"].as_str().unwrap().to_owned();
    assert!(told.contains("not the relay the link names"), "{told}");
}

#[tokio::test]
async fn a_full_room_at_the_first_relay_sends_nobody_to_the_second() {
    let (first, second) = (Relay::start(0).await, Relay::start(0).await);
    first.refuse(CloseReason::RoomFull);
    let link = links(vec![first.reference(), second.reference()]).host;
    let (page, thread) = spawn(options(&link, "Ada"));
    let error = ended(thread).await.unwrap_err();
    assert!(
        matches!(error, JoinError::Closed(CloseReason::RoomFull)),
        "{error}"
    );
    assert!(page.names().is_empty());
}
