//! Several committers answer one question, of whom one was removed and has its key still.

use super::super::seal::{Parties, lobby_id, statement};
use super::*;
use crate::meeting::chair::{Beat, Claim};

/// By this committer: those are removed.
fn word(by: &CommitterLink, removed: u8) -> Beat {
    let claim = Claim {
        run: [by.rank; 16],
        rank: by.rank,
        seq: 0,
        count: 0,
        epoch: 0,
        tag: [0; 32],
        roster: [0; 32],
        locked: false,
        removed,
        before: [0; 32],
    };
    claim.sign(|bytes| by.seed.signing_key().sign(bytes))
}

/// A knocker that has asked, and its question.
fn asked(meeting: &MeetingLink) -> (Knocker, [u8; 16]) {
    let mut knocker = Knocker::new(meeting, knock("Ada"), [0; 32]).unwrap();
    knocker.enter(seconds(0), ParticipantId(100));
    let mut nonce = None;
    while let Some(output) = knocker.poll() {
        if let KnockerOutput::Post { body, .. } = output
            && let LobbyBody::Ask { nonce: asked } = body
        {
            nonce = Some(asked);
        }
    }
    (knocker, nonce.unwrap())
}

fn door(by: &CommitterLink, nonce: &[u8; 16], words: Vec<Beat>) -> LobbyBody {
    let mut door = Door {
        bundle: by.bundle.to_bytes(),
        rank: by.rank,
        run: [by.rank; 16],
        locked: false,
        known: false,
        words,
        signature: Vec::new(),
    };
    let parties = Parties {
        lobby: lobby_id(&by.meeting.secret),
        chair: ParticipantId(by.rank.into()),
        knocker: ParticipantId(100),
    };
    let statement = statement(&parties, &by.bundle.hash(), &door, nonce);
    door.signature = by.seed.signing_key().sign(&statement).to_vec();
    LobbyBody::Door(door)
}

/// The rank that it knocks at, and after how many milliseconds.
fn knocks_at(knocker: &mut Knocker, within: u64) -> Option<(u64, u32)> {
    for ms in (0..within).step_by(100) {
        knocker.tick(Duration::from_millis(ms));
        while let Some(output) = knocker.poll() {
            if let KnockerOutput::Post {
                to: To::One(to),
                body,
            } = output
            {
                assert!(matches!(body, LobbyBody::Knock { .. }));
                return Some((ms, to.0));
            }
        }
    }
    None
}

fn shows(knocker: &mut Knocker, by: &CommitterLink, door: LobbyBody) {
    knocker.handle(seconds(0), ParticipantId(by.rank.into()), door);
}

#[test]
fn the_host_is_taken_at_once_and_others_when_no_lower_rank_answers() {
    let (meeting, [host, first, second]) = links_of::<3>(1);
    for (by, expected) in [
        (vec![&second, &host], (0, 0)),
        (vec![&second, &first], (1000, 1)),
        (vec![&second], (1000, 2)),
    ] {
        let (mut knocker, nonce) = asked(&meeting);
        for one in by {
            shows(&mut knocker, one, door(one, &nonce, Vec::new()));
        }
        assert_eq!(knocks_at(&mut knocker, 2000), Some(expected));
    }
}

#[test]
fn who_was_removed_is_not_knocked_at_when_another_has_the_word_of_who_did_it() {
    let (meeting, [host, first, second]) = links_of::<3>(1);
    let said = word(&host, 0b10);
    // By itself it is one like any other: it passes on nothing against itself.
    for (words, expected) in [
        (vec![said.clone()], 2),
        (vec![word(&second, 0b10)], 1),
        (vec![], 1),
    ] {
        for first_one in [true, false] {
            let (mut knocker, nonce) = asked(&meeting);
            let mut doors = vec![
                (&first, door(&first, &nonce, vec![word(&first, 0b100)])),
                (&second, door(&second, &nonce, words.clone())),
            ];
            if !first_one {
                doors.reverse();
            }
            for (by, door) in doors {
                shows(&mut knocker, by, door);
            }
            let at = knocks_at(&mut knocker, 2000).map(|(_, at)| at);
            assert_eq!(at, Some(expected));
        }
    }
    // From then on not even when nobody else is there.
    let mut outcasts = crate::meeting::chair::Outcasts::default();
    outcasts.add_committer(1);
    let (mut knocker, nonce) = asked(&meeting);
    knocker.without(&outcasts);
    shows(&mut knocker, &first, door(&first, &nonce, Vec::new()));
    assert!(!knocker.sees_a_door(), "nobody waits for it");
    assert_eq!(knocks_at(&mut knocker, 4000), None);
}

#[test]
fn what_a_door_passes_on_is_signed_with_it() {
    let (meeting, [host, _, second]) = links_of::<3>(1);
    let (mut knocker, nonce) = asked(&meeting);
    let LobbyBody::Door(mut shown) = door(&second, &nonce, vec![word(&host, 0b10)]) else {
        panic!("a door");
    };
    shown.words.clear();
    shows(&mut knocker, &second, LobbyBody::Door(shown.clone()));
    shown.words = vec![word(&host, 0b10); 9];
    shows(&mut knocker, &second, LobbyBody::Door(shown));
    assert_eq!(knocker.refusals()[Refusal::NotAuthentic as usize], 1);
    assert_eq!(knocker.refusals()[Refusal::TooLarge as usize], 1);
    assert_eq!(knocks_at(&mut knocker, 2000), None);
}
