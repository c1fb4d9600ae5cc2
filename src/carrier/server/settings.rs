//! What a server needs before its first packet.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use quinn_proto::crypto::rustls::QuicServerConfig;
use quinn_proto::{EndpointConfig, ServerConfig, ValidationTokenConfig};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};

use super::super::limits::HANDSHAKES;
use super::super::transport::{ACKNOWLEDGE_WITHIN, crypto_provider, server_transport};
use super::ids::Ids;
use super::patience::Patient;
use super::webtransport;
use crate::wire;

/// Settings of a [`super::Server`].
#[derive(Clone, Copy)]
pub struct ServerSettings {
    /// Connections at a time; further ones are refused.
    pub connections: usize,
    /// Keys the tokens by which a peer knows that this relay has forgotten it (stateless reset, RFC
    /// 9000, section 10.3). The same after a restart, so that peers of a relay that crashed come
    /// back at once.
    pub reset_key: [u8; 32],
}

impl ServerSettings {
    pub(super) fn endpoint(&self) -> EndpointConfig {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.reset_key);
        let settings = *self;
        let mut config = EndpointConfig::new(Arc::new(key));
        // All peers of a relay that crashed are to learn it at once, not one in 20 ms: the door has a
        // pace for them. A reset is smaller than what it answers, and answers connection ids alone
        // that this relay has made.
        config.min_reset_interval(Duration::ZERO);
        config.cid_generator(move || Box::new(settings.ids()));
        config
    }

    /// Connection ids as this relay makes them.
    pub(super) fn ids(&self) -> Ids {
        // quinn answers only to connection ids that it can have made itself, so the key of these
        // must outlive a restart too.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.reset_key);
        Ids::new(hmac::sign(&key, b"connection ids").as_ref())
    }
}

/// Draws randomness in this thread. Before its first draw aws-lc looks whether the system has a device
/// that would say that a virtual machine was copied; a relay that has given up files cannot.
pub fn draw_once() {
    // Without randomness no handshake succeeds, and whoever asks for more is told.
    let _ = rand::fill(&mut [0; 1]);
}

/// TLS as a relay speaks it: TLS 1.3 alone, and nothing by which two connections of one participant could
/// be linked: no tickets, no sessions, no early data.
pub(in crate::carrier) fn tls(
    certificates: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
) -> Result<rustls::ServerConfig, rustls::Error> {
    let mut tls = rustls::ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    tls.send_tls13_tickets = 0;
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.max_early_data_size = 0;
    Ok(tls)
}

/// TLS and QUIC as a relay speaks them: no NEW_TOKEN either.
pub(super) fn server_config(
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, rustls::Error> {
    let tls = tls(certificates, &[wire::ALPN, webtransport::ALPN])?;
    let quic = QuicServerConfig::try_from(tls)
        .map_err(|_| rustls::Error::General("no cipher suite for QUIC".into()))?;
    let mut config = ServerConfig::with_crypto(Arc::new(Patient::new(quic, ACKNOWLEDGE_WITHIN)));
    let mut no_tokens = ValidationTokenConfig::default();
    no_tokens.sent(0);
    config
        .transport_config(Arc::new(server_transport()))
        .validation_token_config(no_tokens)
        .max_incoming(HANDSHAKES)
        .migration(true);
    Ok(config)
}
