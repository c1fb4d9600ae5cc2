use std::time::Instant;

use super::*;

/// Why a test's relay is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Failed {
    NameNotFound,
    Unreachable,
    Busy,
    Untrusted,
    WrongCertificate,
}

impl Failure for Failed {
    fn passes_on(self) -> bool {
        self != Self::Busy
    }

    fn worth_another(self) -> bool {
        self < Self::Untrusted
    }

    fn or_more_telling(self, other: Self) -> Self {
        self.max(other)
    }
}

fn dial(relays: u16, seed: u64) -> Dial<Instant, Failed> {
    Dial::new(0..usize::from(relays), seed)
}

#[test]
fn a_relay_that_was_lost_is_given_time_to_come_back_before_others_are_tried() {
    let mut dial = dial(3, 7);
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

/// When a handshake's first packets leave, in seconds since it began (RFC 9002, section 6.2).
const PACKETS: [u64; 4] = [0, 1, 3, 7];

/// A virtual network: who has lost relay `lost` tries again until a relay is taken. `answers` says
/// whether this relay would answer a packet sent so long after the loss. Gives the turns: when,
/// whose, and the last one was taken.
fn until_taken(
    seed: u64,
    relays: u16,
    lost: usize,
    answers: impl Fn(usize, Duration) -> bool,
) -> Vec<(Duration, usize)> {
    let mut dial = dial(relays, seed);
    dial.at = lost;
    let start = Instant::now();
    let mut now = start;
    let mut turns = Vec::new();
    dial.lost(now, Duration::from_secs(60));
    loop {
        now += dial.again(now).unwrap().wait;
        loop {
            turns.push((now - start, dial.place()));
            let turn = dial.turn().unwrap();
            let mut packets = PACKETS.map(Duration::from_secs).into_iter();
            let answered = packets
                .find(|packet| *packet < turn && answers(dial.place(), now + *packet - start));
            let on = match answered {
                Some(after) => {
                    now += after;
                    if dial.answered(now) {
                        return turns;
                    }
                    true
                }
                None => {
                    now += turn;
                    dial.onward(now, Failed::Unreachable)
                }
            };
            if !on {
                break;
            }
        }
    }
}

/// From when it is noticed that the relay is gone until another one is tried, when the lost one
/// does not answer.
fn until_another_is_tried(seed: u64, lost: usize) -> Duration {
    let turns = until_taken(seed, 2, lost, |relay, _| relay != lost);
    let other = turns.iter().find(|(_, relay)| *relay != lost);
    other.unwrap().0
}

#[test]
fn one_whose_own_network_fails_for_a_while_comes_back_to_where_the_others_are() {
    for seed in 0..20 {
        for relays in 2..4 {
            for lost in 0..usize::from(relays) {
                for back in (0..60_000).step_by(250).map(Duration::from_millis) {
                    // Those before the one that was lost were down from the beginning.
                    let turns =
                        until_taken(seed, relays, lost, |relay, at| relay >= lost && at >= back);
                    let taken = turns.last().unwrap().1;
                    assert_eq!(taken, lost, "seed {seed}, back after {back:?}: {turns:?}");
                }
            }
        }
    }
}

#[test]
fn a_relay_that_is_gone_is_asked_once_more_when_another_one_answers() {
    for seed in 0..20 {
        let turns = until_taken(seed, 3, 0, |relay, _| relay == 2);
        let [
            ..,
            (begun, 0),
            (_, 1),
            (answered, 2),
            (_, 0),
            (_, 1),
            (taken, 2),
        ] = turns[..]
        else {
            panic!("seed {seed}: {turns:?}");
        };
        assert_eq!(answered - begun, HEAD_START_AGAIN * 2, "seed {seed}");
        assert_eq!(taken - answered, HEAD_START_AGAIN * 2, "seed {seed}");
    }
}

#[test]
fn nobody_waits_long_for_the_other_relay() {
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

#[test]
fn at_the_beginning_the_first_relay_has_a_head_start_and_the_last_all_the_time() {
    let mut dial = dial(2, 7);
    dial.first(None);
    assert_eq!(dial.turn(), Some(HEAD_START));
    assert!(dial.onward(Instant::now(), Failed::Unreachable));
    assert_eq!(dial.turn(), None);
}

#[test]
fn a_further_stay_is_first_sought_where_the_others_are() {
    let mut dial = dial(3, 7);
    dial.first(Some(1));
    let mut tried = vec![dial.place()];
    while dial.onward(Instant::now(), Failed::Unreachable) {
        tried.push(dial.place());
    }
    assert_eq!(tried, [1, 0, 2]);
}

#[test]
fn what_is_wanted_is_tried_after_all() {
    let now = Instant::now();
    let mut dial = dial(1, 7);
    dial.first(None);
    assert!(!dial.onward(now, Failed::WrongCertificate));
    assert!(dial.all().is_empty());
    dial.lost(now, Duration::ZERO);
    let late = now + GIVE_UP;
    assert!(dial.again(late).is_none());
    dial.again_after_all(late);
    assert_eq!(dial.all(), [0]);
    assert!(dial.again(late + GIVE_UP / 2).is_some());
}

#[test]
fn one_who_poses_as_a_relay_is_passed_over_for_good() {
    let now = Instant::now();
    let mut dial = dial(3, 7);
    dial.first(None);
    assert!(dial.onward(now, Failed::WrongCertificate));
    assert_eq!(dial.place(), 1);
    assert!(dial.onward(now, Failed::Unreachable));
    assert_eq!(dial.place(), 2);
    assert!(!dial.onward(now, Failed::NameNotFound));
    assert_eq!(dial.verdict(), (Some(Failed::WrongCertificate), true));
    assert_eq!(dial.all(), [1, 2]);
    // Also when it was the one that is waited for: then the others come sooner.
    dial.at = 2;
    dial.lost(now, Duration::from_secs(60));
    dial.again(now).unwrap();
    assert!(dial.onward(now, Failed::WrongCertificate));
    assert_eq!(dial.place(), 1);
    assert!(!dial.onward(now, Failed::Untrusted));
    assert_eq!(dial.verdict(), (Some(Failed::WrongCertificate), false));
}

#[test]
fn a_relay_that_is_there_and_takes_no_more_is_not_passed_over() {
    let mut dial = dial(2, 7);
    dial.first(None);
    assert!(!dial.onward(Instant::now(), Failed::Busy));
    assert_eq!(dial.verdict().0, Some(Failed::Busy));
}

#[test]
fn what_is_to_be_tried_is_given_once() {
    let mut dial = dial(2, 7);
    dial.first(None);
    let first = Try {
        relay: 0,
        wait: Duration::ZERO,
        patience: Some(HEAD_START),
    };
    assert_eq!(dial.begun(), Some(first));
    assert_eq!(dial.begun(), None);
    assert!(dial.onward(Instant::now(), Failed::Unreachable));
    assert_eq!(
        dial.begun().map(|next| (next.relay, next.patience)),
        Some((1, None))
    );
}
