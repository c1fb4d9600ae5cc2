//! One rule a test.

use std::time::Duration;

use super::super::{Beat, BeatError, Chair, Claim, Output, Standing};

const HERE: Standing = Standing {
    epoch: 7,
    tag: [7; 32],
    roster: [1; 32],
};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn claim(run: u8, rank: u8, seq: u64) -> Claim {
    Claim {
        run: [run; 16],
        rank,
        seq,
        count: seq,
        epoch: HERE.epoch,
        tag: HERE.tag,
        roster: HERE.roster,
        locked: false,
        removed: 0,
        before: [0; 32],
    }
}

/// Beats whose hashes follow one another.
fn beats(run: u8, rank: u8, many: u64) -> Vec<Claim> {
    let mut before = [0; 32];
    let beat = |seq| {
        let claim = Claim {
            before,
            ..claim(run, rank, seq)
        };
        before = claim.hash();
        claim
    };
    (0..many).map(beat).collect()
}

fn member(rank: Option<u8>, committers: &[u8]) -> Chair {
    Chair::new(s(0), [9; 16], rank, HERE, committers.to_vec(), false)
}

fn all(chair: &mut Chair, now: Duration) -> Vec<Output> {
    std::iter::from_fn(|| chair.poll(now)).collect()
}

/// Calls it each second until it says something else than beats.
fn until(chair: &mut Chair, from: u64, to: u64) -> Option<(u64, Output)> {
    for now in from..to {
        for output in all(chair, s(now)) {
            if !matches!(output, Output::Post(_)) {
                return Some((now, output));
            }
        }
    }
    None
}

fn mark(bytes: &[u8]) -> [u8; 64] {
    let mut mark = [0; 64];
    for (at, byte) in bytes.iter().enumerate() {
        mark[at % 64] ^= byte.rotate_left(at as u32 / 64);
    }
    mark
}

#[test]
fn every_field_of_a_beat_is_signed() {
    let first = claim(1, 0, 3);
    let changed: [fn(&mut Claim); 10] = [
        |c| c.run[3] ^= 1,
        |c| c.rank ^= 1,
        |c| c.seq ^= 1,
        |c| c.count ^= 1,
        |c| c.epoch ^= 1,
        |c| c.tag[31] ^= 1,
        |c| c.roster[0] ^= 1,
        |c| c.locked ^= true,
        |c| c.removed ^= 4,
        |c| c.before[9] ^= 1,
    ];
    for change in changed {
        let mut other = first.clone();
        change(&mut other);
        assert_ne!(first.signed_bytes(), other.signed_bytes());
        assert_ne!(first.hash(), other.hash());
    }
    let bytes = postcard::to_allocvec(&first.clone().sign(mark)).unwrap();
    let beat: Beat = postcard::from_bytes(&bytes).unwrap();
    let open = beat
        .clone()
        .open(|rank, bytes, sig| rank == 0 && mark(bytes) == *sig);
    assert_eq!(open, Ok(first));
    assert_eq!(beat.open(|_, _, _| false), Err(BeatError::NotAuthentic));
}

#[test]
fn an_old_beat_is_never_taken_again() {
    let mut chair = member(None, &[0]);
    let mine = beats(2, 0, 4);
    for beat in &mine[..3] {
        assert_eq!(chair.heard(s(1), beat), Ok(()));
    }
    assert_eq!(chair.heard(s(2), &mine[2]), Err(BeatError::Replay));
    assert_eq!(chair.heard(s(2), &mine[0]), Err(BeatError::Replay));
    let back = Claim {
        count: 9,
        ..claim(2, 0, 1)
    };
    assert_eq!(chair.heard(s(2), &back), Err(BeatError::Contradiction));
    let broken = Claim {
        before: [3; 32],
        ..mine[3].clone()
    };
    assert_eq!(chair.heard(s(2), &broken), Err(BeatError::Contradiction));
    assert_eq!(chair.heard(s(2), &mine[3]), Ok(()));
}

#[test]
fn a_second_device_waits_until_the_first_is_silent_and_the_first_never_comes_back() {
    let mut chair = member(None, &[0]);
    chair.heard(s(1), &claim(2, 0, 0)).unwrap();
    assert_eq!(chair.heard(s(20), &claim(3, 0, 0)), Err(BeatError::InUse));
    assert_eq!(chair.heard(s(21), &claim(3, 0, 1)), Ok(()));
    assert_eq!(chair.heard(s(60), &claim(2, 0, 9)), Err(BeatError::OverRun));
}

#[test]
fn co_hosts_take_over_in_turn() {
    for (rank, at) in [(1, 20), (2, 25), (3, 30)] {
        let mut chair = member(Some(rank), &[0, 1, 2, 3]);
        chair.heard(s(0), &claim(1, 0, 0)).unwrap();
        assert_eq!(until(&mut chair, 0, 99), Some((15, Output::Warn)));
        assert_eq!(until(&mut chair, 16, 99), Some((at, Output::TakeOver)));
    }
}

#[test]
fn an_ordinary_member_never_takes_over_and_is_warned_stopped_and_lost() {
    let mut chair = member(None, &[0, 1]);
    assert_eq!(until(&mut chair, 0, 500), Some((15, Output::Warn)));
    assert_eq!(until(&mut chair, 16, 500), Some((60, Output::StopSending)));
    assert_eq!(until(&mut chair, 61, 500), Some((120, Output::Lost)));
    assert_eq!(until(&mut chair, 121, 500), None);
}

#[test]
fn a_relay_that_delivers_ever_later_is_noticed() {
    let mut chair = member(None, &[0]);
    let mut said = Vec::new();
    for (seq, beat) in beats(1, 0, 60).iter().enumerate() {
        // Each beat comes 6 s after the last, so none is ever old.
        for now in seq as u64 * 6..seq as u64 * 6 + 6 {
            if now == seq as u64 * 6 {
                chair.heard(s(now), beat).unwrap();
            }
            said.extend(all(&mut chair, s(now)));
        }
    }
    said.dedup();
    assert!(said.contains(&Output::Warn) && said.contains(&Output::StopSending));
}

#[test]
fn a_device_that_slept_is_not_punished() {
    let mut chair = member(Some(1), &[0, 1]);
    let beats = beats(1, 0, 200);
    chair.heard(s(0), &beats[0]).unwrap();
    assert_eq!(all(&mut chair, s(1)), []);
    assert_eq!(
        all(&mut chair, s(600)),
        [],
        "it neither takes over nor is it lost"
    );
    for seq in 121..130 {
        chair.heard(s(seq * 5), &beats[seq as usize]).unwrap();
        assert_eq!(until(&mut chair, seq * 5, seq * 5 + 5), None);
    }
}

#[test]
fn the_higher_rank_yields_and_the_lower_takes_no_notice() {
    let mut host = Chair::new(s(0), [1; 16], Some(0), HERE, vec![0, 1], true);
    let mut second = Chair::new(s(0), [2; 16], Some(1), HERE, vec![0, 1], true);
    let Output::Post(of_host) = all(&mut host, s(0)).remove(1) else {
        panic!()
    };
    let Output::Post(of_second) = all(&mut second, s(0)).remove(1) else {
        panic!()
    };
    host.heard(s(1), &of_second).unwrap();
    second.heard(s(1), &of_host).unwrap();
    assert!(host.is_chair() && !second.is_chair());
    assert_eq!(all(&mut second, s(1)), [Output::Yield { to: 0 }]);
    assert_eq!((host.ruling(s(2)), second.ruling(s(2))), (Some(0), Some(0)));
}

#[test]
fn of_two_devices_with_one_link_that_both_chair_the_smaller_run_stays() {
    let mut one = Chair::new(s(0), [1; 16], Some(0), HERE, vec![0], true);
    let mut other = Chair::new(s(0), [2; 16], Some(0), HERE, vec![0], true);
    let Output::Post(of_one) = all(&mut one, s(0)).remove(1) else {
        panic!()
    };
    let Output::Post(of_other) = all(&mut other, s(0)).remove(1) else {
        panic!()
    };
    assert_eq!(one.heard(s(1), &of_other), Err(BeatError::InUse));
    other.heard(s(1), &of_one).unwrap();
    assert!(one.is_chair() && !other.is_chair());
    assert_eq!(
        all(&mut other, s(1)),
        [Output::Yield { to: 0 }, Output::InUse]
    );
}

#[test]
fn a_host_that_is_back_takes_the_role_once_it_has_what_the_chair_has() {
    let mut host = member(Some(0), &[0, 1]);
    let ahead = Claim {
        epoch: 8,
        tag: [8; 32],
        ..claim(5, 1, 0)
    };
    host.heard(s(1), &ahead).unwrap();
    assert_eq!(until(&mut host, 1, 2), None);
    let now = Standing {
        epoch: 8,
        tag: [8; 32],
        roster: [1; 32],
    };
    host.epoch_changed(s(2), now, vec![0, 1], false);
    assert_eq!(all(&mut host, s(2))[0], Output::TakeOver);
}

#[test]
fn who_is_behind_asks_and_then_rejoins_and_who_is_forked_rejoins_at_once() {
    let mut behind = member(None, &[0]);
    behind
        .heard(
            s(1),
            &Claim {
                epoch: 9,
                ..claim(1, 0, 0)
            },
        )
        .unwrap();
    assert_eq!(
        until(&mut behind, 1, 9),
        Some((2, Output::Behind { epoch: 9 }))
    );
    assert_eq!(
        until(&mut behind, 3, 9),
        Some((4, Output::Behind { epoch: 9 }))
    );
    assert!(behind.apart());
    assert_eq!(
        until(&mut behind, 5, 9),
        Some((6, Output::Rejoin { to: 0 }))
    );
    let mut forked = member(None, &[0]);
    forked
        .heard(
            s(10),
            &Claim {
                tag: [1; 32],
                ..claim(1, 0, 0)
            },
        )
        .unwrap();
    assert_eq!(all(&mut forked, s(10)), [Output::Rejoin { to: 0 }]);
}

/// The relay has kept beats of a co-host that held the chair for a while: they do not make whoever is
/// kept from the present chair send for longer.
#[test]
fn beats_that_were_kept_do_not_hide_that_the_chair_is_held_back() {
    for kept in [1, 2, 3] {
        let mut ada = member(None, &[0, 1]);
        let stock = beats(3, 1, kept);
        for (at, beat) in (0..).zip(beats(2, 0, 3)) {
            ada.heard(s(5 * at), &beat).unwrap();
            all(&mut ada, s(5 * at));
        }
        assert_eq!(until(&mut ada, 10, 40), Some((25, Output::Warn)));
        for now in 26..50 {
            assert_eq!(all(&mut ada, s(now)), []);
        }
        for beat in &stock {
            ada.heard(s(50), beat).unwrap();
        }
        assert_eq!(
            until(&mut ada, 50, 90),
            Some((70, Output::StopSending)),
            "{kept} at once"
        );
    }
}

#[test]
fn whoever_takes_over_is_trusted_with_its_second_beat_or_with_a_commit() {
    for commits in [false, true] {
        let mut ada = member(None, &[0, 1]);
        ada.heard(s(0), &claim(2, 0, 0)).unwrap();
        assert_eq!(until(&mut ada, 1, 20), Some((15, Output::Warn)));
        let mine = beats(3, 1, 2);
        ada.heard(s(20), &mine[0]).unwrap();
        if commits {
            ada.epoch_changed(s(21), HERE, vec![0, 1], false);
            assert_eq!(until(&mut ada, 21, 24), Some((21, Output::Resume)));
        }
        assert_eq!(until(&mut ada, 22, 25), None);
        ada.heard(s(25), &mine[1]).unwrap();
        let back = (!commits).then_some((25, Output::Resume));
        assert_eq!(until(&mut ada, 25, 30), back);
    }
}

/// A run that was heard before is measured as it was then, however many others came between.
#[test]
fn a_run_that_is_late_is_late_when_it_is_heard_again() {
    let mut ada = member(None, &[0, 1]);
    let host = beats(2, 0, 3);
    ada.heard(s(0), &host[0]).unwrap();
    all(&mut ada, s(0));
    assert_eq!(until(&mut ada, 1, 20), Some((15, Output::Warn)));
    let mine = beats(3, 1, 3);
    for (at, beat) in (4..).zip(&mine) {
        ada.heard(s(5 * at), beat).unwrap();
        all(&mut ada, s(5 * at));
    }
    // Its second beat, kept for 40 s.
    ada.heard(s(40), &host[1]).unwrap();
    assert_eq!(until(&mut ada, 40, 60), Some((40, Output::Warn)));
}
