use super::*;
use crate::participant::samples;
use crate::wire::TrackId;

fn presence(name: &str) -> Presence {
    Presence {
        name: name.into(),
        ..samples::presence(vec![samples::sound(TrackId(0))])
    }
}

fn frame(number: u64) -> Frame {
    samples::frame(TrackId(0), number, 20 * number, vec![0xfc, 0xff, 0xfe])
}

fn record(scribe: &Scribe, who: Who, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert!(scribe.frame(who, &frame(number), Instant::now()));
    }
}

async fn rest(scribe: Scribe) -> Vec<String> {
    let mut reports = scribe.close();
    let mut all = Vec::new();
    while let Some(report) = reports.recv().await {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        all.push(match report {
            Report::Began(who, path) => format!("{} began {}", who.0, name(&path)),
            Report::Done(who, path, frames) => {
                assert!(path.metadata().unwrap().len() > 0);
                format!("{} done {} {frames}", who.0, name(&path))
            }
            Report::Broken(who, path, error) => {
                format!("{} broken {} {error:?}", who.0, path.is_some())
            }
        });
    }
    all.sort();
    all
}

#[tokio::test]
async fn each_person_gets_a_file_and_keeps_it_over_a_return() {
    let folder = tempfile::tempdir().unwrap();
    let scribe = Scribe::start(folder.path().join("made/for/it")).unwrap();
    for who in [Who(0), Who(1), Who(2)] {
        scribe.person(who, &presence("Ada"));
    }
    record(&scribe, Who(0), 0..50);
    record(&scribe, Who(1), 0..10);
    scribe.finish(Who(1));
    record(&scribe, Who(1), 10..20);
    scribe.person(Who(0), &presence("Ada"));
    record(&scribe, Who(0), 60..100);
    assert_eq!(
        rest(scribe).await,
        [
            "0 began Ada.webm",
            "0 done Ada.webm 90",
            "1 began Ada (2).webm",
            "1 done Ada (2).webm 10"
        ],
        "and nothing for the one who sent nothing"
    );
}

#[tokio::test]
async fn a_folder_that_goes_away_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let scribe = Scribe::start(folder.path().join("in")).unwrap();
    std::fs::remove_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("in"), b"not a folder").unwrap();
    scribe.person(Who(7), &presence("Ada"));
    record(&scribe, Who(7), 0..50);
    let reports = rest(scribe).await;
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0].starts_with("7 broken false NotAFolder"),
        "{reports:?}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_told_at_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let started = Scribe::start(file.path().join("folder"));
    assert_eq!(started.err(), Some(MediaError::NotAFolder));
}

/// Permissions do not bind the administrator; that nobody makes files there does.
#[test]
fn a_folder_that_takes_no_files_is_told_at_once() {
    let started = Scribe::start("/sys".into());
    assert!(
        matches!(started.err(), Some(MediaError::CannotCreate(_))),
        "before anybody speaks"
    );
}

#[test]
fn looking_whether_a_folder_takes_files_leaves_nothing_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let scribe = Scribe::start(folder.path().into()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    drop(scribe);
}

#[tokio::test]
async fn what_waits_for_the_disk_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let scribe = Scribe::start(folder.path().into()).unwrap();
    scribe.waiting.store(BYTES, Ordering::Relaxed);
    assert!(!scribe.frame(Who(0), &frame(0), Instant::now()));
    assert_eq!(scribe.waiting.load(Ordering::Relaxed), BYTES);
}
