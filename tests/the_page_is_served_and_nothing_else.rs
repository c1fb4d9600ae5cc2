//! A relay serves its page at the TCP port of its UDP port's number: its own files, with the strictest
//! headers, to whoever asks, and nothing else. Whoever asks too much harms nobody, and nothing is kept.

mod support;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sottovoce::page::{CSP, OF_ONE_ADDRESS, PLACES, PageFile, files};
use support::browser::{Answer, ask, connect, request};
use support::{Relay, fixture, sottovoce};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};

const NAME: &str = "relay.invalid";

fn at(relay: &Relay) -> SocketAddr {
    ([127, 0, 0, 1], relay.port()).into()
}

async fn once(relay: &Relay, request: &[u8]) -> Answer {
    let mut stream = connect("127.0.0.1", at(relay), NAME, "http/1.1")
        .await
        .expect("TLS");
    ask(&mut stream, request).await.expect("an answer")
}

/// A relay of a name that an authority vouches for.
fn with_a_name() -> Relay {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("relay.toml");
    let path = |name: &str| fixture(&format!("authority/{name}"));
    let config = format!(
        "public_address = \"relay.example.org:443\"\ncertificate = {:?}\nkey = {:?}\n",
        path("relay.pem"),
        path("relay.key")
    );
    std::fs::write(&file, config).expect("write");
    let config = file.to_str().expect("a path");
    // Its links lead elsewhere, so the port is asked for.
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut relay = Relay::with(&["--listen", &listen, "--config", config]);
    assert!(relay.address.ends_with("/#authority"), "{}", relay.address);
    relay.address = format!("https://127.0.0.1:{port}/");
    relay
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

fn kind(file: &PageFile) -> &'static str {
    match file.name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// All headers of each answer, besides those about its content.
fn always(only_tls: bool) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = [
        ("content-security-policy", CSP),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    if only_tls {
        all.insert(
            "strict-transport-security".into(),
            "max-age=15768000".into(),
        );
    }
    all
}

fn check(answer: &Answer, file: &PageFile, brotli: bool, only_tls: bool) {
    let compressed = file.brotli.filter(|_| brotli);
    let bytes = compressed.unwrap_or(file.bytes);
    let mut expected = always(only_tls);
    expected.insert("content-type".into(), kind(file).into());
    expected.insert("content-length".into(), bytes.len().to_string());
    if compressed.is_some() {
        expected.insert("content-encoding".into(), "br".into());
    }
    assert_eq!(answer.status, 200, "{}", file.name);
    assert_eq!(answer.headers.len(), expected.len(), "{answer:?}");
    assert_eq!(
        answer.headers.iter().cloned().collect::<BTreeMap<_, _>>(),
        expected
    );
    assert!(answer.body == bytes, "{}", file.name);
}

/// With a name and without, in both versions of HTTP, compressed and not.
#[tokio::test]
async fn every_file_is_served_as_it_was_built() {
    for (relay, only_tls) in [(Relay::start(), false), (with_a_name(), true)] {
        let mut one = connect("127.0.0.1", at(&relay), NAME, "http/1.1")
            .await
            .expect("TLS");
        assert!(!files().is_empty());
        for (brotli, lines) in [(false, ""), (true, "Accept-Encoding: gzip, br\r\n")] {
            for file in files() {
                let path = format!("/{}", file.name);
                let answer = ask(&mut one, &request("GET", &path, lines))
                    .await
                    .expect("an answer");
                check(&answer, file, brotli, only_tls);
                let head = ask(&mut one, &request("HEAD", &path, lines))
                    .await
                    .expect("an answer");
                assert_eq!((head.status, &head.headers), (200, &answer.headers));
                let two = over_http_2(&relay, &path, brotli).await;
                check(&two, file, brotli, only_tls);
            }
        }
        let index = files()
            .iter()
            .find(|file| file.name == "index.html")
            .expect("a page");
        for path in ["/", "/?from=a-friend"] {
            let answer = ask(&mut one, &request("GET", path, ""))
                .await
                .expect("an answer");
            check(&answer, index, false, only_tls);
        }
    }
}

async fn over_http_2(relay: &Relay, path: &str, brotli: bool) -> Answer {
    let stream = connect("127.0.0.1", at(relay), NAME, "h2")
        .await
        .expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driver = tokio::spawn(connection);
    let mut request = http::Request::get(format!("https://relay{path}"));
    if brotli {
        request = request.header("accept-encoding", "br");
    }
    let request = request.body(()).expect("a request");
    let mut sender = sender.ready().await.expect("ready");
    let (response, _) = sender.send_request(request, true).expect("sent");
    let response = response.await.expect("an answer");
    let (head, mut content) = response.into_parts();
    let mut body = Vec::new();
    while let Some(bytes) = content.data().await {
        let bytes = bytes.expect("bytes");
        let _ = content.flow_control().release_capacity(bytes.len());
        body.extend(bytes);
    }
    driver.abort();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), value.to_str().expect("text").to_owned())
    };
    Answer {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(header).collect(),
        body,
    }
}

#[tokio::test]
async fn there_is_nothing_else() {
    let relay = Relay::start();
    for path in [
        "/index",
        "/app.js.br",
        "/index.html.br",
        "/../Cargo.toml",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/./index.html",
        "/index.html/",
        "/metrics",
        "/healthz",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/acme-challenge/x",
        "/%00",
    ] {
        let answer = once(&relay, &request("GET", path, "")).await;
        assert_eq!(
            (answer.status, answer.header("content-length")),
            (404, Some("0")),
            "{path}"
        );
        assert_eq!(answer.headers.len(), always(false).len() + 1, "{answer:?}");
        assert_eq!(over_http_2(&relay, path, true).await.status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"] {
        let answer = once(&relay, &request(method, "/", "Content-Length: 0\r\n")).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    let answer = once(
        &relay,
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    .await;
    assert_eq!(answer.status, 405);
    // Neither a page of elsewhere by this door, nor an upgrade.
    let answer = once(
        &relay,
        b"GET http://elsewhere.example/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    .await;
    assert_eq!(answer.status, 404);
    let upgrade =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    assert_eq!(
        once(&relay, &request("GET", "/", upgrade)).await.status,
        200
    );
    // What is no TLS is no request.
    let mut plain = tokio::net::TcpStream::connect(at(&relay))
        .await
        .expect("a connection");
    plain
        .write_all(&request("GET", "/", ""))
        .await
        .expect("it is read");
    let mut said = Vec::new();
    let _ = timeout(Duration::from_secs(20), plain.read_to_end(&mut said))
        .await
        .expect("it ends");
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let relay = Relay::start();
    for (line, status) in [
        (format!("X: {}\r\n", "a".repeat(200_000)), 431),
        ("X: a\r\n".repeat(3000), 431),
        (format!("Cookie: {}\r\n", "a".repeat(8000)), 200),
    ] {
        let mut stream = connect("127.0.0.1", at(&relay), NAME, "http/1.1")
            .await
            .expect("TLS");
        match ask(&mut stream, &request("GET", "/", &line)).await {
            Ok(answer) => assert_eq!(answer.status, status),
            Err(_) => assert_ne!(status, 200, "it was cut off"),
        }
    }
    assert_eq!(once(&relay, &request("GET", "/", "")).await.status, 200);
}

/// What is left of an answer arrives, also where it is the last of its connection.
#[tokio::test]
async fn who_wants_one_answer_gets_all_of_it() {
    let relay = Relay::start();
    let largest = files()
        .iter()
        .max_by_key(|file| file.bytes.len())
        .expect("a page");
    let path = format!("/{}", largest.name);
    for head in [
        request("GET", &path, "Connection: close\r\n"),
        format!("GET {path} HTTP/1.0\r\n\r\n").into_bytes(),
    ] {
        let mut stream = connect("127.0.0.1", at(&relay), NAME, "http/1.1")
            .await
            .expect("TLS");
        stream.write_all(&head).await.expect("it is read");
        // Who reads late reads all the same.
        sleep(Duration::from_secs(1)).await;
        let mut said = Vec::new();
        stream
            .read_to_end(&mut said)
            .await
            .expect("TLS ends as it should");
        assert!(
            said.ends_with(largest.bytes),
            "{} of {}",
            said.len(),
            largest.bytes.len()
        );
    }
}

#[tokio::test]
async fn who_dawdles_has_to_go_and_harms_nobody() {
    let relay = Relay::start();
    let started = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..OF_ONE_ADDRESS {
        slow.push(
            connect("127.5.0.1", at(&relay), NAME, "http/1.1")
                .await
                .expect("TLS"),
        );
    }
    // A shake of hands that is never ended, and one that never begins.
    let mut silent = tokio::net::TcpStream::connect(at(&relay))
        .await
        .expect("a connection");
    let (mut asked, mut gone) = (0, 0);
    let head = request("GET", "/", "");
    while gone < slow.len() {
        assert!(started.elapsed() < Duration::from_secs(25), "{gone} gone");
        gone = 0;
        for stream in &mut slow {
            let byte = head.get(asked..=asked).unwrap_or(b"X");
            gone += usize::from(stream.write_all(byte).await.is_err());
        }
        asked = (asked + 1).min(head.len() - 3);
        let before = Instant::now();
        assert_eq!(once(&relay, &request("GET", "/", "")).await.status, 200);
        assert!(before.elapsed() < Duration::from_secs(2));
        sleep(Duration::from_millis(400)).await;
    }
    let ended = timeout(Duration::from_secs(5), silent.read(&mut [0; 1])).await;
    assert!(ended.is_ok(), "who says nothing has to go as well");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let relay = Relay::start();
    let mut held = Vec::new();
    for _ in 0..OF_ONE_ADDRESS {
        held.push(
            connect("127.5.0.2", at(&relay), NAME, "h2")
                .await
                .expect("TLS"),
        );
    }
    assert!(connect("127.5.0.2", at(&relay), NAME, "h2").await.is_err());
    assert!(connect("127.5.0.3", at(&relay), NAME, "h2").await.is_ok());
    drop(held.pop());
    sleep(Duration::from_millis(200)).await;
    assert!(connect("127.5.0.2", at(&relay), NAME, "h2").await.is_ok());
}

/// Whoever has as many as it may, and comes all the same, has nobody else wait.
#[tokio::test]
async fn who_is_refused_takes_nobodys_turn() {
    let relay = Relay::start();
    let mut held = Vec::new();
    for _ in 0..OF_ONE_ADDRESS {
        let stream = connect("127.5.0.4", at(&relay), NAME, "h2").await;
        held.push(stream.expect("TLS"));
    }
    let started = Instant::now();
    for _ in 0..1000 {
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = "127.5.0.4:0".parse().expect("an address");
        socket.bind(from).expect("an address");
        // Where the reset was quicker it is not even connected.
        if let Ok(mut stream) = socket.connect(at(&relay)).await {
            assert!(stream.read(&mut [0; 1]).await.is_err(), "it was reset");
        }
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}

/// Requests that are taken back at once, settings and pings whose answers nobody reads, a head without end.
#[tokio::test]
async fn who_floods_in_http_2_harms_nobody() {
    fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
    }
    /// `GET`, `https`, `/`, and an authority.
    const HEAD: &[u8] = b"\x82\x87\x84\x41\x01x";
    let floods: [fn(u32) -> Vec<u8>; 4] = [
        |number| {
            let stream = 2 * number + 1;
            [
                frame(1, 5, stream, HEAD),
                frame(3, 0, stream, &[0, 0, 0, 8]),
            ]
            .concat()
        },
        |_| frame(4, 0, 0, &[0, 4, 0, 1, 0, 0]),
        |number| frame(6, 0, 0, &[number.to_be_bytes(), [0; 4]].concat()),
        |number| match number {
            0 => frame(1, 1, 1, HEAD),
            // A field that is not kept in the table, a kilobyte long.
            _ => frame(
                9,
                0,
                1,
                &[&b"\x00\x01x\x7f\xe9\x06"[..], &[b'a'; 1000]].concat(),
            ),
        },
    ];
    let relay = Relay::start();
    let before = relay.rss_kib();
    for flood in floods {
        let mut stream = connect("127.5.0.5", at(&relay), NAME, "h2")
            .await
            .expect("TLS");
        let flooding = tokio::spawn(timeout(Duration::from_secs(2), async move {
            let hello = [
                &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
                &frame(4, 0, 0, &[]),
            ]
            .concat();
            stream.write_all(&hello).await?;
            for number in 0..100_000 {
                stream.write_all(&flood(number)).await?;
            }
            Ok::<_, std::io::Error>(())
        }));
        for _ in 0..3 {
            let asked = Instant::now();
            assert_eq!(once(&relay, &request("GET", "/", "")).await.status, 200);
            assert!(asked.elapsed() < Duration::from_secs(5));
        }
        // It may have been cut off, or not be read from any more.
        let _ = flooding.await.expect("no panic");
    }
    let grew = relay.rss_kib().saturating_sub(before);
    assert!(grew < 16 * 1024, "{grew} KiB");
}

#[tokio::test]
async fn a_crowd_puts_out_whoever_came_first() {
    let relay = Relay::start();
    let mut held = Vec::new();
    for number in 0..PLACES + 8 {
        let from = format!("127.6.0.{}", number / 8 + 1);
        let mut stream = connect(&from, at(&relay), NAME, "http/1.1")
            .await
            .expect("TLS");
        let answer = ask(&mut stream, &request("HEAD", "/", ""))
            .await
            .expect("an answer");
        assert_eq!(answer.status, 200);
        held.push(stream);
    }
    let first = held.first_mut().expect("one");
    assert!(ask(first, &request("GET", "/", "")).await.is_err());
    let last = held.last_mut().expect("one");
    assert_eq!(
        ask(last, &request("GET", "/", ""))
            .await
            .expect("an answer")
            .status,
        200
    );
}

/// Whatever is asked, nothing of it is said, and the kernel keeps nobody's address.
#[tokio::test]
async fn nothing_is_logged_and_no_address_stays() {
    let mut command = sottovoce();
    command
        .args([
            "relay",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--require-sandbox",
        ])
        .env("RUST_LOG", "trace,hyper=trace,h2=trace,rustls=trace");
    let relay = Relay::spawn(&mut command);
    let canaries = [
        "canary-name",
        "canary-path",
        "canary-agent",
        "canary-cookie",
        "127.77.66.55",
    ];
    let lines =
        "User-Agent: canary-agent\r\nCookie: canary-cookie=1\r\nReferer: https://canary-path/\r\n";
    for protocol in ["http/1.1", "h2"] {
        let stream = connect("127.77.66.55", at(&relay), "canary-name.invalid", protocol).await;
        let mut stream = stream.expect("TLS");
        let _ = ask(&mut stream, &request("GET", "/canary-path", lines)).await;
        let _ = ask(&mut stream, b"\0\xffcanary-path nonsense\r\n\r\n").await;
    }
    sleep(Duration::from_millis(300)).await;
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let port = format!(":{:04X} ", relay.port());
    let rows: Vec<_> = table.lines().filter(|row| row.contains(&port)).collect();
    assert_eq!(rows.len(), 1, "it listens, and that is all: {rows:?}");
    if let Ok(learned) = Command::new("ip").args(["tcp_metrics", "show"]).output() {
        let learned = String::from_utf8_lossy(&learned.stdout).into_owned();
        assert!(!learned.contains("127.77.66.55"), "{learned}");
    }
    relay.signal("TERM");
    let (status, printed) = relay.finish(Duration::from_secs(10));
    assert!(status.success(), "{status}");
    for word in canaries
        .iter()
        .chain(&["hyper", "h2", "rustls", "GET", "http", "404"])
    {
        assert!(!printed.contains(word), "{word}: {printed}");
    }
}

/// Meetings come first: the page has a thread of its own that lets all others go before.
#[test]
fn the_page_stands_back() {
    let relay = Relay::start();
    let tasks = std::fs::read_dir(format!("/proc/{}/task", relay.pid())).expect("its threads");
    let mut threads = BTreeMap::new();
    for task in tasks.flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).expect("what it does");
        let (name, rest) = stat.split_once(") ").expect("a name");
        let name = name.split_once('(').expect("a name").1.to_owned();
        threads.insert(name, rest.split(' ').nth(16).expect("its nice").to_owned());
    }
    assert_eq!(threads["page"], "19", "{threads:?}");
    assert_eq!(threads["shard"], threads["sottovoce"], "{threads:?}");
}

#[test]
fn a_relay_can_do_without() {
    let relay = Relay::with(&["--listen", "127.0.0.1:0", "--no-page"]);
    assert!(std::net::TcpStream::connect(at(&relay)).is_err());
    drop(relay);

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("an address").to_string();
    let output = sottovoce()
        .args(["relay", "--listen", &listen])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(11), "{said}");
    for word in [&listen, "TCP", "--no-page"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let relay = Relay::with(&["--listen", &listen, "--no-page"]);
    assert_eq!(at(&relay).to_string(), listen);
}

#[test]
fn the_version_names_the_page() {
    for arguments in [&["--version"][..], &["relay", "--version"]] {
        let output = sottovoce().args(arguments).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains(&format!("; page {})", sottovoce::page::HASH)),
            "{said}"
        );
    }
}

#[tokio::test]
async fn this_machine_is_served_without_tls() {
    let refused = sottovoce()
        .args(["web", "--listen", "0.0.0.0:0"])
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("camera"));
    let relay = Relay::start();
    let link = relay.invite().meeting;
    let mut command = sottovoce();
    command.args(["web", "--listen", "127.0.0.1:0", "--json", "--link", &link]);
    if !sottovoce::page::is_built_in() {
        let output = command.stdout(Stdio::piped()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        return;
    }
    // It says its address as a relay does.
    let web = Relay::spawn(&mut command);
    let (place, fragment) = web.address.split_once("/#").expect("a fragment");
    assert_eq!(
        Some(fragment),
        link.split_once('#').map(|(_, fragment)| fragment)
    );
    let place = place.strip_prefix("http://").expect("http");
    let mut stream = tokio::net::TcpStream::connect(place)
        .await
        .expect("a connection");
    let calls = |host: &str, method: &str, path: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
    };
    for file in files() {
        let path = format!("/{}", file.name);
        let answer = ask(&mut stream, &calls(place, "GET", &path))
            .await
            .expect("an answer");
        check(&answer, file, false, false);
    }
    // A name of somebody else's that leads here has no page.
    for (host, method, status) in [(place, "POST", 405), ("elsewhere.example", "GET", 421)] {
        let answer = ask(&mut stream, &calls(host, method, "/"))
            .await
            .expect("an answer");
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{host}");
    }
    web.signal("INT");
    let (status, _) = web.finish(Duration::from_secs(5));
    assert!(status.success());
}
