use super::*;

#[test]
fn a_full_room_is_the_end_for_a_newcomer_only() {
    assert!(matches!(
        closed(CloseReason::RoomFull, false),
        Err(JoinError::Closed(CloseReason::RoomFull))
    ));
    assert_eq!(
        closed(CloseReason::RoomFull, true).ok(),
        Some(LossReason::Ended)
    );
    assert!(worth_another(&ConnectError::Refused(
        CloseReason::RelayFull
    )));
}

fn dial(relays: u16) -> Dial {
    let address = |port| {
        RelayAddress::new("127.0.0.1", port, Vec::new())
            .ok()
            .unwrap()
    };
    let relays = (0..relays).map(|n| (usize::from(n), address(n + 1)));
    Dial::new(relays.collect(), None, 7)
}

#[test]
fn a_relay_that_was_lost_is_given_time_to_come_back_before_others_are_tried() {
    let mut dial = dial(3);
    dial.at = 1;
    let patience = Duration::from_secs(1);
    assert_eq!(dial.round(Duration::ZERO, patience), [1]);
    assert_eq!(dial.round(LOYALTY - patience, patience), [1]);
    let longer = patience + Duration::from_millis(1);
    assert_eq!(
        dial.round(LOYALTY - patience, longer),
        [0, 1, 2],
        "the first that works"
    );
    assert_eq!(dial.round(LOYALTY, patience), [0, 1, 2]);
}

/// From when it is noticed that the relay is gone until another one is tried, when the lost one
/// does not answer.
fn until_another_is_tried(seed: u64, lost: usize) -> Duration {
    let address = |port| RelayAddress::new("127.0.0.1", port, Vec::new()).ok();
    let relays = [(0, address(1).unwrap()), (1, address(2).unwrap())];
    let mut dial = Dial::new(relays.into(), None, seed);
    dial.at = lost;
    let start = Instant::now();
    let mut now = start;
    dial.lost(now, Duration::from_secs(60));
    loop {
        now += dial.again(now).unwrap().wait;
        if dial.place() != lost {
            return now - start;
        }
        let alone = dial.rest.is_empty();
        now += dial.turn().unwrap();
        if !alone {
            return now - start;
        }
    }
}

#[tokio::test]
async fn nobody_waits_long_for_the_other_relay() {
    for seed in 0..200 {
        let second = until_another_is_tried(seed, 0);
        assert!(second >= LOYALTY, "seed {seed}: after {second:?}");
        assert!(
            second <= Duration::from_secs(7),
            "seed {seed}: after {second:?}"
        );
        let first = until_another_is_tried(seed, 1);
        assert!(
            first <= Duration::from_secs(5),
            "seed {seed}: after {first:?}"
        );
    }
}

#[tokio::test]
async fn at_the_beginning_the_first_relay_has_a_head_start_and_the_last_all_the_time() {
    let mut dial = dial(2);
    dial.first();
    assert_eq!(dial.turn(), Some(HEAD_START));
    assert!(dial.onward(Instant::now(), ConnectError::Unreachable));
    assert_eq!(dial.turn(), None);
}

#[tokio::test]
async fn one_who_poses_as_a_relay_is_passed_over_for_good() {
    let now = Instant::now();
    let mut dial = dial(3);
    dial.first();
    assert!(dial.onward(now, ConnectError::WrongCertificate));
    assert_eq!(dial.place(), 1);
    assert!(dial.onward(now, ConnectError::Unreachable));
    assert_eq!(dial.place(), 2);
    assert!(!dial.onward(now, ConnectError::NameNotFound));
    assert_eq!(dial.verdict(), (ConnectError::WrongCertificate, true));
    assert_eq!(dial.all(), [1, 2]);
    // Also when it was the one that is waited for: then the others come sooner.
    dial.at = 2;
    dial.lost(now, Duration::from_secs(60));
    dial.again(now).unwrap();
    assert!(dial.onward(now, ConnectError::WrongCertificate));
    assert_eq!(dial.place(), 1);
    assert!(!dial.onward(now, ConnectError::Untrusted));
    assert_eq!(dial.verdict(), (ConnectError::WrongCertificate, false));
}

#[tokio::test]
async fn a_relay_that_is_there_and_takes_no_more_is_not_passed_over() {
    let now = Instant::now();
    for error in [
        ConnectError::Busy,
        ConnectError::Refused(CloseReason::RoomFull),
        ConnectError::Bind(BindFailed::NotHere),
    ] {
        let mut dial = dial(2);
        dial.first();
        assert!(!dial.onward(now, error), "{error:?}");
        assert_eq!(dial.verdict().0, error);
    }
}

#[test]
fn one_who_poses_as_the_relay_is_not_tried_again() {
    assert!(!worth_another(&ConnectError::WrongCertificate));
    assert!(!worth_another(&ConnectError::Refused(CloseReason::Version)));
    assert!(worth_another(&ConnectError::Unreachable));
}

#[test]
fn faults_of_ours_are_not_repeated() {
    for reason in CloseReason::ALL {
        let fault = matches!(
            reason,
            CloseReason::Version
                | CloseReason::Malformed
                | CloseReason::Unexpected
                | CloseReason::TooLarge
        );
        assert_eq!(
            lost(LostReason::Closed(reason), true).is_err(),
            fault,
            "{reason:?}"
        );
    }
    assert_eq!(
        lost(LostReason::TimedOut, true).ok(),
        Some(LossReason::Silence)
    );
    assert_eq!(
        lost(LostReason::Forgotten, true).ok(),
        Some(LossReason::Restarting)
    );
}
