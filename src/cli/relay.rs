//! `sottovoce relay`: runs a relay until a signal ends it.

mod hang_up;
mod metrics;
mod page;
mod sandbox;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::json;
use sottovoce::carrier::address::{Host, RelayAddress};
use sottovoce::carrier::certificate::CertificateStore;
use sottovoce::quiet::{self, Drain, Event, Format, Manager};
use sottovoce::relay::{Relay, RelayConfig, RelayError, Sockets, StopHandle};
use sottovoce::system;
use tokio::signal::unix::{SignalKind, signal};

use self::hang_up::HangUp;
use self::metrics::Desk;
use self::page::Page;
use self::sandbox::Sandbox;
use super::{Exit, Failure, say};

/// Run a relay: forwards sealed media between participants, and keeps nothing once they leave.
///
/// SIGTERM, SIGINT and a closed terminal (SIGHUP) end it politely. With certificate files in the
/// configuration SIGHUP reads them again instead; without a terminal, or under nohup, it does nothing.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address to listen on, UDP, and TCP for the page; several are possible [default: 127.0.0.1:4433]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Vec<SocketAddr>,
    /// File with the relay's identity, made on first use; without it, links die with the process
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// What meeting links call this relay, where that is not the first address to listen on
    #[arg(long, value_name = "HOST:PORT")]
    public_address: Option<String>,
    /// Do not serve the page for meetings in a browser
    #[arg(long)]
    no_page: bool,
    /// Configuration file; what is given here as an argument goes before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Do not start where the system cannot lock the relay in (Landlock, seccomp)
    #[arg(long)]
    require_sandbox: bool,
    /// Print the configuration that the other arguments make, as a file with all fields and what
    /// they mean, and end
    #[arg(long, conflicts_with = "json")]
    print_config: bool,
    /// Print the address, when the relay is ready and whenever it is another, as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// How often to look whether another window of days has begun. The wall clock may jump.
const ROTATION: Duration = Duration::from_secs(600);

/// Runs the relay to its end.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.print_config {
        let file = configuration(&arguments)?.to_file();
        return say(&file.map_err(|error| failure(&error.into()))?);
    }
    hush(arguments.json)?;
    let handed = Sockets::handed().map_err(|error| failure(&error.into()))?;
    let mut config = configuration(&arguments)?;
    if let Some(sockets) = &handed {
        config.listen = sockets.addresses();
    }
    let was_handed = handed.is_some();
    let mut sockets = match handed {
        Some(sockets) => sockets,
        None => {
            Sockets::bind(&config.listen, config.page).map_err(|error| failure(&error.into()))?
        }
    };
    let fronts = sockets.take_fronts();
    let mut relay = Relay::open_at(&config, Some(sockets)).map_err(|error| failure(&error))?;
    let page = Page::at(fronts, &relay, config.page)?;
    let desk = Desk::open(&config, &mut relay)?;
    let hint = match arguments.json {
        true => None,
        false if config.page && was_handed && page.is_none() => Some(NO_FRONT.to_owned()),
        false => hint(&config, relay.address()),
    };
    quiet::log(Event::Started { shards: 1 });
    let sockets = u16::try_from(config.listen.len()).unwrap_or(u16::MAX);
    quiet::log(Event::Listening { sockets });
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let files = hang_up::files(&config, credentials.as_deref());
    let hang_up = HangUp::of(&files);
    let sandbox = Sandbox::of(&config, files, page.is_some(), arguments.require_sandbox);
    let parts = Parts { relay, page, desk };
    serve(parts, arguments.json, hint, hang_up, &sandbox)
}

/// What an operator should know whose service manager keeps the page from being served.
const NO_FRONT: &str = "sottovoce: the page is not served, since the .socket unit hands over no TCP port: \
                        write ListenStream= there, with the same port; or `page = false` in the \
                        configuration.\n";

/// What runs.
struct Parts {
    relay: Relay,
    page: Option<Page>,
    desk: Option<Desk>,
}

/// What an operator should know whose relay takes everyone in and was not told by which address
/// they come.
fn hint(config: &RelayConfig, address: &RelayAddress) -> Option<String> {
    let all = |address: &SocketAddr| address.ip().is_unspecified();
    if config.public_address.is_some() || !config.listen.iter().any(all) {
        return None;
    }
    let guessed = config.listen.first().is_some_and(all);
    let loopback = match address.host() {
        Host::Name(_) => false,
        Host::V4(address) => address.is_loopback(),
        Host::V6(address) => address.is_loopback(),
    };
    let (calls, others) = match (loopback, guessed) {
        (true, _) => (
            "by which nobody finds it but this machine",
            "Others reach it by a name or another address:",
        ),
        (false, true) => (
            "as this machine calls itself",
            "If people reach it by another address (a name, or its router's),",
        ),
        (false, false) => return None,
    };
    Some(format!(
        "sottovoce: links will call this relay {}:{}, {calls}. {others} say so with \
         --public-address HOST:PORT, or `public_address` in the configuration.\n",
        address.host().to_text(),
        address.port()
    ))
}

/// Prints the relay's address: it says nothing about anybody. Links that are made from the newest
/// one live longest.
struct Announcer {
    json: bool,
    address: RelayAddress,
}

impl Announcer {
    fn line(&self, event: &str) -> String {
        let address = self.address.to_url();
        match self.json {
            true => format!("{}\n", json!({ "event": event, "address": address })),
            false => format!("{address}\n"),
        }
    }

    /// The line for an address that is another by now, since it holds the hashes of certificates.
    fn renewed(&mut self, certificates: &CertificateStore, now: SystemTime) -> Option<String> {
        let (host, port) = (self.address.host().to_text(), self.address.port());
        let hashes = certificates.hashes(now).ok()?;
        let address = RelayAddress::new(&host, port, hashes).ok()?;
        let before = std::mem::replace(&mut self.address, address);
        (self.address != before).then(|| self.line("address"))
    }
}

/// Before anything is known that could be told.
fn hush(json: bool) -> Result<(), Failure> {
    let format = if json { Format::Json } else { Format::Text };
    quiet::install(format).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    if let Err(measure) = quiet::harden() {
        quiet::log(Event::NotHardened { measure });
    }
    // Where it is not allowed, the operator's swap is the operator's to turn off.
    quiet::lock_memory();
    Ok(())
}

/// The file's text. No configuration is a mebibyte long, and what has no end is none.
fn read_some(path: &Path) -> std::io::Result<String> {
    const MOST: u64 = 1 << 20;
    let mut text = String::new();
    let length = File::open(path)?.take(MOST).read_to_string(&mut text)? as u64;
    match length < MOST {
        true => Ok(text),
        false => Err(std::io::ErrorKind::InvalidData.into()),
    }
}

/// What the configuration file says.
pub(super) fn read_config(path: &Path) -> Result<RelayConfig, Failure> {
    let text = read_some(path).map_err(|error| {
        let why = system::words(error.kind());
        let remedy = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "give this user the right to read it",
            _ => "check the path",
        };
        let sentence = format!("{} cannot be read ({why}); {remedy}", path.display());
        Failure::new(Exit::Config, sentence)
    })?;
    RelayConfig::parse(&text)
        .map_err(|error| Failure::new(Exit::Config, format!("{}: {error}", path.display())))
}

fn configuration(arguments: &Arguments) -> Result<RelayConfig, Failure> {
    let mut config = match &arguments.config {
        None => RelayConfig::default(),
        Some(path) => read_config(path)?,
    };
    if !arguments.listen.is_empty() {
        config.listen.clone_from(&arguments.listen);
    }
    config.page &= !arguments.no_page;
    if arguments.identity.is_some() {
        config.identity.clone_from(&arguments.identity);
    }
    if arguments.public_address.is_some() {
        config.public_address.clone_from(&arguments.public_address);
        // The file has been checked: what is wrong now was written here.
        config
            .check()
            .map_err(|error| Failure::new(Exit::Usage, format!("--public-address: {error}")))?;
    }
    match covered(&config.listen) {
        None => Ok(config),
        // Whose mistake it is depends on where it was written.
        Some(sentence) if arguments.listen.is_empty() => {
            Err(Failure::new(Exit::Config, format!("`listen`: {sentence}")))
        }
        Some(sentence) => Err(Failure::new(Exit::Usage, format!("--listen: {sentence}"))),
    }
}

/// What is wrong when one of the addresses to listen on takes in another: the system would say
/// that the port is taken, and the relay would blame another program. Port 0 is a new port each
/// time.
pub(super) fn covered(addresses: &[SocketAddr]) -> Option<String> {
    for (place, address) in addresses.iter().enumerate() {
        for other in addresses.iter().skip(place + 1) {
            if address.port() != other.port() || address.port() == 0 {
                continue;
            }
            if address == other {
                return Some(format!("{address} is there twice; leave one out"));
            }
            let takes_in = |all: &SocketAddr, one: &SocketAddr| {
                all.ip().is_unspecified() && all.is_ipv4() == one.is_ipv4()
            };
            let pairs = [(address, other), (other, address)];
            if let Some((all, one)) = pairs.into_iter().find(|(all, one)| takes_in(all, one)) {
                return Some(format!(
                    "{all} means all addresses of this machine and takes in {one} already; leave \
                     one of the two out"
                ));
            }
        }
    }
    None
}

/// An address to listen on.
fn address(text: &str) -> Result<SocketAddr, String> {
    match (text.parse(), text.parse::<IpAddr>()) {
        (Ok(address), _) => Ok(address),
        (Err(_), Ok(_)) => {
            Err("the port is missing: write it like 127.0.0.1:4433 or [::]:4433".into())
        }
        (Err(_), Err(_)) => {
            Err("write an IP address and a port, like 127.0.0.1:4433 or [::]:4433".into())
        }
    }
}

fn failure(error: &RelayError) -> Failure {
    let exit = match error {
        RelayError::Listen(_) | RelayError::Handed(_) => Exit::Listen,
        RelayError::Identity(_) | RelayError::Certificate(_) => Exit::Identity,
        RelayError::Config(_) | RelayError::Address(_) | RelayError::LinkLocal => Exit::Config,
        RelayError::System | RelayError::Internal => Exit::Internal,
    };
    Failure::new(exit, error.to_string())
}

/// The shard has a thread of its own, and so has the page; this one waits for signals and for another day.
fn serve(
    parts: Parts,
    json: bool,
    hint: Option<String>,
    hang_up: HangUp,
    sandbox: &Sandbox,
) -> Result<(), Failure> {
    let Parts { relay, page, desk } = parts;
    let (stop, certificates) = (relay.stop_handle(), relay.certificates());
    let mut announcer = Announcer {
        json,
        address: relay.address().clone(),
    };
    let system = |_| {
        Failure::new(
            Exit::Internal,
            "The system gives no thread; close other programs.",
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system)?;
    runtime.block_on(async {
        // Signals are caught before anyone is told that the relay is ready.
        let mut signals = Signals::new().map_err(system)?;
        let manager = Manager::find();
        sandbox.fence()?;
        let (begun, began) = tokio::sync::oneshot::channel();
        let (lock, locked) = tokio::sync::oneshot::channel();
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("shard".into())
            .spawn(move || {
                relay.prepare();
                let _ = begun.send(());
                // Nobody is served outside the sandbox.
                if locked.blocking_recv().is_ok() {
                    let _ = ended.send(relay.run());
                }
            })
            .map_err(system)?;
        let (begun, page_began) = tokio::sync::oneshot::channel();
        let (lock_page, locked) = tokio::sync::oneshot::channel();
        let has_page = page.is_some();
        if let Some(page) = page {
            std::thread::Builder::new()
                .name("page".into())
                .spawn(move || page.run(begun, locked))
                .map_err(system)?;
        } else {
            drop(begun);
        }
        // A thread that ends without a word has panicked, and then nobody is here to hear.
        let _ = began.await;
        if page_began.await.is_err() && has_page {
            return Err(Failure::new(
                Exit::Internal,
                "The system gives too little to serve the page; close other programs, or leave it out with \
                 --no-page.",
            ));
        }
        sandbox.filter()?;
        let _ = lock.send(());
        let _ = lock_page.send(());
        if let Some(desk) = desk {
            tokio::spawn(desk.attend());
        }
        say(&announcer.line("ready"))?;
        // Who waited for the manager finds the address in the journal.
        manager.ready();
        // Nobody is left to be told when standard error is gone.
        let _ = std::io::stderr().write_all(hint.unwrap_or_default().as_bytes());
        let drain = attend(
            &mut signals,
            hang_up,
            &stop,
            &certificates,
            &mut announcer,
            end,
        )
        .await;
        quiet::log(Event::Stopped { drain });
        Ok(())
    })
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Attends to signals and certificates until the shard has ended.
async fn attend(
    signals: &mut Signals,
    hang_up: HangUp,
    stop: &StopHandle,
    certificates: &CertificateStore,
    announcer: &mut Announcer,
    mut end: tokio::sync::oneshot::Receiver<Drain>,
) -> Drain {
    let mut rotation = tokio::time::interval(ROTATION);
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => halt(stop, &mut stopping),
            _ = signals.interrupt.recv() => halt(stop, &mut stopping),
            _ = signals.hang_up.recv() => match hang_up {
                // What cannot be read leaves the certificate that is shown as it is.
                HangUp::Reload => {
                    let now = SystemTime::now();
                    match certificates.reload(now) {
                        Ok(true) => quiet::log(Event::ConfigReloaded),
                        Ok(false) => {}
                        Err(_) => quiet::log(Event::CertificateKept),
                    }
                    announce(announcer.renewed(certificates, now));
                }
                HangUp::Stop => halt(stop, &mut stopping),
                HangUp::Ignore => {}
            },
            _ = rotation.tick() => {
                let now = SystemTime::now();
                match certificates.rotate(now) {
                    Ok(rotation) if rotation.changed => quiet::log(Event::CertificateRotated),
                    Ok(_) => {}
                    Err(_) => quiet::log(Event::CertificateKept),
                }
                announce(announcer.renewed(certificates, now));
            }
            // A shard that ends without a word has panicked, and then nobody is here to hear.
            drain = &mut end => return drain.unwrap_or(Drain::Partial),
        }
    }
}

fn announce(line: Option<String>) {
    // A relay whose output cannot be written serves on.
    let _ = line.map_or(Ok(()), |line| say(&line));
}

fn halt(stop: &StopHandle, stopping: &mut bool) {
    if !std::mem::replace(stopping, true) {
        quiet::log(Event::Stopping);
    }
    stop.stop();
}

#[cfg(test)]
mod tests;
