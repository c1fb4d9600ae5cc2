//! `sottovoce relay`: runs a relay until a signal ends it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::json;
use sottovoce::carrier::certificate::CertificateStore;
use sottovoce::quiet::{self, Drain, Event, Format};
use sottovoce::relay::{Relay, RelayConfig, RelayError, StopHandle};
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, Failure, say};

/// Run a relay: forwards sealed media between participants, and keeps nothing.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// UDP address to listen on; several are possible [default: 127.0.0.1:4433]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// File with the relay's identity, made on first use; without it, links die with the process
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Configuration file; what is given here as an argument goes before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the configuration file with all defaults, and end
    #[arg(long)]
    print_config: bool,
    /// Print the ready line as a JSON object
    #[arg(long)]
    json: bool,
}

/// How often to look whether another window of days has begun. The wall clock may jump.
const ROTATION: Duration = Duration::from_secs(600);

/// Runs the relay to its end.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.print_config {
        return say(&RelayConfig::default_file());
    }
    hush(arguments.json)?;
    let config = configuration(&arguments)?;
    let relay = Relay::open(&config).map_err(|error| failure(&error))?;
    let address = relay.address().to_url();
    let ready = match arguments.json {
        true => format!("{}\n", json!({ "event": "ready", "address": address })),
        false => format!("{address}\n"),
    };
    quiet::log(Event::Started { shards: 1 });
    let sockets = u16::try_from(config.listen.len()).unwrap_or(u16::MAX);
    quiet::log(Event::Listening { sockets });
    serve(relay, &ready)
}

/// Before anything is known that could be told.
fn hush(json: bool) -> Result<(), Failure> {
    let format = if json { Format::Json } else { Format::Text };
    quiet::install(format).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    if let Err(measure) = quiet::harden() {
        quiet::log(Event::NotHardened { measure });
    }
    Ok(())
}

fn configuration(arguments: &Arguments) -> Result<RelayConfig, Failure> {
    let mut config = match &arguments.config {
        None => RelayConfig::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                let sentence = format!("{path} cannot be read ({}); check the path", error.kind());
                Failure::new(Exit::Config, sentence)
            })?;
            RelayConfig::parse(&text).map_err(|error| {
                Failure::new(Exit::Config, format!("{}: {error}", path.display()))
            })?
        }
    };
    if !arguments.listen.is_empty() {
        config.listen.clone_from(&arguments.listen);
    }
    if arguments.identity.is_some() {
        config.identity.clone_from(&arguments.identity);
    }
    Ok(config)
}

fn failure(error: &RelayError) -> Failure {
    let exit = match error {
        RelayError::Listen(_) => Exit::Listen,
        RelayError::Identity(_) | RelayError::Certificate(_) => Exit::Identity,
        RelayError::Config(_) | RelayError::Address(_) => Exit::Config,
        RelayError::System | RelayError::Internal => Exit::Internal,
    };
    Failure::new(exit, error.to_string())
}

/// The shard has a thread of its own; this one waits for signals and for another day.
fn serve(relay: Relay, ready: &str) -> Result<(), Failure> {
    let (stop, certificates) = (relay.stop_handle(), relay.certificates());
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
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("shard".into())
            .spawn(move || {
                let _ = ended.send(relay.run());
            })
            .map_err(system)?;
        say(ready)?;
        let drain = attend(&mut signals, &stop, &certificates, end).await;
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
    stop: &StopHandle,
    certificates: &CertificateStore,
    mut end: tokio::sync::oneshot::Receiver<Drain>,
) -> Drain {
    let mut rotation = tokio::time::interval(ROTATION);
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => halt(stop, &mut stopping),
            _ = signals.interrupt.recv() => halt(stop, &mut stopping),
            _ = signals.hang_up.recv() => {
                // What cannot be read leaves the certificate that is shown as it is.
                match certificates.reload(SystemTime::now()) {
                    Ok(true) => quiet::log(Event::ConfigReloaded),
                    Ok(false) => {}
                    Err(_) => quiet::log(Event::CertificateKept),
                }
            }
            _ = rotation.tick() => match certificates.rotate(SystemTime::now()) {
                Ok(rotation) if rotation.changed => quiet::log(Event::CertificateRotated),
                Ok(_) => {}
                Err(_) => quiet::log(Event::CertificateKept),
            },
            // A shard that ends without a word has panicked, and then nobody is here to hear.
            drain = &mut end => return drain.unwrap_or(Drain::Partial),
        }
    }
}

fn halt(stop: &StopHandle, stopping: &mut bool) {
    if !std::mem::replace(stopping, true) {
        quiet::log(Event::Stopping);
    }
    stop.stop();
}
