//! The relay under test: a process of its own, watched from outside.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sottovoce::carrier::address::RelayAddress;
use tokio::time::sleep;

/// How long it may take to end, or to get ready.
const PATIENCE: Duration = Duration::from_secs(15);

/// A relay process, and how it is started again.
pub struct Process {
    program: PathBuf,
    folder: tempfile::TempDir,
    /// What it is handed from the moment on that its own socket was closed.
    socket: Option<UdpSocket>,
    child: Child,
    url: String,
    at_start: Held,
}

/// What a process holds.
#[derive(Clone, Copy)]
pub struct Held {
    /// Root alone can count them: nobody else looks into a relay.
    pub descriptors: Option<usize>,
    pub threads: usize,
}

/// What it tells of itself, of that what must be nothing in the end.
pub struct Numbers {
    pub connections: u64,
    pub rooms: u64,
    pub addresses: u64,
}

impl Numbers {
    pub fn anybody(&self) -> bool {
        self.connections + self.rooms + self.addresses > 0
    }
}

impl Process {
    pub async fn start(program: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no scratch folder: {error}"))?;
        // A port that is free now.
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let config = format!(
            "listen = [\"127.0.0.1:{port}\"]\nidentity = \"{0}/identity\"\n\
             [metrics]\nlisten = \"unix:{0}/metrics\"\n",
            folder.path().display()
        );
        std::fs::write(folder.path().join("relay.toml"), config).map_err(|e| e.to_string())?;
        let (child, url) = spawn(program, folder.path(), None)?;
        let mut process = Self {
            program: program.to_owned(),
            folder,
            socket: None,
            child,
            url,
            at_start: Held {
                descriptors: None,
                threads: 0,
            },
        };
        process.at_start = process.settled().await?;
        Ok(process)
    }

    /// What it holds once it has answered and hung up.
    pub async fn settled(&mut self) -> Result<Held, String> {
        self.numbers()?;
        sleep(Duration::from_millis(200)).await;
        self.held()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn address(&self) -> Result<RelayAddress, String> {
        self.url
            .parse()
            .map_err(|_| "the relay's address is none".to_owned())
    }

    pub fn port(&self) -> u16 {
        self.address().map_or(0, |address| address.port())
    }

    /// Ends it by `signal`, and starts it again on the same port; `hand`: by a socket that is held for
    /// it from the moment that its own is closed.
    pub async fn restart(&mut self, signal: &str, hand: bool) -> Result<(), String> {
        let port = self.port();
        let status = self.end(signal).await?;
        if signal == "TERM" && !status.success() {
            return Err(format!("the relay ended with {status}"));
        }
        if hand && self.socket.is_none() {
            let socket = UdpSocket::bind(("127.0.0.1", port));
            self.socket = Some(socket.map_err(|error| error.to_string())?);
        }
        let socket = self.socket.as_ref().map(UdpSocket::try_clone);
        let socket = socket.transpose().map_err(|error| error.to_string())?;
        let (child, url) = spawn(&self.program, self.folder.path(), socket)?;
        self.child = child;
        if url != self.url {
            return Err("the relay came back by another address".into());
        }
        self.at_start = self.settled().await?;
        Ok(())
    }

    async fn end(&mut self, signal: &str) -> Result<ExitStatus, String> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        sent.map_err(|error| error.to_string())?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            sleep(Duration::from_millis(5)).await;
        }
        Err(format!("the relay does not end by {signal}"))
    }

    /// Ends it for good; "yes" if it went well and said nothing.
    pub async fn stop(&mut self) -> Result<&'static str, String> {
        let status = self.end("TERM").await?;
        let said = rest(&mut self.child);
        let warned = said.lines().any(|line| !line.contains("not_hardened"));
        Ok(match (status.success(), warned) {
            (true, false) => "yes",
            (true, true) => "with warnings",
            (false, _) => "no",
        })
    }

    pub fn at_start(&self) -> Held {
        self.at_start
    }

    fn held(&self) -> Result<Held, String> {
        let count = |what| {
            let folder = format!("/proc/{}/{what}", self.child.id());
            match std::fs::read_dir(folder) {
                Ok(entries) => Ok(Some(entries.count())),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(None),
                Err(error) => Err(format!("its {what} cannot be counted: {error}")),
            }
        };
        Ok(Held {
            descriptors: count("fd")?,
            threads: count("task")?.ok_or("its threads cannot be counted")?,
        })
    }

    /// Whether it still runs: it must, until it is told to end.
    fn alive(&mut self) -> Result<(), String> {
        match self.child.try_wait().map_err(|error| error.to_string())? {
            None => Ok(()),
            Some(status) => {
                let said = rest(&mut self.child);
                Err(format!("the relay ended by itself, {status}: {said}"))
            }
        }
    }

    pub fn rss_kib(&mut self) -> Result<u64, String> {
        self.alive()?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.map_err(|_| "the relay is gone")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or("the relay is gone".into())
    }

    pub fn numbers(&mut self) -> Result<Numbers, String> {
        self.alive()?;
        let text = self
            .scrape()
            .map_err(|error| format!("no numbers: {error}"))?;
        let of = |name: &str| {
            let values = text.lines().filter(|line| !line.starts_with('#'));
            let value = values.filter_map(|line| line.split_once(' '));
            let mut value = value.filter(|(series, _)| *series == name);
            value
                .next()
                .and_then(|(_, value)| value.parse().ok())
                .ok_or(format!("no {name}"))
        };
        Ok(Numbers {
            connections: of("sottovoce_connections")?,
            rooms: of("sottovoce_rooms")?,
            addresses: of("sottovoce_addresses")?,
        })
    }

    fn scrape(&self) -> std::io::Result<String> {
        let mut line = UnixStream::connect(self.folder.path().join("metrics"))?;
        line.set_read_timeout(Some(PATIENCE))?;
        line.write_all(b"GET /metrics HTTP/1.1\r\nHost: soak\r\n\r\n")?;
        let mut text = String::new();
        line.read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay that is ready, and its address. A socket is handed over as systemd does: as descriptor 3,
/// with the number of the process that it is for.
fn spawn(
    program: &Path,
    folder: &Path,
    socket: Option<UdpSocket>,
) -> Result<(Child, String), String> {
    let mut command = match socket {
        None => Command::new(program),
        Some(socket) => {
            let mut shell = Command::new("sh");
            let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
            shell.args(["-c", script, "sh"]).arg(program);
            shell.stdin(OwnedFd::from(socket));
            shell
        }
    };
    let mut child = command
        .args(["relay", "--json", "--config"])
        .arg(folder.join("relay.toml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} does not start: {error}", program.display()))?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        let _ = BufReader::new(out).read_line(&mut line);
    }
    let ready: Option<Value> = serde_json::from_str(&line).ok();
    match ready.as_ref().and_then(|ready| ready["address"].as_str()) {
        Some(url) => Ok((child, url.to_owned())),
        None => {
            let said = rest(&mut child);
            let _ = child.wait();
            Err(format!("the relay does not get ready: {said}"))
        }
    }
}

/// What a process that has ended said on standard error.
fn rest(child: &mut Child) -> String {
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        let _ = errors.read_to_string(&mut said);
    }
    said
}
