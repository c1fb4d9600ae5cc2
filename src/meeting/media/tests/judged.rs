//! A forger who knows when the true sender signs, and a network that loses what it should not.

use super::super::attest::Attest;
use super::super::{Report, SIGNED_WITHIN};
use super::*;
use crate::meeting::crypto::sign::SigningKey;

fn key() -> SigningKey {
    SigningKey::from_seed(&[0x51; 32])
}

/// Ada, who signs, somebody who hears her, and a forger with her keys.
struct Scene {
    ada: SenderKeys,
    bea: ReceiverKeys,
    forger: SenderKeys,
    /// What the forger has sealed.
    sealed: u64,
    now: u64,
    /// Frames of Ada's, as far as they are on the screen.
    said: u64,
    heard: u64,
    forged: u64,
    reports: Vec<Report>,
    /// Ada's words on their way.
    withheld: Vec<Attest>,
    withholds: bool,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self {
            ada: sender(1),
            bea: receiver(1),
            forger: sender(1),
            sealed: 0,
            now: 0,
            said: 0,
            heard: 0,
            forged: 0,
            reports: Vec::new(),
            withheld: Vec::new(),
            withholds: false,
        };
        scene.ada.sign(true);
        scene.bea.require_signatures();
        scene
    }

    fn came(&mut self, opened: &Result<Opened, Rejection>) {
        if let Ok(Opened::Frame(frame)) = opened {
            match &frame.payload[..] {
                b"sound" => self.heard += 1,
                _ => self.forged += 1,
            }
        }
    }

    /// Twenty milliseconds, in which Ada talks.
    fn step(&mut self) {
        let now = at(self.now);
        let sealed = sound(&mut self.ada, now, self.said);
        self.said += 1;
        let opened = hear(&mut self.bea, now, &sealed);
        self.came(&opened);
        self.turn();
        self.now += 20;
    }

    fn turn(&mut self) {
        let now = at(self.now);
        let words = self.ada.attest(now, |bytes| key().sign(bytes));
        self.withheld.extend(words);
        if !self.withholds {
            for word in std::mem::take(&mut self.withheld) {
                self.word(&word);
            }
        }
        self.bea.tick(now);
        self.reports
            .extend(std::iter::from_fn(|| self.bea.report()));
    }

    fn word(&mut self, word: &Attest) {
        let verify = |bytes: &[u8], signature: &[u8; 64]| {
            crate::meeting::crypto::sign::verify(&key().public(), bytes, signature)
        };
        self.bea.attested(at(self.now), word, verify).unwrap();
        while let Some(opened) = self.bea.signed(at(self.now)) {
            self.came(&opened);
        }
    }

    fn talks(&mut self, seconds: u64) {
        for _ in 0..seconds * 50 {
            self.step();
        }
    }

    /// Forges a frame with the counter that is so far ahead of Ada's.
    fn forge(&mut self, ahead: u64) {
        if self.sealed > self.said + ahead {
            (self.forger, self.sealed) = (sender(1), 0);
        }
        while self.sealed < self.said + ahead {
            sound(&mut self.forger, at(0), self.sealed);
            self.sealed += 1;
        }
        self.sealed += 1;
        let frame = frame(SOUND, self.said + ahead, b"never said");
        let sealed = self.forger.seal(at(self.now), &frame, AUDIO).unwrap();
        let opened = hear(&mut self.bea, at(self.now), &sealed[0]);
        self.came(&opened);
    }

    fn count(&self, which: impl Fn(&Report) -> bool) -> usize {
        self.reports.iter().filter(|report| which(report)).count()
    }

    fn forgeries_told(&self) -> usize {
        self.count(|report| matches!(report, Report::Forged { .. }))
    }

    fn misses_told(&self) -> usize {
        self.count(|report| matches!(report, Report::Unsigned { .. }))
    }

    fn goods_told(&self) -> usize {
        self.count(|report| matches!(report, Report::Signed { .. }))
    }
}

const ONCE: u64 = SIGNED_WITHIN.as_millis() as u64 / 20;

#[test]
fn a_forger_between_true_frames_is_seen_once_and_for_as_long_as_signing_may_take() {
    let mut scene = Scene::new();
    scene.talks(2);
    let before = scene.heard;
    // In bursts, far enough ahead that Ada does not come to the same places meanwhile.
    for _ in 0..6 {
        for _ in 0..100 {
            scene.forge(600);
            scene.step();
        }
        scene.talks(3);
    }
    assert_eq!(scene.forged, ONCE);
    assert_eq!(scene.goods_told(), 0, "what was shown is not signed");
    assert!(scene.misses_told() > 0);
    assert!(
        scene.forgeries_told() > 0,
        "once Ada has come to those places"
    );
    scene.talks(20);
    let (said, heard) = (scene.now / 20 - 100, scene.heard - before);
    assert!(heard + ONCE + 25 >= said, "{heard} of {said} true ones");
}

#[test]
fn a_forged_place_is_told_however_late_its_signature_comes() {
    let mut scene = Scene::new();
    scene.talks(2);
    scene.forge(1500);
    scene.talks(29);
    assert_eq!((scene.forged, scene.forgeries_told()), (1, 0));
    scene.talks(3);
    assert_eq!(scene.forgeries_told(), 1);
    scene.forge(100);
    scene.talks(10);
    assert_eq!(scene.forged, 1);
}

#[test]
fn what_is_signed_late_is_signed_and_nothing_has_to_wait_any_more() {
    let mut scene = Scene::new();
    scene.talks(2);
    scene.withholds = true;
    scene.talks(4);
    assert!(scene.heard < 200 && scene.misses_told() > 0);
    scene.withholds = false;
    scene.talks(8);
    assert_eq!(scene.goods_told(), 1);
    let before = scene.heard;
    scene.step();
    assert_eq!(scene.heard, before + 1, "at once");
}

#[test]
fn who_was_out_of_reach_waits_from_then_on_and_is_not_accused() {
    let mut scene = Scene::new();
    scene.talks(2);
    scene.withholds = true;
    scene.talks(1);
    // With the connection goes what was on its way.
    scene.bea.lost();
    scene.withheld.clear();
    scene.withholds = false;
    scene.now += 10_000;
    scene.talks(8);
    assert!(scene.reports.is_empty(), "{:?}", scene.reports);
    let before = scene.heard;
    scene.step();
    assert_eq!(scene.heard, before, "until it is signed");
    scene.talks(10);
    assert!(scene.heard + 25 >= before + 500);
    scene.forge(10);
    assert_eq!(scene.forged, 0);
}

#[test]
fn what_a_connection_was_lost_with_excuses_nothing_that_comes_after() {
    let mut scene = Scene::new();
    scene.talks(2);
    scene.withholds = true;
    scene.talks(1);
    scene.bea.lost();
    // A signature of what came before is there at once, so that what comes is shown again.
    let last = scene.withheld.pop().expect("two");
    scene.word(&last);
    scene.withheld.clear();
    scene.withholds = false;
    scene.forge(1000);
    scene.talks(15);
    assert_eq!((scene.forged, scene.forgeries_told()), (1, 0));
    assert!(scene.misses_told() > 0);
    assert_eq!(scene.goods_told(), 0, "one that was shown is not signed");
}

#[test]
fn under_the_next_keys_it_is_told_that_signatures_are_there_again() {
    let mut scene = Scene::new();
    scene.talks(2);
    scene.withholds = true;
    scene.talks(2);
    assert!(scene.misses_told() > 0);
    let came = std::mem::replace(&mut scene.bea, receiver(1)).into_came();
    scene.bea = ReceiverKeys::after(LEAF, SALT, came);
    scene.bea.epoch(at(scene.now), 1, &base(1));
    scene.bea.require_signatures();
    scene.withheld.clear();
    scene.withholds = false;
    scene.talks(4);
    assert_eq!(scene.goods_told(), 0, "not at once");
    scene.talks(16);
    assert_eq!(scene.goods_told(), 1);
}

#[test]
fn other_keys_of_the_same_person_begin_with_what_these_knew() {
    for after in [0, 100] {
        let mut scene = Scene::new();
        scene.talks(2);
        scene.forge(600);
        for _ in 0..after {
            scene.step();
        }
        let came = std::mem::replace(&mut scene.bea, receiver(1)).into_came();
        scene.bea = ReceiverKeys::after(LEAF, SALT, came);
        scene.bea.epoch(at(scene.now), 1, &base(1));
        scene.bea.require_signatures();
        let forged = scene.forged;
        scene.talks(2);
        scene.forge(600);
        assert_eq!((forged, scene.forged), (1, 1));
    }
}

#[test]
fn what_waits_has_bounds() {
    let (mut sender, mut receiver) = (sender(1), receiver(1));
    receiver.require_signatures();
    let mut waits = 0;
    for number in 0..10 {
        let frame = frame(PICTURE, number, &vec![1; 1_900_000]);
        let sealed = sender.seal(at(0), &frame, VIDEO).unwrap();
        let opened = receiver.open(at(0), PICTURE, frame.group, &sealed[0]);
        waits += usize::from(is(&opened, Ok(Opened::Held)));
    }
    assert_eq!(waits, 4, "8 MiB");
    receiver.tick(at(1500));
    assert_eq!(receiver.judge.as_ref().unwrap().held(), 0);
    let mut receiver = super::receiver(1);
    receiver.require_signatures();
    for number in 0..5000 {
        let sealed = sound(&mut sender, at(0), number);
        hear(&mut receiver, at(0), &sealed).unwrap();
    }
    assert!(receiver.judge.as_ref().unwrap().held() <= 2048);
}
