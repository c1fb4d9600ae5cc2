//! A relay, and people with the meeting link, who want otherwise.

use proptest::prelude::*;

use super::super::limits::{ASKS, GUESTS, UNOPENED};
use super::*;

fn refused(of: &[u64; Refusal::KINDS], refusal: Refusal) -> u64 {
    of[refusal as usize]
}

fn is_door(letter: &Letter) -> bool {
    matches!(letter.2, LobbyBody::Door(_))
}

fn is_knock(letter: &Letter) -> bool {
    matches!(letter.2, LobbyBody::Knock { .. })
}

fn is_answer(letter: &Letter) -> bool {
    matches!(letter.2, LobbyBody::Answer { .. })
}

#[test]
fn a_knock_is_worth_nothing_under_another_id_in_another_lobby_or_run() {
    let mut lobby = Lobby::with(&["Ana"]);
    let letter = lobby.seen.iter().find(|letter| is_knock(letter)).unwrap();
    let knock = letter.2.clone();
    let (now, ana) = (lobby.now, lobby.guests[0].id);
    lobby
        .porter()
        .handle(now, ParticipantId(999), knock.clone());
    assert_eq!(lobby.numbers(), [1]);
    assert_eq!(refused(lobby.porter().refusals(), Refusal::NotAuthentic), 1);
    // Again under its own: it takes no place, and the line stays the newest one.
    lobby.porter().handle(now, ana, knock.clone());
    assert_eq!(refused(lobby.porter().refusals(), Refusal::Replay), 1);
    let (_, host, _) = links(1);
    lobby.chair(&host, CHAIR, 9);
    lobby.porter().handle(now, ana, knock);
    assert!(lobby.numbers().is_empty(), "a knock for the porter before");
}

#[test]
fn swapped_answers_open_for_neither_and_both_come_in_later() {
    let mut lobby = Lobby::with(&["Ana", "Ben"]);
    let ids = [lobby.guests[0].id, lobby.guests[1].id];
    let (now, given) = (lobby.now, [payload(20_000), payload(30_000)]);
    lobby.porter().admit(now, &[1], &given[0]).unwrap();
    lobby.porter().admit(now, &[2], &given[1]).unwrap();
    lobby.run_with(seconds(4), |lobby, (from, to, body)| {
        let swapped = match to {
            To::One(id) if id == ids[0] => To::One(ids[1]),
            To::One(id) if id == ids[1] => To::One(ids[0]),
            to => to,
        };
        let to = if is_answer(&(from, to, body.clone())) || matches!(body, LobbyBody::Part { .. }) {
            swapped
        } else {
            to
        };
        lobby.deliver((from, to, body));
    });
    for guest in &lobby.guests {
        assert!(guest.told.payload.is_none());
        assert!(refused(guest.knocker.refusals(), Refusal::NotAuthentic) >= 1);
    }
    lobby.run(seconds(30));
    for (guest, given) in lobby.guests.iter().zip(&given) {
        assert!(guest.told.payload.as_ref() == Some(&**given));
    }
}

#[test]
fn nobody_is_the_host_by_the_meeting_link() {
    let (meeting, host, _) = links(1);
    let (_, stranger, _) = links(2);
    // Its own bundle; and the true one, signed with its own key.
    let mut signs_itself = stranger.clone();
    signs_itself.bundle = host.bundle.clone();
    let mut no_such_rank = signs_itself.clone();
    no_such_rank.rank = 7;
    for (impostor, refusal) in [
        (stranger, Refusal::WrongBundle),
        (signs_itself, Refusal::NotAuthentic),
        (no_such_rank, Refusal::NotAuthentic),
    ] {
        let mut lobby = Lobby::new();
        let porter = Porter::new(&impostor, &meeting.secret, CHAIR, false, lobby.now, [1; 32]);
        lobby.porter = Some(porter);
        lobby.guest(&meeting, knock("Ana"));
        lobby.run(seconds(20));
        assert_eq!(lobby.status(0), Status::HostNotHere);
        assert!(!lobby.seen.iter().any(is_knock));
        assert!(refused(lobby.guests[0].knocker.refusals(), refusal) >= 3);
    }
}

#[test]
fn a_recorded_door_opens_to_nobody() {
    let mut lobby = Lobby::with(&["Ana"]);
    let recorded = lobby
        .seen
        .iter()
        .find(|letter| is_door(letter))
        .unwrap()
        .clone();
    lobby.porter = None;
    let (meeting, ..) = links(1);
    // The same person again under the same id, and somebody else.
    let (now, id) = (lobby.now, lobby.guests[0].id);
    lobby.guests[0].knocker.enter(now, id);
    lobby.guest(&meeting, knock("Ben"));
    let before = lobby.seen.iter().filter(|letter| is_knock(letter)).count();
    lobby.run_with(seconds(20), |lobby, letter| {
        let from = letter.0;
        lobby.deliver(letter);
        lobby.deliver((CHAIR, To::One(from), recorded.2.clone()));
    });
    assert_eq!(lobby.status(0), Status::HostNotHere);
    assert_eq!(lobby.status(1), Status::HostNotHere);
    assert_eq!(
        lobby.seen.iter().filter(|letter| is_knock(letter)).count(),
        before
    );
}

#[test]
fn answers_that_come_again_or_changed_do_nothing() {
    let mut lobby = Lobby::with(&["Ana"]);
    let waits = lobby
        .seen
        .iter()
        .find(|letter| is_answer(letter))
        .unwrap()
        .clone();
    lobby.porter().lock(true);
    lobby.run(seconds(1));
    assert_eq!(lobby.status(0), Status::Locked);
    lobby.deliver(waits.clone());
    assert_eq!(lobby.status(0), Status::Locked, "an old word");
    assert_eq!(
        refused(lobby.guests[0].knocker.refusals(), Refusal::Replay),
        1
    );
    let LobbyBody::Answer {
        salt,
        counter,
        sealed,
    } = waits.2
    else {
        panic!("an answer");
    };
    let now = lobby.now;
    for place in (0..sealed.len()).step_by(7) {
        let mut sealed = sealed.clone();
        sealed[place] ^= 1;
        let body = LobbyBody::Answer {
            salt,
            counter: counter + 9,
            sealed,
        };
        lobby.guests[0].knocker.handle(now, CHAIR, body);
    }
    assert_eq!(lobby.status(0), Status::Locked);
}

#[test]
fn every_changed_bit_of_a_knock_or_door_is_refused() {
    let mut dice = Dice::new();
    let mut lobby = Lobby::with(&["Ana"]);
    let seen = std::mem::take(&mut lobby.seen);
    let (_, host, _) = links(1);
    for letter in seen
        .iter()
        .filter(|letter| is_knock(letter) || is_door(letter))
    {
        let bytes = postcard::to_allocvec(&letter.2).unwrap();
        for _ in 0..200 {
            let mut changed = bytes.clone();
            let place = dice.below(changed.len());
            changed[place] ^= 1 << dice.below(8);
            let Ok(body) = postcard::from_bytes::<LobbyBody>(&changed) else {
                continue;
            };
            let now = lobby.now + seconds(60);
            if is_knock(letter) {
                lobby.chair(&host, CHAIR, 1);
                lobby.porter().handle(now, letter.0, body);
                assert!(lobby.numbers().is_empty());
            } else {
                let (meeting, ..) = links(1);
                let mut knocker = Knocker::new(&meeting, knock("Ana"), [0; 32]).unwrap();
                knocker.enter(now, lobby.guests[0].id);
                knocker.handle(now, CHAIR, body);
                assert_eq!(knocker.status(), Some(Status::Asking));
            }
        }
    }
}

/// A member saw the key package in the commit, and knocks with it before the newcomer can once more.
#[test]
fn nobody_keeps_a_newcomer_from_being_given_the_same_again() {
    let mut lobby = Lobby::with(&["Ana"]);
    let (meeting, ..) = links(1);
    let now = lobby.now;
    let given = payload(500);
    lobby.porter().admit(now, &[1], &given).unwrap();
    // Her connection is lost before she hears of it.
    lobby.run_with(seconds(1), |_, _| {});
    let eve = lobby.guest(&meeting, knock("Ana"));
    for id in 300..310 {
        lobby.guests[eve].id = ParticipantId(id);
        let now = lobby.now;
        lobby.guests[eve].knocker.enter(now, ParticipantId(id));
        lobby.run_with(seconds(1), |lobby, letter| {
            if !matches!(letter.2, LobbyBody::Part { .. } | LobbyBody::Answer { .. }) {
                lobby.deliver(letter);
            }
        });
    }
    let (id, now) = (ParticipantId(400), lobby.now);
    lobby.guests[0].id = id;
    lobby.guests[0].knocker.enter(now, id);
    lobby.run(seconds(3));
    assert!(lobby.guests[0].told.payload.as_ref() == Some(&*given));
}

#[test]
fn a_relay_that_drops_repeats_and_reorders_only_delays() {
    let mut dice = Dice::new();
    for _ in 0..20 {
        let mut lobby = Lobby::new();
        let (meeting, host, _) = links(1);
        lobby.chair(&host, CHAIR, 1);
        for name in ["Ana", "Ben", "Cem"] {
            lobby.guest(&meeting, knock(name));
        }
        let given = payload(41_000);
        let mut held: Vec<Letter> = Vec::new();
        for _ in 0..40 {
            lobby.run_with(seconds(1), |lobby, letter| {
                if dice.below(10) < 3 {
                    held.push(letter.clone());
                }
                if dice.below(10) < 6 {
                    lobby.deliver(letter);
                }
                if !held.is_empty() && dice.below(10) < 3 {
                    let old = held[dice.below(held.len())].clone();
                    lobby.deliver(old);
                }
            });
            if dice.below(20) == 0 {
                let now = lobby.now;
                let number = lobby.numbers().first().copied().unwrap_or(0);
                let _ = lobby.porter().admit(now, &[number], &given);
            }
        }
        lobby.run(seconds(40));
        for number in lobby.numbers() {
            let now = lobby.now;
            lobby.porter().admit(now, &[number], &given).unwrap();
        }
        lobby.run(seconds(30));
        for guest in &lobby.guests {
            assert!(guest.told.payload.as_ref() == Some(&*given));
        }
    }
}

#[test]
fn a_flood_of_knocks_is_bounded_and_an_honest_one_gets_through() {
    let mut lobby = Lobby::with(&[]);
    let (meeting, ..) = links(1);
    let flooders = 600;
    let mut dice = Dice::new();
    let mut flood = |lobby: &mut Lobby| {
        for _ in 0..30 {
            let id = ParticipantId(10_000 + dice.below(flooders) as u32);
            let nonce = [dice.roll() as u8; 16];
            lobby.deliver((id, To::One(CHAIR), LobbyBody::Ask { nonce }));
            let sealed = vec![dice.roll() as u8; super::super::seal::SEALED_KNOCK];
            lobby.deliver((id, To::One(CHAIR), LobbyBody::Knock { sealed }));
        }
        lobby.seen.clear();
    };
    for _ in 0..100 {
        flood(&mut lobby);
        lobby.run(Duration::from_millis(50));
    }
    lobby.guest(&meeting, knock("Ana"));
    let mut waited = 0;
    while lobby.numbers().is_empty() {
        flood(&mut lobby);
        lobby.run(Duration::from_millis(50));
        let porter = lobby.porter();
        assert!(porter.asks.len() <= ASKS && porter.unopened.len() <= UNOPENED);
        assert!(porter.guests.len() <= GUESTS);
        waited += 1;
        assert!(waited < 20 * 180, "three minutes");
    }
    for id in 0..3 * GUESTS as u32 {
        let now = lobby.now;
        let nonce = [0; 16];
        lobby
            .porter()
            .handle(now, ParticipantId(id), LobbyBody::Ask { nonce });
    }
    assert!(lobby.porter().guests.len() <= GUESTS);
}

#[test]
fn no_more_wait_than_fit_and_a_place_that_gets_free_is_taken() {
    let (meeting, host, _) = links(1);
    let mut lobby = Lobby::new();
    lobby.chair(&host, CHAIR, 1);
    for place in 0..=WAITING {
        lobby.guest(&meeting, knock(&format!("guest {place}")));
    }
    lobby.run(seconds(15));
    assert_eq!(lobby.numbers().len(), WAITING);
    let full = |guest: &&Guest| guest.knocker.status() == Some(Status::Full);
    assert_eq!(lobby.guests.iter().filter(full).count(), 1);
    assert!(lobby.porter().deny(1));
    lobby.run(seconds(12));
    assert_eq!(lobby.numbers().len(), WAITING);
    assert_eq!(lobby.guests.iter().filter(full).count(), 0);
}

/// The parts of any body: bodies have no `Debug`.
type Parts = (u8, Vec<u8>, Vec<u8>, [u8; 16], u64);

fn parts() -> impl Strategy<Value = Parts> {
    let bytes = || {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            Just(vec![7; 64]),
            Just(vec![7; 64 + 16]),
            Just(vec![7; super::super::seal::SEALED_KNOCK]),
        ]
    };
    (0..5u8, bytes(), bytes(), any::<[u8; 16]>(), any::<u64>())
}

fn body((kind, sealed, signature, salt, counter): Parts) -> LobbyBody {
    match kind {
        0 => LobbyBody::Ask { nonce: salt },
        1 => LobbyBody::Door(Door {
            bundle: match counter % 2 {
                0 => sealed,
                _ => links(1).1.bundle.to_bytes(),
            },
            rank: (counter % 4) as u8,
            run: salt,
            locked: counter % 3 == 0,
            known: counter % 5 == 0,
            words: Vec::new(),
            signature,
        }),
        2 => LobbyBody::Knock { sealed },
        3 => LobbyBody::Answer {
            salt,
            counter,
            sealed,
        },
        _ => LobbyBody::Reply { counter, sealed },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn whatever_comes_harms_nobody(came in proptest::collection::vec((any::<bool>(), 98..103u32, parts()), 0..30)) {
        let mut lobby = Lobby::with(&["Ana", "Ben"]);
        for (to_chair, from, parts) in came {
            let body = body(parts);
            let from = if from < 100 { CHAIR } else { ParticipantId(from) };
            let now = lobby.now;
            match to_chair {
                true => lobby.porter().handle(now, from, body),
                false => lobby.guests[0].knocker.handle(now, from, body),
            }
        }
        lobby.run(seconds(1));
        prop_assert_eq!(lobby.numbers(), [1, 2]);
        prop_assert_eq!(lobby.status(0), Status::Waiting);
    }

    #[test]
    fn any_bytes_are_a_body_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = postcard::from_bytes::<LobbyBody>(&bytes);
    }
}
