//! A disk without room: what is on it can be played, and the person is told once.

use super::*;

#[test]
fn on_a_full_disk_the_recording_ends_playable_and_it_is_told_once() {
    let whole = Disk::of(usize::MAX);
    let frames = talk(7);
    record_all(&whole, &frames).unwrap();
    let all = read(whole.contents());
    let size = whole.contents().len();
    for capacity in (0..size).step_by(331) {
        let disk = Disk::of(capacity);
        assert_eq!(
            record_all(&disk, &frames),
            Err(MediaError::DiskFull),
            "{capacity} bytes"
        );
        let contents = disk.contents();
        assert!(contents.len() <= capacity);
        if contents.is_empty() {
            assert!(capacity < 500, "no room for the head");
            continue;
        }
        let clusters = contents
            .windows(4)
            .filter(|w| *w == id::CLUSTER.to_be_bytes())
            .count();
        if clusters > 0 {
            let found = read(contents.clone());
            assert!(found == all[..found.len()], "{capacity} bytes");
            // All that there is room for but for the frame that did not fit.
            assert!(
                contents.len() + 3100 > capacity,
                "{capacity} bytes, {} used",
                contents.len()
            );
        }
        let unknown = contents
            .windows(8)
            .filter(|w| *w == ebml::UNKNOWN_SIZE)
            .count();
        assert_eq!(unknown, 0, "{capacity} bytes: all sizes are put in place");
    }
}

#[test]
fn what_the_full_disk_cut_off_is_not_counted() {
    let disk = Disk::of(20_000);
    let start = Instant::now();
    let mut recorder = Recorder::new(disk.clone(), &presence()).unwrap();
    let frames = talk(7);
    for frame in &frames {
        let now = start + Duration::from_nanos(frame.timestamp_ns);
        let _ = recorder.frame(frame.clone(), now);
    }
    let summary = recorder.finish().unwrap();
    let found = read(disk.contents());
    assert_eq!(summary.frames, found.len() as u64);
    assert_eq!(summary.frames + summary.left_out, frames.len() as u64);
    let last = ms(found.last().unwrap().1);
    assert!(
        summary.duration > last && summary.duration <= last + ms(100),
        "{summary:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_without_room_is_told_at_once() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(
        Recorder::new(full, &presence()).map(|_| ()),
        Err(MediaError::DiskFull)
    );
}
