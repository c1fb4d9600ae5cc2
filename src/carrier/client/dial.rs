//! Finding the relay and shaking hands with it, at all its addresses at a time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig};
use quinn::{ClientConfig, Endpoint, EndpointConfig, TokioRuntime};
use rustls::crypto::CryptoProvider;
use socket2::SockRef;
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::verifier::{Trust, Verifier};
use super::{BindFailed, ConnectError, Link};
use crate::carrier::address::{Host, RelayAddress};
use crate::carrier::transport::{client_transport, crypto_provider};
use crate::wire::ALPN;

/// How long a name's look-up may take.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(5);

/// How long one address may take to answer: three first packets go out in that time.
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(5);

/// Head start of an address before the next one is tried too (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Bytes that the system may hold for us: a key frame of several speakers comes in one burst, and
/// what does not fit is lost. Linux grants at most `net.core.rmem_max`.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// Connects to the relay, from `bind` when it is given (port 0: any), and opens the control
/// stream. All addresses that the relay's name has are tried; the first that answers as the
/// relay in the link does is taken.
///
/// # Errors
/// [`ConnectError`]: of several addresses, the failure that tells most. A relay that is not
/// proven to be the one in the link is never connected to.
pub async fn connect(
    address: &RelayAddress,
    bind: Option<SocketAddr>,
) -> Result<Link, ConnectError> {
    connect_within(address, bind, ATTEMPT_PATIENCE).await
}

/// [`connect`], with another patience for each address.
pub(super) async fn connect_within(
    address: &RelayAddress,
    bind: Option<SocketAddr>,
    patience: Duration,
) -> Result<Link, ConnectError> {
    let targets = order(look_up(address).await?);
    let targets: Vec<SocketAddr> = match bind {
        Some(bind) => targets
            .into_iter()
            .filter(|to| to.is_ipv4() == bind.is_ipv4())
            .collect(),
        None => targets,
    };
    if targets.is_empty() {
        return Err(BindFailed::OtherFamily.into());
    }

    let provider = crypto_provider();
    let trust = trust(address, provider.clone()).await?;
    let dialer = Dialer::new(trust, provider, server_name(address.host()), bind, patience);
    dialer.race(targets).await
}

/// A socket bound to `bind`, or to any port of the family of `to`.
pub(super) fn bind_socket(bind: Option<SocketAddr>, to: IpAddr) -> Result<UdpSocket, BindFailed> {
    // Not bound to one of this machine's addresses: when it gets another one (another network),
    // the packets go out from there, and the connection goes on.
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let bind = bind.unwrap_or(SocketAddr::new(any, 0));
    let socket = UdpSocket::bind(bind).map_err(|error| BindFailed::from(&error))?;
    // As much as the system grants: with less, more is lost in a burst, and nothing else changes.
    let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
    Ok(socket)
}

pub(super) async fn look_up(address: &RelayAddress) -> Result<Vec<SocketAddr>, ConnectError> {
    let port = address.port();
    match address.host() {
        Host::V4(ip) => Ok(vec![SocketAddr::new((*ip).into(), port)]),
        Host::V6(ip) => Ok(vec![SocketAddr::new((*ip).into(), port)]),
        Host::Name(name) => {
            let found = timeout(LOOKUP_PATIENCE, lookup_host((name.as_str(), port))).await;
            let found: Vec<_> = match found {
                Ok(Ok(found)) => found.take(MOST_ADDRESSES).collect(),
                Ok(Err(_)) | Err(_) => Vec::new(),
            };
            if found.is_empty() {
                Err(ConnectError::NameNotFound)
            } else {
                Ok(found)
            }
        }
    }
}

/// The families by turns, beginning with the resolver's first choice (RFC 8305, section 4).
fn order(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v4 = found.first().is_some_and(SocketAddr::is_ipv4);
    let (preferred, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|address| address.is_ipv4() == first_is_v4);
    let (mut preferred, mut others) = (preferred.into_iter(), others.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [preferred.next(), others.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

async fn trust(
    address: &RelayAddress,
    provider: Arc<CryptoProvider>,
) -> Result<Trust, ConnectError> {
    if !address.hashes().is_empty() {
        return Ok(Trust::Pinned(address.hashes().into()));
    }
    let reading = tokio::task::spawn_blocking(move || Trust::authorities(provider));
    reading.await.unwrap_or(Err(ConnectError::Internal))
}

/// The name that TLS checks and, when it is none of an IP address, sends (RFC 6066, section 3).
pub(super) fn server_name(host: &Host) -> String {
    match host {
        Host::Name(name) => name.clone(),
        Host::V4(address) => address.to_string(),
        Host::V6(address) => address.to_string(),
    }
}

pub(super) struct Dialer {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    server_name: String,
    bind: Option<SocketAddr>,
    patience: Duration,
    v4: Option<Endpoint>,
    v6: Option<Endpoint>,
}

impl Dialer {
    pub(super) fn new(
        trust: Trust,
        provider: Arc<CryptoProvider>,
        server_name: String,
        bind: Option<SocketAddr>,
        patience: Duration,
    ) -> Self {
        Self {
            trust,
            provider,
            server_name,
            bind,
            patience,
            v4: None,
            v6: None,
        }
    }

    /// Tries `targets`, each with a head start before the next or until it fails.
    pub(super) async fn race(mut self, targets: Vec<SocketAddr>) -> Result<Link, ConnectError> {
        let mut waiting = targets.into_iter();
        let mut attempts = JoinSet::new();
        let mut failure = None;
        loop {
            match waiting.next().map(|target| self.attempt(target)) {
                Some(Ok(attempt)) => {
                    attempts.spawn(attempt);
                }
                Some(Err(error)) => {
                    keep(&mut failure, error);
                    continue;
                }
                None => {}
            }
            let done = if waiting.len() > 0 {
                timeout(HEAD_START, attempts.join_next()).await
            } else {
                Ok(attempts.join_next().await)
            };
            match done {
                // The others are aborted as their set is dropped.
                Ok(Some(Ok(Ok(link)))) => return Ok(link),
                Ok(Some(Ok(Err(error)))) => keep(&mut failure, error),
                Ok(Some(Err(_))) => keep(&mut failure, ConnectError::Internal),
                Ok(None) if waiting.len() == 0 => {
                    return Err(failure.unwrap_or(ConnectError::Internal));
                }
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// Prepares the handshake with one address.
    fn attempt(
        &mut self,
        target: SocketAddr,
    ) -> Result<impl Future<Output = Result<Link, ConnectError>> + Send + 'static, ConnectError>
    {
        if !has_route(target) {
            return Err(ConnectError::NoRoute);
        }
        let endpoint = self.endpoint(target.ip())?;
        let verifier = Arc::new(Verifier::new(self.trust.clone(), &self.provider));
        let tls = verifier
            .tls(self.provider.clone())
            .map_err(|_| ConnectError::Internal)?;
        let tls = QuicClientConfig::try_from(tls).map_err(|_| ConnectError::Internal)?;
        let mut config = ClientConfig::new(Arc::new(tls));
        config.transport_config(Arc::new(client_transport()));
        let connecting = endpoint
            .connect_with(config, target, &self.server_name)
            .map_err(|error| match error {
                quinn::ConnectError::InvalidServerName(_) => ConnectError::NameNotFound,
                quinn::ConnectError::InvalidRemoteAddress(_) => ConnectError::Unreachable,
                _ => ConnectError::Internal,
            })?;
        let patience = self.patience;
        Ok(async move {
            let shaking = async {
                let connection = connecting.await.map_err(|error| {
                    verifier
                        .verdict()
                        .unwrap_or_else(|| ConnectError::of(&error))
                })?;
                if !speaks_ours(&connection) {
                    return Err(ConnectError::NotSottovoce);
                }
                let control = connection.open_bi().await;
                let control = control.map_err(|error| ConnectError::of(&error))?;
                Ok(Link::new(endpoint, connection, control))
            };
            timeout(patience, shaking)
                .await
                .unwrap_or(Err(ConnectError::Unreachable))
        })
    }

    /// The endpoint of one family, made when it is first needed.
    fn endpoint(&mut self, to: IpAddr) -> Result<Endpoint, ConnectError> {
        let slot = if to.is_ipv4() {
            &mut self.v4
        } else {
            &mut self.v6
        };
        if let Some(endpoint) = slot {
            return Ok(endpoint.clone());
        }
        let socket = bind_socket(self.bind, to)?;
        let config = EndpointConfig::default();
        let endpoint = Endpoint::new(config, None, socket, Arc::new(TokioRuntime))
            .map_err(|error| BindFailed::from(&error))?;
        Ok(slot.insert(endpoint).clone())
    }
}

fn keep(failure: &mut Option<ConnectError>, error: ConnectError) {
    *failure = Some(match *failure {
        Some(earlier) => earlier.or_more_telling(error),
        None => error,
    });
}

/// Asks the system, without sending anything, whether there is a way to `target`. quinn would
/// wait for an answer to packets that were never sent.
fn has_route(target: SocketAddr) -> bool {
    let Ok(socket) = bind_socket(None, target.ip()) else {
        return false;
    };
    match socket.connect(target) {
        Ok(()) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::AddrNotAvailable
        ),
    }
}

fn speaks_ours(connection: &quinn::Connection) -> bool {
    connection
        .handshake_data()
        .and_then(|data| data.downcast::<HandshakeData>().ok())
        .is_some_and(|data| data.protocol.as_deref() == Some(ALPN))
}
