//! An insider with every symmetric key, and senders who sign.

use super::super::attest::{Attest, Hashes};
use super::super::{ATTEST_EVERY, Report};
use super::*;
use crate::meeting::crypto::sign::{SigningKey, verify as is_signed};

/// The leaf's key.
fn key() -> SigningKey {
    SigningKey::from_seed(&[0x51; 32])
}

fn sign(bytes: &[u8]) -> [u8; 64] {
    key().sign(bytes)
}

fn verify(bytes: &[u8], signature: &[u8; 64]) -> bool {
    is_signed(&key().public(), bytes, signature)
}

fn signing() -> (SenderKeys, ReceiverKeys) {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    sender.sign(true);
    receiver.require_signatures();
    (sender, receiver)
}

fn reports(receiver: &mut ReceiverKeys) -> Vec<Report> {
    std::iter::from_fn(|| receiver.report()).collect()
}

/// Sends from `from` to `to`, a frame each 20 ms, of which the receiver gets those that `gets`.
fn talk(
    sender: &mut SenderKeys,
    receiver: &mut ReceiverKeys,
    (from, to): (u64, u64),
    gets: impl Fn(u64) -> bool,
) -> usize {
    let mut frames = 0;
    for ms in (from..to).step_by(20) {
        let sealed = sound(sender, at(ms), ms / 20);
        if gets(ms / 20) {
            frames += usize::from(is_frame(&hear(receiver, at(ms), &sealed)));
        }
        for attest in sender.attest(at(ms), sign) {
            let attest = postcard::from_bytes(&postcard::to_allocvec(&attest).unwrap()).unwrap();
            receiver.attested(at(ms), &attest, verify).unwrap();
            frames += signed(receiver, at(ms));
        }
        receiver.tick(at(ms));
    }
    frames
}

/// How many frames had waited for what was just attested.
fn signed(receiver: &mut ReceiverKeys, now: Duration) -> usize {
    let through = std::iter::from_fn(|| receiver.signed(now));
    through.filter(is_frame).count()
}

#[test]
fn what_is_signed_is_taken_over_a_network_that_loses_some() {
    let (mut sender, mut receiver) = signing();
    let frames = talk(&mut sender, &mut receiver, (0, 10_000), |n| n % 5 != 0);
    assert_eq!(frames, 400);
    for attest in sender.attest_end(SOUND, sign) {
        receiver.attested(at(10_000), &attest, verify).unwrap();
    }
    receiver.tick(at(60_000));
    assert!(reports(&mut receiver).is_empty());
    assert_eq!((sender.deadline(), receiver.deadline()), (None, None));
}

#[test]
fn a_sender_signs_each_half_second_and_at_the_end() {
    let (mut sender, _) = signing();
    let mut signed = Vec::new();
    for ms in (0..2000).step_by(20) {
        sound(&mut sender, at(ms), ms / 20);
        signed.extend(sender.attest(at(ms), sign));
        assert!(
            sender
                .deadline()
                .is_none_or(|due| due <= at(ms) + ATTEST_EVERY)
        );
    }
    assert_eq!(signed.len(), 3);
    signed.extend(sender.attest_end(SOUND, sign));
    assert!(sender.attest_end(SOUND, sign).is_empty());
    let mut next = 0;
    for attest in signed {
        assert_eq!(attest.first, next);
        next += Vec::from(attest.hashes).len() as u64;
    }
    assert_eq!(next, 100);
}

#[test]
fn an_insider_who_forges_is_caught_and_what_it_sends_is_dropped() {
    let (mut sender, mut receiver) = signing();
    talk(&mut sender, &mut receiver, (0, 1000), |_| true);
    // All symmetric keys: the same sender once more, that goes on where the true one is.
    let mut insider = super::sender(1);
    for number in 0..50 {
        sound(&mut insider, at(0), number);
    }
    let mut said = frame(SOUND, 50, b"never said");
    let forged = insider.seal(at(1000), &said, AUDIO).unwrap().remove(0);
    assert!(
        is_frame(&hear(&mut receiver, at(1000), &forged)),
        "until it is to be signed"
    );
    talk(&mut sender, &mut receiver, (1000, 2000), |n| n > 50);
    let report = Report::Forged {
        track: SOUND,
        frames: 1,
    };
    assert_eq!(reports(&mut receiver), [report]);
    // What comes after its place was signed for is not even shown.
    let (mut sender, mut receiver) = signing();
    talk(&mut sender, &mut receiver, (0, 1020), |n| n != 7);
    let mut insider = super::sender(1);
    for number in 0..7 {
        sound(&mut insider, at(0), number);
    }
    said.number = 7;
    let forged = insider.seal(at(1000), &said, AUDIO).unwrap().remove(0);
    assert!(is(
        &hear(&mut receiver, at(1020), &forged),
        Ok(Opened::Dropped)
    ));
    assert_eq!(reports(&mut receiver), [report]);
}

#[test]
fn a_track_that_is_not_signed_is_silent_until_it_is() {
    let (mut sender, mut receiver) = signing();
    let mut insider = super::sender(1);
    let mut taken = 0;
    for ms in (0..5000).step_by(20) {
        let sealed = sound(&mut insider, at(ms), ms / 20);
        taken += u64::from(is_frame(&hear(&mut receiver, at(ms), &sealed)));
    }
    assert_eq!(taken, 0, "nothing was signed that it could go on from");
    let found = reports(&mut receiver);
    let unsigned = |report: &Report| matches!(report, Report::Unsigned { track: SOUND, .. });
    assert!(!found.is_empty() && found.iter().all(unsigned), "{found:?}");
    // The true sender, who was silent so far, is heard as soon as it signs, with all that it said.
    let frames = talk(&mut sender, &mut receiver, (5000, 8000), |_| true);
    assert_eq!(frames, 150);
    assert!(!reports(&mut receiver).contains(&Report::Signed { track: SOUND }));
    let due = receiver.deadline().expect("to say so");
    talk(&mut sender, &mut receiver, (8000, 12_000), |_| true);
    assert!((at(9000)..at(12_000)).contains(&due), "{due:?}");
    assert!(reports(&mut receiver).contains(&Report::Signed { track: SOUND }));
}

#[test]
fn a_forger_who_runs_ahead_pushes_nothing_out() {
    let (mut sender, mut receiver) = signing();
    talk(&mut sender, &mut receiver, (0, 1000), |_| true);
    let mut insider = super::sender(1);
    for number in 0..20_000 {
        let sealed = sound(&mut insider, at(1000), number);
        if number == 1500 || number == 19_999 {
            let opened = hear(&mut receiver, at(1000), &sealed);
            assert_eq!(is_frame(&opened), number == 1500);
        }
    }
    let frames = talk(&mut sender, &mut receiver, (1000, 2000), |_| true);
    assert_eq!(frames, 50, "all true ones are taken");
}

#[test]
fn forged_signatures_and_those_of_other_places_are_refused() {
    let (mut sender, mut receiver) = signing();
    sound(&mut sender, at(0), 0);
    let attest = sender.attest(ATTEST_EVERY, sign).remove(0);
    let refused = |change: &dyn Fn(&mut Attest)| {
        let mut receiver = super::receiver(1);
        receiver.require_signatures();
        let mut changed = attest.clone();
        change(&mut changed);
        receiver.attested(at(0), &changed, verify) == Err(Rejection::NotAuthentic)
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|attest| attest.track = PICTURE));
    assert!(refused(&|attest| attest.epoch = 2));
    assert!(refused(&|attest| attest.first = 1));
    assert!(refused(
        &|attest| attest.hashes = Hashes::try_from(vec![[1; 16]]).unwrap()
    ));
    assert!(refused(&|attest| attest.signature =
        SigningKey::from_seed(&[2; 32])
            .sign(&attest.signed_bytes(&SALT))
            .into()));
    let mut other = ReceiverKeys::new(LEAF, [1; 16]);
    let theirs = other.attested(at(0), &attest, verify);
    assert_eq!(theirs, Err(Rejection::NotAuthentic), "another stay");
    let mut over = attest.clone();
    over.first = u64::MAX;
    over.signature = sign(&over.signed_bytes(&SALT)).into();
    assert_eq!(
        receiver.attested(at(0), &over, verify),
        Err(Rejection::Malformed)
    );
    let mut nowhere = attest;
    nowhere.track = TrackId(16);
    assert_eq!(
        receiver.attested(at(0), &nowhere, verify),
        Err(Rejection::UnknownSender)
    );
}

#[test]
fn lists_have_bounds() {
    assert!(Hashes::try_from(Vec::new()).is_err());
    assert!(Hashes::try_from(vec![[0; 16]; 512]).is_ok());
    assert!(Hashes::try_from(vec![[0; 16]; 513]).is_err());
    let many = postcard::to_allocvec(&vec![[0u8; 16]; 513]).unwrap();
    assert!(postcard::from_bytes::<Hashes>(&many).is_err());
    // A sender who sends more than a list holds signs several.
    let (mut sender, mut receiver) = signing();
    let mut frames = 0;
    for number in 0..1200 {
        let sealed = sound(&mut sender, at(0), number);
        frames += usize::from(is_frame(&hear(&mut receiver, at(0), &sealed)));
    }
    let attests = sender.attest(ATTEST_EVERY, sign);
    assert_eq!(attests.len(), 3);
    for attest in attests {
        receiver.attested(ATTEST_EVERY, &attest, verify).unwrap();
        frames += signed(&mut receiver, ATTEST_EVERY);
    }
    assert_eq!(frames, 1200);
    receiver.tick(at(10_000));
    assert!(reports(&mut receiver).is_empty());
}

#[test]
fn signatures_hold_over_an_epoch_that_changes() {
    let (mut sender, mut receiver) = signing();
    talk(&mut sender, &mut receiver, (0, 1000), |_| true);
    let last = sound(&mut sender, at(1000), 50);
    sender.epoch(2, &base(2), LEAF);
    let first = sound(&mut sender, at(1020), 51);
    assert!(is(&hear(&mut receiver, at(1030), &first), Ok(Opened::Held)));
    assert!(is_frame(&receiver.epoch(at(1040), 2, &base(2))[0]));
    assert!(is_frame(&hear(&mut receiver, at(1050), &last)));
    let signed = sender.attest(at(1600), sign);
    assert_eq!(signed.len(), 2);
    for attest in signed {
        receiver.attested(at(1600), &attest, verify).unwrap();
    }
    receiver.tick(at(10_000));
    assert!(reports(&mut receiver).is_empty());
}

#[test]
fn what_a_signing_flood_leaves_is_bounded() {
    let (_, mut receiver) = signing();
    for first in (0..100_000).step_by(512) {
        let mut attest = Attest {
            track: SOUND,
            epoch: first,
            first,
            hashes: Hashes::try_from(vec![[3; 16]; 512]).unwrap(),
            signature: [0; 64].into(),
        };
        attest.signature = sign(&attest.signed_bytes(&SALT)).into();
        receiver.attested(at(0), &attest, verify).unwrap();
        assert!(receiver.judge.as_ref().unwrap().held() <= 4096);
    }
}
