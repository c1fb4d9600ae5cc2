//! Inputs that are cut, damaged or made to harm.

use proptest::prelude::*;

use super::*;

#[test]
fn an_input_cut_anywhere_plays_what_there_is() {
    for name in PLAYABLE {
        let bytes = fixture(name);
        let (_, whole) = all(bytes.clone()).unwrap();
        let head = bytes
            .windows(4)
            .position(|w| w == id::CLUSTER.to_be_bytes())
            .unwrap()
            + 12;
        for cut in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
            match all(bytes[..cut].to_vec()) {
                Ok((mut source, frames)) => {
                    assert!(cut >= head - 8, "{name} cut at {cut}");
                    assert!(frames.len() <= whole.len(), "{name} cut at {cut}");
                    assert!(frames.iter().zip(&whole).all(|(cut, whole)| cut == whole));
                    let told = source.take_warnings().contains(&MediaWarning::Truncated);
                    // In a stream without sizes a cut between elements is no cut.
                    let between = name == "live.webm" && cut + 1 != bytes.len();
                    assert!(told || between, "{name} cut at {cut}");
                }
                Err(MediaError::Empty) => assert_eq!(cut, 0),
                Err(MediaError::NotMatroska | MediaError::NoTracks) => assert!(cut < head),
                Err(error) => panic!("{name} cut at {cut}: {error}"),
            }
        }
        let told = all(bytes).unwrap().0.take_warnings();
        assert!(!told.contains(&MediaWarning::Truncated), "{name} is whole");
    }
}

#[test]
fn a_stream_without_any_size_that_ends_in_a_block_is_cut_off() {
    let bytes = matroska(|out| {
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &[0x81, 0, 0, 0x80, 0x48]);
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &[0x81, 0, 20, 0x80, 0x48]);
    });
    assert_eq!(all(bytes.clone()).unwrap().0.take_warnings(), []);
    for cut in 1..7 {
        let (mut source, frames) = all(bytes[..bytes.len() - cut].to_vec()).unwrap();
        assert_eq!(frames.len(), 1);
        assert_eq!(source.take_warnings(), [MediaWarning::Truncated]);
    }
}

#[test]
fn after_damage_it_goes_on_with_the_next_cluster_and_key_frame() {
    let mut bytes = fixture("vp8-voice.webm");
    let clusters: Vec<_> = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == id::CLUSTER.to_be_bytes())
        .map(|(position, _)| position)
        .collect();
    let (_, whole) = all(bytes.clone()).unwrap();
    bytes[clusters[0] + 2_000..clusters[0] + 12_000].fill(0);
    let (mut source, frames) = all(bytes).unwrap();
    assert!(source.take_warnings().contains(&MediaWarning::Damaged));
    assert!(frames.len() < whole.len());
    assert_eq!(
        frames.last().unwrap().payload,
        whole.last().unwrap().payload
    );
    let mut before: Option<&Frame> = None;
    for frame in frames.iter().filter(|frame| frame.track == TrackId(1)) {
        assert!(frame.keyframe || before.is_some_and(|before| before.group == frame.group));
        before = Some(frame);
    }
}

#[test]
fn a_segment_that_ends_before_its_first_cluster_has_no_tracks() {
    let mut bytes = Vec::new();
    ebml::put_master(&mut bytes, id::EBML, |out| {
        ebml::put_bytes(out, id::DOC_TYPE, b"webm")
    });
    ebml::put_master(&mut bytes, id::SEGMENT, |out| ebml::put_void(out, 40));
    bytes.extend([0; 100]);
    assert_eq!(all(bytes).map(|_| ()).unwrap_err(), MediaError::NoTracks);
}

#[test]
fn what_depends_on_an_unreadable_frame_is_not_sent() {
    let (key, delta) = ([0x82, 0, 0, 0x80, 1], [0x82, 0, 1, 0, 2]);
    let bad_lacing = [0x82, 0, 2, 0x04, 1, 1, 2, 3];
    for unreadable in [&bad_lacing[..], &[0x82], &[]] {
        let (_, frames) = all(matroska(|out| {
            for block in [&delta[..], &key, &delta, unreadable, &delta, &key, &delta] {
                ebml::put_bytes(out, id::SIMPLE_BLOCK, block);
            }
        }))
        .unwrap();
        let found: Vec<_> = frames
            .iter()
            .map(|frame| (frame.group.0, frame.payload[0]))
            .collect();
        assert_eq!(found, [(0, 1), (0, 2), (1, 1), (1, 2)]);
    }
}

#[test]
fn a_frame_too_large_for_the_wire_is_skipped_and_told() {
    let mut large = vec![0x81, 0, 0, 0x80];
    large.resize(5 * 1024 * 1024, 0x48);
    let (mut source, frames) = all(matroska(|out| {
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &large);
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &[0x81, 0, 9, 0x80, 0x48]);
    }))
    .unwrap();
    assert_eq!(frames.len(), 1);
    assert_eq!(source.take_warnings(), [MediaWarning::FrameTooLarge]);
}

#[test]
fn sizes_that_are_only_claimed_cost_nothing() {
    for element in [
        id::SIMPLE_BLOCK,
        id::BLOCK_GROUP,
        id::TIMESTAMP,
        id::VOID,
        id::CUES,
    ] {
        for size in [200 << 20, u64::from(u32::MAX), (1 << 56) - 2] {
            let mut demuxer = Demuxer::new();
            let bytes = matroska(|out| {
                ebml::put_id(out, element);
                out.extend_from_slice(&ebml::size_in_8(size));
            });
            demuxer.push(&bytes);
            for _ in 0..1000 {
                demuxer.push(&[0x55; 1000]);
                while let Some(event) = demuxer.next().unwrap() {
                    assert!(!matches!(event, Event::End));
                }
            }
            assert!(
                demuxer.held() < 20_000,
                "{element:x} keeps {}",
                demuxer.held()
            );
        }
    }
}

#[test]
fn an_absurd_size_does_not_swallow_what_follows() {
    let block = [0x81, 0, 0, 0x80, 0x48];
    let (mut source, frames) = all(matroska(|out| {
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &block);
        ebml::put_id(out, 0x4ABC);
        out.extend(ebml::size_in_8(1 << 40));
        out.extend([0; 100]);
        ebml::put_id(out, id::CLUSTER);
        out.extend(ebml::UNKNOWN_SIZE);
        ebml::put_uint(out, id::TIMESTAMP, 2000);
        ebml::put_bytes(out, id::SIMPLE_BLOCK, &block);
    }))
    .unwrap();
    assert_eq!(frames.len(), 2);
    assert_eq!(source.take_warnings(), [MediaWarning::Damaged]);
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        any::<u8>(),
        0..4u8,
        1..64usize,
    );
    (
        0..PLAYABLE.len(),
        prop::collection::vec(change, 1..12),
        any::<bool>(),
    )
        .prop_map(|(file, changes, at_head)| {
            let mut bytes = fixture(PLAYABLE[file]);
            for (place, value, what, count) in changes {
                let range = if at_head {
                    bytes.len().min(700)
                } else {
                    bytes.len()
                };
                let at = place.index(range);
                let end = (at + count).min(bytes.len());
                match what {
                    0 => bytes[at] = value,
                    1 => bytes[at] ^= 1 << (value % 8),
                    2 => drop(bytes.drain(at..end)),
                    _ => drop(bytes.splice(at..at, vec![value; count])),
                }
            }
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn damaged_files_neither_panic_nor_lose_their_order(bytes in mutated()) {
        if let Ok((_, frames)) = all(bytes) {
            for track in [TrackId(0), TrackId(1)] {
                let mut last = None;
                for (number, frame) in (0..).zip(frames.iter().filter(|f| f.track == track)) {
                    prop_assert_eq!(frame.number, number);
                    prop_assert!(last.is_none_or(|last| frame.group >= last));
                    last = Some(frame.group);
                }
            }
        }
    }

    #[test]
    fn any_bytes_after_a_good_beginning_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let _ = all(matroska(|out| out.extend_from_slice(&bytes)));
        let _ = all(bytes);
    }
}
