//! What holds whatever the network does.

use proptest::prelude::*;

use super::super::attest::Attest;
use super::*;

/// One thing that happens between the sender and the receiver.
#[derive(Clone, Debug)]
enum Step {
    Send,
    SenderEpoch,
    ReceiverEpoch,
    /// One of those that were sent so far arrives, perhaps again.
    Arrive(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        1 => Just(Step::SenderEpoch),
        1 => Just(Step::ReceiverEpoch),
        6 => any::<usize>().prop_map(Step::Arrive),
        1 => (0..1500u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_frame_comes_out_once_at_most_and_as_it_was(steps in prop::collection::vec(step(), 1..200)) {
        let (mut sender, mut receiver) = (sender(1), receiver(1));
        let (mut theirs, mut ours, mut now) = (1, 1, at(0));
        let mut sent = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for step in steps {
            let opened = match step {
                Step::Send => {
                    let frame = frame(PICTURE, sent.len() as u64, &vec![3; sent.len() * 50]);
                    let sealed = sender.seal(now, &frame, VIDEO).unwrap().remove(0);
                    sent.push((theirs, frame, sealed));
                    continue;
                }
                Step::SenderEpoch => {
                    theirs += 1;
                    sender.epoch(theirs, &base(theirs), LEAF);
                    continue;
                }
                Step::Wait(ms) => {
                    now += at(ms);
                    continue;
                }
                Step::ReceiverEpoch => {
                    ours += 1;
                    receiver.epoch(now, ours, &base(ours))
                }
                Step::Arrive(_) if sent.is_empty() => continue,
                Step::Arrive(which) => {
                    let (epoch, frame, sealed) = &sent[which % sent.len()];
                    let opened = receiver.open(now, PICTURE, frame.group, sealed);
                    if *epoch == ours && !seen.contains(&frame.number) {
                        prop_assert!(is_frame(&opened), "the present epoch's frames open");
                    }
                    prop_assert!(*epoch > ours || *epoch + 1 >= ours || !is_frame(&opened));
                    vec![opened]
                }
            };
            for opened in opened.into_iter().flatten() {
                if let Opened::Frame(frame) = opened {
                    prop_assert!(frame == sent[frame.number as usize].1);
                    prop_assert!(seen.insert(frame.number), "twice");
                }
            }
        }
    }

    #[test]
    fn garbage_opens_nothing_and_breaks_nothing(
        garbage in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..100),
    ) {
        let (mut sender, mut receiver) = (sender(1), receiver(1));
        receiver.require_signatures();
        for bytes in garbage {
            let _ = postcard::from_bytes::<Attest>(&bytes);
            let opened = hear(&mut receiver, at(0), &bytes.into());
            prop_assert!(!is_frame(&opened));
        }
        // It waits for its signature, and came through all that to do so.
        let sealed = sound(&mut sender, at(0), 0);
        prop_assert!(is(&hear(&mut receiver, at(0), &sealed), Ok(Opened::Held)));
    }

    #[test]
    fn attestations_come_back_as_they_went(
        track in 0..16u8, epoch: u64, first: u64, halves: [[u8; 32]; 2],
        hashes in prop::collection::vec(any::<[u8; 16]>(), 1..=512),
    ) {
        let hashes = hashes.try_into().unwrap();
        let signature: [u8; 64] = halves.as_flattened().try_into().unwrap();
        let signature = signature.into();
        let attest = Attest { track: TrackId(track), epoch, first, hashes, signature };
        let bytes = postcard::to_allocvec(&attest).unwrap();
        prop_assert!(postcard::from_bytes::<Attest>(&bytes) == Ok(attest));
        prop_assert!(<[u8; 64]>::from(signature)[..] == *halves.as_flattened());
    }
}
