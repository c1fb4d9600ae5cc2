//! What people sign, from one who has the key: a beat, and a list of what was sent.

use std::time::Duration;

use sottovoce::meeting::chair::{Beat, Chair, Standing};
use sottovoce::meeting::media::{Attest, ReceiverKeys};

const NOW: Duration = Duration::from_secs(100);

/// A beat whose signature is good, whatever it says, at a member and at a co-host.
pub fn beat(data: &[u8]) {
    let Ok(beat) = postcard::from_bytes::<Beat>(data) else {
        return;
    };
    let written = postcard::to_allocvec(&beat).expect("it was read");
    assert!(postcard::from_bytes::<Beat>(&written).is_ok_and(|again| again == beat));
    assert!(beat.clone().open(|_, _, _| false).is_err());
    let claim = beat
        .open(|_, _, _| true)
        .unwrap_or_else(|_| panic!("signed"));
    assert_eq!(claim.signed_bytes().len(), 156, "each field of fixed size");
    for rank in [None, Some(1)] {
        let standing = Standing {
            epoch: 3,
            tag: [1; 32],
            roster: [2; 32],
        };
        let mut chair = Chair::new(NOW, [9; 16], rank, standing, vec![0, 1], false);
        let taken = chair.heard(NOW, &claim).is_ok();
        assert!(
            chair.heard(NOW, &claim).is_err() || !taken,
            "a beat counts once"
        );
        let mut now = NOW;
        for _ in 0..64 {
            while chair.poll(now).is_some() {}
            now = chair.deadline().max(now + Duration::from_millis(20));
        }
        let _ = chair.ruling(now);
    }
}

/// A list of hashes by a sender, whatever it says.
pub fn attest(data: &[u8]) {
    let Ok(attest) = postcard::from_bytes::<Attest>(data) else {
        return;
    };
    let written = postcard::to_allocvec(&attest).expect("it was read");
    assert!(postcard::from_bytes::<Attest>(&written).is_ok_and(|again| again == attest));
    let hashes: Vec<[u8; 16]> = attest.hashes.clone().into();
    assert!((1..=512).contains(&hashes.len()));
    let mut keys = ReceiverKeys::new(3, [4; 16]);
    keys.require_signatures();
    keys.epoch(NOW, attest.epoch, &[5; 32]);
    assert!(keys.attested(NOW, &attest, |_, _| false).is_err());
    let _ = keys.attested(NOW, &attest, |_, _| true);
    let _ = keys.attested(NOW, &attest, |_, _| true);
    keys.tick(NOW + Duration::from_secs(10));
    while keys.report().is_some() {}
}
