//! A relay from its configuration to its end.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::access::Passes;
use super::bus::Alone;
use super::config::{ConfigError, RelayConfig};
use super::limits::GREETINGS;
use super::meter::Meter;
use super::rooms::Rooms;
use super::shard::Shard;
use crate::carrier::address::{AddressError, RelayAddress};
use crate::carrier::certificate::{
    CertificateError, CertificateStore, Identity, IdentityError, IdentityProblem,
};
use crate::carrier::server::{
    HandedError, KernelSocket, ListenError, PerAddress, Server, ServerSettings, Sockets, draw_once,
    listen, reachable,
};
use crate::quiet::Drain;
use crate::quiet::metrics::Metrics;

/// Why a relay does not start. All but the last the operator can mend.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// It cannot listen where it was told to.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// What it was given to listen at is of no use.
    #[error(transparent)]
    Handed(#[from] HandedError),
    /// Its identity file is off.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It has no certificate to show.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The configuration does not hold together.
    #[error("the configuration does not hold together: {0}")]
    Config(#[from] ConfigError),
    /// Links cannot name it.
    #[error("the relay's public address is none: {0}")]
    Address(#[from] AddressError),
    /// Nor can they name where it listens.
    #[error(
        "no meeting link can name a link-local address: say with --public-address (or \
         `public_address` in the configuration) what links shall call the relay, or listen on \
         another address first"
    )]
    LinkLocal,
    /// The system gives no randomness, no pipe, or no thread.
    #[error("the system gives too little to run a relay; close other programs")]
    System,
    /// TLS cannot be set up.
    #[error("the relay cannot set up TLS; this is a fault of its own, please report it")]
    Internal,
}

/// A relay that listens and has not begun to serve.
pub struct Relay {
    shard: Shard<KernelSocket, Alone>,
    certificates: Arc<CertificateStore>,
    address: RelayAddress,
    stop: StopHandle,
}

/// Ends a relay that runs in another thread.
#[derive(Clone)]
pub struct StopHandle {
    stop: Arc<AtomicBool>,
    waker: Arc<UnixStream>,
}

impl StopHandle {
    /// Tells everyone that the relay restarts, and lets [`Relay::run`] return soon.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // A full pipe wakes just as well.
        let _ = (&*self.waker).write(&[1]);
    }
}

impl Relay {
    /// Opens the sockets, but for those of the page, and makes the certificates.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn open(config: &RelayConfig) -> Result<Self, RelayError> {
        Self::open_at(config, None)
    }

    /// The same with sockets that are open already, in place of the addresses to listen on.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn open_at(config: &RelayConfig, sockets: Option<Sockets>) -> Result<Self, RelayError> {
        config.check()?;
        draw_once();
        let (wall, now) = (SystemTime::now(), Instant::now());
        let identity = identity(config)?;
        let passes = Passes::of(&config.access, &identity);
        let (certificates, reset_key) = certificates(config, identity, wall)?;
        let certificates = Arc::new(certificates);
        // Those who have not said Hello yet stand in the door, over the number of participants.
        let connections = config.limits.participants.saturating_add(GREETINGS);
        let per_address = PerAddress {
            connections: config.limits.connections_per_address,
            handshakes: config.limits.handshakes_per_address,
        };
        let sockets = match sockets {
            Some(sockets) => sockets,
            None => Sockets::bind(&config.listen, false)?,
        };
        let airlock = listen(sockets, connections, per_address, random()?);
        let local = airlock.local_addresses();
        let address = public_address(config, &local, &certificates, wall)?;
        let settings = ServerSettings {
            connections,
            reset_key,
        };
        let server = Server::new(airlock, settings, certificates.clone(), now)
            .map_err(|_| RelayError::Internal)?;
        let rooms =
            Rooms::new(config.limits.clone(), Alone, random()?, now).for_those(passes.at(&address));
        let (waker, wake) = UnixStream::pair().map_err(|_| RelayError::System)?;
        waker
            .set_nonblocking(true)
            .map_err(|_| RelayError::System)?;
        wake.set_nonblocking(true).map_err(|_| RelayError::System)?;
        let stop = Arc::new(AtomicBool::new(false));
        let shard = Shard {
            server,
            rooms,
            waker,
            stop: stop.clone(),
            meter: None,
        };
        let stop = StopHandle {
            stop,
            waker: Arc::new(wake),
        };
        Ok(Self {
            shard,
            certificates,
            address,
            stop,
        })
    }

    /// What `invite` takes: where the relay is, and its certificates' hashes.
    pub fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// The certificates, for rotation and for reading files again.
    pub fn certificates(&self) -> Arc<CertificateStore> {
        self.certificates.clone()
    }

    /// Publishes numbers each time that `every` has passed; without this call, never.
    ///
    /// # Errors
    /// [`RelayError::System`] when the system gives no randomness.
    pub fn meter(&mut self, every: Duration) -> Result<Arc<Metrics>, RelayError> {
        let metrics = Arc::<Metrics>::default();
        let [a, b, c, d, ..] = random()?;
        let meter = Meter::new(metrics.clone(), Instant::now(), every, [a, b, c, d]);
        self.shard.meter = Some(meter);
        Ok(metrics)
    }

    /// For another thread, to end [`Relay::run`].
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Has the thread that will call [`Self::run`] take from the system what it takes once, so that
    /// [`crate::quiet::sandbox::filter`] may come after.
    pub fn prepare(&self) {
        draw_once();
    }

    /// Serves until [`StopHandle::stop`], and says whether all were gone by then.
    pub fn run(self) -> Drain {
        self.shard.run()
    }
}

fn random() -> Result<[u8; 32], RelayError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| RelayError::System)?;
    Ok(bytes)
}

fn identity(config: &RelayConfig) -> Result<Identity, RelayError> {
    match &config.identity {
        Some(path) => Ok(Identity::open_or_create(path)?),
        None => Identity::ephemeral().map_err(|problem| match problem {
            IdentityProblem::NoRandomness => RelayError::System,
            _ => RelayError::Internal,
        }),
    }
}

/// The certificates, and the key by which peers of a relay that crashed learn that it forgot them.
fn certificates(
    config: &RelayConfig,
    identity: Identity,
    wall: SystemTime,
) -> Result<(CertificateStore, [u8; 32]), RelayError> {
    let reset_key = identity.reset_key();
    let store = match (&config.certificate, &config.key) {
        (Some(certificate), Some(key)) => CertificateStore::from_files(certificate, key, wall)?,
        _ => CertificateStore::derived(identity, wall)?,
    };
    Ok((store, reset_key))
}

fn public_address(
    config: &RelayConfig,
    local: &[SocketAddr],
    certificates: &CertificateStore,
    wall: SystemTime,
) -> Result<RelayAddress, RelayError> {
    let hashes = certificates.hashes(wall)?;
    let authority = match (&config.public_address, local.first()) {
        (Some(public), _) => public.clone(),
        (None, Some(SocketAddr::V6(first))) if first.ip().is_unicast_link_local() => {
            return Err(RelayError::LinkLocal);
        }
        (None, Some(first)) => reachable(*first).to_string(),
        (None, None) => return Err(RelayError::Internal),
    };
    let bare: RelayAddress = format!("https://{authority}/").parse()?;
    Ok(RelayAddress::new(
        &bare.host().to_text(),
        bare.port(),
        hashes,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_link_can_name_is_not_put_into_one() {
        let now = SystemTime::now();
        let store = CertificateStore::derived(Identity::from_bytes([3; 32]), now).unwrap();
        let local = ["[fe80::1%2]:4433".parse().unwrap()];
        let named = |config| public_address(&config, &local, &store, now);
        let error = named(RelayConfig::default()).err().unwrap();
        assert!(matches!(error, RelayError::LinkLocal), "{error}");
        let told = RelayConfig {
            public_address: Some("relay.local:4433".into()),
            ..RelayConfig::default()
        };
        assert!(named(told).is_ok());
    }
}
