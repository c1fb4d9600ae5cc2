//! What happens in a lobby when all goes well, or as well as it can.

use super::*;
use crate::meeting::LinkSecret;

#[test]
fn a_knocker_waits_and_is_let_in_with_a_large_welcome() {
    for length in [0, 1, 15_000, 15_001, 41_000, PAYLOAD_BYTES] {
        let mut lobby = Lobby::with(&["Ana"]);
        assert_eq!(lobby.status(0), Status::Waiting);
        assert_eq!(lobby.guests[0].told.title.as_deref(), Some("Title"));
        {
            let waiting: Vec<_> = lobby.porter().waiting().collect();
            assert_eq!((waiting.len(), waiting[0].number), (1, 1));
            assert_eq!((waiting[0].name, waiting[0].held), ("Ana", false));
            assert_eq!(waiting[0].key_package, b"key package of Ana");
        }
        let now = lobby.now;
        let given = payload(length);
        assert_eq!(lobby.porter().admit(now, &[1], &given), Ok(()));
        lobby.run(seconds(6));
        assert!(
            lobby.guests[0].told.payload.as_ref() == Some(&*given),
            "{length}"
        );
        assert!(lobby.numbers().is_empty());
        assert_eq!(
            lobby.porter().admit(now, &[1], &given),
            Err(AdmitError::NobodyThere)
        );
    }
}

#[test]
fn bodies_fit_the_envelope_and_the_relays_pace() {
    let mut lobby = Lobby::with(&["Ana"]);
    let now = lobby.now;
    lobby
        .porter()
        .admit(now, &[1], &payload(PAYLOAD_BYTES))
        .unwrap();
    let mut parts = 0;
    lobby.run_with(seconds(1), |lobby, letter| {
        let length = postcard::to_allocvec(&letter.2).unwrap().len();
        assert!(
            length + 16 <= crate::meeting::limits::BODY_CLASSES[3],
            "{length}"
        );
        parts += usize::from(length > 10_000);
        lobby.deliver(letter);
    });
    assert!((3..=5).contains(&parts), "{parts} parts in a second");
    let too_large = payload(PAYLOAD_BYTES + 1);
    let mut lobby = Lobby::with(&["Ana"]);
    assert_eq!(
        lobby.porter().admit(now, &[1], &too_large),
        Err(AdmitError::TooLarge)
    );
}

#[test]
fn who_is_there_before_the_host_is_told_so_and_served_when_it_comes() {
    let (meeting, host, _) = links(1);
    let mut lobby = Lobby::new();
    lobby.guest(&meeting, knock("Ana"));
    lobby.run(seconds(1));
    assert_eq!(lobby.status(0), Status::Asking);
    lobby.run(seconds(2));
    assert_eq!(lobby.status(0), Status::HostNotHere);
    // Between two questions.
    lobby.run(seconds(3));
    lobby.chair(&host, CHAIR, 1);
    lobby.run(seconds(1));
    assert_eq!(lobby.status(0), Status::Waiting);
    assert_eq!(lobby.numbers(), [1]);
}

#[test]
fn who_is_denied_is_told_and_not_heard_again() {
    let mut lobby = Lobby::with(&["Ana", "Ben"]);
    assert!(lobby.porter().deny(1) && !lobby.porter().deny(1));
    lobby.run(seconds(60));
    assert_eq!(
        (lobby.status(0), lobby.status(1)),
        (Status::Denied, Status::Waiting)
    );
    assert_eq!(lobby.numbers(), [2]);
    let (meeting, ..) = links(1);
    let id = lobby.guests[0].id;
    lobby.guests[0].knocker = Knocker::new(&meeting, knock("Eve"), [77; 32]).unwrap();
    let now = lobby.now;
    lobby.guests[0].knocker.enter(now, id);
    lobby.run(seconds(60));
    assert_eq!(lobby.status(0), Status::Denied);
    assert_eq!(lobby.numbers(), [2]);
}

#[test]
fn a_lock_holds_knockers_and_unlocking_lets_them_wait() {
    let mut lobby = Lobby::with(&["Ana"]);
    lobby.porter().lock(true);
    let (meeting, ..) = links(1);
    lobby.guest(&meeting, knock("Ben"));
    let mut back = knock("Cem");
    back.proof_of_return = Some(vec![1; 96]);
    lobby.guest(&meeting, back);
    lobby.run(seconds(30));
    let statuses = [0, 1, 2].map(|guest| lobby.status(guest));
    assert_eq!(statuses, [Status::Locked, Status::Locked, Status::Waiting]);
    let held: Vec<_> = lobby
        .porter()
        .waiting()
        .map(|waiting| waiting.held)
        .collect();
    assert_eq!(held, [true, true, false]);
    let now = lobby.now;
    assert_eq!(
        lobby.porter().admit(now, &[1], &payload(5)),
        Err(AdmitError::Locked)
    );
    assert_eq!(lobby.porter().admit(now, &[3], &payload(5)), Ok(()));
    lobby.porter().lock(false);
    lobby.run(seconds(1));
    assert_eq!(lobby.status(0), Status::Waiting);
    assert_eq!(lobby.status(1), Status::Waiting);
    let now = lobby.now;
    assert_eq!(lobby.porter().admit(now, &[1], &payload(5)), Ok(()));
}

#[test]
fn those_who_wait_are_told_the_next_link() {
    let mut lobby = Lobby::with(&["Ana", "Ben"]);
    let next = LinkSecret::from_bytes([8; 32]);
    lobby.porter().moved(&next);
    lobby.run(seconds(1));
    assert!(
        lobby
            .guests
            .iter()
            .all(|guest| guest.told.moved.as_ref() == Some(&next))
    );
    assert!(lobby.numbers().is_empty());
}

#[test]
fn sas_messages_go_both_ways_in_order() {
    let mut lobby = Lobby::with(&["Ana", "Ben"]);
    assert!(lobby.porter().sas(2, b"commitment") && !lobby.porter().sas(9, b""));
    lobby.run(seconds(1));
    assert!(lobby.guests[0].told.sas.is_empty());
    assert_eq!(lobby.guests[1].told.sas, [b"commitment"]);
    for message in [b"one", b"two"] {
        assert!(lobby.guests[1].knocker.sas(message));
    }
    assert!(!lobby.guests[1].knocker.sas(&[0; SAS_BYTES + 1]));
    lobby.run(seconds(1));
    let came: Vec<_> = lobby
        .events
        .iter()
        .filter_map(|event| match event {
            PorterOutput::Sas { number, message } => Some((*number, &message[..])),
            _ => None,
        })
        .collect();
    assert_eq!(came, [(2, &b"one"[..]), (2, b"two")]);
}

#[test]
fn a_chair_that_restarts_is_knocked_at_anew_under_its_new_id() {
    let mut lobby = Lobby::with(&["Ana", "Ben"]);
    let (_, host, co_host) = links(1);
    lobby.porter = None;
    lobby.run(seconds(22));
    assert_eq!(lobby.status(0), Status::HostNotHere);
    lobby.chair(&co_host, ParticipantId(2), 2);
    lobby.run(seconds(6));
    assert_eq!(lobby.numbers().len(), 2);
    assert_eq!(lobby.status(0), Status::Waiting);
    // The relay tells of this one, and nobody waits for the silence.
    lobby.chair(&host, ParticipantId(3), 3);
    let now = lobby.now;
    for guest in &mut lobby.guests {
        guest.knocker.left(now, ParticipantId(2));
    }
    lobby.run(seconds(1));
    assert_eq!(lobby.numbers().len(), 2);
    // A porter that begins anew under the same id.
    lobby.chair(&host, ParticipantId(3), 4);
    lobby.run(seconds(16));
    assert_eq!(lobby.numbers().len(), 2);
}

#[test]
fn who_leaves_or_falls_silent_does_not_wait_any_more() {
    let mut lobby = Lobby::with(&["Ana", "Ben"]);
    let id = lobby.guests[0].id;
    lobby.porter().left(id);
    assert_eq!(lobby.numbers(), [2]);
    lobby.guests.clear();
    lobby.run(seconds(61));
    assert!(lobby.numbers().is_empty());
    let gone = |event: &&PorterOutput| matches!(event, PorterOutput::Withdrawn(_));
    assert_eq!(lobby.events.iter().filter(gone).count(), 2);
}

#[test]
fn a_knock_that_says_something_else_has_another_number() {
    let mut lobby = Lobby::with(&["Ana"]);
    let id = lobby.guests[0].id;
    let (meeting, ..) = links(1);
    // The same name, another key package; its second attempt is later than what came before.
    let mut other = knock("Ana");
    other.key_package = b"another".to_vec();
    let other = Knocker::new(&meeting, other, [50; 32]).unwrap();
    lobby.guests[0].knocker = other;
    for _ in 0..2 {
        let now = lobby.now;
        lobby.guests[0].knocker.enter(now, id);
        lobby.run(seconds(1));
    }
    assert_eq!(lobby.numbers(), [2]);
    let now = lobby.now;
    assert_eq!(
        lobby.porter().admit(now, &[1], &payload(1)),
        Err(AdmitError::NobodyThere)
    );
}

#[test]
fn a_knock_over_its_bounds_is_none() {
    let (meeting, ..) = links(1);
    let is = |knock| Knocker::new(&meeting, knock, [0; 32]).is_some();
    let mut largest = Knock {
        name: "n".repeat(crate::meeting::NAME_BYTES),
        key_package: vec![1; KEY_PACKAGE_BYTES],
        proof_of_return: Some(vec![2; PROOF_BYTES]),
    };
    let mut lobby = Lobby::with(&[]);
    lobby.guest(
        &meeting,
        Knock {
            name: largest.name.clone(),
            key_package: largest.key_package.clone(),
            proof_of_return: largest.proof_of_return.clone(),
        },
    );
    lobby.run(seconds(1));
    assert_eq!(lobby.numbers(), [1], "the largest knock arrives");
    largest.name.push('n');
    assert!(!is(largest));
}

#[test]
fn while_the_line_is_behind_nothing_is_said_and_then_everything() {
    let mut lobby = Lobby::with(&["Ada"]);
    let numbers = lobby.numbers();
    lobby.porter().hold(true);
    let (now, payload) = (lobby.now, payload(40_000));
    lobby.porter().admit(now, &numbers, &payload).unwrap();
    let (meeting, _, _) = links(1);
    let bea = lobby.guest(&meeting, knock("Bea"));
    lobby.run(seconds(4));
    let told = |letter: &Letter| matches!(letter.2, LobbyBody::Part { .. });
    assert!(!lobby.seen.iter().any(told));
    assert_eq!(lobby.status(bea), Status::HostNotHere);
    assert!(lobby.guests[0].told.payload.is_none());
    lobby.porter().hold(false);
    lobby.run(seconds(6));
    assert_eq!(lobby.status(bea), Status::Waiting);
    assert_eq!(lobby.guests[0].told.payload.as_deref(), Some(&**payload));
}

/// Several lost what they were given: it goes to all of them once, and not to each.
#[test]
fn what_many_lost_is_sent_once_more_for_all() {
    let names: Vec<String> = (0..8).map(|number| format!("{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lobby = Lobby::with(&names);
    let numbers = lobby.numbers();
    let (now, payload) = (lobby.now, payload(40_000));
    lobby.porter().admit(now, &numbers, &payload).unwrap();
    let is_part = |letter: &Letter| matches!(letter.2, LobbyBody::Part { .. });
    lobby.run_with(seconds(4), |lobby, letter| {
        if !is_part(&letter) {
            lobby.deliver(letter);
        }
    });
    let before = lobby.seen.iter().filter(|one| is_part(one)).count();
    lobby.run(seconds(12));
    let parts = lobby.seen.iter().filter(|one| is_part(one)).count() - before;
    for guest in &lobby.guests {
        assert_eq!(guest.told.payload.as_deref(), Some(&**payload));
    }
    assert!(
        parts <= 6,
        "{parts}: to the first who asked, and to all others"
    );
}
