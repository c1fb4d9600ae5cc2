//! What a relay tells of itself in numbers: roughly, once a minute, on this machine alone. No scrape
//! tells when somebody came, and whoever scrapes badly harms nobody.

#[path = "metrics_cannot_date_a_join/scrape.rs"]
mod scrape;
mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use scrape::{Place, Scrape, ask, numbers};
use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::client::{Link, connect};
use sottovoce::quiet::metrics::{BYTES, Metrics};
use sottovoce::relay::{Relay as Core, RelayConfig};
use sottovoce::wire::{
    ControlReader, FromRelay, Role, RoomHandle, ToRelay, VERSION, encode_control,
};
use support::{Participant, Relay, sottovoce};

const PATIENCE: Duration = Duration::from_secs(30);

/// Crowds come and go all the time, and what is told changes no more often than it may.
#[test]
fn what_is_told_changes_at_its_own_pace() {
    const EVERY: Duration = Duration::from_secs(3);
    let config = RelayConfig {
        listen: vec!["127.0.0.1:0".parse().expect("an address")],
        ..RelayConfig::default()
    };
    let mut relay = Core::open(&config).expect("a relay");
    let (address, stop) = (relay.address().clone(), relay.stop_handle());
    let start = Instant::now();
    let metrics = relay.meter(EVERY).expect("numbers");
    let relay = std::thread::spawn(move || relay.run());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut told = vec![metrics.text()];
    let mut look = |metrics: &Metrics| {
        let text = metrics.text();
        if told.last() != Some(&text) {
            // Only what is rough.
            numbers(&text);
            told.push(text);
        }
        let most = start.elapsed().as_secs() / EVERY.as_secs() + 1;
        assert!(told.len() as u64 <= 1 + most, "{told:#?}");
        numbers(told.last().expect("one"))
    };
    runtime.block_on(async {
        for _ in 0..2 {
            let mut crowd = Vec::new();
            // Each eighth passes a step.
            for _ in 0..40 {
                crowd.push(enter(&address, Role::Member).await);
                look(&metrics);
            }
            crowd.push(enter(&address, Role::Viewer).await);
            while look(&metrics).count("sottovoce_participants{role=\"member\"}") < 40 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let here = look(&metrics);
            assert_eq!(here.count("sottovoce_participants{role=\"member\"}"), 40);
            assert_eq!(here.count("sottovoce_connections"), 48);
            assert_eq!(here.count("sottovoce_rooms"), 8);
            assert!(here.count("sottovoce_addresses") >= 48);
            for link in crowd {
                link.close(sottovoce::wire::CloseReason::Done).await;
                look(&metrics);
            }
        }
        while look(&metrics).count("sottovoce_addresses") > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let gone = look(&metrics);
    for name in [
        "participants{role=\"member\"}",
        "participants{role=\"viewer\"}",
        "rooms",
        "connections",
    ] {
        assert_eq!(gone.count(&format!("sottovoce_{name}")), 0, "{name}");
    }
    assert_eq!(gone.count("sottovoce_received_bytes_total"), BYTES);
    stop.stop();
    relay.join().expect("a clean end");
}

async fn enter(address: &RelayAddress, role: Role) -> Link {
    let link = connect(address, None).await.expect("a connection");
    let hello = ToRelay::Hello {
        version: VERSION,
        room: RoomHandle([1; 32]),
        role,
        pass: None,
    };
    let hello: Bytes = encode_control(&hello).expect("a message");
    link.send_control(hello).await.expect("it is sent");
    let mut reader = ControlReader::<FromRelay>::new();
    loop {
        let bytes = link.recv_control().await.ok().flatten().expect("a welcome");
        reader.push(&bytes).expect("a message");
        if let Ok(Some(FromRelay::Welcome { .. })) = reader.next() {
            return link;
        }
    }
}

/// A configuration that has the numbers told at `place`.
fn told_at(folder: &Path, place: &str) -> PathBuf {
    let file = folder.join("relay.toml");
    let text = format!("listen = [\"127.0.0.1:0\"]\n[metrics]\nlisten = \"{place}\"\n");
    std::fs::write(&file, text).expect("a configuration");
    file
}

fn relay_with(file: &Path) -> Relay {
    let mut command = sottovoce();
    command.args(["relay", "--json", "--config"]).arg(file);
    Relay::spawn(&mut command)
}

/// What the relay has open, by what its descriptors lead to; `None`, having said so, for everybody but
/// root, since nobody else looks into a relay.
fn descriptors(relay: &Relay) -> Option<Vec<PathBuf>> {
    let folder = format!("/proc/{}/fd", relay.pid());
    match std::fs::read_dir(folder) {
        Ok(all) => {
            // One may be closed meanwhile.
            let to = all.map(|entry| entry.expect("an entry").path().read_link());
            Some(to.filter_map(Result::ok).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            // Past what holds back the output of tests that pass.
            let said = b"\nNOT LOOKED AT: which descriptors the relay has open; root can.\n";
            std::io::stderr().write_all(said).expect("standard error");
            None
        }
        Err(error) => panic!("the relay's descriptors: {error}"),
    }
}

fn count(relay: &Relay) -> Option<usize> {
    descriptors(relay).map(|all| all.len())
}

/// The program itself, in its sandbox, with real participants: for more than a minute, so that the
/// numbers change once.
#[test]
fn a_relay_tells_sums_and_a_bad_scraper_harms_nobody() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("metrics");
    let place = Place::Path(path.clone());
    let file = told_at(folder.path(), &format!("unix:{}", path.display()));
    let relay = relay_with(&file);
    let before = numbers(&scrape(&place));
    assert!(before.all().iter().all(|(_, value)| *value == 0));
    let open = count(&relay);

    let links = relay.invite();
    let begun = Instant::now();
    let mut ada = Participant::hosts::<&str>(&links, "Ada Canary", &[]);
    ada.until("connected", PATIENCE);
    let mut bob = Participant::join::<&str>(&links.meeting, "Bob Canary", &[]);
    bob.until("connected", PATIENCE);

    // Half requests that never end: the oldest has to go, and a scrape is answered.
    let mut hanging = Vec::new();
    for _ in 0..64 {
        let mut line = place.connect();
        let _ = line.write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ");
        hanging.push(line);
    }
    numbers(&scrape(&place));
    assert!(count(&relay) <= open.map(|open| open + 64), "not bounded");
    // What is no request, and what is too much of one.
    let long = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    for junk in [
        "\0\u{1}\u{2}",
        "GET\r\n\r\n",
        "\r\n\r\n\r\n",
        &long,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let said = ask(&place, junk.as_bytes());
        assert!(
            !said.contains("sottovoce_") && !said.starts_with("HTTP/1.1 200"),
            "{said}"
        );
    }
    drop(hanging);

    let mut texts = BTreeSet::new();
    loop {
        let text = scrape(&place);
        assert!(!text.contains("Canary"));
        let seen = numbers(&text);
        texts.insert(text);
        assert!(
            texts.len() as u64 <= 2 + begun.elapsed().as_secs() / 60,
            "{texts:#?}"
        );
        if seen.count("sottovoce_rooms") > 0 {
            assert_eq!(seen.count("sottovoce_participants{role=\"member\"}"), 8);
            assert_eq!(seen.count("sottovoce_connections"), 8);
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{texts:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    // The meeting lives.
    ada.signal("INT");
    bob.until("left", PATIENCE);
    bob.signal("INT");
    assert!(ada.finish(PATIENCE).0.success() && bob.finish(PATIENCE).0.success());
    let deadline = Instant::now() + PATIENCE;
    while count(&relay) > open {
        assert!(Instant::now() < deadline, "descriptors are left open");
        std::thread::sleep(Duration::from_millis(100));
    }
    relay.signal("TERM");
    assert!(relay.finish(PATIENCE).0.success());
    // The file stays, and the next relay takes its place.
    assert!(path.exists());
    numbers(&scrape_of(&relay_with(&file), &place));
}

fn scrape_of(_: &Relay, place: &Place) -> String {
    scrape(place)
}

fn scrape(place: &Place) -> String {
    let Scrape { head, body } =
        Scrape::of(&ask(place, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(
        head,
        [
            "HTTP/1.1 200 OK",
            "connection: close",
            &format!("content-length: {}", body.len()),
            &format!("content-type: {}", Metrics::CONTENT_TYPE),
        ]
    );
    body
}

#[test]
fn healthz_says_alive_and_everything_else_says_nothing() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = free.expect("a free port").port();
    let relay = relay_with(&told_at(folder.path(), &format!("127.0.0.1:{port}")));
    let place = Place::Port(port);
    let get = |what: &str| {
        Scrape::of(&ask(
            &place,
            format!("{what} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
        ))
    };
    let health = get("GET /healthz");
    assert_eq!(health.body, "alive\n");
    assert_eq!(
        health.head,
        [
            "HTTP/1.1 200 OK",
            "connection: close",
            "content-length: 6",
            "content-type: text/plain"
        ]
    );
    for other in [
        "GET /",
        "GET /metrics/",
        "GET /debug/pprof",
        "POST /metrics",
        "DELETE /healthz",
        "HEAD /metrics",
    ] {
        let said = get(other);
        assert_eq!(
            said.head[..2],
            ["HTTP/1.1 404 Not Found", "connection: close"],
            "{other}"
        );
        // To HEAD not even that.
        let length = said.head.get(2).map(String::as_str);
        assert!(
            length.is_none_or(|length| length == "content-length: 0"),
            "{other}"
        );
        assert!(said.body.is_empty() && said.head.len() <= 3, "{other}");
    }
    relay.signal("TERM");
    let (status, printed) = relay.finish(PATIENCE);
    assert!(
        status.success() && printed.is_empty(),
        "no access log: {printed}"
    );
}

#[test]
fn nothing_listens_unless_asked_for_nor_where_others_could_come_in() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (place, code, words) in [
        ("0.0.0.0:9464", 10, "this machine alone"),
        ("[2001:db8::1]:9464", 10, "this machine alone"),
        ("localhost", 10, "127.0.0.1:9464"),
        ("unix:metrics", 10, "from / on"),
        ("unix:/nowhere/at/all/metrics", 11, "folder"),
    ] {
        let file = told_at(folder.path(), place);
        let output = sottovoce()
            .args(["relay", "--config"])
            .arg(&file)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("[metrics]") && said.contains(words), "{said}");
    }
    // Its page aside, which is for everybody.
    let relay = Relay::with(&["--listen", "127.0.0.1:0", "--no-page"]);
    // Landlock and the filter would refuse it; and there is nothing to find.
    let Some(open) = descriptors(&relay) else {
        return;
    };
    let inodes: Vec<String> = open
        .iter()
        .filter_map(|to| {
            to.to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')
                .map(str::to_owned)
        })
        .collect();
    assert!(!inodes.is_empty(), "it has its own socket at least");
    let tcp = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    assert!(!tcp.lines().any(|line| {
        inodes
            .iter()
            .any(|inode| line.split_whitespace().any(|word| word == inode))
    }));
}

#[test]
fn the_dashboard_and_the_page_know_every_number_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file| std::fs::read_to_string(root.join(file)).expect(file);
    let text = Metrics::default().text();
    let told = names(&text);
    assert_eq!(names(&read("docs/metrics.md")), told);
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let shown = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .map(|target| target["expr"].as_str().expect("an expression"));
    assert_eq!(names(&shown.collect::<String>()), told);
}

fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("sottovoce_"))
        .collect()
}
